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

/* What is on the host, to be told once the user is gone. */
struct traces {
	char *login; /* NULL: none */
	char *home;
	uint32_t uid;
	unsigned keys; /* the ledger's, which go */
};

static enum hxb_result
find_traces(struct hxb_session *session, const struct hxb_person *person, struct traces *traces,
    struct hxb_error *error)
{
	const struct hxb_entry *entry = person->entry;

	if (entry == NULL || entry->login[0] == '\0' || entry->number == 0)
		return HXB_OK;
	traces->uid = entry->number;
	traces->login = strdup(entry->login);
	traces->home =
	    hxb_expand_login(entry->home[0] != '\0' ? entry->home : session->config.home, entry->login);
	return traces->login != NULL && traces->home != NULL ? HXB_OK
	                                                     : hxb_fail(error, HXB_FAILED, "out of memory");
}

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

static bool
exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void
tell_what_stays(const struct traces *traces, bool dry_run, bool goes)
{
	static const char *const places[] = { "/var/spool/cron/crontabs/", "/var/mail/" };
	char path[512];

	if (traces->keys > 0)
		hxb_say("  %s: %u ssh key%s of theirs", dry_run ? "would be removed" : "removed",
		    traces->keys, hxb_plural(traces->keys));
	if (exists(traces->home))
		hxb_say("  %s: %s", goes ? "would be removed" : "stays", traces->home);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), "%s%.64s", places[i], traces->login);
		if (exists(path))
			hxb_say("  stays: %s", path);
	}
	hxb_say(
	    "  stays: running processes, and other files of uid %u ('find / -xdev -uid %u'); name and number "
	    "are given to nobody else",
	    traces->uid, traces->uid);
}

/* The host no longer knows the user when the home goes, which may take its time: without any lock. */
static enum hxb_result
finish(struct hxb_session *session, const struct hxb_change *change, const struct traces *traces,
    struct hxb_error *error)
{
	bool with_home = hxb_option(session->arguments, "remove-home") != NULL;
	enum hxb_result r = HXB_OK;

	hxb_change_done(session, change);
	if (traces->login == NULL)
		return HXB_OK;
	if (with_home && !session->arguments->dry_run) {
		r = hxb_session_publish(session, false, error);
		hxb_session_unlock(session);
		if (r == HXB_OK)
			r = hxb_home_remove(traces->home, traces->uid, error);
	}
	if (!session->arguments->json)
		tell_what_stays(
		    traces, session->arguments->dry_run, with_home && session->arguments->dry_run);
	return r;
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	static const struct hxb_loss loss = {
		.state = true, .admin = true, .login = true, .undo = "invite", .undo_rest = ""
	};
	struct hxb_change change = { .action = "erase", .after = "erased", .deed = "erased" };
	struct hxb_person person = { 0 };
	struct traces traces = { .login = NULL };
	char *id = NULL, note[512] = "";
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
		r = find_traces(session, &person, &traces, error);
	if (r == HXB_OK)
		r = hxb_guard(session, &person, &loss, note, error);
	if (r == HXB_OK) {
		change.id = id;
		change.name = person.name;
		change.before = hxb_state_rule(person.standing.state)->name;
		r = write_out(session, &person, &change, &traces.keys, error);
	}
	if (r == HXB_OK) {
		hxb_session_withdraw_keys(session, person.entry);
		r = finish(session, &change, &traces, error);
	}
	if (r == HXB_OK && note[0] != '\0')
		hxb_complain(
		    "%s: was the last enabled admin, or yourself; this can't be undone", person.name);
	hxb_session_rollback(session);
	free(traces.login);
	free(traces.home);
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
