/* SPDX-License-Identifier: ISC */
/*
 * What runs as somebody else but began in a user's session: a root shell of sudo's, a container's processes.
 * It is told of, and never ended: a daemon that an administrator restarted through sudo is among them.
 */
#ifndef HXB_KIN_H
#define HXB_KIN_H

#include "processes.h"

/* Those that descend from one of the user's processes, or whose login uid is the user's. `kin` is the
 * caller's to clear. HXB_FAILED: no memory. */
enum hxb_result hxb_kin_find(
    const struct hxb_processes *processes, uid_t uid, struct hxb_processes *kin, struct hxb_error *error);

/* Those that run now, of the kin that were there before, and those with that login uid. */
enum hxb_result hxb_kin_left(const struct hxb_processes *processes, const struct hxb_processes *before,
    uid_t uid, struct hxb_processes *left, struct hxb_error *error);

/*
 * Whether root's process has let the user in, and is about to open the session: sshd, cron or login, between
 * the PAM account stage and the user's first process. The user can keep it there for as long as they like, if
 * only because pam_env waits for what they have in their home. It has begun the login, as the login uid of
 * its parent shows, and has no process of the user's yet.
 */
bool hxb_kin_opens(const struct hxb_processes *processes, const struct hxb_process *process, uid_t uid);

#endif
