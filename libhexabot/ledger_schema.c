/* SPDX-License-Identifier: ISC */
#include <sqlite3.h>

#include "ledger_private.h"

#define APPLICATION_ID 0x4858424c /* "HXBL" */

/*
 * Step N leads from version N to N + 1. A step that has been released is never changed. Programs that run on
 * for months keep the module that they began with: what only adds something leaves the ledger to them.
 */
static const struct step {
	int oldest; /* the first version whose programs may use the ledger after this step */
	const char *sql;
} steps[] = {
	{ 1,
	    "CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) WITHOUT ROWID;"
	    "CREATE TABLE entries ("
	    " kind INTEGER NOT NULL CHECK (kind IN (1, 2)),"
	    " id TEXT NOT NULL,"
	    " login TEXT COLLATE NOCASE," /* NULL for a role */
	    " number INTEGER," /* NULL: to be given at the next publish */
	    " shell TEXT NOT NULL DEFAULT '',"
	    " home TEXT NOT NULL DEFAULT '',"
	    " expires INTEGER NOT NULL DEFAULT 0,"
	    " removed INTEGER NOT NULL DEFAULT 0,"
	    " PRIMARY KEY (kind, id)) WITHOUT ROWID;"
	    "CREATE UNIQUE INDEX entries_login ON entries (login);"
	    "CREATE UNIQUE INDEX entries_number ON entries (number);"
	    "CREATE TABLE former_logins (login TEXT PRIMARY KEY NOT NULL COLLATE NOCASE, id TEXT NOT NULL) "
	    "WITHOUT "
	    "ROWID;"
	    "CREATE TABLE holds (user_id TEXT PRIMARY KEY NOT NULL, since TEXT NOT NULL, actor TEXT NOT "
	    "NULL, "
	    "marker "
	    "TEXT NOT NULL,"
	    " password) WITHOUT ROWID;" /* no affinity: the bytes and their type as they were */
	    "CREATE TABLE hold_roles (user_id TEXT NOT NULL REFERENCES holds ON DELETE CASCADE, role_id TEXT "
	    "NOT "
	    "NULL,"
	    " PRIMARY KEY (user_id, role_id)) WITHOUT ROWID;"
	    "CREATE TABLE events (seq INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, action "
	    "TEXT "
	    "NOT "
	    "NULL,"
	    " user_id TEXT NOT NULL, name TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL);"
	    "CREATE INDEX events_user ON events (user_id);" },

	{ 2,
	    "CREATE TABLE invitations (seq INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, user_id TEXT "
	    "NOT "
	    "NULL,"
	    " marker TEXT NOT NULL, actor TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL,"
	    " delivery INTEGER NOT NULL DEFAULT 0, ended INTEGER NOT NULL DEFAULT 0);"
	    "CREATE INDEX invitations_user ON invitations (user_id);"
	    "CREATE UNIQUE INDEX invitations_open ON invitations (user_id) WHERE ended = 0;" },

	{ 2,
	    "CREATE TABLE keys (seq INTEGER PRIMARY KEY, user_id TEXT NOT NULL, fingerprint TEXT NOT NULL,"
	    " options TEXT NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL, comment TEXT NOT NULL,"
	    " bits INTEGER NOT NULL, actor TEXT NOT NULL, added INTEGER NOT NULL, UNIQUE (user_id, "
	    "fingerprint));" },
};
#define VERSION ((int64_t)(sizeof(steps) / sizeof(*steps)))

static enum hxb_result
apply_step(struct hxb_db *db, int64_t version, struct hxb_error *error)
{
	char pragma[96];
	enum hxb_result r;

	r = hxb_db_exec(db, steps[version].sql, error);
	if (r == HXB_OK)
		r = hxb_db_run(db, NULL, error,
		    "INSERT OR REPLACE INTO meta (key, value) VALUES ('oldest', ?1)", "i",
		    (int64_t)steps[version].oldest);
	if (r != HXB_OK)
		return r;
	sqlite3_snprintf(sizeof(pragma), pragma, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
	    APPLICATION_ID, (int)version + 1);
	return hxb_db_exec(db, pragma, error);
}

/* Whether the newer release that made it has left it to programs as old as this one. */
static bool
is_for_us(struct hxb_db *db)
{
	int64_t oldest = 0;

	return hxb_db_number(db, &oldest, NULL, "SELECT value FROM meta WHERE key = 'oldest'", "") ==
	    HXB_OK &&
	    oldest > 0 && oldest <= VERSION;
}

/* Whether this is a ledger that this program can use, or (version 0) an empty file that it may fill. */
static enum hxb_result
read_version(struct hxb_ledger *ledger, int64_t *version, struct hxb_error *error)
{
	int64_t id = 0;
	enum hxb_result r;

	r = hxb_db_number(&ledger->db, version, error, "PRAGMA user_version", "");
	if (r == HXB_OK)
		r = hxb_db_number(&ledger->db, &id, error, "PRAGMA application_id", "");
	if (r == HXB_OK && (*version < 0 || (*version > 0 && id != APPLICATION_ID)))
		r = hxb_fail(error, HXB_UNREADABLE, "%s: not a ledger", ledger->path);
	if (r == HXB_OK && *version > VERSION && !is_for_us(&ledger->db))
		r = hxb_fail(error, HXB_UNREADABLE,
		    "%s: made by a newer release (schema %d, this one knows %d)", ledger->path, (int)*version,
		    (int)VERSION);
	return r;
}

enum hxb_result
hxb_ledger_migrate(struct hxb_ledger *ledger, struct hxb_error *error)
{
	struct hxb_db *db = &ledger->db;
	int64_t version = 0;
	enum hxb_result r;

	r = read_version(ledger, &version, error);
	if (r != HXB_OK || version >= VERSION)
		return r;
	r = hxb_db_exec(db, "BEGIN IMMEDIATE", error);
	/* Again, now that nobody else can migrate. */
	if (r == HXB_OK)
		r = read_version(ledger, &version, error);
	while (r == HXB_OK && version < VERSION)
		r = apply_step(db, version++, error);
	if (r == HXB_OK)
		r = hxb_db_exec(db, "COMMIT", error);
	if (r != HXB_OK)
		hxb_db_rollback(db);
	return r;
}
