/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "ledger_private.h"
#include "trust.h"

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
	ledger = calloc(1, sizeof(*ledger));
	if (ledger == NULL || (ledger->path = strdup(path)) == NULL) {
		r = hxb_fail(error, HXB_FAILED, "out of memory");
		goto out;
	}
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
	struct hxb_ledger ledger = { .path = strdup(path) };
	enum hxb_result r;
	int fd;

	if (ledger.path == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1) {
		r = hxb_fail(error, HXB_REFUSED, "%s: %m", path);
		goto out;
	}
	close(fd);
	r = open_database(&ledger, hxb_deadline_in(HXB_CTL_DEADLINE), error);
	if (r == HXB_OK)
		r = hxb_db_run(&ledger.db, NULL, error, "PRAGMA journal_mode = WAL", "");
	if (r == HXB_OK)
		r = hxb_ledger_migrate(&ledger, error);
	if (r == HXB_OK)
		r = hxb_ledger_set_meta(&ledger, meta, error);
	hxb_db_close(&ledger.db);
	if (r != HXB_OK)
		unlink(path);
out:
	free(ledger.path);
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

void
hxb_ledger_set_deadline(struct hxb_ledger *ledger, struct hxb_deadline deadline)
{
	ledger->db.deadline = deadline;
}

enum hxb_result
hxb_ledger_begin(struct hxb_ledger *ledger, struct hxb_error *error)
{
	return hxb_db_exec(&ledger->db, "BEGIN IMMEDIATE", error);
}

enum hxb_result
hxb_ledger_commit(struct hxb_ledger *ledger, struct hxb_error *error)
{
	enum hxb_result r = hxb_db_exec(&ledger->db, "COMMIT", error);

	if (r != HXB_OK)
		hxb_ledger_rollback(ledger);
	return r;
}

void
hxb_ledger_rollback(struct hxb_ledger *ledger)
{
	hxb_db_rollback(&ledger->db);
}

static enum hxb_result
read_meta(struct hxb_ledger *ledger, const char *key, int64_t *value, struct hxb_error *error)
{
	enum hxb_result r;

	r = hxb_db_number(&ledger->db, value, error, "SELECT value FROM meta WHERE key = ?1", "t", key);
	if (r == HXB_NOT_FOUND)
		r = hxb_fail(error, HXB_UNREADABLE,
		    "%s: %s is not recorded; run hexactl init --rebuild-ledger", ledger->path, key);
	return r;
}

enum hxb_result
hxb_ledger_meta(struct hxb_ledger *ledger, struct hxb_ledger_meta *meta, struct hxb_error *error)
{
	int64_t store_uid = 0, uid_min = 0, uid_max = 0, generation = 0;
	enum hxb_result r;

	r = read_meta(ledger, "store_uid", &store_uid, error);
	if (r == HXB_OK)
		r = read_meta(ledger, "uid_min", &uid_min, error);
	if (r == HXB_OK)
		r = read_meta(ledger, "uid_max", &uid_max, error);
	if (r == HXB_OK)
		r = read_meta(ledger, "generation", &generation, error);
	meta->store_uid = (uid_t)store_uid;
	meta->uid_min = (uint32_t)uid_min;
	meta->uid_max = (uint32_t)uid_max;
	meta->generation = (uint64_t)generation;
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
