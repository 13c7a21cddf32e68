/* SPDX-License-Identifier: ISC */
#ifndef HXB_INIT_ADVICE_H
#define HXB_INIT_ADVICE_H

#include <stdbool.h>
#include <sys/types.h>

#include "session.h"

/* After init: warns of what is open (seed passwords, a store that all may read). first: says what it means
 * and what comes next. */
enum hxb_result hxb_init_advice(struct hxb_session *, uid_t store_uid, bool first, struct hxb_error *error);

#endif
