/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "config.h"
#include "verdict.h"

/* The state table of DESIGN, row by row. */
static const struct hxb_state_rule rules[] = {
	[HXB_STATE_UNREADABLE] = { "unreadable", "unreadable", NULL, HXB_SHADOW_DENIED, HXB_ANSWER_UNAVAIL,
	    HXB_ANSWER_UNAVAIL, HXB_ANSWER_TRY_AGAIN, HXB_ANSWER_TRY_AGAIN },
	[HXB_STATE_FOREIGN] = { "foreign", "not a user of Hexabot", NULL, HXB_SHADOW_DENIED,
	    HXB_ANSWER_USER_UNKNOWN, HXB_ANSWER_USER_UNKNOWN, HXB_ANSWER_USER_UNKNOWN,
	    HXB_ANSWER_USER_UNKNOWN },
	/* Never USER_UNKNOWN: stacks go on after that, and nothing later may let the user in. */
	[HXB_STATE_REMOVED] = { "removed", "removed from Hexabot", "This account was removed.",
	    HXB_SHADOW_DENIED, HXB_ANSWER_AUTH_ERR, HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_ACCT_EXPIRED,
	    HXB_ANSWER_ACCT_EXPIRED },
	[HXB_STATE_HELD] = { "held", "held by root", "This account is disabled.", HXB_SHADOW_DENIED,
	    HXB_ANSWER_AUTH_ERR, HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_SETS },
	[HXB_STATE_DISABLED] = { "disabled", "disabled", "This account is disabled.", HXB_SHADOW_DENIED,
	    HXB_ANSWER_AUTH_ERR, HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_SETS },
	[HXB_STATE_EXPIRED] = { "expired", "expired", "This account has expired.", HXB_SHADOW_DENIED,
	    HXB_ANSWER_AUTH_ERR, HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_SETS },
	[HXB_STATE_NO_ROLE] = { "no-role", "no role that may log in",
	    "This account has no role that may log in here.", HXB_SHADOW_DENIED, HXB_ANSWER_PERM_DENIED,
	    HXB_ANSWER_PERM_DENIED, HXB_ANSWER_SETS, HXB_ANSWER_SETS },
	[HXB_STATE_LAPSED] = { "lapsed", "no usable password", "This account has no password yet.",
	    HXB_SHADOW_DENIED, HXB_ANSWER_AUTH_ERR, HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_ACCT_EXPIRED,
	    HXB_ANSWER_SETS },
	[HXB_STATE_INVITED_ELSEWHERE] = { "invited-elsewhere",
	    "invited; this service is none of invite_services", "This account waits for its first login.",
	    HXB_SHADOW_INVITED, HXB_ANSWER_AUTH_ERR, HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_ACCT_EXPIRED,
	    HXB_ANSWER_SETS },
	[HXB_STATE_INVITED_PASSWD] = { "invited-passwd", "invited; passwd takes the code, and opens nothing",
	    "This account waits for its first login.", HXB_SHADOW_INVITED, HXB_ANSWER_AUTH_ERR,
	    HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_SETS, HXB_ANSWER_SETS },
	[HXB_STATE_INVITED] = { "invited", "invited: a password has to be set first",
	    "Welcome. Please choose a password: it will count here and in Hexabot.", HXB_SHADOW_INVITED,
	    HXB_ANSWER_SUCCESS, HXB_ANSWER_NEW_AUTHTOK, HXB_ANSWER_SETS, HXB_ANSWER_SETS },
	[HXB_STATE_STALE_GROUPS] = { "stale-groups",
	    "stale groups: a role was taken away and not yet published",
	    "Your roles have just changed; please try again in a moment.", HXB_SHADOW_ENABLED,
	    HXB_ANSWER_SUCCESS, HXB_ANSWER_PERM_DENIED, HXB_ANSWER_SETS, HXB_ANSWER_SETS },
	[HXB_STATE_ENABLED] = { "enabled", "enabled", NULL, HXB_SHADOW_ENABLED, HXB_ANSWER_SUCCESS,
	    HXB_ANSWER_SUCCESS, HXB_ANSWER_SETS, HXB_ANSWER_SETS },
};

const struct hxb_state_rule *
hxb_state_rule(enum hxb_state state)
{
	if (state < HXB_STATE_UNREADABLE || state > HXB_STATE_ENABLED)
		state = HXB_STATE_UNREADABLE;
	return &rules[state];
}

/* One and the same active role has to be a login role, and one of the service's where it names some. */
static bool
has_host_role(const struct hxb_verdict_input *input)
{
	const struct hxb_user *user = input->user;
	bool narrowed = input->service_roles != NULL && input->service_roles[0] != NULL;

	for (size_t i = 0; i < user->role_count; i++) {
		if (user->roles[i].active && hxb_list_has(input->login_roles, user->roles[i].name) &&
		    (!narrowed || hxb_list_has(input->service_roles, user->roles[i].name)))
			return true;
	}
	return false;
}

bool
hxb_state_registers(enum hxb_state state)
{
	return state == HXB_STATE_INVITED || state == HXB_STATE_INVITED_PASSWD;
}

static bool
has_marker(const struct hxb_user *user)
{
	return user->password != NULL && strncmp(user->password, "$2!", 3) == 0;
}

/*
 * Of somebody who has a marker instead of a password. Where no invitation explains it, Hexabot's own reset
 * link and root are the only ways out.
 */
static enum hxb_state
state_of_marked(const struct hxb_verdict_input *input)
{
	if (input->invitation == NULL ||
	    hxb_invitation_end_of(input->invitation, input->user, input->held, input->now) !=
	        HXB_INVITATION_OPEN)
		return HXB_STATE_LAPSED;
	if (input->service == NULL || hxb_list_has(input->invite_services, input->service))
		return input->stale_groups ? HXB_STATE_STALE_GROUPS : HXB_STATE_INVITED;
	return strcmp(input->service, "passwd") == 0 ? HXB_STATE_INVITED_PASSWD : HXB_STATE_INVITED_ELSEWHERE;
}

enum hxb_state
hxb_verdict(const struct hxb_verdict_input *input)
{
	if (input->user == NULL || input->user->odd)
		return HXB_STATE_REMOVED;
	if (input->held)
		return HXB_STATE_HELD;
	if (!input->user->enabled)
		return HXB_STATE_DISABLED;
	if (input->expires != 0 && input->now >= input->expires)
		return HXB_STATE_EXPIRED;
	if (!has_host_role(input))
		return HXB_STATE_NO_ROLE;
	if (has_marker(input->user))
		return state_of_marked(input);
	if (input->stale_groups)
		return HXB_STATE_STALE_GROUPS;
	return HXB_STATE_ENABLED;
}
