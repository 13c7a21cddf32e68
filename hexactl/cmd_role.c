/* SPDX-License-Identifier: ISC */
/* role add, remove, set. Of a held user the parked roles are changed: a hold stays whole until it ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "hold.h"
#include "guards.h"
#include "print.h"
#include "roles.h"
#include "users.h"

enum verb { ADD, REMOVE, SET };

/* What one run works on. The lists hold role ids. */
struct work {
	enum verb verb;
	struct hxb_roles roles; /* all of the store's */
	struct hxb_hold *hold; /* NULL: not held */
	char **before, **named, **after;
	char *before_text, *after_text;
	char note[512];
};

static enum hxb_result
read_before(
    struct hxb_session *session, const struct hxb_person *person, struct work *work, struct hxb_error *error)
{
	enum hxb_result r;

	r = hxb_roles_load(session->store, &work->roles, error);
	if (r == HXB_OK && person->standing.held)
		r = hxb_ledger_hold(session->ledger, person->user->id, &work->hold, error);
	if (r != HXB_OK)
		return r;
	/* What is to be changed are the parked roles, and nobody has seen those. */
	if (person->standing.held && hxb_hold_is_unread(work->hold))
		return hxb_fail(error, HXB_REFUSED,
		    "%.64s: held, and Hexabot's row is not parked yet: run 'hexactl disable --hold %s' "
		    "first",
		    person->name, hxb_person_handle(person, person->name));
	if (person->standing.held)
		return hxb_role_ids_copy(work->hold->parked.role_ids, &work->before, error);
	return hxb_role_ids_of(person->user, &work->before, error);
}

static enum hxb_result
read_named(const struct hxb_session *session, struct work *work, struct hxb_error *error)
{
	const struct hxb_arguments *arguments = session->arguments;
	enum hxb_result r = hxb_role_ids_copy(NULL, &work->named, error);

	for (int i = 1; r == HXB_OK && i < arguments->operand_count; i++) {
		const struct hxb_role *role;

		r = hxb_roles_find(&work->roles, arguments->operands[i], &role, error);
		if (r == HXB_OK)
			r = hxb_role_ids_add(&work->named, role->id, error);
	}
	return r;
}

static enum hxb_result
make_after(struct work *work, struct hxb_error *error)
{
	enum hxb_result r =
	    hxb_role_ids_copy(work->verb == SET ? work->named : work->before, &work->after, error);

	for (size_t i = 0; r == HXB_OK && work->named[i] != NULL; i++) {
		if (work->verb == ADD)
			r = hxb_role_ids_add(&work->after, work->named[i], error);
		else if (work->verb == REMOVE)
			hxb_role_ids_remove(work->after, work->named[i]);
	}
	if (r != HXB_OK)
		return r;
	work->before_text = hxb_roles_text(&work->roles, work->before);
	work->after_text = hxb_roles_text(&work->roles, work->after);
	if (work->before_text == NULL || work->after_text == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	return r;
}

static bool
same(const struct work *work)
{
	size_t count = hxb_role_ids_count(work->before);

	if (count != hxb_role_ids_count(work->after))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!hxb_role_ids_have(work->after, work->before[i]))
			return false;
	return true;
}

/* A held user has nothing to lose: what counts is what they have now. */
static enum hxb_result
guard(
    struct hxb_session *session, const struct hxb_person *person, struct work *work, struct hxb_error *error)
{
	struct hxb_loss loss = { .undo = "role set", .undo_rest = work->before_text };

	for (size_t i = 0; i < work->roles.count; i++) {
		const struct hxb_role *role = &work->roles.roles[i];

		if (!role->active || !hxb_role_ids_have(work->before, role->id) ||
		    hxb_role_ids_have(work->after, role->id))
			continue;
		loss.admin = loss.admin || strcmp(role->name, HXB_ADMIN_ROLE) == 0;
		loss.login = loss.login || hxb_list_has(session->config.login_roles, role->name);
	}
	return hxb_guard(session, person, &loss, work->note, error);
}

static enum hxb_result
write_held(struct hxb_session *session, struct work *work, struct hxb_error *error)
{
	enum hxb_result r;

	hxb_role_ids_free(work->hold->parked.role_ids);
	r = hxb_role_ids_copy(work->after, &work->hold->parked.role_ids, error);
	return r == HXB_OK ? hxb_ledger_put_hold(session->ledger, work->hold, error) : r;
}

static enum hxb_result
write_store(struct hxb_session *session, const char *id, const struct work *work, struct hxb_error *error)
{
	enum hxb_result r = HXB_OK;

	for (size_t i = 0; r == HXB_OK && work->before[i] != NULL; i++)
		if (!hxb_role_ids_have(work->after, work->before[i]))
			r = hxb_store_remove_role(session->store, id, work->before[i], error);
	for (size_t i = 0; r == HXB_OK && work->after[i] != NULL; i++)
		if (!hxb_role_ids_have(work->before, work->after[i]))
			r = hxb_store_add_role(session->store, id, work->after[i], error);
	return r;
}

static void
warn_inactive(const struct hxb_person *person, const struct work *work)
{
	for (size_t i = 0; i < work->roles.count; i++) {
		const struct hxb_role *role = &work->roles.roles[i];

		if (!role->active && work->verb != REMOVE && hxb_role_ids_have(work->named, role->id))
			hxb_complain(
			    "%s: the role %s is inactive: it grants nothing until it is activated in Hexabot",
			    person->name, role->name);
	}
}

