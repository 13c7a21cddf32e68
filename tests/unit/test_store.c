/* SPDX-License-Identifier: ISC */
/* Hexabot's database: what is refused, what is read, what is written, and as whom. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <sqlite3.h>

#include "libhexabot/bracket.h"
#include "libhexabot/store_private.h"
#include "support.h"

#define DEADLINE 300 /* ms, where a call is to run into it */

static enum hxb_result
try_open(const char *path)
{
	struct hxb_store *store;
	enum hxb_result r;

	r = hxb_store_open(path, geteuid(), hxb_deadline_in(HXB_CTL_DEADLINE), &store, &err);
	assert_true((r == HXB_OK) == (store != NULL));
	hxb_store_close(store);
	return r;
}

static enum hxb_result
count_user(const struct hxb_user *user, void *context, struct hxb_error *error)
{
	unsigned *count = context;

	(void)user;
	(void)error;
	(*count)++;
	return HXB_OK;
}

static enum hxb_result
read_all(struct hxb_store *store, unsigned limit, hxb_user_fn *each, void *context)
{
	struct hxb_slice slice = { .limit = limit, .more = true };
	enum hxb_result r = HXB_OK;

	while (r == HXB_OK && slice.more)
		r = hxb_store_users(store, &slice, each, context, &err);
	return r;
}

/* What is refused */

static void
what_is_no_database_of_hexabots_is_refused(void **state)
{
	const char *path = in_dir("store.sqlite");
	char header[101] = "SQLite format 3";

	(void)state;
	assert_result(try_open(path), HXB_UNREADABLE);
	assert_contains(err.text, path);
	assert_int_equal(access(path, F_OK), -1); /* nothing is made */

	assert_int_equal(mkdir(path, 0755), 0);
	assert_result(try_open(path), HXB_UNREADABLE);
	assert_int_equal(rmdir(path), 0);

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_result(try_open(path), HXB_UNREADABLE);
	assert_int_equal(unlink(path), 0);

	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_result(try_open(path), HXB_UNREADABLE);
	assert_int_equal(unlink(path), 0);

	write_file(path, "", 0600);
	assert_result(try_open(path), HXB_UNREADABLE);
	assert_contains(err.text, "not a Hexabot database");
	write_file(path, "root:x:0:0:root:/root:/bin/bash\n", 0600);
	assert_result(try_open(path), HXB_UNREADABLE);
	assert_contains(err.text, "not a database");
	memset(header + 16, 'x', 84);
	write_file(path, header, 0600);
	assert_result(try_open(path), HXB_UNREADABLE);
	unlink(path);

	sql(path, "CREATE TABLE other (x)");
	assert_result(try_open(path), HXB_UNREADABLE);
	assert_contains(err.text, "users, roles, user_roles are not all there");
}

static void
a_truncated_store_is_refused(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct stat st;
	unsigned count = 0;
	struct hxb_store *store;

	(void)state;
	make_store(path);
	assert_int_equal(stat(path, &st), 0);
	for (off_t size = st.st_size - 4096; size >= 100; size = size / 2) {
		assert_int_equal(truncate(path, size), 0);
		if (hxb_store_open(path, geteuid(), hxb_deadline_in(1000), &store, &err) != HXB_OK)
			continue;
		assert_result(read_all(store, 100, count_user, &count), HXB_UNREADABLE);
		hxb_store_close(store);
	}
	assert_result(try_open(path), HXB_UNREADABLE);
}

static void
a_store_that_others_may_write_is_refused(void **state)
{
	const char *path = in_dir("store.sqlite");

	(void)state;
	make_store(path);
	chmod(path, 0666);
	assert_result(try_open(path), HXB_UNREADABLE);
	assert_contains(err.text, "chmod o-w");
}

static void
views_and_virtual_tables_stand_in_for_no_table(void **state)
{
	const char *path = in_dir("store.sqlite");

	(void)state;
	make_store(path);
	sql(path, "ALTER TABLE users RENAME TO people; CREATE VIEW users AS SELECT * FROM people");
	assert_result(try_open(path), HXB_UNREADABLE);
	sql(path, "DROP VIEW users; CREATE VIRTUAL TABLE users USING rtree(id, a, b)");
	assert_result(try_open(path), HXB_UNREADABLE);
}

static void
a_missing_column_is_unreadable(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	struct hxb_user *user;

	(void)state;
	make_store(path);
	sql(path, "ALTER TABLE users RENAME COLUMN state TO condition");
	store = open_store(path);
	assert_result(hxb_store_user(store, HXB_BY_USERNAME, "mona", &user, &err), HXB_UNREADABLE);
	assert_null(user);
	assert_contains(err.text, "no such column: state");
	hxb_store_close(store);
}

static void
triggers_of_somebody_elses_do_not_run(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	char id[64];

	(void)state;
	make_store(path);
	sql(path,
	    "CREATE TRIGGER t AFTER UPDATE ON users BEGIN UPDATE roles SET name = 'changed-' || name; END");
	snprintf(id, sizeof(id), "%s", user_id(path, "mona"));
	store = open_store(path);
	assert_ok(hxb_store_begin(store, &err));
	assert_ok(hxb_store_set_enabled(store, id, false, &err));
	assert_ok(hxb_store_commit(store, &err));
	hxb_store_close(store);
	assert_int_equal(sql_number(path, "SELECT count(*) FROM roles WHERE name LIKE 'changed-%%'"), 0);
}

/* What is read */

static void
a_user_is_read_with_all_roles(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	struct hxb_user *user;
	char id[64];

	(void)state;
	make_store(path);
	snprintf(id, sizeof(id), "%s", user_id(path, "Emile.D"));
	store = open_store(path);
	assert_ok(hxb_store_user(store, HXB_BY_EMAIL, "Emile.Durr@Example.org", &user, &err));
	assert_string_equal(user->id, id);
	assert_string_equal(user->username, "Emile.D");
	assert_string_equal(user->first_name, "\xc3\x89mile");
	assert_string_equal(user->last_name, "D\xc3\xbcrr");
	assert_int_equal(strncmp(user->password, "$2b$10$", 7), 0);
	assert_string_equal(user->created_at, "2026-11-23 17:49:27.319");
	assert_true(user->enabled);
	assert_false(user->odd);
	assert_int_equal(user->role_count, 2);
	assert_string_equal(user->roles[0].name, "manager");
	assert_string_equal(user->roles[1].name, "public");
	assert_true(hxb_user_has_role(user, "public"));
	assert_false(hxb_user_has_role(user, "admin"));
	hxb_user_free(user);

	assert_ok(hxb_store_user(store, HXB_BY_ID, id, &user, &err));
	assert_string_equal(user->username, "Emile.D");
	hxb_user_free(user);

	/* Exact to the letter. */
	assert_result(hxb_store_user(store, HXB_BY_USERNAME, "emile.d", &user, &err), HXB_NOT_FOUND);
	assert_null(user);
	assert_result(
	    hxb_store_user(store, HXB_BY_EMAIL, "emile.durr@example.org", &user, &err), HXB_NOT_FOUND);
	assert_result(hxb_store_user(store, HXB_BY_ID, "", &user, &err), HXB_NOT_FOUND);
	assert_result(hxb_store_user(store, HXB_BY_ID, "' OR 1=1 --", &user, &err), HXB_NOT_FOUND);
	hxb_user_free(NULL);
	hxb_store_close(store);
	hxb_store_close(NULL);
}

