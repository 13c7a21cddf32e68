/* SPDX-License-Identifier: ISC */
/*
 * What the ledger knows of every id, and who has which role in the store: in memory for the length of a
 * publish, so that a million users cost a million lookups and not as many queries. About 60 bytes a user.
 */
#ifndef HXB_PEOPLE_H
#define HXB_PEOPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger.h"
#include "result.h"
#include "token.h"

struct hxb_people;

/* An id of the ledger's. */
struct hxb_known {
	unsigned char hash[HXB_ID_HASH_SIZE]; /* of kind and id */
	uint32_t number; /* 0: not given yet */
	uint32_t login; /* see hxb_people_login() */
	uint32_t memberships; /* see hxb_people_roles() */
	enum hxb_entry_kind kind : 8;
	bool removed : 1; /* in the ledger */
	bool seen : 1; /* in the store: for the publisher to set */
	bool held : 1;
	bool custom : 1; /* the entry has a shell, a home or an expiry date: ask the ledger */
};

enum hxb_result hxb_people_load(struct hxb_ledger *, struct hxb_people **peoplep, struct hxb_error *error);
void hxb_people_free(struct hxb_people *); /* takes NULL */

/* NULL: the ledger does not know the id. */
struct hxb_known *hxb_people_find(const struct hxb_people *, enum hxb_entry_kind kind, const char *id);
/* By index from 0; NULL at the end. Former logins are among them, and are never found by id. */
struct hxb_known *hxb_people_at(const struct hxb_people *, uint32_t index);

const char *hxb_people_login(const struct hxb_people *, const struct hxb_known *known); /* "" : none */
uint64_t hxb_people_digest(const struct hxb_known *known); /* hxb_id_digest() of the id */

/* Nobody is seen, nor has a role: for another reading. */
void hxb_people_reset(struct hxb_people *);

/* Adds a role, by a number of the caller's. HXB_UNREADABLE: the user has more than HXB_USER_ROLES_MAX. */
enum hxb_result hxb_people_add_role(
    struct hxb_people *, struct hxb_known *known, uint32_t role, struct hxb_error *error);
/* The roles that were added, ascending; at most `room` of them are filled in. How many there are. */
uint32_t hxb_people_roles(
    const struct hxb_people *, const struct hxb_known *known, uint32_t *roles, uint32_t room);

#endif
