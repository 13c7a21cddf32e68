/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "commands.h"
#include "delivery.h"
#include "invite.h"
#include "print.h"
#include "users.h"

/* The lock is given back before the mail goes out. */
static enum hxb_result
renew(struct hxb_session *session, const char *id, struct hxb_ticket *ticket, struct hxb_error *error)
{
	enum hxb_result r = hxb_session_lock(session, error);

	if (r == HXB_OK)
		r = hxb_invite_again(session, id, ticket, error);
	if (r == HXB_OK && (r = hxb_session_publish(session, false, error)) != HXB_OK)
		hxb_complain(
		    "the old code is void, and the new one was not told: 'hexactl resend' again, once "
		    "'hexactl publish' works");
	hxb_session_unlock(session);
	return r;
}

static enum hxb_result
resend_one(struct hxb_session *session, const char *operand, struct hxb_error *error)
{
	struct hxb_ticket ticket = { .link = NULL };
	struct hxb_post *post = NULL;
	char *id = NULL;
	enum hxb_result r;

	r = hxb_user_find(session, operand, &id, error);
	if (r == HXB_OK)
		r = renew(session, id, &ticket, error);
	if (r == HXB_OK && !session->arguments->dry_run)
		r = hxb_post_open(session, &post, error);
	if (r == HXB_OK && post != NULL)
		r = hxb_post_deliver(post, id, &ticket, error);
	hxb_post_close(post);
	hxb_ticket_clear(&ticket);
	free(id);
	return r;
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	return hxb_users_each(session, resend_one, error);
}

static const struct hxb_option options[] = {
	{ "print", NULL, "print code and link instead of mailing them" },
	{ NULL, NULL, NULL },
};

const struct hxb_command hxb_cmd_resend = {
	.name = "resend",
	.operands = "USER...",
	.summary =
	    "Sends who has not registered yet a new code, as long-lived as the first; the old one is void.",
	.operands_min = 1,
	.operands_max = -1,
	.changes = true,
	.options = options,
	.run = run,
};
