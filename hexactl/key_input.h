/* SPDX-License-Identifier: ISC */
/* What the administrator hands to 'hexactl key add': a file in the form of authorized_keys(5). */
#ifndef HXB_KEY_INPUT_H
#define HXB_KEY_INPUT_H

#include "libhexabot/key.h"
#include "libhexabot/result.h"
#include "sshd.h"

/*
 * Reads keys from a file, or from standard input (path NULL or "-"), and checks them all: those of a form, a
 * type or a size that the sshd takes. HXB_INVALID with file, line and reason; HXB_REFUSED: sshd does not take
 * it. The caller clears the keys, whatever this returns.
 */
enum hxb_result hxb_key_input_read(
    const char *path, const struct hxb_sshd *sshd, struct hxb_keys *keys, struct hxb_error *error);

#endif
