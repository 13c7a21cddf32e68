/* SPDX-License-Identifier: ISC */
/*
 * pam_hexabot.so as libpam meets it: every stage, every state, and everything that may be broken.
 */
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "libhexabot/map.h"
#include "libhexabot/password.h"
#include "libhexabot/paths.h"
#include "pam_fixture.h"

#define SERVICE "hexabot-test"

/* What was said and asked. */
static const char *answers[8];
static unsigned questions;
static const char *meanwhile; /* SQL that somebody runs while a question is being answered; NULL: nothing */
static const char *meanwhile_in; /* on this database */
static char shown[1024];

static int
converse(int count, const struct pam_message **messages, struct pam_response **responses, void *context)
{
	struct pam_response *replies = calloc((size_t)count, sizeof(*replies));

	(void)context;
	assert_non_null(replies);
	for (int i = 0; i < count; i++) {
		if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF) {
			assert_true(questions < COUNT(answers));
			if (meanwhile != NULL && questions == 1)
				sql(meanwhile_in, "%s", meanwhile);
			if (answers[questions] == NULL) {
				free(replies);
				return PAM_CONV_ERR;
			}
			replies[i].resp = strdup(answers[questions++]);
		} else {
			strncat(shown, messages[i]->msg, sizeof(shown) - strlen(shown) - 1);
		}
	}
	*responses = replies;
	return PAM_SUCCESS;
}

static void
write_service(const char *arguments)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/other", service_dir);
	write_file(path, "auth required pam_deny.so\n", 0644);
	snprintf(path, sizeof(path), "%s/" SERVICE, service_dir);
	write_stack(path, arguments, "");
}

static int
set_up(void **state)
{
	int r = set_up_pam(state);

	if (r == 0 && ready())
		write_service("");
	meanwhile = NULL;
	meanwhile_in = store_path;
	return r;
}

typedef int stage_fn(pam_handle_t *pamh, int flags);

/* One stage for a user, in a transaction of its own. Up to three answers to prompts. */
static int
run(const char *user, stage_fn *stage, int flags, const char *first, const char *second, const char *third)
{
	static const struct pam_conv conversation = { converse, NULL };
	struct standing standing = present_standing();
	pam_handle_t *pamh;
	int code;

	memset(answers, 0, sizeof(answers));
	answers[0] = first;
	answers[1] = second;
	answers[2] = third;
	questions = 0;
	shown[0] = logged[0] = '\0';
	pamh = open_handle(SERVICE, user, service_dir, &conversation);
	code = stage(pamh, flags);
	pam_end(pamh, code);
	assert_standing(&standing);
	return code;
}

static int
authenticate(const char *user, const char *password)
{
	return run(user, pam_authenticate, 0, password, NULL, NULL);
}

static int
account(const char *user)
{
	return run(user, pam_acct_mgmt, 0, NULL, NULL, NULL);
}

static int
change_as_root(const char *user, const char *password)
{
	return run(user, pam_chauthtok, 0, password, password, NULL);
}

/* As passwd(1) does it for its caller: real id the user's, effective id root's. */
static int
change_as_user(const char *user, int flags, const char *current, const char *password)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (setresuid(SOMEBODY, 0, 0) == -1)
			_exit(99);
		_exit(run(user, pam_chauthtok, flags, current, password, password));
	}
	return wait_child(pid);
}

static void
update(const char *username, const char *set)
{
	sql(store_path, "UPDATE users SET %s WHERE username = %Q", set, username);
}

static void
hold(const char *username)
{
	char since[] = "", actor[] = "root", marker[] = "$2!held.0123";
	struct hxb_hold word = { .since = since, .actor = actor, .marker = marker };
	char id[64];

	snprintf(id, sizeof(id), "%s", user_id(store_path, username));
	word.user_id = id;
	assert_ok(hxb_store_begin(store, &err));
	assert_ok(hxb_store_read_parked(store, id, &word.parked, &err));
	assert_ok(hxb_store_park(store, id, marker, &err));
	assert_ok(hxb_store_commit(store, &err));
	assert_ok(hxb_ledger_put_hold(ledger, &word, &err));
	hxb_parked_clear(&word.parked);
}

static void
expire(const char *username, int64_t when)
{
	struct hxb_entry *entry;

	assert_ok(hxb_ledger_entry(ledger, HXB_ENTRY_USER, user_id(store_path, username), &entry, &err));
	entry->expires = when;
	assert_ok(hxb_ledger_put(ledger, entry, &err));
	hxb_entry_free(entry);
}

static void
the_right_password_and_state_get_in(void **state)
{
	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	assert_int_equal(authenticate("mona", "pw-mona"), PAM_SUCCESS);
	assert_contains(logged, "<6>allowed mona from 192.0.2.7");
	assert_string_equal(shown, "");
	assert_int_equal(account("mona"), PAM_SUCCESS);
	assert_string_equal(shown, "");
	assert_int_equal(authenticate("Emile.D", "pw-Emile.D"), PAM_SUCCESS);
	assert_int_equal(run("mona", pam_setcred, PAM_ESTABLISH_CRED, NULL, NULL, NULL), PAM_SUCCESS);
	/* Names are exact. */
	assert_int_equal(authenticate("Mona", "pw-mona"), PAM_USER_UNKNOWN);
	assert_int_equal(authenticate("visitor", "pw-visitor"), PAM_USER_UNKNOWN);
}

