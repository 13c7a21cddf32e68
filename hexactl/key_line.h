/* SPDX-License-Identifier: ISC */
/*
 * Lines of authorized_keys(5): [OPTIONS] TYPE BODY [COMMENT], taken apart as sshd does, so that what is
 * checked here is what sshd reads. Whether the body is a key of that type is ssh-keygen's to say:
 * key_check.h.
 */
#ifndef HXB_KEY_LINE_H
#define HXB_KEY_LINE_H

#include "libhexabot/key.h"
#include "libhexabot/result.h"

#define HXB_KEY_LINE_MAX 8192 /* bytes */

/*
 * Reads a line without its end, which has a key. key's options, type, body and comment are set; the caller
 * clears it, whatever this returns. HXB_INVALID with the reason, which never quotes what may be a secret.
 */
enum hxb_result hxb_key_line_read(const char *line, struct hxb_key *key, struct hxb_error *error);

#endif
