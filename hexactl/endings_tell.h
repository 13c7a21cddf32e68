/* SPDX-License-Identifier: ISC */
#ifndef HXB_ENDINGS_TELL_H
#define HXB_ENDINGS_TELL_H

#include "session.h"

/* The lines for the administrator: what was ended, or runs, and what stays. With --json only that something
 * did not end. */
void hxb_ending_tell(const struct hxb_session *, const struct hxb_ending *ending);

#endif
