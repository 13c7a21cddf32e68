/* SPDX-License-Identifier: ISC */
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "bracket.h"

/* setfsuid(2) reports no failure; asking for an impossible id tells the present one. */
static uid_t
current_fsuid(void)
{
	return (uid_t)setfsuid((uid_t)-1);
}

static gid_t
current_fsgid(void)
{
	return (gid_t)setfsgid((gid_t)-1);
}

static bool
is_with_callers_real_uid(const struct hxb_bracket *bracket)
{
	return bracket->effective == 0 && bracket->real != 0;
}

/*
 * The group first: with another user's id we may no longer change it; on the way back the user first.
 *
 * Only a kernel out of memory says no to the way back. Going on would leave the host's process with the store
 * owner's file access, or a caller's process with root's real uid, which passwd(1) and pam_sm_chauthtok()
 * take for root's own word: end it instead.
 */
static void
restore_ids(const struct hxb_bracket *bracket)
{
	setfsuid(bracket->fsuid);
	setfsgid(bracket->fsgid);
	if (current_fsuid() != bracket->fsuid || current_fsgid() != bracket->fsgid)
		raise(SIGKILL);
	if (is_with_callers_real_uid(bracket) &&
	    setresuid(bracket->real, bracket->effective, bracket->saved) == -1)
		raise(SIGKILL);
}

enum hxb_result
hxb_bracket_enter(struct hxb_bracket *bracket, uid_t owner, gid_t group, struct hxb_error *error)
{
	sigset_t all;

	if (bracket->depth > 0) {
		bracket->depth++;
		return HXB_OK;
	}
	if (getresuid(&bracket->real, &bracket->effective, &bracket->saved) == -1)
		return hxb_fail(error, HXB_UNREADABLE, "can't learn our ids: %m");
	bracket->fsuid = current_fsuid();
	bracket->fsgid = current_fsgid();
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &bracket->signals);

	if (is_with_callers_real_uid(bracket) && setresuid(0, 0, 0) == -1) {
		hxb_fail(error, HXB_UNREADABLE, "can't shield the transaction from the caller: %m");
		goto fail;
	}
	setfsgid(group);
	setfsuid(owner);
	if (current_fsuid() != owner || (bracket->effective == 0 && current_fsgid() != group)) {
		hxb_fail(error, HXB_UNREADABLE, "can't act as the store's owner, uid %u", (unsigned)owner);
		restore_ids(bracket);
		goto fail;
	}
	bracket->depth = 1;
	return HXB_OK;
fail:
	pthread_sigmask(SIG_SETMASK, &bracket->signals, NULL);
	return HXB_UNREADABLE;
}

void
hxb_bracket_leave(struct hxb_bracket *bracket)
{
	if (bracket->depth == 0 || --bracket->depth > 0)
		return;
	restore_ids(bracket);
	pthread_sigmask(SIG_SETMASK, &bracket->signals, NULL);
}
