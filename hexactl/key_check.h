/* SPDX-License-Identifier: ISC */
/* Asks ssh-keygen(1), which has sshd's own parser, whether a key is one. */
#ifndef HXB_KEY_CHECK_H
#define HXB_KEY_CHECK_H

#include "libhexabot/key.h"
#include "libhexabot/result.h"

/* Sets fingerprint and bits of a key whose type and body are set. HXB_INVALID with ssh-keygen's words;
 * HXB_FAILED: it can't be asked, or does not answer within five seconds. */
enum hxb_result hxb_key_check(struct hxb_key *key, struct hxb_error *error);

#endif
