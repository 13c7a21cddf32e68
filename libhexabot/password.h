/* SPDX-License-Identifier: ISC */
/* Hexabot's bcrypt hashes. The only unit that calls crypt(3). */
#ifndef HXB_PASSWORD_H
#define HXB_PASSWORD_H

#include <stdbool.h>

#include "result.h"

#define HXB_HASH_SIZE 61 /* "$2b$12$" + 53 characters + NUL */
#define HXB_PASSWORD_MAX_BYTES 72 /* bcrypt reads no further */
#define HXB_PASSWORD_BUFFER 512 /* the longest answer to a prompt that is looked at, NUL included */
#define HXB_SEED_PASSWORD "adminadmin"

/* Whether the text is a bcrypt hash ($2a$, $2b$, $2y$) of a cost from 4 to max_cost. *cost is set if so. */
bool hxb_hash_valid(const char *hash, unsigned max_cost, unsigned *cost);

/*
 * Whether the password is the hash's. hash may be NULL or anything a database can hold: then false, after the
 * same work. Costs what one hash of cost `cost` costs, in every case but a stored cost above it. Never
 * touches a descriptor or a lock: call it outside of transactions.
 */
bool hxb_password_verify(const char *password, const char *hash, unsigned cost, unsigned max_cost);

/* Makes a $2b$ hash with a random salt. */
enum hxb_result hxb_password_hash(
    const char *password, unsigned cost, char hash[HXB_HASH_SIZE], struct hxb_error *error);

/*
 * Whether the password may be set: `min` characters or more, 72 bytes or fewer, not the seed password.
 * HXB_INVALID with a full sentence for the person who typed it.
 */
enum hxb_result hxb_password_acceptable(const char *password, unsigned min, struct hxb_error *error);

#endif
