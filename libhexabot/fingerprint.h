/* SPDX-License-Identifier: ISC */
/*
 * What of the store matters to the map, as one number: the sum of a digest of every row, so that their order
 * does not matter. Hexabot writes its database with every request; this tells whether users, roles or
 * user_roles are among what it wrote. The publisher keeps the number in the map's header.
 *
 * 0 is nobody's: it stands for "not known", and differs from every other.
 */
#ifndef HXB_FINGERPRINT_H
#define HXB_FINGERPRINT_H

#include <stdint.h>

#include "result.h"
#include "store.h"

#define HXB_FINGERPRINT_UNKNOWN UINT64_C(0)

struct hxb_fingerprint {
	uint64_t sum;
};

void hxb_fingerprint_user(struct hxb_fingerprint *, const struct hxb_user *user);
void hxb_fingerprint_role(struct hxb_fingerprint *, const struct hxb_role *role);
void hxb_fingerprint_membership(struct hxb_fingerprint *, const char *user_id, const char *role_id);
uint64_t hxb_fingerprint_end(const struct hxb_fingerprint *);

/* Reads the three tables in slices: a transaction of milliseconds each. */
enum hxb_result hxb_fingerprint_store(struct hxb_store *, uint64_t *fingerprint, struct hxb_error *error);

#endif
