/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store_private.h"
#include "token.h"
#include "trust.h"

enum hxb_result
hxb_store_enter(struct hxb_store *store, struct hxb_error *error)
{
	enum hxb_result r = hxb_bracket_enter(&store->bracket, store->uid, store->gid, error);

	if (r != HXB_OK || store->bracket.depth > 1)
		return r;
	store->db.opening = (struct hxb_opening){ .path = store->path, .deadline = &store->db.deadline };
	if (hxb_opening_for(&store->db.opening))
		return HXB_OK;
	hxb_bracket_leave(&store->bracket);
	return hxb_fail(error, HXB_FAILED, "out of memory");
}

void
hxb_store_leave(struct hxb_store *store)
{
	if (store->bracket.depth == 1)
		(void)hxb_opening_for(NULL);
	hxb_bracket_leave(&store->bracket);
}

static enum hxb_result
refuse_schema(const struct hxb_store *store, struct hxb_error *error)
{
	return hxb_fail(error, HXB_UNREADABLE,
	    "%s: not Hexabot's schema: users, roles or user_roles is not a plain table", store->path);
}

typedef enum hxb_result judge_fn(struct hxb_store *store, sqlite3_stmt *row, struct hxb_error *error);

/*
 * Judges what a pragma says of a table or an index, row by row; no row is none of Hexabot's schema either,
 * unless `may_be_empty`. Asked in a SELECT, as functions, the same pragmas take four times as long.
 */
static enum hxb_result
judge_rows(struct hxb_store *store, const char *pragma, const char *name, judge_fn *judge, bool may_be_empty,
    struct hxb_error *error)
{
	char *sql = sqlite3_mprintf("PRAGMA main.%s(%Q)", pragma, name);
	sqlite3_stmt *stmt = NULL;
	enum hxb_result r = HXB_OK;
	int code = SQLITE_NOMEM;

	if (sql != NULL)
		code = sqlite3_prepare_v2(store->db.sql, sql, -1, &stmt, NULL);
	if (code != SQLITE_OK)
		r = hxb_db_failed(&store->db, code, error);
	while (r == HXB_OK && (r = hxb_db_step(&store->db, stmt, error)) == HXB_OK) {
		may_be_empty = true;
		r = judge(store, stmt, error);
	}
	sqlite3_finalize(stmt);
	sqlite3_free(sql);
	if (r == HXB_NOT_FOUND)
		r = may_be_empty ? HXB_OK : refuse_schema(store, error);
	return r;
}

/* Of table_xinfo: number, name, type, not null, default, key, hidden: what is computed. */
static enum hxb_result
judge_column(struct hxb_store *store, sqlite3_stmt *row, struct hxb_error *error)
{
	static const char *const names_of_rows[] = { "rowid", "oid", "_rowid_" };
	const char *name = (const char *)sqlite3_column_text(row, 1);

	if (name == NULL || sqlite3_column_int(row, 6) != 0)
		return refuse_schema(store, error);
	for (size_t i = 0; i < sizeof(names_of_rows) / sizeof(*names_of_rows); i++) {
		if (sqlite3_stricmp(name, names_of_rows[i]) == 0)
			return refuse_schema(store, error);
	}
	return HXB_OK;
}

/* Of index_xinfo: position, the column's number: -2 is an expression. */
static enum hxb_result
judge_index_column(struct hxb_store *store, sqlite3_stmt *row, struct hxb_error *error)
{
	return sqlite3_column_int(row, 1) != -2 ? HXB_OK : refuse_schema(store, error);
}

/* Of index_list: number, name, unique, origin, partial. */
static enum hxb_result
judge_index(struct hxb_store *store, sqlite3_stmt *row, struct hxb_error *error)
{
	const char *name = (const char *)sqlite3_column_text(row, 1);

	if (name == NULL || sqlite3_column_int(row, 4) != 0)
		return refuse_schema(store, error);
	return judge_rows(store, "index_xinfo", name, judge_index_column, false, error);
}

/*
 * A real table, not a view or a virtual one of somebody's making. Of a virtual one no column can be learnt:
 * there are no modules.
 */
