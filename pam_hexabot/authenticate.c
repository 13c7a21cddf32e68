/* SPDX-License-Identifier: ISC */
/*
 * MUST: the same work whether the password is wrong, the user disabled, held or unknown; no reason told to
 * who has not proved the password.
 */
#include <security/pam_ext.h>

#include "libhexabot/password.h"
#include "messages.h"
#include "pam_hexabot.h"

#define FAIL_DELAY 2000000 /* µs, as pam_unix asks for */

int
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
	/*
	 * Nobody's row is looked for as anybody's would be: while somebody holds the database, a prompt
	 * answer would tell that there is none. Brings password_cost, too; the default's work is done where
	 * it can't be read.
	 */
	call_load(call, false);
	(void)hxb_password_verify(password, NULL, call->config.password_cost, call->config.password_max_cost);
	log_debug(call, "a name that nobody knows");
	return PAM_USER_UNKNOWN;
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
		log_refused(call, REASON_NO_PASSWORD);
		return code;
	}
	call->typed = password;
	answer = prove(call, password);
	if (answer != HXB_ANSWER_SUCCESS) {
		log_refused(call, call->refusal);
		return pam_code(answer);
	}
	if (call->state == HXB_STATE_INVITED && (code = code_keep(call)) != PAM_SUCCESS)
		return code;
	log_allowed(call);
	return pam_code(answer);
}
