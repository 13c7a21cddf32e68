/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "endings.h"
#include "endings_tell.h"
#include "home.h"
#include "kin.h"
#include "libhexabot/deadline.h"
#include "libhexabot/names.h"
#include "logind.h"
#include "print.h"
#include "session.h"
#include "stopping.h"
#include "traces.h"
#include "uid_owner.h"

#define SETTLING_MIN 200 /* ms: who was let in before the change may only now begin */
#define SETTLING_MAX 1000 /* ms: what served the user, as sshd does, ends by itself */
#define OPENING_MAX 5000 /* ms: who was let in gets the session, and is ended */

static void
clear(struct hxb_ending *ending)
{
	free(ending->id);
	free(ending->name);
	free(ending->login);
	free(ending->home);
	hxb_running_clear(&ending->running);
	hxb_processes_clear(&ending->kin);
	hxb_processes_clear(&ending->left);
	hxb_processes_clear(&ending->kin_left);
	hxb_processes_clear(&ending->opening);
	hxb_traces_free(ending->traces);
}

static bool
has(const struct hxb_endings *endings, uid_t uid)
{
	for (size_t i = 0; i < endings->count; i++)
		if (endings->list[i].uid == uid)
			return true;
	return false;
}

void
hxb_ending_add(struct hxb_session *session, const struct hxb_entry *entry, const char *name,
    const struct hxb_ending_kind *kind)
{
	struct hxb_endings *endings = &session->endings;
	struct hxb_ending ending = { .kind = *kind }, *grown;

	if (entry == NULL || entry->login[0] == '\0' || entry->number == 0 || has(endings, entry->number))
		return;
	ending.uid = entry->number;
	ending.id = strdup(entry->id);
	ending.name = strdup(name);
	ending.login = strdup(entry->login);
	ending.home =
	    hxb_expand_login(entry->home[0] != '\0' ? entry->home : session->config.home, entry->login);
	grown = reallocarray(endings->list, endings->count + 1, sizeof(*grown));
	if (grown != NULL)
		endings->list = grown;
	if (grown == NULL || ending.id == NULL || ending.name == NULL || ending.login == NULL ||
	    ending.home == NULL) {
		clear(&ending);
		endings->failed = true;
		return;
	}
	endings->list[endings->count++] = ending;
}

void
hxb_endings_clear(struct hxb_endings *endings)
{
	for (size_t i = 0; i < endings->count; i++)
		clear(&endings->list[i]);
	free(endings->list);
	*endings = (struct hxb_endings){ 0 };
}

static bool
ends(const struct hxb_session *session, const struct hxb_ending *ending)
{
	return ending->kind.end && ending->ours && !session->arguments->dry_run;
}

/* A number that has come to be somebody else's is left alone: said where it was to be ended. */
static enum hxb_result
judge(struct hxb_session *session, const struct hxb_host_names *host)
{
	enum hxb_result r = HXB_OK;

	for (size_t i = 0; i < session->endings.count; i++) {
		struct hxb_ending *ending = &session->endings.list[i];
		struct hxb_error error = { "" };

		ending->ours = hxb_uid_is_ours(session, host, ending->uid, ending->login, &error) == HXB_OK;
		if (ending->ours || !ending->kind.end)
			continue;
		hxb_complain("%s: no process is ended: %s", ending->name, error.text);
		r = HXB_FAILED;
	}
	return r;
}

/* What there is, before anything is ended. */
static enum hxb_result
look(struct hxb_session *session, bool kin, struct hxb_processes *processes, struct hxb_error *error)
{
	const struct hxb_uids everybody = { .min = 0, .max = UINT32_MAX };
	const struct hxb_uids range = { .min = session->config.uid_min, .max = session->config.uid_max };
	enum hxb_result r = hxb_processes_read(processes, kin ? &everybody : &range, error);

	for (size_t i = 0; r == HXB_OK && i < session->endings.count; i++) {
		struct hxb_ending *ending = &session->endings.list[i];

		if (!ending->ours)
			continue;
		ending->lingering = hxb_lingers(ending->login);
		r = hxb_running_find(processes, ending->uid, &ending->running, error);
		if (r == HXB_OK && kin)
			r = hxb_kin_find(processes, ending->uid, &ending->kin, error);
	}
	return r;
}

static enum hxb_result
take_left(struct hxb_ending *ending, const struct hxb_processes *processes, struct hxb_error *error)
{
	enum hxb_result r = HXB_OK;

	hxb_processes_clear(&ending->left);
	hxb_processes_clear(&ending->kin_left);
	hxb_processes_clear(&ending->opening);
	for (size_t i = 0; r == HXB_OK && i < processes->count; i++)
		if (hxb_process_is_of(&processes->list[i], ending->uid))
			r = hxb_processes_add(&ending->left, &processes->list[i], error);
	if (r == HXB_OK)
		r = hxb_kin_left(processes, &ending->kin, ending->uid, &ending->kin_left, error);
	for (size_t i = 0; r == HXB_OK && i < ending->kin_left.count; i++)
		if (hxb_kin_opens(processes, &ending->kin_left.list[i], ending->uid))
			r = hxb_processes_add(&ending->opening, &ending->kin_left.list[i], error);
	return r;
}

/* What is left, of theirs, of their kin, and of that what may yet open a session. */
struct rest {
	bool own, kin, opening;
};