static enum hxb_result
check_table(struct hxb_store *store, const char *table, struct hxb_error *error)
{
	int code =
	    sqlite3_table_column_metadata(store->db.sql, "main", table, NULL, NULL, NULL, NULL, NULL, NULL);
	enum hxb_result r;

	if (code == SQLITE_ERROR)
		return hxb_fail(error, HXB_UNREADABLE,
		    "%s: not a Hexabot database: tables users, roles, user_roles are not all there",
		    store->path);
	if (code != SQLITE_OK)
		return hxb_db_failed(&store->db, code, error);
	r = judge_rows(store, "table_xinfo", table, judge_column, false, error);
	if (r == HXB_OK)
		r = judge_rows(store, "index_list", table, judge_index, true, error);
	return r;
}

/*
 * Real tables; no column and no index whose value is an expression, which could compute for hours; no column
 * in the place of the row's number. Also the first read: it rolls a hot journal back. In one transaction:
 * each pragma would take and give back the lock.
 */
static enum hxb_result
check_schema(struct hxb_store *store, struct hxb_error *error)
{
	static const char *const tables[] = { "users", "roles", "user_roles" };
	enum hxb_result r = hxb_db_exec(&store->db, "BEGIN", error);

	for (size_t i = 0; r == HXB_OK && i < sizeof(tables) / sizeof(*tables); i++)
		r = check_table(store, tables[i], error);
	hxb_db_rollback(&store->db);
	return r;
}

/*
 * A store of `init --create` has no tables but ours: rows could neither come nor go while SQLite looks for
 * the others that theirs may refer to.
 */
static enum hxb_result
relax_foreign_keys(struct hxb_store *store, struct hxb_error *error)
{
	int64_t missing = 0;
	enum hxb_result r;

	r = hxb_db_number(&store->db, &missing, error,
	    "SELECT count(*) FROM pragma_foreign_key_list('users') k WHERE NOT EXISTS"
	    " (SELECT 1 FROM sqlite_schema s WHERE s.type = 'table' AND lower(s.name) = lower(k.\"table\"))",
	    "");
	if (r == HXB_OK)
		sqlite3_db_config(store->db.sql, SQLITE_DBCONFIG_ENABLE_FKEY, missing == 0, NULL);
	return r;
}

/* As SQLite will call it. Links and ".." are refused before. */
static char *
tidy_path(const char *path)
{
	char *tidy = strdup(path), *end = tidy;

	for (const char *from = path; tidy != NULL && *from != '\0'; from++) {
		if (from[0] == '/' && from[1] == '/')
			continue;
		if (from[0] == '/' && from[1] == '.' && from[2] == '/') {
			from++;
			continue;
		}
		*end++ = *from;
	}
	if (tidy != NULL)
		*end = '\0';
	return tidy;
}

enum hxb_result
hxb_store_open(const char *path, uid_t owner, struct hxb_deadline deadline, struct hxb_store **storep,
    struct hxb_error *error)
{
	struct hxb_store *store = NULL;
	struct stat st;
	enum hxb_result r;

