/* SPDX-License-Identifier: ISC */
/* What pam_faillock(8) has on record of a user, and what it makes of it. */
#ifndef HXB_FAILLOCK_H
#define HXB_FAILLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "libhexabot/result.h"
#include "pam_stack.h"

#define HXB_FAILLOCK_CONF "/etc/security/faillock.conf"

struct hxb_faillock {
	/* Its settings, by the configuration and the line in the stack. */
	char dir[256];
	int64_t deny; /* failures that lock; 0: none do */
	int64_t fail_interval, unlock_time; /* seconds; unlock_time 0: for good */
	bool local_users_only;
	/* The record. */
	unsigned failures; /* within the interval */
	bool locked;
	int64_t until; /* when it ends; 0: never by itself */
};

/*
 * HXB_UNREADABLE with file and reason: the configuration or the record can't be read. No record is none of
 * failures. now: seconds since the epoch.
 */
enum hxb_result hxb_faillock_read(const struct hxb_pam_line *line, const char *login, int64_t now,
    struct hxb_faillock *faillock, struct hxb_error *error);

#endif