static void
chat_visitors_are_nobody(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	struct hxb_user *user;
	unsigned count = 0;
	char id[64];

	(void)state;
	make_store(path);
	snprintf(id, sizeof(id), "%s", sql_text(path, "SELECT id FROM users WHERE username = 'visitor'"));
	/* One of them has come by a role. */
	sql(path, "INSERT INTO user_roles SELECT %Q, id FROM roles WHERE name = 'admin'", id);
	store = open_store(path);
	assert_result(hxb_store_user(store, HXB_BY_ID, id, &user, &err), HXB_NOT_FOUND);
	assert_result(hxb_store_user(store, HXB_BY_USERNAME, "visitor", &user, &err), HXB_NOT_FOUND);
	assert_ok(read_all(store, 100, count_user, &count));
	assert_int_equal(count, 13);
	assert_ok(hxb_store_count_enabled(store, "admin", &count, &err));
	assert_int_equal(count, 2); /* admin and ada; alan is disabled */

	assert_ok(hxb_store_begin(store, &err));
	assert_result(hxb_store_set_enabled(store, id, false, &err), HXB_CONFLICT);
	assert_result(hxb_store_set_password(store, id, NULL, "$2!x", &err), HXB_CONFLICT);
	assert_result(hxb_store_park(store, id, "$2!x", &err), HXB_CONFLICT);
	hxb_store_rollback(store);
	hxb_store_close(store);
}

static void
only_the_integer_1_is_enabled(void **state)
{
	static const struct {
		const char *value;
		bool enabled;
	} cases[] = {
		{ "1", true },
		{ "1.0", true }, /* the column makes an integer of it */
		{ "0", false },
		{ "2", false },
		{ "-1", false },
		{ "256", false },
		{ "4294967297", false },
		{ "NULL", false },
		{ "'true'", false },
		{ "'false'", false },
		{ "'yes'", false },
		{ "''", false },
		{ "0.5", false },
		{ "1.5", false },
		{ "x'01'", false },
		{ "x'31'", false },
	};
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	struct hxb_user *user;

	(void)state;
	make_store(path);
	store = open_store(path);
	for (size_t i = 0; i < COUNT(cases); i++) {
		sql(path,
		    "UPDATE users SET state = %s WHERE username = 'mona'; UPDATE roles SET active = "
		    "coalesce(%s, 0) WHERE name = 'manager'",
		    cases[i].value, cases[i].value);
		user = read_user(store, "mona");
		if (user->enabled != cases[i].enabled ||
		    hxb_user_has_role(user, "manager") != cases[i].enabled)
			fail_msg("state = %s: enabled %d", cases[i].value, user->enabled);
		assert_int_equal(user->role_count, 1); /* inactive ones are shown */
		hxb_user_free(user);
	}
	hxb_store_close(store);
}

static void
roles_that_are_no_more_are_left_out(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	struct hxb_user *user;

	(void)state;
	make_store(path);
	/* sqlite3's foreign keys are off unless asked for: so orphans come about */
	sql(path,
	    "DELETE FROM roles WHERE name = 'manager'; INSERT INTO user_roles VALUES ('nobody', 'nothing')");
	store = open_store(path);
	user = read_user(store, "ada");
	assert_int_equal(user->role_count, 1);
	assert_string_equal(user->roles[0].name, "admin");
	hxb_user_free(user);
	user = read_user(store, "rita");
	assert_int_equal(user->role_count, 1);
	assert_false(user->roles[0].active);
	assert_false(hxb_user_has_role(user, "retired"));
	hxb_user_free(user);
	hxb_store_close(store);
}

static enum hxb_result
expect_odd(const struct hxb_user *user, void *context, struct hxb_error *error)
{
	bool *seen = context;

	(void)error;
	if (strncmp(user->id, "odd-", 4) == 0) {
		assert_true(user->odd);
		seen[user->id[4] - '0'] = true;
	} else if (strncmp(user->id, "fine-", 5) == 0) {
		assert_false(user->odd);
		seen[user->id[5] - '0'] = true;
	}
	return HXB_OK;
}

static void
text_with_a_nul_is_odd(void **state)
{
	const char *path = in_dir("store.sqlite");
	bool seen[8] = { false };
	struct hxb_store *store;
	struct hxb_user *user;

	(void)state;
	make_store(path);
	sql(path,
	    "INSERT INTO users (id, firstName, lastName, type, username, email, password, state) VALUES"
	    " ('odd-0' || char(0) || 'x', 'a', 'b', 'UserOrmEntity', 'first', 'a@x', 'x', 1),"
	    " ('odd-1', 'a', 'b', 'UserOrmEntity', 'root' || char(0) || 'x', 'b@x', 'x', 1),"
	    " ('odd-2', 'a', 'b', 'UserOrmEntity', NULL, NULL, NULL, 1),"
	    " ('odd-3', 'a', 'b', 'UserOrmEntity', x'6d6f6e61', x'00', x'2432', 1),"
	    " (x'6f64642d34', 'a', 'b', 'UserOrmEntity', 'blob', 'd@x', 'x', 1),"
	    " ('fine-5', x'00', 'b' || char(0), 'UserOrmEntity', 'fine', 'e@x', 'a' || char(0) || 'b', 1),"
	    " ('fine-6', '', '', 'UserOrmEntity', 'a' || char(10) || ':b', 'f@x', '', 1)");
	store = open_store(path);
	assert_ok(read_all(store, 3, expect_odd, seen));
	/* An id that is no text has no text. */
	assert_true(seen[0] && seen[1] && seen[2] && seen[3] && !seen[4] && seen[5] && seen[6]);
	assert_ok(hxb_store_user(store, HXB_BY_ID, "fine-5", &user, &err));
	assert_null(user->password);
	assert_string_equal(user->first_name, "");
	assert_string_equal(user->last_name, "b");
	hxb_user_free(user);
	/* A blob is not the text of the same bytes. */
	user = read_user(store, "mona");
	assert_string_equal(user->first_name, "Mona");
	hxb_user_free(user);
	hxb_store_close(store);
}

static void
a_role_whose_name_or_id_holds_a_nul_gives_nothing(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	struct hxb_user *user;

	(void)state;
	make_store(path);
	sql(path,
	    "INSERT INTO roles (id, name) VALUES ('r1', 'admin' || char(0)), ('r2' || char(0) || 'x', "
	    "'super'), ('r3', x'61646d696e');"
	    "INSERT INTO user_roles SELECT users.id, roles.id FROM users, roles WHERE username = 'mona' AND "
	    "substr(roles.id, 1, 2) IN ('r1', 'r2', 'r3')");
	store = open_store(path);
	user = read_user(store, "mona");
	assert_int_equal(user->role_count, 4);
	for (size_t i = 0; i < user->role_count; i++) {
		if (user->roles[i].active)
			assert_string_equal(user->roles[i].name, "manager");
		else
			assert_string_equal(
			    user->roles[i].name, ""); /* it must not be taken for another one's */
	}
	hxb_user_free(user);
	hxb_store_close(store);
}

