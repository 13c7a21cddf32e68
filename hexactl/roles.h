/* SPDX-License-Identifier: ISC */
/* The store's roles by name and id, and lists of role ids: NULL-terminated arrays of strings, as a hold parks
 * them. */
#ifndef HXB_ROLES_H
#define HXB_ROLES_H

#include <stdbool.h>
#include <stddef.h>

#include "libhexabot/store.h"

struct hxb_roles {
	struct hxb_role *roles;
	size_t count;
};

enum hxb_result hxb_roles_load(struct hxb_store *, struct hxb_roles *roles, struct hxb_error *error);
void hxb_roles_clear(struct hxb_roles *roles);

/* HXB_NOT_FOUND with the names there are. */
enum hxb_result hxb_roles_find(
    const struct hxb_roles *, const char *name, const struct hxb_role **rolep, struct hxb_error *error);

/* The names of the ids, as "admin manager"; roles that are no more are left out. NULL if there is no memory.
 */
char *hxb_roles_text(const struct hxb_roles *, char *const *ids);

/* Lists of ids. Adding one that is there changes nothing. HXB_FAILED: no memory. */
size_t hxb_role_ids_count(char *const *ids);
bool hxb_role_ids_have(char *const *ids, const char *id);
enum hxb_result hxb_role_ids_copy(
    char *const *ids, char ***copy, struct hxb_error *error); /* ids may be NULL */
enum hxb_result hxb_role_ids_add(char ***ids, const char *id, struct hxb_error *error);
enum hxb_result hxb_role_ids_of(const struct hxb_user *user, char ***ids, struct hxb_error *error);
void hxb_role_ids_remove(char **ids, const char *id);
void hxb_role_ids_free(char **ids); /* takes NULL */

#endif
