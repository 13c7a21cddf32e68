/* SPDX-License-Identifier: ISC */
/*
 * Publishes whenever the store has changed in a way that matters. Between two looks nothing is open and no
 * lock is held, so a store that is replaced, removed and put back, or switched to a write-ahead log needs no
 * care.
 *
 * What a look costs decides when the next one is due: the more users, the later, never the more load.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "outdated.h"
#include "print.h"

#define PAUSE_MIN 250 /* milliseconds between two looks */
/* The pause after it, as a multiple of the processor time that it took. */
#define PAUSE_OF_LOOK 55 /* 1.8 per cent of one core, however often Hexabot writes */
#define PAUSE_OF_PUBLISH 9 /* a tenth of one core, however often users and roles change */
#define PAUSE_OF_PUBLISH_MAX 60000 /* milliseconds: after a first publish, of many */

struct watching {
	struct hxb_session *session; /* open during a look only */
	const struct hxb_arguments *arguments;
	char store[PATH_MAX]; /* "" : not known yet */
	struct hxb_seen seen;
	char complaint[sizeof(((struct hxb_error *)0)->text)]; /* the last one: told once */
	sigset_t signals; /* that end it, and SIGHUP, which ends a pause */
	bool once, published;
	int64_t publishing; /* processor time that publishing took, in this look: microseconds */
	int64_t looking; /* what looks take, the last ones counting most */
};

static int64_t
processor_time(void)
{
	struct timespec used = { 0 };

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}

/* Sleeps. true: it is to end. */
static bool
pause_for(const struct watching *watching, int64_t milliseconds)
{
	const struct timespec pause = { .tv_sec = (time_t)(milliseconds / 1000),
		.tv_nsec = (long)(milliseconds % 1000) * 1000000 };
	int signal = sigtimedwait(&watching->signals, NULL, &pause);

	return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT;
}

static enum hxb_result
publish(struct watching *watching, struct hxb_error *error)
{
	struct hxb_session *session = watching->session;
	const bool json = watching->arguments->json;
	bool outdated = true;
	enum hxb_result r;

	r = hxb_session_lock(session, error);
	/* Whoever held it has published, mostly. */
	if (r == HXB_OK)
		r = hxb_is_outdated(session, &watching->seen, &outdated, error);
	if (r == HXB_OK && outdated)
		r = hxb_session_publish(session, false, error);
	if (r != HXB_OK || !outdated)
		return r;
	watching->published = true;
	if (json && !watching->once)
		return hxb_changes_print(session, error);
	if (!json)
		hxb_report_say(session);
	return HXB_OK;
}

/* Opens, looks, publishes if it has to, closes. */
static enum hxb_result
look(struct watching *watching, struct hxb_error *error)
{
	struct hxb_session *session = watching->session;
	bool outdated = false;
	int64_t before;
	enum hxb_result r;

	hxb_session_close(session);
	r = hxb_session_init(session, watching->arguments, error);
	if (r == HXB_OK)
		r = hxb_session_open(session, error);
	snprintf(watching->store, sizeof(watching->store), "%s",
	    session->config.store != NULL ? session->config.store : "");
	hxb_see(&watching->seen, watching->store);
	if (r == HXB_OK)
		r = hxb_is_outdated(session, &watching->seen, &outdated, error);
	if (r == HXB_OK && outdated) {
		before = processor_time();
		r = publish(watching, error);
		watching->publishing = processor_time() - before;
	}
	if (r != HXB_OK)
		watching->seen.settled = false; /* look again, whether or not it changes */
	return r;
}

/* A store that stays away is worth one line, not four a second. */
static void
complain(struct watching *watching, enum hxb_result r, struct hxb_error *error)
{
	char text[sizeof(error->text)];

	memcpy(text, error->text, sizeof(text));
	if (r == HXB_OK && watching->complaint[0] != '\0')
		hxb_complain("watch: goes on");
	else if (r != HXB_OK && strcmp(text, watching->complaint) != 0)
		hxb_session_complain(watching->session, r, error);
	memcpy(watching->complaint, r != HXB_OK ? text : "", r != HXB_OK ? sizeof(text) : 1);
	error->text[0] = '\0';
}

static enum hxb_result
look_once(struct watching *watching, struct hxb_error *error)
{
	enum hxb_result r = look(watching, error);

	if (r == HXB_OK && watching->arguments->json)
		return hxb_changes_print(watching->session, error);
	if (r == HXB_OK && !watching->published)
		hxb_say("nothing has changed");
	return r;
}

/* In milliseconds. One look that took long, on a busy machine, is not to keep the next one waiting. */
static int64_t
pause_after(struct watching *watching, int64_t whole)
{
	int64_t publish = watching->publishing * PAUSE_OF_PUBLISH / 1000;
	int64_t pause;

	watching->looking = (watching->looking + whole - watching->publishing) / 2;
	publish = publish < PAUSE_OF_PUBLISH_MAX ? publish : PAUSE_OF_PUBLISH_MAX;
	pause = watching->looking * PAUSE_OF_LOOK / 1000;
	pause = pause > publish ? pause : publish;
	return pause > PAUSE_MIN ? pause : PAUSE_MIN;
}

static void
look_forever(struct watching *watching, struct hxb_error *error)
{
	const char *config = watching->arguments->config;
	int64_t before;
	enum hxb_result r;

	do {
		watching->publishing = 0;
		before = processor_time();
		if (hxb_worth_reading(&watching->seen, config, watching->store)) {
			r = look(watching, error);
			complain(watching, r, error);
			hxb_session_close(watching->session);
			fflush(stdout);
		}
	} while (!pause_for(watching, pause_after(watching, processor_time() - before)));
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	static const int ending[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP };
	struct watching watching = {
		.session = session,
		.arguments = session->arguments,
		.once = hxb_option(session->arguments, "once") != NULL,
	};

	if (watching.once)
		return look_once(&watching, error);
	sigemptyset(&watching.signals);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		sigaddset(&watching.signals, ending[i]);
	sigprocmask(SIG_BLOCK, &watching.signals, NULL);
	look_forever(&watching, error);
	return HXB_OK;
}

static const struct hxb_option options[] = {
	{ "once", NULL, "look once, publish if something has changed, and end" },
	{ NULL, NULL, NULL },
};

static void
notes(FILE *file)
{
	fputs("\nRuns until SIGTERM; SIGHUP: look at once. The service hexabot-publish runs it. A look takes "
	      "place "
	      "four times a\nsecond, but looking takes no more than 1.8 per cent of one core, and publishing "
	      "no more "
	      "than ten: with many\nusers both take place less often.\nWithout the service, a line for cron "
	      "does "
	      "it:\n\n    * * * * * root /usr/sbin/hexactl watch --once >/dev/null\n",
	    file);
}

const struct hxb_command hxb_cmd_watch = {
	.name = "watch",
	.operands = "",
	.summary = "Publishes whenever users or roles have changed in Hexabot.",
	.adopts = true,
	.options = options,
	.notes = notes,
	.run = run,
};
