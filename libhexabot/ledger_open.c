/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "ledger_private.h"
#include "trust.h"

/* NULL: no memory. */
static struct hxb_ledger *
ledger_of(const char *path)
{
	struct hxb_ledger *ledger = calloc(1, sizeof(*ledger));

	if (ledger != NULL && (ledger->path = strdup(path)) == NULL) {
		free(ledger);
		ledger = NULL;
	}
	return ledger;
}

static enum hxb_result
open_database(struct hxb_ledger *ledger, struct hxb_deadline deadline, struct hxb_error *error)
{
	int persist = 1;
	enum hxb_result r;

	r = hxb_db_open(&ledger->db, ledger->path, HXB_DB_EXISTING, deadline, error);
	if (r != HXB_OK)
		return r;
	/* The log stays beside the ledger: each login would make and remove it otherwise. */
	sqlite3_file_control(ledger->db.sql, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
	return hxb_db_exec(&ledger->db, "PRAGMA synchronous = FULL", error);
}

enum hxb_result
hxb_ledger_open(const char *path, uid_t owner, struct hxb_deadline deadline, struct hxb_ledger **ledgerp,
    struct hxb_error *error)
{
	struct hxb_ledger *ledger = NULL;
	enum hxb_result r;
	int64_t version = 0;
	int fd;

	*ledgerp = NULL;
	/* O_PATH: closing it leaves other descriptors' locks alone. */
	r = hxb_trust_open(path, O_PATH, owner, &fd, error);
	if (r != HXB_OK)
		return r;
	close(fd);
	ledger = ledger_of(path);
	if (ledger == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	r = open_database(ledger, deadline, error);
	/* An empty file is what a crash or a touch(1) leaves: only init makes a ledger. */
	if (r == HXB_OK)
		r = hxb_db_number(&ledger->db, &version, error, "PRAGMA user_version", "");
	if (r == HXB_OK && version == 0)
		r = hxb_fail(
		    error, HXB_UNREADABLE, "%s: not a ledger; run hexactl init --rebuild-ledger", path);
	if (r == HXB_OK)
		r = hxb_ledger_migrate(ledger, error);
	if (r != HXB_OK)
		goto out;
	*ledgerp = ledger;
	ledger = NULL;
out:
	hxb_ledger_close(ledger);
	return r;
}

enum hxb_result
hxb_ledger_create(const char *path, const struct hxb_ledger_meta *meta, struct hxb_error *error)
{
	struct hxb_ledger *ledger = ledger_of(path);
	enum hxb_result r;
	int fd;

	if (ledger == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1) {
		r = hxb_fail(error, HXB_REFUSED, "%s: %m", path);
		goto out;
	}
	close(fd);
	r = open_database(ledger, hxb_deadline_in(HXB_CTL_DEADLINE), error);
	if (r == HXB_OK)
		r = hxb_db_run(&ledger->db, NULL, error, "PRAGMA journal_mode = WAL", "");
	if (r == HXB_OK)
		r = hxb_ledger_migrate(ledger, error);
	if (r == HXB_OK)
		r = hxb_ledger_set_meta(ledger, meta, error);
	if (r != HXB_OK)
		unlink(path);
out:
	hxb_ledger_close(ledger);
	return r;
}

void
hxb_ledger_close(struct hxb_ledger *ledger)
{
	if (ledger == NULL)
		return;
	hxb_db_close(&ledger->db);
	free(ledger->path);
	free(ledger);
}

/* Without the busy handler nobody is waited for. A log that others still read is left to the next one. */
void
hxb_ledger_checkpoint(struct hxb_ledger *ledger)
{
	if (ledger == NULL)
		return;
	hxb_db_rollback(&ledger->db);
	sqlite3_busy_handler(ledger->db.sql, NULL, NULL);
	(void)sqlite3_wal_checkpoint_v2(ledger->db.sql, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

void
hxb_ledger_set_deadline(struct hxb_ledger *ledger, struct hxb_deadline deadline)
{
	ledger->db.deadline = deadline;
}

enum hxb_result
hxb_ledger_begin_reading(struct hxb_ledger *ledger, struct hxb_error *error)
{
	enum hxb_result r;

	if (sqlite3_get_autocommit(ledger->db.sql) == 0) /* one that writes is open */
		return HXB_OK;
	r = hxb_db_exec(&ledger->db, "BEGIN", error);
	ledger->reading = r == HXB_OK;
	return r;
}

void
hxb_ledger_end_reading(struct hxb_ledger *ledger)
{
	if (ledger->reading)
		hxb_db_rollback(&ledger->db);
	ledger->reading = false;
}

enum hxb_result
hxb_ledger_begin(struct hxb_ledger *ledger, struct hxb_error *error)
{
	enum hxb_result r = hxb_db_exec(&ledger->db, "BEGIN IMMEDIATE", error);

	if (r != HXB_OK || ledger->witness == NULL)
		return r;
	r = hxb_ledger_last_event(ledger, &ledger->last_event, error);
	if (r != HXB_OK) /* nobody else would */
		hxb_ledger_rollback(ledger);
	return r;
}

enum hxb_result
hxb_ledger_commit(struct hxb_ledger *ledger, struct hxb_error *error)
{
	int64_t last = ledger->last_event;
	enum hxb_result r = HXB_OK;

	if (ledger->witness != NULL)
		r = hxb_ledger_last_event(ledger, &last, error);
	if (r == HXB_OK)
		r = hxb_db_commit(&ledger->db, error);
	if (r != HXB_OK)
		hxb_ledger_rollback(ledger);
	else if (last > ledger->last_event)
		hxb_ledger_tell(ledger, last);
	return r;
}

/*
 * Writes what there is to commit, and eight pages more, into the log, and takes it back there: the commit
 * writes over it, and finds the room.
 */
enum hxb_result
hxb_ledger_reserve(struct hxb_ledger *ledger, struct hxb_error *error)
{
	enum hxb_result r = hxb_db_exec(&ledger->db,
	    "SAVEPOINT room; INSERT INTO meta (key, value) VALUES ('room', zeroblob(32768))", error);
	int code;

	if (r != HXB_OK)
		return r;
	code = sqlite3_db_cacheflush(ledger->db.sql);
	if (code != SQLITE_OK)
		return hxb_db_failed(&ledger->db, code, error);
	return hxb_db_exec(&ledger->db, "ROLLBACK TO room; RELEASE room", error);
}

void
hxb_ledger_rollback(struct hxb_ledger *ledger)
{
	hxb_db_rollback(&ledger->db);
}

enum hxb_result
hxb_ledger_verify(struct hxb_ledger *ledger, struct hxb_error *error)
{
	char **found = NULL;
	enum hxb_result r = hxb_db_texts(&ledger->db, &found, error, "PRAGMA quick_check(1)", NULL);

	if (r == HXB_OK && (found == NULL || found[0] == NULL || strcmp(found[0], "ok") != 0))
		r = hxb_fail(error, HXB_UNREADABLE, "%s: damaged: %.256s", ledger->path,
		    found != NULL && found[0] != NULL ? found[0] : "nothing is known");
	for (size_t i = 0; found != NULL && found[i] != NULL; i++)
		free(found[i]);
	free(found);
	return r;
}

enum hxb_result
hxb_ledger_meta(struct hxb_ledger *ledger, struct hxb_ledger_meta *meta, struct hxb_error *error)
{
	static const char *const keys[] = { "store_uid", "uid_min", "uid_max", "generation" };
	int64_t values[] = { 0, 0, 0, 0 };
	bool found[] = { false, false, false, false };
	sqlite3_stmt *stmt = NULL;
	const char *key;
	enum hxb_result r;

	r = hxb_db_query(&ledger->db, &stmt, error, "SELECT key, value FROM meta", "");
	while (r == HXB_OK && (r = hxb_db_step(&ledger->db, stmt, error)) == HXB_OK) {
		key = (const char *)sqlite3_column_text(stmt, 0);
		for (int i = 0; key != NULL && i < 4; i++) {
			if (strcmp(key, keys[i]) != 0)
				continue;
			values[i] = sqlite3_column_int64(stmt, 1);
			found[i] = true;
		}
	}
	hxb_db_end(&ledger->db, stmt);
	if (r == HXB_NOT_FOUND)
		r = HXB_OK;
	for (int i = 0; r == HXB_OK && i < 4; i++) {
		if (!found[i])
			r = hxb_fail(error, HXB_UNREADABLE,
			    "%s: %s is not recorded; run hexactl init --rebuild-ledger", ledger->path,
			    keys[i]);
	}
	meta->store_uid = (uid_t)values[0];
	meta->uid_min = (uint32_t)values[1];
	meta->uid_max = (uint32_t)values[2];
	meta->generation = (uint64_t)values[3];
	return r;
}

enum hxb_result
hxb_ledger_set_meta(struct hxb_ledger *ledger, const struct hxb_ledger_meta *meta, struct hxb_error *error)
{
	return hxb_db_run(&ledger->db, NULL, error,
	    "INSERT OR REPLACE INTO meta (key, value) VALUES ('store_uid', ?1), ('uid_min', ?2), ('uid_max', "
	    "?3),"
	    " ('generation', ?4)",
	    "iiii", (int64_t)meta->store_uid, (int64_t)meta->uid_min, (int64_t)meta->uid_max,
	    (int64_t)meta->generation);
}
