/* SPDX-License-Identifier: ISC */
/*
 * A user's processes by session. What belongs together is one session: processes of the user that descend
 * from each other, or share a session of setsid(2). So one connection of sshd is one, with all its channels
 * and shells; and so is each program that was left running on its own.
 */
#ifndef HXB_RUNNING_H
#define HXB_RUNNING_H

#include "processes.h"

struct hxb_running_session {
	struct hxb_process first; /* the oldest */
	unsigned terminal; /* the first one that has one; 0: none */
	unsigned processes;
};

struct hxb_running {
	struct hxb_running_session *sessions; /* oldest first */
	size_t session_count;
	size_t process_count;
};

/* HXB_FAILED: no memory. */
enum hxb_result hxb_running_find(
    const struct hxb_processes *processes, uid_t uid, struct hxb_running *running, struct hxb_error *error);
void hxb_running_clear(struct hxb_running *running);

/* A line for each session, of the first twenty. */
void hxb_running_say(const struct hxb_running *running);

#endif
