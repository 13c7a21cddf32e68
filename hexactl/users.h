/* SPDX-License-Identifier: ISC */
/* Whom the administrator means by USER. */
#ifndef HXB_USERS_H
#define HXB_USERS_H

#include "person.h"

/*
 * Finds the one USER that is meant: exactly, as login, username, email or id; a prefix such as "login:" or
 * "id:" narrows that. *idp is NULL unless HXB_OK; free() it. HXB_NOT_FOUND. HXB_AMBIGUOUS with how to say
 * whom one means.
 */
enum hxb_result hxb_user_find(struct hxb_session *, const char *operand, char **idp, struct hxb_error *error);

/* The same by the ledger alone, by login or id: for who is no longer in the store, or while
 * that can't be read. The caller frees. */
enum hxb_result hxb_user_find_entry(struct hxb_session *, const char *operand, struct hxb_entry **entryp);

/* Calls `one` for each operand, tells of each failure, and returns the worst. */
typedef enum hxb_result hxb_operand_fn(
    struct hxb_session *session, const char *operand, struct hxb_error *error);
enum hxb_result hxb_users_each(struct hxb_session *, hxb_operand_fn *one, struct hxb_error *error);

#endif
