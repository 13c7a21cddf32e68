/* SPDX-License-Identifier: ISC */
/* For good: the row, its roles, and what Hexabot's own foreign keys take along; the ledger's hold,
 * invitations and ssh keys. Name and number stay the user's: files may still belong to them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "guards.h"
#include "home.h"
#include "libhexabot/names.h"
#include "print.h"
#include "users.h"

static enum hxb_result
write_out(struct hxb_session *session, const struct hxb_person *person, const struct hxb_change *change,
    unsigned *keys, struct hxb_error *error)
{
	const char *id = person->user->id;
	enum hxb_result r = hxb_change_record(session, change, error);

	if (r == HXB_OK)
		r = hxb_store_remove_user(session->store, id, error);
	if (r == HXB_OK)
		r = hxb_ledger_end_hold(session->ledger, id, error);
	if (r == HXB_OK)
		r = hxb_ledger_forget_invitations(session->ledger, id, error);
	if (r == HXB_OK)
		r = hxb_ledger_forget_keys(session->ledger, id, keys, error);
	return r == HXB_OK ? hxb_session_commit(session, HXB_STORE_FIRST, error) : r;
}

/* What runs is ended, and the home removed, when the host no longer knows the user. */
static void
tell(struct hxb_session *session, const struct hxb_person *person, const struct hxb_change *change,
    unsigned keys)
{
	const struct hxb_ending_kind kind = { .end = true,
		.erased = true,
		.traces = true,
		.remove_home = hxb_option(session->arguments, "remove-home") != NULL };

	hxb_change_done(session, change);
	if (keys > 0 && !session->arguments->json)
		hxb_say("  %s: %u ssh key%s of theirs",
		    session->arguments->dry_run ? "would be removed" : "removed", keys, hxb_plural(keys));
	hxb_ending_add(session, person->entry, person->name, &kind);
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	static const struct hxb_loss loss = {
		.state = true, .admin = true, .login = true, .undo = "invite", .undo_rest = ""
	};
	struct hxb_change change = { .action = "erase", .after = "erased", .deed = "erased" };
	struct hxb_person person = { 0 };
	char *id = NULL, note[512] = "";
	unsigned keys = 0;
	enum hxb_result r;

	if (hxb_option(session->arguments, "yes") == NULL && !session->arguments->dry_run)
		return hxb_fail(error, HXB_INVALID,
		    "erase: is for good, and wants --yes; 'hexactl disable' can be undone");
	r = hxb_user_find(session, session->arguments->operands[0], &id, error);
	if (r == HXB_OK)
		r = hxb_session_lock(session, error);
	if (r == HXB_OK)
		r = hxb_session_begin(session, error);
	if (r == HXB_OK)
		r = hxb_person_load_to_change(session, id, &person, error);
	if (r == HXB_OK)
		r = hxb_guard(session, &person, &loss, note, error);
	if (r == HXB_OK) {
		change.id = id;
		change.name = person.name;
		change.before = hxb_state_rule(person.standing.state)->name;
		r = write_out(session, &person, &change, &keys, error);
	}
	if (r == HXB_OK) {
		hxb_session_withdraw_keys(session, person.entry);
		tell(session, &person, &change, keys);
	}
	if (r == HXB_OK && note[0] != '\0')
		hxb_complain(
		    "%s: was the last enabled admin, or yourself; this can't be undone", person.name);
	hxb_session_rollback(session);
	hxb_person_clear(&person);
	free(id);
	return r;
}

static const struct hxb_option options[] = {
	{ "yes", NULL, "yes, for good" },
	{ "remove-home", NULL, "remove the home directory, too: what in it belongs to the user" },
	{ NULL, NULL, NULL },
};

const struct hxb_command hxb_cmd_erase = {
	.name = "erase",
	.operands = "USER",
	.summary =
	    "Removes a user for good, from Hexabot's users, roles and what refers to them. Says what stays.",
	.operands_min = 1,
	.operands_max = 1,
	.changes = true,
	.force = true,
	.options = options,
	.run = run,
};
