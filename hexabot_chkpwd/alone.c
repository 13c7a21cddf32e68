/* SPDX-License-Identifier: ISC */
#include <grp.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "alone.h"
#include "libhexabot/chkpwd.h"

/*
 * What SQLite and a hash need, whatever the caller had. Where root may not raise a limit, as in a container,
 * the caller's stays: then this process can end at any moment, which a killed one can as well.
 */
static const struct {
	__rlimit_resource_t resource;
	rlim_t limit;
} limits[] = {
	{ RLIMIT_CORE, 0 },
	{ RLIMIT_CPU, RLIM_INFINITY },
	{ RLIMIT_FSIZE, RLIM_INFINITY },
	{ RLIMIT_AS, RLIM_INFINITY },
	{ RLIMIT_DATA, RLIM_INFINITY },
	{ RLIMIT_STACK, 8 << 20 },
	{ RLIMIT_NOFILE, 64 },
	{ RLIMIT_LOCKS, RLIM_INFINITY },
};

static void
set_limits(void)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		const struct rlimit limit = { limits[i].limit, limits[i].limit };

		(void)setrlimit(limits[i].resource, &limit);
	}
}

/* A caller of low priority must not make us hold a lock for long; what can't be had is no reason to stop. */
static void
set_priority(void)
{
	const struct sched_param param = { 0 };
	cpu_set_t every;

	memset(&every, 0xff, sizeof(every));
	(void)sched_setaffinity(0, sizeof(every), &every);
	(void)sched_setscheduler(0, SCHED_OTHER, &param);
	(void)setpriority(PRIO_PROCESS, 0, 0);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, 0);
}

/* A pipe that nobody reads must not keep a process of root's for good. Transactions are not cut off by it. */
static enum hxb_result
limit_life(struct hxb_error *error)
{
	sigset_t alarm_only;

	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	if (signal(SIGALRM, SIG_DFL) == SIG_ERR || sigprocmask(SIG_UNBLOCK, &alarm_only, NULL) == -1)
		return hxb_fail(error, HXB_REFUSED, "can't set an alarm: %m");
	alarm(HXB_CHKPWD_LIFE);
	return HXB_OK;
}

enum hxb_result
hxb_stand_alone(struct hxb_error *error)
{
	static char *nothing[] = { NULL };
	sigset_t all;

	environ = nothing;
	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, NULL) == -1)
		return hxb_fail(error, HXB_REFUSED, "can't block signals: %m");
	if (geteuid() != 0)
		return hxb_fail(error, HXB_REFUSED, "not set-uid root");
	/* Away from the terminal, which could stop us. Only the leader of a process group, a job of a
	 * shell's, can't leave. */
	if (setsid() == -1)
		return hxb_fail(error, HXB_REFUSED, "is run by pam_hexabot, not by hand");
	if (setgroups(0, NULL) == -1 || setresgid(0, 0, 0) == -1 || setresuid(0, 0, 0) == -1)
		return hxb_fail(error, HXB_REFUSED, "can't become root: %m");
	if (close_range(STDERR_FILENO + 1, ~0U, 0) == -1 || chdir("/") == -1 ||
	    prctl(PR_SET_DUMPABLE, 0) == -1)
		return hxb_fail(error, HXB_REFUSED, "can't shed what the caller left: %m");
	set_limits();
	set_priority();
	umask(077);
	return limit_life(error);
}
