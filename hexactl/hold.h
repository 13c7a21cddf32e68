/* SPDX-License-Identifier: ISC */
/*
 * The making of a hold. Root's word in the ledger beats the store: whatever keeps the store's row from being
 * changed or read (a lock that somebody holds, a disk that is full), the hold is made and counts at each
 * login. The next try finishes.
 */
#ifndef HXB_HOLD_H
#define HXB_HOLD_H

#include "person.h"

/* Zeroed at first. */
struct hxb_holding {
	char *parked; /* the names of the parked roles; the caller frees */
	enum hxb_result row; /* HXB_OK: the row was changed, too */
	struct hxb_error why; /* else the reason, with the process that holds the lock */
};

/* Begins a transaction in both, or where the store's can't be had in the ledger alone. */
enum hxb_result hxb_hold_begin(struct hxb_session *, struct hxb_holding *holding, struct hxb_error *error);

/* For when the store can't be read: makes the hold in the ledger, with nothing parked, records the change and
 * commits. *already: there was a hold; nothing is changed. */
enum hxb_result hxb_hold_put_unread(struct hxb_session *, const char *user_id,
    const struct hxb_change *change, bool *already, struct hxb_error *error);

/* Whether it was made so: nothing is parked yet. */
bool hxb_hold_is_unread(const struct hxb_hold *hold);

/* If nothing is parked yet (*unread), reads what the row has: to be parked, or to be left as it is. A
 * password that root has set during the hold counts. */
enum hxb_result hxb_hold_read_row(
    struct hxb_session *, struct hxb_hold *hold, bool *unread, struct hxb_error *error);

/* Whether the hold is whole: nothing in the row but its marker. */
enum hxb_result hxb_hold_is_whole(
    struct hxb_session *, const struct hxb_person *person, bool *whole, struct hxb_error *error);

/* Makes or renews the hold in what was begun, records the change, and commits. HXB_OK: it is in the ledger;
 * holding->row tells of the store. */
enum hxb_result hxb_hold_put(struct hxb_session *, const struct hxb_person *person,
    const struct hxb_change *change, struct hxb_holding *holding, struct hxb_error *error);

#endif
