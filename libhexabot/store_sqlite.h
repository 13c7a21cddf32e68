/* SPDX-License-Identifier: ISC */
/*
 * SQLite, opened defensively: shared by store_*.c and ledger_*.c, the only files that include sqlite3.h.
 *
 * Every wait for a lock and every statement ends at the deadline. The schema is not trusted: no views, no
 * triggers, no functions with side effects, no memory-mapped reads.
 */
#ifndef HXB_STORE_SQLITE_H
#define HXB_STORE_SQLITE_H

#include <stdbool.h>
#include <stdint.h>

#include "deadline.h"
#include "result.h"
#include "store.h"
#include "store_opening.h"

struct sqlite3;
struct sqlite3_stmt;

#define HXB_DB_STATEMENTS 16

struct hxb_db {
	struct sqlite3 *sql;
	struct sqlite3_stmt
	    *statements[HXB_DB_STATEMENTS]; /* at rest, for the next time: preparing costs more */
	unsigned next_statement; /* whose place is taken if there is none */
	const char *what; /* for messages: the path */
	struct hxb_deadline deadline;
	struct hxb_opening opening; /* of a store's files */
};

enum hxb_db_mode { HXB_DB_EXISTING, HXB_DB_CREATE };

/* Opens. On failure db->sql is NULL. `what` has to outlive the database. */
enum hxb_result hxb_db_open(struct hxb_db *db, const char *path, enum hxb_db_mode mode,
    struct hxb_deadline deadline, struct hxb_error *error);
void hxb_db_close(struct hxb_db *db); /* rolls back what is open */

/* Runs SQL that returns no rows. */
enum hxb_result hxb_db_exec(struct hxb_db *db, const char *sql, struct hxb_error *error);
/* After HXB_UNREADABLE, an I/O error, the transaction may count all the same: the text says so. */
enum hxb_result hxb_db_commit(struct hxb_db *db, struct hxb_error *error);
void hxb_db_rollback(struct hxb_db *db);

/*
 * Prepares one statement and binds its parameters by `types`: t const char * (NULL: NULL), i int64_t, v const
 * struct hxb_value *. *stmtp is NULL on failure; hxb_db_end() it, which takes NULL.
 */
enum hxb_result hxb_db_query(struct hxb_db *db, struct sqlite3_stmt **stmtp, struct hxb_error *error,
    const char *sql, const char *types, ...);

void hxb_db_end(struct hxb_db *db, struct sqlite3_stmt *stmt);

/* HXB_OK: a row. HXB_NOT_FOUND: no more rows. */
enum hxb_result hxb_db_step(struct hxb_db *db, struct sqlite3_stmt *stmt, struct hxb_error *error);

/* Query, run to the end, finalize. *changed, if not NULL: rows changed. */
enum hxb_result hxb_db_run(
    struct hxb_db *db, unsigned *changed, struct hxb_error *error, const char *sql, const char *types, ...);

/* One integer from the first row. */
enum hxb_result hxb_db_number(
    struct hxb_db *db, int64_t *number, struct hxb_error *error, const char *sql, const char *types, ...);

/* Every first column as text, NULL-terminated; the one parameter is text; NULL: there is none. *textsp may be
 * partly filled on failure: free it all the same. */
enum hxb_result hxb_db_texts(
    struct hxb_db *db, char ***textsp, struct hxb_error *error, const char *sql, const char *parameter);

/* A column's bytes and type. false: no memory. */
bool hxb_db_value(struct sqlite3_stmt *stmt, int column, struct hxb_value *value);

/* A copy of a text column up to its first NUL; "" for NULL and what is no text. NULL: no memory. */
char *hxb_db_text(struct sqlite3_stmt *stmt, int column);

/* Whether the column is text without a NUL inside. */
bool hxb_db_is_plain_text(struct sqlite3_stmt *stmt, int column);

/* What an SQLite code means to us; sets the error from db's own words. */
enum hxb_result hxb_db_failed(struct hxb_db *db, int code, struct hxb_error *error);

#endif
