/* SPDX-License-Identifier: ISC */
/* Which names people may have on the host, and how their own names are shown. */
#include <pwd.h>
#include <grp.h>

#include "libhexabot/names.h"
#include "libhexabot/token.h"
#include "support.h"

static void
logins_match_the_pattern(void **state)
{
	static const char *const good[] = {
		"a", "_", "mona", "Emile.D", "a-b_c.d", "x1", "Z9", "a.", "a-", "_apt",
		"abcdefghijklmnopqrstuvwxyz012345", /* 32 bytes */
	};
	static const char *const bad[] = {
		"", "1", "1a", "-a", ".a", "..", ".", "a b", " a", "a ", "a:b", "a/b", "../a", "a\n", "a\t",
		"\n", "a,b", "a$", "a@b", "a+b", "%a", "+", "a\\b", "a\"b", "a*", "a\x7f", "\xc3\x89mile",
		"a\xc3\xa9", "abcdefghijklmnopqrstuvwxyz0123456", /* 33 bytes */
	};
	char every[2] = "";

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		if (!hxb_login_valid(good[i]))
			fail_msg("refused: %s", good[i]);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (hxb_login_valid(bad[i]))
			fail_msg("taken: %s", bad[i]);
	}
	for (int c = 1; c < 256; c++) {
		every[0] = (char)c;
		assert_int_equal(hxb_login_valid(every),
		    c < 128 && strchr("_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", c) != NULL);
	}
}

static void
names_of_the_host_are_reserved_in_any_case(void **state)
{
	static const char *const reserved[] = {
		"root",
		"Root",
		"ROOT",
		"sudo",
		"SuDo",
		"wheel",
		"adm",
		"docker",
		"lxd",
		"libvirt",
		"libvirt-qemu",
		"disk",
		"shadow",
		"staff",
		"daemon",
		"bin",
		"sys",
		"sync",
		"games",
		"man",
		"lp",
		"mail",
		"news",
		"uucp",
		"proxy",
		"www-data",
		"backup",
		"list",
		"irc",
		"gnats",
		"nobody",
		"nogroup",
		"_apt",
		"_anything",
		"sshd",
		"Debian-exim",
		"Debian-snmp",
		"debian-tor",
		"debian",
		"ubuntu",
		"ec2-user",
		"pi",
		"vagrant",
		"almalinux",
		"postgres",
		"mysql",
		"messagebus",
		"systemd-network",
		"systemd-x",
		"Systemd-X",
		"kvm",
		"operator",
		"users",
		"zabbix",
		"ssh_keys",
		"ssh",
		"ssl-cert",
	};
	static const char *const free_names[] = {
		"mona",
		"admin",
		"manager",
		"public",
		"rooty",
		"roo",
		"sudoer",
		"hexabot",
		"systemd",
		"a",
		"zz",
		"",
		"sudo ",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(reserved); i++) {
		if (!hxb_name_reserved(reserved[i]))
			fail_msg("free: %s", reserved[i]);
	}
	for (size_t i = 0; i < COUNT(free_names); i++) {
		if (hxb_name_reserved(free_names[i]))
			fail_msg("reserved: %s", free_names[i]);
	}
}

static void
no_login_looks_like_one_of_our_groups(void **state)
{
	static const char *const reserved[] = { "hexabot-admin", "hexabot-", "hexabot.mona", "hexabot.",
		"Hexabot-Admin", "HEXABOT.x", "root", "_apt" };
	static const char *const free_names[] = { "hexabot", "hexabots", "hexabot_admin", "hexabo-t",
		"my-hexabot-admin", "mona" };
	static const char *const groups[] = { "hexabot-admin", "hexabot-" }; /* which are ours to give */

	(void)state;
	for (size_t i = 0; i < COUNT(reserved); i++) {
		if (!hxb_login_reserved(reserved[i]))
			fail_msg("free: %s", reserved[i]);
	}
	for (size_t i = 0; i < COUNT(free_names); i++) {
		if (hxb_login_reserved(free_names[i]))
			fail_msg("reserved: %s", free_names[i]);
	}
	for (size_t i = 0; i < COUNT(groups); i++) {
		if (hxb_name_reserved(groups[i]))
			fail_msg("no group can be called: %s", groups[i]);
	}
}

static void
every_name_of_base_passwd_is_reserved(void **state)
{
	FILE *passwd = fopen("/usr/share/base-passwd/passwd.master", "re");
	FILE *group = fopen("/usr/share/base-passwd/group.master", "re");
	const struct passwd *pw;
	const struct group *gr;

	(void)state;
	if (passwd == NULL || group == NULL)
		skip();
	while ((pw = fgetpwent(passwd)) != NULL) {
		if (!hxb_name_reserved(pw->pw_name))
			fail_msg("free: %s", pw->pw_name);
	}
	while ((gr = fgetgrent(group)) != NULL) {
		if (!hxb_name_reserved(gr->gr_name))
			fail_msg("free: %s", gr->gr_name);
	}
	fclose(passwd);
	fclose(group);
}

