/* SPDX-License-Identifier: ISC */
/*
 * An invitation: a code that lets one person set a first password, once, until it expires. DESIGN:
 * "Invitation". Only the code's digest is kept.
 */
#ifndef HXB_INVITATION_H
#define HXB_INVITATION_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"
#include "token.h"

/* What an invited user's password column begins with: as $2!..., Hexabot leaves it alone and nothing matches
 * it. */
#define HXB_INVITED_PREFIX "$2!invited."

/* What has ended it. The value is stored in the ledger: append only. */
enum hxb_invitation_end {
	HXB_INVITATION_OPEN = 0,
	HXB_INVITATION_USED = 1, /* the person has registered at the host */
	HXB_INVITATION_REGISTERED = 2, /* the marker is gone: a password was set in Hexabot */
	HXB_INVITATION_REPLACED = 3, /* by a newer one */
	HXB_INVITATION_REVOKED = 4, /* and the row, which nobody ever used, was removed with it */
	HXB_INVITATION_EXPIRED = 5,
	HXB_INVITATION_DISABLED = 6, /* the user was disabled or held */
	HXB_INVITATION_PASSWORD_SET = 7, /* by root */
	HXB_INVITATION_REMOVED = 8, /* the user is gone from Hexabot */
	HXB_INVITATION_WITHDRAWN = 9, /* revoked, and the row stays: it may yet get a password */
};

/* How the code went out. Stored in the ledger: append only. */
enum hxb_delivery { HXB_NOT_DELIVERED = 0, HXB_MAILED = 1, HXB_PRINTED = 2 };

struct hxb_invitation {
	unsigned char digest[HXB_CODE_DIGEST_SIZE];
	char *user_id;
	char *marker; /* what the password column was set to: while it stands there, nobody has registered */
	char *actor; /* who invited */
	int64_t created, expires; /* seconds since the epoch */
	enum hxb_delivery delivery;
	enum hxb_invitation_end ended;
};

void hxb_invitation_free(struct hxb_invitation *); /* takes NULL */

/*
 * What has ended the invitation, whether the ledger says so or the row that it is about: the one test that
 * everybody makes. user NULL: the row is gone.
 */
enum hxb_invitation_end hxb_invitation_end_of(
    const struct hxb_invitation *, const struct hxb_user *user, bool held, int64_t now);

/* Why such a code is refused, for the log: "code used already". Never NULL. */
const char *hxb_invitation_end_text(enum hxb_invitation_end end);

#endif
