/* SPDX-License-Identifier: ISC */
/*
 * The stacks of the services that let people in. Each is run with what its modules would answer in a few
 * situations, and what comes out is compared with what has to: so it is the effect that counts, not how the
 * lines are written. A module that is not known here has nothing to say.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <security/pam_appl.h>

#include "doctor.h"
#include "faillock.h"
#include "pam_stack.h"

#define UPDATE "'pam-auth-update --enable hexabot hexabot-password', or by hand as README says"
#define KINDS_MAX 16 /* of faults in one facility */
#define TMPFS_MAGIC 0x01021994

/* A situation: who comes, what pam_hexabot and pam_unix say of them, and what has to come out. */
struct situation {
	int hexabot, unix_, localuser;
	int wanted; /* a PAM code; REFUSED: any but PAM_SUCCESS */
	enum hxb_health otherwise;
	const char *fault;
};
#define REFUSED (-1)

static const struct situation auth[] = {
	{ PAM_SUCCESS, PAM_AUTH_ERR, PAM_PERM_DENIED, PAM_SUCCESS, HXB_HEALTH_FAIL,
	    "Hexabot's users don't get in with the right password" },
	{ PAM_AUTH_ERR, PAM_AUTH_ERR, PAM_PERM_DENIED, REFUSED, HXB_HEALTH_FAIL,
	    "Hexabot's users get in with a wrong password" },
	{ PAM_USER_UNKNOWN, PAM_SUCCESS, PAM_SUCCESS, PAM_SUCCESS, HXB_HEALTH_FAIL,
	    "the host's own users don't get in with the right password" },
	{ PAM_USER_UNKNOWN, PAM_AUTH_ERR, PAM_SUCCESS, REFUSED, HXB_HEALTH_FAIL,
	    "the host's own users get in with a wrong password" },
	{ PAM_MODULE_UNKNOWN, PAM_SUCCESS, PAM_SUCCESS, PAM_SUCCESS, HXB_HEALTH_WARN,
	    "nobody gets in, root included, if pam_hexabot.so is ever missing" },
	{ .fault = NULL },
};

/* pam_unix: a key opens, or the map is behind, and it knows of nothing against them. */
static const struct situation account[] = {
	{ PAM_SUCCESS, PAM_SUCCESS, PAM_PERM_DENIED, PAM_SUCCESS, HXB_HEALTH_FAIL,
	    "Hexabot's enabled users are refused" },
	{ PAM_ACCT_EXPIRED, PAM_SUCCESS, PAM_PERM_DENIED, REFUSED, HXB_HEALTH_FAIL,
	    "Hexabot's disabled users get in" },
	{ PAM_AUTHINFO_UNAVAIL, PAM_SUCCESS, PAM_PERM_DENIED, REFUSED, HXB_HEALTH_FAIL,
	    "Hexabot's users get in while its database can't be read" },
	{ PAM_NEW_AUTHTOK_REQD, PAM_SUCCESS, PAM_PERM_DENIED, PAM_NEW_AUTHTOK_REQD, HXB_HEALTH_WARN,
	    "who is invited is not asked for a password of their own" },
	{ PAM_USER_UNKNOWN, PAM_SUCCESS, PAM_SUCCESS, PAM_SUCCESS, HXB_HEALTH_FAIL,
	    "the host's own users are refused" },
	{ PAM_USER_UNKNOWN, PAM_ACCT_EXPIRED, PAM_SUCCESS, REFUSED, HXB_HEALTH_FAIL,
	    "the host's own users get in though their account has ended" },
	{ PAM_MODULE_UNKNOWN, PAM_SUCCESS, PAM_SUCCESS, PAM_SUCCESS, HXB_HEALTH_WARN,
	    "nobody gets in, root included, if pam_hexabot.so is ever missing" },
	{ .fault = NULL },
};

