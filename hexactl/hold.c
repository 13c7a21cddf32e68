/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hold.h"
#include "libhexabot/token.h"
#include "roles.h"

#define MARKER_PREFIX "$2!held." /* starts with $2: Hexabot leaves it alone, and nothing matches it */

/* While the lock is still held: the reason names its holder. */
static void
row_failed(struct hxb_session *session, struct hxb_holding *holding, enum hxb_result r)
{
	holding->row = r;
	if (r == HXB_BUSY)
		(void)hxb_session_name_holder(session, &holding->why);
}

enum hxb_result
hxb_hold_begin(struct hxb_session *session, struct hxb_holding *holding, struct hxb_error *error)
{
	enum hxb_result r = hxb_session_begin(session, error);

	if (r == HXB_OK || !session->ledger_begun)
		return r;
	holding->why = *error;
	error->text[0] = '\0';
	row_failed(session, holding, r);
	/* With a deadline of its own: the store's lock was waited for until the other had passed. */
	hxb_session_rollback(session);
	return hxb_session_begin_ledger(session, error);
}

bool
hxb_hold_is_unread(const struct hxb_hold *hold)
{
	return hold->marker[0] == '\0';
}

static bool
has_marker(const struct hxb_person *person, const struct hxb_hold *hold)
{
	return !hxb_hold_is_unread(hold) && person->user->password != NULL &&
	    strcmp(person->user->password, hold->marker) == 0;
}

