/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "output.h"
#include "table.h"
#include "times.h"
#include "users.h"

struct listing {
	struct hxb_table *table;
	struct hxb_json json;
	struct json_t *root; /* NULL: no JSON is wanted */
};

static enum hxb_result
add_row(struct listing *listing, const struct hxb_event *event, struct hxb_error *error)
{
	char when[HXB_TIME_SIZE], *what = NULL;
	int64_t seconds;
	int length;

	if (hxb_time_read(event->at, &seconds) == HXB_OK)
		hxb_time_local(seconds, when);
	else
		snprintf(when, sizeof(when), "?");
	if (event->before[0] == '\0')
		length = asprintf(&what, "%s", event->after);
	else
		length = asprintf(
		    &what, "%s -> %s", event->before, event->after[0] != '\0' ? event->after : "none");
	if (length == -1)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	hxb_table_row(listing->table,
	    (const char *const[]){
	        when, event->actor, event->action, event->user_id[0] != '\0' ? event->name : "-", what },
	    5, HXB_PLAIN);
	free(what);
	return HXB_OK;
}

static enum hxb_result
add(const struct hxb_event *event, void *context, struct hxb_error *error)
{
	struct listing *listing = context;
	struct json_t *object;

	if (listing->root == NULL)
		return add_row(listing, event, error);
	object = hxb_json_object(&listing->json, listing->root, NULL);
	hxb_json_text(&listing->json, object, "at", event->at);
	hxb_json_text(&listing->json, object, "actor", event->actor);
	hxb_json_text(&listing->json, object, "action", event->action);
	hxb_json_text(&listing->json, object, "user", event->user_id[0] != '\0' ? event->name : NULL);
	hxb_json_text(&listing->json, object, "id", event->user_id[0] != '\0' ? event->user_id : NULL);
	hxb_json_text(&listing->json, object, "before", event->before);
	hxb_json_text(&listing->json, object, "after", event->after);
	return HXB_OK;
}

/* Users who are no longer in the store left their login behind: it belongs to nobody else. */
static enum hxb_result
find_user(struct hxb_session *session, char **id, struct hxb_error *error)
{
	const char *operand = session->arguments->operands[0];
	struct hxb_entry *entry = NULL;
	enum hxb_result r;

	r = hxb_user_find(session, operand, id, error);
	if (r != HXB_NOT_FOUND)
		return r;
	r = hxb_user_find_entry(session, operand, &entry);
	if (r == HXB_OK && (*id = strdup(entry->id)) == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	hxb_entry_free(entry);
	return r;
}

/* The ledger compares texts that have milliseconds. */
static enum hxb_result
read_since(const struct hxb_session *session, char since[HXB_TIME_SIZE], struct hxb_error *error)
{
	const char *text = hxb_option(session->arguments, "since");
	int64_t seconds;
	char *end;
	enum hxb_result r;

	since[0] = '\0';
	if (text == NULL)
		return HXB_OK;
	r = hxb_time_since(text, time(NULL), &seconds, error);
	if (r != HXB_OK)
		return r;
	hxb_time_utc(seconds, since);
	if ((end = strchr(since, 'Z')) != NULL)
		snprintf(end, (size_t)(since + HXB_TIME_SIZE - end), ".000Z");
	return HXB_OK;
}

static enum hxb_result
print(struct hxb_session *session, const char *id, const char *since, struct hxb_error *error)
{
	static const char *const headings[] = { "TIME", "ACTOR", "ACTION", "USER", "CHANGE" };
	struct listing listing = { 0 };
	enum hxb_result r;

	if (session->arguments->json)
		listing.root = hxb_json_array(&listing.json, NULL, NULL);
	else
		listing.table = hxb_table_new(5, headings);
	if (listing.root == NULL && listing.table == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	hxb_ledger_set_deadline(session->ledger, hxb_deadline_in(HXB_CTL_DEADLINE));
	r = hxb_ledger_events(session->ledger, id, since, add, &listing, error);
	if (r != HXB_OK)
		hxb_json_free(listing.root);
	else if (listing.root != NULL)
		r = hxb_json_print(&listing.json, listing.root, error);
	else
		r = hxb_table_print(listing.table, error);
	hxb_table_free(listing.table);
	return r;
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	char since[HXB_TIME_SIZE], *id = NULL;
	enum hxb_result r;

	r = read_since(session, since, error);
	if (r == HXB_OK && session->arguments->operand_count > 0)
		r = find_user(session, &id, error);
	if (r == HXB_OK)
		r = print(session, id, since, error);
	free(id);
	return r;
}

static const struct hxb_option options[] = {
	{ "since", "T",
	    "only what came later: YYYY-MM-DD, 2030-01-31T18:00:00Z, or how long ago: 30m, 2h, 3d, 1w" },
	{ NULL, NULL, NULL },
};

const struct hxb_command hxb_cmd_log = {
	.name = "log",
	.operands = "[USER]",
	.summary = "Shows who changed what, the latest last. Actor 'hexabot': somebody in Hexabot itself.",
	.operands_max = 1,
	.options = options,
	.run = run,
};