static const struct situation password[] = {
	{ PAM_SUCCESS, PAM_USER_UNKNOWN, PAM_PERM_DENIED, PAM_SUCCESS, HXB_HEALTH_FAIL,
	    "Hexabot's users can't change their password" },
	{ PAM_AUTH_ERR, PAM_USER_UNKNOWN, PAM_PERM_DENIED, REFUSED, HXB_HEALTH_FAIL,
	    "a change that was refused looks made" },
	{ PAM_USER_UNKNOWN, PAM_SUCCESS, PAM_SUCCESS, PAM_SUCCESS, HXB_HEALTH_FAIL,
	    "the host's own users can't change their password" },
	{ PAM_MODULE_UNKNOWN, PAM_SUCCESS, PAM_SUCCESS, PAM_SUCCESS, HXB_HEALTH_WARN,
	    "nobody can change a password if pam_hexabot.so is ever missing" },
	{ .fault = NULL },
};

static int
answer(const struct hxb_pam_line *line, void *context)
{
	const struct situation *situation = context;
	const struct {
		const char *module;
		int code;
	} known[] = {
		{ "pam_hexabot.so", situation->hexabot },
		{ "pam_unix.so", situation->unix_ },
		{ "pam_localuser.so", situation->localuser },
		{ "pam_permit.so", PAM_SUCCESS },
		{ "pam_deny.so", PAM_AUTH_ERR },
		{ "pam_rootok.so", PAM_AUTH_ERR },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(line->module, known[i].module) == 0)
			return known[i].code;
	if (strcmp(line->module, "pam_faillock.so") == 0 && hxb_pam_line_option(line, "authfail") != NULL)
		return PAM_AUTH_ERR;
	return hxb_pam_line_silence(line);
}

/* Faults of one facility, with the services that have them: most share their stacks. */
struct faults {
	struct fault {
		enum hxb_health health;
		const char *remedy;
		char text[256];
		char services[256];
	} kinds[KINDS_MAX];
	size_t count;
	unsigned services; /* looked at */
};

static void
note(struct faults *faults, const char *service, enum hxb_health health, const char *remedy, const char *text)
{
	struct fault *fault = faults->kinds;
	size_t used;

	while (fault < faults->kinds + faults->count && strcmp(fault->text, text) != 0)
		fault++;
	if (fault == faults->kinds + KINDS_MAX)
		return;
	if (fault == faults->kinds + faults->count) {
		*fault = (struct fault){ .health = health, .remedy = remedy };
		snprintf(fault->text, sizeof(fault->text), "%s", text);
		faults->count++;
	}
	used = strlen(fault->services);
	snprintf(
	    fault->services + used, sizeof(fault->services) - used, "%s%s", used > 0 ? ", " : "", service);
}

static bool
is_installed(const char *service)
{
	static const char *const dirs[] = { "/etc/pam.d", "/usr/lib/pam.d" };
	char path[128];

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dirs[i], service);
		if (faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) == 0)
			return true;
	}
	return false;
}

static void
try_stack(const struct hxb_pam_stack *stack, const char *service, const struct situation *situations,
    struct faults *faults)
{
	for (; situations->fault != NULL; situations++) {
		struct situation situation = *situations;
		int code = hxb_pam_stack_run(stack, answer, &situation, NULL);

		if (situation.wanted == REFUSED ? code == PAM_SUCCESS : code != situation.wanted)
			note(faults, service, situation.otherwise, UPDATE, situation.fault);
	}
}

/* A line that libpam can't make sense of. False: there is none. */
static bool
note_fault(const struct hxb_pam_stack *stack, const char *service, struct faults *faults)
{
	int at = hxb_pam_stack_fault(stack);

	if (at != -1)
		note(faults, service, HXB_HEALTH_FAIL, "put that right", stack->lines[at].fault);
	return at != -1;
}

/* A line whose module is not there refuses whoever comes to it, unless its control says otherwise. Our own is
 * told of by another check. */
