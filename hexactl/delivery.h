/* SPDX-License-Identifier: ISC */
/* How tickets get to people: by mail, or with --print on the administrator's terminal. */
#ifndef HXB_DELIVERY_H
#define HXB_DELIVERY_H

#include "session.h"
#include "ticket.h"

struct hxb_post;

/* *postp is NULL unless HXB_OK. A mail that can't be sent shows when it is to be delivered. */
enum hxb_result hxb_post_open(struct hxb_session *, struct hxb_post **postp, struct hxb_error *error);
void hxb_post_close(struct hxb_post *); /* takes NULL */

/* Whether the configuration lets mails be sent. HXB_NOT_SENT or HXB_INVALID with the reason and the remedy.
 */
enum hxb_result hxb_post_check(const struct hxb_post *, struct hxb_error *error);

/* Sends a mail that says nothing but that mail works. HXB_NOT_SENT with the server's words and the remedy. */
enum hxb_result hxb_post_test(struct hxb_post *, const char *to, struct hxb_error *error);

/*
 * Delivers the ticket of a published user, tells the administrator and notes it in the ledger. No lock of
 * ours is held. HXB_NOT_SENT: user and invitation stay as they are; told already.
 */
enum hxb_result hxb_post_deliver(
    struct hxb_post *, const char *id, const struct hxb_ticket *ticket, struct hxb_error *error);

#endif
