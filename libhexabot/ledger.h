/* SPDX-License-Identifier: ISC */
/*
 * The ledger: what Hexabot has no place for. Logins and numbers with tombstones, holds, invitations, ssh
 * keys, events. Ours alone: root's file in root's directory. Same conventions as store.h; a write-ahead log
 * lets PAM read while the publisher writes.
 */
#ifndef HXB_LEDGER_H
#define HXB_LEDGER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "deadline.h"
#include "invitation.h"
#include "key.h"
#include "result.h"
#include "store.h"

struct hxb_ledger;

/* What was recorded at init, and the number of the last publish. */
struct hxb_ledger_meta {
	uid_t store_uid;
	uint32_t uid_min, uid_max;
	uint64_t generation;
};

enum hxb_entry_kind {
	HXB_ENTRY_USER = 1,
	HXB_ENTRY_ROLE = 2,
	HXB_ENTRY_FORMER = 3, /* a login that a user had before: see hxb_ledger_entries() */
};

/* A name and a number, once given, for good. */
struct hxb_entry {
	enum hxb_entry_kind kind;
	char *id;
	char *login; /* "" for a role: its group is named after the role */
	uint32_t number;
	char *shell; /* "" : the configuration's */
	char *home; /* "" : the configuration's */
	int64_t expires; /* seconds since the epoch; 0: never */
	bool removed; /* a tombstone */
};

struct hxb_hold {
	char *user_id;
	char *since; /* RFC 3339, UTC */
	char *actor;
	char *marker; /* what the password column was set to */
	struct hxb_parked parked;
};

struct hxb_event {
	const char *at; /* RFC 3339, UTC */
	const char *actor;
	const char *action;
	const char *user_id;
	const char *name; /* the login, or the username of somebody who has none */
	const char *before;
	const char *after;
};

/*
 * Opens the ledger and brings an older schema up to this program's; a newer one is HXB_UNREADABLE, unless it
 * only adds to ours. `owner` is 0 in production. create: makes it first, with `meta` (init only); HXB_REFUSED
 * if it is there already.
 */
enum hxb_result hxb_ledger_open(const char *path, uid_t owner, struct hxb_deadline deadline,
    struct hxb_ledger **ledgerp, struct hxb_error *error);
enum hxb_result hxb_ledger_create(
    const char *path, const struct hxb_ledger_meta *meta, struct hxb_error *error);
/*
 * Empties the log into the ledger if nobody is in the way; hexactl's last act before it closes. A PAM stage
 * that finds nobody else at the ledger reads the whole log first, so it had better be short; it never does
 * this itself, since fsync(2) takes its time.
 */
void hxb_ledger_checkpoint(struct hxb_ledger *ledger);

void hxb_ledger_close(struct hxb_ledger *); /* takes NULL; rolls back what is open */
void hxb_ledger_set_deadline(struct hxb_ledger *, struct hxb_deadline deadline);

/* Reads the whole ledger back. HXB_UNREADABLE with what SQLite has found wrong with it. */
enum hxb_result hxb_ledger_verify(struct hxb_ledger *, struct hxb_error *error);

/* For who is about to put thousands of entries: 32 MB of memory instead of 2, so that their pages are not
 * written again and again. */
enum hxb_result hxb_ledger_expect_many(struct hxb_ledger *, struct hxb_error *error);

enum hxb_result hxb_ledger_meta(struct hxb_ledger *, struct hxb_ledger_meta *meta, struct hxb_error *error);
enum hxb_result hxb_ledger_set_meta(
    struct hxb_ledger *, const struct hxb_ledger_meta *meta, struct hxb_error *error);

/*
 * What is read between these two is of one moment, and costs one lock. Nobody who writes is kept waiting.
 * Where a transaction is open already they do nothing.
 */
enum hxb_result hxb_ledger_begin_reading(struct hxb_ledger *, struct hxb_error *error);
void hxb_ledger_end_reading(struct hxb_ledger *);

