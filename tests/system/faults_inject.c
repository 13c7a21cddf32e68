/* SPDX-License-Identifier: ISC */
/*
 * faults_inject REPORT FAULT NUMBER CMD...: runs CMD; its NUMBER-th system call, counted from CMD's first one
 * over all its processes, is not made: the process is killed instead (KILL), or the call fails (EIO, ENOSPC).
 * NONE: nothing happens.
 *
 * REPORT gets a line "CALLS CALL ARGUMENT SINCE": how many calls there were, the number of the one that was
 * hit (-1: none was), its first argument, and how many calls it came after the last execve(2). Exits like
 * CMD; 128 and the signal that killed it; 124 after 30 seconds.
 *
 * Nobody sleeps in select(2) meanwhile. One stop a call, by a seccomp filter: ten times faster than a strace
 * for each point.
 */
#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 30 /* seconds */

struct run {
	int error; /* 0: none, -1: SIGKILL */
	long number, calls;
	long hit, argument;
	long exec, since_exec; /* in calls */
	bool begun;
};

static void
too_long(int signal)
{
	(void)signal;
	_exit(124); /* PTRACE_O_EXITKILL ends the others */
}

static int
error_of(const char *fault)
{
	static const struct {
		const char *name;
		int error;
	} faults[] = { { "NONE", 0 }, { "KILL", -1 }, { "EIO", EIO }, { "ENOSPC", ENOSPC } };

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (strcmp(fault, faults[i].name) == 0)
			return faults[i].error;
	errx(2, "%s: no such fault", fault);
}

static pid_t
start(char **command)
{
	struct sock_filter filter[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE) };
	const struct sock_fprog program = { .len = 1, .filter = filter };
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (ptrace(PTRACE_TRACEME, 0, 0, 0) == -1 || raise(SIGSTOP) != 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == -1)
		err(2, "tracing");
	execvp(command[0], command);
	err(127, "%s", command[0]);
}

/* These have no way to fail, but with errors of their own: brk(2) answers with the old end, and close(2)
 * gives the descriptor back whatever it answers. */
static bool
can_fail(long call)
{
	static const long never[] = { SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_brk, SYS_getrandom,
		SYS_futex, SYS_close };

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (call == never[i])
			return false;
	return true;
}

/* libpam's delay after a failure. */
static bool
is_sleep(const struct user_regs_struct *regs)
{
	return (regs->orig_rax == SYS_select || regs->orig_rax == SYS_pselect6) && regs->rdi == 0;
}

static void
answer(pid_t pid, struct user_regs_struct *regs, int error)
{
	regs->orig_rax = (unsigned long long)-1;
	regs->rax = (unsigned long long)-error;
	if (ptrace(PTRACE_SETREGS, pid, 0, regs) == -1)
		err(2, "injecting");
}

static void
at_call(struct run *run, pid_t pid)
{
	struct user_regs_struct regs;
	bool its_turn = run->begun && ++run->calls == run->number && run->error != 0;

	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) == -1)
		return; /* killed meanwhile */
	if (!its_turn || (run->error > 0 && !can_fail((long)regs.orig_rax))) {
		if (is_sleep(&regs))
			answer(pid, &regs, 0);
		return;
	}
	run->hit = (long)regs.orig_rax;
	run->argument = (long)regs.rdi;
	run->since_exec = run->calls - run->exec;
	if (run->error == -1)
		kill(pid, SIGKILL);
	else
		answer(pid, &regs, run->error);
}

/* Until all are gone. Returns the first one's status. */
static int
trace(struct run *run, pid_t first)
{
	int status, result = 0, signal;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) != -1) {
		if (!WIFSTOPPED(status)) {
			if (pid == first)
				result = status;
			continue;
		}
		signal = status >> 16 == 0 && WSTOPSIG(status) != SIGSTOP ? WSTOPSIG(status) : 0;
		if (status >> 16 == PTRACE_EVENT_EXEC) {
			run->begun = true;
			run->exec = run->calls;
		} else if (status >> 16 == PTRACE_EVENT_SECCOMP) {
			at_call(run, pid);
		}
		ptrace(PTRACE_CONT, pid, 0, signal);
	}
	return result;
}

int
main(int argc, char **argv)
{
	const long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEEXEC |
	    PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
	struct run run = { .hit = -1 };
	FILE *report;
	pid_t first;
	int status;

	if (argc < 5)
		errx(2, "usage: faults_inject REPORT FAULT NUMBER CMD...");
	run.error = error_of(argv[2]);
	run.number = strtol(argv[3], NULL, 10);
	report = fopen(argv[1], "we");
	if (report == NULL)
		err(2, "%s", argv[1]);
	signal(SIGALRM, too_long);
	alarm(PATIENCE);
	first = start(argv + 4);
	if (first == -1 || waitpid(first, &status, 0) != first ||
	    ptrace(PTRACE_SETOPTIONS, first, 0, options) == -1 || ptrace(PTRACE_CONT, first, 0, 0) == -1)
		err(2, "tracing");
	status = trace(&run, first);
	fprintf(report, "%ld %ld %ld %ld\n", run.calls, run.hit, run.argument, run.since_exec);
	if (fclose(report) != 0)
		err(2, "%s", argv[1]);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
