/* SPDX-License-Identifier: ISC */
/* hexabot.conf and PAM's arguments: what is taken, what is refused, and where the message points. */
#include <limits.h>
#include <sys/stat.h>

#include "support.h"

#define STORE_LINE "store = /srv/hexabot.sqlite\n"

static struct hxb_config config;

/* Loads a file with this text, in a fresh configuration. */
static enum hxb_result
load(const char *text)
{
	const char *path = in_dir("hexabot.conf");

	hxb_config_free(&config);
	assert_ok(hxb_config_init(&config, &err));
	write_file(path, text, 0644);
	return hxb_config_load(&config, path, geteuid(), &err);
}

static int
end_test(void **state)
{
	hxb_config_free(&config);
	return remove_test_dir(state);
}

static void
assert_list(char *const *list, const char *joined)
{
	char text[256] = "";
	size_t used = 0;

	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i > 0 ? " " : "", list[i]);
	assert_string_equal(text, joined);
}

static void
the_defaults_are_the_documented_ones(void **state)
{
	(void)state;
	assert_ok(load(STORE_LINE));
	assert_string_equal(config.store, "/srv/hexabot.sqlite");
	assert_list(config.login_roles, "admin manager");
	assert_string_equal(config.group_prefix, "hexabot-");
	assert_string_equal(config.home, "/home/%u");
	assert_string_equal(config.shell, "/bin/bash");
	assert_int_equal(config.uid_min, 1879048192);
	assert_int_equal(config.uid_max, 2147483646);
	assert_true(config.enumerate);
	assert_int_equal(config.password_cost, 12);
	assert_int_equal(config.password_max_cost, 15);
	assert_int_equal(config.password_min_length, 8);
	assert_int_equal(config.invite_ttl, 72 * 3600);
	assert_list(config.invite_services, "sshd login");
	assert_string_equal(config.web_url, "");
	assert_string_equal(config.reset_secret_file, "");
	assert_string_equal(config.login_host, "");
	assert_string_equal(config.smtp_url, "");
	assert_string_equal(config.smtp_user, "");
	assert_string_equal(config.smtp_password_file, "");
	assert_int_equal(config.smtp_tls, HXB_SMTP_TLS_REQUIRED);
	assert_string_equal(config.smtp_ca_file, "");
	assert_string_equal(config.mail_from, "");
	assert_string_equal(config.conf, HXB_SYSCONF_DIR "/hexabot/hexabot.conf");
	assert_list(config.roles, "");
	assert_false(config.try_first_pass || config.use_first_pass || config.use_authtok || config.debug);
}

static void
a_file_sets_what_it_says(void **state)
{
	(void)state;
	assert_ok(load("# a comment\n"
	               "\n"
	               "store = /a b/c.sqlite\n"
	               "login_roles = admin, operators\tx,y\n"
	               "group_prefix=hx_\n"
	               "home = /srv/home/%u/%u\n"
	               "shell = /usr/bin/%u-shell\n"
	               "uid_min = 100000\n"
	               "uid_max = 100999\n"
	               "enumerate = no\n"
	               "password_cost = 10\n"
	               "password_max_cost = 18\n"
	               "password_min_length = 64\n"
	               "invite_ttl = 3d\n"
	               "invite_services = sshd\n"
	               "web_url = https://bot.example.org\n"
	               "reset_secret_file = /etc/hexabot/secret\n"
	               "login_host = host.example.org\n"
	               "smtp_url = smtps://mail.example.org\n"
	               "smtp_user = bot\n"
	               "smtp_password_file = /etc/hexabot/smtp\n"
	               "smtp_tls = none\n"
	               "smtp_ca_file = /etc/ca.pem\n"
	               "mail_from = hexabot@example.org"));
	assert_string_equal(config.store, "/a b/c.sqlite");
	assert_list(config.login_roles, "admin operators x y");
	assert_string_equal(config.group_prefix, "hx_");
	assert_string_equal(config.home, "/srv/home/%u/%u");
	assert_string_equal(config.shell, "/usr/bin/%u-shell");
	assert_int_equal(config.uid_min, 100000);
	assert_int_equal(config.uid_max, 100999);
	assert_false(config.enumerate);
	assert_int_equal(config.password_cost, 10);
	assert_int_equal(config.password_max_cost, 18);
	assert_int_equal(config.password_min_length, 64);
	assert_int_equal(config.invite_ttl, 3 * 86400);
	assert_list(config.invite_services, "sshd");
	assert_string_equal(config.web_url, "https://bot.example.org");
	assert_int_equal(config.smtp_tls, HXB_SMTP_TLS_NONE);
	assert_string_equal(config.mail_from, "hexabot@example.org");
	/* A second load, as each PAM stage does, neither leaks nor finds its own keys given twice. */
	assert_ok(hxb_config_load(&config, in_dir("hexabot.conf"), geteuid(), &err));
}

