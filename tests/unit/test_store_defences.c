/* SPDX-License-Identifier: ISC */
/*
 * How SQLite is opened, for store and ledger alike: each defence shown by what it stops. The database is made
 * by a connection without them, where all of it works.
 */
#include <limits.h>
#include <sqlite3.h>

#include "libhexabot/deadline.h"
#include "libhexabot/store_sqlite.h"
#include "support.h"

static const char made[] =
    "CREATE TABLE plain (a, b); INSERT INTO plain VALUES (1, 'text');"
    "CREATE VIEW sight AS SELECT a FROM plain;"
    "CREATE TABLE touched (a); CREATE TABLE rung (a);"
    "CREATE TRIGGER bell AFTER INSERT ON touched BEGIN INSERT INTO rung VALUES (1); END;"
    "CREATE TABLE filled (a, b DEFAULT (outside(1)));"
    "CREATE TABLE other (id PRIMARY KEY);"
    "CREATE TABLE bound (id REFERENCES other (id))";

static unsigned called;

/* What a program may have given SQLite, and a schema has no business to call. */
static void
outside(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	(void)values;
	called++;
	sqlite3_result_int(context, 1);
}

/* SQLite calls it for each connection, before it reads a schema. */
static int
give_function(sqlite3 *db, char **message, const struct sqlite3_api_routines *routines)
{
	(void)message;
	(void)routines;
	return sqlite3_create_function_v2(db, "outside", 1, SQLITE_UTF8, NULL, outside, NULL, NULL, NULL);
}

static const char *
make_database(void)
{
	const char *path = in_dir("database.sqlite");
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_auto_extension((void (*)(void))give_function), SQLITE_OK);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, made, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return path;
}

/* Without the defences everything that is tried here works, and calls the function. */
static void
check_control(const char *path)
{
	sql(path, "INSERT INTO filled (a) VALUES (1)");
	assert_true(called > 0);
	assert_int_equal(sql_number(path, "SELECT a FROM sight"), 1);
	sql(path, "INSERT INTO touched VALUES (1)");
	assert_int_equal(sql_number(path, "SELECT count(*) FROM rung"), 1);
	sql(path, "DELETE FROM rung; DELETE FROM filled");
}

static void
open_defended(struct hxb_db *db, long milliseconds_left)
{
	const char *path = make_database();

	check_control(path);
	*db = (struct hxb_db){ .sql = NULL };
	assert_ok(hxb_db_open(db, path, HXB_DB_EXISTING, hxb_deadline_in(milliseconds_left), &err));
	called = 0;
}

static void
what_is_forbidden_fails_and_says_why(void **state)
{
	static const struct {
		const char *sql, *reason;
	} forbidden[] = {
		/* DBCONFIG_DEFENSIVE */
		{ "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = ''", "may not be modified" },
		{ "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema", "may not be modified" },
		/* DBCONFIG_TRUSTED_SCHEMA */
		{ "INSERT INTO filled (a) VALUES (1)", "unsafe use of outside()" },
		/* DBCONFIG_ENABLE_VIEW */
		{ "SELECT * FROM sight", "access to view \"sight\" prohibited" },
		/* DBCONFIG_ENABLE_FKEY */
		{ "INSERT INTO bound VALUES (1)", "FOREIGN KEY constraint failed" },
		/* DBCONFIG_ENABLE_LOAD_EXTENSION */
		{ "SELECT load_extension('libc.so.6')", "not authorized" },
		/* sqlite3_drop_modules() */
		{ "CREATE VIRTUAL TABLE words USING fts4 (text)", "no such module" },
		{ "CREATE VIRTUAL TABLE boxes USING rtree (id, a, b)", "no such module" },
		/* LIMIT_ATTACHED */
		{ "ATTACH ':memory:' AS second", "too many attached databases" },
		/* LIMIT_LENGTH */
		{ "SELECT length(hex(zeroblob(1000000)))", "too big" },
		{ "INSERT INTO plain VALUES (zeroblob(1048577), NULL)", "too big" },
	};
	struct hxb_db db;

	(void)state;
	open_defended(&db, 5000);
	for (size_t i = 0; i < COUNT(forbidden); i++) {
		if (hxb_db_exec(&db, forbidden[i].sql, &err) == HXB_OK)
			fail_msg("nothing stops '%s'", forbidden[i].sql);
		assert_contains(err.text, forbidden[i].reason);
	}
	assert_int_equal(called, 0);
	hxb_db_close(&db);
}

