/* SPDX-License-Identifier: ISC */
/* Hexabot's reset token: a JWT (RFC 7519), signed with HMAC-SHA-256. HEXABOT: "One link that registers". */
#ifndef HXB_JWT_H
#define HXB_JWT_H

#include <stdint.h>

#include "result.h"

/*
 * Makes {"iat":...,"exp":...,"email":...} signed with the key. Times are seconds since the epoch. The email
 * must not need escaping in JSON: HXB_INVALID. *tokenp is a secret: hxb_secret_free().
 *
 * The times come first because of what Hexabot keeps of a token: a bcrypt hash, which reads 72 bytes. So the
 * hash of one token does not fit the next one of the same person.
 */
enum hxb_result hxb_jwt_make(const char *email, int64_t issued, int64_t expires, const char *key,
    char **tokenp, struct hxb_error *error);

#endif