static void
good_values_are_taken(void **state)
{
	static const char *const lines[] = {
		"uid_min = 2147482647",
		"uid_min = 1000",
		"password_cost = 15",
		"invite_ttl = 60s",
		"invite_ttl = 1m",
		"invite_ttl = 720h",
		"invite_ttl = 30d",
		"group_prefix = a",
		"group_prefix = abcdefghijklmnop",
		"group_prefix = hexagon-",
		"web_url = http://127.0.0.1:4000",
		"smtp_url = smtp://[::1]:25",
		"login_host = ::1",
		"enumerate   =   yes  ",
		"enumerate: yes",
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		snprintf(text, sizeof(text), "%s%s\n", STORE_LINE, lines[i]);
		assert_ok(load(text));
	}
}

static void
bad_values_are_refused_with_file_and_line(void **state)
{
	static const struct {
		const char *line, *reason;
	} cases[] = {
		{ "store = hexabot.sqlite", "store: expected the absolute path" },
		{ "store =", "store: expected" },
		{ "login_roles =", "login_roles: expected names of roles" },
		{ "login_roles = , ,", "login_roles: expected" },
		{ "group_prefix = ", "group_prefix: expected" },
		{ "group_prefix = -x", "group_prefix: expected" },
		{ "group_prefix = abcdefghijklmnopq", "group_prefix: expected" },
		{ "group_prefix = a b", "group_prefix: expected" },
		{ "group_prefix = hexabot.", "group_prefix: expected" },
		{ "group_prefix = hexabot.x", "group_prefix: expected" },
		/* sudo compares group names without regard to case */
		{ "group_prefix = Hexabot.", "group_prefix: expected" },
		/* with a role "exabot.mona" this would be mona's private group */
		{ "group_prefix = h", "group_prefix: expected" },
		{ "group_prefix = HEXA", "group_prefix: expected" },
		{ "group_prefix = sudo", "group_prefix: expected" },
		{ "home = /home", "home: expected an absolute path with %u" },
		{ "home = home/%u", "home: expected" },
		{ "home = /home/%s", "home: expected" },
		{ "home = /home/%u:%u", "home: expected" },
		{ "home = /home/%u/%", "home: expected" },
		{ "shell = bash", "shell: expected" },
		{ "shell = /bin/b:sh", "shell: expected" },
		{ "shell = /bin/%d", "shell: expected" },
		{ "shell = /bin/\x01", "shell: expected" },
		{ "uid_min = 999", "uid_min: expected a number from 1000" },
		{ "uid_min = -1000", "uid_min: expected" },
		{ "uid_min = +1000", "uid_min: expected" },
		{ "uid_min = 0x1000", "uid_min: expected" },
		{ "uid_min = 1e5", "uid_min: expected" },
		{ "uid_min = 4294968296", "uid_min: expected" },
		{ "uid_min = 18446744073709552616", "uid_min: expected" },
		{ "uid_max = 2147483647", "uid_max: expected" },
		{ "uid_max = 4294967295", "uid_max: expected" },
		{ "enumerate = true", "enumerate: expected yes or no" },
		{ "enumerate = Yes", "enumerate: expected" },
		{ "enumerate =", "enumerate: expected" },
		{ "password_cost = 9", "password_cost: expected" },
		{ "password_cost = 16", "password_cost: expected" },
		{ "password_max_cost = 19", "password_max_cost: expected" },
		{ "password_min_length = 7", "password_min_length: expected" },
		{ "password_min_length = 65", "password_min_length: expected" },
		{ "invite_ttl = 72", "invite_ttl: expected" },
		{ "invite_ttl = h", "invite_ttl: expected" },
		{ "invite_ttl = 59s", "invite_ttl: expected" },
		{ "invite_ttl = 31d", "invite_ttl: expected" },
		{ "invite_ttl = 721h", "invite_ttl: expected" },
		{ "invite_ttl = 1h30m", "invite_ttl: expected" },
		{ "invite_ttl = 71582789m", "invite_ttl: expected" },
		{ "web_url = ftp://x", "web_url: expected" },
		{ "web_url = bot.example.org", "web_url: expected" },
		{ "reset_secret_file = secret", "reset_secret_file: expected" },
		{ "login_host = a b", "login_host: expected" },
		{ "login_host = -oProxyCommand=x", "login_host: expected" },
		{ "smtp_url = http://x", "smtp_url: expected" },
		{ "smtp_tls = yes", "smtp_tls: expected required or none" },
		{ "mail_from = nobody", "mail_from: expected one mail address" },
		{ "mail_from = @b", "mail_from: expected" },
		{ "mail_from = a@", "mail_from: expected" },
		{ "mail_from = a@b@c", "mail_from: expected" },
		{ "mail_from = a@b, c@d", "mail_from: expected" },
		{ "shel = /bin/sh", "shel: unknown key" },
		{ "SHELL = /bin/sh", "SHELL: unknown key" },
		{ "debug = yes", "debug: unknown key" }, /* PAM's */
		{ "conf = /etc/passwd", "conf: unknown key" },
		{ "roles = admin", "roles: unknown key" },
		{ "shell", "expected key = value" },
		{ "[section", "expected key = value" },
		{ "= x", "unknown key" },
	};
	char text[512], place[PATH_MAX];

	(void)state;
	snprintf(place, sizeof(place), "%s:3: ", in_dir("hexabot.conf"));
	for (size_t i = 0; i < COUNT(cases); i++) {
		/* store has to be given exactly once */
		snprintf(text, sizeof(text), "# first\n%s\n%s\nenumerate = no\n",
		    strncmp(cases[i].line, "store", 5) == 0 ? "" : "store = /srv/hexabot.sqlite",
		    cases[i].line);
		if (load(text) != HXB_UNREADABLE)
			fail_msg("taken: %s", cases[i].line);
		assert_contains(err.text, place);
		assert_contains(err.text, cases[i].reason);
	}
}