static void
what_is_no_hash_is_no_password(void **state)
{
	static const struct {
		const char *value;
		const char *password;
	} cases[] = {
		{ "NULL", NULL },
		{ "''", "" },
		{ "'$6$abc$def'", "$6$abc$def" },
		{ "'$2!held.x'", "$2!held.x" },
		{ "12345678", "12345678" }, /* made text by the column */
		{ "x'2432'", NULL },
		{ "'a' || char(0)", NULL },
		{ "printf('%%.*c', 121, 'x')",
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" },
		{ "printf('%%.*c', 122, 'x')", NULL },
		{ "printf('%%.*c', 100000, 'x')", NULL },
	};
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	struct hxb_user *user;
	char statement[256];

	(void)state;
	make_store(path);
	store = open_store(path);
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(statement, sizeof(statement),
		    "UPDATE users SET password = %s WHERE username = 'mona'", cases[i].value);
		sql(path, statement);
		user = read_user(store, "mona");
		if (cases[i].password == NULL)
			assert_null(user->password);
		else
			assert_string_equal(user->password, cases[i].password);
		hxb_user_free(user);
	}
	hxb_store_close(store);
}

static void
a_visitors_huge_row_stops_nobody(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	struct hxb_user *user;
	unsigned count = 0;

	(void)state;
	make_store(path);
	/* What comes in over the web channel may be of any size. */
	sql(path, "UPDATE users SET channelData = zeroblob(9000000) WHERE username = 'visitor'");
	store = open_store(path);
	assert_ok(read_all(store, 100, count_user, &count));
	assert_int_equal(count, 13);
	sql(path, "UPDATE users SET channelData = zeroblob(9000000) WHERE username = 'mona'");
	user = read_user(store, "mona");
	hxb_user_free(user);
	assert_ok(hxb_store_begin(store, &err));
	hxb_store_rollback(store);
	hxb_store_close(store);
}

static void
columns_are_found_by_name(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	struct hxb_user *user;

	(void)state;
	make_store(path);
	sql(path,
	    "CREATE TABLE u2 (extra, password varchar, state boolean, type varchar, lastName varchar, "
	    "firstName varchar, email varchar,"
	    " username varchar, updated_at datetime, created_at datetime, reset_token text, id varchar "
	    "PRIMARY KEY NOT NULL);"
	    "INSERT INTO u2 (id, created_at, updated_at, username, email, firstName, lastName, type, state, "
	    "password)"
	    " SELECT id, created_at, updated_at, username, email, firstName, lastName, type, state, password "
	    "FROM users;"
	    "DROP TABLE users; ALTER TABLE u2 RENAME TO users;"
	    "CREATE TABLE r2 (active boolean, name varchar, id varchar PRIMARY KEY NOT NULL);"
	    "INSERT INTO r2 SELECT active, name, id FROM roles; DROP TABLE roles; ALTER TABLE r2 RENAME TO "
	    "roles");
	store = open_store(path);
	user = read_user(store, "mona");
	assert_string_equal(user->email, "mona@example.org");
	assert_string_equal(user->last_name, "Lind");
	assert_true(user->enabled && hxb_user_has_role(user, "manager"));
	hxb_user_free(user);
	hxb_store_close(store);
}

static enum hxb_result
remember_names(const struct hxb_user *user, void *context, struct hxb_error *error)
{
	char *names = context;

	(void)error;
	strcat(names, user->username);
	strcat(names, " ");
	return HXB_OK;
}

static enum hxb_result
give_up(const struct hxb_user *user, void *context, struct hxb_error *error)
{
	unsigned *count = context;

	(void)user;
	(*count)++;
	return hxb_fail(error, HXB_REFUSED, "enough");
}

static enum hxb_result
remember_role(const struct hxb_role *role, void *context, struct hxb_error *error)
{
	char *names = context;

	(void)error;
	strcat(names, role->name);
	strcat(names, role->active ? " " : "! ");
	return HXB_OK;
}

static void
users_come_in_slices_and_roles_by_name(void **state)
{
	static const unsigned limits[] = { 1, 2, 3, 12, 13, 14, 500 };
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	char names[512];
	unsigned count = 0;

	(void)state;
	make_store(path);
	store = open_store(path);
	for (size_t i = 0; i < COUNT(limits); i++) {
		names[0] = '\0';
		assert_ok(read_all(store, limits[i], remember_names, names));
		assert_string_equal(
		    names, "admin mona max pia paul ada alan norole zoe Emile.D odd user rita pending ");
	}
	assert_result(read_all(store, 5, give_up, &count), HXB_REFUSED);
	assert_int_equal(count, 1);
	names[0] = '\0';
	assert_ok(hxb_store_roles(store, remember_role, names, &err));
	assert_string_equal(names, "admin manager operators public retired! ");
	hxb_store_close(store);
}

static void
the_version_tells_of_others_writing(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	int64_t one, two;

	(void)state;
	make_store(path);
	store = open_store(path);
	assert_ok(hxb_store_version(store, &one, &err));
	assert_ok(hxb_store_version(store, &two, &err));
	assert_true(one == two);
	sql(path, "UPDATE users SET state = 0 WHERE username = 'mona'");
	assert_ok(hxb_store_version(store, &two, &err));
	assert_true(one != two);
	hxb_store_close(store);
}

/* Sharing the file */

static void
a_killed_writers_journal_is_rolled_back(void **state)
{
	const char *path = in_dir("store.sqlite"), *journal = in_dir("store.sqlite-journal");
	struct hxb_store *store;
	struct hxb_user *user;
	struct stat st;
	pid_t pid;

	(void)state;
	make_store(path);
	sql(path, "CREATE TABLE messages (text); UPDATE users SET state = 0 WHERE username = 'mona'");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		sqlite3 *db = NULL;

		sqlite3_open(path, &db);
		/* So much that pages go to the file before the commit. */
		sqlite3_exec(db,
		    "PRAGMA cache_size = 5; BEGIN IMMEDIATE; UPDATE users SET state = 1, password = 'x';"
		    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
		    " INSERT INTO messages SELECT printf('%.*c', 500, 'x') FROM n",
		    NULL, NULL, NULL);
		kill(getpid(), SIGKILL);
		_exit(0);
	}
	assert_int_equal(wait_child(pid), 128 + SIGKILL);
	assert_int_equal(stat(journal, &st), 0);
	assert_true(st.st_size > 512);

	store = open_store(path);
	user = read_user(store, "mona");
	assert_false(user->enabled);
	assert_int_equal(strncmp(user->password, "$2b$12$", 7), 0);
	hxb_user_free(user);
	hxb_store_close(store);
	assert_true(stat(journal, &st) == -1 || st.st_size == 0);
	assert_string_equal(sql_text(path, "PRAGMA integrity_check"), "ok");
}

