/* SPDX-License-Identifier: ISC */
/*
 * key add, remove. Keys belong to an id, and so to the person, whatever the login. What is taken away is gone
 * from sshd's file before the ledger's commit, so that no crash or failed publish leaves it open.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "key_input.h"
#include "libhexabot/key_files.h"
#include "print.h"
#include "users.h"

#define NAME_SIZE 512 /* bytes of "SHA256:... comment (type)", NUL included */

/* What is to become of a key. */
enum fate { KEPT, ADDED, REPLACED, REMOVED };

struct work {
	struct hxb_person person;
	struct hxb_keys before; /* the user's */
	struct hxb_keys named; /* with key add: those that are given */
	enum fate *fates; /* of those that are named, or with key remove of those before */
};

static void
name_key(const struct hxb_key *key, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "%s%s%.400s", key->fingerprint, key->comment[0] != '\0' ? " " : "",
	    key->comment);
}

static const struct hxb_key *
find(const struct hxb_keys *keys, const char *fingerprint)
{
	for (size_t i = 0; i < keys->count; i++)
		if (strcmp(keys->keys[i].fingerprint, fingerprint) == 0)
			return &keys->keys[i];
	return NULL;
}

/* The person, with the keys there are, in the ledger's open transaction. */
static enum hxb_result
begin(struct hxb_session *session, const char *id, struct work *work, struct hxb_error *error)
{
	const struct hxb_entry *entry;
	enum hxb_result r;

	hxb_person_clear(&work->person); /* as it was looked at before */
	r = hxb_session_lock(session, error);
	if (r == HXB_OK)
		r = hxb_session_begin_ledger(session, error);
	if (r == HXB_OK)
		r = hxb_person_load_to_change(session, id, &work->person, error);
	if (r != HXB_OK)
		return r;
	entry = work->person.entry;
	if (entry == NULL || entry->login[0] == '\0' || entry->number == 0)
		return hxb_fail(error, HXB_REFUSED,
		    "%.128s: has no login on this host, and so no use for keys: 'hexactl show' says why",
		    work->person.name);
	return hxb_ledger_keys(session->ledger, id, &work->before, error);
}

static enum hxb_result
record(struct hxb_session *session, const struct work *work, const struct hxb_key *key, enum fate fate,
    struct hxb_error *error)
{
	char name[NAME_SIZE], after[NAME_SIZE + 64];
	const struct hxb_change change = { .id = work->person.user->id,
		.name = work->person.name,
		.action = "key",
		.before = fate == ADDED ? "" : name,
		.after = fate == REMOVED ? "" : after };

	name_key(key, name);
	snprintf(after, sizeof(after), "%s%s", name, fate == REPLACED ? ", changed" : "");
	return hxb_change_record(session, &change, error);
}

static void
tell(struct hxb_session *session, const struct work *work, const struct hxb_key *key, enum fate fate)
{
	static const char *const deeds[] = { [KEPT] = "already has the key",
		[ADDED] = "given the key",
		[REPLACED] = "given other options or another comment for the key",
		[REMOVED] = "stripped of the key" };
	char name[NAME_SIZE], after[NAME_SIZE + 64], deed[NAME_SIZE + 64], remark[128];
	const struct hxb_state_rule *rule = hxb_state_rule(work->person.standing.state);
	struct hxb_change change = { .id = work->person.user->id,
		.name = work->person.name,
		.action = "key",
		.before = fate == ADDED ? "" : name,
		.after = fate == REMOVED ? "" : after,
		.deed = deed };

	name_key(key, name);
	snprintf(after, sizeof(after), "%s%s", name, fate == REPLACED ? ", changed" : "");
	snprintf(deed, sizeof(deed), "%s %s", deeds[fate], name);
	if (work->person.standing.state != HXB_STATE_ENABLED && fate != REMOVED) {
		snprintf(
		    remark, sizeof(remark), "kept from sshd until they are enabled (now: %s)", rule->name);
		change.remark = remark;
	}
	if (fate == KEPT)
		hxb_change_none(session, &change);
	else
		hxb_change_done(session, &change);
}

static void
clear(struct work *work)
{
	hxb_person_clear(&work->person);
	hxb_keys_clear(&work->before);
	hxb_keys_clear(&work->named);
	free(work->fates);
}

/* ---- add ---- */

