/* SPDX-License-Identifier: ISC */
/* The entry points: collect the context, call the stage, map the result. */
#include <syslog.h>
#include <unistd.h>

#include <security/pam_ext.h>

#include "libhexabot/map.h"
#include "pam_hexabot.h"

/* Without a map our name service knows nobody, and so do we: say why. */
static void
log_absent_map(const struct call *call)
{
	const struct hxb_map *pinned = hxb_map_pin();
	const char *why = "";

	hxb_map_unpin(pinned);
	if (pinned != NULL)
		return;
	hxb_map_close(hxb_map_open(HXB_MAP_PATH, 0, &why));
	pam_syslog(
	    call->pamh, LOG_ERR, "no Hexabot user is known: %s: %s; run hexactl publish", HXB_MAP_PATH, why);
}

/* Whose user PAM_USER is. Looks at nothing else but the name service and the map. */
static enum owner
call_owner(struct call *call)
{
	const void *service = NULL;
	enum owner owner;

	if (pam_get_user(call->pamh, &call->login, NULL) != PAM_SUCCESS || call->login == NULL ||
	    call->login[0] == '\0')
		return OWNER_HOST;
	if (pam_get_item(call->pamh, PAM_SERVICE, &service) == PAM_SUCCESS && service != NULL)
		call->service = service;
	owner = owner_of(call);
	if (owner == OWNER_NOBODY)
		log_absent_map(call);
	return owner;
}

/*
 * What a stage does for our own users, and its answer where it can't be done. A program that does not run as
 * root asks the helper; NULL: it gets no answer.
 */
struct work {
	int (*stage)(struct call *call);
	int (*without_root)(struct call *call);
	int unavailable;
};

static const struct work authenticate = { stage_authenticate, helper_authenticate, PAM_AUTHINFO_UNAVAIL };
static const struct work account = { stage_account, helper_account, PAM_AUTHINFO_UNAVAIL };
static const struct work chauthtok = { stage_chauthtok, NULL, PAM_TRY_AGAIN };
static const struct work open_session = { stage_open_session, NULL, PAM_SUCCESS };

static int
run_for_ours(struct call *call, int argc, const char **argv, const struct work *work)
{
	int (*stage)(struct call * call) = geteuid() == 0 ? work->stage : work->without_root;

	if (stage == NULL)
		hxb_fail(&call->error, HXB_UNREADABLE, "the calling program does not run as root");
	else if (call_arguments(call, argc, argv))
		return stage(call);
	if (work->unavailable != PAM_SUCCESS) /* which refuses nothing */
		log_refused(call, NULL);
	return work->unavailable;
}

static int
run(pam_handle_t *pamh, int flags, int argc, const char **argv, const struct work *work)
{
	struct call call = { .pamh = pamh, .flags = (unsigned)flags, .login = "", .service = "" };
	int code = PAM_USER_UNKNOWN;

	switch (call_owner(&call)) {
	case OWNER_US:
		code = run_for_ours(&call, argc, argv, work);
		break;
	case OWNER_NOBODY:
		if (work == &authenticate && call_arguments(&call, argc, argv))
			code = stage_unknown_user(&call);
		break;
	case OWNER_HOST:
		break;
	}
	call_free(&call);
	return code;
}

int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return run(pamh, flags, argc, argv, &authenticate);
}

int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct call call = { .pamh = pamh, .flags = (unsigned)flags, .login = "", .service = "" };

	(void)argc;
	(void)argv;
	return call_owner(&call) == OWNER_US ? PAM_SUCCESS : PAM_USER_UNKNOWN;
}

int
pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return run(pamh, flags, argc, argv, &account);
}

int
pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return run(pamh, flags, argc, argv, &chauthtok);
}

/* Never denies: `sudo -u` and runuser open sessions for users who may not log in. */
int
pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	int code = run(pamh, flags, argc, argv, &open_session);

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
