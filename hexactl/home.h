/* SPDX-License-Identifier: ISC */
#ifndef HXB_HOME_H
#define HXB_HOME_H

#include <sys/types.h>

#include "libhexabot/result.h"

/*
 * Removes the directory of that owner and what is in it, with the owner's own rights on files: whatever they
 * put there, nothing goes that they could not have removed themselves. Other file systems are left alone. A
 * directory that is not there, or is another's, is left: HXB_OK, HXB_FAILED. HXB_FAILED names the first thing
 * that can't be removed; the rest is.
 */
enum hxb_result hxb_home_remove(const char *path, uid_t owner, struct hxb_error *error);

#endif
