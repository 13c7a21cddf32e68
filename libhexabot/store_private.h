/* SPDX-License-Identifier: ISC */
/* What store_*.c share. */
#ifndef HXB_STORE_PRIVATE_H
#define HXB_STORE_PRIVATE_H

#include "bracket.h"
#include "store.h"
#include "store_sqlite.h"

struct hxb_store {
	struct hxb_db db;
	struct hxb_bracket bracket;
	uid_t uid; /* the file's owner: whom we act as */
	gid_t gid;
	bool writing; /* between begin and commit or rollback */
	char *path;
};

/* Every public function's first and last act. */
enum hxb_result hxb_store_enter(struct hxb_store *store, struct hxb_error *error);
void hxb_store_leave(struct hxb_store *store);

/* What changes a user begins and ends with: a transaction is open; exactly this row was there. */
enum hxb_result hxb_store_writing(const struct hxb_store *store, struct hxb_error *error);
enum hxb_result hxb_store_exactly_one(unsigned changed, const char *id, struct hxb_error *error);

/* Hexabot's text for a date, and whose row is meant by ?1. */
#define HXB_STORE_NOW "strftime('%Y-%m-%d %H:%M:%f', 'now')"
#define HXB_STORE_THIS_USER " WHERE id = ?1 AND type = 'UserOrmEntity'"

/* The three tables and their indexes, as Hexabot 3.5 makes them. */
extern const char hxb_store_schema[];

#endif