static void
a_store_with_a_log_stays_one(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	struct hxb_user *user;
	sqlite3 *hexabot = NULL;
	char id[64];

	(void)state;
	make_store(path);
	snprintf(id, sizeof(id), "%s", user_id(path, "mona"));
	sql(path, "PRAGMA journal_mode = WAL");
	assert_int_equal(sqlite3_open(path, &hexabot), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(hexabot, "UPDATE users SET state = 0 WHERE username = 'max'", NULL, NULL, NULL), 0);
	store = open_store(path);
	assert_ok(hxb_store_begin(store, &err));
	assert_ok(hxb_store_set_enabled(store, id, false, &err));
	assert_ok(hxb_store_commit(store, &err));
	user = read_user(store, "mona");
	assert_false(user->enabled);
	hxb_user_free(user);
	hxb_store_close(store);
	assert_int_equal(sqlite3_close(hexabot), SQLITE_OK);
	assert_string_equal(sql_text(path, "PRAGMA journal_mode"), "wal");
	assert_int_equal(sql_number(path, "SELECT state FROM users WHERE username = 'mona'"), 0);
	/* And the other way round. */
	sql(path, "PRAGMA journal_mode = DELETE");
	store = open_store(path);
	hxb_store_close(store);
	assert_string_equal(sql_text(path, "PRAGMA journal_mode"), "delete");
}

static void
a_lock_is_waited_for_until_the_deadline(void **state)
{
	static const char *const journals[] = { "DELETE", "WAL" };
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	struct standing standing = present_standing();
	long began, took;
	pid_t pid;

	(void)state;
	make_store(path);
	for (size_t i = 0; i < COUNT(journals); i++) {
		sql(path, "PRAGMA journal_mode = %s", journals[i]);
		store = open_store(path);
		pid = hold_lock(path, "BEGIN EXCLUSIVE");
		began = milliseconds();
		hxb_store_set_deadline(store, hxb_deadline_in(DEADLINE));
		assert_result(hxb_store_begin(store, &err), HXB_BUSY);
		took = milliseconds() - began;
		assert_true(took >= DEADLINE - 20 && took < DEADLINE + 500);
		assert_standing(&standing);
		assert_contains(err.text, "another process holds its lock");
		/* No time is left: no further wait. */
		assert_result(hxb_store_begin(store, &err), HXB_BUSY);
		assert_true(milliseconds() - began < took + 300);
		hxb_store_close(store);
		end_child(pid);
	}
	sql(path, "PRAGMA journal_mode = DELETE");
	pid = hold_lock(path, "BEGIN EXCLUSIVE");
	began = milliseconds();
	assert_result(hxb_store_open(path, geteuid(), hxb_deadline_in(DEADLINE), &store, &err), HXB_BUSY);
	took = milliseconds() - began;
	assert_true(took >= DEADLINE - 20 && took < DEADLINE + 500);
	assert_null(store);
	assert_standing(&standing);
	end_child(pid);
	assert_ok(try_open(path));
}

static void
a_readers_lock_does_not_outlast_the_deadline_of_a_commit(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct standing standing = present_standing();
	struct hxb_store *store;
	char id[64];
	pid_t pid;

	(void)state;
	make_store(path);
	snprintf(id, sizeof(id), "%s", user_id(path, "mona"));
	store = open_store(path);
	pid = hold_lock(path, "BEGIN; SELECT * FROM users");
	hxb_store_set_deadline(store, hxb_deadline_in(DEADLINE));
	assert_ok(hxb_store_begin(store, &err));
	assert_ok(hxb_store_set_enabled(store, id, false, &err));
	assert_result(hxb_store_commit(store, &err), HXB_BUSY);
	assert_standing(&standing);
	assert_result(hxb_store_commit(store, &err), HXB_FAILED); /* it was rolled back */
	end_child(pid);
	hxb_store_set_deadline(store, hxb_deadline_in(HXB_CTL_DEADLINE));
	assert_ok(hxb_store_begin(store, &err));
	assert_ok(hxb_store_commit(store, &err));
	hxb_store_close(store);
	assert_int_equal(sql_number(path, "SELECT state FROM users WHERE username = 'mona'"), 1);
}

static void
a_statement_ends_at_the_deadline(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	unsigned count = 0;

	(void)state;
	make_store(path);
	sql(path,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
	    " INSERT INTO users (id, firstName, lastName, type, username, state)"
	    " SELECT printf('id%%d', i), 'a', 'b', 'SubscriberOrmEntity', printf('u%%d', i), 1 FROM n WHERE "
	    "0;"
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
	    " INSERT INTO users (id, firstName, lastName, type, username, state)"
	    " SELECT printf('id%%d', i), 'a', 'b', 'UserOrmEntity', printf('u%%d', i), 1 FROM n");
	store = open_store(path);
	hxb_store_set_deadline(store, hxb_deadline_in(0));
	assert_result(read_all(store, 50000, count_user, &count), HXB_BUSY);
	assert_int_equal(count, 0);
	hxb_store_close(store);
}

/* What is written */

static struct hxb_store *writing;

static struct hxb_store *
begin_writing(const char *path)
{
	writing = open_store(path);
	assert_ok(hxb_store_begin(writing, &err));
	return writing;
}

static void
end_writing(void)
{
	assert_ok(hxb_store_commit(writing, &err));
	hxb_store_close(writing);
}

static void
state_and_roles_are_written_as_hexabot_does(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	char id[64], admin[64], before[64];

	(void)state;
	make_store(path);
	snprintf(id, sizeof(id), "%s", user_id(path, "mona"));
	snprintf(admin, sizeof(admin), "%s", sql_text(path, "SELECT id FROM roles WHERE name = 'admin'"));
	snprintf(before, sizeof(before), "%s",
	    sql_text(path, "SELECT group_concat(quote(updated_at)) FROM users WHERE id <> %Q", id));
	store = begin_writing(path);
	assert_ok(hxb_store_set_enabled(store, id, false, &err));
	assert_ok(hxb_store_add_role(store, id, admin, &err));
	assert_ok(hxb_store_add_role(store, id, admin, &err)); /* twice is once */
	end_writing();
	assert_string_equal(
	    sql_text(path, "SELECT typeof(state) || state FROM users WHERE id = %Q", id), "integer0");
	assert_int_equal(sql_number(path, "SELECT count(*) FROM user_roles WHERE user_id = %Q", id), 2);
	assert_int_equal(sql_number(path,
	                     "SELECT updated_at GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9] "
	                     "[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]'"
	                     " AND updated_at <> '2026-11-23 17:41:27.319' FROM users WHERE id = %Q",
	                     id),
	    1);
	store = begin_writing(path);
	assert_ok(hxb_store_set_enabled(store, id, true, &err));
	assert_ok(hxb_store_remove_role(store, id, admin, &err));
	assert_ok(hxb_store_remove_role(store, id, admin, &err));
	end_writing();
	assert_int_equal(sql_number(path, "SELECT state FROM users WHERE id = %Q", id), 1);
	assert_int_equal(sql_number(path, "SELECT count(*) FROM user_roles WHERE user_id = %Q", id), 1);
	/* Nobody else's row was touched. */
	assert_int_equal(
	    strncmp(sql_text(path, "SELECT group_concat(quote(updated_at)) FROM users WHERE id <> %Q", id),
	        before, strlen(before)),
	    0);
	assert_string_equal(sql_text(path,
	                        "SELECT group_concat(state, '') FROM (SELECT state FROM users WHERE type = "
	                        "'UserOrmEntity' ORDER BY rowid)"),
	    "1101010111110");
	assert_string_equal(sql_text(path, "PRAGMA integrity_check"), "ok");
}

