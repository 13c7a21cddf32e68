/* SPDX-License-Identifier: ISC */
#include <sqlite3.h>

#include "ledger_private.h"

#define KEY_COLUMNS "fingerprint, options, type, body, comment, bits, actor, added"

static enum hxb_result
read_key(sqlite3_stmt *stmt, struct hxb_keys *keys, struct hxb_error *error)
{
	struct hxb_key *key = hxb_keys_grow(keys);

	if (key == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	key->fingerprint = hxb_db_text(stmt, 0);
	key->options = hxb_db_text(stmt, 1);
	key->type = hxb_db_text(stmt, 2);
	key->body = hxb_db_text(stmt, 3);
	key->comment = hxb_db_text(stmt, 4);
	key->bits = (unsigned)sqlite3_column_int(stmt, 5);
	key->actor = hxb_db_text(stmt, 6);
	key->added = sqlite3_column_int64(stmt, 7);
	if (key->fingerprint == NULL || key->options == NULL || key->type == NULL || key->body == NULL ||
	    key->comment == NULL || key->actor == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	return HXB_OK;
}

enum hxb_result
hxb_ledger_keys(
    struct hxb_ledger *ledger, const char *user_id, struct hxb_keys *keys, struct hxb_error *error)
{
	sqlite3_stmt *stmt;
	enum hxb_result r;

	*keys = (struct hxb_keys){ 0 };
	r = hxb_db_query(&ledger->db, &stmt, error,
	    "SELECT " KEY_COLUMNS " FROM keys WHERE user_id = ?1 ORDER BY seq", "t", user_id);
	while (r == HXB_OK && (r = hxb_db_step(&ledger->db, stmt, error)) == HXB_OK)
		r = read_key(stmt, keys, error);
	hxb_db_end(&ledger->db, stmt);
	if (r == HXB_NOT_FOUND)
		return HXB_OK;
	hxb_keys_clear(keys);
	return r;
}

enum hxb_result
hxb_ledger_add_key(
    struct hxb_ledger *ledger, const char *user_id, const struct hxb_key *key, struct hxb_error *error)
{
	int64_t count = 0;
	enum hxb_result r;

	r = hxb_db_number(
	    &ledger->db, &count, error, "SELECT count(*) FROM keys WHERE user_id = ?1", "t", user_id);
	if (r == HXB_OK && count >= HXB_KEYS_MAX)
		r = hxb_fail(error, HXB_REFUSED, "has %d keys already, and can't have more", HXB_KEYS_MAX);
	if (r == HXB_OK)
		r = hxb_db_run(&ledger->db, NULL, error,
		    "INSERT INTO keys (user_id, " KEY_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
		    " strftime('%s', 'now'))",
		    "ttttttit", user_id, key->fingerprint, key->options, key->type, key->body, key->comment,
		    (int64_t)key->bits, key->actor);
	return r;
}

enum hxb_result
hxb_ledger_remove_key(
    struct hxb_ledger *ledger, const char *user_id, const char *fingerprint, struct hxb_error *error)
{
	unsigned removed = 0;
	enum hxb_result r;

	r = hxb_db_run(&ledger->db, &removed, error,
	    "DELETE FROM keys WHERE user_id = ?1 AND fingerprint = ?2", "tt", user_id, fingerprint);
	if (r == HXB_OK && removed == 0)
		r = hxb_fail(error, HXB_NOT_FOUND, "%.64s: no such key", fingerprint);
	return r;
}

enum hxb_result
hxb_ledger_forget_keys(
    struct hxb_ledger *ledger, const char *user_id, unsigned *count, struct hxb_error *error)
{
	return hxb_db_run(&ledger->db, count, error, "DELETE FROM keys WHERE user_id = ?1", "t", user_id);
}

enum hxb_result
hxb_ledger_key_owners(struct hxb_ledger *ledger, char ***idsp, struct hxb_error *error)
{
	return hxb_db_texts(&ledger->db, idsp, error, "SELECT DISTINCT user_id FROM keys", NULL);
}
