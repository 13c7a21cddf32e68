/* SPDX-License-Identifier: ISC */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bracket.h"

#ifndef SYS_setgroups32 /* only where groups had 16 bits once */
#define SYS_setgroups32 SYS_setgroups
#endif

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

/* This thread's only: setgroups(3) is for all of them. */
static bool
set_groups(const gid_t *groups, int count)
{
	return syscall(SYS_setgroups32, (size_t)count, groups) == 0;
}

static void
note_kernels_part(struct hxb_bracket *bracket, uid_t owner, gid_t group)
{
	bracket->dumpable = 1;
	bracket->death_signal = 0;
	if (owner == bracket->fsuid && group == bracket->fsgid) /* nothing changes */
		return;
	bracket->dumpable = prctl(PR_GET_DUMPABLE);
	if (prctl(PR_GET_PDEATHSIG, &bracket->death_signal) == -1)
		bracket->death_signal = 0;
}

/*
 * Who would leave no core file leaves none, whatever fs.suid_dumpable says; who ends with its parent still
 * does. A process that could leave one is not made to.
 */
static void
redo_kernels_part(const struct hxb_bracket *bracket)
{
	if (bracket->dumpable == 0)
		(void)prctl(PR_SET_DUMPABLE, 0);
	if (bracket->death_signal != 0)
		(void)prctl(PR_SET_PDEATHSIG, bracket->death_signal);
}

/*
 * What the caller's groups may do in a directory, the store's owner could make us do: the ids do not take
 * them away. Nobody forges anything in root's own directories.
 */
static enum hxb_result
give_up_groups(struct hxb_bracket *bracket, uid_t owner, struct hxb_error *error)
{
	int count = owner != 0 && bracket->effective == 0 ? getgroups(0, NULL) : 0;

	bracket->groups = NULL;
	if (count == 0)
		return HXB_OK;
	if (count > 0)
		bracket->groups = calloc((size_t)count, sizeof(*bracket->groups));
	if (bracket->groups != NULL && (bracket->group_count = getgroups(count, bracket->groups)) >= 0 &&
	    set_groups(NULL, 0))
		return HXB_OK;
	free(bracket->groups);
	bracket->groups = NULL;
	return hxb_fail(error, HXB_UNREADABLE, "can't give up the caller's groups: %m");
}

/*
 * The group first: with another user's id we may no longer change it; on the way back the user first.
 *
 * Only a kernel out of memory says no to the way back. Going on would leave the host's process with the store
 * owner's file access, or a caller's process with root's real uid, which passwd(1) and pam_sm_chauthtok()
 * take for root's own word: end it instead.
 */
static void
restore_ids(struct hxb_bracket *bracket)
{
	bool back = bracket->groups == NULL || set_groups(bracket->groups, bracket->group_count);

	free(bracket->groups);
	bracket->groups = NULL;
	setfsuid(bracket->fsuid);
	setfsgid(bracket->fsgid);
	back = back && current_fsuid() == bracket->fsuid && current_fsgid() == bracket->fsgid;
	if (back && is_with_callers_real_uid(bracket))
		back = setresuid(bracket->real, bracket->effective, bracket->saved) == 0;
	if (!back)
		raise(SIGKILL);
	redo_kernels_part(bracket);
}

/* A thread that is cancelled would leave its locks to a process that may live for years. */
static void
hold_off(struct hxb_bracket *bracket)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &bracket->signals);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &bracket->cancel);
}

static void
let_come(const struct hxb_bracket *bracket)
{
	pthread_setcancelstate(bracket->cancel, NULL);
	pthread_sigmask(SIG_SETMASK, &bracket->signals, NULL);
}

enum hxb_result
hxb_bracket_enter(struct hxb_bracket *bracket, uid_t owner, gid_t group, struct hxb_error *error)
{
	if (bracket->depth > 0) {
		bracket->depth++;
		return HXB_OK;
	}
	if (getresuid(&bracket->real, &bracket->effective, &bracket->saved) == -1)
		return hxb_fail(error, HXB_UNREADABLE, "can't learn our ids: %m");
	bracket->fsuid = current_fsuid();
	bracket->fsgid = current_fsgid();
	note_kernels_part(bracket, owner, group);
	hold_off(bracket);

	if (is_with_callers_real_uid(bracket) && setresuid(0, 0, 0) == -1) {
		hxb_fail(error, HXB_UNREADABLE, "can't shield the transaction from the caller: %m");
		goto fail;
	}
	if (give_up_groups(bracket, owner, error) != HXB_OK) {
		restore_ids(bracket);
		goto fail;
	}
	setfsgid(group);
	setfsuid(owner);
	if (current_fsuid() != owner || (bracket->effective == 0 && current_fsgid() != group)) {
		hxb_fail(error, HXB_UNREADABLE, "can't act as the store's owner, uid %u", (unsigned)owner);
		restore_ids(bracket);
		goto fail;
	}
	redo_kernels_part(bracket);
	bracket->depth = 1;
	return HXB_OK;
fail:
	let_come(bracket);
	return HXB_UNREADABLE;
}

void
hxb_bracket_leave(struct hxb_bracket *bracket)
{
	if (bracket->depth == 0 || --bracket->depth > 0)
		return;
	restore_ids(bracket);
	let_come(bracket);
}
