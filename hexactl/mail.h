/* SPDX-License-Identifier: ISC */
/*
 * Mail by SMTP: STARTTLS (smtp://) or implicit TLS (smtps://), certificates verified, as hexabot.conf says.
 * Each message takes a connection of its own; ten seconds for it, a minute for all.
 */
#ifndef HXB_MAIL_H
#define HXB_MAIL_H

#include <stdbool.h>

#include "libhexabot/config.h"
#include "libhexabot/result.h"

struct hxb_mail {
	const char *from; /* addresses, as hxb_address_check() has them */
	const char *to;
	const char *subject; /* ASCII */
	const char *text; /* both UTF-8, lines ending with CRLF */
	const char *html;
};

/* The server to send by, and the login there, read once. */
struct hxb_mailer;

/*
 * HXB_NOT_SENT with the remedy: no smtp_url, a password file that can't be read or is not root's alone,
 * smtp_tls = none for a server that is not on the loopback interface. *mailerp is NULL unless HXB_OK.
 */
enum hxb_result hxb_mailer_open(
    const struct hxb_config *, struct hxb_mailer **mailerp, struct hxb_error *error);
void hxb_mailer_close(struct hxb_mailer *); /* takes NULL */

/* Whether the last mail was refused for what it was: the server would take another. */
bool hxb_mailer_refused(const struct hxb_mailer *);

/* HXB_OK: the server has taken the message. HXB_NOT_SENT with the server's words, if any, and the remedy. */
enum hxb_result hxb_mail_send(struct hxb_mailer *, const struct hxb_mail *mail, struct hxb_error *error);

#endif
