/* SPDX-License-Identifier: ISC */
#ifndef HXB_UID_SIGNAL_H
#define HXB_UID_SIGNAL_H

#include <sys/types.h>

#include "libhexabot/result.h"

/*
 * Sends a signal to all that runs with that uid, real or saved, in one step; to nobody else, nor to the
 * caller or process 1. `spare` is a uid that no process has. That there is nobody is no failure. HXB_INVALID:
 * an id of root's. HXB_FAILED: with the reason; nothing was sent.
 */
enum hxb_result hxb_uid_signal(uid_t uid, uid_t spare, int number, struct hxb_error *error);

#endif