static void
gecos_is_one_clean_field(void **state)
{
	static const struct {
		const char *first, *last, *shown;
	} cases[] = {
		{ "Mona", "Lind", "Mona Lind" },
		{ "Mona", "", "Mona" },
		{ "", "Lind", "Lind" },
		{ "", "", "" },
		{ "\xc3\x89mile", "D\xc3\xbcrr", "\xc3\x89mile D\xc3\xbcrr" },
		{ "a:0:0:/root:/bin/sh", "b,c", "a00/root/bin/sh bc" },
		{ "a\nroot::0:0", "\r\t\x1b[31mb\x7f", "aroot00 [31mb" },
		{ "a\x01\x02\x1f", "b", "a b" },
		/* no UTF-8 */
		{ "a\xff\xfe", "b\x80", "a b" },
		{ "a\xc3", "\xa9", "a " },
		{ "a\xe2\x82", "b", "a b" },
		{ "a\xf0\x9f\x98", "b", "a b" },
		/* longer forms than needed, surrogates, beyond the last character */
		{ "a\xc0\xba", "b", "a b" },
		{ "a\xe0\x80\xba", "b", "a b" },
		{ "a\xe0\x9f\xbf", "b", "a b" },
		{ "a\xf0\x80\x80\xba", "b", "a b" },
		{ "a\xed\xa0\x80", "b", "a b" },
		{ "a\xf4\x90\x80\x80", "b", "a b" },
		{ "a\xf8\x88\x80\x80\x80", "b", "a b" },
		/* C1 controls, separators, marks that turn the direction */
		{ "a\xc2\x85", "b\xc2\x9b", "a b" },
		{ "a\xe2\x80\xa8\xe2\x80\xa9", "b", "a b" },
		{ "a\xe2\x80\xae", "b\xe2\x80\xac", "a b" },
		{ "a\xe2\x80\x8e\xe2\x80\x8f", "b\xd8\x9c", "a b" },
		{ "a\xe2\x81\xa6", "b\xe2\x81\xa9", "a b" },
		/* their neighbours stay */
		{ "\xc2\xa0", "\xe2\x80\xa7\xe2\x80\xaf", "\xc2\xa0 \xe2\x80\xa7\xe2\x80\xaf" },
		{ "\xe0\xa0\x80\xed\x9f\xbf", "\xee\x80\x80\xf4\x8f\xbf\xbf",
		    "\xe0\xa0\x80\xed\x9f\xbf \xee\x80\x80\xf4\x8f\xbf\xbf" },
		{ "\xf0\x9f\x98\x80", "x", "\xf0\x9f\x98\x80 x" },
	};
	char gecos[HXB_GECOS_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		hxb_gecos(cases[i].first, cases[i].last, gecos);
		assert_string_equal(gecos, cases[i].shown);
	}
}

static void
gecos_is_cut_between_characters(void **state)
{
	static const char *const letters[] = { "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };
	char name[4 * 300 + 1], gecos[HXB_GECOS_MAX + 2];

	(void)state;
	for (size_t width = 1; width <= COUNT(letters); width++) {
		name[0] = '\0';
		for (int i = 0; i < 300; i++)
			memcpy(name + (size_t)i * width, letters[width - 1], width + 1);
		gecos[HXB_GECOS_MAX + 1] = 'x';
		hxb_gecos(name, "", gecos);
		assert_int_equal(gecos[HXB_GECOS_MAX + 1], 'x');
		assert_int_equal(strlen(gecos), HXB_GECOS_MAX / width * width);
		assert_memory_equal(gecos, name, strlen(gecos));
		/* In the last name, too, and with the blank on the edge. */
		hxb_gecos("F", name, gecos);
		assert_int_equal(strlen(gecos), 2 + (HXB_GECOS_MAX - 2) / width * width);
		name[HXB_GECOS_MAX / width * width] = '\0';
		hxb_gecos(name, "Last", gecos);
		assert_true(strlen(gecos) <= HXB_GECOS_MAX);
	}
}

static void
templates_take_the_login(void **state)
{
	static const struct {
		const char *format, *text;
	} cases[] = {
		{ "/home/%u", "/home/mona" },
		{ "%u", "mona" },
		{ "/%u/%u", "/mona/mona" },
		{ "/bin/bash", "/bin/bash" },
		{ "", "" },
		{ "%%u", "%mona" },
		{ "100%", "100%" },
	};
	char *text;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		text = hxb_expand_login(cases[i].format, "mona");
		assert_string_equal(text, cases[i].text);
		free(text);
	}
}

