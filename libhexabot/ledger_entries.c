/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include <sqlite3.h>

#include "ledger_private.h"

#define ENTRY_COLUMNS "kind, id, login, number, shell, home, expires, removed"

void
hxb_entry_free(struct hxb_entry *entry)
{
	if (entry == NULL)
		return;
	free(entry->id);
	free(entry->login);
	free(entry->shell);
	free(entry->home);
	free(entry);
}

static struct hxb_entry *
read_entry(sqlite3_stmt *stmt)
{
	struct hxb_entry *entry = calloc(1, sizeof(*entry));

	if (entry == NULL)
		return NULL;
	entry->kind = sqlite3_column_int(stmt, 0) == HXB_ENTRY_USER ? HXB_ENTRY_USER : HXB_ENTRY_ROLE;
	entry->id = hxb_db_text(stmt, 1);
	entry->login = hxb_db_text(stmt, 2);
	entry->number = (uint32_t)sqlite3_column_int64(stmt, 3);
	entry->shell = hxb_db_text(stmt, 4);
	entry->home = hxb_db_text(stmt, 5);
	entry->expires = sqlite3_column_int64(stmt, 6);
	entry->removed = sqlite3_column_int(stmt, 7) != 0;
	if (entry->id == NULL || entry->login == NULL || entry->shell == NULL || entry->home == NULL) {
		hxb_entry_free(entry);
		return NULL;
	}
	return entry;
}

