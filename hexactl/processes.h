/* SPDX-License-Identifier: ISC */
/* What runs on the host, by /proc. Never a command line: there may be secrets in it. */
#ifndef HXB_PROCESSES_H
#define HXB_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "libhexabot/result.h"

#define HXB_NO_UID ((uid_t)-1)

struct hxb_process {
	pid_t pid, parent, session; /* session: of setsid(2) */
	uid_t real, effective, saved;
	uid_t login; /* who logged in, whatever uid it has now; HXB_NO_UID: nobody, as in a daemon */
	unsigned terminal; /* its device; 0: none */
	uint64_t began; /* clock ticks after the host's start: with the pid it names one process for good */
	char state; /* as in proc(5): 'D' can't be interrupted */
	char command[17]; /* anybody's choice */
};

struct hxb_processes {
	struct hxb_process *list; /* by pid */
	size_t count;
};

struct hxb_uids {
	uid_t min, max;
};

/* All of whose uids one is within the bounds; one that is dead and only waits for its parent is none. */
enum hxb_result hxb_processes_read(
    struct hxb_processes *processes, const struct hxb_uids *uids, struct hxb_error *error);
/* Appends a copy: in the order of their pids, for hxb_process_find(). HXB_FAILED: no memory. */
enum hxb_result hxb_processes_add(
    struct hxb_processes *processes, const struct hxb_process *process, struct hxb_error *error);
void hxb_processes_clear(struct hxb_processes *processes);

/* NULL: there is none. */
const struct hxb_process *hxb_process_find(const struct hxb_processes *processes, pid_t pid);

/*
 * Whether it has only the effective uid, and is not root's daemon that acts for the user in this moment. A
 * user comes to that with a set-uid program and another's help, and has their rights in it for as long as
 * they like, out of reach of kill(2) with their uid.
 */
static inline bool
hxb_process_acts_for(const struct hxb_process *process, uid_t uid)
{
	return process->effective == uid && process->real != uid && process->saved != uid &&
	    process->real != 0 && process->saved != 0;
}

/* Whether it runs with that uid's rights for good: su at its prompt does, too. */
static inline bool
hxb_process_is_of(const struct hxb_process *process, uid_t uid)
{
	return process->real == uid || process->saved == uid || hxb_process_acts_for(process, uid);
}

/* Kills just this process, if it is there, and its uids are as they were. */
void hxb_process_kill(const struct hxb_process *process);

/* When it began: seconds since the epoch; 0 where the host does not tell. */
int64_t hxb_process_time(const struct hxb_process *process);

/* "pts/0", "tty1"; "" for none or another. */
void hxb_process_terminal(unsigned terminal, char text[16]);

#endif
