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
	int64_t root_unlock_time; /* the same for whoever is in admin_group; -1: as unlock_time */
	bool local_users_only, even_deny_root;
	char admin_group[64]; /* its members count as root does; "": nobody else */
	/* The record. */
	unsigned failures; /* within the interval */
	bool spared; /* of admin_group, without even_deny_root: never locked */
	bool broken; /* it can't be opened, and pam_faillock refuses */
	bool locked;
	int64_t until; /* when it ends; 0: never by itself */
};

/*
 * By the line in the stack and the configuration. HXB_NOT_FOUND with file and reason: conf= names one that is
 * not there, and pam_faillock refuses everybody; HXB_UNREADABLE: it can't be read.
 */
enum hxb_result hxb_faillock_settings(
    const struct hxb_pam_line *line, struct hxb_faillock *faillock, struct hxb_error *error);

/*
 * Then what is on record: none is none of failures. now: seconds since the epoch. HXB_UNREADABLE with file
 * and reason.
 */
enum hxb_result hxb_faillock_count(
    struct hxb_faillock *faillock, const char *login, int64_t now, struct hxb_error *error);

#endif
