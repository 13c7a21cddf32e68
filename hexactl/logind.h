/* SPDX-License-Identifier: ISC */
/* systemd's login manager, where it runs. */
#ifndef HXB_LOGIND_H
#define HXB_LOGIND_H

#include <stdbool.h>
#include <sys/types.h>

#include "libhexabot/result.h"

/* Has it stop what it started for the user, the user's own systemd among them: it has begun to when this
 * returns. By uid: an erased user has no name. False: it did not answer in time. */
bool hxb_logind_terminate(uid_t uid);

/* Ends lingering: that systemd starts the user's services without a login. *ended: there was some. */
enum hxb_result hxb_linger_end(const char *login, bool *ended, struct hxb_error *error);
bool hxb_lingers(const char *login);

#endif
