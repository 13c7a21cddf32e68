/* SPDX-License-Identifier: ISC */
/* Lines of authorized_keys(5), and the files that sshd reads: what is taken, what is refused, what is cleaned
 * up. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "hexactl/key_line.h"
#include "libhexabot/key_files.h"
#include "support.h"

#define TYPE "ssh-ed25519 "
#define BODY "AAAAC3NzaC1lZDI1NTE5AAAAIIqYFIynXBfvh1Ex1BuOeT74011EA2PGPFBNOA54tFR1"

/* "OPTIONS|TYPE|BODY|COMMENT" of a line, or the reason why it is refused. */
static const char *
read_as(const char *line)
{
	static char text[4 * HXB_KEY_LINE_MAX];
	struct hxb_key key;
	enum hxb_result r = hxb_key_line_read(line, &key, &err);

	if (r == HXB_OK)
		snprintf(text, sizeof(text), "%s|%s|%s|%s", key.options, key.type, key.body, key.comment);
	else
		snprintf(text, sizeof(text), "%s", err.text);
	assert_true(r == HXB_OK || r == HXB_INVALID);
	hxb_key_clear(&key);
	return text;
}

static void
lines_are_taken_apart_as_sshd_does(void **state)
{
	static const struct {
		const char *line, *read;
	} cases[] = {
		{ TYPE BODY, "|ssh-ed25519|" BODY "|" },
		{ " \t" TYPE "\t " BODY "  me@home and more \t", "|ssh-ed25519|" BODY "|me@home and more" },
		{ "no-pty " TYPE BODY " a", "no-pty|ssh-ed25519|" BODY "|a" },
		{ "RESTRICT,X11-Forwarding,no-touch-required " TYPE BODY " a",
		    "RESTRICT,X11-Forwarding,no-touch-required|ssh-ed25519|" BODY "|a" },
		{ "command=\"echo \\\"a, b\\\" \\\\ \",from=\"192.0.2.0/24,!192.0.2.1\" " TYPE BODY " a",
		    "command=\"echo \\\"a, b\\\" \\\\ \",from=\"192.0.2.0/24,!192.0.2.1\"|ssh-ed25519|" BODY
		    "|a" },
		{ "environment=\"A=1\",environment=\"B=2\",permitopen=\"h:1\",permitlisten=\"1\",tunnel="
		  "\"0\","
		  "expiry-time=\"20300101\" ssh-rsa AAAA ssh-ed25519",
		    "environment=\"A=1\",environment=\"B=2\",permitopen=\"h:1\",permitlisten=\"1\",tunnel="
		    "\"0\","
		    "expiry-time=\"20300101\"|ssh-rsa|AAAA|ssh-ed25519" },
		{ "sk-ssh-ed25519@openssh.com AAAA= # a", "|sk-ssh-ed25519@openssh.com|AAAA=|# a" },
		{ TYPE BODY " \xc3\xa9\xff", "|ssh-ed25519|" BODY "|\xc3\xa9\xff" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(read_as(cases[i].line), cases[i].read);
}

static void
what_sshd_would_pass_over_is_refused(void **state)
{
	static const struct {
		const char *line, *reason;
	} cases[] = {
		{ "", "begins with neither a type of key" },
		{ BODY, "begins with neither a type of key" }, /* it may be a piece of a private one */
		{ "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ", "begins with neither" },
		{ "nopty " TYPE BODY, "'nopty' is neither a type of key that is taken here nor an option" },
		{ "no-command=\"a\" " TYPE BODY, "'no-command' is neither" },
		{ "no-restrict " TYPE BODY, "'no-restrict' is neither" },
		{ "pty=\"yes\" " TYPE BODY, "'pty' is neither" },
		{ "command " TYPE BODY, "'command' is neither" },
		{ "command=a " TYPE BODY, "the option command wants its value between quotes" },
		{ "command=\"a " TYPE BODY, "the option command wants its value between quotes" },
		{ "command=\"a\\\" " TYPE BODY, "the option command wants its value between quotes" },
		{ "command=\"a\\\\\",from=\"b\" " TYPE BODY, "there is no key behind the options" },
		{ "command=\"a\",command=\"b\" " TYPE BODY, "the option command stands there twice" },
		{ "from=\"a\",FROM=\"b\" " TYPE BODY, "the option from stands there twice" },
		{ "pty, " TYPE BODY, "begins with neither" },
		{ "pty,", "there is no key behind the options" },
		{ "pty", "there is no key behind the options" },
		{ "pty;" TYPE BODY, "begins with neither" },
		{ "command=\"a\"b " TYPE BODY, "there is no key behind the options" },
		{ "pty pty " TYPE BODY, "there is no type of key behind the options" },
		{ "cert-authority " TYPE BODY, "the option cert-authority is not taken" },
		{ "principals=\"a\" " TYPE BODY, "the option principals is not taken" },
		{ "ssh-ed25519-cert-v01@openssh.com AAAA", "a certificate" },
		{ "pty ssh-rsa-cert-v01@openssh.com AAAA", "a certificate" },
		{ "ssh-dss AAAA", "a DSA key" },
		{ "---- BEGIN SSH2 PUBLIC KEY ----", "not in the form that OpenSSH has" },
		{ "ssh-ed25519", "what stands behind the type ssh-ed25519 is no key" },
		{ TYPE "AAAA\xc3\xa9", "what stands behind the type ssh-ed25519 is no key" },
		{ TYPE BODY " a\x1b[2J", "holds a control character" },
		{ TYPE BODY " a\x7f", "holds a control character" },
		{ TYPE BODY "\nssh-rsa AAAA", "holds a control character" },
	};
	char longest[HXB_KEY_LINE_MAX + 2];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_contains(read_as(cases[i].line), cases[i].reason);
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, TYPE "AAAA ", strlen(TYPE "AAAA "));
	longest[HXB_KEY_LINE_MAX + 1] = '\0';
	assert_contains(read_as(longest), "longer than 8192 bytes");
	longest[HXB_KEY_LINE_MAX] = '\0';
	assert_contains(read_as(longest), "|ssh-ed25519|AAAA|aaa");
}

static struct hxb_key_files files;

static void
open_files(void)
{
	assert_ok(hxb_key_files_open(&files, in_dir("state"), true, &err));
}

static const char *
file(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", in_dir("state/keys"), name);
	return path;
}

static int
mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? (int)(st.st_mode & 07777) : -1;
}