static void
the_first_bad_line_is_the_one_that_is_named(void **state)
{
	(void)state;
	assert_result(load(STORE_LINE "enumerate = yes\nshell = x\nhome = y\nwrong = z\n"), HXB_UNREADABLE);
	assert_contains(err.text, ":3: shell: expected");
}

static void
a_key_given_twice_is_refused(void **state)
{
	(void)state;
	assert_result(load(STORE_LINE "enumerate = yes\nenumerate = yes\n"), HXB_UNREADABLE);
	assert_contains(err.text, ":3: enumerate: given twice");
	/* inih takes an indented line for more of the value above it */
	assert_result(load(STORE_LINE "login_roles = admin\n  manager\n"), HXB_UNREADABLE);
	assert_contains(err.text, ":3: login_roles: given twice");
}

static void
sections_are_refused(void **state)
{
	(void)state;
	assert_result(load("[mail]\n" STORE_LINE), HXB_UNREADABLE);
	assert_contains(err.text, ":2: mail: sections are not used here");
}

static void
a_file_without_store_is_refused(void **state)
{
	(void)state;
	assert_result(load("# store = /srv/hexabot.sqlite\n"), HXB_UNREADABLE);
	assert_contains(err.text, "no store is set; run hexactl init");
	assert_result(load(""), HXB_UNREADABLE);
}

