/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "print.h"
#include "running.h"
#include "times.h"

#define LINES_MAX 20

/* One process, in a tree of those that belong together. */
struct member {
	const struct hxb_process *process;
	struct member *up; /* NULL: the tree's root, which stands for the session */
	struct hxb_running_session *session;
};

static int
by_pid(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return (x->process->pid > y->process->pid) - (x->process->pid < y->process->pid);
}

static int
by_session(const void *a, const void *b)
{
	const struct member *x = *(struct member *const *)a, *y = *(struct member *const *)b;

	return (x->process->session > y->process->session) - (x->process->session < y->process->session);
}

static int
by_age(const void *a, const void *b)
{
	const struct hxb_running_session *x = a, *y = b;

	if (x->first.began != y->first.began)
		return x->first.began > y->first.began ? 1 : -1;
	return (x->first.pid > y->first.pid) - (x->first.pid < y->first.pid);
}

static struct member *
root_of(struct member *member)
{
	struct member *root = member;

	while (root->up != NULL)
		root = root->up;
	while (member != root) { /* a long chain is walked once */
		struct member *up = member->up;

		member->up = root;
		member = up;
	}
	return root;
}

static void
join(struct member *a, struct member *b)
{
	a = root_of(a);
	b = root_of(b);
	if (a != b)
		a->up = b;
}

static void
join_all(struct member *members, struct member **order, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct hxb_process parent = { .pid = members[i].process->parent };
		const struct member wanted = { .process = &parent };
		struct member *found = bsearch(&wanted, members, count, sizeof(*members), by_pid);

		if (found != NULL)
			join(&members[i], found);
		order[i] = &members[i];
	}
	qsort(order, count, sizeof(struct member *), by_session);
	for (size_t i = 1; i < count; i++)
		if (order[i]->process->session != 0 && /* a leader that is out of sight */
		    order[i - 1]->process->session == order[i]->process->session)
			join(order[i - 1], order[i]);
}

static void
gather(struct hxb_running *running, struct member *members, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct hxb_process *process = members[i].process;
		struct member *root = root_of(&members[i]);

		if (root->session == NULL) {
			root->session = &running->sessions[running->session_count++];
			root->session->first = *process;
		}
		root->session->processes++;
		if (process->began < root->session->first.began)
			root->session->first = *process;
		if (root->session->terminal == 0)
			root->session->terminal = process->terminal;
	}
	running->process_count = count;
	qsort(running->sessions, running->session_count, sizeof(*running->sessions), by_age);
}

enum hxb_result
hxb_running_find(
    const struct hxb_processes *processes, uid_t uid, struct hxb_running *running, struct hxb_error *error)
{
	struct member *members, **order;
	size_t count = 0;
	enum hxb_result r = HXB_OK;

	*running = (struct hxb_running){ 0 };
	members = calloc(processes->count + 1, sizeof(*members));
	order = calloc(processes->count + 1, sizeof(struct member *));
	running->sessions = calloc(processes->count + 1, sizeof(*running->sessions));
	if (members == NULL || order == NULL || running->sessions == NULL) {
		hxb_running_clear(running);
		r = hxb_fail(error, HXB_FAILED, "out of memory");
		goto out;
	}
	for (size_t i = 0; i < processes->count; i++)
		if (hxb_process_is_of(&processes->list[i], uid))
			members[count++].process = &processes->list[i];
	if (count > 0) {
		join_all(members, order, count);
		gather(running, members, count);
	}
out:
	free(order);
	free(members);
	return r;
}

void
hxb_running_clear(struct hxb_running *running)
{
	free(running->sessions);
	*running = (struct hxb_running){ 0 };
}

static void
say_one(const struct hxb_running_session *session)
{
	char terminal[16], since[HXB_TIME_SIZE];

	hxb_process_terminal(session->terminal, terminal);
	hxb_time_local(hxb_process_time(&session->first), since);
	hxb_say("  %s (process %d%s%s, since %s; %u process%s)", session->first.command,
	    (int)session->first.pid, terminal[0] != '\0' ? ", " : "", terminal, since, session->processes,
	    session->processes == 1 ? "" : "es");
}

void
hxb_running_say(const struct hxb_running *running)
{
	for (size_t i = 0; i < running->session_count && i < LINES_MAX; i++)
		say_one(&running->sessions[i]);
	if (running->session_count > LINES_MAX)
		hxb_say("  and %zu more", running->session_count - LINES_MAX);
}
