/* SPDX-License-Identifier: ISC */
/* What the store's owner can make of it to stall, mislead or exhaust whoever reads it: each is refused, and
 * in no time. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sqlite3.h>
#include <time.h>

#include "libhexabot/deadline.h"
#include "support.h"

/* A machine that is busy with other things may take its time: what counts is ours. */
static long
processor_milliseconds(void)
{
	return (long)(clock() * 1000 / CLOCKS_PER_SEC);
}

static void
expect_refusal(const char *path, enum hxb_result expected, const char *reason)
{
	const struct hxb_deadline deadline = hxb_deadline_in(10000);
	struct hxb_store *store = NULL;
	long began = processor_milliseconds();

	assert_result(hxb_store_open(path, geteuid(), deadline, &store, &err), expected);
	assert_true(hxb_deadline_left(&deadline) > 0);
	assert_null(store);
	assert_contains(err.text, reason);
	assert_true(processor_milliseconds() - began < 1000);
}

static void
schemas_that_compute_are_refused(void **state)
{
	static const char *const changes[] = {
		"ALTER TABLE users ADD COLUMN slow AS (instr(hex(zeroblob(9999)), email))",
		"ALTER TABLE roles ADD COLUMN rowid",
		"ALTER TABLE users ADD COLUMN _rowid_ text",
		"CREATE INDEX computed ON users (lower(username) || hex(zeroblob(99)))",
		"CREATE INDEX partial ON user_roles (role_id) WHERE length(hex(role_id)) > 3",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(changes); i++) {
		const char *path = in_dir("store.sqlite");

		unlink(path);
		make_store(path);
		sql(path, "%s", changes[i]);
		expect_refusal(path, HXB_UNREADABLE, "not Hexabot's schema");
	}
}

static void
tables_that_are_none_are_refused(void **state)
{
	static const char *const tables[] = {
		"CREATE VIEW users AS SELECT * FROM hidden",
		"CREATE VIRTUAL TABLE users USING fts4(id, username, email, password, state, type)",
		/* SQLite's own, which needs no module of anybody's */
		"PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('table', 'users', 'users', 0,"
		" 'CREATE VIRTUAL TABLE users USING pragma_foreign_key_list')",
		/* a row that says it is a table */
		"CREATE VIEW users AS SELECT * FROM hidden; PRAGMA writable_schema = ON;"
		" UPDATE sqlite_schema SET type = 'table', rootpage = 2 WHERE name = 'users'",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(tables); i++) {
		const char *path = in_dir("store.sqlite");

		unlink(path);
		make_store(path);
		sql(path, "ALTER TABLE users RENAME TO hidden");
		sql(path, "%s", tables[i]);
		expect_refusal(path, HXB_UNREADABLE, path);
	}
}

/* SQLite's table_list looks through all of them again for each view whose columns it can't learn. */
static void
thirty_thousand_other_tables_and_a_view_take_no_time(void **state)
{
	struct hxb_store *store;
	const char *path = in_dir("store.sqlite");
	long began;

	(void)state;
	make_store(path);
	sql(path, "CREATE VIEW odd AS SELECT * FROM nowhere");
	sql(path,
	    "PRAGMA writable_schema = ON; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
	    "WHERE i "
	    "< 30000) INSERT INTO sqlite_schema SELECT 'table', 't' || i, 't' || i, 2, 'CREATE TABLE t' || i "
	    "|| "
	    "'(a)' FROM n");
	began = processor_milliseconds();
	assert_ok(hxb_store_open(path, geteuid(), hxb_deadline_in(20000), &store, &err));
	assert_true(processor_milliseconds() - began < 1500);
	hxb_store_close(store);
}