static void
names_that_are_no_logins_are_nobodys_file(void **state)
{
	static const char *const names[] = { "", ".", "..", "../map.1", "a/b", "/etc/passwd", ".new", "-a",
		"a b" };

	(void)state;
	ROOT_ONLY();
	mkdir(in_dir("state"), 0755);
	open_files();
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_result(hxb_key_files_write(&files, names[i], 0, "", &err), HXB_INVALID);
		assert_result(hxb_key_files_remove(&files, names[i], &err), HXB_INVALID);
		assert_false(hxb_key_files_has(&files, names[i]));
		assert_null(hxb_key_files_read(in_dir("state"), names[i]));
	}
	assert_ok(hxb_key_files_close(&files, &err));
}

static void
whatever_stands_in_a_files_place_is_replaced(void **state)
{
	(void)state;
	ROOT_ONLY();
	mkdir(in_dir("state"), 0755);
	write_file(in_dir("victim"), "victim", 0600);
	open_files();
	assert_int_equal(symlink(in_dir("victim"), file("link")), 0);
	assert_int_equal(link(in_dir("victim"), file("hard")), 0);
	assert_int_equal(mkfifo(file("pipe"), 0666), 0);
	write_file(file("theirs"), "keys\n", 0640);
	give_away(file("theirs"), 65534, 0640);
	write_file(file("open"), "keys\n", 0666);
	for (const char *const *name =
	         (const char *const[]){ "link", "hard", "pipe", "theirs", "open", "new", NULL };
	     *name != NULL; name++) {
		char *text;

		assert_ok(hxb_key_files_write(&files, *name, 4711, "keys\n", &err));
		assert_int_equal(mode_of(file(*name)), 0640);
		text = hxb_key_files_read(in_dir("state"), *name);
		assert_string_equal(text, "keys\n");
		free(text);
	}
	assert_true(files.changed);
	assert_ok(hxb_key_files_close(&files, &err));
	assert_int_equal(mode_of(in_dir("victim")), 0600);
	/* Again: nothing to do. */
	open_files();
	assert_ok(hxb_key_files_write(&files, "link", 4711, "keys\n", &err));
	assert_false(files.changed);
	assert_ok(hxb_key_files_write(&files, "link", 4712, "keys\n", &err));
	assert_true(files.changed);
	assert_ok(hxb_key_files_close(&files, &err));
}