static void
rows_that_are_no_more_are_a_conflict(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	char id[64];

	(void)state;
	make_store(path);
	snprintf(id, sizeof(id), "%s", user_id(path, "mona"));
	store = begin_writing(path);
	assert_result(hxb_store_set_enabled(store, "nobody", false, &err), HXB_CONFLICT);
	assert_result(hxb_store_set_password(store, "nobody", NULL, "x", &err), HXB_CONFLICT);
	assert_result(hxb_store_add_role(store, "nobody", "nothing", &err), HXB_CONFLICT);
	assert_result(hxb_store_remove_role(store, "nobody", "nothing", &err), HXB_CONFLICT);
	/* a role that Hexabot removed meanwhile: no orphan is made */
	assert_result(hxb_store_add_role(store, id, "nothing", &err), HXB_CONFLICT);
	hxb_store_rollback(store);
	hxb_store_rollback(store);
	hxb_store_close(store);
	assert_int_equal(sql_number(path, "SELECT count(*) FROM user_roles WHERE role_id = 'nothing'"), 0);
}

static void
a_password_that_changed_meanwhile_is_not_overwritten(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	struct hxb_user *user;

	(void)state;
	make_store(path);
	sql(path, "UPDATE users SET reset_token = 'token' WHERE username = 'mona'");
	store = open_store(path);
	user = read_user(store, "mona");
	sql(path, "UPDATE users SET password = '$2b$12$other' WHERE username = 'mona'");
	assert_ok(hxb_store_begin(store, &err));
	assert_result(
	    hxb_store_set_password(store, user->id, user->password, "$2b$12$new", &err), HXB_CONFLICT);
	/* nor one that differs in case, or is no more */
	assert_result(
	    hxb_store_set_password(store, user->id, "$2B$12$OTHER", "$2b$12$new", &err), HXB_CONFLICT);
	assert_result(hxb_store_set_password(store, user->id, "", "$2b$12$new", &err), HXB_CONFLICT);
	assert_ok(hxb_store_set_password(store, user->id, "$2b$12$other", "$2b$12$new", &err));
	assert_ok(hxb_store_commit(store, &err));
	assert_string_equal(
	    sql_text(path, "SELECT password FROM users WHERE username = 'mona'"), "$2b$12$new");
	/* A reset link that is on its way is void. */
	assert_null(sql_text(path, "SELECT reset_token FROM users WHERE username = 'mona'"));
	sql(path, "UPDATE users SET password = NULL WHERE username = 'mona'");
	assert_ok(hxb_store_begin(store, &err));
	assert_result(hxb_store_set_password(store, user->id, "", "$2b$12$new", &err), HXB_CONFLICT);
	assert_ok(hxb_store_set_password(store, user->id, NULL, "$2b$12$new", &err));
	hxb_store_rollback(store);
	hxb_user_free(user);
	hxb_store_close(store);
	assert_null(sql_text(path, "SELECT password FROM users WHERE username = 'mona'"));
}

static void
parking_gives_back_every_byte(void **state)
{
	static const char *const passwords[] = {
		"'$2b$12$lBts50Jx9M08wfz7BaOEL.b4/vJse5pfyJy20rUt.VqqPc0DS8tQu'",
		"NULL",
		"''",
		"x''",
		"x'00ff2432'",
		"'a' || char(0) || 'b'",
		"'\xc3\xa9'",
		"x'c3'",
		"CAST(x'ff' AS TEXT)",
		"printf('%.*c', 100000, 'x')",
	};
	const char *path = in_dir("store.sqlite");
	struct hxb_parked parked;
	struct hxb_store *store;
	char id[64], statement[256], before[4096];

	(void)state;
	make_store(path);
	snprintf(id, sizeof(id), "%s", user_id(path, "ada"));
	for (size_t i = 0; i < COUNT(passwords); i++) {
		snprintf(statement, sizeof(statement),
		    "UPDATE users SET password = %s WHERE username = 'ada'", passwords[i]);
		sql(path, "%s", statement);
		snprintf(before, sizeof(before), "%s",
		    sql_text(path,
		        "SELECT typeof(password) || quote(password) FROM users WHERE username = 'ada'"));
		store = begin_writing(path);
		assert_ok(hxb_store_read_parked(store, id, &parked, &err));
		assert_ok(hxb_store_park(store, id, "$2!held.x", &err));
		end_writing();
		assert_string_equal(
		    sql_text(path, "SELECT password FROM users WHERE username = 'ada'"), "$2!held.x");
		assert_int_equal(
		    sql_number(path, "SELECT count(*) FROM user_roles WHERE user_id = %Q", id), 0);
		/* What Hexabot does meanwhile goes. */
		sql(path, "INSERT INTO user_roles SELECT %Q, id FROM roles WHERE name = 'operators'", id);
		store = begin_writing(path);
		assert_ok(hxb_store_unpark(store, id, &parked, &err));
		end_writing();
		hxb_parked_clear(&parked);
		assert_string_equal(
		    sql_text(
		        path, "SELECT typeof(password) || quote(password) FROM users WHERE username = 'ada'"),
		    before);
		assert_string_equal(sql_text(path,
		                        "SELECT group_concat(name) FROM (SELECT name FROM user_roles JOIN "
		                        "roles ON id = role_id WHERE user_id = %Q ORDER BY name)",
		                        id),
		    "admin,manager");
	}
}

static void
a_parked_role_that_is_no_more_is_left_out(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_parked parked;
	struct hxb_store *store;
	char id[64];

	(void)state;
	make_store(path);
	snprintf(id, sizeof(id), "%s", user_id(path, "ada"));
	store = begin_writing(path);
	assert_ok(hxb_store_read_parked(store, id, &parked, &err));
	assert_ok(hxb_store_park(store, id, "$2!held.x", &err));
	end_writing();
	sql(path,
	    "DELETE FROM user_roles WHERE role_id IN (SELECT id FROM roles WHERE name = 'admin'); DELETE "
	    "FROM roles WHERE name = 'admin'");
	store = begin_writing(path);
	assert_ok(hxb_store_unpark(store, id, &parked, &err));
	assert_result(hxb_store_unpark(store, "nobody", &parked, &err), HXB_CONFLICT);
	end_writing();
	hxb_parked_clear(&parked);
	assert_string_equal(
	    sql_text(path,
	        "SELECT group_concat(name) FROM user_roles JOIN roles ON id = role_id WHERE user_id = %Q",
	        id),
	    "manager");
	store = begin_writing(path);
	assert_result(hxb_store_read_parked(store, "nobody", &parked, &err), HXB_NOT_FOUND);
	assert_null(parked.role_ids);
	end_writing();
}

/* A new store */

