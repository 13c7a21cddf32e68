/* SPDX-License-Identifier: ISC */
/* Ends whatever runs with some uids. */
#ifndef HXB_STOPPING_H
#define HXB_STOPPING_H

#include "processes.h"

#define HXB_GRACE 5000 /* ms to end by themselves */
#define HXB_KILLING 5000 /* ms in which who did not is killed, again and again */

struct hxb_stopping {
	const uid_t *uids;
	size_t count;
	uid_t spare; /* see uid_signal.h */
};

/*
 * SIGHUP and SIGTERM, with SIGCONT for what was stopped; when HXB_GRACE has passed SIGKILL, for HXB_KILLING
 * at most. Returns as soon as nothing is left. HXB_FAILED: /proc can't be read, a signal can't be sent. That
 * something is left is none.
 */
enum hxb_result hxb_stop(const struct hxb_stopping *stopping, struct hxb_error *error);

/* Kills what there is, without a grace. */
enum hxb_result hxb_stop_late(const struct hxb_stopping *stopping, struct hxb_error *error);

/* Whether one of them runs. */
bool hxb_stop_is_due(const struct hxb_stopping *stopping, const struct hxb_processes *processes);

/* Between two looks. */
void hxb_stop_pause(void);

#endif
