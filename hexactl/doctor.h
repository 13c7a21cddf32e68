/* SPDX-License-Identifier: ISC */
/*
 * hexactl doctor: checks of everything that a login stands on. A check is a function that tells what it has
 * found, one line or more; it changes nothing, and waits for nobody longer than HXB_DOCTOR_PATIENCE.
 *
 * Each must work when what the others look at is broken: what could not be opened is NULL here, and the check
 * that is about it says so; the others skip what they can't know.
 */
#ifndef HXB_DOCTOR_H
#define HXB_DOCTOR_H

#include <stdbool.h>

#include "admins.h"
#include "libhexabot/map.h"
#include "output.h"
#include "session.h"
#include "sshd.h"
#include "table.h"

#define HXB_DOCTOR_PATIENCE 2000 /* milliseconds for a lock */
#define HXB_DOCTOR_TIME 10000 /* milliseconds for what grows with the number of users */
#define HXB_DOCTOR_NAMED 10 /* how many users or processes are named before the others are counted */

enum hxb_health {
	HXB_HEALTH_OK,
	HXB_HEALTH_SKIP, /* nothing to say: not in use here, or what it takes is broken, which another says */
	HXB_HEALTH_WARN,
	HXB_HEALTH_FAIL,
	HXB_HEALTHS,
};

/* Somebody whom a check names. */
struct hxb_case {
	char *name;
	char *reason; /* NULL: the check knows */
};

/* The first HXB_DOCTOR_NAMED, and how many there are. */
struct hxb_cases {
	struct hxb_case named[HXB_DOCTOR_NAMED];
	unsigned count;
};

struct hxb_doctor {
	struct hxb_session *session; /* with what could be opened: ledger, store */
	bool configured; /* session->config was read; else it has the defaults, and no store */
	struct hxb_error no_config, no_ledger, no_store; /* why not; "" : see `configured`, or it was */
	enum hxb_result store_result; /* of opening it */
	struct hxb_ledger_meta meta; /* where there is a ledger */
	bool has_meta;
	struct hxb_map *map; /* NULL: none that can be used */
	const char *no_map; /* then: why, and errno */
	int map_errno;

	/* What one pass over Hexabot's users has found: see doctor_people.c. */
	bool people_read; /* else none of it counts */
	unsigned people_seen;
	bool people_cut; /* there are more, and it took too long */
	struct hxb_admins admins;
	struct hxb_cases unmapped, unparked;

	pid_t watched; /* the process of `hexactl watch`; 0: none */

	struct hxb_sshd sshd; /* what it says of the map's first user */
	bool nsswitch_is_wrong; /* and has been told of */

	/* The report. */
	const char *check; /* the one that is running */
	struct hxb_table *table; /* NULL: JSON is wanted */
	struct hxb_json json;
	struct json_t *root, *list;
	unsigned counts[HXB_HEALTHS];
};

struct hxb_check {
	const char *name; /* for programs: never changes */
	void (*look)(struct hxb_doctor *);
};

/* By topic, each ending with a NULL name. */
extern const struct hxb_check hxb_checks_files[];
extern const struct hxb_check hxb_checks_store[];
extern const struct hxb_check hxb_checks_people[];
extern const struct hxb_check hxb_checks_map[];
extern const struct hxb_check hxb_checks_host[];
extern const struct hxb_check hxb_checks_ids[];
extern const struct hxb_check hxb_checks_pam[];
extern const struct hxb_check hxb_checks_sshd[];
extern const struct hxb_check hxb_checks_service[];
extern const struct hxb_check hxb_checks_mail[];

/* Tells one thing. remedy: what to do about it, for WARN and FAIL; NULL else. */
void hxb_found(struct hxb_doctor *, enum hxb_health health, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same in the words of a failure, "what; remedy"; `remedy` if it names none. */
void hxb_found_error(
    struct hxb_doctor *, enum hxb_health health, const struct hxb_error *error, const char *remedy);

/* Tells that the check can't be made, if that is so: without a configuration, ledger, store or map. */
bool hxb_lacks_config(struct hxb_doctor *);
bool hxb_lacks_ledger(struct hxb_doctor *);
bool hxb_lacks_store(struct hxb_doctor *);
bool hxb_lacks_map(struct hxb_doctor *);

/* Copies. A lack of memory shows as a name that is missing. */
void hxb_case_add(struct hxb_cases *, const char *name, const char *reason);
void hxb_cases_clear(struct hxb_cases *);

#endif
