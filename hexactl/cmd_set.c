/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "guards.h"
#include "libhexabot/names.h"
#include "print.h"
#include "times.h"
#include "users.h"
#include "wish.h"

#define TEXT_SIZE 2048

static bool
replace(char **field, const char *value)
{
	char *copy = strdup(value);

	if (copy == NULL)
		return false;
	free(*field);
	*field = copy;
	return true;
}

/* The entry to be changed: the one there is, or a new one, which the next publish gives a number. */
static enum hxb_result
take_entry(const struct hxb_person *person, struct hxb_entry **entryp, struct hxb_error *error)
{
	const struct hxb_entry *old = person->entry;
	struct hxb_entry *entry = calloc(1, sizeof(*entry));

	*entryp = entry;
	if (entry == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	if (old != NULL) {
		entry->number = old->number;
		entry->expires = old->expires;
	}
	entry->kind = HXB_ENTRY_USER;
	entry->id = strdup(person->user->id);
	entry->login = strdup(old != NULL ? old->login : "");
	entry->shell = strdup(old != NULL ? old->shell : "");
	entry->home = strdup(old != NULL ? old->home : "");
	if (entry->id == NULL || entry->login == NULL || entry->shell == NULL || entry->home == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	return HXB_OK;
}

/* Somebody without a login can be given a shell only along with one. */
static enum hxb_result
apply_login(struct hxb_session *session, const struct hxb_person *person, const struct hxb_wish *wish,
    struct hxb_entry *entry, struct hxb_error *error)
{
	const char *login = wish->login;
	struct hxb_error why;
	enum hxb_result r;

	if (login == NULL && entry->login[0] == '\0')
		login = person->user->username;
	if (login == NULL || strcmp(login, entry->login) == 0)
		return HXB_OK;
	r = hxb_login_available(&session->config, &hxb_host_places, session->ledger, entry->id, login, &why);
	if (r != HXB_OK)
		return hxb_fail(error, r, "%.128s: %s%s", person->name, why.text,
		    wish->login == NULL ? "; give another login along with it: --login NAME" : "");
	return replace(&entry->login, login) ? HXB_OK : hxb_fail(error, HXB_FAILED, "out of memory");
}

/* Like usermod -l: who is given another name stays at home. */
static enum hxb_result
keep_home(const struct hxb_session *session, const struct hxb_person *person, struct hxb_entry *entry,
    struct hxb_error *error)
{
	const struct hxb_entry *old = person->entry;

	if (old == NULL || old->number == 0 || entry->home[0] != '\0' ||
	    strcmp(old->login, entry->login) == 0)
		return HXB_OK;
	free(entry->home);
	entry->home = hxb_expand_login(session->config.home, old->login);
	return entry->home != NULL ? HXB_OK : hxb_fail(error, HXB_FAILED, "out of memory");
}

/* Another's files would be in the user's hands, or the user locked out of them. */
static enum hxb_result
check_home(struct hxb_session *session, const struct hxb_person *person, const struct hxb_entry *entry,
    struct hxb_error *error)
{
	const struct hxb_entry *old = person->entry;
	struct hxb_error why;
	enum hxb_result r;

	if (session->arguments->force ||
	    (old != NULL && strcmp(old->login, entry->login) == 0 && strcmp(old->home, entry->home) == 0))
		return HXB_OK;
	r = hxb_home_available(&session->config, &hxb_host_places, session->ledger, entry, &why);
	if (r != HXB_OK)
		return hxb_fail(error, r,
		    "%.128s: %s; chown it first, choose another with --home, or use --force", person->name,
		    why.text);
	return HXB_OK;
}

static enum hxb_result
apply_wish(struct hxb_session *session, const struct hxb_person *person, const struct hxb_wish *wish,
    struct hxb_entry *entry, struct hxb_error *error)
{
	enum hxb_result r;

	r = apply_login(session, person, wish, entry, error);
	if (r != HXB_OK)
		return r;
	if ((wish->shell != NULL && !replace(&entry->shell, wish->shell)) ||
	    (wish->home != NULL && !replace(&entry->home, wish->home)))
		return hxb_fail(error, HXB_FAILED, "out of memory");
	if (wish->has_expires)
		entry->expires = wish->expires;
	if (wish->home == NULL)
		r = keep_home(session, person, entry, error);
	return r == HXB_OK ? check_home(session, person, entry, error) : r;
}

static void
append(char text[TEXT_SIZE], const char *key, const char *value)
{
	size_t used = strlen(text);

	snprintf(text + used, TEXT_SIZE - used, "%s%s %s", used > 0 ? ", " : "", key, value);
}

/* hxb_time_utc() for programs, hxb_time_local() for people. */
typedef void time_fn(int64_t seconds, char text[HXB_TIME_SIZE]);

static void
append_expiry(char text[TEXT_SIZE], int64_t expires, time_fn *time_text)
{
	char when[HXB_TIME_SIZE] = "never";

	if (expires != 0)
		time_text(expires, when);
	append(text, "expiry", when);
}

/* "login mona, shell /bin/bash": what differs, before and after. Both are "" where nothing does. */
static void
describe(const struct hxb_entry *old, const struct hxb_entry *new, time_fn *time_text, char before[TEXT_SIZE],
    char after[TEXT_SIZE])
{
	const struct {
		const char *key, *old, *new, *none;
	} fields[] = {
		{ "login", old != NULL ? old->login : "", new->login, "none" },
		{ "shell", old != NULL ? old->shell : "", new->shell, "as configured" },
		{ "home", old != NULL ? old->home : "", new->home, "as configured" },
	};
	int64_t expires = old != NULL ? old->expires : 0;

	before[0] = after[0] = '\0';
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strcmp(fields[i].old, fields[i].new) == 0)
			continue;
		append(before, fields[i].key, fields[i].old[0] != '\0' ? fields[i].old : fields[i].none);
		append(after, fields[i].key, fields[i].new[0] != '\0' ? fields[i].new : fields[i].none);
	}
	if (expires != new->expires) {
		append_expiry(before, expires, time_text);
		append_expiry(after, new->expires, time_text);
	}
}