static void
only_those_who_are_named_keep_a_file(void **state)
{
	static const char *const logins[] = { "Zoe", "ada" };
	static const char *const gone[] = { "adam", "ad", "zoe", "link", "pipe", ".new.0123456789abcdef" };
	static const char *const left[] = { "Zoe", "ada", "dir", ".new.else", "no login", "README~" };

	(void)state;
	ROOT_ONLY();
	mkdir(in_dir("state"), 0755);
	write_file(in_dir("victim"), "victim", 0600);
	open_files();
	for (size_t i = 0; i < COUNT(gone); i++)
		write_file(file(gone[i]), "", 0640);
	for (size_t i = 0; i < COUNT(left); i++)
		write_file(file(left[i]), "", 0640);
	unlink(file("link"));
	assert_int_equal(symlink(in_dir("victim"), file("link")), 0);
	unlink(file("pipe"));
	assert_int_equal(mkfifo(file("pipe"), 0666), 0);
	unlink(file("dir"));
	assert_int_equal(mkdir(file("dir"), 0755), 0);
	assert_ok(hxb_key_files_keep_only(&files, logins, COUNT(logins), &err));
	for (size_t i = 0; i < COUNT(gone); i++)
		assert_int_equal(mode_of(file(gone[i])), -1);
	for (size_t i = 0; i < COUNT(left); i++)
		assert_int_not_equal(mode_of(file(left[i])), -1);
	assert_int_equal(mode_of(in_dir("victim")), 0600);
	assert_ok(hxb_key_files_keep_only(&files, NULL, 0, &err));
	assert_int_equal(mode_of(file("ada")), -1);
	assert_ok(hxb_key_files_close(&files, &err));
}

static void
the_directory_is_put_right_or_refused(void **state)
{
	(void)state;
	ROOT_ONLY();
	mkdir(in_dir("state"), 0755);
	assert_result(hxb_key_files_open(&files, in_dir("state"), false, &err), HXB_NOT_FOUND);
	assert_ok(hxb_key_files_close(&files, &err));
	assert_ok(hxb_key_files_withdraw(in_dir("state"), "ada", &err));
	mkdir(in_dir("state/keys"), 0755);
	give_away(in_dir("state/keys"), 65534, 0777);
	open_files();
	assert_int_equal(mode_of(in_dir("state/keys")), 0711);
	assert_ok(hxb_key_files_write(&files, "ada", 0, "", &err));
	assert_ok(hxb_key_files_close(&files, &err));
	assert_ok(hxb_key_files_withdraw(in_dir("state"), "ada", &err));
	assert_int_equal(mode_of(file("ada")), -1);
	assert_int_equal(rename(in_dir("state/keys"), in_dir("elsewhere")), 0);
	assert_int_equal(symlink(in_dir("elsewhere"), in_dir("state/keys")), 0);
	assert_result(hxb_key_files_open(&files, in_dir("state"), true, &err), HXB_FAILED);
	assert_contains(err.text, "a symbolic link or no directory");
	assert_ok(hxb_key_files_close(&files, &err));
	chmod(in_dir("state"), 0777);
	assert_result(hxb_key_files_open(&files, in_dir("state"), true, &err), HXB_UNREADABLE);
	assert_ok(hxb_key_files_close(&files, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_are_taken_apart_as_sshd_does),
		TEST(what_sshd_would_pass_over_is_refused),
		TEST(names_that_are_no_logins_are_nobodys_file),
		TEST(whatever_stands_in_a_files_place_is_replaced),
		TEST(only_those_who_are_named_keep_a_file),
		TEST(the_directory_is_put_right_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