static void
assert_same_schema(const char *one, const char *other)
{
	static const char schema[] =
	    "SELECT group_concat(sql, char(10)) FROM (SELECT sql FROM sqlite_schema"
	    " WHERE tbl_name IN ('users', 'roles', 'user_roles') AND sql IS NOT NULL ORDER BY type, name)";
	char expected[4096];

	snprintf(expected, sizeof(expected), "%s", sql_text(one, schema));
	assert_string_equal(sql_text(other, schema), expected);
}

static int64_t
foreign_keys_while_writing(struct hxb_store *store)
{
	int64_t on = -1;

	assert_ok(hxb_store_begin(store, &err));
	assert_ok(hxb_db_number(&store->db, &on, &err, "PRAGMA foreign_keys", ""));
	hxb_store_rollback(store);
	return on;
}

/* Hexabot's first boot beside an open hexactl. */
static void
foreign_keys_count_as_soon_as_all_their_tables_are_there(void **state)
{
	const char *path = in_dir("new.sqlite");
	struct hxb_store *store;

	(void)state;
	assert_ok(hxb_store_create(path, &err));
	store = open_store(path);
	assert_int_equal(foreign_keys_while_writing(store), 0);
	sql(path, "CREATE TABLE attachments (id PRIMARY KEY); CREATE TABLE sources (id PRIMARY KEY)");
	assert_int_equal(foreign_keys_while_writing(store), 1);
	hxb_store_close(store);
}

