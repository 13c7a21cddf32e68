/* SPDX-License-Identifier: ISC */
/* Hexabot's admins, and whether they still have the password that every fresh installation has. */
#ifndef HXB_ADMINS_H
#define HXB_ADMINS_H

#include "person.h"

struct hxb_admin {
	char *name;
	char *handle; /* hxb_person_handle() */
	char *hash;
};

/* Zeroed at first. */
struct hxb_admins {
	struct hxb_admin *admins;
	size_t count;
};

/* Remembers the person, if they are an enabled admin who has a password. HXB_FAILED: no memory. */
enum hxb_result hxb_admins_add(
    struct hxb_admins *admins, const struct hxb_person *person, struct hxb_error *error);
void hxb_admins_clear(struct hxb_admins *admins);

/* Tries Hexabot's seed password. Up to half a second at the usual cost of a hash, so outside of every
 * transaction. */
bool hxb_admin_is_seeded(const struct hxb_admin *admin, const struct hxb_config *config);

#endif
