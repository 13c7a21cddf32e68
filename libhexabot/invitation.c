/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "invitation.h"

void
hxb_invitation_free(struct hxb_invitation *invitation)
{
	if (invitation == NULL)
		return;
	free(invitation->user_id);
	free(invitation->marker);
	free(invitation->actor);
	free(invitation);
}

/* Disabled wins: whoever enables the user again sends another code. */
enum hxb_invitation_end
hxb_invitation_end_of(
    const struct hxb_invitation *invitation, const struct hxb_user *user, bool held, int64_t now)
{
	if (invitation->ended != HXB_INVITATION_OPEN)
		return invitation->ended;
	if (user == NULL)
		return HXB_INVITATION_REMOVED;
	if (held || !user->enabled)
		return HXB_INVITATION_DISABLED;
	if (user->password == NULL || strcmp(user->password, invitation->marker) != 0)
		return HXB_INVITATION_REGISTERED;
	if (now >= invitation->expires)
		return HXB_INVITATION_EXPIRED;
	return HXB_INVITATION_OPEN;
}

const char *
hxb_invitation_end_text(enum hxb_invitation_end end)
{
	switch (end) {
	case HXB_INVITATION_OPEN:
		return "code";
	case HXB_INVITATION_USED:
		return "code used already";
	case HXB_INVITATION_REGISTERED:
		return "code of somebody who has registered in Hexabot";
	case HXB_INVITATION_REPLACED:
		return "code replaced by a newer one";
	case HXB_INVITATION_REVOKED:
	case HXB_INVITATION_WITHDRAWN:
		return "code revoked";
	case HXB_INVITATION_EXPIRED:
		return "code expired";
	case HXB_INVITATION_DISABLED:
		return "code void since the user was disabled";
	case HXB_INVITATION_PASSWORD_SET:
		return "code void since root set a password";
	case HXB_INVITATION_REMOVED:
		return "code void since the user was removed";
	}
	return "code void";
}
