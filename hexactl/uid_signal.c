/* SPDX-License-Identifier: ISC */
/*
 * The kernel chooses whom a signal reaches, by kill(2) of -1: in one step, so that neither a number of a
 * process that is used anew is hit, nor does one win that forks faster than /proc is read. Since it wants no
 * process of its own it works where the user has left no room for one.
 *
 * Invariants:
 * - What counts are the sender's real and effective uid against the target's real and saved one. The
 *   effective one is the user's. The real one is a number that nobody has: with root's all of root's
 * processes would be hit, with the user's they could stop us meanwhile, who compare theirs with our real and
 * saved one.
 * - The saved one stays root's: it gives no right to signal, and is the way back.
 * - A capability to signal anybody must not be left (securebits can leave it): process 1 is tried first.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "print.h"
#include "uid_signal.h"

/* As root, and with root's capabilities again; what is neither the one nor the other must not go on. */
static void
go_back(void)
{
	uid_t real, effective, saved;

	if (setresuid(0, 0, 0) == 0 && getresuid(&real, &effective, &saved) == 0 && real == 0 &&
	    effective == 0 && saved == 0)
		return;
	hxb_complain("can't become root again: %m");
	_exit(1);
}

static bool
may_signal_all(void)
{
	return kill(1, 0) == 0 || errno != EPERM;
}

enum hxb_result
hxb_uid_signal(uid_t uid, uid_t spare, int number, struct hxb_error *error)
{
	uid_t real = 0, effective = 0, saved = 0;
	enum hxb_result r = HXB_OK;
	int failure = 0;

	if (uid == 0 || uid == (uid_t)-1 || spare == 0 || spare == (uid_t)-1)
		return hxb_fail(error, HXB_INVALID, "uid %u, and %u: not to be signalled", uid, spare);
	if (setresuid(spare, uid, 0) == -1)
		return hxb_fail(error, HXB_FAILED, "can't act as uid %u: %m", uid);
	if (getresuid(&real, &effective, &saved) == -1 || real != spare || effective != uid || saved != 0 ||
	    may_signal_all())
		r = HXB_FAILED;
	else if (kill(-1, number) == -1)
		failure = errno;
	go_back();
	if (r != HXB_OK)
		return hxb_fail(
		    error, r, "can't act as uid %u: would keep root's right to signal everybody", uid);
	if (failure == 0 || failure == ESRCH || failure == EPERM) /* somebody, nobody, only others */
		return HXB_OK;
	return hxb_fail(error, HXB_FAILED, "signal %d to uid %u: %s", number, uid, strerror(failure));
}
