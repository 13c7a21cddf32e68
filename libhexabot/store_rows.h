/* SPDX-License-Identifier: ISC */
/*
 * A row as a user or a role. Only rows of type UserOrmEntity are operators: the table also holds every chat
 * visitor, under names of their choosing.
 */
#ifndef HXB_STORE_ROWS_H
#define HXB_STORE_ROWS_H

#include "store_private.h"

#define HXB_USER_COLUMNS \
	"id, username, firstName, lastName, email, password, created_at, updated_at," \
	" typeof(state) = 'integer' AND state = 1, rowid"
/* The same, but only what the map shows: nothing else is looked for in the row. */
#define HXB_SHOWN_COLUMNS \
	"id, username, firstName, lastName, '', CASE WHEN substr(password, 1, 3) = '$2!' THEN password END," \
	" '', '', typeof(state) = 'integer' AND state = 1, rowid"
#define HXB_ROLE_COLUMNS "r.id, r.name, typeof(r.active) = 'integer' AND r.active = 1"
#define HXB_OPERATOR "type = 'UserOrmEntity'"

/* Reads HXB_USER_COLUMNS of the present row, or HXB_SHOWN_COLUMNS, and the roles, unless `roles` is NULL: a
 * statement that gives HXB_ROLE_COLUMNS for the user whose id is ?1. */
enum hxb_result hxb_row_user(struct hxb_store *store, struct sqlite3_stmt *stmt, bool shown,
    struct sqlite3_stmt *roles, struct hxb_user **userp, struct hxb_error *error);

/* Reads HXB_ROLE_COLUMNS of the present row. false: out of memory. */
bool hxb_row_role(struct sqlite3_stmt *stmt, struct hxb_role *role);

#endif
