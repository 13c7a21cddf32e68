/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <shadow.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "explain.h"
#include "libhexabot/paths.h"

#define DAY 86400 /* seconds */

/* A module whose answer for the user is known. */
typedef int answer_fn(struct hxb_case *, enum hxb_pam_facility, const struct hxb_pam_line *, bool good);

static bool
is_there(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) == 0;
}

/* Shadow as the name service shows it: auth finds no hash there. */
static int
unix_answer(struct hxb_case *c, enum hxb_pam_facility facility, const struct hxb_pam_line *line, bool good)
{
	const struct spwd *sp;

	(void)line;
	if (facility == HXB_PAM_AUTH)
		return PAM_AUTH_ERR;
	if (facility == HXB_PAM_PASSWORD) /* it changes the files' users only */
		return PAM_USER_UNKNOWN;
	if (facility == HXB_PAM_SESSION)
		return PAM_SUCCESS;
	if (good)
		return hxb_nsswitch_position(&c->search[HXB_NSS_SHADOW], "hexabot") != -1
		    ? PAM_SUCCESS
		    : PAM_AUTHINFO_UNAVAIL;
	if ((sp = getspnam(c->login)) == NULL)
		return PAM_AUTHINFO_UNAVAIL;
	if (sp->sp_expire > 0 && time(NULL) / DAY >= sp->sp_expire)
		return PAM_ACCT_EXPIRED;
	return sp->sp_lstchg == 0 ? PAM_NEW_AUTHTOK_REQD : PAM_SUCCESS;
}

static int
deny_answer(struct hxb_case *c, enum hxb_pam_facility facility, const struct hxb_pam_line *line, bool good)
{
	(void)c;
	(void)facility;
	(void)line;
	(void)good;
	return PAM_AUTH_ERR;
}

static int
permit_answer(struct hxb_case *c, enum hxb_pam_facility facility, const struct hxb_pam_line *line, bool good)
{
	(void)c;
	(void)facility;
	(void)line;
	(void)good;
	return PAM_SUCCESS;
}

/* One that decides nothing. Many open a session alone, so there it says so. */
static int
silence(enum hxb_pam_facility facility, const struct hxb_pam_line *line)
{
	return facility == HXB_PAM_SESSION && line->actions[PAM_SUCCESS] <= 0 ? PAM_SUCCESS
	                                                                      : hxb_pam_line_silence(line);
}

static int
silent_answer(struct hxb_case *c, enum hxb_pam_facility facility, const struct hxb_pam_line *line, bool good)
{
	(void)c;
	(void)good;
	return silence(facility, line);
}

/* Hexabot's users are in no file. */
static int
localuser_answer(
    struct hxb_case *c, enum hxb_pam_facility facility, const struct hxb_pam_line *line, bool good)
{
	(void)facility;
	(void)line;
	return good || c->stages[HXB_PAM_AUTH].owner == OWNER_US ? PAM_PERM_DENIED : PAM_SUCCESS;
}

static int
nologin_answer(struct hxb_case *c, enum hxb_pam_facility facility, const struct hxb_pam_line *line, bool good)
{
	static const char *const usual[] = { "/var/run/nologin", "/etc/nologin" };
	const char *file = hxb_pam_line_option(line, "file"), *found = NULL;

	(void)facility;
	for (size_t i = 0; file == NULL && i < 2; i++)
		if (is_there(usual[i]))
			found = usual[i];
	if (file != NULL && is_there(file))
		found = file;
	if (found != NULL) {
		c->nologin = true;
		snprintf(c->nologin_file, sizeof(c->nologin_file), "%s", found);
	}
	if (found == NULL || good)
		return hxb_pam_line_option(line, "successok") != NULL ? PAM_SUCCESS : PAM_IGNORE;
	return PAM_AUTH_ERR; /* for the account, too */
}

static int
faillock_answer(
    struct hxb_case *c, enum hxb_pam_facility facility, const struct hxb_pam_line *line, bool good)
{
	struct hxb_faillock settings;
	struct hxb_error error;

	if (hxb_faillock_settings(line, &settings, &error) == HXB_NOT_FOUND)
		return PAM_SERVICE_ERR;
	if (facility != HXB_PAM_AUTH)
		return PAM_SUCCESS;
	if (hxb_pam_line_option(line, "authfail") != NULL)
		return PAM_IGNORE;
	if (!good && c->faillock.broken)
		return PAM_SYSTEM_ERR;
	return !good && c->faillock.locked ? PAM_AUTH_ERR : PAM_SUCCESS;
}

static int
shells_answer(struct hxb_case *c, enum hxb_pam_facility facility, const struct hxb_pam_line *line, bool good)
{
	bool listed = false;
	const char *shell;

	(void)facility;
	(void)line;
	setusershell();
	while (!listed && (shell = getusershell()) != NULL)
		listed = strcmp(shell, c->shell) == 0;
	endusershell();
	c->shell_unlisted = !listed;
	return listed || good ? PAM_SUCCESS : PAM_AUTH_ERR;
}

static const struct {
	const char *name;
	answer_fn *answer;
} modules[] = {
	{ "pam_unix.so", unix_answer },
	{ "pam_deny.so", deny_answer },
	{ "pam_permit.so", permit_answer },
	{ "pam_localuser.so", localuser_answer },
	{ "pam_nologin.so", nologin_answer },
	{ "pam_faillock.so", faillock_answer },
	{ "pam_shells.so", shells_answer },
	{ "pam_rootok.so", deny_answer }, /* root gets in anyway, but it is not root who asks */
	/* These decide nothing about who gets in. */
	{ "pam_cap.so", silent_answer },
	{ "pam_echo.so", silent_answer },
	{ "pam_env.so", silent_answer },
	{ "pam_faildelay.so", silent_answer },
	{ "pam_gnome_keyring.so", silent_answer },
	{ "pam_group.so", silent_answer },
	{ "pam_issue.so", silent_answer },
	{ "pam_pwquality.so", silent_answer },
	{ "pam_warn.so", silent_answer },
};

static void
note_unjudged(struct hxb_case *c, const struct hxb_pam_line *line)
{
	char entry[256];
	size_t used = strlen(c->unjudged);

	snprintf(entry, sizeof(entry), "%.64s (%.128s:%u)", line->module, line->file, line->line);
	if (strstr(c->unjudged, entry) == NULL)
		snprintf(c->unjudged + used, sizeof(c->unjudged) - used, "%s%s", used > 0 ? ", " : "", entry);
}

int
hxb_module_answer(
    struct hxb_case *c, enum hxb_pam_facility facility, const struct hxb_pam_line *line, bool good)
{
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
		if (strcmp(modules[i].name, line->module) == 0)
			return modules[i].answer(c, facility, line, good);
	if (good && facility <= HXB_PAM_ACCOUNT)
		note_unjudged(c, line);
	return silence(facility, line);
}