static void
the_wrong_password_does_not(void **state)
{
	static const char *const wrong[] = { "", "pw-ada", "PW-MONA", "pw-mona ",
		"$2b$12$lBts50Jx9M08wfz7BaOEL.b4/vJse5pfyJy20rUt.VqqPc0DS8tQu" };

	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(authenticate("mona", wrong[i]), PAM_AUTH_ERR);
		assert_contains(logged, "<5>refused mona from 192.0.2.7: wrong password");
		assert_string_equal(shown, "");
	}
	assert_int_not_equal(authenticate("mona", NULL), PAM_SUCCESS);
	/* The log knows the state as well; the person is told nothing. */
	assert_int_equal(authenticate("max", "wrong"), PAM_AUTH_ERR);
	assert_contains(logged, "wrong password; disabled");
	assert_string_equal(shown, "");
}

static void
every_state_has_its_answers(void **state)
{
	static const struct {
		const char *user, *sql, *reason;
		int hold;
		int64_t expires;
		int auth, account, by_user, by_root;
	} cases[] = {
		{ "ada", "state = 1", NULL, 0, 0, PAM_SUCCESS, PAM_SUCCESS, PAM_SUCCESS, PAM_SUCCESS },
		{ "ada", "state = 1", "held by root", 1, 0, PAM_AUTH_ERR, PAM_ACCT_EXPIRED, PAM_ACCT_EXPIRED,
		    PAM_SUCCESS },
		{ "ada", "state = 0", "disabled", 0, 0, PAM_AUTH_ERR, PAM_ACCT_EXPIRED, PAM_ACCT_EXPIRED,
		    PAM_SUCCESS },
		{ "ada", "state = NULL", "disabled", 0, 0, PAM_AUTH_ERR, PAM_ACCT_EXPIRED, PAM_ACCT_EXPIRED,
		    PAM_SUCCESS },
		{ "ada", "state = 'true'", "disabled", 0, 0, PAM_AUTH_ERR, PAM_ACCT_EXPIRED, PAM_ACCT_EXPIRED,
		    PAM_SUCCESS },
		{ "ada", "state = 1", "expired", 0, 1000, PAM_AUTH_ERR, PAM_ACCT_EXPIRED, PAM_ACCT_EXPIRED,
		    PAM_SUCCESS },
		{ "ada", "state = 1", NULL, 0, 9000000000, PAM_SUCCESS, PAM_SUCCESS, PAM_SUCCESS,
		    PAM_SUCCESS },
		{ "pia", "state = 1", "no role that may log in", 0, 0, PAM_PERM_DENIED, PAM_PERM_DENIED,
		    PAM_SUCCESS, PAM_SUCCESS },
		{ "rita", "state = 1", "no role that may log in", 0, 0, PAM_PERM_DENIED, PAM_PERM_DENIED,
		    PAM_SUCCESS, PAM_SUCCESS },
		{ "norole", "state = 1", "no role that may log in", 0, 0, PAM_PERM_DENIED, PAM_PERM_DENIED,
		    PAM_SUCCESS, PAM_SUCCESS },
		{ "ada", "password = '$2!invited.x'", "no usable password", 0, 0, PAM_AUTH_ERR,
		    PAM_ACCT_EXPIRED, PAM_ACCT_EXPIRED, PAM_SUCCESS },
	};
	char password[64];

	for (size_t i = 0; i < COUNT(cases); i++) {
		NEEDS_ROOT_AND_A_STATE_DIR();
		print_message(
		    "# %s: %s\n", cases[i].user, cases[i].reason != NULL ? cases[i].reason : "enabled");
		update(cases[i].user, cases[i].sql);
		expire(cases[i].user, cases[i].expires);
		if (cases[i].hold)
			hold(cases[i].user);
		snprintf(password, sizeof(password), "pw-%s", cases[i].user);
		assert_int_equal(authenticate(cases[i].user, password), cases[i].auth);
		if (cases[i].reason != NULL)
			assert_contains(logged, cases[i].reason);
		assert_string_equal(shown, "");
		assert_int_equal(account(cases[i].user), cases[i].account);
		if (cases[i].reason != NULL) {
			assert_contains(logged, cases[i].reason);
			assert_true(strlen(shown) > 0 && shown[strlen(shown) - 1] == '.');
			assert_int_equal(run(cases[i].user, pam_acct_mgmt, PAM_SILENT, NULL, NULL, NULL),
			    cases[i].account);
			assert_string_equal(shown, "");
		}
		assert_int_equal(
		    change_as_user(cases[i].user, 0, password, "a new password"), cases[i].by_user);
		assert_int_equal(change_as_root(cases[i].user, "another password"), cases[i].by_root);
		/* A session is never denied: root's own doing. */
		assert_int_equal(run(cases[i].user, pam_open_session, 0, NULL, NULL, NULL), PAM_SUCCESS);
		/* What root sets turns nobody on. */
		assert_int_equal(account(cases[i].user),
		    cases[i].reason != NULL && strstr(cases[i].reason, "usable") != NULL ? PAM_SUCCESS
		                                                                         : cases[i].account);
		tear_down_pam(state);
		assert_int_equal(set_up(state), 0);
	}
}

static void
a_removed_user_is_denied_before_the_next_publish(void **state)
{
	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	sql(store_path, "DELETE FROM users WHERE username = 'mona'");
	/* Never USER_UNKNOWN: stacks go on after that. */
	assert_int_equal(authenticate("mona", "pw-mona"), PAM_AUTH_ERR);
	assert_contains(logged, "removed from Hexabot");
	assert_int_equal(account("mona"), PAM_ACCT_EXPIRED);
	assert_int_equal(change_as_root("mona", "a new password"), PAM_ACCT_EXPIRED);
	/* Another row of that name is somebody else. */
	sql(store_path, "UPDATE users SET username = 'mona' WHERE username = 'ada'");
	assert_int_equal(authenticate("mona", "pw-ada"), PAM_AUTH_ERR);
	assert_int_equal(account("mona"), PAM_ACCT_EXPIRED);
	publish();
	assert_int_equal(authenticate("mona", "pw-mona"), PAM_USER_UNKNOWN);
	assert_int_equal(authenticate("ada", "pw-ada"), PAM_SUCCESS);
}

