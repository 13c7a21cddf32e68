/* SPDX-License-Identifier: ISC */
/* What an invited person gets: a code and, where Hexabot's page is known, a link. Secrets: wiped by clear. */
#ifndef HXB_TICKET_H
#define HXB_TICKET_H

#include <stdbool.h>
#include <stdint.h>

#include "libhexabot/password.h"
#include "libhexabot/token.h"
#include "session.h"

struct hxb_ticket {
	char code[HXB_CODE_SIZE];
	unsigned char digest[HXB_CODE_DIGEST_SIZE];
	char *link; /* NULL: there is none */
	char token_hash[HXB_HASH_SIZE]; /* what lets Hexabot know the link's token; "" without a link */
	int64_t created, expires; /* seconds since the epoch */
};

/* Whether invitations carry a link: web_url and reset_secret_file are set. HXB_UNREADABLE: only one is. */
enum hxb_result hxb_ticket_has_link(const struct hxb_session *, bool *has, struct hxb_error *error);

/* Draws a ticket for the address, good for `ttl` seconds. Hashes: outside of transactions. Whatever it
 * returns, clear may follow. */
enum hxb_result hxb_ticket_draw(const struct hxb_session *, const char *email, int64_t ttl,
    struct hxb_ticket *ticket, struct hxb_error *error);
void hxb_ticket_clear(struct hxb_ticket *);

#endif