static void
note_missing(const struct hxb_pam_stack *stack, const char *service, struct faults *faults)
{
	char text[256];

	for (size_t i = 0; i < stack->count; i++) {
		const struct hxb_pam_line *line = &stack->lines[i];
		int action = line->actions[PAM_MODULE_UNKNOWN];

		if (line->path == NULL || strcmp(line->module, "pam_hexabot.so") == 0 ||
		    (action != HXB_PAM_BAD && action != HXB_PAM_DIE) || hxb_module_exists(line))
			continue;
		snprintf(text, sizeof(text), "%.128s:%u: %.64s is not there: that line refuses everybody",
		    line->file, line->line, line->module);
		note(faults, service, HXB_HEALTH_FAIL, "install it, or take the line out", text);
	}
}

static void
check_stack(const char *service, enum hxb_pam_facility facility, const struct situation *situations,
    struct faults *faults)
{
	struct hxb_pam_stack stack = { .count = 0 };
	struct hxb_error error = { "" };
	enum hxb_result r = hxb_pam_stack_read(NULL, service, facility, &stack, &error);
	int ours, other;

	faults->services++;
	if (r != HXB_OK)
		note(faults, service, HXB_HEALTH_FAIL, "put that right", error.text);
	if (r != HXB_OK || note_fault(&stack, service, faults)) {
		hxb_pam_stack_clear(&stack);
		return;
	}
	note_missing(&stack, service, faults);
	if ((ours = hxb_pam_stack_find(&stack, "pam_hexabot.so", 0)) == -1)
		note(faults, service, facility == HXB_PAM_SESSION ? HXB_HEALTH_WARN : HXB_HEALTH_FAIL, UPDATE,
		    facility == HXB_PAM_SESSION
		        ? "pam_hexabot.so is not in the stack: HEXABOT_ROLES is not set"
		        : "pam_hexabot.so is not in the stack");
	else if (facility == HXB_PAM_SESSION)
		; /* it never denies, and what others do there is not ours */
	else {
		if (facility == HXB_PAM_AUTH && hxb_pam_line_waits(&stack, (size_t)ours))
			note(faults, service, HXB_HEALTH_FAIL, "take that option out",
			    "pam_hexabot.so has use_first_pass, and no line before it asks for a password");
		try_stack(&stack, service, situations, faults);
		other = hxb_pam_stack_find(&stack, "pam_unix.so", 0);
		if (facility == HXB_PAM_PASSWORD && other != -1 && ours < other)
			note(faults, service, HXB_HEALTH_WARN, UPDATE,
			    "pam_hexabot.so is before pam_unix.so: chpasswd(8) fails for the host's own "
			    "users");
	}
	hxb_pam_stack_clear(&stack);
}

/* services: NULL-terminated. */
static void
check_facility(struct hxb_doctor *doctor, enum hxb_pam_facility facility, const struct situation *situations,
    const char *const *services)
{
	struct faults *faults = calloc(1, sizeof(*faults));

	if (faults == NULL) {
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, "out of memory");
		return;
	}
	for (; *services != NULL; services++)
		if (is_installed(*services))
			check_stack(*services, facility, situations, faults);
	for (size_t i = 0; i < faults->count; i++)
		hxb_found(doctor, faults->kinds[i].health, faults->kinds[i].remedy, "%s: %s",
		    faults->kinds[i].services, faults->kinds[i].text);
	if (faults->services == 0)
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, "none of the usual services is installed");
	else if (faults->count == 0)
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "%u stacks do what they have to", faults->services);
	free(faults);
}

/* cron has no password to ask for. */
static void
look_at_auth(struct hxb_doctor *doctor)
{
	static const char *const services[] = { "common-auth", "sshd", "login", "su", "sudo", NULL };

	check_facility(doctor, HXB_PAM_AUTH, auth, services);
}

static void
look_at_account(struct hxb_doctor *doctor)
{
	static const char *const services[] = { "common-account", "sshd", "login", "su", "sudo", "cron",
		NULL };

	check_facility(doctor, HXB_PAM_ACCOUNT, account, services);
}