static void
the_seed_password_never_opens_the_host(void **state)
{
	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	assert_int_equal(authenticate("admin", HXB_SEED_PASSWORD), PAM_PERM_DENIED);
	assert_contains(logged, "seed password");
	assert_int_equal(authenticate("mona", HXB_SEED_PASSWORD), PAM_AUTH_ERR);
	assert_int_equal(change_as_root("admin", "a better one"), PAM_SUCCESS);
	assert_int_equal(authenticate("admin", "a better one"), PAM_SUCCESS);
}

static void
stale_groups_are_refused(void **state)
{
	struct hxb_map *map;
	struct hxb_map_role role;

	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	/* In SQL, and not yet published. */
	sql(store_path,
	    "DELETE FROM user_roles WHERE user_id = %Q AND role_id IN (SELECT id FROM roles WHERE name = "
	    "'admin')",
	    user_id(store_path, "ada"));
	assert_int_equal(authenticate("ada", "pw-ada"), PAM_SUCCESS);
	assert_int_equal(account("ada"), PAM_PERM_DENIED);
	assert_contains(logged, "stale groups");
	publish();
	assert_int_equal(account("ada"), PAM_SUCCESS);
	/* A role that came and is not yet published does not matter. */
	sql(store_path, "INSERT INTO user_roles SELECT %Q, id FROM roles WHERE name = 'operators'",
	    user_id(store_path, "ada"));
	assert_int_equal(account("ada"), PAM_SUCCESS);
	/* A cache that still tells the old groups. */
	map = hxb_map_open(HXB_MAP_PATH, 0, NULL);
	assert_non_null(map);
	assert_int_equal(hxb_map_role_by_group(map, "hexabot-admin", &role), HXB_MAP_FOUND);
	other_gid = role.gid;
	hxb_map_close(map);
	assert_int_equal(account("ada"), PAM_PERM_DENIED);
	/* Groups of the host are the host's business. */
	other_gid = 27;
	assert_int_equal(account("ada"), PAM_SUCCESS);
	/* A role that was made inactive gives nothing any more. */
	other_gid = 0;
	sql(store_path, "UPDATE roles SET active = 0 WHERE name = 'operators'");
	publish();
	assert_int_equal(account("ada"), PAM_SUCCESS);
}

static void
break_nothing(void)
{
}

static void
break_conf(void)
{
	write_conf("pasword_cost = 10\n");
}

static void
remove_conf(void)
{
	unlink(conf_path);
}

static void
open_conf_to_others(void)
{
	chmod(conf_path, 0666);
}

static void
break_option(void)
{
	write_service("rols=admin");
}

static void
remove_store(void)
{
	unlink(store_path);
}

static void
open_store_to_others(void)
{
	chmod(store_path, 0666);
}

static void
break_store(void)
{
	write_file(store_path,
	    "no database at all, and so much of it that it is longer than the header of one would be: one "
	    "hundred bytes",
	    0600);
}

static void
make_store_a_directory(void)
{
	unlink(store_path);
	mkdir(store_path, 0755);
}

static void
remove_ledger(void)
{
	rename(HXB_LEDGER_PATH, HXB_LEDGER_PATH ".away");
}

static void
break_ledger(void)
{
	remove_ledger();
	write_file(HXB_LEDGER_PATH, "", 0600);
}

static void
take_entry_out_of_ledger(void)
{
	sql(HXB_LEDGER_PATH, "DELETE FROM entries WHERE login = 'mona'");
}

static void
give_entry_to_another(void)
{
	sql(HXB_LEDGER_PATH, "UPDATE entries SET id = 'another' WHERE login = 'mona'");
}

static void
take_group_away(void)
{
	other_group = "sudo";
}

static const struct {
	const char *what;
	void (*make)(void);
	const char *logged;
} broken[] = {
	{ "nothing", break_nothing, NULL },
	{ "typo in the configuration", break_conf, "pasword_cost: unknown key" },
	{ "no configuration", remove_conf, "No such file" },
	{ "configuration that others may write", open_conf_to_others, "writable by others" },
	{ "typo in an option", break_option, "unknown option 'rols=admin'" },
	{ "no store", remove_store, "No such file" },
	{ "store that others may write", open_store_to_others, "writable by others" },
	{ "store that is no database", break_store, "not a database" },
	{ "store that is a directory", make_store_a_directory, "not a regular file" },
	{ "no ledger", remove_ledger, "No such file" },
	{ "empty ledger", break_ledger, "not a ledger" },
	{ "ledger without the entry", take_entry_out_of_ledger, "no such login" },
	{ "ledger with another id", give_entry_to_another, "ledger and map disagree" },
	{ "primary group of somebody else's", take_group_away, "primary group is not hexabot.mona" },
};

