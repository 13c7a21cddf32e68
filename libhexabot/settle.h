/* SPDX-License-Identifier: ISC */
/*
 * A person may register in Hexabot's web page, an admin may disable them there, a code may expire: whoever
 * notices first, publisher, PAM or hexactl, writes down that the invitation has ended, and it has for good.
 */
#ifndef HXB_SETTLE_H
#define HXB_SETTLE_H

#include "ledger.h"
#include "result.h"
#include "store.h"

/*
 * Ends an open invitation which hxb_invitation_end_of() says has ended, in the ledger's open transaction,
 * with an event where nobody else writes one. Does nothing to one that is good, or has ended before. user
 * NULL: the row is gone.
 */
enum hxb_result hxb_invitation_settle(struct hxb_ledger *, const struct hxb_invitation *invitation,
    const struct hxb_user *user, bool held, struct hxb_error *error);

/* The same for every open one. */
enum hxb_result hxb_invitations_settle(struct hxb_ledger *, struct hxb_store *, struct hxb_error *error);

#endif