static void
a_new_store_has_exactly_hexabots_three_tables(void **state)
{
	const char *path = in_dir("new.sqlite"), *copy = in_dir("fixture.sqlite");
	char command[1024];
	struct hxb_store *store;
	struct stat st;

	(void)state;
	assert_ok(hxb_store_create(path, &err));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(sql_number(path, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"), 3);
	assert_int_equal(
	    sql_number(path, "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"),
	    9);
	assert_string_equal(
	    sql_text(path, "SELECT group_concat(name) FROM (SELECT name FROM roles ORDER BY name)"),
	    "admin,manager,public");
	assert_int_equal(sql_number(path,
	                     "SELECT count(*) FROM roles WHERE length(id) = 36 AND active = 1 AND created_at "
	                     "LIKE '20__-__-__ __:__:__.___'"),
	    3);
	assert_string_equal(sql_text(path, "PRAGMA journal_mode"), "delete");
	assert_int_equal(sql_number(path, "PRAGMA user_version"), 0);
	assert_int_equal(sql_number(path, "PRAGMA application_id"), 0);
	store = open_store(path);
	hxb_store_close(store);

	assert_result(hxb_store_create(path, &err), HXB_REFUSED);
	assert_ok(try_open(path)); /* it was left alone */
	assert_result(hxb_store_create(in_dir("absent/new.sqlite"), &err), HXB_REFUSED);

	if (access("../shared/fixtures/hexabot-3.5.0-fresh.sqlite", R_OK) == -1)
		return;
	snprintf(command, sizeof(command), "cp ../shared/fixtures/hexabot-3.5.0-fresh.sqlite '%s'", copy);
	assert_int_equal(system(command), 0);
	assert_same_schema(copy, path);
}

static void
a_new_store_is_made_in_a_trusted_place_only(void **state)
{
	(void)state;
	mkdir(in_dir("open"), 0755);
	chmod(in_dir("open"), 0777);
	write_file(in_dir("open/new.sqlite-journal"), "a journal that somebody has put there", 0644);
	assert_result(hxb_store_create(in_dir("open/new.sqlite"), &err), HXB_UNREADABLE);
	assert_int_equal(access(in_dir("open/new.sqlite"), F_OK), -1);
	assert_int_equal(access(in_dir("open/new.sqlite-journal"), F_OK), 0);
	if (geteuid() != 0)
		return;
	give_away(in_dir("open"), SOMEBODY, 0755);
	assert_result(hxb_store_create(in_dir("open/new.sqlite"), &err), HXB_UNREADABLE);
}

/* As whom */

static void
files_beside_the_store_are_its_owners(void **state)
{
	const char *path = in_dir("d/store.sqlite"), *journal = in_dir("d/store.sqlite-journal");
	struct standing standing = present_standing();
	struct hxb_store *store;
	struct stat st;
	char id[64];

	(void)state;
	ROOT_ONLY();
	if (!others_can_enter())
		skip();
	mkdir(in_dir("d"), 0755);
	make_store(path);
	snprintf(id, sizeof(id), "%s", user_id(path, "mona"));
	give_away(path, SOMEBODY, 0640);
	give_away(in_dir("d"), SOMEBODY, 0755);

	assert_ok(hxb_store_open(path, SOMEBODY, hxb_deadline_in(HXB_CTL_DEADLINE), &store, &err));
	assert_standing(&standing);
	assert_ok(hxb_store_begin(store, &err));
	assert_int_equal(setfsuid((uid_t)-1), SOMEBODY);
	assert_int_equal(setfsgid((gid_t)-1), SOMEBODY);
	assert_ok(hxb_store_set_enabled(store, id, false, &err));
	assert_int_equal(stat(journal, &st), 0);
	assert_int_equal(st.st_uid, SOMEBODY);
	assert_int_equal(st.st_gid, SOMEBODY);
	assert_ok(hxb_store_commit(store, &err));
	assert_standing(&standing);
	/* With a log, too: it stays there. */
	hxb_store_close(store);
	sql(path, "PRAGMA journal_mode = WAL");
	assert_ok(hxb_store_open(path, SOMEBODY, hxb_deadline_in(HXB_CTL_DEADLINE), &store, &err));
	assert_ok(hxb_store_begin(store, &err));
	assert_ok(hxb_store_set_enabled(store, id, true, &err));
	assert_ok(hxb_store_commit(store, &err));
	assert_int_equal(stat(in_dir("d/store.sqlite-wal"), &st), 0);
	assert_int_equal(st.st_uid, SOMEBODY);
	assert_int_equal(stat(in_dir("d/store.sqlite-shm"), &st), 0);
	assert_int_equal(st.st_uid, SOMEBODY);
	hxb_store_close(store);
	assert_standing(&standing);
}

static void
the_owner_can_do_no_more_through_us_than_alone(void **state)
{
	const char *path = in_dir("d/store.sqlite");
	struct hxb_store *store;
	struct stat st;
	char id[64];

	(void)state;
	ROOT_ONLY();
	if (!others_can_enter())
		skip();
	mkdir(in_dir("d"), 0755);
	make_store(path);
	snprintf(id, sizeof(id), "%s", user_id(path, "mona"));
	/* The owner may not read this one. */
	give_away(path, SOMEBODY, 0000);
	give_away(in_dir("d"), SOMEBODY, 0755);
	assert_result(hxb_store_open(path, SOMEBODY, hxb_deadline_in(1000), &store, &err), HXB_UNREADABLE);
	/* Where its journal would be is a link to a file of root's: that one is not written. */
	give_away(path, SOMEBODY, 0600);
	write_file(in_dir("secret"), "root's own", 0600);
	assert_int_equal(symlink(in_dir("secret"), in_dir("d/store.sqlite-journal")), 0);
	if (hxb_store_open(path, SOMEBODY, hxb_deadline_in(1000), &store, &err) == HXB_OK) {
		if (hxb_store_begin(store, &err) == HXB_OK)
			assert_result(hxb_store_set_enabled(store, id, false, &err), HXB_UNREADABLE);
		hxb_store_close(store);
	}
	assert_int_equal(stat(in_dir("secret"), &st), 0);
	assert_int_equal(st.st_size, strlen("root's own"));
	/* Another owner than the recorded one. */
	unlink(in_dir("d/store.sqlite-journal"));
	assert_result(
	    hxb_store_open(path, SOMEBODY + 1, hxb_deadline_in(1000), &store, &err), HXB_UNREADABLE);
}

static void
nothing_of_the_bracket_remains_after_an_error(void **state)
{
	const char *path = in_dir("d/store.sqlite");
	struct standing standing = present_standing();
	struct hxb_store *store;
	struct hxb_user *user;
	uid_t owner = geteuid() == 0 ? SOMEBODY : geteuid();
	struct hxb_slice slice = { .limit = 10 };
	int64_t version;
	unsigned count = 0;

	(void)state;
	if (geteuid() == 0 && !others_can_enter())
		skip();
	mkdir(in_dir("d"), 0755);
	make_store(path);
	sql(path, "ALTER TABLE users RENAME COLUMN password TO secret");
	if (geteuid() == 0) {
		give_away(path, SOMEBODY, 0640);
		give_away(in_dir("d"), SOMEBODY, 0755);
	}
	assert_ok(hxb_store_open(path, owner, hxb_deadline_in(HXB_CTL_DEADLINE), &store, &err));
	assert_result(hxb_store_user(store, HXB_BY_ID, "x", &user, &err), HXB_UNREADABLE);
	assert_standing(&standing);
	assert_result(hxb_store_users(store, &slice, count_user, &count, &err), HXB_UNREADABLE);
	assert_standing(&standing);
	assert_ok(hxb_store_begin(store, &err));
	assert_result(hxb_store_set_password(store, "x", NULL, "y", &err), HXB_UNREADABLE);
	assert_result(hxb_store_user(store, HXB_BY_ID, "x", &user, &err), HXB_UNREADABLE);
	assert_result(hxb_store_begin(store, &err), HXB_UNREADABLE); /* in a transaction already */
	hxb_store_rollback(store);
	assert_standing(&standing);
	assert_ok(hxb_store_version(store, &version, &err));
	assert_standing(&standing);
	/* Closed in the middle of a transaction. */
	assert_ok(hxb_store_begin(store, &err));
	hxb_store_close(store);
	assert_standing(&standing);
}

static void
a_callers_ids_are_shielded_and_given_back(void **state)
{
	const gid_t theirs[] = { SOMEBODY + 3, SOMEBODY + 4 };
	struct standing before, within;
	struct hxb_bracket bracket = { .depth = 0 };
	gid_t groups[COUNT(theirs)];
	int death = 0;
	pid_t pid;

	(void)state;
	ROOT_ONLY();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* As su is: the caller's real id, root's effective and saved one. */
		if (setgroups(COUNT(theirs), theirs) == -1 || setresuid(SOMEBODY, 0, 0) == -1 ||
		    prctl(PR_SET_PDEATHSIG, SIGUSR1) == -1)
			_exit(9);
		before = present_standing();
		if (hxb_bracket_enter(&bracket, SOMEBODY + 1, SOMEBODY + 2, &err) != HXB_OK)
			_exit(10);
		within = present_standing();
		if (within.uids[0] != 0 || within.uids[1] != 0 || within.uids[2] != 0 ||
		    within.uids[3] != SOMEBODY + 1 || within.gids[3] != SOMEBODY + 2 ||
		    sigismember(&within.signals, SIGTSTP) != 1 || sigismember(&within.signals, SIGTERM) != 1)
			_exit(11);
		if (getgroups(0, NULL) != 0)
			_exit(18);
		if (hxb_bracket_enter(&bracket, 0, 0, &err) != HXB_OK)
			_exit(12);
		hxb_bracket_leave(&bracket);
		if (setfsuid((uid_t)-1) != SOMEBODY + 1) /* the inner one ends nothing */
			_exit(13);
		hxb_bracket_leave(&bracket);
		within = present_standing();
		if (memcmp(within.uids, before.uids, sizeof(before.uids)) != 0 ||
		    memcmp(within.gids, before.gids, sizeof(before.gids)) != 0 ||
		    sigismember(&within.signals, SIGTSTP) != 0)
			_exit(14);
		if (getgroups(COUNT(groups), groups) != COUNT(groups) ||
		    memcmp(groups, theirs, sizeof(groups)) != 0)
			_exit(19);
		if (prctl(PR_GET_PDEATHSIG, &death) == -1 || death != SIGUSR1)
			_exit(20);
		hxb_bracket_leave(&bracket); /* once too often does nothing */
		/* Without root's power the owner can't be played. */
		if (setresuid(SOMEBODY, SOMEBODY, SOMEBODY) == -1)
			_exit(15);
		before = present_standing();
		if (hxb_bracket_enter(&bracket, SOMEBODY + 1, SOMEBODY + 1, &err) != HXB_UNREADABLE)
			_exit(16);
		within = present_standing();
		if (memcmp(within.uids, before.uids, sizeof(before.uids)) != 0 ||
		    sigismember(&within.signals, SIGTERM) != 0)
			_exit(17);
		_exit(0);
	}
	assert_int_equal(wait_child(pid), 0);
}

/* From here on these calls answer EIO; glibc hides that of setfsuid(2). */
static int
forbid_call(unsigned call)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = COUNT(filter), .filter = filter };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void
who_cannot_take_back_the_hosts_ids_ends(void **state)
{
	static const unsigned calls[] = { SYS_setgroups, SYS_setfsuid, SYS_setfsgid, SYS_setresuid };
	const gid_t theirs = SOMEBODY + 3;
	struct hxb_bracket bracket = { .depth = 0 };
	int status;
	pid_t pid;

	(void)state;
	ROOT_ONLY();
	for (size_t i = 0; i < COUNT(calls); i++) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			if (setgroups(1, &theirs) == -1 || setresuid(SOMEBODY, 0, 0) == -1 ||
			    hxb_bracket_enter(&bracket, SOMEBODY + 1, SOMEBODY + 2, &err) != HXB_OK ||
			    forbid_call(calls[i]) == -1)
				_exit(1);
			hxb_bracket_leave(&bracket);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGKILL);
	}
}