static void
what_cannot_be_read_is_denied(void **state)
{
	long began;

	for (size_t i = 1; i < COUNT(broken); i++) {
		NEEDS_ROOT_AND_A_STATE_DIR();
		print_message("# %s\n", broken[i].what);
		broken[i].make();
		began = milliseconds();
		assert_int_equal(authenticate("mona", "pw-mona"), PAM_AUTHINFO_UNAVAIL);
		assert_contains(logged, broken[i].logged);
		assert_contains(logged, "<3>refused mona");
		assert_string_equal(shown, "");
		assert_int_equal(account("mona"), PAM_AUTHINFO_UNAVAIL);
		assert_contains(logged, broken[i].logged);
		assert_int_equal(change_as_root("mona", "a new password"), PAM_TRY_AGAIN);
		assert_int_equal(change_as_user("mona", 0, "pw-mona", "a new password"), PAM_TRY_AGAIN);
		assert_int_equal(
		    change_as_user("mona", PAM_CHANGE_EXPIRED_AUTHTOK, "pw-mona", "a new password"),
		    PAM_TRY_AGAIN);
		/* Nothing is refused here, and nothing says so. */
		assert_int_equal(run("mona", pam_open_session, 0, NULL, NULL, NULL), PAM_SUCCESS);
		assert_string_equal(logged, "");
		assert_true(milliseconds() - began < 3000);
		tear_down_pam(state);
		assert_int_equal(set_up(state), 0);
	}
}

static void
others_see_no_difference_whatever_is_broken(void **state)
{
	static const char *const users[] = { "root", "local" };
	long began;

	for (size_t i = 0; i < COUNT(broken); i++) {
		NEEDS_ROOT_AND_A_STATE_DIR();
		broken[i].make();
		for (size_t k = 0; k < COUNT(users); k++) {
			began = milliseconds();
			assert_int_equal(authenticate(users[k], "x"), PAM_USER_UNKNOWN);
			assert_int_equal(questions, 0);
			assert_int_equal(account(users[k]), PAM_USER_UNKNOWN);
			assert_int_equal(run(users[k], pam_setcred, PAM_ESTABLISH_CRED, NULL, NULL, NULL),
			    PAM_USER_UNKNOWN);
			assert_int_equal(change_as_root(users[k], "a new password"), PAM_USER_UNKNOWN);
			assert_int_equal(
			    change_as_user(users[k], 0, "x", "a new password"), PAM_USER_UNKNOWN);
			assert_string_equal(logged, "");
			assert_string_equal(shown, "");
			assert_true(milliseconds() - began < 500);
		}
		assert_int_equal(account("nobody-knows"), PAM_USER_UNKNOWN);
		tear_down_pam(state);
		assert_int_equal(set_up(state), 0);
	}
}

static void
a_mapped_name_that_is_another_account_is_the_hosts(void **state)
{
	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	other_uid = 1000;
	assert_int_equal(authenticate("mona", "pw-mona"), PAM_USER_UNKNOWN);
	assert_int_equal(account("mona"), PAM_USER_UNKNOWN);
	assert_int_equal(change_as_root("mona", "a new password"), PAM_USER_UNKNOWN);
}

static void
a_locked_store_denies_within_the_deadline(void **state)
{
	long began, took;
	pid_t pid;

	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	pid = hold_lock(store_path, "BEGIN EXCLUSIVE");
	began = milliseconds();
	assert_int_equal(account("mona"), PAM_AUTHINFO_UNAVAIL);
	took = milliseconds() - began;
	assert_true(took >= HXB_PAM_DEADLINE - 50 && took < HXB_PAM_DEADLINE + 500);
	assert_contains(logged, "busy");
	began = milliseconds();
	assert_int_equal(account("root"), PAM_USER_UNKNOWN);
	assert_true(milliseconds() - began < 200);
	/* A name that nobody has waits as well: else a lock would tell who is there. */
	began = milliseconds();
	assert_int_equal(authenticate("nobody-knows", "x"), PAM_USER_UNKNOWN);
	assert_true(milliseconds() - began >= HXB_PAM_DEADLINE - 50);
	assert_string_equal(logged, "");
	end_child(pid);
	assert_int_equal(account("mona"), PAM_SUCCESS);
}

static void
a_name_that_nobody_knows_is_not_logged(void **state)
{
	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	assert_int_equal(authenticate("my-password-by-mistake", "x"), PAM_USER_UNKNOWN);
	assert_int_equal(questions, 1); /* asked, and as much work as for anybody */
	assert_string_equal(logged, "");
	write_service("debug");
	assert_int_equal(authenticate("my-password-by-mistake", "x"), PAM_USER_UNKNOWN);
	assert_contains(logged, "<7>my-password-by-mistake: a name that nobody knows");
}

static void
options_narrow_and_hand_on(void **state)
{
	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	write_service("roles=admin");
	assert_int_equal(account("mona"), PAM_PERM_DENIED);
	assert_int_equal(authenticate("mona", "pw-mona"), PAM_PERM_DENIED);
	assert_int_equal(account("ada"), PAM_SUCCESS);
	write_service("roles=public");
	assert_int_equal(account("Emile.D"), PAM_PERM_DENIED); /* public is no login role */
	write_service("use_first_pass");
	assert_int_equal(authenticate("mona", "pw-mona"), PAM_AUTH_ERR); /* nobody has asked before */
	assert_int_equal(questions, 0);
	write_service("");
	write_conf("login_roles = operators\n");
	assert_int_equal(account("mona"), PAM_PERM_DENIED);
	assert_int_equal(account("zoe"), PAM_SUCCESS);
}

