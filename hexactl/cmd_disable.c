/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "guards.h"
#include "libhexabot/token.h"
#include "print.h"
#include "roles.h"
#include "users.h"

#define MARKER_PREFIX "$2!held." /* starts with $2: Hexabot leaves it alone, and nothing matches it */

static enum hxb_result
turn_off(struct hxb_session *session, const struct hxb_person *person, const struct hxb_change *change,
    struct hxb_error *error)
{
	enum hxb_result r = hxb_change_record(session, change, error);

	if (r == HXB_OK)
		r = hxb_store_set_enabled(session->store, person->user->id, false, error);
	if (r == HXB_OK)
		r = hxb_session_commit(session, HXB_STORE_FIRST, error);
	return r;
}

static bool
has_marker(const struct hxb_person *person, const struct hxb_hold *hold)
{
	return person->user->password != NULL && strcmp(person->user->password, hold->marker) == 0;
}

static enum hxb_result
new_hold(struct hxb_session *session, const char *id, struct hxb_hold **holdp, struct hxb_error *error)
{
	struct hxb_hold *hold = calloc(1, sizeof(*hold));
	enum hxb_result r;

	if (hold == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	hold->user_id = strdup(id);
	hold->since = strdup(""); /* now */
	hold->actor = strdup(session->actor.name);
	if (hold->user_id == NULL || hold->since == NULL || hold->actor == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	else
		r = hxb_store_read_parked(session->store, id, &hold->parked, error);
	if (r == HXB_OK) {
		*holdp = hold;
		hold = NULL;
	}
	hxb_hold_free(hold);
	return r;
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
 * in the row now was left there by a crash, and is the same, or was set by somebody in Hexabot after the
 * hold, and is what the hold is to beat. Roles given meanwhile are parked with the others.
 */
static enum hxb_result
make_hold(struct hxb_session *session, const struct hxb_person *person, struct hxb_hold **holdp,
    struct hxb_error *error)
{
	const struct hxb_user *user = person->user;
	struct hxb_hold *hold = NULL;
	enum hxb_result r;

	if (person->held)
		r = hxb_ledger_hold(session->ledger, user->id, &hold, error);
	else
		r = new_hold(session, user->id, &hold, error);
	for (size_t i = 0; r == HXB_OK && person->held && i < user->role_count; i++)
		r = hxb_role_ids_add(&hold->parked.role_ids, user->roles[i].id, error);
	if (r == HXB_OK && (hold->marker == NULL || !has_marker(person, hold)))
		r = renew_marker(hold, error);
	if (r == HXB_OK) {
		*holdp = hold;
		hold = NULL;
	}
	hxb_hold_free(hold);
	return r;
}

/*
 * Parks in the ledger, then takes away in the store, and commits in that order: after a crash between, the
 * host denies by the hold, and the next try finishes.
 */
static enum hxb_result
put_hold(struct hxb_session *session, const struct hxb_person *person, const struct hxb_change *change,
    char **parked, struct hxb_error *error)
{
	const char *id = person->user->id;
	struct hxb_roles roles = { 0 };
	struct hxb_hold *hold = NULL;
	enum hxb_result r;

	r = make_hold(session, person, &hold, error);
	if (r == HXB_OK)
		r = hxb_roles_load(session->store, &roles, error);
	if (r == HXB_OK && (*parked = hxb_roles_text(&roles, hold->parked.role_ids)) == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	if (r == HXB_OK)
		r = hxb_ledger_put_hold(session->ledger, hold, error);
	if (r == HXB_OK)
		r = hxb_change_record(session, change, error);
	if (r == HXB_OK)
		r = hxb_store_park(session->store, id, hold->marker, error);
	if (r == HXB_OK)
		r = hxb_store_set_enabled(session->store, id, false, error);
	if (r == HXB_OK)
		r = hxb_session_commit(session, HXB_LEDGER_FIRST, error);
	hxb_roles_clear(&roles);
	hxb_hold_free(hold);
	return r;
}

/* Whether the hold is whole: nothing in the row but its marker. */
static enum hxb_result
hold_is_whole(
    struct hxb_session *session, const struct hxb_person *person, bool *whole, struct hxb_error *error)
{
	struct hxb_hold *hold = NULL;
	enum hxb_result r;

	*whole = false;
	if (!person->held || person->user->enabled || person->user->role_count != 0)
		return HXB_OK;
	r = hxb_ledger_hold(session->ledger, person->user->id, &hold, error);
	if (r == HXB_OK)
		*whole = has_marker(person, hold);
	hxb_hold_free(hold);
	return r;
}

static enum hxb_result
check(struct hxb_session *session, const struct hxb_person *person, bool hold, bool *done, char note[512],
    struct hxb_error *error)
{
	const struct hxb_loss loss = { .state = true, .admin = hold, .undo = "enable", .undo_rest = "" };
	enum hxb_result r = HXB_OK;

	note[0] = '\0';
	*done = !person->user->enabled;
	if (hold)
		r = hold_is_whole(session, person, done, error);
	if (r == HXB_OK && !*done)
		r = hxb_guard(session, person, &loss, note, error);
	return r;
}

static void
tell(struct hxb_session *session, const struct hxb_change *change, const char *parked, const char *note)
{
	hxb_change_done(session, change);
	if (parked != NULL && !session->arguments->json)
		hxb_say("  %sparked: the password, %s%s; 'hexactl enable' puts them back",
		    session->arguments->dry_run ? "would be " : "",
		    parked[0] != '\0' ? "the roles " : "no role", parked);
	if (note[0] != '\0')
		hxb_complain("%s", note);
}

static void
tell_none(struct hxb_session *session, const struct hxb_person *person, struct hxb_change *change)
{
	change->before = change->after = person->held ? "held" : "disabled";
	change->deed = person->held ? "already disabled and held" : "already disabled";
	hxb_change_none(session, change);
}

static enum hxb_result
disable_one(struct hxb_session *session, const char *operand, struct hxb_error *error)
{
	bool hold = hxb_option(session->arguments, "hold") != NULL, done = false;
	struct hxb_change change = { .action = "disable", .after = "disabled", .deed = "disabled" };
	struct hxb_person person = { 0 };
	char *id = NULL, *parked = NULL, note[512] = "";
	enum hxb_result r;

	r = hxb_user_find(session, operand, &id, error);
	if (r == HXB_OK)
		r = hxb_session_begin(session, error);
	if (r == HXB_OK)
		r = hxb_person_load_to_change(session, id, &person, error);
	if (r == HXB_OK)
		r = check(session, &person, hold, &done, note, error);
	if (r != HXB_OK)
		goto out;
	change.id = id;
	change.name = person.name;
	if (done) {
		hxb_session_rollback(session);
		tell_none(session, &person, &change);
		goto out;
	}
	change.before = person.held ? "held" : person.user->enabled ? "enabled" : "disabled";
	if (hold) {
		change.action = "hold";
		change.after = "held";
		change.deed = "disabled and held";
		r = put_hold(session, &person, &change, &parked, error);
	} else {
		r = turn_off(session, &person, &change, error);
	}
	if (r == HXB_OK)
		tell(session, &change, parked, note);
out:
	hxb_session_rollback(session);
	hxb_person_clear(&person);
	free(parked);
	free(id);
	return r;
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	enum hxb_result r = hxb_session_lock(session, error);

	return r == HXB_OK ? hxb_users_each(session, disable_one, error) : r;
}

static const struct hxb_option options[] = {
	{ "hold", NULL, "park password and roles as well; only 'hexactl enable' gives them back" },
	{ NULL, NULL, NULL },
};

const struct hxb_command hxb_cmd_disable = {
	.name = "disable",
	.operands = "USER...",
	.summary = "Turns users off, in Hexabot and on the host. An admin may turn them on again in Hexabot, "
	           "unless held.",
	.operands_min = 1,
	.operands_max = -1,
	.changes = true,
	.force = true,
	.options = options,
	.run = run,
};