static void
a_caller_cannot_stop_us_while_a_lock_is_held(void **state)
{
	struct hxb_bracket bracket = { .depth = 0 };
	pid_t victim, attacker;
	int pipes[2];
	char byte;

	(void)state;
	ROOT_ONLY();
	assert_int_equal(pipe(pipes), 0);
	victim = fork();
	if (victim == 0) {
		if (setresuid(SOMEBODY, 0, 0) == -1 || hxb_bracket_enter(&bracket, 0, 0, &err) != HXB_OK)
			_exit(1);
		if (write(pipes[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	attacker = fork();
	if (attacker == 0) {
		if (setresuid(SOMEBODY, SOMEBODY, SOMEBODY) == -1)
			_exit(1);
		_exit(kill(victim, SIGSTOP) == -1 && errno == EPERM ? 0 : 2);
	}
	assert_int_equal(wait_child(attacker), 0);
	end_child(victim);
}

static void *
be_cancelled_within(void *context)
{
	struct hxb_bracket bracket = { .depth = 0 };
	bool *left = context;

	if (hxb_bracket_enter(&bracket, geteuid(), getegid(), &err) == HXB_OK) {
		pthread_cancel(pthread_self());
		pthread_testcancel();
		hxb_bracket_leave(&bracket);
		*left = true;
		pthread_testcancel();
	}
	return NULL;
}

static void
a_thread_is_not_cancelled_while_a_lock_is_held(void **state)
{
	bool left = false;
	pthread_t thread;
	void *result = NULL;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, be_cancelled_within, &left), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_true(left);
	assert_ptr_equal(result, PTHREAD_CANCELED); /* afterwards it may be */
}

/* POSIX locks are the process's: closing any descriptor of the file gives them all back. */
static void
a_store_that_is_closed_leaves_the_others_their_locks(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *writer, *other;
	int go[2];
	pid_t pid;
	char byte;

	(void)state;
	ROOT_ONLY();
	make_store(path);
	assert_int_equal(pipe(go), 0);
	pid = fork(); /* before SQLite knows of any lock */
	if (pid == 0) {
		if (read(go[0], &byte, 1) != 1 ||
		    hxb_store_open(path, geteuid(), hxb_deadline_in(DEADLINE), &other, &err) != HXB_OK)
			_exit(1);
		_exit(hxb_store_begin(other, &err) == HXB_BUSY ? 0 : 2);
	}
	writer = open_store(path);
	assert_ok(hxb_store_begin(writer, &err));
	other = open_store(path);
	hxb_store_close(other);
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_int_equal(wait_child(pid), 0);
	hxb_store_close(writer);
	close(go[0]);
	close(go[1]);
}

/* A Hexabot that runs as root makes its journal as root's, and then gives it to the store's owner. */
static void
a_journal_in_the_making_is_nobodys_trouble(void **state)
{
	const char *path = in_dir("d/store.sqlite"), *journal = in_dir("d/store.sqlite-journal");
	struct hxb_store *store;
	struct hxb_user *user;
	sqlite3 *writer;

	(void)state;
	ROOT_ONLY();
	if (!others_can_enter())
		skip();
	mkdir(in_dir("d"), 0755);
	make_store(path);
	give_away(path, SOMEBODY, 0640);
	give_away(in_dir("d"), SOMEBODY, 0755);
	assert_ok(hxb_store_open(path, SOMEBODY, hxb_deadline_in(HXB_CTL_DEADLINE), &store, &err));
	assert_int_equal(sqlite3_open(path, &writer), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(writer, "BEGIN IMMEDIATE; UPDATE users SET firstName = 'M'", NULL, NULL, NULL),
	    SQLITE_OK);
	give_away(journal, 0, 0600);
	assert_ok(hxb_store_user(store, HXB_BY_USERNAME, "mona", &user, &err));
	hxb_user_free(user);
	assert_int_equal(sqlite3_exec(writer, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(writer);
	/* One that was left there: what can't be read is named. */
	write_file(journal, "left", 0600);
	assert_result(hxb_store_user(store, HXB_BY_USERNAME, "mona", &user, &err), HXB_UNREADABLE);
	assert_contains(err.text, "-journal: Permission denied");
	hxb_store_close(store);
}

/* What a daemon says of an error would be written into it. */
static void
no_file_is_opened_in_the_place_of_a_closed_standard_descriptor(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	struct stat st, file;
	pid_t pid;

	(void)state;
	make_store(path);
	sql(path, "PRAGMA journal_mode = WAL");
	assert_int_equal(stat(path, &st), 0);
	pid = fork();
	if (pid == 0) {
		close_range(STDIN_FILENO, STDERR_FILENO, 0);
		if (hxb_store_open(path, geteuid(), hxb_deadline_in(HXB_CTL_DEADLINE), &store, &err) !=
		        HXB_OK ||
		    hxb_store_begin(store, &err) != HXB_OK)
			_exit(1);
		/* Another transaction, which finds the log's shared memory there. */
		hxb_store_rollback(store);
		if (hxb_store_begin(store, &err) != HXB_OK)
			_exit(1);
		for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
			if (fstat(fd, &file) == 0 && file.st_dev == st.st_dev)
				_exit(2 + fd);
		_exit(0);
	}
	assert_int_equal(wait_child(pid), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_no_database_of_hexabots_is_refused),
		TEST(a_store_that_is_closed_leaves_the_others_their_locks),
		TEST(a_journal_in_the_making_is_nobodys_trouble),
		TEST(no_file_is_opened_in_the_place_of_a_closed_standard_descriptor),
		TEST(a_truncated_store_is_refused),
		TEST(a_store_that_others_may_write_is_refused),
		TEST(views_and_virtual_tables_stand_in_for_no_table),
		TEST(a_missing_column_is_unreadable),
		TEST(triggers_of_somebody_elses_do_not_run),
		TEST(a_user_is_read_with_all_roles),
		TEST(chat_visitors_are_nobody),
		TEST(only_the_integer_1_is_enabled),
		TEST(roles_that_are_no_more_are_left_out),
		TEST(text_with_a_nul_is_odd),
		TEST(a_role_whose_name_or_id_holds_a_nul_gives_nothing),
		TEST(what_is_no_hash_is_no_password),
		TEST(a_visitors_huge_row_stops_nobody),
		TEST(columns_are_found_by_name),
		TEST(users_come_in_slices_and_roles_by_name),
		TEST(the_version_tells_of_others_writing),
		TEST(a_killed_writers_journal_is_rolled_back),
		TEST(a_store_with_a_log_stays_one),
		TEST(a_lock_is_waited_for_until_the_deadline),
		TEST(a_readers_lock_does_not_outlast_the_deadline_of_a_commit),
		TEST(a_statement_ends_at_the_deadline),
		TEST(state_and_roles_are_written_as_hexabot_does),
		TEST(rows_that_are_no_more_are_a_conflict),
		TEST(a_password_that_changed_meanwhile_is_not_overwritten),
		TEST(parking_gives_back_every_byte),
		TEST(a_parked_role_that_is_no_more_is_left_out),
		TEST(foreign_keys_count_as_soon_as_all_their_tables_are_there),
		TEST(a_new_store_has_exactly_hexabots_three_tables),
		TEST(a_new_store_is_made_in_a_trusted_place_only),
		TEST(files_beside_the_store_are_its_owners),
		TEST(the_owner_can_do_no_more_through_us_than_alone),
		TEST(nothing_of_the_bracket_remains_after_an_error),
		TEST(a_callers_ids_are_shielded_and_given_back),
		TEST(who_cannot_take_back_the_hosts_ids_ends),
		TEST(a_caller_cannot_stop_us_while_a_lock_is_held),
		TEST(a_thread_is_not_cancelled_while_a_lock_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
