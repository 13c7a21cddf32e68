/* SPDX-License-Identifier: ISC */
/*
 * Texts that are taken, without regard to case: two addresses or usernames that differ only there look like
 * one person to everybody but a database.
 */
#ifndef HXB_KNOWN_H
#define HXB_KNOWN_H

#include "libhexabot/result.h"

struct hxb_known; /* NULL: an empty set */

struct hxb_holder {
	char *text; /* as it was added first */
	char *id; /* of the user who has it; "" : nobody yet */
	unsigned line; /* of the file that asks for it; 0: none does */
};

/* Adds one. Where it is there already *taken is who has it, and good as long as the set; else NULL.
 * HXB_FAILED: no memory. */
enum hxb_result hxb_known_add(struct hxb_known **, const char *text, const char *id, unsigned line,
    const struct hxb_holder **taken, struct hxb_error *error);

void hxb_known_free(struct hxb_known *); /* takes NULL */

#endif
