/* SPDX-License-Identifier: ISC */
/* What there is of a user's on the host beside processes. */
#ifndef HXB_TRACES_H
#define HXB_TRACES_H

#include <sys/types.h>

#include "libhexabot/result.h"

/* Home, keys in it, crontab, jobs of at, mail: the paths of those that are there, NULL-terminated; the caller
 * frees each, and the array. Looks only whether they are there. HXB_FAILED: no memory. */
enum hxb_result hxb_traces_find(
    const char *login, const char *home, uid_t uid, char ***pathsp, struct hxb_error *error);
void hxb_traces_free(char **paths); /* takes NULL */

#endif
