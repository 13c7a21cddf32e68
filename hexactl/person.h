/* SPDX-License-Identifier: ISC */
/* A user of the store, with what the ledger and the map say of them. */
#ifndef HXB_PERSON_H
#define HXB_PERSON_H

#include <stdbool.h>

#include "libhexabot/ledger.h"
#include "libhexabot/standing.h"
#include "libhexabot/store.h"
#include "session.h"

struct hxb_person {
	const struct hxb_user *user;
	struct hxb_user *own; /* the same, if it is the person's to free */
	struct hxb_entry *entry; /* NULL: the ledger does not know the user */
	struct hxb_standing standing; /* held, invited, and the verdict */
	const char *login; /* as the host knows the user now; NULL: unmapped */
	const char *name; /* the login, else the username */
};

/* Reads a person, within a transaction or without. HXB_NOT_FOUND if the store has no such id. */
enum hxb_result hxb_person_load(
    struct hxb_session *, const char *id, struct hxb_person *person, struct hxb_error *error);

/* The same for who changes the person, in an open transaction: what others changed before is recorded as
 * theirs. */
enum hxb_result hxb_person_load_to_change(
    struct hxb_session *, const char *id, struct hxb_person *person, struct hxb_error *error);

/* Whether the person has been invited and may still register, here or in Hexabot. */
bool hxb_person_is_invited(const struct hxb_person *person);

/*
 * What to call the person in a command that is printed for an administrator to paste: `name`, unless that is
 * more than one plain word. A username may be anything, "$(reboot)" included: then it is the id, or "ID"
 * where that is odd, too.
 */
const char *hxb_person_handle(const struct hxb_person *person, const char *name);

void hxb_person_clear(struct hxb_person *person);

/* Calls `each` for everybody in the store, oldest first, outside of the store's transactions. */
typedef enum hxb_result hxb_person_fn(
    const struct hxb_person *person, void *context, struct hxb_error *error);
enum hxb_result hxb_people(struct hxb_session *, hxb_person_fn *each, void *context, struct hxb_error *error);

#endif
