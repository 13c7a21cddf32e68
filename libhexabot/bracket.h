/* SPDX-License-Identifier: ISC */
/*
 * The bracket around every touch of the store. DESIGN, rules 5 and 6:
 *
 * - the thread's file-system ids are the store owner's, and it has no other groups, so that a journal which
 * Hexabot's user forged can do to the host no more than that user could;
 * - all signals are blocked, the thread is not cancelled, and where the real uid is a caller's (su, passwd,
 * sudo) it is root's, so that the caller can't stop this process while SQLite holds a lock.
 */
#ifndef HXB_BRACKET_H
#define HXB_BRACKET_H

#include <signal.h>
#include <sys/types.h>

#include "result.h"

struct hxb_bracket {
	unsigned depth; /* brackets nest; only the outermost does something */
	uid_t real, effective, saved;
	uid_t fsuid;
	gid_t fsgid;
	gid_t *groups; /* the caller's, while they are given up; NULL: they are not */
	int group_count;
	int dumpable, death_signal; /* see prctl(2): the kernel takes both away with a change of ids */
	int cancel; /* the thread's state; see pthread_setcancelstate(3) */
	sigset_t signals;
};

/* HXB_UNREADABLE if this process may not become the owner; then nothing has changed. */
enum hxb_result hxb_bracket_enter(
    struct hxb_bracket *bracket, uid_t owner, gid_t group, struct hxb_error *error);
void hxb_bracket_leave(struct hxb_bracket *bracket);

#endif
