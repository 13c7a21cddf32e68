/* SPDX-License-Identifier: ISC */
/* /etc/nsswitch.conf as glibc reads it. */
#include "hexactl/nsswitch.h"
#include "support.h"

static struct hxb_nss_search search;

static enum hxb_result
read_text(const char *text, const char *database)
{
	hxb_nsswitch_clear(&search);
	write_file(in_dir("nsswitch.conf"), text, 0644);
	return hxb_nsswitch_read(in_dir("nsswitch.conf"), database, &search, &err);
}

static int
end_test(void **state)
{
	hxb_nsswitch_clear(&search);
	return remove_test_dir(state);
}

static void
services_come_in_their_order_with_what_follows_each(void **state)
{
	(void)state;
	assert_ok(read_text("# passwd: nis\n  passwd :\tfiles [ NotFound=RETURN  !unavail=continue ] "
	                    "sss[SUCCESS=merge]hexabot # end\n",
	    "passwd"));
	assert_int_equal(search.count, 3);
	assert_int_equal(search.line, 2);
	assert_string_equal(search.services[0].name, "files");
	assert_int_equal(search.services[0].actions[HXB_NSS_UNAVAIL], HXB_NSS_CONTINUE);
	assert_int_equal(search.services[1].actions[HXB_NSS_SUCCESS], HXB_NSS_MERGE);
	assert_int_equal(search.services[2].actions[HXB_NSS_SUCCESS], HXB_NSS_RETURN);
	assert_int_equal(search.services[2].actions[HXB_NSS_NOTFOUND], HXB_NSS_CONTINUE);
	assert_int_equal(hxb_nsswitch_position(&search, "hexabot"), 2);
	assert_int_equal(hxb_nsswitch_position(&search, "nis"), -1);
	/* Of the two items of one service the later one counts. */
	assert_int_equal(hxb_nsswitch_blocker(&search, "hexabot", false), -1);
	assert_ok(read_text("passwd: files [!SUCCESS=return] hexabot\n", "passwd"));
	assert_int_equal(hxb_nsswitch_blocker(&search, "hexabot", false), 0);
	assert_int_equal(hxb_nsswitch_blocker(&search, "hexabot", true), 0);
	assert_ok(read_text("passwd: hexabot [NOTFOUND=return] files [UNAVAIL=return] sss\n", "passwd"));
	assert_int_equal(hxb_nsswitch_blocker(&search, "hexabot", false), -1);
	assert_int_equal(hxb_nsswitch_blocker(&search, "sss", true), 1);
}

static void
what_is_not_there_is_files_and_initgroups_is_group(void **state)
{
	(void)state;
	assert_ok(read_text("group: files hexabot\n", "passwd"));
	assert_int_equal(search.count, 1);
	assert_int_equal(search.line, 0);
	assert_string_equal(search.services[0].name, "files");
	assert_ok(read_text("group: files hexabot\n", "initgroups"));
	assert_int_equal(hxb_nsswitch_position(&search, "hexabot"), 1);
	assert_ok(read_text("initgroups: files\ngroup: files hexabot\n", "initgroups"));
	assert_int_equal(hxb_nsswitch_position(&search, "hexabot"), -1);
	/* Only a line of its own ends with the first that knows somebody. */
	assert_ok(read_text("group: files hexabot\n", "initgroups"));
	assert_int_equal(hxb_nsswitch_sated(&search, "hexabot"), -1);
	assert_ok(read_text("initgroups: files hexabot\n", "initgroups"));
	assert_int_equal(hxb_nsswitch_sated(&search, "hexabot"), 0);
	assert_ok(read_text("initgroups: files [SUCCESS=continue] hexabot systemd\n", "initgroups"));
	assert_int_equal(hxb_nsswitch_sated(&search, "hexabot"), -1);
	/* The last line of a database counts; one may name nobody. */
	assert_ok(read_text("passwd: files\npasswd: hexabot\npasswd_compat: nis\n", "passwd"));
	assert_string_equal(search.services[0].name, "hexabot");
	assert_ok(read_text("passwd:\n", "passwd"));
	assert_int_equal(search.count, 0);
	assert_int_equal(search.line, 1);
	hxb_nsswitch_clear(&search);
	assert_ok(hxb_nsswitch_read(in_dir("not-there"), "group", &search, &err));
	assert_string_equal(search.services[0].name, "files");
}

static void
bad_lines_are_told_with_their_number(void **state)
{
	static const char *const bad[] = { "[NOTFOUND=return] files", "files [NOTFOUND]",
		"files [NOTFOUND=", "files [NOTFOUND=stop] hexabot", "files [MISSING=return] hexabot",
		"files [NOTFOUND=merge] x" };
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof(text), "\npasswd: %s\n", bad[i]);
		assert_result(read_text(text, "passwd"), HXB_UNREADABLE);
		assert_contains(err.text, "nsswitch.conf:2: what stands in brackets");
	}
	snprintf(text, sizeof(text), "passwd: %s%s%s\n", "a a a a a a a a a a a a a a a a a a a a ",
	    "a a a a a a a a a a a a a a", " a a");
	assert_result(read_text(text, "passwd"), HXB_UNREADABLE);
	assert_contains(err.text, ":1: more than 32 services");
	hxb_nsswitch_clear(&search);
	assert_result(hxb_nsswitch_read("/dev/null", "passwd", &search, &err), HXB_UNREADABLE);
	assert_contains(err.text, "/dev/null: not a regular file");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    services_come_in_their_order_with_what_follows_each, make_test_dir, end_test),
		cmocka_unit_test_setup_teardown(
		    what_is_not_there_is_files_and_initgroups_is_group, make_test_dir, end_test),
		cmocka_unit_test_setup_teardown(
		    bad_lines_are_told_with_their_number, make_test_dir, end_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
