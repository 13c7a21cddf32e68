/* SPDX-License-Identifier: ISC */
/*
 * The verdict: one pure function from what is known about a user to a state, and one table from the state to
 * every stage's answer. PAM, the publisher's shadow and hexactl's lists all ask here. DESIGN: "States".
 */
#ifndef HXB_VERDICT_H
#define HXB_VERDICT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "invitation.h"
#include "map.h"
#include "store.h"

enum hxb_state {
	HXB_STATE_UNREADABLE, /* the zero: what is not judged is denied */
	HXB_STATE_FOREIGN,
	HXB_STATE_REMOVED, /* in the map, but no longer in the store */
	HXB_STATE_HELD,
	HXB_STATE_DISABLED,
	HXB_STATE_EXPIRED,
	HXB_STATE_NO_ROLE,
	HXB_STATE_LAPSED,
	HXB_STATE_INVITED_ELSEWHERE, /* invited, in a service that takes no codes */
	HXB_STATE_INVITED_PASSWD, /* invited, in passwd: the code stands for the current password */
	HXB_STATE_INVITED,
	HXB_STATE_STALE_GROUPS,
	HXB_STATE_ENABLED,
};

/* An answer becomes a PAM code in pam_hexabot.c only. ANSWER_SETS: the stage goes on to set a password. */
enum hxb_answer {
	HXB_ANSWER_UNAVAIL,
	HXB_ANSWER_SUCCESS,
	HXB_ANSWER_USER_UNKNOWN,
	HXB_ANSWER_AUTH_ERR,
	HXB_ANSWER_PERM_DENIED,
	HXB_ANSWER_ACCT_EXPIRED,
	HXB_ANSWER_NEW_AUTHTOK,
	HXB_ANSWER_TRY_AGAIN,
	HXB_ANSWER_SETS,
};

/* One row of the state table. */
struct hxb_state_rule {
	const char *name; /* for lists and JSON: "enabled", "held", "no-role" ... */
	const char *reason; /* for the log: "disabled", "held by root" ... */
	const char *text; /* for the person at the account stage: a full sentence, or NULL */
	enum hxb_map_shadow shadow;
	enum hxb_answer auth; /* the password, or the code, having been right */
	enum hxb_answer account;
	enum hxb_answer change_by_user;
	enum hxb_answer change_by_root;
};

struct hxb_verdict_input {
	const struct hxb_user *user; /* NULL: the store has no such id */
	bool held;
	int64_t expires; /* seconds since the epoch; 0: never */
	char *const *login_roles;
	char *const *service_roles; /* PAM's roles=; NULL or empty: no narrowing */
	const struct hxb_invitation *invitation; /* open or not; NULL: none */
	const char *service; /* PAM's; NULL: in general */
	char *const *invite_services; /* that take codes */
	bool stale_groups;
	int64_t now;
};

enum hxb_state hxb_verdict(const struct hxb_verdict_input *input);
const struct hxb_state_rule *hxb_state_rule(enum hxb_state state); /* never NULL */

/* Whether a code may set the password in this state. */
bool hxb_state_registers(enum hxb_state state);

#endif
