/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <syslog.h>

#include <security/pam_ext.h>

#include "faults.h"
#include "fuzz.h"
#include "pam_stub.h"
#include "pam_world.h"

#define ANSWER_MAX 511 /* libpam's PAM_MAX_RESP_SIZE without the NUL */

char *stub_answers[SAID_MAX];
unsigned stub_answer_count, stub_asked;
void (*stub_meanwhile)(void);
char stub_logged[16384];
char stub_group[64];

int __wrap_getpwnam_r(const char *, struct passwd *, char *, size_t, struct passwd **);
int __wrap_getgrgid_r(gid_t, struct group *, char *, size_t, struct group **);
int __wrap_getgrouplist(const char *, gid_t, gid_t *, int *);

static void
forget(char **secret)
{
	if (*secret != NULL)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

void
stub_forget(void)
{
	for (unsigned i = 0; i < stub_answer_count; i++)
		forget(&stub_answers[i]);
	stub_answer_count = stub_asked = 0;
	stub_meanwhile = NULL;
	stub_logged[0] = stub_group[0] = '\0';
}

void
stub_end(pam_handle_t *pamh)
{
	if (pamh->cleanup != NULL && pamh->data != NULL)
		pamh->cleanup(pamh, pamh->data, 0);
	pamh->data = NULL;
	pamh->cleanup = NULL;
	forget(&pamh->authtok);
	forget(&pamh->oldauthtok);
}

/* The harness's own work never fails. */
static char *
copy_of(const char *text)
{
	char *copy;

	faults_disarm();
	copy = strndup(text, ANSWER_MAX);
	MUST(copy != NULL);
	faults_arm();
	return copy;
}

/* NULL: the person has gone. */
static const char *
ask(void)
{
	if (stub_meanwhile != NULL) {
		faults_disarm();
		stub_meanwhile();
		faults_arm();
	}
	return stub_asked < stub_answer_count ? stub_answers[stub_asked++] : NULL;
}

int
pam_get_user(pam_handle_t *pamh, const char **user, const char *prompt)
{
	(void)prompt;
	if (fault(FAULT_PAM, 0))
		return PAM_CONV_ERR;
	*user = pamh->login;
	return PAM_SUCCESS;
}

int
pam_get_item(const pam_handle_t *pamh, int type, const void **item)
{
	if (fault(FAULT_PAM, 0))
		return PAM_SYSTEM_ERR;
	switch (type) {
	case PAM_SERVICE:
		*item = pamh->service;
		break;
	case PAM_RHOST:
		*item = pamh->host;
		break;
	case PAM_AUTHTOK:
		*item = pamh->authtok;
		break;
	case PAM_TTY:
		*item = NULL;
		break;
	default:
		MUST(type == PAM_SERVICE); /* the module has no use for others */
	}
	return PAM_SUCCESS;
}

int
pam_set_item(pam_handle_t *pamh, int type, const void *item)
{
	MUST(type == PAM_AUTHTOK && item == NULL);
	forget(&pamh->authtok);
	return PAM_SUCCESS;
}

int
pam_get_authtok(pam_handle_t *pamh, int type, const char **authtok, const char *prompt)
{
	char **place = type == PAM_AUTHTOK ? &pamh->authtok : &pamh->oldauthtok;
	const char *answer, *again;

	(void)prompt;
	MUST(type == PAM_AUTHTOK || type == PAM_OLDAUTHTOK);
	if (fault(FAULT_PAM, 0))
		return PAM_CONV_ERR;
	if (*place == NULL) {
		answer = ask();
		if (answer == NULL)
			return PAM_CONV_ERR;
		if (pamh->changing && type == PAM_AUTHTOK) {
			again = ask();
			if (again == NULL || strcmp(answer, again) != 0)
				return PAM_TRY_AGAIN;
		}
		*place = copy_of(answer);
	}
	*authtok = *place;
	return PAM_SUCCESS;
}

int
pam_set_data(pam_handle_t *pamh, const char *name, void *data, void (*cleanup)(pam_handle_t *, void *, int))
{
	MUST(strcmp(name, "hexabot.code") == 0);
	if (data != NULL && fault(FAULT_PAM, 0))
		return PAM_BUF_ERR;
	if (pamh->cleanup != NULL && pamh->data != NULL)
		pamh->cleanup(pamh, pamh->data, 0);
	pamh->data = data;
	pamh->cleanup = cleanup;
	return PAM_SUCCESS;
}

int
pam_get_data(const pam_handle_t *pamh, const char *name, const void **data)
{
	MUST(strcmp(name, "hexabot.code") == 0);
	if (pamh->data == NULL || fault(FAULT_PAM, 0))
		return PAM_NO_MODULE_DATA;
	*data = pamh->data;
	return PAM_SUCCESS;
}

/* NAME=words: nothing that a shell or a terminal would take for more. */
int
pam_putenv(pam_handle_t *pamh, const char *text)
{
	const char *value = strchr(text, '=');

	(void)pamh;
	MUST(strncmp(text, "HEXABOT_USER_ID=", 16) == 0 || strncmp(text, "HEXABOT_ROLES=", 14) == 0);
	for (; *value != '\0'; value++)
		MUST((*value >= 'a' && *value <= 'z') || (*value >= '0' && *value <= '9') ||
		    strchr("-= ", *value) != NULL);
	return fault(FAULT_PAM, 0) ? PAM_BUF_ERR : PAM_SUCCESS;
}

int
pam_fail_delay(pam_handle_t *pamh, unsigned microseconds)
{
	(void)pamh;
	MUST(microseconds == 2000000);
	return PAM_SUCCESS;
}

static void note(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

static void
note(const char *format, va_list args)
{
	size_t used = strlen(stub_logged);
	char line[2048];
	int size = vsnprintf(line, sizeof(line), format, args);

	MUST(size >= 0 && size < 1024 && fuzz_printable(line));
	snprintf(stub_logged + used, sizeof(stub_logged) - used, "%s\n", line);
}

void
pam_syslog(const pam_handle_t *pamh, int priority, const char *format, ...)
{
	va_list args;

	(void)pamh;
	MUST(priority == LOG_ERR || priority == LOG_NOTICE || priority == LOG_INFO || priority == LOG_DEBUG);
	va_start(args, format);
	note(format, args);
	va_end(args);
}

/* pam_info() and pam_error(). */
int
pam_prompt(pam_handle_t *pamh, int style, char **response, const char *format, ...)
{
	va_list args;

	(void)pamh;
	MUST((style == PAM_TEXT_INFO || style == PAM_ERROR_MSG) && response == NULL);
	va_start(args, format);
	note(format, args);
	va_end(args);
	return fault(FAULT_PAM, 0) ? PAM_CONV_ERR : PAM_SUCCESS;
}

int
__wrap_getpwnam_r(const char *name, struct passwd *pw, char *buffer, size_t size, struct passwd **found)
{
	const struct person *person = person_of(name);

	(void)buffer;
	*found = NULL;
	if (fault(FAULT_NAMES, EIO))
		return EIO;
	if (size < 2048)
		return ERANGE;
	memset(pw, 0, sizeof(*pw));
	if (person != NULL)
		pw->pw_uid = pw->pw_gid = person->uid;
	else if (strcmp(name, "local") == 0)
		pw->pw_uid = pw->pw_gid = 1000;
	else if (strcmp(name, "root") != 0)
		return 0;
	*found = pw;
	return 0;
}

int
__wrap_getgrgid_r(gid_t gid, struct group *gr, char *buffer, size_t size, struct group **found)
{
	*found = NULL;
	if (fault(FAULT_NAMES, EIO))
		return EIO;
	memset(gr, 0, sizeof(*gr));
	for (size_t i = 0; i < PEOPLE; i++) {
		if (people[i].uid != gid)
			continue;
		snprintf(buffer, size, "hexabot.%s", people[i].login);
		if (stub_group[0] != '\0')
			snprintf(buffer, size, "%s", stub_group);
		gr->gr_name = buffer;
		gr->gr_gid = gid;
		*found = gr;
	}
	return 0;
}

int
__wrap_getgrouplist(const char *name, gid_t group, gid_t *groups, int *count)
{
	const struct person *person = person_of(name);
	int room = *count;

	*count = 0;
	groups[(*count)++] = group;
	for (size_t i = 0; person != NULL && i < ROLES; i++) {
		if ((person->roles & 1u << i) != 0 && *count < room)
			groups[(*count)++] = role_gids[i];
	}
	if (fault(FAULT_NAMES, EIO)) {
		*count = room + 1; /* more than there is room for */
		return -1;
	}
	return *count;
}
