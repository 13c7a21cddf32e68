/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "output.h"
#include "print.h"
#include "session.h"

enum hxb_result
hxb_change_record(struct hxb_session *session, const struct hxb_change *change, struct hxb_error *error)
{
	const struct hxb_event event = {
		.actor = session->actor.name,
		.action = change->action,
		.user_id = change->id != NULL ? change->id : "",
		.name = change->name,
		.before = change->before,
		.after = change->after,
	};

	return hxb_ledger_record(session->ledger, &event, error);
}

static void
clear_outcome(struct hxb_outcome *outcome)
{
	free(outcome->id);
	free(outcome->name);
	free(outcome->action);
	free(outcome->before);
	free(outcome->after);
}

static void
remember(struct hxb_changes *changes, const struct hxb_change *change, bool changed)
{
	struct hxb_outcome outcome = { .changed = changed }, *grown;

	outcome.id = change->id != NULL ? strdup(change->id) : NULL;
	outcome.name = strdup(change->name);
	outcome.action = strdup(change->action);
	outcome.before = strdup(change->before);
	outcome.after = strdup(change->after);
	grown = reallocarray(changes->outcomes, changes->count + 1, sizeof(*grown));
	if (grown != NULL)
		changes->outcomes = grown;
	if (grown == NULL || outcome.name == NULL || outcome.action == NULL || outcome.before == NULL ||
	    outcome.after == NULL || (change->id != NULL && outcome.id == NULL)) {
		clear_outcome(&outcome);
		changes->failed = true;
		return;
	}
	changes->outcomes[changes->count++] = outcome;
}

void
hxb_change_keep(struct hxb_session *session, const struct hxb_change *change)
{
	remember(&session->changes, change, true);
}

void
hxb_change_done(struct hxb_session *session, const struct hxb_change *change)
{
	hxb_change_keep(session, change);
	if (!session->arguments->json)
		hxb_say("%s: %s%s%s%s", change->name, session->arguments->dry_run ? "would be " : "",
		    change->deed, change->remark != NULL ? "; " : "",
		    change->remark != NULL ? change->remark : "");
}

void
hxb_change_none(struct hxb_session *session, const struct hxb_change *change)
{
	if (!session->arguments->json)
		hxb_say("hexactl: %s: %s", change->name, change->deed);
	remember(&session->changes, change, false);
}

const char **
hxb_changes_ids(const struct hxb_changes *changes)
{
	const char **ids = calloc(changes->count + 1, sizeof(*ids));
	size_t count = 0;

	for (size_t i = changes->published; ids != NULL && i < changes->count; i++)
		if (changes->outcomes[i].changed && changes->outcomes[i].id != NULL)
			ids[count++] = changes->outcomes[i].id;
	return ids;
}

static void
add_outcome(struct hxb_json *json, struct json_t *list, const struct hxb_outcome *outcome)
{
	struct json_t *object = hxb_json_object(json, list, NULL);

	hxb_json_text(json, object, "user", outcome->id != NULL ? outcome->name : NULL);
	hxb_json_text(json, object, "id", outcome->id);
	hxb_json_text(json, object, "action", outcome->action);
	hxb_json_text(json, object, "before", outcome->before);
	hxb_json_text(json, object, "after", outcome->after);
}

static void
add_report(struct hxb_json *json, struct json_t *parent, const struct hxb_publish_report *report)
{
	struct json_t *object = hxb_json_object(json, parent, "published");

	hxb_json_number(json, object, "generation", (int64_t)report->generation);
	hxb_json_number(json, object, "users", report->users);
	hxb_json_number(json, object, "roles", report->roles);
	hxb_json_number(json, object, "unmapped", report->unmapped);
	hxb_json_number(json, object, "added", report->added);
	hxb_json_number(json, object, "removed", report->removed);
	hxb_json_number(json, object, "changed", report->changed);
}

enum hxb_result
hxb_changes_print(struct hxb_session *session, struct hxb_error *error)
{
	struct hxb_json json = { .failed = session->changes.failed };
	struct json_t *root = hxb_json_object(&json, NULL, NULL);
	struct json_t *changed = hxb_json_array(&json, root, "changed");
	struct json_t *unchanged = hxb_json_array(&json, root, "unchanged");

	for (size_t i = 0; i < session->changes.count; i++) {
		const struct hxb_outcome *outcome = &session->changes.outcomes[i];

		add_outcome(&json, outcome->changed ? changed : unchanged, outcome);
	}
	hxb_json_adopt(&json, root, "invitations", session->changes.invitations);
	session->changes.invitations = NULL;
	hxb_endings_json(session, &json, root);
	hxb_json_flag(&json, root, "dry_run", session->arguments->dry_run);
	if (session->published)
		add_report(&json, root, &session->report);
	else
		hxb_json_text(&json, root, "published", NULL);
	return hxb_json_print(&json, root, error);
}

void
hxb_report_say(const struct hxb_session *session)
{
	const struct hxb_publish_report *report = &session->report;

	hxb_say("%s: %u user%s, %u role%s, %u without a login; %u added, %u removed, %u changed",
	    session->arguments->dry_run ? "would be published" : "published", report->users,
	    hxb_plural(report->users), report->roles, hxb_plural(report->roles), report->unmapped,
	    report->added, report->removed, report->changed);
}

void
hxb_changes_clear(struct hxb_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++)
		clear_outcome(&changes->outcomes[i]);
	free(changes->outcomes);
	hxb_json_free(changes->invitations);
	*changes = (struct hxb_changes){ 0 };
}
