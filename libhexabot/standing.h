/* SPDX-License-Identifier: ISC */
/* What the ledger and the configuration say of a row: the general verdict, in no service in particular. */
#ifndef HXB_STANDING_H
#define HXB_STANDING_H

#include "config.h"
#include "ledger.h"
#include "result.h"
#include "store.h"
#include "verdict.h"

struct hxb_standing {
	bool held;
	struct hxb_invitation *invitation; /* the open or last one, of who has not registered; else NULL */
	enum hxb_state state;
};

/* entry: NULL if the ledger does not know the user. Whatever it returns, hxb_standing_clear() may follow. */
enum hxb_result hxb_standing_load(struct hxb_ledger *, const struct hxb_config *, const struct hxb_user *user,
    const struct hxb_entry *entry, int64_t now, struct hxb_standing *standing, struct hxb_error *error);
/* The same for who knows whether the user is held. */
enum hxb_result hxb_standing_judge(struct hxb_ledger *, const struct hxb_config *,
    const struct hxb_user *user, const struct hxb_entry *entry, bool held, int64_t now,
    struct hxb_standing *standing, struct hxb_error *error);
void hxb_standing_clear(struct hxb_standing *);

#endif
