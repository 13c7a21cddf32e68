/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "admins.h"
#include "guards.h"
#include "libhexabot/password.h"
#include "libhexabot/secret.h"

enum hxb_result
hxb_admins_add(struct hxb_admins *admins, const struct hxb_person *person, struct hxb_error *error)
{
	struct hxb_admin *grown, added;

	if (!person->user->enabled || person->user->password == NULL ||
	    !hxb_user_has_role(person->user, HXB_ADMIN_ROLE))
		return HXB_OK;
	if ((grown = reallocarray(admins->admins, admins->count + 1, sizeof(*grown))) == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	admins->admins = grown;
	added = (struct hxb_admin){ strdup(person->name), strdup(hxb_person_handle(person, person->name)),
		strdup(person->user->password) };
	grown[admins->count++] = added;
	return added.name != NULL && added.handle != NULL && added.hash != NULL
	    ? HXB_OK
	    : hxb_fail(error, HXB_FAILED, "out of memory");
}

void
hxb_admins_clear(struct hxb_admins *admins)
{
	for (size_t i = 0; i < admins->count; i++) {
		free(admins->admins[i].name);
		free(admins->admins[i].handle);
		hxb_secret_free(admins->admins[i].hash);
	}
	free(admins->admins);
	*admins = (struct hxb_admins){ 0 };
}

bool
hxb_admin_is_seeded(const struct hxb_admin *admin, const struct hxb_config *config)
{
	return hxb_password_verify(HXB_SEED_PASSWORD, admin->hash, 4, config->password_max_cost);
}
