/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libhexabot/deadline.h"
#include "stopping.h"
#include "uid_signal.h"

#define PAUSE 30000000 /* nanoseconds */

void
hxb_stop_pause(void)
{
	const struct timespec pause = { .tv_nsec = PAUSE };

	nanosleep(&pause, NULL);
}

bool
hxb_stop_is_due(const struct hxb_stopping *stopping, const struct hxb_processes *processes)
{
	for (size_t i = 0; i < processes->count; i++)
		for (size_t k = 0; k < stopping->count; k++)
			if (hxb_process_is_of(&processes->list[i], stopping->uids[k]))
				return true;
	return false;
}

static enum hxb_result
send_all(const struct hxb_stopping *stopping, int number, struct hxb_error *error)
{
	enum hxb_result r = HXB_OK;

	for (size_t i = 0; r == HXB_OK && i < stopping->count; i++)
		r = hxb_uid_signal(stopping->uids[i], stopping->spare, number, error);
	return r;
}

/* Those whom no signal by uid reaches. */
static void
kill_acting(const struct hxb_stopping *stopping, const struct hxb_processes *processes)
{
	for (size_t i = 0; i < processes->count; i++)
		for (size_t k = 0; k < stopping->count; k++)
			if (hxb_process_acts_for(&processes->list[i], stopping->uids[k]))
				hxb_process_kill(&processes->list[i]);
}

/* end: and kills who can't be reached otherwise. */
static enum hxb_result
look(const struct hxb_stopping *stopping, bool end, bool *due, struct hxb_error *error)
{
	struct hxb_uids uids = { .min = stopping->uids[0], .max = stopping->uids[0] };
	struct hxb_processes processes;
	enum hxb_result r;

	for (size_t i = 1; i < stopping->count; i++) {
		uids.min = stopping->uids[i] < uids.min ? stopping->uids[i] : uids.min;
		uids.max = stopping->uids[i] > uids.max ? stopping->uids[i] : uids.max;
	}
	r = hxb_processes_read(&processes, &uids, error);
	*due = r != HXB_OK || hxb_stop_is_due(stopping, &processes);
	if (r == HXB_OK && end)
		kill_acting(stopping, &processes);
	hxb_processes_clear(&processes);
	return r;
}

/* Waits until nothing is left. number: a signal to be sent before each look; 0: none. */
static enum hxb_result
await(const struct hxb_stopping *stopping, long patience, int number, bool *due, struct hxb_error *error)
{
	const struct hxb_deadline deadline = hxb_deadline_in(patience);
	enum hxb_result r, seen;

	do {
		r = number != 0 ? send_all(stopping, number, error) : HXB_OK;
		seen = look(stopping, number == SIGKILL, due, error);
		if (*due)
			hxb_stop_pause();
	} while (*due && hxb_deadline_left(&deadline) > 0);
	return r != HXB_OK ? r : seen;
}

static enum hxb_result
stop(const struct hxb_stopping *stopping, struct hxb_error *error)
{
	/* The last one is for those who were stopped before they could act on the others. */
	static const int gentle[] = { SIGHUP, SIGTERM, SIGCONT };
	bool due = false;
	enum hxb_result r = look(stopping, false, &due, error);

	if (!due)
		return r;
	for (size_t i = 0; r == HXB_OK && i < sizeof(gentle) / sizeof(gentle[0]); i++)
		r = send_all(stopping, gentle[i], error);
	/* Where those could not be sent, there is nothing to wait for. */
	if (r == HXB_OK)
		r = await(stopping, HXB_GRACE, 0, &due, error);
	return due ? await(stopping, HXB_KILLING, SIGKILL, &due, error) : r;
}

/*
 * Where an administrator ends themselves, their su is ended, too, and kills what it runs: us. So somebody
 * waits beside us, and goes on if we come to nothing. Touches no database. -1: there is no room for them.
 */
static pid_t
call_second(const struct hxb_stopping *stopping, int *end)
{
	int ends[2];
	pid_t pid;
	char done;

	*end = -1;
	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		setsid();
		if (read(ends[0], &done, sizeof(done)) == 0)
			(void)stop(stopping, NULL);
		_exit(0);
	}
	close(ends[0]);
	if (pid == -1)
		close(ends[1]);
	else
		*end = ends[1];
	return pid;
}

static void
dismiss_second(pid_t pid, int end)
{
	const char done = 1;

	if (pid == -1)
		return;
	if (write(end, &done, sizeof(done)) != sizeof(done))
		kill(pid, SIGKILL);
	close(end);
	waitpid(pid, NULL, 0);
}

enum hxb_result
hxb_stop(const struct hxb_stopping *stopping, struct hxb_error *error)
{
	int end;
	pid_t second = call_second(stopping, &end);
	enum hxb_result r = stop(stopping, error);

	dismiss_second(second, end);
	return r;
}

enum hxb_result
hxb_stop_late(const struct hxb_stopping *stopping, struct hxb_error *error)
{
	enum hxb_result r = send_all(stopping, SIGKILL, error);
	bool due;

	return r == HXB_OK ? look(stopping, true, &due, error) : r;
}