static enum hxb_result
new_hold(struct hxb_session *session, const char *user_id, struct hxb_hold **holdp, struct hxb_error *error)
{
	struct hxb_hold *hold = calloc(1, sizeof(*hold));

	if (hold == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	hold->user_id = strdup(user_id);
	hold->since = strdup(""); /* now */
	hold->actor = strdup(session->actor.name);
	hold->marker = strdup("");
	if (hold->user_id == NULL || hold->since == NULL || hold->actor == NULL || hold->marker == NULL) {
		hxb_hold_free(hold);
		return hxb_fail(error, HXB_FAILED, "out of memory");
	}
	*holdp = hold;
	return HXB_OK;
}

enum hxb_result
hxb_hold_read_row(struct hxb_session *session, struct hxb_hold *hold, bool *unread, struct hxb_error *error)
{
	struct hxb_value *set = &hold->parked.password; /* by root, during the hold */
	struct hxb_parked row;
	enum hxb_result r;

	*unread = hxb_hold_is_unread(hold);
	if (!*unread)
		return HXB_OK;
	r = hxb_store_read_parked(session->store, hold->user_id, &row, error);
	if (r != HXB_OK)
		return r;
	if (set->type == 't') {
		const struct hxb_value own = row.password;

		row.password = *set;
		*set = own;
	}
	hxb_parked_clear(&hold->parked);
	hold->parked = row;
	return HXB_OK;
}

static enum hxb_result
renew_marker(struct hxb_hold *hold, struct hxb_error *error)
{
	char nonce[HXB_NONCE_SIZE];
	enum hxb_result r = hxb_nonce(nonce, error);

	if (r != HXB_OK)
		return r;
	free(hold->marker);
	if (asprintf(&hold->marker, MARKER_PREFIX "%s", nonce) == -1) {
		hold->marker = NULL;
		return hxb_fail(error, HXB_FAILED, "out of memory");
	}
	return HXB_OK;
}

/*
 * The hold to be written. A hold that is there already keeps the password that it parked first: what stands
 * in the row now was left there by a try that got no further, and is the same, or was set by somebody in
 * Hexabot after the hold, and is what the hold is to beat. Roles given meanwhile are parked with the others.
 */
static enum hxb_result
make_hold(struct hxb_session *session, const struct hxb_person *person, struct hxb_hold **holdp,
    struct hxb_error *error)
{
	const struct hxb_user *user = person->user;
	struct hxb_hold *hold = NULL;
	bool unread = true;
	enum hxb_result r;

	if (person->standing.held)
		r = hxb_ledger_hold(session->ledger, user->id, &hold, error);
	else
		r = new_hold(session, user->id, &hold, error);
	if (r == HXB_OK)
		r = hxb_hold_read_row(session, hold, &unread, error);
	for (size_t i = 0; r == HXB_OK && !unread && i < user->role_count; i++) {
		if (user->roles[i].id[0] != '\0')
			r = hxb_role_ids_add(&hold->parked.role_ids, user->roles[i].id, error);
	}
	if (r == HXB_OK && !has_marker(person, hold))
		r = renew_marker(hold, error);
	if (r == HXB_OK) {
		*holdp = hold;
		hold = NULL;
	}
	hxb_hold_free(hold);
	return r;
}

enum hxb_result
hxb_hold_is_whole(
    struct hxb_session *session, const struct hxb_person *person, bool *whole, struct hxb_error *error)
{
	struct hxb_hold *hold = NULL;
	enum hxb_result r;

	*whole = false;
	if (!person->standing.held || person->user->enabled || person->user->role_count != 0)
		return HXB_OK;
	r = hxb_ledger_hold(session->ledger, person->user->id, &hold, error);
	if (r == HXB_OK)
		*whole = has_marker(person, hold);
	hxb_hold_free(hold);
	return r;
}

static enum hxb_result
take_away(struct hxb_session *session, const struct hxb_hold *hold, struct hxb_error *error)
{
	enum hxb_result r = hxb_store_park(session->store, hold->user_id, hold->marker, error);

	return r == HXB_OK ? hxb_store_set_enabled(session->store, hold->user_id, false, error) : r;
}

/* The ledger's commit comes first, and whatever the store says. */
static enum hxb_result
commit(struct hxb_session *session, const struct hxb_hold *hold, struct hxb_holding *holding,
    struct hxb_error *error)
{
	enum hxb_result row = holding->row, r;

	if (row == HXB_OK)
		row = take_away(session, hold, &holding->why);
	r = hxb_session_commit_ledger(session, error);
	if (r == HXB_OK && row == HXB_OK)
		row = hxb_session_commit_store(session, &holding->why);
	if (row != holding->row)
		row_failed(session, holding, row);
	hxb_session_rollback(session);
	return r;
}

enum hxb_result
hxb_hold_put(struct hxb_session *session, const struct hxb_person *person, const struct hxb_change *change,
    struct hxb_holding *holding, struct hxb_error *error)
{
	struct hxb_roles roles = { 0 };
	struct hxb_hold *hold = NULL;
	enum hxb_result r;

	r = make_hold(session, person, &hold, error);
	if (r == HXB_OK)
		r = hxb_roles_load(session->store, &roles, error);
	if (r == HXB_OK && (holding->parked = hxb_roles_text(&roles, hold->parked.role_ids)) == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	if (r == HXB_OK)
		r = hxb_ledger_put_hold(session->ledger, hold, error);
	if (r == HXB_OK)
		r = hxb_ledger_end_invitation(
		    session->ledger, hold->user_id, HXB_INVITATION_DISABLED, NULL, error);
	if (r == HXB_OK)
		r = hxb_change_record(session, change, error);
	if (r == HXB_OK)
		r = commit(session, hold, holding, error);
	hxb_roles_clear(&roles);
	hxb_hold_free(hold);
	return r;
}

enum hxb_result
hxb_hold_put_unread(struct hxb_session *session, const char *user_id, const struct hxb_change *change,
    bool *already, struct hxb_error *error)
{
	struct hxb_hold *hold = NULL;
	enum hxb_result r = new_hold(session, user_id, &hold, error);

	*already = false;
	if (r == HXB_OK)
		r = hxb_session_begin_ledger(session, error);
	if (r == HXB_OK)
		r = hxb_ledger_held(session->ledger, user_id, already, error);
	if (r != HXB_OK || *already)
		goto out;
	r = hxb_ledger_put_hold(session->ledger, hold, error);
	if (r == HXB_OK)
		r = hxb_ledger_end_invitation(session->ledger, user_id, HXB_INVITATION_DISABLED, NULL, error);
	if (r == HXB_OK)
		r = hxb_change_record(session, change, error);
	if (r == HXB_OK)
		r = hxb_session_commit_ledger(session, error);
out:
	hxb_session_rollback(session);
	hxb_hold_free(hold);
	return r;
}
