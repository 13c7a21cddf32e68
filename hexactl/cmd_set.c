/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "libhexabot/names.h"
#include "print.h"
#include "times.h"
#include "users.h"

#define PATH_LIMIT 512 /* bytes of a home or shell: a passwd line has to stay one that programs read */
#define TEXT_SIZE 2048

/* What the options say. Strings are NULL where the option was not given. */
struct wish {
	const char *login, *shell, *home;
	bool has_expires;
	int64_t expires;
};

/* Becomes a field of a passwd line. */
static enum hxb_result
check_path(const char *option, const char *path, struct hxb_error *error)
{
	if (path == NULL || path[0] == '\0')
		return HXB_OK;
	if (path[0] != '/' || strlen(path) > PATH_LIMIT || strchr(path, ':') != NULL)
		return hxb_fail(error, HXB_INVALID,
		    "%s: '%.256s' is no absolute path of up to %d bytes without ':'", option, path,
		    PATH_LIMIT);
	for (const char *c = path; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return hxb_fail(
			    error, HXB_INVALID, "%s: a control character in '%.256s'", option, path);
	return HXB_OK;
}

static enum hxb_result
check_shell(const struct hxb_session *session, const char *shell, struct hxb_error *error)
{
	struct stat st;
	enum hxb_result r = check_path("--shell", shell, error);

	if (r != HXB_OK || shell == NULL || shell[0] == '\0' || session->arguments->force)
		return r;
	if (stat(shell, &st) == -1)
		return hxb_fail(
		    error, HXB_REFUSED, "--shell: %.256s: %m; install it first, or use --force", shell);
	if (!S_ISREG(st.st_mode) || faccessat(AT_FDCWD, shell, X_OK, AT_EACCESS) == -1)
		return hxb_fail(
		    error, HXB_REFUSED, "--shell: %.256s: not a program; use --force if it will be", shell);
	return HXB_OK;
}

static enum hxb_result
read_wish(const struct hxb_session *session, struct wish *wish, struct hxb_error *error)
{
	const struct hxb_arguments *arguments = session->arguments;
	const char *expires = hxb_option(arguments, "expires");
	enum hxb_result r = HXB_OK;

	*wish = (struct wish){ .login = hxb_option(arguments, "login"),
		.shell = hxb_option(arguments, "shell"),
		.home = hxb_option(arguments, "home"),
		.has_expires = expires != NULL };
	if (wish->login == NULL && wish->shell == NULL && wish->home == NULL && expires == NULL)
		return hxb_fail(error, HXB_INVALID, "set: wants --login, --shell, --home or --expires");
	if (expires != NULL)
		r = hxb_time_expires(expires, &wish->expires, error);
	if (r == HXB_OK)
		r = check_path("--home", wish->home, error);
	if (r == HXB_OK)
		r = check_shell(session, wish->shell, error);
	return r;
}

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
apply_login(struct hxb_session *session, const struct hxb_person *person, const struct wish *wish,
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

	if (old == NULL || old->number == 0 || entry->home[0] != '\0' || strcmp(old->login, entry->login) == 0)
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
		return hxb_fail(error, r, "%.128s: %s; chown it first, choose another with --home, or use --force",
		    person->name, why.text);
	return HXB_OK;
}

static enum hxb_result
apply_wish(struct hxb_session *session, const struct hxb_person *person, const struct wish *wish,
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

static void
append_expiry(char text[TEXT_SIZE], int64_t expires)
{
	char when[HXB_TIME_SIZE] = "never";

	if (expires != 0)
		hxb_time_utc(expires, when);
	append(text, "expiry", when);
}

/* "login mona, shell /bin/bash": what differs, before and after. Both are "" where nothing does. */
static void
describe(
    const struct hxb_entry *old, const struct hxb_entry *new, char before[TEXT_SIZE], char after[TEXT_SIZE])
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
		append_expiry(before, expires);
		append_expiry(after, new->expires);
	}
}

static enum hxb_result
write_entry(struct hxb_session *session, const struct hxb_person *person, const struct hxb_entry *entry,
    struct hxb_error *error)
{
	char before[TEXT_SIZE], after[TEXT_SIZE], deed[TEXT_SIZE + 16];
	struct hxb_change change = { .id = person->user->id,
		.name = person->name,
		.action = "set",
		.before = before,
		.after = after,
		.deed = deed };
	enum hxb_result r;

	describe(person->entry, entry, before, after);
	if (after[0] == '\0') {
		hxb_session_rollback(session);
		change.deed = "already so";
		hxb_change_none(session, &change);
		return HXB_OK;
	}
	snprintf(deed, sizeof(deed), "given %s", after);
	r = hxb_ledger_put(session->ledger, entry, error);
	if (r == HXB_OK)
		r = hxb_change_record(session, &change, error);
	if (r == HXB_OK)
		r = hxb_session_commit(session, HXB_LEDGER_FIRST, error);
	if (r == HXB_OK)
		hxb_change_done(session, &change);
	return r;
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	struct hxb_person person = { 0 };
	struct hxb_entry *entry = NULL;
	struct wish wish;
	char *id = NULL;
	enum hxb_result r;

	r = read_wish(session, &wish, error);
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

const struct hxb_command hxb_cmd_set = {
	.name = "set",
	.operands = "USER",
	.summary = "Sets what a user is on this host, where Hexabot has no word in it.",
	.operands_min = 1,
	.operands_max = 1,
	.changes = true,
	.force = true,
	.options = options,
	.run = run,
};
