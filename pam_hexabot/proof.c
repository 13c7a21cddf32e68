/* SPDX-License-Identifier: ISC */
/*
 * What was typed, against what is stored. MUST: the same work whether the password is wrong, the user
 * disabled, held or invited; a reason that holds for the state only reaches the log.
 */
#include <stdio.h>
#include <string.h>

#include "libhexabot/password.h"
#include "pam_hexabot.h"

/* The hash is worked out in any case: a code takes no less time than a password. */
static bool
is_right(const struct call *call, const char *password)
{
	const char *hash = call->user != NULL ? call->user->password : NULL;
	bool right =
	    hxb_password_verify(password, hash, call->config.password_cost, call->config.password_max_cost);

	return right || code_is_right(call);
}

/* Neither the password nor a good code. */
static enum hxb_answer
refuse_wrong_password(struct call *call)
{
	const char *what = code_refusal(call);
	bool enabled = call->state == HXB_STATE_ENABLED;

	snprintf(call->refusal_text, sizeof(call->refusal_text), "%s%s%s",
	    what != NULL ? what : "wrong password", enabled ? "" : "; ",
	    enabled ? "" : hxb_state_rule(call->state)->reason);
	call->refusal = call->refusal_text;
	return HXB_ANSWER_AUTH_ERR;
}

enum hxb_answer
prove(struct call *call, const char *password)
{
	enum hxb_answer answer;

	call_load(call, false);
	if (!is_right(call, password) && call->state != HXB_STATE_UNREADABLE)
		return refuse_wrong_password(call);
	answer = hxb_state_rule(call->state)->auth;
	if (answer == HXB_ANSWER_SUCCESS && strcmp(password, HXB_SEED_PASSWORD) == 0) {
		call->refusal = "seed password: set another one in Hexabot or with hexactl passwd";
		return HXB_ANSWER_PERM_DENIED;
	}
	return answer;
}
