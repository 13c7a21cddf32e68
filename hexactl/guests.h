/* SPDX-License-Identifier: ISC */
/* Who is to be invited: from the command line, or from a file of many. */
#ifndef HXB_GUESTS_H
#define HXB_GUESTS_H

#include "known.h"
#include "roles.h"
#include "session.h"

struct hxb_guest {
	char *email, *username, *first,
	    *last; /* username "" until it is checked: proposed from the address */
	char **role_names; /* NULL-terminated */
	char **role_ids; /* set by the check */
	char *roles_text; /* "manager", set by the check */
	char *id; /* who has the address already; NULL: nobody */
	unsigned line; /* of the file; 0: none */
};

struct hxb_guests {
	struct hxb_guest *guests;
	size_t count;
	unsigned unusable; /* records of the file that could not be read; told already */
	const char *path; /* of the file, for messages; NULL: none */
};

/* Reads the one guest of the arguments, or --from FILE ("-" is standard input). */
enum hxb_result hxb_guests_read(struct hxb_session *, struct hxb_guests *guests, struct hxb_error *error);

/*
 * Checks all, tells of each that can't be invited, and sets what the check finds out. The worst result: then
 * nobody is to be invited. Nothing is locked or changed.
 */
enum hxb_result hxb_guests_check(struct hxb_session *, struct hxb_guests *guests, struct hxb_error *error);
void hxb_guests_clear(struct hxb_guests *guests);

#endif