static enum hxb_result
look_again(struct hxb_session *session, struct rest *rest, struct hxb_error *error)
{
	const struct hxb_uids everybody = { .min = 0, .max = UINT32_MAX };
	struct hxb_processes processes;
	enum hxb_result r = hxb_processes_read(&processes, &everybody, error);

	*rest = (struct rest){ 0 };
	for (size_t i = 0; r == HXB_OK && i < session->endings.count; i++) {
		struct hxb_ending *ending = &session->endings.list[i];

		if (!ends(session, ending))
			continue;
		r = take_left(ending, &processes, error);
		rest->own = rest->own || ending->left.count > 0;
		rest->kin = rest->kin || ending->kin_left.count > 0;
		rest->opening = rest->opening || ending->opening.count > 0;
	}
	hxb_processes_clear(&processes);
	return r;
}

static enum hxb_result
settle(struct hxb_session *session, const struct hxb_stopping *stopping, struct hxb_error *error)
{
	const struct hxb_deadline least = hxb_deadline_in(SETTLING_MIN), most = hxb_deadline_in(SETTLING_MAX),
	                          last = hxb_deadline_in(OPENING_MAX);
	const struct hxb_deadline *until;
	struct rest rest;
	enum hxb_result r;

	do {
		hxb_stop_pause();
		r = look_again(session, &rest, error);
		if (r == HXB_OK && rest.own)
			r = hxb_stop_late(stopping, error);
		until = rest.opening ? &last : rest.own || rest.kin ? &most : &least;
	} while (r == HXB_OK && hxb_deadline_left(until) > 0);
	return r;
}

static enum hxb_result
end_lingering(struct hxb_ending *ending, bool *answers, struct hxb_error *error)
{
	enum hxb_result r = hxb_linger_end(ending->login, &ending->lingering, error);

	if (*answers)
		*answers = hxb_logind_terminate(ending->uid);
	return r;
}

/* All users have one grace. */
static enum hxb_result
end_all(struct hxb_session *session, const struct hxb_host_names *host, const struct hxb_processes *processes,
    struct hxb_error *error)
{
	uid_t *uids = calloc(session->endings.count, sizeof(*uids));
	struct hxb_stopping stopping = { .uids = uids };
	bool answers = true;
	enum hxb_result r = HXB_OK, stopped;

	if (uids == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	stopped = hxb_uid_spare(session, host, processes, &stopping.spare, error);
	for (size_t i = 0; stopped == HXB_OK && i < session->endings.count; i++) {
		struct hxb_ending *ending = &session->endings.list[i];

		if (!ends(session, ending))
			continue;
		uids[stopping.count++] = ending->uid;
		r = hxb_worse(r, end_lingering(ending, &answers, error));
	}
	if (stopped == HXB_OK && stopping.count > 0) {
		stopped = hxb_stop(&stopping, error);
		if (stopped == HXB_OK)
			stopped = settle(session, &stopping, error);
	}
	free(uids);
	return hxb_worse(r, stopped);
}

static enum hxb_result
look_and_end(struct hxb_session *session, struct hxb_error *error)
{
	const struct hxb_places *places = &hxb_host_places;
	struct hxb_processes processes = { 0 };
	struct hxb_host_names *host = NULL;
	bool end = false;
	enum hxb_result r, judged = HXB_OK;

	r = hxb_host_names_load(places->passwd, places->group, &host, error);
	if (r == HXB_OK)
		judged = judge(session, host);
	for (size_t i = 0; i < session->endings.count; i++)
		end = end || ends(session, &session->endings.list[i]);
	if (r == HXB_OK)
		r = look(session, end, &processes, error);
	if (r == HXB_OK && end)
		r = end_all(session, host, &processes, error);
	hxb_processes_clear(&processes);
	hxb_host_names_free(host);
	return hxb_worse(r, judged);
}

/* With the rights of the user, who is gone by now. */
static enum hxb_result
remove_home(const struct hxb_session *session, const struct hxb_ending *ending, struct hxb_error *error)
{
	if (!ending->kind.remove_home || session->arguments->dry_run)
		return HXB_OK;
	if (!ending->ours || !session->published)
		return hxb_fail(
		    error, HXB_FAILED, "%.256s: not removed: the host may still know the user", ending->home);
	return hxb_home_remove(ending->home, ending->uid, error);
}

static enum hxb_result
conclude(const struct hxb_session *session, struct hxb_ending *ending)
{
	struct hxb_error error = { "" };
	enum hxb_result r = remove_home(session, ending, &error), found = HXB_OK;

	if (r != HXB_OK)
		hxb_complain("%s", error.text);
	if (ending->kind.traces)
		found = hxb_traces_find(ending->login, ending->home, ending->uid, &ending->traces, &error);
	if (found != HXB_OK)
		hxb_complain("%s", error.text);
	hxb_ending_tell(session, ending);
	if (ending->left.count > 0 || ending->opening.count > 0)
		r = HXB_FAILED;
	return hxb_worse(r, found);
}

enum hxb_result
hxb_endings_run(struct hxb_session *session)
{
	static const int ignored[] = { SIGHUP, SIGTERM, SIGTSTP, SIGTTOU };
	struct hxb_endings *endings = &session->endings;
	struct hxb_error error = { "" };
	bool end = endings->failed;
	enum hxb_result r = HXB_FAILED;

	if (endings->count == 0 && !endings->failed)
		return HXB_OK;
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	hxb_session_unlock(session);
	if (endings->failed)
		hxb_complain("sessions: out of memory: not all were looked for");
	else if ((r = look_and_end(session, &error)) != HXB_OK && error.text[0] != '\0')
		hxb_complain("sessions: %s", error.text);
	for (size_t i = 0; i < endings->count; i++) {
		end = end || endings->list[i].kind.end;
		r = hxb_worse(r, conclude(session, &endings->list[i]));
	}
	/* That they can't be counted is no failure of what was changed. */
	return r != HXB_OK && end ? HXB_FAILED : HXB_OK;
}