/* rootpage is the owner's to write: a virtual table can claim to be a plain one. */
static void
a_virtual_table_in_disguise_is_refused(void **state)
{
	const char *path = in_dir("store.sqlite");

	(void)state;
	make_store(path);
	sql(path, "ALTER TABLE users RENAME TO hidden");
	sql(path,
	    "CREATE VIRTUAL TABLE users USING fts4(id, username, email, firstName, lastName, password,"
	    " created_at, updated_at, state, type)");
	sql(path, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 2 WHERE name = 'users'");
	expect_refusal(path, HXB_UNREADABLE, path);
}

static void
constraints_are_not_computed(void **state)
{
	struct hxb_store *store;
	struct hxb_user *user;
	const char *path = in_dir("store.sqlite");
	long began;

	(void)state;
	make_store(path);
	sql(path,
	    "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'CONSTRAINT "
	    "\"CHK_SUBSCRIBER_SOURCE_REQUIRED\"',"
	    " 'CHECK (instr(hex(zeroblob(499999)), hex(zeroblob(199999)) || username) = 0),"
	    " CONSTRAINT \"CHK_SUBSCRIBER_SOURCE_REQUIRED\"') WHERE name = 'users'");
	store = open_store(path);
	user = read_user(store, "mona");
	hxb_store_set_deadline(store, hxb_deadline_in(10000));
	began = processor_milliseconds();
	assert_ok(hxb_store_begin(store, &err));
	assert_ok(hxb_store_set_enabled(store, user->id, false, &err));
	assert_ok(hxb_store_commit(store, &err));
	assert_true(processor_milliseconds() - began < 1000);
	hxb_user_free(user);
	hxb_store_close(store);
}

/* U+009B begins an escape sequence in many terminals, as ESC [ does. */
static void
what_it_says_moves_no_terminal(void **state)
{
	const char *path = in_dir("store.sqlite");

	(void)state;
	make_store(path);
	sql(path,
	    "PRAGMA writable_schema = ON;"
	    " INSERT INTO sqlite_schema VALUES ('table', 'a' || char(155, 10) || 'b\xc3\xa9', 'x', 0, "
	    "'CREATE TABLE')");
	expect_refusal(path, HXB_UNREADABLE, "malformed database schema (a???b\xc3\xa9)");
}

/* The kernel lets an open wait for 45 seconds on a lease; it is the owner's to take. We wait as for a lock.
 */
static void
a_lease_is_waited_for_until_the_deadline(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	long began;
	int fd;

	(void)state;
	make_store(path);
	signal(SIGIO, SIG_IGN);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fcntl(fd, F_SETLEASE, F_RDLCK), 0);
	began = milliseconds();
	assert_result(hxb_store_open(path, geteuid(), hxb_deadline_in(200), &store, &err), HXB_BUSY);
	assert_contains(err.text, "lease");
	assert_in_range(milliseconds() - began, 190, 2000);
	close(fd);
}

static void
a_user_with_a_thousand_roles_and_one_is_refused(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	struct hxb_user *user;

	(void)state;
	make_store(path);
	sql(path,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1001)"
	    " INSERT INTO roles (id, name, active) SELECT 'r' || i, 'role' || i, 1 FROM n");
	sql(path,
	    "INSERT INTO user_roles SELECT u.id, r.id FROM users u, roles r WHERE u.username = 'mona' AND "
	    "r.id LIKE 'r%%'");
	store = open_store(path);
	assert_result(hxb_store_user(store, HXB_BY_USERNAME, "mona", &user, &err), HXB_UNREADABLE);
	assert_contains(err.text, "roles");
	assert_ok(hxb_store_user(store, HXB_BY_USERNAME, "ada", &user, &err));
	hxb_user_free(user);
	hxb_store_close(store);
}

/* Two odd ids are one empty text, and one that goes on behind a NUL is another role's until it is looked at.
 */
static void
a_hold_parks_roles_that_are_some(void **state)
{
	static const char *const odd[] = { "X'01'", "X'02'", "CAST(id AS BLOB)", "id || char(0) || 'x'" };
	const char *path = in_dir("store.sqlite");
	struct hxb_parked parked;
	struct hxb_store *store;
	struct hxb_user *user;

	(void)state;
	make_store(path);
	for (size_t i = 0; i < COUNT(odd); i++) {
		sql(path,
		    "INSERT INTO roles (id, name, active) SELECT %s, 'odd%d', 1 FROM roles WHERE name = "
		    "'admin'",
		    odd[i], (int)i);
		sql(path,
		    "INSERT INTO user_roles SELECT users.id, roles.id FROM users, roles WHERE username = "
		    "'mona'"
		    " AND name = 'odd%d'",
		    (int)i);
	}
	store = open_store(path);
	user = read_user(store, "mona");
	assert_int_equal(user->role_count, 1 + COUNT(odd));
	for (size_t i = 0; i < user->role_count; i++)
		assert_int_equal(user->roles[i].active, strcmp(user->roles[i].name, "manager") == 0);
	assert_false(hxb_user_has_role(user, "admin"));
	assert_ok(hxb_store_begin(store, &err));
	assert_ok(hxb_store_read_parked(store, user->id, &parked, &err));
	assert_non_null(parked.role_ids[0]);
	assert_null(parked.role_ids[1]);
	assert_string_equal(
	    parked.role_ids[0], sql_text(path, "SELECT id FROM roles WHERE name = 'manager'"));
	assert_ok(hxb_store_park(store, user->id, "$2!held.x", &err));
	assert_ok(hxb_store_unpark(store, user->id, &parked, &err));
	assert_ok(hxb_store_commit(store, &err));
	hxb_parked_clear(&parked);
	hxb_user_free(user);
	user = read_user(store, "mona");
	assert_int_equal(user->role_count, 1);
	hxb_user_free(user);
	hxb_store_close(store);
}

