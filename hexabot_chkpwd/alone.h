/* SPDX-License-Identifier: ISC */
#ifndef HXB_ALONE_H
#define HXB_ALONE_H

#include "libhexabot/result.h"

/*
 * Takes nothing from whoever started this set-uid program: becomes root in all ids and the leader of a
 * session without terminal, and drops environment, descriptors above 2, limits, priorities, affinity,
 * signals, mask and directory. From then on it lives for HXB_CHKPWD_LIFE seconds. To be called before
 * anything is opened. HXB_REFUSED: this is not possible, and nothing may be done.
 */
enum hxb_result hxb_stand_alone(struct hxb_error *error);

#endif