enum hxb_result hxb_ledger_begin(struct hxb_ledger *, struct hxb_error *error);
/* Whether there is room for the commit; after HXB_OK it does not fail for want of room. */
enum hxb_result hxb_ledger_reserve(struct hxb_ledger *, struct hxb_error *error);
enum hxb_result hxb_ledger_commit(struct hxb_ledger *, struct hxb_error *error);
void hxb_ledger_rollback(struct hxb_ledger *);

/*
 * Entries; tombstones are found too. HXB_NOT_FOUND; the caller frees. The login is compared without regard to
 * case. A login that `put` changes, once it was published, stays its user's for good: login_owner finds it.
 */
enum hxb_result hxb_ledger_entry(struct hxb_ledger *, enum hxb_entry_kind kind, const char *id,
    struct hxb_entry **entryp, struct hxb_error *error);
enum hxb_result hxb_ledger_entry_by_login(
    struct hxb_ledger *, const char *login, struct hxb_entry **entryp, struct hxb_error *error);
enum hxb_result hxb_ledger_login_owner(
    struct hxb_ledger *, const char *login, char **idp, struct hxb_error *error);
enum hxb_result hxb_ledger_put_former_login(
    struct hxb_ledger *, const char *login, const char *id, struct hxb_error *error); /* for a rebuild */
enum hxb_result hxb_ledger_number_taken(
    struct hxb_ledger *, uint32_t number, bool *taken, struct hxb_error *error);
/* The first number from `from` to `to` that is nobody's. HXB_NOT_FOUND: none is. */
enum hxb_result hxb_ledger_free_number(
    struct hxb_ledger *, uint32_t from, uint32_t to, uint32_t *number, struct hxb_error *error);
enum hxb_result hxb_ledger_put(struct hxb_ledger *, const struct hxb_entry *entry, struct hxb_error *error);
void hxb_entry_free(struct hxb_entry *); /* takes NULL */

/* Every entry, and every former login as a removed entry without a number. `each` must not write to the
 * ledger, nor keep the entry. */
typedef enum hxb_result hxb_entry_fn(const struct hxb_entry *entry, void *context, struct hxb_error *error);
enum hxb_result hxb_ledger_entries(
    struct hxb_ledger *, hxb_entry_fn *each, void *context, struct hxb_error *error);

/* Makes an entry a tombstone, or brings it back. */
enum hxb_result hxb_ledger_set_removed(
    struct hxb_ledger *, enum hxb_entry_kind kind, const char *id, bool removed, struct hxb_error *error);

/* Holds. HXB_NOT_FOUND if the user has none. */
enum hxb_result hxb_ledger_hold(
    struct hxb_ledger *, const char *user_id, struct hxb_hold **holdp, struct hxb_error *error);
enum hxb_result hxb_ledger_held(
    struct hxb_ledger *, const char *user_id, bool *held, struct hxb_error *error);
/* Who is held: ids, NULL-terminated; the caller frees each, and the array. */
enum hxb_result hxb_ledger_held_ids(struct hxb_ledger *, char ***idsp, struct hxb_error *error);
enum hxb_result hxb_ledger_put_hold(
    struct hxb_ledger *, const struct hxb_hold *hold, struct hxb_error *error);
/* The password that a held user will have when the hold ends: it waits here. HXB_NOT_FOUND without a hold. */
enum hxb_result hxb_ledger_set_parked_password(
    struct hxb_ledger *, const char *user_id, const char *hash, struct hxb_error *error);
enum hxb_result hxb_ledger_end_hold(struct hxb_ledger *, const char *user_id, struct hxb_error *error);
void hxb_hold_free(struct hxb_hold *); /* takes NULL */

/* Invitations: at most one of a user is open; to put a new one, end the one before. */
enum hxb_result hxb_ledger_put_invitation(
    struct hxb_ledger *, const struct hxb_invitation *invitation, struct hxb_error *error);
/* The user's open one, else the last one. HXB_NOT_FOUND if there never was one; the caller frees. */
enum hxb_result hxb_ledger_invitation(
    struct hxb_ledger *, const char *user_id, struct hxb_invitation **invitationp, struct hxb_error *error);
