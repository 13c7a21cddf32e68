/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include <sqlite3.h>

#include "ledger_private.h"

#define NOW "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"

void
hxb_hold_free(struct hxb_hold *hold)
{
	if (hold == NULL)
		return;
	free(hold->user_id);
	free(hold->since);
	free(hold->actor);
	free(hold->marker);
	hxb_parked_clear(&hold->parked);
	free(hold);
}

static struct hxb_hold *
read_hold(sqlite3_stmt *stmt)
{
	struct hxb_hold *hold = calloc(1, sizeof(*hold));

	if (hold == NULL)
		return NULL;
	hold->user_id = hxb_db_text(stmt, 0);
	hold->since = hxb_db_text(stmt, 1);
	hold->actor = hxb_db_text(stmt, 2);
	hold->marker = hxb_db_text(stmt, 3);
	if (!hxb_db_value(stmt, 4, &hold->parked.password) || hold->user_id == NULL || hold->since == NULL ||
	    hold->actor == NULL || hold->marker == NULL) {
		hxb_hold_free(hold);
		return NULL;
	}
	return hold;
}

enum hxb_result
hxb_ledger_hold(
    struct hxb_ledger *ledger, const char *user_id, struct hxb_hold **holdp, struct hxb_error *error)
{
	sqlite3_stmt *stmt = NULL;
	struct hxb_hold *hold = NULL;
	enum hxb_result r;

	*holdp = NULL;
	r = hxb_db_query(&ledger->db, &stmt, error,
	    "SELECT user_id, since, actor, marker, password FROM holds WHERE user_id = ?1", "t", user_id);
	if (r == HXB_OK)
		r = hxb_db_step(&ledger->db, stmt, error);
	if (r == HXB_OK && (hold = read_hold(stmt)) == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	hxb_db_end(&ledger->db, stmt);
	if (r == HXB_OK)
		r = hxb_db_texts(&ledger->db, &hold->parked.role_ids, error,
		    "SELECT role_id FROM hold_roles WHERE user_id = ?1 ORDER BY role_id", user_id);
	if (r == HXB_OK) {
		*holdp = hold;
		hold = NULL;
	}
	hxb_hold_free(hold);
	return r;
}

enum hxb_result
hxb_ledger_held(struct hxb_ledger *ledger, const char *user_id, bool *held, struct hxb_error *error)
{
	int64_t count = 0;
	enum hxb_result r;

	*held = true; /* until it is known */
	r = hxb_db_number(
	    &ledger->db, &count, error, "SELECT count(*) FROM holds WHERE user_id = ?1", "t", user_id);
	if (r == HXB_OK)
		*held = count != 0;
	return r;
}

enum hxb_result
hxb_ledger_held_ids(struct hxb_ledger *ledger, char ***idsp, struct hxb_error *error)
{
	return hxb_db_texts(&ledger->db, idsp, error, "SELECT user_id FROM holds", NULL);
}

enum hxb_result
hxb_ledger_put_hold(struct hxb_ledger *ledger, const struct hxb_hold *hold, struct hxb_error *error)
{
	char *const *role_ids = hold->parked.role_ids;
	enum hxb_result r;

	r = hxb_ledger_end_hold(ledger, hold->user_id, error);
	if (r == HXB_OK)
		r = hxb_db_run(&ledger->db, NULL, error,
		    "INSERT INTO holds (user_id, since, actor, marker, password)"
		    " VALUES (?1, coalesce(nullif(?2, ''), " NOW "), ?3, ?4, ?5)",
		    "ttttv", hold->user_id, hold->since, hold->actor, hold->marker, &hold->parked.password);
	for (size_t i = 0; r == HXB_OK && role_ids != NULL && role_ids[i] != NULL; i++)
		r = hxb_db_run(&ledger->db, NULL, error,
		    "INSERT INTO hold_roles (user_id, role_id) VALUES (?1, ?2)", "tt", hold->user_id,
		    role_ids[i]);
	return r;
}

enum hxb_result
hxb_ledger_set_parked_password(
    struct hxb_ledger *ledger, const char *user_id, const char *hash, struct hxb_error *error)
{
	unsigned changed;
	enum hxb_result r;

	r = hxb_db_run(&ledger->db, &changed, error, "UPDATE holds SET password = ?2 WHERE user_id = ?1",
	    "tt", user_id, hash);
	if (r == HXB_OK && changed != 1)
		r = hxb_fail(error, HXB_NOT_FOUND, "%.64s: no hold", user_id);
	return r;
}

enum hxb_result
hxb_ledger_end_hold(struct hxb_ledger *ledger, const char *user_id, struct hxb_error *error)
{
	return hxb_db_run(&ledger->db, NULL, error, "DELETE FROM holds WHERE user_id = ?1", "t", user_id);
}
