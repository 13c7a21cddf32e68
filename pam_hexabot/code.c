/* SPDX-License-Identifier: ISC */
/*
 * An invitation's code at the prompt. MUST: a code opens nothing but the way to a first password, also where
 * the account has got a password meanwhile; it is looked up among the user's own only.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libhexabot/secret.h"
#include "libhexabot/settle.h"
#include "pam_hexabot.h"

#define SETTLE_DEADLINE 50 /* ms */

enum hxb_result
code_look_up(struct call *call, struct hxb_ledger *ledger)
{
	unsigned char digest[HXB_CODE_DIGEST_SIZE];
	enum hxb_result r;

	hxb_invitation_free(call->invitation);
	hxb_invitation_free(call->code);
	call->invitation = call->code = NULL;
	r = hxb_ledger_invitation(ledger, call->id, &call->invitation, &call->error);
	if (r == HXB_OK && call->typed != NULL && hxb_code_digest(call->typed, digest))
		r = hxb_ledger_invitation_of_code(ledger, call->id, digest, &call->code, &call->error);
	HXB_WIPE(digest);
	return r == HXB_NOT_FOUND ? HXB_OK : r;
}

void
code_settle(const struct call *call, struct hxb_ledger *ledger)
{
	if (call->invitation == NULL || call->invitation->ended != HXB_INVITATION_OPEN ||
	    hxb_invitation_end_of(call->invitation, call->user, call->held, time(NULL)) ==
	        HXB_INVITATION_OPEN)
		return;
	/* The verdict does not hang on it: nobody is kept waiting. */
	hxb_ledger_set_deadline(ledger, hxb_deadline_in(SETTLE_DEADLINE));
	if (hxb_ledger_begin(ledger, NULL) != HXB_OK)
		return;
	if (hxb_invitation_settle(ledger, call->invitation, call->user, call->held, NULL) == HXB_OK)
		(void)hxb_ledger_commit(ledger, NULL);
	hxb_ledger_rollback(ledger);
}

bool
code_is_right(const struct call *call)
{
	return call->code != NULL &&
	    hxb_invitation_end_of(call->code, call->user, call->held, time(NULL)) == HXB_INVITATION_OPEN;
}

const char *
code_refusal(const struct call *call)
{
	if (call->code == NULL)
		return NULL;
	return hxb_invitation_end_text(hxb_invitation_end_of(call->code, call->user, call->held, time(NULL)));
}