/* That of a code of this user's, open or ended. HXB_NOT_FOUND: no such code; the caller frees. */
enum hxb_result hxb_ledger_invitation_of_code(struct hxb_ledger *, const char *user_id,
    const unsigned char digest[HXB_CODE_DIGEST_SIZE], struct hxb_invitation **invitationp,
    struct hxb_error *error);
/* Ends the user's open one, if there is one. *ended (where not NULL): whether there was. */
enum hxb_result hxb_ledger_end_invitation(struct hxb_ledger *, const char *user_id,
    enum hxb_invitation_end end, bool *ended, struct hxb_error *error);
/* Ends the open one, and what has lapsed, as REVOKED or WITHDRAWN. */
enum hxb_result hxb_ledger_revoke_invitations(
    struct hxb_ledger *, const char *user_id, enum hxb_invitation_end end, struct hxb_error *error);
/* Whether every invitation of the user's was replaced or REVOKED: nobody ever had a password by them. */
enum hxb_result hxb_ledger_never_registered(
    struct hxb_ledger *, const char *user_id, bool *never, struct hxb_error *error);
enum hxb_result hxb_ledger_set_delivery(struct hxb_ledger *, const unsigned char digest[HXB_CODE_DIGEST_SIZE],
    enum hxb_delivery delivery, struct hxb_error *error);
/* Who has an open one: ids, NULL-terminated; the caller frees each, and the array. */
enum hxb_result hxb_ledger_invited_ids(struct hxb_ledger *, char ***idsp, struct hxb_error *error);
enum hxb_result hxb_ledger_forget_invitations(
    struct hxb_ledger *, const char *user_id, struct hxb_error *error);

/* SSH keys. A user has at most one of a fingerprint, and HXB_KEYS_MAX in all. */
enum hxb_result hxb_ledger_keys(
    struct hxb_ledger *, const char *user_id, struct hxb_keys *keys, struct hxb_error *error);
/* Adds a key, whose `added` is ignored: it is now. HXB_CONFLICT: the user has one of that fingerprint. */
enum hxb_result hxb_ledger_add_key(
    struct hxb_ledger *, const char *user_id, const struct hxb_key *key, struct hxb_error *error);
/* HXB_NOT_FOUND if the user has none of that fingerprint. */
enum hxb_result hxb_ledger_remove_key(
    struct hxb_ledger *, const char *user_id, const char *fingerprint, struct hxb_error *error);
/* Removes all of the user's. *count (where not NULL): how many there were. */
enum hxb_result hxb_ledger_forget_keys(
    struct hxb_ledger *, const char *user_id, unsigned *count, struct hxb_error *error);
/* Who has any: ids, NULL-terminated; the caller frees each, and the array. */
enum hxb_result hxb_ledger_key_owners(struct hxb_ledger *, char ***idsp, struct hxb_error *error);

/* Events. `at` is set by the ledger when it records one. user_id NULL: all; since "" : from the beginning. */
enum hxb_result hxb_ledger_record(
    struct hxb_ledger *, const struct hxb_event *event, struct hxb_error *error);
/*
 * The same for what was seen of somebody else's doings, who may go on all day: of a user's last events no
 * more than HXB_EVENTS_AN_HOUR are theirs and of one hour. What comes on top goes into the last one, as its
 * `after`, with the action "changed often".
 */
#define HXB_EVENTS_AN_HOUR 20
enum hxb_result hxb_ledger_record_seen(
    struct hxb_ledger *, const struct hxb_event *event, struct hxb_error *error);
typedef enum hxb_result hxb_event_fn(const struct hxb_event *event, void *context, struct hxb_error *error);
/*
 * From now on each event is handed to the witness, once the transaction that recorded it is committed. What
 * only went into an event that was there, as "changed often", is not. What the witness answers is ignored.
 */
void hxb_ledger_set_witness(struct hxb_ledger *, hxb_event_fn *witness, void *context);
enum hxb_result hxb_ledger_events(struct hxb_ledger *, const char *user_id, const char *since,
    hxb_event_fn *each, void *context, struct hxb_error *error);

#endif
