/* SPDX-License-Identifier: ISC */
/*
 * SQLite as a name service would use it: opened, asked and closed at each call, because it may keep no
 * descriptor. Its database has just what is looked up, with an index for each question. And SQLite as the
 * publisher's measure.
 */
#include <err.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define PEOPLE "/var/lib/misc/people.sqlite" /* made by tests/bench/data */

static const char *const questions[] = {
	[GETPWNAM] = "SELECT uid, name, gid, gecos, home, shell FROM passwd WHERE name = ?1",
	[GETPWUID] = "SELECT uid, name, gid, gecos, home, shell FROM passwd WHERE uid = ?2",
	[GETGRNAM] = "SELECT gid, name FROM grp WHERE name = ?1",
	[GETGRGID] = "SELECT gid, name FROM grp WHERE gid = ?2",
	[INITGROUPS] = "SELECT gid FROM member WHERE name = ?1",
	[GETPWENT] = "SELECT uid, name, gid, gecos, home, shell FROM passwd",
};

static sqlite3 *
open_database(const char *path, int flags)
{
	sqlite3 *db;

	if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK)
		errx(EXIT_FAILURE, "%s: %s", path, sqlite3_errmsg(db));
	return db;
}

static sqlite3_stmt *
prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		errx(EXIT_FAILURE, "%s: %s", sql, sqlite3_errmsg(db));
	return statement;
}

/* Reads each column of the row, as whoever wants it would. Returns the number of bytes. */
static size_t
read_row(sqlite3_stmt *statement)
{
	size_t bytes = 0;
	int i;

	for (i = 0; i < sqlite3_column_count(statement); i++)
		if (sqlite3_column_text(statement, i) != NULL)
			bytes += (size_t)sqlite3_column_bytes(statement, i);
	return bytes;
}

bool
sqlite_lookup(enum operation operation, const struct key *key, bool expected)
{
	sqlite3 *db = open_database(PEOPLE, SQLITE_OPEN_READONLY);
	sqlite3_stmt *statement = prepare(db, questions[operation]);
	bool right = !expected;

	sqlite3_bind_text(statement, 1, key->text, -1, SQLITE_STATIC);
	if (operation == GETPWUID || operation == GETGRGID)
		sqlite3_bind_int64(statement, 2, key->id);
	if (sqlite3_step(statement) == SQLITE_ROW)
		right = expected && read_row(statement) > 0 &&
		    (operation == INITGROUPS || sqlite3_column_int64(statement, 0) == key->id);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return right;
}

static uint32_t
read_all(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement = prepare(db, sql);
	uint32_t rows = 0;

	while (sqlite3_step(statement) == SQLITE_ROW)
		rows += read_row(statement) > 0 ? 1 : 0;
	sqlite3_finalize(statement);
	return rows;
}

uint32_t
sqlite_walk(void)
{
	sqlite3 *db = open_database(PEOPLE, SQLITE_OPEN_READONLY);
	uint32_t rows = read_all(db, questions[GETPWENT]);

	sqlite3_close(db);
	return rows;
}

uint64_t
sqlite_read(const char *path, bool joined)
{
	uint64_t start = now_ns();
	sqlite3 *db = open_database(path, SQLITE_OPEN_READONLY);

	if (joined) {
		read_all(db,
		    "SELECT u.id, username, firstName, lastName, password, created_at, state, role_id "
		    "FROM users u LEFT JOIN user_roles r ON r.user_id = u.id "
		    "WHERE type = 'UserOrmEntity' ORDER BY u.rowid");
	} else {
		read_all(db,
		    "SELECT id, username, firstName, lastName, password, created_at, state "
		    "FROM users NOT INDEXED WHERE type = 'UserOrmEntity'");
		read_all(db, "SELECT user_id, role_id FROM user_roles NOT INDEXED");
	}
	sqlite3_close(db);
	return now_ns() - start;
}

void
sqlite_run(const char *path, const char *sql)
{
	sqlite3 *db = open_database(path, SQLITE_OPEN_READWRITE);

	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		errx(EXIT_FAILURE, "%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}
