/* SPDX-License-Identifier: ISC */
/*
 * The guards of Hexabot's own pages: the last enabled admin stays one, and nobody takes their own rights.
 * They are asked within the transaction that makes the change, so that two administrators at once don't
 * disable each other.
 */
#ifndef HXB_GUARDS_H
#define HXB_GUARDS_H

#include "users.h"

#define HXB_ADMIN_ROLE "admin"

/* What the person is about to lose. */
struct hxb_loss {
	bool state; /* disabled */
	bool admin; /* no longer admin */
	bool login; /* a role that may log in to the host */
	const char *undo; /* the command that undoes it: "enable", "role set" */
	const char *undo_rest; /* what follows USER in it */
};

/*
 * HXB_REFUSED with the reason. With --force HXB_OK, and `note` says what was overridden and how to undo it:
 * to be printed after the commit; else it is "".
 */
enum hxb_result hxb_guard(struct hxb_session *, const struct hxb_person *, const struct hxb_loss *,
    char note[512], struct hxb_error *error);

#endif