static enum fate
fate_of(const struct work *work, size_t index)
{
	const struct hxb_key *key = &work->named.keys[index];
	const struct hxb_key *old = find(&work->before, key->fingerprint);

	for (size_t i = index + 1; i < work->named.count; i++) /* the last one counts */
		if (strcmp(work->named.keys[i].fingerprint, key->fingerprint) == 0)
			return KEPT;
	if (old == NULL)
		return ADDED;
	return strcmp(old->options, key->options) == 0 && strcmp(old->comment, key->comment) == 0 ? KEPT
	                                                                                          : REPLACED;
}

/* The old ones go first, from sshd's file, too: a key that is to be good for less is not to be good for more.
 */
static enum hxb_result
take_replaced(struct hxb_session *session, struct work *work, struct hxb_error *error)
{
	const char *id = work->person.user->id;
	bool any = false;
	enum hxb_result r = HXB_OK;

	for (size_t i = 0; r == HXB_OK && i < work->named.count; i++) {
		if (work->fates[i] != REPLACED)
			continue;
		any = true;
		r = hxb_ledger_remove_key(session->ledger, id, work->named.keys[i].fingerprint, error);
	}
	if (r == HXB_OK && any && !session->arguments->dry_run)
		r = hxb_keys_narrow(&hxb_host_places, session->ledger, work->person.entry, error);
	return r;
}

static enum hxb_result
give(struct hxb_session *session, struct work *work, struct hxb_error *error)
{
	struct hxb_error why = { "" };
	enum hxb_result r = take_replaced(session, work, error);

	for (size_t i = 0; r == HXB_OK && i < work->named.count; i++) {
		struct hxb_key *key = &work->named.keys[i];

		if (work->fates[i] == KEPT)
			continue;
		if ((key->actor = strdup(session->actor.name)) == NULL)
			return hxb_fail(error, HXB_FAILED, "out of memory");
		r = hxb_ledger_add_key(session->ledger, work->person.user->id, key, &why);
		if (r != HXB_OK)
			return hxb_fail(error, r, "%.128s: %s", work->person.name, why.text);
		r = record(session, work, key, work->fates[i], error);
	}
	return r == HXB_OK ? hxb_session_commit(session, HXB_LEDGER_FIRST, error) : r;
}

