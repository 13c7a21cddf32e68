/* SPDX-License-Identifier: ISC */
/* The password is prompted for and hashed before anything is locked, and wiped on every path. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "libhexabot/password.h"
#include "libhexabot/secret.h"
#include "print.h"
#include "prompt.h"
#include "users.h"

static enum hxb_result
prompt_twice(const char *name, char password[HXB_PASSWORD_BUFFER], struct hxb_error *error)
{
	char again[HXB_PASSWORD_BUFFER] = "", question[192];
	char *printable = hxb_printable(name, NULL);
	enum hxb_result r;

	snprintf(question, sizeof(question),
	    "New password for %.128s: ", printable != NULL ? printable : "the user");
	free(printable);
	r = hxb_prompt_password(question, password, error);
	if (r == HXB_OK)
		r = hxb_prompt_password("Again: ", again, error);
	if (r == HXB_OK && strcmp(password, again) != 0)
		r = hxb_fail(
		    error, HXB_INVALID, "%.128s: the two passwords differ; nothing was changed", name);
	HXB_WIPE(again);
	return r;
}

/* "This is a sentence." becomes "this is a sentence", to stand behind a name. */
static void
make_clause(struct hxb_error *error)
{
	size_t size = strlen(error->text);

	if (size > 0 && error->text[size - 1] == '.')
		error->text[size - 1] = '\0';
	if (error->text[0] >= 'A' && error->text[0] <= 'Z')
		error->text[0] += 'a' - 'A';
}

static enum hxb_result
ask(struct hxb_session *session, const char *name, char hash[HXB_HASH_SIZE], struct hxb_error *error)
{
	char password[HXB_PASSWORD_BUFFER] = "";
	struct hxb_error why;
	enum hxb_result r;

	if (hxb_option(session->arguments, "stdin") != NULL)
		r = hxb_read_password(password, error);
	else
		r = prompt_twice(name, password, error);
	if (r == HXB_OK) {
		r = hxb_password_acceptable(password, session->config.password_min_length, &why);
		if (r != HXB_OK) {
			make_clause(&why);
			hxb_fail(error, r, "%.128s: %s", name, why.text);
		}
	}
	if (r == HXB_OK)
		r = hxb_password_hash(password, session->config.password_cost, hash, error);
	HXB_WIPE(password);
	return r;
}

static const char *
remark_on(const struct hxb_person *person)
{
	if (person->standing.held)
		return "it counts when the hold ends";
	return person->user->enabled ? NULL : "the user stays disabled";
}

static enum hxb_result
change_password(struct hxb_session *session, const char *id, const char *hash, struct hxb_error *error)
{
	struct hxb_change change = {
		.id = id, .action = "passwd", .before = "", .after = "", .deed = "given a new password"
	};
	struct hxb_person person = { 0 };
	enum hxb_result r;

	r = hxb_session_begin(session, error);
	if (r == HXB_OK)
		r = hxb_person_load_to_change(session, id, &person, error);
	if (r != HXB_OK)
		goto out;
	change.name = person.name;
	change.remark = remark_on(&person);
	r = hxb_change_record(session, &change, error);
	if (r == HXB_OK)
		r = hxb_ledger_end_invitation(session->ledger, id, HXB_INVITATION_PASSWORD_SET, NULL, error);
	if (r == HXB_OK)
		r = person.standing.held ? hxb_ledger_set_parked_password(session->ledger, id, hash, error)
		                         : hxb_store_set_password(session->store, id, NULL, hash, error);
	if (r == HXB_OK)
		r = hxb_session_commit(session, HXB_STORE_FIRST, error);
	if (r == HXB_OK)
		hxb_change_done(session, &change);
out:
	hxb_session_rollback(session);
	hxb_person_clear(&person);
	return r;
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	struct hxb_person person = { 0 };
	char hash[HXB_HASH_SIZE] = "", *id = NULL;
	enum hxb_result r;

	r = hxb_user_find(session, session->arguments->operands[0], &id, error);
	if (r == HXB_OK)
		r = hxb_person_load(session, id, &person, error);
	if (r == HXB_OK)
		r = ask(session, person.name, hash, error);
	if (r == HXB_OK)
		r = hxb_session_lock(session, error);
	if (r == HXB_OK)
		r = change_password(session, id, hash, error);
	HXB_WIPE(hash);
	hxb_person_clear(&person);
	free(id);
	return r;
}

static const struct hxb_option options[] = {
	{ "stdin", NULL, "read the password from the first line of standard input" },
	{ NULL, NULL, NULL },
};

const struct hxb_command hxb_cmd_passwd = {
	.name = "passwd",
	.operands = "USER",
	.summary = "Sets a user's one password, in Hexabot and on the host. Asks for it twice.",
	.operands_min = 1,
	.operands_max = 1,
	.changes = true,
	.options = options,
	.run = run,
};
