/* SPDX-License-Identifier: ISC */
/* The entry points: collect the context, call the stage, map the result. */
#include <string.h>
#include <unistd.h>

#include <security/pam_ext.h>

#include "pam_hexabot.h"

int
pam_code(enum hxb_answer answer)
{
	switch (answer) {
	case HXB_ANSWER_SUCCESS:
		return PAM_SUCCESS;
	case HXB_ANSWER_USER_UNKNOWN:
		return PAM_USER_UNKNOWN;
	case HXB_ANSWER_AUTH_ERR:
		return PAM_AUTH_ERR;
	case HXB_ANSWER_PERM_DENIED:
		return PAM_PERM_DENIED;
	case HXB_ANSWER_ACCT_EXPIRED:
		return PAM_ACCT_EXPIRED;
	case HXB_ANSWER_NEW_AUTHTOK:
		return PAM_NEW_AUTHTOK_REQD;
	case HXB_ANSWER_TRY_AGAIN:
		return PAM_TRY_AGAIN;
	case HXB_ANSWER_UNAVAIL:
	case HXB_ANSWER_SETS:
		break;
	}
	return PAM_AUTHINFO_UNAVAIL;
}

/* A stage for our own users, after its arguments were taken. `unavailable`: the stage's answer where they are
 * wrong. */
static int
run_for_ours(struct call *call, int argc, const char **argv, int (*stage)(struct call *), int unavailable)
{
	if (geteuid() != 0) {
		hxb_fail(&call->error, HXB_UNREADABLE, "the calling program does not run as root");
	} else if (call_arguments(call, argc, argv)) {
		return stage(call);
	}
	log_refused(call, NULL);
	return unavailable;
}

static int
run(pam_handle_t *pamh, int flags, int argc, const char **argv, int (*stage)(struct call *), int unavailable)
{
	struct call call = { .pamh = pamh, .flags = (unsigned)flags };
	int code = PAM_USER_UNKNOWN;

	if (call_owner(&call) == OWNER_US)
		code = run_for_ours(&call, argc, argv, stage, unavailable);
	call_free(&call);
	return code;
}

int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct call call = { .pamh = pamh, .flags = (unsigned)flags };
	int code = PAM_USER_UNKNOWN;

	switch (call_owner(&call)) {
	case OWNER_US:
		code = run_for_ours(&call, argc, argv, stage_authenticate, PAM_AUTHINFO_UNAVAIL);
		break;
	case OWNER_NOBODY:
		if (call_arguments(&call, argc, argv))
			code = stage_unknown_user(&call);
		break;
	case OWNER_HOST:
		break;
	}
	call_free(&call);
	return code;
}

int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct call call = { .pamh = pamh, .flags = (unsigned)flags };

	(void)argc;
	(void)argv;
	return call_owner(&call) == OWNER_US ? PAM_SUCCESS : PAM_USER_UNKNOWN;
}

int
pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return run(pamh, flags, argc, argv, stage_account, PAM_AUTHINFO_UNAVAIL);
}

int
pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return run(pamh, flags, argc, argv, stage_chauthtok, PAM_TRY_AGAIN);
}

/* Never denies: `sudo -u` and runuser open sessions for users who may not log in. */
int
pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	int code = run(pamh, flags, argc, argv, stage_open_session, PAM_SUCCESS);

	return code == PAM_USER_UNKNOWN ? PAM_IGNORE : code;
}

int
pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}
