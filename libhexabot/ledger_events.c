/* SPDX-License-Identifier: ISC */
#include <sqlite3.h>

#include "ledger_private.h"

#define TELL_TIME 5000 /* milliseconds: the commit may have used up the caller's */

enum hxb_result
hxb_ledger_record(struct hxb_ledger *ledger, const struct hxb_event *event, struct hxb_error *error)
{
	return hxb_db_run(&ledger->db, NULL, error,
	    "INSERT INTO events (at, actor, action, user_id, name, before, after)"
	    " VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?1, ?2, ?3, ?4, ?5, ?6)",
	    "tttttt", event->actor, event->action, event->user_id, event->name, event->before, event->after);
}

/* Users of the map whom the ledger does not know have no id, and nothing in common. */
static enum hxb_result
is_often(struct hxb_ledger *ledger, const struct hxb_event *event, bool *often, struct hxb_error *error)
{
	int64_t count = 0;
	enum hxb_result r = HXB_OK;

	if (event->user_id[0] != '\0')
		r = hxb_db_number(&ledger->db, &count, error,
		    "SELECT count(*) FROM (SELECT at, actor, action FROM events WHERE user_id = ?1"
		    " ORDER BY seq DESC LIMIT ?3) WHERE actor = ?2 AND action <> 'register' AND at >= "
		    "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 hour')",
		    "tti", event->user_id, event->actor, (int64_t)HXB_EVENTS_AN_HOUR);
	*often = count >= HXB_EVENTS_AN_HOUR;
	return r;
}

enum hxb_result
hxb_ledger_record_seen(struct hxb_ledger *ledger, const struct hxb_event *event, struct hxb_error *error)
{
	bool often = false;
	enum hxb_result r = is_often(ledger, event, &often, error);

	if (r != HXB_OK)
		return r;
	if (!often)
		return hxb_ledger_record(ledger, event, error);
	return hxb_db_run(&ledger->db, NULL, error,
	    "UPDATE events SET at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), action = 'changed often', after = "
	    "?2"
	    " WHERE seq = (SELECT max(seq) FROM events WHERE user_id = ?1)",
	    "tt", event->user_id, event->after);
}

/* The statement's rows: at, actor, action, user_id, name, before, after. Ends it. */
static enum hxb_result
hand_over(
    struct hxb_ledger *ledger, sqlite3_stmt *stmt, hxb_event_fn *each, void *context, struct hxb_error *error)
{
	struct hxb_event event;
	enum hxb_result r = HXB_OK;

	while (r == HXB_OK && (r = hxb_db_step(&ledger->db, stmt, error)) == HXB_OK) {
		event.at = (const char *)sqlite3_column_text(stmt, 0);
		event.actor = (const char *)sqlite3_column_text(stmt, 1);
		event.action = (const char *)sqlite3_column_text(stmt, 2);
		event.user_id = (const char *)sqlite3_column_text(stmt, 3);
		event.name = (const char *)sqlite3_column_text(stmt, 4);
		event.before = (const char *)sqlite3_column_text(stmt, 5);
		event.after = (const char *)sqlite3_column_text(stmt, 6);
		if (event.at == NULL || event.actor == NULL || event.action == NULL ||
		    event.user_id == NULL || event.name == NULL || event.before == NULL ||
		    event.after == NULL)
			r = hxb_fail(error, HXB_FAILED, "out of memory");
		else
			r = each(&event, context, error);
	}
	hxb_db_end(&ledger->db, stmt);
	return r == HXB_NOT_FOUND ? HXB_OK : r;
}

enum hxb_result
hxb_ledger_events(struct hxb_ledger *ledger, const char *user_id, const char *since, hxb_event_fn *each,
    void *context, struct hxb_error *error)
{
	sqlite3_stmt *stmt;
	enum hxb_result r = hxb_db_query(&ledger->db, &stmt, error,
	    "SELECT at, actor, action, user_id, name, before, after FROM events"
	    " WHERE (?1 IS NULL OR user_id = ?1) AND at >= ?2 ORDER BY seq",
	    "tt", user_id, since);

	return r == HXB_OK ? hand_over(ledger, stmt, each, context, error) : r;
}

void
hxb_ledger_set_witness(struct hxb_ledger *ledger, hxb_event_fn *witness, void *context)
{
	ledger->witness = witness;
	ledger->context = context;
}

enum hxb_result
hxb_ledger_last_event(struct hxb_ledger *ledger, int64_t *number, struct hxb_error *error)
{
	return hxb_db_number(&ledger->db, number, error, "SELECT coalesce(max(seq), 0) FROM events", "");
}

/* What is committed is committed: a witness who can't be told is no failure. */
void
hxb_ledger_tell(struct hxb_ledger *ledger, int64_t last)
{
	const struct hxb_deadline deadline = ledger->db.deadline;
	sqlite3_stmt *stmt;

	ledger->db.deadline = hxb_deadline_in(TELL_TIME);
	if (hxb_db_query(&ledger->db, &stmt, NULL,
	        "SELECT at, actor, action, user_id, name, before, after FROM events"
	        " WHERE seq > ?1 AND seq <= ?2 ORDER BY seq",
	        "ii", ledger->last_event, last) == HXB_OK)
		(void)hand_over(ledger, stmt, ledger->witness, ledger->context, NULL);
	ledger->db.deadline = deadline;
}