static void
a_password_is_changed_by_who_proves_the_current_one(void **state)
{
	char before[128];

	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	snprintf(before, sizeof(before), "%s",
	    sql_text(store_path, "SELECT password FROM users WHERE username = 'mona'"));
	assert_int_equal(change_as_user("mona", 0, "wrong", "a new password"), PAM_AUTH_ERR);
	assert_int_equal(change_as_user("mona", 0, "", "a new password"), PAM_AUTH_ERR);
	assert_int_equal(change_as_user("mona", 0, "pw-mona", "pw-mona"), PAM_AUTHTOK_ERR);
	assert_int_equal(change_as_user("mona", 0, "pw-mona", "short"), PAM_AUTHTOK_ERR);
	assert_int_equal(change_as_user("mona", 0, "pw-mona", HXB_SEED_PASSWORD), PAM_AUTHTOK_ERR);
	assert_int_equal(change_as_user("mona", 0, "pw-mona", NULL), PAM_AUTHTOK_ERR);
	assert_string_equal(
	    sql_text(store_path, "SELECT password FROM users WHERE username = 'mona'"), before);
	assert_int_equal(
	    sql_number(HXB_LEDGER_PATH, "SELECT count(*) FROM events WHERE action = 'passwd'"), 0);

	assert_int_equal(change_as_user("mona", 0, "pw-mona", "a new password"), PAM_SUCCESS);
	assert_int_equal(
	    strncmp(sql_text(store_path, "SELECT password FROM users WHERE username = 'mona'"), "$2b$10$", 7),
	    0);
	assert_string_equal(
	    sql_text(HXB_LEDGER_PATH,
	        "SELECT actor || ' ' || name || before || after FROM events WHERE action = 'passwd'"),
	    "mona mona");
	assert_int_equal(authenticate("mona", "pw-mona"), PAM_AUTH_ERR);
	assert_int_equal(authenticate("mona", "a new password"), PAM_SUCCESS);

	assert_int_equal(change_as_root("mona", "root's choice"), PAM_SUCCESS);
	assert_contains(logged, "password of mona changed by root");
	assert_int_equal(questions, 2); /* no current one is asked for */
	assert_int_equal(authenticate("mona", "root's choice"), PAM_SUCCESS);
	assert_int_equal(change_as_root("mona", "short"), PAM_AUTHTOK_ERR);
	assert_contains(shown, "too short");
	assert_int_equal(
	    run("mona", pam_chauthtok, 0, "one password", "another password", NULL), PAM_TRY_AGAIN);
}

static void
what_changed_while_somebody_typed_is_not_overwritten(void **state)
{
	static const struct {
		const char *sql, *left; /* and the password that is there at the end */
		int by_user;
	} cases[] = {
		{ "UPDATE users SET password = '$2b$10$other' WHERE username = 'mona'", "$2b$10$other",
		    PAM_AUTHTOK_ERR },
		{ "UPDATE users SET password = NULL WHERE username = 'mona'", NULL, PAM_AUTHTOK_ERR },
		{ "UPDATE users SET state = 0 WHERE username = 'mona'", "$2b$12$", PAM_AUTHTOK_ERR },
		{ "UPDATE users SET type = 'SubscriberOrmEntity', source_id = 'x' WHERE username = 'mona'",
		    "$2b$12$", PAM_AUTHTOK_ERR },
		{ "UPDATE users SET firstName = 'Lisa' WHERE username = 'mona'", "$2b$10$", PAM_SUCCESS },
	};
	const char *left;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NEEDS_ROOT_AND_A_STATE_DIR();
		meanwhile = cases[i].sql;
		assert_int_equal(change_as_user("mona", 0, "pw-mona", "a new password"), cases[i].by_user);
		left = sql_text(store_path, "SELECT password FROM users WHERE username = 'mona'");
		if (cases[i].left == NULL)
			assert_null(left);
		else
			assert_int_equal(strncmp(left, cases[i].left, strlen(cases[i].left)), 0);
		/* An event is what has happened. */
		assert_int_equal(sql_number(HXB_LEDGER_PATH, "SELECT count(*) FROM events"),
		    cases[i].by_user == PAM_SUCCESS);
		tear_down_pam(state);
		assert_int_equal(set_up(state), 0);
	}
	/* A hold: what root parked in the ledger is not the user's to replace. */
	meanwhile = "INSERT INTO holds SELECT id, 'now', 'root', '$2!held.x', 'parked' FROM entries WHERE "
	            "login = 'mona'";
	meanwhile_in = HXB_LEDGER_PATH;
	assert_int_equal(change_as_user("mona", 0, "pw-mona", "a new password"), PAM_AUTHTOK_ERR);
	assert_string_equal(sql_text(HXB_LEDGER_PATH, "SELECT password FROM holds"), "parked");
	assert_ok(hxb_ledger_end_hold(ledger, user_id(store_path, "mona"), &err));
	meanwhile_in = store_path;
	/* Root's word stands, whatever the password was; but a user who is no more has none. */
	meanwhile = cases[0].sql;
	assert_int_equal(change_as_root("mona", "a new password"), PAM_SUCCESS);
	meanwhile = "DELETE FROM users WHERE username = 'mona'";
	assert_int_equal(change_as_root("mona", "another password"), PAM_AUTHTOK_ERR);
	assert_contains(shown, "changed meanwhile");
}

static void
a_forced_change_is_the_users_own(void **state)
{
	char before[128];

	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	/* sshd and su ask with uid 0: nothing is due, and nothing is set. */
	snprintf(before, sizeof(before), "%s",
	    sql_text(store_path, "SELECT password FROM users WHERE username = 'mona'"));
	assert_int_equal(
	    run("mona", pam_chauthtok, PAM_CHANGE_EXPIRED_AUTHTOK, "a new password", "a new password", NULL),
	    PAM_SUCCESS);
	assert_int_equal(questions, 0);
	assert_string_equal(
	    sql_text(store_path, "SELECT password FROM users WHERE username = 'mona'"), before);
	update("mona", "state = 0");
	assert_int_equal(
	    run("mona", pam_chauthtok, PAM_CHANGE_EXPIRED_AUTHTOK, "a new password", "a new password", NULL),
	    PAM_ACCT_EXPIRED);
	assert_string_equal(
	    sql_text(store_path, "SELECT password FROM users WHERE username = 'mona'"), before);
}

