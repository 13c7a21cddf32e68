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
	uid_t real, saved;
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

/* All whose real or saved uid is within the bounds; one that is dead and only waits for its parent is none.
 */
enum hxb_result hxb_processes_read(
    struct hxb_processes *processes, const struct hxb_uids *uids, struct hxb_error *error);
/* Appends a copy: in the order of their pids, for hxb_process_find(). HXB_FAILED: no memory. */
enum hxb_result hxb_processes_add(
    struct hxb_processes *processes, const struct hxb_process *process, struct hxb_error *error);
void hxb_processes_clear(struct hxb_processes *processes);

/* NULL: there is none. */
const struct hxb_process *hxb_process_find(const struct hxb_processes *processes, pid_t pid);

/* Whether it runs with that uid's rights for good: as kill(2) sees it, so that root's daemon that only acts
 * for the user in this moment is not meant, and su at its prompt is. */
static inline bool
hxb_process_is_of(const struct hxb_process *process, uid_t uid)
{
	return process->real == uid || process->saved == uid;
}

/* When it began: seconds since the epoch; 0 where the host does not tell. */
int64_t hxb_process_time(const struct hxb_process *process);

/* "pts/0", "tty1"; "" for none or another. */
void hxb_process_terminal(unsigned terminal, char text[16]);

#endif