/* SOMEBODY, whose the store is, puts something beside it while it is open, and holds on to it. */
static pid_t
put_beside(const char *path, bool fifo, mode_t mode)
{
	int ready[2], fd;
	char byte = 'x';
	pid_t pid;

	unlink(path);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		signal(SIGIO, SIG_IGN);
		if (setgid(SOMEBODY) == -1 || setuid(SOMEBODY) == -1)
			_exit(1);
		if (fifo && mkfifo(path, mode) == -1)
			_exit(2);
		if (!fifo &&
		    ((fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) == -1 ||
		        write(fd, &byte, 1) != 1 || fchmod(fd, mode) == -1 ||
		        fcntl(fd, F_SETLEASE, F_WRLCK) == -1))
			_exit(3);
		if (write(ready[1], &byte, 1) != 1)
			_exit(4);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void
nor_is_anything_else_that_comes_later(void **state)
{
	static const char *const journal_modes[] = { "DELETE", "WAL" };
	static const char *const suffixes[] = { "-journal", "-wal", "-shm" };
	static const mode_t modes[] = { 0600, 0400, 0000 };
	struct hxb_store *store;
	struct hxb_user *user;
	char path[512], beside[600];
	unsigned refused = 0;
	enum hxb_result r;
	long began;
	pid_t owner;

	(void)state;
	ROOT_ONLY();
	if (!others_can_enter())
		skip();
	mkdir(in_dir("d"), 0755);
	snprintf(path, sizeof(path), "%s", in_dir("d//store.sqlite")); /* to SQLite that is d/store.sqlite */
	for (size_t i = 0; i < COUNT(journal_modes) * COUNT(suffixes) * COUNT(modes) * 2; i++) {
		const char *suffix = suffixes[i / 2 % COUNT(suffixes)];
		mode_t mode = modes[i / 2 / COUNT(suffixes) % COUNT(modes)];

		for (size_t k = 0; k < COUNT(suffixes); k++) {
			snprintf(beside, sizeof(beside), "%s%s", path, suffixes[k]);
			unlink(beside);
		}
		unlink(path);
		make_store(path);
		snprintf(beside, sizeof(beside), "PRAGMA journal_mode = %s",
		    journal_modes[i / 2 / COUNT(suffixes) / COUNT(modes)]);
		sql(path, "%s", beside);
		give_away(path, SOMEBODY, 0640);
		give_away(in_dir("d"), SOMEBODY, 0755);
		assert_ok(hxb_store_open(path, SOMEBODY, hxb_deadline_in(HXB_CTL_DEADLINE), &store, &err));
		snprintf(beside, sizeof(beside), "%s%s", path, suffix);
		owner = put_beside(beside, i % 2 == 1, mode);
		hxb_store_set_deadline(store, hxb_deadline_in(200));
		began = milliseconds();
		/* Where SQLite wants the file, it is named; else nobody is kept out by it. */
		r = hxb_store_user(store, HXB_BY_USERNAME, "mona", &user, &err);
		assert_true(milliseconds() - began < 2000);
		if (r == HXB_OK)
			hxb_user_free(user);
		else
			assert_contains(err.text, suffix);
		refused += r != HXB_OK;
		end_child(owner);
		hxb_store_close(store);
	}
	assert_in_range(refused, 10, 26);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(schemas_that_compute_are_refused),
		TEST(tables_that_are_none_are_refused),
		TEST(thirty_thousand_other_tables_and_a_view_take_no_time),
		TEST(a_virtual_table_in_disguise_is_refused),
		TEST(constraints_are_not_computed),
		TEST(what_it_says_moves_no_terminal),
		TEST(a_lease_is_waited_for_until_the_deadline),
		TEST(nor_is_anything_else_that_comes_later),
		TEST(a_user_with_a_thousand_roles_and_one_is_refused),
		TEST(a_hold_parks_roles_that_are_some),
	};

	return cmocka_run_group_tests_name("hostile stores", tests, NULL, NULL);
}