static void
root_sets_the_password_of_a_held_user_in_the_ledger(void **state)
{
	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	hold("mona");
	assert_int_equal(change_as_root("mona", "a new password"), PAM_SUCCESS);
	assert_string_equal(
	    sql_text(store_path, "SELECT password FROM users WHERE username = 'mona'"), "$2!held.0123");
	assert_int_equal(strncmp(sql_text(HXB_LEDGER_PATH, "SELECT password FROM holds"), "$2b$10$", 7), 0);
	assert_int_equal(sql_number(HXB_LEDGER_PATH, "SELECT count(*) FROM hold_roles"), 1);
	assert_int_equal(authenticate("mona", "a new password"), PAM_AUTH_ERR);
	assert_int_equal(account("mona"), PAM_ACCT_EXPIRED);
}

static int
session_and_environment(pam_handle_t *pamh, int flags)
{
	int code = pam_open_session(pamh, flags);
	const char *roles = pam_getenv(pamh, "HEXABOT_ROLES"), *id = pam_getenv(pamh, "HEXABOT_USER_ID");

	snprintf(shown, sizeof(shown), "%s|%s", id != NULL ? id : "", roles != NULL ? roles : "");
	(void)pam_close_session(pamh, flags);
	return code;
}

static void
a_session_tells_who_and_what(void **state)
{
	char expected[128];

	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	sql(store_path,
	    "INSERT INTO roles (id, name) VALUES ('r', 'a b'); INSERT INTO user_roles VALUES (%Q, 'r')",
	    user_id(store_path, "ada"));
	snprintf(expected, sizeof(expected), "%s|admin manager", user_id(store_path, "ada"));
	assert_int_equal(run("ada", session_and_environment, 0, NULL, NULL, NULL), PAM_SUCCESS);
	assert_string_equal(shown, expected);
	/* Inactive roles are none. */
	snprintf(expected, sizeof(expected), "%s|", user_id(store_path, "rita"));
	assert_int_equal(run("rita", session_and_environment, 0, NULL, NULL, NULL), PAM_SUCCESS);
	assert_string_equal(shown, expected);
	/* Not ours: ignored, so that no other module in the stack would mean a denial. */
	assert_int_equal(run("root", session_and_environment, 0, NULL, NULL, NULL), PAM_PERM_DENIED);
	assert_string_equal(shown, "|");
}

static void
a_program_without_roots_power_is_denied(void **state)
{
	pid_t pid;

	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int code;

		if (setresuid(SOMEBODY, SOMEBODY, SOMEBODY) == -1)
			_exit(99);
		code = authenticate("mona", "pw-mona");
		if (code != PAM_AUTHINFO_UNAVAIL || account("mona") != PAM_AUTHINFO_UNAVAIL ||
		    authenticate("root", "x") != PAM_USER_UNKNOWN)
			_exit(98);
		_exit(strstr(logged, "does not run as root") != NULL || logged[0] == '\0' ? 0 : 97);
	}
	assert_int_equal(wait_child(pid), 0);
}

#define MARK SYS_getppid

struct calls {
	unsigned count; /* without those for memory: they are the allocator's */
	unsigned waiting; /* for a disk, or for a while */
};

static void
count_call(uint64_t number, struct calls *calls)
{
	switch (number) {
	case SYS_mmap:
	case SYS_munmap:
	case SYS_mprotect:
	case SYS_madvise:
	case SYS_brk:
	case SYS_futex:
		break;
	case SYS_fsync:
	case SYS_fdatasync:
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
		calls->waiting++;
		calls->count++;
		break;
	default:
		calls->count++;
	}
}

/* The child's system calls between its marks, until it ends. */
static struct calls
count_calls(pid_t child)
{
	struct __ptrace_syscall_info info;
	struct calls calls = { 0 };
	bool counts = false;
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	assert_int_equal(
	    ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
	for (;;) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFSTOPPED(status))
			break;
		assert_int_equal(WSTOPSIG(status), SIGTRAP | 0x80);
		assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) > 0);
		if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
			continue;
		if (info.entry.nr == MARK)
			counts = !counts;
		else if (counts)
			count_call(info.entry.nr, &calls);
	}
	assert_int_equal(status, 0);
	return calls;
}

static int
account_between_marks(pam_handle_t *pamh, int flags)
{
	int code;

	(void)syscall(MARK);
	code = pam_acct_mgmt(pamh, flags);
	(void)syscall(MARK);
	return code;
}

static int
auth_between_marks(pam_handle_t *pamh, int flags)
{
	int code;

	(void)syscall(MARK);
	code = pam_authenticate(pamh, flags);
	(void)syscall(MARK);
	return code;
}

/* The second time: the first one loads and maps. */
static struct calls
calls_of(stage_fn *stage, stage_fn *marked)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		alarm(60);
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1 ||
		    run("mona", stage, 0, "pw-mona", NULL, NULL) != PAM_SUCCESS || raise(SIGSTOP) != 0)
			_exit(1);
		_exit(run("mona", marked, 0, "pw-mona", NULL, NULL) == PAM_SUCCESS ? 0 : 2);
	}
	return count_calls(child);
}

