/* SPDX-License-Identifier: ISC */
#include "commands.h"
#include "print.h"
#include "session.h"

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	enum hxb_result r;

	r = hxb_session_lock(session, error);
	if (r == HXB_OK)
		r = hxb_session_publish(session, session->arguments->force, error);
	if (r == HXB_OK && !session->arguments->json)
		hxb_report_say(session);
	return r;
}

const struct hxb_command hxb_cmd_publish = {
	.name = "publish",
	.operands = "",
	.summary =
	    "Shows the host what is in Hexabot now. Needed after changes that were made in Hexabot itself.",
	.changes = true,
	.force = true,
	.run = run,
};
