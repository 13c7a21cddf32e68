/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "endings_tell.h"
#include "output.h"
#include "print.h"

#define LINES_MAX 20

static void
say_sessions(const struct hxb_session *session, const struct hxb_ending *ending)
{
	const struct hxb_running *running = &ending->running;
	bool would = session->arguments->dry_run;
	char sessions[80];

	snprintf(sessions, sizeof(sessions), "%zu session%s (%zu process%s)", running->session_count,
	    running->session_count == 1 ? "" : "s", running->process_count,
	    running->process_count == 1 ? "" : "es");
	if (running->session_count == 0 && ending->kind.end && ending->ours)
		hxb_say("%s: no session runs", ending->name);
	else if (running->session_count == 0)
		return;
	else if (ending->kind.end)
		hxb_say("%s: %s %s", ending->name, would ? "would be ended:" : "ended", sessions);
	else if (ending->kind.roles)
		hxb_say("%s: %s %s the groups %s; the same with --now ends what runs", ending->name, sessions,
		    would ? "would keep" : "still running keep", would ? "they have" : "they had");
	else
		hxb_say("%s: %s still running; the same with --now ends what runs", ending->name, sessions);
	hxb_running_say(running);
}

static void
complain_left(const struct hxb_ending *ending)
{
	for (size_t i = 0; i < ending->left.count && i < LINES_MAX; i++) {
		const struct hxb_process *process = &ending->left.list[i];

		hxb_complain("%s: %s (process %d, state %c) does not end; run the same again", ending->name,
		    process->command, (int)process->pid, process->state);
	}
	if (ending->left.count > LINES_MAX)
		hxb_complain("%s: nor do %zu more", ending->name, ending->left.count - LINES_MAX);
}

static void
complain_opening(const struct hxb_ending *ending)
{
	for (size_t i = 0; i < ending->opening.count && i < LINES_MAX; i++) {
		const struct hxb_process *process = &ending->opening.list[i];

		hxb_complain(
		    "%s: %s (process %d, root's) has let them in before, and may open the session yet: "
		    "kill it, and run the same again",
		    ending->name, process->command, (int)process->pid);
	}
	if (ending->opening.count > LINES_MAX)
		hxb_complain("%s: so have %zu more", ending->name, ending->opening.count - LINES_MAX);
}

static void
say_kin(const struct hxb_ending *ending)
{
	for (size_t i = 0; i < ending->kin_left.count && i < LINES_MAX; i++) {
		const struct hxb_process *process = &ending->kin_left.list[i];

		hxb_say("  stays: %s (process %d, of uid %u), which began in a session of %s",
		    process->command, (int)process->pid, process->real, ending->name);
	}
	if (ending->kin_left.count > LINES_MAX)
		hxb_say("  stays: %zu more such processes", ending->kin_left.count - LINES_MAX);
}

static void
say_traces(const struct hxb_session *session, const struct hxb_ending *ending)
{
	bool goes = ending->kind.remove_home && session->arguments->dry_run;

	for (size_t i = 0; ending->traces != NULL && ending->traces[i] != NULL; i++)
		hxb_say("  %s: %s", goes && i == 0 ? "would be removed" : "stays", ending->traces[i]);
	if (ending->kind.erased)
		hxb_say(
		    "  stays: other files of uid %u ('find / -xdev -uid %u'); name and number are given to "
		    "nobody else",
		    ending->uid, ending->uid);
}

void
hxb_ending_tell(const struct hxb_session *session, const struct hxb_ending *ending)
{
	bool would = session->arguments->dry_run;

	if (!session->arguments->json) {
		say_sessions(session, ending);
		if (ending->lingering && ending->kind.end)
			hxb_say("  %s: lingering, by which systemd starts services of theirs without a login",
			    would ? "would be ended" : "ended");
		say_kin(ending);
		say_traces(session, ending);
	}
	complain_left(ending);
	complain_opening(ending);
}

static void
add_left(struct hxb_json *json, struct json_t *list, const struct hxb_processes *left, bool own)
{
	for (size_t i = 0; i < left->count; i++) {
		const struct hxb_process *process = &left->list[i];
		struct json_t *object = hxb_json_object(json, list, NULL);

		hxb_json_number(json, object, "pid", process->pid);
		hxb_json_number(json, object, "uid", process->real);
		hxb_json_text(json, object, "command", process->command);
		hxb_json_flag(json, object, "own", own);
	}
}

static void
add_ending(const struct hxb_session *session, struct hxb_json *json, struct json_t *list,
    const struct hxb_ending *ending)
{
	struct json_t *object = hxb_json_object(json, list, NULL), *left, *stays;
	bool end = ending->kind.end && ending->ours && !session->arguments->dry_run;

	hxb_json_text(json, object, "user", ending->name);
	hxb_json_text(json, object, "id", ending->id);
	hxb_json_number(json, object, "uid", ending->uid);
	hxb_json_number(json, object, "sessions", (int64_t)ending->running.session_count);
	hxb_json_number(json, object, "processes", (int64_t)ending->running.process_count);
	hxb_json_flag(json, object, "lingering", ending->lingering);
	hxb_json_flag(json, object, "ended", end && ending->left.count == 0 && ending->opening.count == 0);
	left = hxb_json_array(json, object, "left");
	add_left(json, left, &ending->left, true);
	add_left(json, left, &ending->kin_left, false);
	stays = hxb_json_array(json, object, "stays");
	for (size_t i = 0; ending->traces != NULL && ending->traces[i] != NULL; i++)
		hxb_json_text(json, stays, NULL, ending->traces[i]);
}

void
hxb_endings_json(const struct hxb_session *session, struct hxb_json *json, struct json_t *root)
{
	struct json_t *list;

	if (session->endings.count == 0)
		return;
	list = hxb_json_array(json, root, "sessions");
	for (size_t i = 0; i < session->endings.count; i++)
		add_ending(session, json, list, &session->endings.list[i]);
}
