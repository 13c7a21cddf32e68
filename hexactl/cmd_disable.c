/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "guards.h"
#include "hold.h"
#include "print.h"
#include "users.h"

#define HOLD_PATIENCE 1500 /* milliseconds to wait for what a hold can do without */

static enum hxb_result
turn_off(struct hxb_session *session, const struct hxb_person *person, const struct hxb_change *change,
    struct hxb_error *error)
{
	const char *id = person->user->id;
	bool invited = false;
	enum hxb_result r = hxb_change_record(session, change, error);

	if (r == HXB_OK)
		r = hxb_store_set_enabled(session->store, id, false, error);
	if (r == HXB_OK)
		r = hxb_ledger_end_invitation(session->ledger, id, HXB_INVITATION_DISABLED, &invited, error);
	if (r == HXB_OK && invited) /* the link, too */
		r = hxb_store_set_reset_token(session->store, id, NULL, NULL, error);
	if (r == HXB_OK)
		r = hxb_session_commit(session, HXB_STORE_FIRST, error);
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
		r = hxb_hold_is_whole(session, person, done, error);
	if (r == HXB_OK && !*done)
		r = hxb_guard(session, person, &loss, note, error);
	return r;
}

/* Instead of the complaint that follows a failure: of an earlier look there may be words left in `error`. */
static void
tell_half(struct hxb_session *session, const struct hxb_person *person, struct hxb_change *change,
    const struct hxb_holding *holding, struct hxb_error *error)
{
	change->deed = "held on this host";
	hxb_change_keep(session, change);
	hxb_complain(
	    "%s: %s%s; Hexabot's row could not be changed yet (%s): run 'hexactl disable --hold %s' again",
	    change->name, session->arguments->dry_run ? "would be " : "", change->deed, holding->why.text,
	    person->login != NULL ? person->login : change->id);
	session->complaints++;
	error->text[0] = '\0';
}

static void
tell(struct hxb_session *session, const struct hxb_change *change, const char *parked)
{
	hxb_change_done(session, change);
	if (parked != NULL && !session->arguments->json)
		hxb_say("  %sparked: the password, %s%s; 'hexactl enable' puts them back",
		    session->arguments->dry_run ? "would be " : "",
		    parked[0] != '\0' ? "the roles " : "no role", parked);
}

static void
tell_none(struct hxb_session *session, const struct hxb_person *person, struct hxb_change *change)
{
	change->before = change->after = person->standing.held ? "held" : "disabled";
	change->deed = person->standing.held ? "already disabled and held" : "already disabled";
	hxb_change_none(session, change);
}

/* Also of who was disabled before: it may be a second try. */
static void
add_ending(struct hxb_session *session, const struct hxb_person *person, bool changed)
{
	bool hold = hxb_option(session->arguments, "hold") != NULL;
	bool now = hxb_option(session->arguments, "now") != NULL;
	const struct hxb_ending_kind kind = { .end = now, .traces = hold };

	if (changed || now)
		hxb_ending_add(session, person->entry, person->name, &kind);
}

static enum hxb_result
disable_one(struct hxb_session *session, const char *operand, struct hxb_error *error)
{
	bool hold = hxb_option(session->arguments, "hold") != NULL, done = false;
	struct hxb_change change = { .action = "disable", .after = "disabled", .deed = "disabled" };
	struct hxb_holding holding = { .row = HXB_OK };
	struct hxb_person person = { 0 };
	char *id = NULL, note[512] = "";
	enum hxb_result r;

	r = hxb_user_find(session, operand, &id, error);
	if (r == HXB_OK)
		r = hold ? hxb_hold_begin(session, &holding, error) : hxb_session_begin(session, error);
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
		add_ending(session, &person, false);
		goto out;
	}
	change.before = person.standing.held ? "held" : person.user->enabled ? "enabled" : "disabled";
	if (hold) {
		change.action = "hold";
		change.after = "held";
		change.deed = "disabled and held";
		r = hxb_hold_put(session, &person, &change, &holding, error);
	} else {
		r = turn_off(session, &person, &change, error);
	}
	if (r != HXB_OK)
		goto out;
	hxb_session_withdraw_keys(session, person.entry);
	if (holding.row != HXB_OK)
		tell_half(session, &person, &change, &holding, error);
	else
		tell(session, &change, holding.parked);
	add_ending(session, &person, true);
	if (note[0] != '\0')
		hxb_complain("%s", note);
	r = holding.row;
out:
	hxb_session_rollback(session);
	hxb_person_clear(&person);
	free(holding.parked);
	free(id);
	return r;
}

