/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

#include "store.h"
#include "store_sqlite.h"

#define TEXT_LIMIT (1 << 20) /* bytes a value or a row may have */
#define PROGRESS_STEPS 100 /* virtual machine steps between looks at the clock */

/* SQLite itself says neither which file nor why. */
static enum hxb_result
failed_to_open(const struct hxb_db *db, struct hxb_error *error)
{
	const struct hxb_opening *opening = &db->opening;

	if (opening->code == EWOULDBLOCK)
		return hxb_fail(error, HXB_BUSY, "%s%s: busy: another process holds a lease on it", db->what,
		    opening->suffix);
	return hxb_fail(error, HXB_UNREADABLE, "%s%s: %s", db->what, opening->suffix,
	    opening->code == HXB_OPENING_FIFO        ? "a FIFO"
	        : opening->code == HXB_OPENING_OTHER ? "its journal names a file that is not the database's"
	                                             : strerror(opening->code));
}

enum hxb_result
hxb_db_failed(struct hxb_db *db, int code, struct hxb_error *error)
{
	/* Not every call leaves its error in the connection. */
	bool kept = db->sql != NULL && sqlite3_errcode(db->sql) != SQLITE_OK;
	const char *words = kept ? sqlite3_errmsg(db->sql) : sqlite3_errstr(code);

	/* Who waited for a lease may have no time left for what follows. */
	if ((db->opening.code != 0 && (code & 0xff) == SQLITE_CANTOPEN) ||
	    (db->opening.code == EWOULDBLOCK && (code & 0xff) == SQLITE_INTERRUPT))
		return failed_to_open(db, error);
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return hxb_fail(error, HXB_BUSY, "%s: busy: another process holds its lock", db->what);
	case SQLITE_INTERRUPT:
		return hxb_fail(error, HXB_BUSY, "%s: not read before the deadline", db->what);
	case SQLITE_NOMEM:
	case SQLITE_FULL:
		return hxb_fail(error, HXB_FAILED, "%s: %s", db->what, words);
	case SQLITE_CONSTRAINT:
		return hxb_fail(error, HXB_CONFLICT, "%s: %s", db->what, words);
	default:
		return hxb_fail(error, HXB_UNREADABLE, "%s: %s", db->what, words);
	}
}

/* Waits a little for a lock; gives up at the deadline. */
static int
wait_for_lock(void *context, int tries)
{
	const struct hxb_db *db = context;
	const struct timespec pause = { .tv_nsec = (tries < 10 ? tries + 1 : 10) * 1000000L };

	if (hxb_deadline_left(&db->deadline) == 0)
		return 0;
	nanosleep(&pause, NULL);
	return 1;
}

static int
interrupt_late_statement(void *context)
{
	const struct hxb_db *db = context;

	return hxb_deadline_left(&db->deadline) == 0;
}