static void
look_at_password(struct hxb_doctor *doctor)
{
	static const char *const services[] = { "common-password", "passwd", "sshd", "login", NULL };

	check_facility(doctor, HXB_PAM_PASSWORD, password, services);
}

static void
look_at_session(struct hxb_doctor *doctor)
{
	static const char *const services[] = { "common-session", "sshd", "login", "su", "sudo", "cron",
		NULL };

	check_facility(doctor, HXB_PAM_SESSION, NULL, services);
}

static bool
is_volatile(const char *dir)
{
	struct statfs fs;

	return strncmp(dir, "/run/", 5) == 0 || strncmp(dir, "/var/run/", 9) == 0 ||
	    (statfs(dir, &fs) == 0 && (unsigned long)fs.f_type == TMPFS_MAGIC);
}

static void
look_at_lines_of_faillock(struct hxb_doctor *doctor, const struct hxb_pam_stack *stack, int first)
{
	struct hxb_faillock faillock = { .dir = "" };
	struct hxb_error error = { "" };
	bool counts = false, decides = false;
	enum hxb_result r = HXB_OK;

	for (int i = first; i != -1; i = hxb_pam_stack_find(stack, "pam_faillock.so", (size_t)i + 1)) {
		counts = counts || hxb_pam_line_option(&stack->lines[i], "authfail") != NULL;
		decides = decides || hxb_pam_line_option(&stack->lines[i], "authsucc") != NULL ||
		    hxb_pam_line_option(&stack->lines[i], "preauth") != NULL;
		if (r == HXB_OK)
			r = hxb_faillock_settings(&stack->lines[i], &faillock, &error);
	}
	if (r == HXB_NOT_FOUND) /* and pam_faillock refuses everybody, root too */
		hxb_found_error(doctor, HXB_HEALTH_FAIL, &error, "write it, or take conf= out of the stack");
	else if (r != HXB_OK)
		hxb_found_error(doctor, HXB_HEALTH_WARN, &error, "correct it");
	else if (!counts || !decides)
		hxb_found(doctor, HXB_HEALTH_WARN,
		    "'pam-auth-update --enable hexabot-faillock hexabot-faillock-success'",
		    "pam_faillock %s: nobody is locked out",
		    counts ? "counts wrong passwords, and refuses nobody" : "counts no wrong passwords");
	else if (faillock.local_users_only || faillock.deny == 0)
		hxb_found(doctor, HXB_HEALTH_WARN, "take it out of " HXB_FAILLOCK_CONF " or the stack",
		    "pam_faillock has %s: none of Hexabot's users is locked out",
		    faillock.local_users_only ? "local_users_only" : "deny = 0");
	else
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "locks out after %lld wrong passwords; kept in %s%s",
		    (long long)faillock.deny, faillock.dir,
		    is_volatile(faillock.dir) ? ", which a reboot empties" : "");
}

static void
look_at_faillock(struct hxb_doctor *doctor)
{
	struct hxb_pam_stack stack = { .count = 0 };
	struct hxb_error error = { "" };
	int first = -1;

	if (hxb_pam_stack_read(NULL, is_installed("sshd") ? "sshd" : "login", HXB_PAM_AUTH, &stack, &error) ==
	    HXB_OK)
		first = hxb_pam_stack_find(&stack, "pam_faillock.so", 0);
	if (first == -1)
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL,
		    "no lockout after wrong passwords; README, \"Lockout\", has it");
	else
		look_at_lines_of_faillock(doctor, &stack, first);
	hxb_pam_stack_clear(&stack);
}

const struct hxb_check hxb_checks_pam[] = {
	{ "pam-auth", look_at_auth },
	{ "pam-account", look_at_account },
	{ "pam-password", look_at_password },
	{ "pam-session", look_at_session },
	{ "faillock", look_at_faillock },
	{ NULL, NULL },
};
