/* SPDX-License-Identifier: ISC */
/* The ledger's making, for init: new, as it is, or rebuilt from the map. */
#ifndef HXB_INIT_LEDGER_H
#define HXB_INIT_LEDGER_H

#include <stdbool.h>
#include <sys/types.h>

#include "session.h"

/* Makes the state directory and its private part (not with dry_run), or refuses them if they are not root's
 * alone. */
enum hxb_result hxb_init_directories(bool dry_run, struct hxb_error *error);

/*
 * Opens session->ledger; configuration and store are open, the lock is held. *changed: it was made or
 * rebuilt, or has another owner of the store in it. HXB_REFUSED where going on could give names and numbers
 * to other people. With --dry-run the same is refused and nothing is
 * made: session->ledger is NULL where it would be a new one.
 */
enum hxb_result hxb_init_ledger(
    struct hxb_session *, uid_t store_uid, bool rebuild, bool *changed, struct hxb_error *error);

#endif