	*storep = NULL;
	r = hxb_trust_store(path, owner, &st, error);
	if (r != HXB_OK)
		return r;
	if (!hxb_opening_install())
		return hxb_fail(
		    error, HXB_FAILED, "%s: this SQLite can't be kept from waiting in open(2)", path);
	store = calloc(1, sizeof(*store));
	if (store == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	store->path = tidy_path(path);
	if (store->path == NULL) {
		r = hxb_fail(error, HXB_FAILED, "out of memory");
		goto out;
	}
	store->uid = st.st_uid;
	store->gid = st.st_gid;
	r = hxb_store_enter(store, error);
	if (r != HXB_OK)
		goto out;
	r = hxb_db_open(&store->db, store->path, HXB_DB_EXISTING, deadline, error);
	/* A constraint is an expression, too; the rows that we write are within Hexabot's. */
	if (r == HXB_OK)
		r = hxb_db_exec(&store->db, "PRAGMA ignore_check_constraints = ON", error);
	if (r == HXB_OK)
		r = check_schema(store, error);
	hxb_store_leave(store);
	if (r != HXB_OK)
		goto out;
	*storep = store;
	store = NULL;
out:
	hxb_store_close(store);
	return r;
}

void
hxb_store_close(struct hxb_store *store)
{
	bool entered;

	if (store == NULL)
		return;
	hxb_store_rollback(store);
	/*
	 * Closing can write, too. Where we can't become the owner any more (a kernel without memory for it)
	 * no transaction is open, and then it only gives back locks and descriptors: in root's name, if need
	 * be.
	 */
	if (store->db.sql != NULL) {
		entered = hxb_store_enter(store, NULL) == HXB_OK;
		hxb_db_close(&store->db);
		if (entered)
			hxb_store_leave(store);
	}
	free(store->path);
	free(store);
}

void
hxb_store_set_deadline(struct hxb_store *store, struct hxb_deadline deadline)
{
	store->db.deadline = deadline;
}

enum hxb_result
hxb_store_begin(struct hxb_store *store, struct hxb_error *error)
{
	enum hxb_result r = hxb_store_enter(store, error);

	if (r != HXB_OK)
		return r;
	/* Each time: Hexabot may have made its tables since. Readers need no foreign keys. */
	r = relax_foreign_keys(store, error);
	if (r == HXB_OK)
		r = hxb_db_exec(&store->db, "BEGIN IMMEDIATE", error);
	if (r != HXB_OK)
		hxb_store_leave(store);
	else
		store->writing = true;
	return r;
}

enum hxb_result
hxb_store_commit(struct hxb_store *store, struct hxb_error *error)
{
	enum hxb_result r;

	if (!store->writing)
		return hxb_fail(error, HXB_FAILED, "no transaction is open");
	r = hxb_db_commit(&store->db, error);
	if (r != HXB_OK) {
		hxb_store_rollback(store);
		return r;
	}
	store->writing = false;
	hxb_store_leave(store);
	return HXB_OK;
}

void
hxb_store_rollback(struct hxb_store *store)
{
	if (!store->writing)
		return;
	hxb_db_rollback(&store->db);
	store->writing = false;
	hxb_store_leave(store);
}

static enum hxb_result
fill_new_store(struct hxb_db *db, struct hxb_error *error)
{
	static const char *const seeded[] = { "admin", "manager", "public" };
	char uuid[HXB_UUID_SIZE];
	enum hxb_result r;

	r = hxb_db_exec(db, "BEGIN IMMEDIATE", error);
	if (r == HXB_OK)
		r = hxb_db_exec(db, hxb_store_schema, error);
	for (size_t i = 0; r == HXB_OK && i < sizeof(seeded) / sizeof(*seeded); i++) {
		r = hxb_uuid(uuid, error);
		if (r == HXB_OK)
			r = hxb_db_run(db, NULL, error,
			    "INSERT INTO roles (id, created_at, updated_at, name, active) VALUES (?1,"
			    " strftime('%Y-%m-%d %H:%M:%f', 'now'), strftime('%Y-%m-%d %H:%M:%f', 'now'), "
			    "?2, 1)",
			    "tt", uuid, seeded[i]);
	}
	return r == HXB_OK ? hxb_db_exec(db, "COMMIT", error) : r;
}

enum hxb_result
hxb_store_create(const char *path, struct hxb_error *error)
{
	struct hxb_db db = { .sql = NULL };
	struct stat st;
	enum hxb_result r;
	int fd;

	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return hxb_fail(error, HXB_REFUSED, "%s: %m", path);
	close(fd);
	/* SQLite would obey a journal that somebody else has put there before us. */
	r = hxb_trust_store(path, geteuid(), &st, error);
	if (r == HXB_OK)
		r = hxb_db_open(&db, path, HXB_DB_EXISTING, hxb_deadline_in(HXB_CTL_DEADLINE), error);
	if (r == HXB_OK)
		r = fill_new_store(&db, error);
	hxb_db_close(&db);
	if (r != HXB_OK)
		unlink(path);
	return r;
}
