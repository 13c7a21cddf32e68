/* SPDX-License-Identifier: ISC */
#ifndef HXB_LEDGER_PRIVATE_H
#define HXB_LEDGER_PRIVATE_H

#include "ledger.h"
#include "store_sqlite.h"

struct hxb_ledger {
	struct hxb_db db;
	char *path;
	bool reading; /* between begin_reading and end_reading, in a transaction of theirs */
	hxb_event_fn *witness; /* NULL: none */
	void *context; /* the witness's */
	int64_t last_event; /* when the transaction began */
};

/* The number of the last event; 0: there is none. */
enum hxb_result hxb_ledger_last_event(struct hxb_ledger *ledger, int64_t *number, struct hxb_error *error);

/* Hands the transaction's events, up to number `last`, to the witness. */
void hxb_ledger_tell(struct hxb_ledger *ledger, int64_t last);

/* Brings the schema up to this program's version; HXB_UNREADABLE if it is newer. */
enum hxb_result hxb_ledger_migrate(struct hxb_ledger *ledger, struct hxb_error *error);

#endif