static void
the_hosts_own_names_and_numbers_are_known(void **state)
{
	const char *passwd = in_dir("passwd"), *group = in_dir("group");
	struct hxb_host_names *host;

	(void)state;
	write_file(passwd,
	    "root:x:0:0:root:/root:/bin/bash\n"
	    "# a comment\n"
	    "broken line\n"
	    "Local:x:1000:1007:,,,:/home/local:/bin/sh\n"
	    "big:x:4294967294:4294967294::/:\n",
	    0644);
	write_file(group, "root:x:0:\nwheelers:x:77:root,Local\nlocal2:x:1001:\n", 0644);
	assert_ok(hxb_host_names_load(passwd, group, &host, &err));
	assert_true(hxb_host_has_name(host, "root"));
	assert_true(hxb_host_has_name(host, "ROOT"));
	assert_true(hxb_host_has_name(host, "local"));
	assert_true(hxb_host_has_name(host, "Wheelers"));
	assert_true(hxb_host_has_name(host, "big"));
	assert_false(hxb_host_has_name(host, "loca"));
	assert_false(hxb_host_has_name(host, "locale"));
	assert_false(hxb_host_has_name(host, ""));
	assert_true(hxb_host_has_id(host, 0));
	assert_true(hxb_host_has_id(host, 1000));
	assert_true(hxb_host_has_id(host, 77));
	assert_true(hxb_host_has_id(host, 4294967294u));
	assert_false(hxb_host_has_id(host, 78));
	hxb_host_names_free(host);
}

static void
empty_host_files_have_no_names(void **state)
{
	struct hxb_host_names *host;

	(void)state;
	write_file(in_dir("passwd"), "", 0644);
	write_file(in_dir("group"), "", 0644);
	assert_ok(hxb_host_names_load(in_dir("passwd"), in_dir("group"), &host, &err));
	assert_false(hxb_host_has_name(host, "root"));
	assert_false(hxb_host_has_id(host, 0));
	hxb_host_names_free(host);
	hxb_host_names_free(NULL);
}

static void
host_files_that_cannot_be_read_are_an_error(void **state)
{
	struct hxb_host_names *host;

	(void)state;
	write_file(in_dir("passwd"), "root:x:0:0:root:/root:/bin/bash\n", 0644);
	assert_result(hxb_host_names_load(in_dir("absent"), in_dir("passwd"), &host, &err), HXB_FAILED);
	assert_contains(err.text, "absent");
	assert_null(host);
	assert_result(hxb_host_names_load(in_dir("passwd"), in_dir("absent"), &host, &err), HXB_FAILED);
	assert_null(host);
	/* a directory opens, and fails at the first read */
	assert_result(hxb_host_names_load(in_dir("."), in_dir("passwd"), &host, &err), HXB_FAILED);
	assert_null(host);
}

static void
many_host_names_are_found(void **state)
{
	struct hxb_host_names *host;
	FILE *file = fopen(in_dir("passwd"), "we");
	char name[32];

	(void)state;
	for (unsigned i = 0; i < 3000; i++)
		fprintf(file, "user%u:x:%u:%u::/:/bin/sh\n", i * 7919 % 3000, 100000 + i * 7919 % 3000, i);
	fclose(file);
	write_file(in_dir("group"), "", 0644);
	assert_ok(hxb_host_names_load(in_dir("passwd"), in_dir("group"), &host, &err));
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "User%u", i);
		assert_true(hxb_host_has_name(host, name));
		assert_true(hxb_host_has_id(host, 100000 + i));
	}
	assert_false(hxb_host_has_name(host, "user3000"));
	hxb_host_names_free(host);
}

static void
digests_are_the_same_on_every_host(void **state)
{
	(void)state;
	assert_ok(hxb_token_ready(&err));
	/* Changing these would change everybody's uid. */
	assert_true(hxb_id_digest("e060a724-2411-4258-b51b-4c8349a047dc") == UINT64_C(0xb61ca2cb9223ed0d));
	assert_true(hxb_id_digest("") == UINT64_C(0x40bdefd94169e6ca));
}

static void
random_names_have_their_form(void **state)
{
	char nonce[HXB_NONCE_SIZE], uuid[HXB_UUID_SIZE], other[HXB_UUID_SIZE];

	(void)state;
	assert_ok(hxb_nonce(nonce, &err));
	assert_int_equal(strlen(nonce), 32);
	assert_int_equal(strspn(nonce, "0123456789abcdef"), 32);
	for (int i = 0; i < 100; i++) {
		assert_ok(hxb_uuid(uuid, &err));
		assert_int_equal(strlen(uuid), 36);
		assert_int_equal(strspn(uuid, "0123456789abcdef-"), 36);
		assert_true(uuid[8] == '-' && uuid[13] == '-' && uuid[18] == '-' && uuid[23] == '-');
		assert_int_equal(uuid[14], '4');
		assert_non_null(strchr("89ab", uuid[19]));
	}
	assert_ok(hxb_uuid(other, &err));
	assert_string_not_equal(uuid, other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logins_match_the_pattern),
		cmocka_unit_test(names_of_the_host_are_reserved_in_any_case),
		cmocka_unit_test(no_login_looks_like_one_of_our_groups),
		cmocka_unit_test(every_name_of_base_passwd_is_reserved),
		cmocka_unit_test(gecos_is_one_clean_field),
		cmocka_unit_test(gecos_is_cut_between_characters),
		cmocka_unit_test(templates_take_the_login),
		TEST(the_hosts_own_names_and_numbers_are_known),
		TEST(empty_host_files_have_no_names),
		TEST(host_files_that_cannot_be_read_are_an_error),
		TEST(many_host_names_are_found),
		cmocka_unit_test(digests_are_the_same_on_every_host),
		cmocka_unit_test(random_names_have_their_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