static void
a_trigger_does_not_run(void **state)
{
	int64_t rung = -1;
	struct hxb_db db;

	(void)state;
	open_defended(&db, 5000);
	assert_ok(hxb_db_exec(&db, "INSERT INTO touched VALUES (1)", &err));
	assert_ok(hxb_db_number(&db, &rung, &err, "SELECT count(*) FROM rung", ""));
	assert_int_equal(rung, 0);
	hxb_db_close(&db);
}

static void
what_shows_only_in_settings_is_set(void **state)
{
	static const struct {
		const char *pragma;
		int64_t value;
	} settings[] = {
		{ "PRAGMA trusted_schema", 0 },
		{ "PRAGMA cell_size_check", 1 },
		{ "PRAGMA mmap_size", 0 },
		{ "PRAGMA temp_store", 2 }, /* memory: no file of anybody's choosing */
		{ "PRAGMA foreign_keys", 1 },
		{ "PRAGMA writable_schema", 0 },
	};
	static const struct {
		int limit, value;
	} limits[] = {
		{ SQLITE_LIMIT_LENGTH, 1 << 20 },
		{ SQLITE_LIMIT_ATTACHED, 0 },
		{ SQLITE_LIMIT_WORKER_THREADS, 0 },
	};
	static const int switches[][2] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
		{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
		{ SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 },
	};
	struct hxb_db db;
	int64_t value;
	int on;

	(void)state;
	open_defended(&db, 5000);
	for (size_t i = 0; i < COUNT(settings); i++) {
		value = -1;
		/* SQLite may be built without memory-mapping: then it has no such setting. */
		if (hxb_db_number(&db, &value, &err, settings[i].pragma, "") == HXB_OK &&
		    value != settings[i].value)
			fail_msg("%s: %d", settings[i].pragma, (int)value);
	}
	for (size_t i = 0; i < COUNT(limits); i++)
		assert_int_equal(sqlite3_limit(db.sql, limits[i].limit, -1), limits[i].value);
	for (size_t i = 0; i < COUNT(switches); i++) {
		on = -1;
		assert_int_equal(sqlite3_db_config(db.sql, switches[i][0], -1, &on), SQLITE_OK);
		assert_int_equal(on, switches[i][1]);
	}
	hxb_db_close(&db);
}

static void
a_statement_that_never_ends_does_at_the_deadline(void **state)
{
	static const char *const endless[] = {
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
		/* one row's work, again and again: a step of SQLite's machine can be a long one */
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
		" SELECT max(length(hex(zeroblob(500000)))) FROM n",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
		" SELECT max(hex(zeroblob(9000)) LIKE '%0%0%0%0%1' || i) FROM n",
	};
	struct hxb_db db;
	long began;

	(void)state;
	open_defended(&db, 5000);
	for (size_t i = 0; i < COUNT(endless); i++) {
		db.deadline = hxb_deadline_in(100);
		began = milliseconds();
		assert_result(hxb_db_exec(&db, endless[i], &err), HXB_BUSY);
		assert_contains(err.text, "not read before the deadline");
		assert_in_range(milliseconds() - began, 90, 2000);
	}
	hxb_db_close(&db);
}

static void
a_symbolic_link_is_not_opened(void **state)
{
	struct hxb_db db = { .sql = NULL };
	const char *path = in_dir("link.sqlite");

	(void)state;
	assert_int_equal(symlink(make_database(), path), 0);
	assert_result(hxb_db_open(&db, path, HXB_DB_EXISTING, hxb_deadline_in(5000), &err), HXB_UNREADABLE);
	assert_null(db.sql);
}

static void
nothing_is_made_where_nothing_was(void **state)
{
	struct hxb_db db = { .sql = NULL };
	const char *path = in_dir("absent.sqlite");

	(void)state;
	assert_result(hxb_db_open(&db, path, HXB_DB_EXISTING, hxb_deadline_in(5000), &err), HXB_UNREADABLE);
	assert_int_equal(access(path, F_OK), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_forbidden_fails_and_says_why),
		TEST(a_trigger_does_not_run),
		TEST(what_shows_only_in_settings_is_set),
		TEST(a_statement_that_never_ends_does_at_the_deadline),
		TEST(a_symbolic_link_is_not_opened),
		TEST(nothing_is_made_where_nothing_was),
	};

	return cmocka_run_group_tests_name("SQLite's defences", tests, NULL, NULL);
}