static void
tell(struct hxb_session *session, const struct hxb_person *person, const struct work *work,
    const struct hxb_change *recorded)
{
	struct hxb_change change = *recorded;
	char deed[512];

	snprintf(deed, sizeof(deed), "given the roles %s (before: %s)",
	    work->after_text[0] != '\0' ? work->after_text : "none",
	    work->before_text[0] != '\0' ? work->before_text : "none");
	change.deed = deed;
	change.remark = person->standing.held ? "they count when the hold ends" : NULL;
	hxb_change_done(session, &change);
	if (work->note[0] != '\0')
		hxb_complain("%s", work->note);
}

static void
add_ending(struct hxb_session *session, const struct hxb_person *person, bool changed)
{
	const struct hxb_ending_kind kind = { .end = hxb_option(session->arguments, "now") != NULL,
		.roles = true };

	if (changed || kind.end)
		hxb_ending_add(session, person->entry, person->name, &kind);
}

static void
tell_none(struct hxb_session *session, const struct work *work, const struct hxb_change *recorded)
{
	struct hxb_change change = *recorded;
	char deed[512];

	snprintf(deed, sizeof(deed), "already has the roles %s",
	    work->before_text[0] != '\0' ? work->before_text : "none");
	change.deed = deed;
	hxb_change_none(session, &change);
}

static enum hxb_result
apply(
    struct hxb_session *session, const struct hxb_person *person, struct work *work, struct hxb_error *error)
{
	struct hxb_change change = { .id = person->user->id, .name = person->name, .action = "role" };
	enum hxb_result r;

	change.before = work->before_text;
	change.after = work->after_text;
	if (same(work)) {
		hxb_session_rollback(session);
		tell_none(session, work, &change);
		add_ending(session, person, false);
		return HXB_OK;
	}
	r = guard(session, person, work, error);
	if (r == HXB_OK)
		r = hxb_change_record(session, &change, error);
	if (r == HXB_OK)
		r = person->standing.held ? write_held(session, work, error)
		                          : write_store(session, person->user->id, work, error);
	if (r == HXB_OK)
		r = hxb_session_commit(session, HXB_STORE_FIRST, error);
	if (r == HXB_OK) {
		tell(session, person, work, &change);
		warn_inactive(person, work);
		add_ending(session, person, true);
	}
	return r;
}

static enum hxb_result
change_roles(struct hxb_session *session, enum verb verb, struct hxb_error *error)
{
	struct work work = { .verb = verb };
	struct hxb_person person = { 0 };
	char *id = NULL;
	enum hxb_result r;

	r = hxb_user_find(session, session->arguments->operands[0], &id, error);
	if (r == HXB_OK)
		r = hxb_session_lock(session, error);
	if (r == HXB_OK)
		r = hxb_session_begin(session, error);
	if (r == HXB_OK)
		r = hxb_person_load_to_change(session, id, &person, error);
	if (r == HXB_OK)
		r = read_before(session, &person, &work, error);
	if (r == HXB_OK)
		r = read_named(session, &work, error);
	if (r == HXB_OK)
		r = make_after(&work, error);
	if (r == HXB_OK)
		r = apply(session, &person, &work, error);
	hxb_session_rollback(session);
	hxb_roles_clear(&work.roles);
	hxb_hold_free(work.hold);
	hxb_role_ids_free(work.before);
	hxb_role_ids_free(work.named);
	hxb_role_ids_free(work.after);
	free(work.before_text);
	free(work.after_text);
	hxb_person_clear(&person);
	free(id);
	return r;
}

static enum hxb_result
run_add(struct hxb_session *session, struct hxb_error *error)
{
	return change_roles(session, ADD, error);
}

static enum hxb_result
run_remove(struct hxb_session *session, struct hxb_error *error)
{
	return change_roles(session, REMOVE, error);
}

static enum hxb_result
run_set(struct hxb_session *session, struct hxb_error *error)
{
	return change_roles(session, SET, error);
}

static const struct hxb_option options[] = {
	{ "now", NULL, "end what runs; who logs in while that goes on is ended, too" },
	{ NULL, NULL, NULL },
};

const struct hxb_command hxb_cmd_role_add = {
	.name = "role add",
	.operands = "USER ROLE...",
	.summary = "Gives a user roles. Says which sessions keep the groups they have.",
	.operands_min = 2,
	.operands_max = -1,
	.changes = true,
	.force = true,
	.options = options,
	.run = run_add,
};

const struct hxb_command hxb_cmd_role_remove = {
	.name = "role remove",
	.operands = "USER ROLE...",
	.summary = "Takes roles from a user. Says which sessions keep the groups they have.",
	.operands_min = 2,
	.operands_max = -1,
	.changes = true,
	.force = true,
	.options = options,
	.run = run_remove,
};

const struct hxb_command hxb_cmd_role_set = {
	.name = "role set",
	.operands = "USER ROLE...",
	.summary = "Gives a user these roles and no others. Says which sessions keep the groups they have.",
	.operands_min = 2,
	.operands_max = -1,
	.changes = true,
	.force = true,
	.options = options,
	.run = run_set,
};
