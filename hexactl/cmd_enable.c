/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "hold.h"
#include "print.h"
#include "roles.h"
#include "users.h"

struct returned {
	char *roles; /* the names that a hold had parked */
	bool replaced; /* somebody had set another password in Hexabot during the hold */
};

static enum hxb_result
turn_on(struct hxb_session *session, const struct hxb_person *person, const struct hxb_change *change,
    struct hxb_error *error)
{
	enum hxb_result r = hxb_change_record(session, change, error);

	if (r == HXB_OK)
		r = hxb_store_set_enabled(session->store, person->user->id, true, error);
	if (r == HXB_OK)
		r = hxb_session_commit(session, HXB_STORE_FIRST, error);
	return r;
}

static bool
is_value(const struct hxb_value *value, char type, const void *bytes, size_t size)
{
	return value->type == type && value->size == size &&
	    (size == 0 || memcmp(value->bytes, bytes, size) == 0);
}

/* The parked password itself stands in the row where an earlier disable or enable got no further. */
static enum hxb_result
find_replaced(
    struct hxb_session *session, const struct hxb_hold *hold, bool *replaced, struct hxb_error *error)
{
	const struct hxb_value *parked = &hold->parked.password;
	const size_t size = strlen(hold->marker);
	struct hxb_parked row;
	enum hxb_result r = hxb_store_read_parked(session->store, hold->user_id, &row, error);

	if (r != HXB_OK)
		return r;
	*replaced = !is_value(&row.password, 't', hold->marker, size) &&
	    !is_value(&row.password, parked->type, parked->bytes, parked->size);
	hxb_parked_clear(&row);
	return HXB_OK;
}

/* The store is given back everything before the hold ends: a crash between leaves a held user, never an open
 * one. */
static enum hxb_result
end_hold(struct hxb_session *session, const struct hxb_person *person, const struct hxb_change *change,
    struct returned *returned, struct hxb_error *error)
{
	const char *id = person->user->id;
	struct hxb_roles roles = { 0 };
	struct hxb_hold *hold = NULL;
	bool unread = false;
	enum hxb_result r;

	r = hxb_ledger_hold(session->ledger, id, &hold, error);
	if (r == HXB_OK)
		r = hxb_hold_read_row(session, hold, &unread, error);
	if (r == HXB_OK)
		r = hxb_roles_load(session->store, &roles, error);
	if (r == HXB_OK && (returned->roles = hxb_roles_text(&roles, hold->parked.role_ids)) == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	if (r == HXB_OK && !unread)
		r = find_replaced(session, hold, &returned->replaced, error);
	if (r == HXB_OK)
		r = hxb_store_unpark(session->store, id, &hold->parked, error);
	if (r == HXB_OK)
		r = hxb_ledger_end_hold(session->ledger, id, error);
	if (r == HXB_OK)
		r = turn_on(session, person, change, error);
	hxb_hold_free(hold);
	hxb_roles_clear(&roles);
	return r;
}

static void
tell(struct hxb_session *session, const struct hxb_change *change, const struct returned *returned)
{
	hxb_change_done(session, change);
	if (returned->roles == NULL)
		return;
	if (!session->arguments->json)
		hxb_say("  %sput back: the password, %s%s", session->arguments->dry_run ? "would be " : "",
		    returned->roles[0] != '\0' ? "the roles " : "no role", returned->roles);
	if (returned->replaced)
		hxb_complain("%s: the password had been changed in Hexabot during the hold; the one from "
		             "before it counts again",
		    change->name);
}

static enum hxb_result
enable_one(struct hxb_session *session, const char *operand, struct hxb_error *error)
{
	struct hxb_change change = { .action = "enable", .after = "enabled", .deed = "enabled" };
	struct hxb_person person = { 0 };
	struct returned returned = { 0 };
	char *id = NULL;
	enum hxb_result r;

	r = hxb_user_find(session, operand, &id, error);
	if (r == HXB_OK)
		r = hxb_session_begin(session, error);
	if (r == HXB_OK)
		r = hxb_person_load_to_change(session, id, &person, error);
	if (r != HXB_OK)
		goto out;
	change.id = id;
	change.name = person.name;
	if (!person.standing.held && person.user->enabled) {
		hxb_session_rollback(session);
		change.before = "enabled";
		change.deed = "already enabled";
		hxb_change_none(session, &change);
		goto out;
	}
	change.before = person.standing.held ? "held" : "disabled";
	if (person.standing.invitation != NULL)
		change.remark =
		    "the user has no password yet, and the code is void: 'hexactl resend' sends another";
	r = person.standing.held ? end_hold(session, &person, &change, &returned, error)
	                         : turn_on(session, &person, &change, error);
	if (r == HXB_OK)
		tell(session, &change, &returned);
out:
	hxb_session_rollback(session);
	free(returned.roles);
	hxb_person_clear(&person);
	free(id);
	return r;
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	enum hxb_result r = hxb_session_lock(session, error);

	return r == HXB_OK ? hxb_users_each(session, enable_one, error) : r;
}

const struct hxb_command hxb_cmd_enable = {
	.name = "enable",
	.operands = "USER...",
	.summary =
	    "Turns users on, in Hexabot and on the host. A hold ends: password and roles are put back.",
	.operands_min = 1,
	.operands_max = -1,
	.changes = true,
	.run = run,
};