/* Some ten above what it takes: a file more, or a statement more under a lock of its own, shows. */
static void
a_stage_makes_few_system_calls_and_waits_for_no_disk(void **state)
{
	struct calls calls;

	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	hxb_store_close(store);
	hxb_ledger_checkpoint(ledger);
	hxb_ledger_close(ledger);
	store = NULL;
	ledger = NULL;
	calls = calls_of(pam_acct_mgmt, account_between_marks);
	assert_in_range(calls.count, 100, 280);
	assert_int_equal(calls.waiting, 0);
	calls = calls_of(pam_authenticate, auth_between_marks);
	assert_in_range(calls.count, 100, 280);
	assert_int_equal(calls.waiting, 0);
}

static void
no_secret_was_ever_logged(void **state)
{
	static const char *const secrets[] = { "pw-", "$2b$", "$2!", "a new password", "another password",
		"root's choice", "adminadmin" };

	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	assert_true(strlen(everything_logged) > 1000);
	for (size_t i = 0; i < COUNT(secrets); i++) {
		if (strstr(everything_logged, secrets[i]) != NULL)
			fail_msg("'%s' was logged", secrets[i]);
	}
}

static const char code[] = "01ABC-DEFGH-JKMNP-QRSTV-WXYZ1";

static void
an_invited_user_registers_by_a_code(void **state)
{
	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	write_conf("invite_services = " SERVICE "\n");
	invite(code);
	assert_int_equal(authenticate("ada", "01abc defgh jkmnp qrstv wxyzl"), PAM_SUCCESS);
	assert_int_equal(authenticate("ada", "01ABC-DEFGH-JKMNP-QRSTV-WXYZ2"), PAM_AUTH_ERR);
	assert_contains(logged, "wrong password; invited");
	assert_int_equal(authenticate("ada", "$2!invited.0123"), PAM_AUTH_ERR);
	assert_int_equal(authenticate("mona", code), PAM_AUTH_ERR);
	assert_int_equal(account("ada"), PAM_NEW_AUTHTOK_REQD);
	assert_contains(logged, "<6>pending ada from 192.0.2.7: invited");
	assert_contains(shown, "Please choose a password");
	/* A forced change in a handle that has seen no code asks for it. */
	assert_int_equal(
	    run("ada", pam_chauthtok, PAM_CHANGE_EXPIRED_AUTHTOK, "wrong", NULL, NULL), PAM_AUTH_ERR);
	assert_contains(logged, "wrong code");
	assert_int_equal(run("ada", pam_chauthtok, PAM_CHANGE_EXPIRED_AUTHTOK, code,
	                     "01abcdefghjkmnpqrstvwxyz1", "01abcdefghjkmnpqrstvwxyz1"),
	    PAM_AUTHTOK_ERR);
	assert_contains(shown, "The code was for once");
	assert_int_equal(
	    run("ada", pam_chauthtok, PAM_CHANGE_EXPIRED_AUTHTOK, code, "pw-ada-new", "pw-ada-new"),
	    PAM_SUCCESS);
	assert_int_equal(authenticate("ada", code), PAM_AUTH_ERR);
	assert_contains(logged, "refused ada from 192.0.2.7: code used already");
	assert_int_equal(authenticate("ada", "pw-ada-new"), PAM_SUCCESS);
	assert_int_equal(account("ada"), PAM_SUCCESS);
	assert_int_equal(sql_number(HXB_LEDGER_PATH,
	                     "SELECT count(*) FROM events WHERE actor = 'ada' AND action = 'register'"),
	    1);
}

static void
a_code_counts_in_its_services_only(void **state)
{
	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	invite(code);
	assert_int_equal(authenticate("ada", code), PAM_AUTH_ERR);
	assert_contains(logged, "none of invite_services");
	assert_int_equal(account("ada"), PAM_ACCT_EXPIRED);
	assert_int_equal(change_as_user("ada", 0, code, "pw-ada-new"), PAM_ACCT_EXPIRED);
	assert_int_equal(
	    change_as_user("ada", PAM_CHANGE_EXPIRED_AUTHTOK, code, "pw-ada-new"), PAM_ACCT_EXPIRED);
	/* Root's word ends the code. */
	assert_int_equal(change_as_root("ada", "pw-ada-root"), PAM_SUCCESS);
	write_conf("invite_services = " SERVICE "\n");
	assert_int_equal(authenticate("ada", code), PAM_AUTH_ERR);
	assert_contains(logged, "code void since root set a password");
	assert_int_equal(authenticate("ada", "pw-ada-root"), PAM_SUCCESS);
}

static void
whoever_is_out_is_not_let_in_by_a_code(void **state)
{
	static const struct {
		const char *sql, *reason;
		int auth;
	} cases[] = {
		{ "state = 0", "code void since the user was disabled; disabled", PAM_AUTH_ERR },
		{ "state = NULL", "code void since the user was disabled; disabled", PAM_AUTH_ERR },
		{ "password = 'x'", "code of somebody who has registered in Hexabot", PAM_AUTH_ERR },
		{ "password = '$2!invited.01234'",
		    "code of somebody who has registered in Hexabot; no usable", PAM_AUTH_ERR },
	};

	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	write_conf("invite_services = " SERVICE "\n");
	for (size_t i = 0; i < COUNT(cases); i++) {
		sql(HXB_LEDGER_PATH, "DELETE FROM invitations");
		invite(code);
		update("ada", cases[i].sql);
		assert_int_equal(authenticate("ada", code), cases[i].auth);
		assert_contains(logged, cases[i].reason);
		/* Whoever turns it back does not bring the code back. */
		update("ada", "state = 1, password = '$2!invited.0123'");
		assert_int_equal(authenticate("ada", code), PAM_AUTH_ERR);
		assert_int_equal(account("ada"), PAM_ACCT_EXPIRED);
	}
	/* Without a role the code is good, and opens nothing. */
	sql(HXB_LEDGER_PATH, "DELETE FROM invitations");
	invite(code);
	sql(store_path, "DELETE FROM user_roles");
	assert_int_equal(authenticate("ada", code), PAM_PERM_DENIED);
	assert_int_equal(
	    change_as_user("ada", PAM_CHANGE_EXPIRED_AUTHTOK, code, "pw-ada-new"), PAM_PERM_DENIED);
	assert_int_not_equal(change_as_user("ada", 0, code, "pw-ada-new"), PAM_SUCCESS);
}