static void
values_have_to_fit_each_other(void **state)
{
	(void)state;
	assert_result(load(STORE_LINE "uid_min = 5000\nuid_max = 5998\n"), HXB_UNREADABLE);
	assert_contains(err.text, "1000 numbers or more");
	assert_result(load(STORE_LINE "uid_min = 6000\nuid_max = 5000\n"), HXB_UNREADABLE);
	assert_ok(load(STORE_LINE "uid_min = 5000\nuid_max = 5999\n"));
	assert_result(load(STORE_LINE "password_cost = 14\npassword_max_cost = 13\n"), HXB_UNREADABLE);
	assert_contains(err.text, "password_max_cost is below password_cost");
}

static void
a_line_that_is_too_long_is_refused(void **state)
{
	char text[1024], line[400];

	(void)state;
	memset(line, 'a', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	snprintf(text, sizeof(text), "enumerate = yes\nstore = /%s\n", line);
	assert_result(load(text), HXB_UNREADABLE);
	assert_contains(err.text, ":2: the line is too long");
	/* What stands behind the reader's buffer in a comment must not become a line of its own. */
	memset(line, ' ', sizeof(line));
	memcpy(line, "# ", 2);
	snprintf(line + 199, sizeof(line) - 199, "enumerate = no");
	snprintf(text, sizeof(text), "%s%s\n", STORE_LINE, line);
	assert_result(load(text), HXB_UNREADABLE);
	assert_contains(err.text, ":2: the line is too long");
	/* The longest that fits. */
	memset(line, 'a', sizeof(line));
	line[198 - strlen("store = /")] = '\0';
	snprintf(text, sizeof(text), "store = /%s\n", line);
	assert_ok(load(text));
	assert_int_equal(strlen(config.store), strlen(line) + 1);
}

static void
only_a_trustworthy_file_is_read(void **state)
{
	const char *path = in_dir("hexabot.conf"), *other = in_dir("other.conf");
	struct hxb_error *no_error = NULL;

	(void)state;
	assert_ok(load(STORE_LINE));

	assert_result(hxb_config_load(&config, in_dir("absent.conf"), geteuid(), &err), HXB_UNREADABLE);
	assert_result(hxb_config_load(&config, in_dir("absent.conf"), geteuid(), no_error), HXB_UNREADABLE);
	assert_result(hxb_config_load(&config, "hexabot.conf", geteuid(), &err), HXB_UNREADABLE);
	assert_result(hxb_config_load(&config, in_dir("."), geteuid(), &err), HXB_UNREADABLE);
	assert_result(hxb_config_load(&config, "/", geteuid(), &err), HXB_UNREADABLE);
	assert_result(hxb_config_load(&config, "/dev/null", geteuid(), &err), HXB_UNREADABLE);

	assert_int_equal(symlink(path, other), 0);
	assert_result(hxb_config_load(&config, other, geteuid(), &err), HXB_UNREADABLE);
	assert_contains(err.text, "a symbolic link");
	assert_int_equal(unlink(other), 0);

	assert_int_equal(mkfifo(other, 0644), 0);
	assert_result(hxb_config_load(&config, other, geteuid(), &err), HXB_UNREADABLE);
	assert_contains(err.text, "not a regular file");
	assert_int_equal(unlink(other), 0);

	assert_int_equal(link(path, other), 0);
	assert_result(hxb_config_load(&config, path, geteuid(), &err), HXB_UNREADABLE);
	assert_contains(err.text, "has 2 links instead of one");
	assert_int_equal(unlink(other), 0);

	assert_int_equal(chmod(path, 0664), 0);
	assert_result(hxb_config_load(&config, path, geteuid(), &err), HXB_UNREADABLE);
	assert_contains(err.text, "chmod go-w");
	assert_int_equal(chmod(path, 0602), 0);
	assert_result(hxb_config_load(&config, path, geteuid(), &err), HXB_UNREADABLE);
	assert_int_equal(chmod(path, 0600), 0);
	assert_ok(hxb_config_load(&config, path, geteuid(), &err));

	assert_int_equal(chmod(in_dir("."), 0775), 0);
	assert_result(hxb_config_load(&config, path, geteuid(), &err), HXB_UNREADABLE);
	/* A sticky directory lets others make the file before root does. */
	assert_int_equal(chmod(in_dir("."), 01777), 0);
	assert_result(hxb_config_load(&config, path, geteuid(), &err), HXB_UNREADABLE);
	assert_int_equal(chmod(in_dir("."), 0755), 0);
	assert_ok(hxb_config_load(&config, path, geteuid(), &err));
}

static void
somebody_elses_file_is_not_read(void **state)
{
	(void)state;
	ROOT_ONLY();
	assert_ok(load(STORE_LINE));
	give_away(in_dir("hexabot.conf"), SOMEBODY, 0644);
	assert_result(hxb_config_load(&config, in_dir("hexabot.conf"), 0, &err), HXB_UNREADABLE);
	assert_contains(err.text, "belongs to uid 12345 instead of 0");
	give_away(in_dir("hexabot.conf"), 0, 0644);
	give_away(in_dir("."), SOMEBODY, 0755);
	assert_result(hxb_config_load(&config, in_dir("hexabot.conf"), 0, &err), HXB_UNREADABLE);
	assert_contains(err.text, "belongs to uid 12345");
	give_away(in_dir("."), 0, 0755);
}

static void
pam_arguments_are_taken(void **state)
{
	(void)state;
	assert_ok(hxb_config_init(&config, &err));
	assert_ok(hxb_config_argument(&config, "conf=/etc/other.conf", &err));
	assert_ok(hxb_config_argument(&config, "roles=admin,manager", &err));
	assert_ok(hxb_config_argument(&config, "try_first_pass", &err));
	assert_ok(hxb_config_argument(&config, "use_first_pass", &err));
	assert_ok(hxb_config_argument(&config, "use_authtok", &err));
	assert_ok(hxb_config_argument(&config, "debug", &err));
	assert_string_equal(config.conf, "/etc/other.conf");
	assert_list(config.roles, "admin manager");
	assert_true(config.try_first_pass && config.use_first_pass && config.use_authtok && config.debug);
}

static void
unknown_and_bad_pam_arguments_are_refused(void **state)
{
	static const struct {
		const char *argument, *reason;
	} cases[] = {
		{ "nullok", "unknown option 'nullok'" },
		{ "", "unknown option ''" },
		{ "=", "unknown option" },
		{ "Debug", "unknown option" },
		{ "debug ", "unknown option" },
		{ "store=/tmp/x", "unknown option" }, /* the file's */
		{ "login_roles=public", "unknown option" },
		{ "debug=", "option 'debug': expected no value" },
		{ "debug=no", "option 'debug': expected no value" },
		{ "conf", "option 'conf': expected an absolute path" },
		{ "conf=", "option 'conf': expected" },
		{ "conf=hexabot.conf", "option 'conf': expected" },
		{ "roles", "option 'roles': expected names of roles" },
		{ "roles=", "option 'roles': expected" },
		{ "roles=,", "option 'roles': expected" },
		{ "roles=a\nb", "option 'roles': expected" },
	};

	(void)state;
	assert_ok(hxb_config_init(&config, &err));
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (hxb_config_argument(&config, cases[i].argument, &err) != HXB_INVALID)
			fail_msg("taken: %s", cases[i].argument);
		assert_contains(err.text, cases[i].reason);
	}
}

#define CONFIG_TEST(function) cmocka_unit_test_setup_teardown(function, make_test_dir, end_test)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(the_defaults_are_the_documented_ones),
		CONFIG_TEST(a_file_sets_what_it_says),
		CONFIG_TEST(good_values_are_taken),
		CONFIG_TEST(bad_values_are_refused_with_file_and_line),
		CONFIG_TEST(the_first_bad_line_is_the_one_that_is_named),
		CONFIG_TEST(a_key_given_twice_is_refused),
		CONFIG_TEST(sections_are_refused),
		CONFIG_TEST(a_file_without_store_is_refused),
		CONFIG_TEST(values_have_to_fit_each_other),
		CONFIG_TEST(a_line_that_is_too_long_is_refused),
		CONFIG_TEST(only_a_trustworthy_file_is_read),
		CONFIG_TEST(somebody_elses_file_is_not_read),
		CONFIG_TEST(pam_arguments_are_taken),
		CONFIG_TEST(unknown_and_bad_pam_arguments_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
