/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "print.h"
#include "users.h"

/* Whoever never registered goes, unless Hexabot has come to refer to the row. */
static enum hxb_result
take_back(
    struct hxb_session *session, const struct hxb_person *person, const char *use, struct hxb_error *error)
{
	const char *id = person->user->id;
	enum hxb_result r;

	r = hxb_ledger_revoke_invitations(
	    session->ledger, id, use == NULL ? HXB_INVITATION_REVOKED : HXB_INVITATION_WITHDRAWN, error);
	if (r != HXB_OK)
		return r;
	if (use != NULL)
		return hxb_store_set_reset_token(
		    session->store, id, person->standing.invitation->marker, NULL, error);
	r = hxb_ledger_end_hold(session->ledger, id, error);
	if (r == HXB_OK)
		r = hxb_ledger_forget_keys(session->ledger, id, NULL, error);
	return r == HXB_OK ? hxb_store_remove_user(session->store, id, error) : r;
}

/* The row goes first: a crash between leaves an invitation of nobody, which ends by itself. */
static enum hxb_result
revoke_invited(
    struct hxb_session *session, const struct hxb_person *person, const char *use, struct hxb_error *error)
{
	struct hxb_change change = {
		.id = person->user->id, .name = person->name, .action = "revoke", .before = "invited"
	};
	char remark[256];
	enum hxb_result r = take_back(session, person, use, error);

	change.after = use == NULL ? "removed" : "kept, without a password";
	change.deed = use == NULL ? "revoked and removed" : "revoked";
	if (use != NULL) {
		snprintf(remark, sizeof(remark),
		    "the user stays, without a password, since Hexabot refers to it in its table %.64s; see "
		    "'hexactl disable' and 'hexactl erase'",
		    use);
		change.remark = remark;
	}
	if (r == HXB_OK)
		r = hxb_change_record(session, &change, error);
	if (r == HXB_OK)
		r = hxb_session_commit(session, HXB_STORE_FIRST, error);
	if (r == HXB_OK)
		hxb_change_done(session, &change);
	return r;
}

/* Open or lapsed, and what the invitation left in the row still stands there. */
static bool
is_pending(const struct hxb_person *person)
{
	const struct hxb_invitation *invitation = person->standing.invitation;

	return invitation != NULL && strcmp(person->user->password, invitation->marker) == 0;
}

static enum hxb_result
revoke_one(struct hxb_session *session, const char *operand, struct hxb_error *error)
{
	struct hxb_person person = { 0 };
	char *id = NULL, *use = NULL;
	enum hxb_result r;

	r = hxb_user_find(session, operand, &id, error);
	/* Hexabot's tables may be large: they are looked through before anything is locked. */
	if (r == HXB_OK)
		r = hxb_store_find_use(session->store, id, &use, error);
	if (r == HXB_OK)
		r = hxb_session_begin(session, error);
	if (r == HXB_OK)
		r = hxb_person_load_to_change(session, id, &person, error);
	if (r == HXB_OK && !is_pending(&person))
		r = hxb_fail(error, HXB_REFUSED,
		    "%.128s: no invitation is pending: the user has a password, or was never invited; "
		    "'hexactl "
		    "disable' keeps somebody out",
		    person.name);
	else if (r == HXB_OK)
		r = revoke_invited(session, &person, use, error);
	hxb_session_rollback(session);
	hxb_person_clear(&person);
	free(use);
	free(id);
	return r;
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	enum hxb_result r = hxb_session_lock(session, error);

	return r == HXB_OK ? hxb_users_each(session, revoke_one, error) : r;
}

const struct hxb_command hxb_cmd_revoke = {
	.name = "revoke",
	.operands = "USER...",
	.summary =
	    "Takes an invitation back: code and link are void, and a user who never registered is removed.",
	.operands_min = 1,
	.operands_max = -1,
	.changes = true,
	.run = run,
};
