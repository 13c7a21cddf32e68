/* SPDX-License-Identifier: ISC */
/* What 'hexactl set' is asked for. */
#ifndef HXB_WISH_H
#define HXB_WISH_H

#include <stdbool.h>
#include <stdint.h>

#include "session.h"

/* Strings are NULL where the option was not given, and point into the arguments. */
struct hxb_wish {
	const char *login, *shell, *home;
	bool has_expires;
	int64_t expires; /* seconds since the epoch; 0: never */
};

/* Reads the options. HXB_INVALID: none was given, or one is no path or date; HXB_REFUSED: the shell is no
 * program here. */
enum hxb_result hxb_wish_read(const struct hxb_session *, struct hxb_wish *wish, struct hxb_error *error);

#endif
