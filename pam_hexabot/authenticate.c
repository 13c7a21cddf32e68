/* SPDX-License-Identifier: ISC */
/*
 * MUST: the same work whether the password is wrong, the user disabled, held or unknown; no reason told to
 * who has not proved the password.
 */
#include <stdio.h>
#include <string.h>

#include <security/pam_ext.h>

#include "libhexabot/password.h"
#include "messages.h"
#include "pam_hexabot.h"

#define FAIL_DELAY 2000000 /* µs, as pam_unix asks for */

/* The password from the module before us, or from a prompt. It stays PAM's, which clears it. */
static int
ask_password(struct call *call, const char **password)
{
	const void *item = NULL;
	int code;

	*password = NULL;
	if (call->config.use_first_pass) {
		code = pam_get_item(call->pamh, PAM_AUTHTOK, &item);
		if (code == PAM_SUCCESS && item == NULL)
			code = PAM_AUTH_ERR;
		*password = item;
	} else {
		code = pam_get_authtok(call->pamh, PAM_AUTHTOK, password, MESSAGE_PASSWORD);
	}
	return code == PAM_SUCCESS && *password == NULL ? PAM_AUTH_ERR : code;
}

int
stage_unknown_user(struct call *call)
{
	const char *password;

	pam_fail_delay(call->pamh, FAIL_DELAY);
	if (ask_password(call, &password) != PAM_SUCCESS)
		return PAM_USER_UNKNOWN;
	/* For its password_cost; the default's work is done where it can't be read. */
	(void)hxb_config_load(&call->config, call->config.conf, 0, &call->error);
	(void)hxb_password_verify(password, NULL, call->config.password_cost, call->config.password_max_cost);
	log_debug(call, "a name that nobody knows");
	return PAM_USER_UNKNOWN;
}

/* Neither the password nor a good code. */
static int
refuse_wrong_password(const struct call *call)
{
	const char *what = code_refusal(call);
	char reason[192];

	if (what == NULL)
		what = "wrong password";
	if (call->state == HXB_STATE_ENABLED)
		snprintf(reason, sizeof(reason), "%s", what);
	else
		snprintf(reason, sizeof(reason), "%s; %s", what, hxb_state_rule(call->state)->reason);
	log_refused(call, reason);
	return PAM_AUTH_ERR;
}

/* The hash is worked out in any case: a code takes no less time than a password. */
static bool
is_right(const struct call *call, const char *password)
{
	const char *hash = call->user != NULL ? call->user->password : NULL;
	bool right =
	    hxb_password_verify(password, hash, call->config.password_cost, call->config.password_max_cost);

	return right || code_is_right(call);
}

int
stage_authenticate(struct call *call)
{
	const char *password;
	enum hxb_answer answer;
	int code;

	pam_fail_delay(call->pamh, FAIL_DELAY);
	code_forget(call);
	code = ask_password(call, &password);
	if (code != PAM_SUCCESS) {
		log_refused(call, "no password was given");
		return code;
	}
	call->typed = password;
	call_load(call, false);
	if (!is_right(call, password) && call->state != HXB_STATE_UNREADABLE)
		return refuse_wrong_password(call);

	answer = hxb_state_rule(call->state)->auth;
	if (answer != HXB_ANSWER_SUCCESS) {
		log_refused(call, NULL);
		return pam_code(answer);
	}
	if (strcmp(password, HXB_SEED_PASSWORD) == 0) {
		log_refused(call, "seed password: set another one in Hexabot or with hexactl passwd");
		return PAM_PERM_DENIED;
	}
	if (call->state == HXB_STATE_INVITED && (code = code_keep(call)) != PAM_SUCCESS)
		return code;
	log_allowed(call);
	return pam_code(answer);
}
