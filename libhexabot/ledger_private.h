/* SPDX-License-Identifier: ISC */
#ifndef HXB_LEDGER_PRIVATE_H
#define HXB_LEDGER_PRIVATE_H

#include "ledger.h"
#include "store_sqlite.h"

struct hxb_ledger {
	struct hxb_db db;
	char *path;
	bool reading; /* between begin_reading and end_reading, in a transaction of theirs */
};

/* Brings the schema up to this program's version; HXB_UNREADABLE if it is newer. */
enum hxb_result hxb_ledger_migrate(struct hxb_ledger *ledger, struct hxb_error *error);

#endif
