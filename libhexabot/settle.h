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

/*
 * The same for every open one, in two steps: whoever keeps the store's lock is waited for outside of the
 * ledger's transaction, which would keep others from the ledger. In between the caller holds the publisher's
 * lock, so that nobody is invited anew. NULL unless HXB_OK.
 */
struct hxb_invited;
enum hxb_result hxb_invited_read(
    struct hxb_ledger *, struct hxb_store *, struct hxb_invited **invitedp, struct hxb_error *error);
enum hxb_result hxb_invited_settle(
    struct hxb_ledger *, const struct hxb_invited *invited, struct hxb_error *error);
void hxb_invited_free(struct hxb_invited *); /* takes NULL */

#endif
