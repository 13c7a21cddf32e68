/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "standing.h"

static bool
awaits_registration(const struct hxb_user *user)
{
	return user->password != NULL &&
	    strncmp(user->password, HXB_INVITED_PREFIX, strlen(HXB_INVITED_PREFIX)) == 0;
}

enum hxb_result
hxb_standing_judge(struct hxb_ledger *ledger, const struct hxb_config *config, const struct hxb_user *user,
    const struct hxb_entry *entry, bool held, int64_t now, struct hxb_standing *standing,
    struct hxb_error *error)
{
	struct hxb_verdict_input input = {
		.user = user,
		.held = held,
		.expires = entry != NULL ? entry->expires : 0,
		.login_roles = config->login_roles,
		.now = now,
	};
	enum hxb_result r = HXB_OK;

	*standing = (struct hxb_standing){ .held = held };
	if (awaits_registration(user))
		r = hxb_ledger_invitation(ledger, user->id, &standing->invitation, error);
	if (r != HXB_OK && r != HXB_NOT_FOUND)
		return r;
	input.invitation = standing->invitation;
	standing->state = hxb_verdict(&input);
	return HXB_OK;
}

enum hxb_result
hxb_standing_load(struct hxb_ledger *ledger, const struct hxb_config *config, const struct hxb_user *user,
    const struct hxb_entry *entry, int64_t now, struct hxb_standing *standing, struct hxb_error *error)
{
	bool held = true;
	enum hxb_result r;

	*standing = (struct hxb_standing){ .held = true };
	r = hxb_ledger_held(ledger, user->id, &held, error);
	return r == HXB_OK ? hxb_standing_judge(ledger, config, user, entry, held, now, standing, error) : r;
}

void
hxb_standing_clear(struct hxb_standing *standing)
{
	hxb_invitation_free(standing->invitation);
	*standing = (struct hxb_standing){ .held = true };
}