/* Auth with a code; then somebody sets a password, and the same handle goes on. */
static int
auth_then_account(pam_handle_t *pamh, int flags)
{
	assert_int_equal(pam_authenticate(pamh, flags), PAM_SUCCESS);
	update("ada", "password = (SELECT password FROM users WHERE username = 'mona')");
	return pam_acct_mgmt(pamh, flags);
}

static int
auth_then_forced_change(pam_handle_t *pamh, int flags)
{
	assert_int_equal(pam_authenticate(pamh, flags), PAM_SUCCESS);
	assert_int_equal(pam_acct_mgmt(pamh, flags), PAM_NEW_AUTHTOK_REQD);
	update("ada", "password = (SELECT password FROM users WHERE username = 'mona')");
	return pam_chauthtok(pamh, PAM_CHANGE_EXPIRED_AUTHTOK);
}

static void
a_code_opens_no_account_that_got_a_password_meanwhile(void **state)
{
	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	write_conf("invite_services = " SERVICE "\n");
	invite(code);
	assert_int_equal(run("ada", auth_then_account, 0, code, NULL, NULL), PAM_AUTH_ERR);
	assert_contains(logged, "only a code was proved");
	sql(HXB_LEDGER_PATH, "DELETE FROM invitations");
	invite(code);
	assert_int_equal(
	    run("ada", auth_then_forced_change, 0, code, "pw-ada-new", "pw-ada-new"), PAM_AUTHTOK_ERR);
	assert_contains(logged, "only a code was proved");
}

static void
what_happens_while_a_person_chooses_counts(void **state)
{
	static const char *const events[] = {
		"UPDATE users SET state = 0 WHERE username = 'ada'",
		"DELETE FROM user_roles WHERE user_id = (SELECT id FROM users WHERE username = 'ada')",
		"UPDATE users SET password = 'x' WHERE username = 'ada'",
		"DELETE FROM users WHERE username = 'ada'",
	};

	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	write_conf("invite_services = " SERVICE "\n");
	invite(code);
	/* Another code, in the ledger. */
	meanwhile_in = HXB_LEDGER_PATH;
	meanwhile = "UPDATE invitations SET digest = zeroblob(32)";
	assert_int_equal(
	    run("ada", pam_chauthtok, PAM_CHANGE_EXPIRED_AUTHTOK, code, "pw-ada-new", "pw-ada-new"),
	    PAM_AUTHTOK_ERR);
	assert_contains(logged, "code replaced meanwhile");
	meanwhile_in = store_path;
	for (size_t i = 0; i < COUNT(events); i++) {
		sql(HXB_LEDGER_PATH, "DELETE FROM invitations");
		meanwhile = NULL;
		invite(code);
		meanwhile = events[i];
		assert_int_equal(
		    run("ada", pam_chauthtok, PAM_CHANGE_EXPIRED_AUTHTOK, code, "pw-ada-new", "pw-ada-new"),
		    PAM_AUTHTOK_ERR);
		if (i < 2)
			assert_string_equal(
			    sql_text(store_path, "SELECT password FROM users WHERE username = 'ada'"),
			    "$2!invited.0123");
		if (i == 1)
			sql(store_path,
			    "INSERT INTO user_roles SELECT users.id, roles.id FROM users, roles WHERE "
			    "username = "
			    "'ada' AND name IN ('admin', 'manager')");
	}
}

#define PAM_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down_pam)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PAM_TEST(the_right_password_and_state_get_in),
		PAM_TEST(the_wrong_password_does_not),
		PAM_TEST(every_state_has_its_answers),
		PAM_TEST(a_removed_user_is_denied_before_the_next_publish),
		PAM_TEST(the_seed_password_never_opens_the_host),
		PAM_TEST(stale_groups_are_refused),
		PAM_TEST(what_cannot_be_read_is_denied),
		PAM_TEST(others_see_no_difference_whatever_is_broken),
		PAM_TEST(a_mapped_name_that_is_another_account_is_the_hosts),
		PAM_TEST(a_locked_store_denies_within_the_deadline),
		PAM_TEST(a_name_that_nobody_knows_is_not_logged),
		PAM_TEST(options_narrow_and_hand_on),
		PAM_TEST(a_password_is_changed_by_who_proves_the_current_one),
		PAM_TEST(what_changed_while_somebody_typed_is_not_overwritten),
		PAM_TEST(a_forced_change_is_the_users_own),
		PAM_TEST(root_sets_the_password_of_a_held_user_in_the_ledger),
		PAM_TEST(a_session_tells_who_and_what),
		PAM_TEST(a_program_without_roots_power_is_denied),
		PAM_TEST(an_invited_user_registers_by_a_code),
		PAM_TEST(a_code_counts_in_its_services_only),
		PAM_TEST(whoever_is_out_is_not_let_in_by_a_code),
		PAM_TEST(a_code_opens_no_account_that_got_a_password_meanwhile),
		PAM_TEST(what_happens_while_a_person_chooses_counts),
		PAM_TEST(a_stage_makes_few_system_calls_and_waits_for_no_disk),
		PAM_TEST(no_secret_was_ever_logged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
