/* SPDX-License-Identifier: ISC */
/* Mail addresses of people who are to be invited. */
#ifndef HXB_ADDRESS_H
#define HXB_ADDRESS_H

#include <stdbool.h>

#include "libhexabot/names.h"
#include "libhexabot/result.h"

#define HXB_ADDRESS_MAX 254 /* bytes: RFC 5321's path without its angle brackets */

/*
 * Whether the text is one mail address and nothing else: LOCAL@DOMAIN, in ASCII or UTF-8 (RFC 6531). Quoted
 * local parts, comments, display names, lists and address literals are refused: nobody has such an address,
 * and without quotes, backslashes, blanks and control characters it can stand in a header, a command and
 * JSON as it is. HXB_INVALID with the reason.
 */
enum hxb_result hxb_address_check(const char *address, struct hxb_error *error);

/* The login that the address suggests: its local part up to a '+', in lower case. false: that is none. */
bool hxb_address_login(const char *address, char login[HXB_LOGIN_MAX + 1]);

#endif
