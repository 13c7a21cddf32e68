/* SPDX-License-Identifier: ISC */
/* Store + ledger -> map, and sshd's files of keys. DESIGN: "The map", "Names and numbers". */
#ifndef HXB_PUBLISH_H
#define HXB_PUBLISH_H

#include "config.h"
#include "ledger.h"
#include "result.h"
#include "store.h"
#include "verdict.h"

#define HXB_REASON_SIZE 256 /* bytes a reason has, NUL included */

/* Where things are, and whose they have to be: the production values, or a test's. */
struct hxb_places {
	const char *state_dir; /* the map's directory */
	const char *passwd, *group; /* the host's own files */
};
extern const struct hxb_places hxb_host_places;

struct hxb_publish_options {
	bool force; /* publish even if more than half of the users would be lost */
	bool dry_run; /* do everything but install */
	int64_t as_of; /* when the configuration was read: seconds since the epoch; 0: just now */
	/* Users whose change the caller has recorded itself (NULL-terminated, or NULL): no event as actor
	 * "hexabot". */
	const char *const *own_ids;
};

struct hxb_publish_report {
	uint64_t generation;
	unsigned users, roles, unmapped, added, removed, changed; /* the last three against the map before */
	struct hxb_error keys; /* why some file of keys is not as it should be; "" : all are */
};

/* Takes the publisher's lock; every change of hexactl's is made and published under it. *fd is -1 unless
 * HXB_OK; close() releases. */
enum hxb_result hxb_publish_lock(
    const char *path, struct hxb_deadline deadline, int *fd, struct hxb_error *error);

/*
 * Publishes; the caller holds the lock. New users get a login and a number, removed ones leave a tombstone,
 * changes that others made in the store since the last map become events. HXB_REFUSED: more than half of over
 * ten users would be lost.
 */
enum hxb_result hxb_publish(const struct hxb_config *config, const struct hxb_places *places,
    struct hxb_ledger *ledger, struct hxb_store *store, const struct hxb_publish_options *options,
    struct hxb_publish_report *report, struct hxb_error *error);

/*
 * For who is about to change a user and will publish it as their own: what others have changed in the row
 * since the last map becomes an event of actor "hexabot", in the ledger's open transaction.
 */
enum hxb_result hxb_publish_note_others(const struct hxb_places *places, struct hxb_ledger *ledger,
    const struct hxb_user *user, const struct hxb_entry *entry, enum hxb_state state,
    struct hxb_error *error);

/*
 * Why a user of the store has no login, as a clause ("'sudo' is a name of this host's"), or "" if there is
 * one or there would be after a publish. Reads only.
 */
enum hxb_result hxb_unmapped_reason(const struct hxb_config *config, const struct hxb_places *places,
    struct hxb_ledger *ledger, const struct hxb_user *user, char reason[HXB_REASON_SIZE],
    struct hxb_error *error);

/* Whether the login may be given to the user with this id: rules of names, host, ledger. The home is looked
 * at when it is first mapped. HXB_REFUSED with the reason. */
enum hxb_result hxb_login_available(const struct hxb_config *config, const struct hxb_places *places,
    struct hxb_ledger *ledger, const char *user_id, const char *login, struct hxb_error *error);

/*
 * Whether the home of an entry that is about to be put is nobody else's: not there, or owned by its number
 * (by the number that it would be given, where that is 0). HXB_REFUSED with the reason.
 */
enum hxb_result hxb_home_available(const struct hxb_config *config, const struct hxb_places *places,
    struct hxb_ledger *ledger, const struct hxb_entry *entry, struct hxb_error *error);

/*
 * For who is about to take keys from a user: before the commit of the ledger's open transaction, which has
 * them taken away, sshd's file says no more than the ledger will. Without a file nothing is done. If this
 * fails the file is as it was, and a key that is taken away may still open.
 */
enum hxb_result hxb_keys_narrow(const struct hxb_places *places, struct hxb_ledger *ledger,
    const struct hxb_entry *entry, struct hxb_error *error);

/* Fills an empty ledger from a map and the store, for init --rebuild-ledger. */
enum hxb_result hxb_ledger_rebuild(const struct hxb_config *config, const struct hxb_places *places,
    struct hxb_ledger *ledger, struct hxb_store *store, struct hxb_error *error);

#endif
