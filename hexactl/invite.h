/* SPDX-License-Identifier: ISC */
/*
 * Makes invitations. The caller holds the publisher's lock, publishes, and delivers the tickets after that:
 * no mail goes out before the host knows the login.
 */
#ifndef HXB_INVITE_H
#define HXB_INVITE_H

#include "guests.h"
#include "person.h"
#include "ticket.h"

/*
 * The id that somebody new of this username gets: a new one, or that of who was invited under it, never
 * registered, and was revoked; so that name and number can be given again. HXB_REFUSED with the reason where
 * the host does not let them have the login or its home.
 */
enum hxb_result hxb_invite_place(
    struct hxb_session *, const char *username, char id[HXB_UUID_SIZE], struct hxb_error *error);

/* What became of a guest. */
enum hxb_invited {
	HXB_INVITED_NONE, /* nothing: invited before, or has an account; said so */
	HXB_INVITED_NEW,
	HXB_INVITED_AGAIN, /* before, but no mail got away: a new code, the old one is void */
};

/* Invites a checked guest. *idp is the user's, NULL where nothing was done; the caller frees it, and clears
 * the ticket whatever happens. */
enum hxb_result hxb_invite(struct hxb_session *, const struct hxb_guest *guest, enum hxb_invited *invited,
    char **idp, struct hxb_ticket *ticket, struct hxb_error *error);

/* Gives somebody who has not registered a new code; the one before is void. HXB_REFUSED: registered, never
 * invited, or disabled. */
enum hxb_result hxb_invite_again(
    struct hxb_session *, const char *id, struct hxb_ticket *ticket, struct hxb_error *error);

/* Whether one of the user's roles may log in to this host. */
bool hxb_invite_is_for_host(const struct hxb_session *, const struct hxb_user *user);

#endif
