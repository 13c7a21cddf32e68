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

#endif