static enum hxb_result
add(struct hxb_session *session, struct work *work, struct hxb_error *error)
{
	bool any = false;
	enum hxb_result r = HXB_OK;

	work->fates = calloc(work->named.count, sizeof(*work->fates));
	if (work->fates == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	for (size_t i = 0; i < work->named.count; i++) {
		work->fates[i] = fate_of(work, i);
		any = any || work->fates[i] != KEPT;
	}
	if (any)
		r = give(session, work, error);
	else
		hxb_session_rollback(session);
	for (size_t i = 0; r == HXB_OK && i < work->named.count; i++)
		tell(session, work, &work->named.keys[i], work->fates[i]);
	return r;
}

static void
advise(const struct hxb_sshd *sshd)
{
	if (sshd->known && !sshd->public_key)
		hxb_complain("sshd takes no keys: its PubkeyAuthentication is off");
	else if (sshd->known && !sshd->reads_keys)
		hxb_complain("sshd does not read these keys yet: give it the line 'AuthorizedKeysFile "
		             ".ssh/authorized_keys %s', and reload it",
		    HXB_KEY_FILES_SETTING);
}

static enum hxb_result
run_add(struct hxb_session *session, struct hxb_error *error)
{
	const struct hxb_arguments *arguments = session->arguments;
	const char *path = arguments->operand_count > 1 ? arguments->operands[1] : NULL;
	struct work work = { 0 };
	struct hxb_sshd sshd = { .known = false };
	char *id = NULL;
	enum hxb_result r;

	r = hxb_user_find(session, arguments->operands[0], &id, error);
	if (r == HXB_OK)
		r = hxb_person_load(session, id, &work.person, error);
	/* What takes its time is done before anything is locked. */
	if (r == HXB_OK && work.person.login != NULL)
		hxb_sshd_ask(work.person.login, &sshd);
	if (r == HXB_OK)
		r = hxb_key_input_read(path, &sshd, &work.named, error);
	if (r == HXB_OK)
		r = begin(session, id, &work, error);
	if (r == HXB_OK)
		r = add(session, &work, error);
	if (r == HXB_OK)
		advise(&sshd);
	hxb_session_rollback(session);
	hxb_sshd_clear(&sshd);
	clear(&work);
	free(id);
	return r;
}

/* ---- remove ---- */

/* The one key of that fingerprint or comment. */
static enum hxb_result
find_named(const struct work *work, const char *name, size_t *index, struct hxb_error *error)
{
	size_t count = 0;

	for (size_t i = 0; i < work->before.count; i++) {
		const struct hxb_key *key = &work->before.keys[i];

		if (strcmp(key->fingerprint, name) != 0 && strcmp(key->comment, name) != 0)
			continue;
		*index = i;
		count++;
	}
	if (count > 1)
		return hxb_fail(error, HXB_AMBIGUOUS,
		    "%.128s: '%.128s' is the comment of %zu keys: say the fingerprint, which 'hexactl key "
		    "list' "
		    "shows",
		    work->person.name, name, count);
	if (count == 0)
		return hxb_fail(error, HXB_NOT_FOUND,
		    "%.128s: '%.128s' is the fingerprint or comment of no key; 'hexactl key list' shows them",
		    work->person.name, name);
	return HXB_OK;
}

static enum hxb_result
take(struct hxb_session *session, struct work *work, struct hxb_error *error)
{
	const char *id = work->person.user->id;
	enum hxb_result r = HXB_OK;

	for (size_t i = 0; r == HXB_OK && i < work->before.count; i++) {
		if (work->fates[i] != REMOVED)
			continue;
		r = hxb_ledger_remove_key(session->ledger, id, work->before.keys[i].fingerprint, error);
		if (r == HXB_OK)
			r = record(session, work, &work->before.keys[i], REMOVED, error);
	}
	if (r == HXB_OK && !session->arguments->dry_run)
		r = hxb_keys_narrow(&hxb_host_places, session->ledger, work->person.entry, error);
	return r == HXB_OK ? hxb_session_commit(session, HXB_LEDGER_FIRST, error) : r;
}

static enum hxb_result
remove_named(struct hxb_session *session, struct work *work, struct hxb_error *error)
{
	const struct hxb_arguments *arguments = session->arguments;
	enum hxb_result r = HXB_OK;
	size_t index = 0;

	work->fates = calloc(work->before.count + 1, sizeof(*work->fates));
	if (work->fates == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	for (int i = 1; r == HXB_OK && i < arguments->operand_count; i++) {
		r = find_named(work, arguments->operands[i], &index, error);
		if (r == HXB_OK)
			work->fates[index] = REMOVED;
	}
	if (r == HXB_OK)
		r = take(session, work, error);
	for (size_t i = 0; r == HXB_OK && i < work->before.count; i++)
		if (work->fates[i] == REMOVED)
			tell(session, work, &work->before.keys[i], REMOVED);
	return r;
}

static enum hxb_result
run_remove(struct hxb_session *session, struct hxb_error *error)
{
	struct work work = { 0 };
	char *id = NULL;
	enum hxb_result r;

	r = hxb_user_find(session, session->arguments->operands[0], &id, error);
	if (r == HXB_OK)
		r = begin(session, id, &work, error);
	if (r == HXB_OK)
		r = remove_named(session, &work, error);
	hxb_session_rollback(session);
	clear(&work);
	free(id);
	return r;
}

static void
notes(FILE *file)
{
	fputs("\nFILE, or standard input, has the form of ~/.ssh/authorized_keys: options such as from= and "
	      "command= are\nkept. All lines are checked, with ssh-keygen, before the first key is added. A "
	      "key "
	      "that is there already\ntakes the line's options and comment.\n\nsshd sees a user's keys while "
	      "the "
	      "user is enabled, and only then. It has to be told once, in sshd_config:\n\n"
	      "    AuthorizedKeysFile .ssh/authorized_keys " HXB_KEY_FILES_SETTING
	      "\n\nWithout .ssh/authorized_keys in that line, users can't add keys of their own.\n",
	    file);
}

const struct hxb_command hxb_cmd_key_add = {
	.name = "key add",
	.operands = "USER [FILE]",
	.summary = "Gives a user ssh keys, from a file or standard input.",
	.operands_min = 1,
	.operands_max = 2,
	.changes = true,
	.notes = notes,
	.run = run_add,
};

const struct hxb_command hxb_cmd_key_remove = {
	.name = "key remove",
	.operands = "USER KEY...",
	.summary = "Takes ssh keys from a user. KEY is a fingerprint or a comment, as 'key list' shows them.",
	.operands_min = 2,
	.operands_max = -1,
	.changes = true,
	.run = run_remove,
};
