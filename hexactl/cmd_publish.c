/* SPDX-License-Identifier: ISC */
#include "commands.h"
#include "print.h"
#include "session.h"

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	const struct hxb_publish_report *report = &session->report;
	enum hxb_result r;

	r = hxb_session_lock(session, error);
	if (r == HXB_OK)
		r = hxb_session_publish(session, session->arguments->force, error);
	if (r == HXB_OK && !session->arguments->json)
		hxb_say("%s: %u user%s, %u role%s, %u without a login; %u added, %u removed, %u changed",
		    session->arguments->dry_run ? "would be published" : "published", report->users,
		    hxb_plural(report->users), report->roles, hxb_plural(report->roles), report->unmapped,
		    report->added, report->removed, report->changed);
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
