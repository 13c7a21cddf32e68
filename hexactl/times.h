/* SPDX-License-Identifier: ISC */
/* Times: local with offset for people, RFC 3339 in UTC for programs. Inside: seconds since the epoch. */
#ifndef HXB_TIMES_H
#define HXB_TIMES_H

#include <stdint.h>

#include "libhexabot/result.h"

#define HXB_TIME_SIZE 40

/* "2025-11-23 22:03:11 +0100" */
void hxb_time_local(int64_t seconds, char text[HXB_TIME_SIZE]);

/* "2025-11-23T21:03:11Z" */
void hxb_time_utc(int64_t seconds, char text[HXB_TIME_SIZE]);

/*
 * Reads RFC 3339 with any offset, or the store's "YYYY-MM-DD HH:MM:SS.mmm", which is UTC. HXB_INVALID if it
 * is neither, or no such day or hour is in the calendar.
 */
enum hxb_result hxb_time_read(const char *text, int64_t *seconds);

/* --expires: "never" (0), the last second of a local day YYYY-MM-DD, or RFC 3339. HXB_INVALID with the
 * reason. */
enum hxb_result hxb_time_expires(const char *text, int64_t *seconds, struct hxb_error *error);

/* --since: the first second of a local day, RFC 3339, or how long before `now`: 90s, 30m, 2h, 3d, 1w. */
enum hxb_result hxb_time_since(const char *text, int64_t now, int64_t *seconds, struct hxb_error *error);

#endif
