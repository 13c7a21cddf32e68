/* SPDX-License-Identifier: ISC */
#include <security/pam_ext.h>

#include "messages.h"
#include "pam_hexabot.h"

int
stage_account(struct call *call)
{
	const struct hxb_state_rule *rule;

	call_load(call, true);
	rule = hxb_state_rule(call->state);
	if (rule->account == HXB_ANSWER_SUCCESS && code_take(call)) {
		/* Somebody has set a password since auth: it is not what was proved there. */
		log_refused(call, REASON_ONLY_CODE);
		return PAM_AUTH_ERR;
	}
	if (rule->account == HXB_ANSWER_SUCCESS) {
		log_allowed(call);
	} else if (rule->account == HXB_ANSWER_NEW_AUTHTOK) {
		/* Without a terminal sshd ends the connection after this, and says nothing in the log. */
		log_pending(call);
		if ((call->flags & PAM_SILENT) == 0)
			pam_info(call->pamh, "%s", rule->text);
	} else {
		log_refused(call, NULL);
		if (rule->text != NULL && (call->flags & PAM_SILENT) == 0)
			pam_error(call->pamh, "%s", rule->text);
	}
	return pam_code(rule->account);
}