/* Takes the first row of a prepared statement, and finalizes it. */
static enum hxb_result
first_entry(struct hxb_ledger *ledger, sqlite3_stmt *stmt, struct hxb_entry **entryp, struct hxb_error *error)
{
	enum hxb_result r = hxb_db_step(&ledger->db, stmt, error);

	if (r == HXB_OK && (*entryp = read_entry(stmt)) == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	hxb_db_end(&ledger->db, stmt);
	return r;
}

enum hxb_result
hxb_ledger_entry(struct hxb_ledger *ledger, enum hxb_entry_kind kind, const char *id,
    struct hxb_entry **entryp, struct hxb_error *error)
{
	sqlite3_stmt *stmt;
	enum hxb_result r;

	*entryp = NULL;
	r = hxb_db_query(&ledger->db, &stmt, error,
	    "SELECT " ENTRY_COLUMNS " FROM entries WHERE kind = ?1 AND id = ?2", "it", (int64_t)kind, id);
	return r == HXB_OK ? first_entry(ledger, stmt, entryp, error) : r;
}

enum hxb_result
hxb_ledger_entry_by_login(
    struct hxb_ledger *ledger, const char *login, struct hxb_entry **entryp, struct hxb_error *error)
{
	sqlite3_stmt *stmt;
	enum hxb_result r;

	*entryp = NULL;
	r = hxb_db_query(
	    &ledger->db, &stmt, error, "SELECT " ENTRY_COLUMNS " FROM entries WHERE login = ?1", "t", login);
	return r == HXB_OK ? first_entry(ledger, stmt, entryp, error) : r;
}

enum hxb_result
hxb_ledger_number_taken(struct hxb_ledger *ledger, uint32_t number, bool *taken, struct hxb_error *error)
{
	int64_t count = 0;
	enum hxb_result r;

	r = hxb_db_number(&ledger->db, &count, error, "SELECT count(*) FROM entries WHERE number = ?1", "i",
	    (int64_t)number);
	*taken = count != 0;
	return r;
}

/* Those that are taken come in order: the first gap is what is wanted. */
enum hxb_result
hxb_ledger_free_number(
    struct hxb_ledger *ledger, uint32_t from, uint32_t to, uint32_t *number, struct hxb_error *error)
{
	sqlite3_stmt *stmt = NULL;
	int64_t next = from;
	enum hxb_result r;

	r = hxb_db_query(&ledger->db, &stmt, error,
	    "SELECT number FROM entries WHERE number BETWEEN ?1 AND ?2 ORDER BY number", "ii", (int64_t)from,
	    (int64_t)to);
	while (r == HXB_OK && (r = hxb_db_step(&ledger->db, stmt, error)) == HXB_OK &&
	    sqlite3_column_int64(stmt, 0) == next)
		next++;
	hxb_db_end(&ledger->db, stmt);
	*number = (uint32_t)next;
	if (r == HXB_OK || r == HXB_NOT_FOUND)
		r = next <= to ? HXB_OK : HXB_NOT_FOUND;
	return r;
}

enum hxb_result
hxb_ledger_login_owner(struct hxb_ledger *ledger, const char *login, char **idp, struct hxb_error *error)
{
	sqlite3_stmt *stmt;
	enum hxb_result r;

	*idp = NULL;
	r = hxb_db_query(&ledger->db, &stmt, error,
	    "SELECT id FROM entries WHERE login = ?1 UNION ALL SELECT id FROM former_logins WHERE login = ?1",
	    "t", login);
	if (r == HXB_OK)
		r = hxb_db_step(&ledger->db, stmt, error);
	if (r == HXB_OK && (*idp = hxb_db_text(stmt, 0)) == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	hxb_db_end(&ledger->db, stmt);
	return r;
}

enum hxb_result
hxb_ledger_put_former_login(
    struct hxb_ledger *ledger, const char *login, const char *id, struct hxb_error *error)
{
	return hxb_db_run(&ledger->db, NULL, error,
	    "INSERT OR IGNORE INTO former_logins (login, id) VALUES (?1, ?2)", "tt", login, id);
}

/* The login that an entry has now stays the user's, if the host has seen it; and the one it takes is former
 * no longer. */
static enum hxb_result
keep_former_login(struct hxb_ledger *ledger, const struct hxb_entry *entry, struct hxb_error *error)
{
	enum hxb_result r;

	r = hxb_db_run(&ledger->db, NULL, error,
	    "INSERT OR IGNORE INTO former_logins (login, id) SELECT login, id FROM entries"
	    " WHERE kind = ?1 AND id = ?2 AND login <> ?3 AND number IS NOT NULL",
	    "itt", (int64_t)entry->kind, entry->id, entry->login);
	if (r == HXB_OK)
		r = hxb_db_run(&ledger->db, NULL, error,
		    "DELETE FROM former_logins WHERE login = ?1 AND id = ?2", "tt", entry->login, entry->id);
	return r;
}

enum hxb_result
hxb_ledger_put(struct hxb_ledger *ledger, const struct hxb_entry *entry, struct hxb_error *error)
{
	enum hxb_result r = keep_former_login(ledger, entry, error);

	if (r == HXB_OK)
		r = hxb_db_run(&ledger->db, NULL, error,
		    "INSERT INTO entries (" ENTRY_COLUMNS
		    ") VALUES (?1, ?2, nullif(?3, ''), nullif(?4, 0), ?5, ?6, ?7, ?8)"
		    " ON CONFLICT (kind, id) DO UPDATE SET login = excluded.login, number = excluded.number,"
		    " shell = excluded.shell, home = excluded.home, expires = excluded.expires, removed = "
		    "excluded.removed",
		    "ittittii", (int64_t)entry->kind, entry->id, entry->login, (int64_t)entry->number,
		    entry->shell, entry->home, entry->expires, (int64_t)entry->removed);
	return r;
}

/* The entry of the present row, whose texts are SQLite's until the next step. */
static struct hxb_entry
borrow_entry(sqlite3_stmt *stmt)
{
	static const int texts[] = { 1, 2, 4, 5 };
	char *text[4];

	for (int i = 0; i < 4; i++) {
		const unsigned char *found = sqlite3_column_text(stmt, texts[i]);

		text[i] = (char *)(uintptr_t)(found != NULL ? found : (const unsigned char *)"");
	}
	return (struct hxb_entry){
		.kind = (enum hxb_entry_kind)sqlite3_column_int(stmt, 0),
		.id = text[0],
		.login = text[1],
		.number = (uint32_t)sqlite3_column_int64(stmt, 3),
		.shell = text[2],
		.home = text[3],
		.expires = sqlite3_column_int64(stmt, 6),
		.removed = sqlite3_column_int(stmt, 7) != 0,
	};
}

enum hxb_result
hxb_ledger_entries(struct hxb_ledger *ledger, hxb_entry_fn *each, void *context, struct hxb_error *error)
{
	sqlite3_stmt *stmt;
	struct hxb_entry entry;
	enum hxb_result r;

	r = hxb_db_query(&ledger->db, &stmt, error,
	    "SELECT " ENTRY_COLUMNS
	    " FROM entries UNION ALL SELECT 3, id, login, 0, '', '', 0, 1 FROM former_logins",
	    "");
	while (r == HXB_OK && (r = hxb_db_step(&ledger->db, stmt, error)) == HXB_OK) {
		entry = borrow_entry(stmt);
		r = each(&entry, context, error);
	}
	hxb_db_end(&ledger->db, stmt);
	return r == HXB_NOT_FOUND ? HXB_OK : r;
}

enum hxb_result
hxb_ledger_set_removed(struct hxb_ledger *ledger, enum hxb_entry_kind kind, const char *id, bool removed,
    struct hxb_error *error)
{
	return hxb_db_run(&ledger->db, NULL, error,
	    "UPDATE entries SET removed = ?3 WHERE kind = ?1 AND id = ?2", "iti", (int64_t)kind, id,
	    (int64_t)removed);
}

enum hxb_result
hxb_ledger_expect_many(struct hxb_ledger *ledger, struct hxb_error *error)
{
	return hxb_db_exec(&ledger->db, "PRAGMA cache_size = -32768", error);
}