static bool
has_passed(int64_t expires, time_t now)
{
	return expires != 0 && expires <= now;
}

/* Who expires now is turned off as by 'hexactl disable'. */
static enum hxb_result
guard(struct hxb_session *session, const struct hxb_person *person, const struct hxb_entry *entry,
    char note[512], struct hxb_error *error)
{
	char undo[HXB_TIME_SIZE + 16] = "--expires never", when[HXB_TIME_SIZE];
	const struct hxb_loss loss = { .state = true, .undo = "set", .undo_rest = undo };
	int64_t old = person->entry != NULL ? person->entry->expires : 0;
	time_t now = time(NULL);

	note[0] = '\0';
	if (!has_passed(entry->expires, now) || has_passed(old, now))
		return HXB_OK;
	if (old != 0) {
		hxb_time_utc(old, when);
		snprintf(undo, sizeof(undo), "--expires %s", when);
	}
	return hxb_guard(session, person, &loss, note, error);
}

static enum hxb_result
write_entry(struct hxb_session *session, const struct hxb_person *person, const struct hxb_entry *entry,
    struct hxb_error *error)
{
	char before[TEXT_SIZE], after[TEXT_SIZE], shown[TEXT_SIZE], deed[TEXT_SIZE + 16], note[512];
	struct hxb_change change = { .id = person->user->id,
		.name = person->name,
		.action = "set",
		.before = before,
		.after = after,
		.deed = deed };
	enum hxb_result r;

	describe(person->entry, entry, hxb_time_local, before, shown);
	describe(person->entry, entry, hxb_time_utc, before, after);
	if (after[0] == '\0') {
		hxb_session_rollback(session);
		change.deed = "already so";
		hxb_change_none(session, &change);
		return HXB_OK;
	}
	snprintf(deed, sizeof(deed), "given %s", shown);
	r = guard(session, person, entry, note, error);
	if (r == HXB_OK)
		r = hxb_ledger_put(session->ledger, entry, error);
	if (r == HXB_OK)
		r = hxb_change_record(session, &change, error);
	if (r == HXB_OK)
		r = hxb_session_commit(session, HXB_LEDGER_FIRST, error);
	if (r != HXB_OK)
		return r;
	hxb_change_done(session, &change);
	if (note[0] != '\0')
		hxb_complain("%s", note);
	return HXB_OK;
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	struct hxb_person person = { 0 };
	struct hxb_entry *entry = NULL;
	struct hxb_wish wish;
	char *id = NULL;
	enum hxb_result r;

	r = hxb_wish_read(session, &wish, error);
	if (r == HXB_OK)
		r = hxb_user_find(session, session->arguments->operands[0], &id, error);
	if (r == HXB_OK)
		r = hxb_session_lock(session, error);
	if (r == HXB_OK)
		r = hxb_session_begin_ledger(session, error);
	if (r == HXB_OK)
		r = hxb_person_load_to_change(session, id, &person, error);
	if (r == HXB_OK)
		r = take_entry(&person, &entry, error);
	if (r == HXB_OK)
		r = apply_wish(session, &person, &wish, entry, error);
	if (r == HXB_OK)
		r = write_entry(session, &person, entry, error);
	hxb_session_rollback(session);
	hxb_entry_free(entry);
	hxb_person_clear(&person);
	free(id);
	return r;
}

static const struct hxb_option options[] = {
	{ "login", "NAME", "the name on this host; uid and home stay" },
	{ "shell", "PATH", "the login shell; '' for the configuration's" },
	{ "home", "PATH", "the home directory, which is not moved; '' for the configuration's" },
	{ "expires", "DATE",
	    "the last day of the account, YYYY-MM-DD, or a time, 2030-01-31T18:00:00Z; never" },
	{ NULL, NULL, NULL },
};

static const struct hxb_words words[] = {
	{ "expires", "never" },
	{ NULL, NULL },
};

const struct hxb_command hxb_cmd_set = {
	.name = "set",
	.operands = "USER",
	.summary = "Sets what a user is on this host, where Hexabot has no word in it.",
	.operands_min = 1,
	.operands_max = 1,
	.changes = true,
	.force = true,
	.options = options,
	.words = words,
	.run = run,
};