static void
harden(struct hxb_db *db)
{
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	/* Copying a large log back is Hexabot's work, not that of whoever closes last. */
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	/* No full-text or other virtual tables over data that is not ours. */
	sqlite3_drop_modules(db->sql, NULL);
	sqlite3_limit(db->sql, SQLITE_LIMIT_LENGTH, TEXT_LIMIT);
	sqlite3_limit(db->sql, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(db->sql, SQLITE_LIMIT_WORKER_THREADS, 0);
	sqlite3_busy_handler(db->sql, wait_for_lock, db);
	sqlite3_progress_handler(db->sql, PROGRESS_STEPS, interrupt_late_statement, db);
}

enum hxb_result
hxb_db_open(struct hxb_db *db, const char *path, enum hxb_db_mode mode, struct hxb_deadline deadline,
    struct hxb_error *error)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX |
	    SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
	enum hxb_result r;
	int code;

	db->what = path;
	db->deadline = deadline;
	if (mode == HXB_DB_CREATE)
		flags |= SQLITE_OPEN_CREATE;
	code = sqlite3_open_v2(path, &db->sql, flags, "unix");
	if (code != SQLITE_OK) {
		r = hxb_db_failed(db, code, error);
		goto fail;
	}
	harden(db);
	r = hxb_db_exec(
	    db, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY", error);
	if (r == HXB_OK)
		return HXB_OK;
fail:
	hxb_db_close(db);
	return r;
}

void
hxb_db_close(struct hxb_db *db)
{
	if (db->sql == NULL)
		return;
	hxb_db_rollback(db);
	for (size_t i = 0; i < HXB_DB_STATEMENTS; i++) {
		sqlite3_finalize(db->statements[i]);
		db->statements[i] = NULL;
	}
	sqlite3_close_v2(db->sql);
	db->sql = NULL;
}

enum hxb_result
hxb_db_exec(struct hxb_db *db, const char *sql, struct hxb_error *error)
{
	int code = sqlite3_exec(db->sql, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? HXB_OK : hxb_db_failed(db, code, error);
}

enum hxb_result
hxb_db_commit(struct hxb_db *db, struct hxb_error *error)
{
	int code = sqlite3_exec(db->sql, "COMMIT", NULL, NULL, NULL);
	enum hxb_result r = code == SQLITE_OK ? HXB_OK : hxb_db_failed(db, code, error);

	/* What fails after the moment that counts, like syncing a directory, undoes nothing. */
	return (code & 0xff) == SQLITE_IOERR ? hxb_fail_more(error, r, "the change may be made all the same")
	                                     : r;
}

void
hxb_db_rollback(struct hxb_db *db)
{
	if (sqlite3_get_autocommit(db->sql) == 0)
		sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
}

static int
bind_value(sqlite3_stmt *stmt, int index, const struct hxb_value *value)
{
	if (value->type == 't')
		return sqlite3_bind_text(
		    stmt, index, (const char *)value->bytes, (int)value->size, SQLITE_TRANSIENT);
	if (value->type == 'b')
		return sqlite3_bind_blob(stmt, index, value->bytes, (int)value->size, SQLITE_TRANSIENT);
	return sqlite3_bind_null(stmt, index);
}

/* A statement that was prepared before and is at rest, or a new one. */
static int
prepare(struct hxb_db *db, const char *sql, sqlite3_stmt **stmtp)
{
	for (size_t i = 0; i < HXB_DB_STATEMENTS; i++) {
		*stmtp = db->statements[i];
		if (*stmtp != NULL && strcmp(sqlite3_sql(*stmtp), sql) == 0) {
			db->statements[i] = NULL;
			return SQLITE_OK;
		}
	}
	*stmtp = NULL;
	return sqlite3_prepare_v3(db->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, stmtp, NULL);
}

void
hxb_db_end(struct hxb_db *db, sqlite3_stmt *stmt)
{
	size_t place = 0;

	if (stmt == NULL)
		return;
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	while (place < HXB_DB_STATEMENTS && db->statements[place] != NULL)
		place++;
	if (place == HXB_DB_STATEMENTS) {
		place = db->next_statement++ % HXB_DB_STATEMENTS;
		sqlite3_finalize(db->statements[place]);
	}
	db->statements[place] = stmt;
}

static enum hxb_result
query(struct hxb_db *db, sqlite3_stmt **stmtp, struct hxb_error *error, const char *sql, const char *types,
    va_list args)
{
	enum hxb_result r;
	int code;

	*stmtp = NULL;
	code = prepare(db, sql, stmtp);
	for (int i = 0; code == SQLITE_OK && types[i] != '\0'; i++) {
		if (types[i] == 't')
			code = sqlite3_bind_text(
			    *stmtp, i + 1, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
		else if (types[i] == 'i')
			code = sqlite3_bind_int64(*stmtp, i + 1, va_arg(args, int64_t));
		else
			code = bind_value(*stmtp, i + 1, va_arg(args, const struct hxb_value *));
	}
	if (code == SQLITE_OK)
		return HXB_OK;
	r = hxb_db_failed(db, code, error);
	hxb_db_end(db, *stmtp);
	*stmtp = NULL;
	return r;
}

enum hxb_result
hxb_db_query(
    struct hxb_db *db, sqlite3_stmt **stmtp, struct hxb_error *error, const char *sql, const char *types, ...)
{
	va_list args;
	enum hxb_result r;

	va_start(args, types);
	r = query(db, stmtp, error, sql, types, args);
	va_end(args);
	return r;
}

enum hxb_result
hxb_db_step(struct hxb_db *db, sqlite3_stmt *stmt, struct hxb_error *error)
{
	int code = sqlite3_step(stmt);

	if (code == SQLITE_ROW)
		return HXB_OK;
	if (code == SQLITE_DONE)
		return HXB_NOT_FOUND;
	return hxb_db_failed(db, code, error);
}

enum hxb_result
hxb_db_run(
    struct hxb_db *db, unsigned *changed, struct hxb_error *error, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt;
	va_list args;
	enum hxb_result r;

	va_start(args, types);
	r = query(db, &stmt, error, sql, types, args);
	va_end(args);
	while (r == HXB_OK)
		r = hxb_db_step(db, stmt, error);
	hxb_db_end(db, stmt);
	if (r != HXB_NOT_FOUND)
		return r;
	if (changed != NULL)
		*changed = (unsigned)sqlite3_changes(db->sql);
	return HXB_OK;
}

enum hxb_result
hxb_db_number(
    struct hxb_db *db, int64_t *number, struct hxb_error *error, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt;
	va_list args;
	enum hxb_result r;

	va_start(args, types);
	r = query(db, &stmt, error, sql, types, args);
	va_end(args);
	if (r == HXB_OK)
		r = hxb_db_step(db, stmt, error);
	if (r == HXB_OK)
		*number = sqlite3_column_int64(stmt, 0);
	hxb_db_end(db, stmt);
	return r;
}

enum hxb_result
hxb_db_texts(
    struct hxb_db *db, char ***textsp, struct hxb_error *error, const char *sql, const char *parameter)
{
	sqlite3_stmt *stmt = NULL;
	char **grown;
	size_t count = 0;
	enum hxb_result r;

	*textsp = calloc(1, sizeof(char *));
	if (*textsp == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	r = hxb_db_query(db, &stmt, error, sql, parameter != NULL ? "t" : "", parameter);
	while (r == HXB_OK && (r = hxb_db_step(db, stmt, error)) == HXB_OK) {
		grown = reallocarray(*textsp, count + 2, sizeof(char *));
		if (grown != NULL) {
			*textsp = grown;
			grown[count + 1] = NULL;
			grown[count] = hxb_db_text(stmt, 0);
		}
		if (grown == NULL || grown[count++] == NULL)
			r = hxb_fail(error, HXB_FAILED, "out of memory");
	}
	hxb_db_end(db, stmt);
	return r == HXB_NOT_FOUND ? HXB_OK : r;
}

bool
hxb_db_value(sqlite3_stmt *stmt, int column, struct hxb_value *value)
{
	int type = sqlite3_column_type(stmt, column);

	/* Password columns have text affinity or none: no number can be in them that is not text by now. */
	value->type = (char)(type == SQLITE_NULL ? 'n' : type == SQLITE_BLOB ? 'b' : 't');
	value->size = (size_t)sqlite3_column_bytes(stmt, column);
	value->bytes = calloc(1, value->size + 1);
	if (value->bytes == NULL)
		return false;
	if (value->size > 0)
		memcpy(value->bytes, sqlite3_column_blob(stmt, column), value->size);
	return true;
}

char *
hxb_db_text(sqlite3_stmt *stmt, int column)
{
	const unsigned char *text = NULL;

	if (sqlite3_column_type(stmt, column) == SQLITE_TEXT)
		text = sqlite3_column_text(stmt, column);
	return strdup(text != NULL ? (const char *)text : "");
}

bool
hxb_db_is_plain_text(sqlite3_stmt *stmt, int column)
{
	const unsigned char *text;

	if (sqlite3_column_type(stmt, column) != SQLITE_TEXT)
		return false;
	text = sqlite3_column_text(stmt, column);
	return text != NULL && strlen((const char *)text) == (size_t)sqlite3_column_bytes(stmt, column);
}