/* The store can't be read, for the reason in `error`: the hold is made all the same, by login or id. */
static enum hxb_result
hold_unread(struct hxb_session *session, const char *operand, enum hxb_result why, struct hxb_error *error)
{
	const struct hxb_loss loss = { .state = true, .undo = "enable", .undo_rest = "" };
	struct hxb_change change = { .action = "hold", .before = "unread", .after = "held" };
	struct hxb_holding holding = { .row = why, .why = *error };
	struct hxb_entry *entry = NULL;
	char note[512] = "";
	bool already = false;
	enum hxb_result r;

	if (why == HXB_BUSY)
		(void)hxb_session_name_holder(session, &holding.why);
	error->text[0] = '\0';
	hxb_ledger_set_deadline(session->ledger, hxb_deadline_in(HXB_CTL_DEADLINE));
	r = hxb_user_find_entry(session, operand, &entry);
	if (r != HXB_OK || entry->kind != HXB_ENTRY_USER) {
		r = hxb_fail(error, why,
		    "%.256s: %s; who is meant can be seen without it by login or id only", operand,
		    holding.why.text);
		goto out;
	}
	const struct hxb_person person = { .entry = entry, .name = entry->login, .login = entry->login };

	change.id = entry->id;
	change.name = entry->login;
	r = hxb_guard(session, &person, &loss, note, error);
	if (r == HXB_OK)
		r = hxb_hold_put_unread(session, entry->id, &change, &already, error);
	if (r != HXB_OK)
		goto out;
	hxb_session_withdraw_keys(session, entry);
	if (already) {
		change.before = "held";
		change.deed = "already held on this host";
		hxb_change_none(session, &change);
		add_ending(session, &person, false);
		r = hxb_fail(error, why, "%s", holding.why.text);
		goto out;
	}
	tell_half(session, &person, &change, &holding, error);
	add_ending(session, &person, true);
	if (note[0] != '\0')
		hxb_complain("%s", note);
	r = why;
out:
	hxb_entry_free(entry);
	return r;
}

static bool
is_known(struct hxb_session *session, const char *operand)
{
	struct hxb_entry *entry = NULL;
	bool known = hxb_user_find_entry(session, operand, &entry) == HXB_OK && entry->kind == HXB_ENTRY_USER;

	hxb_entry_free(entry);
	return known;
}

/* Whoever locks the store, or has removed it, or the row: the hold is made. */
static enum hxb_result
hold_one(struct hxb_session *session, const char *operand, struct hxb_error *error)
{
	enum hxb_result r = disable_one(session, operand, error);

	if (r == HXB_NOT_FOUND && is_known(session, operand))
		r = hxb_fail(error, HXB_UNREADABLE, "no such user in Hexabot");
	/* Without words it is told already: made in the ledger, but not in the row. */
	if ((r == HXB_BUSY || r == HXB_UNREADABLE) && error->text[0] != '\0')
		r = hold_unread(session, operand, r, error);
	return r;
}

/* The others find the store as the first one did: it is not waited for again. */
static enum hxb_result
hold_all_unread(struct hxb_session *session, enum hxb_result why, struct hxb_error *error)
{
	const struct hxb_arguments *arguments = session->arguments;
	const struct hxb_error reason = *error;
	enum hxb_result r, worst = HXB_OK;

	for (int i = 0; i < arguments->operand_count; i++) {
		*error = reason;
		r = hold_unread(session, arguments->operands[i], why, error);
		if (r != HXB_OK)
			hxb_session_complain(session, r, error);
		worst = hxb_worse(worst, r);
		error->text[0] = '\0';
	}
	return worst;
}

/* On the bad night nobody is waited for long: neither for the store, nor for a publish that waits for it. */
static enum hxb_result
hold(struct hxb_session *session, struct hxb_error *error)
{
	enum hxb_result r, opened;

	session->patience = HOLD_PATIENCE;
	opened = hxb_session_open(session, error);
	if (opened != HXB_OK && session->ledger == NULL)
		return opened;
	if (opened == HXB_OK) {
		(void)hxb_session_lock(session, NULL);
		r = hxb_users_each(session, hold_one, error);
		session->patience = HXB_CTL_DEADLINE;
	} else {
		r = hold_all_unread(session, opened, error);
	}
	return r;
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	enum hxb_result r;

	if (hxb_option(session->arguments, "hold") != NULL)
		return hold(session, error);
	r = hxb_session_open(session, error);
	if (r == HXB_OK)
		r = hxb_session_lock(session, error);
	return r == HXB_OK ? hxb_users_each(session, disable_one, error) : r;
}

static const struct hxb_option options[] = {
	{ "now", NULL,
	    "end what runs: sessions, processes, lingering; 5 seconds after a first word they are killed" },
	{ "hold", NULL, "park password and roles as well; only 'hexactl enable' gives them back" },
	{ NULL, NULL, NULL },
};

const struct hxb_command hxb_cmd_disable = {
	.name = "disable",
	.operands = "USER...",
	.summary = "Turns users off, in Hexabot and on the host. An admin may turn them on again in Hexabot, "
	           "unless held. Says which sessions still run.",
	.operands_min = 1,
	.operands_max = -1,
	.adopts = true,
	.changes = true,
	.force = true,
	.options = options,
	.run = run,
};
