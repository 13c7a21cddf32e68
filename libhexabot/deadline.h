/* SPDX-License-Identifier: ISC */
/* One deadline an entry point: every open and every lock in it shares the same time. */
#ifndef HXB_DEADLINE_H
#define HXB_DEADLINE_H

#include <time.h>

#define HXB_PAM_DEADLINE 2500 /* ms: whoever waits for a lock is refused within three seconds */
#define HXB_CTL_DEADLINE 5000 /* ms */

struct hxb_deadline {
	struct timespec at; /* CLOCK_MONOTONIC */
};

struct hxb_deadline hxb_deadline_in(long milliseconds);

/* Milliseconds that are left, 0 if none. */
long hxb_deadline_left(const struct hxb_deadline *deadline);

#endif
