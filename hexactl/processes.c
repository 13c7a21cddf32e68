/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "processes.h"

/* What follows the command's name in /proc/PID/stat: see proc(5). */
enum { STATE = 0, PARENT = 1, SESSION = 3, TERMINAL = 4, THREADS = 17, BEGAN = 19, FIELDS = 20 };

static bool
number(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno == 0 && end != text && (*end == '\0' || *end == '\n') && *value <= max;
}

/* Reads the beginning of a file in a process's directory. -1: errno. */
static ssize_t
slurp(int directory, const char *name, char *text, size_t size)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	ssize_t length;
	int saved;

	if (fd == -1)
		return -1;
	length = read(fd, text, size - 1);
	saved = errno;
	close(fd);
	errno = saved;
	text[length > 0 ? length : 0] = '\0';
	return length;
}

/* "812 (bash) S 811 ...": the name may hold blanks and brackets, but what follows may not. */
static bool
parse_stat(char *text, struct hxb_process *process, bool *dead)
{
	char *name = strchr(text, '('), *end = strrchr(text, ')'), *rest = NULL;
	const char *fields[FIELDS] = { NULL };
	uint64_t parent, session, terminal, threads;
	size_t count = 0;

	if (name == NULL || end == NULL || end < name)
		return false;
	*end++ = '\0';
	snprintf(process->command, sizeof(process->command), "%s", name + 1);
	for (char *field = strtok_r(end, " ", &rest); field != NULL && count < FIELDS;
	     field = strtok_r(NULL, " ", &rest))
		fields[count++] = field;
	if (count < FIELDS || !number(fields[PARENT], INT32_MAX, &parent) ||
	    !number(fields[SESSION], INT32_MAX, &session) || !number(fields[THREADS], INT32_MAX, &threads) ||
	    !number(fields[BEGAN], UINT64_MAX, &process->began))
		return false;
	if (!number(fields[TERMINAL], INT32_MAX, &terminal))
		terminal = 0;
	process->parent = (pid_t)parent;
	process->session = (pid_t)session;
	process->terminal = (unsigned)terminal;
	process->state = fields[STATE][0];
	/* The first thread may have ended, and look dead, while others run. */
	*dead = (process->state == 'Z' || process->state == 'X') && threads <= 1;
	return true;
}

/* "Uid:	real	effective	saved	file system" */
static bool
parse_uids(char *text, struct hxb_process *process)
{
	char *line = strstr(text, "\nUid:"), *rest = NULL;
	uint64_t real, effective, saved;

	if (line == NULL)
		return false;
	line += strlen("\nUid:");
	line[strcspn(line, "\n")] = '\0';
	if (!number(strtok_r(line, "\t ", &rest), UINT32_MAX, &real) ||
	    !number(strtok_r(NULL, "\t ", &rest), UINT32_MAX, &effective) ||
	    !number(strtok_r(NULL, "\t ", &rest), UINT32_MAX, &saved))
		return false;
	process->real = (uid_t)real;
	process->effective = (uid_t)effective;
	process->saved = (uid_t)saved;
	return true;
}

static bool
is_within(const struct hxb_uids *uids, uid_t uid)
{
	return uid >= uids->min && uid <= uids->max;
}

/* All from one descriptor of the directory: a number that is used anew meanwhile gives ESRCH, never another
 * process. */
static bool
read_process(int directory, const struct hxb_uids *uids, struct hxb_process *process, bool *skipped)
{
	char text[1024];
	uint64_t login;

	errno = 0;
	if (slurp(directory, "status", text, sizeof(text)) <= 0 || !parse_uids(text, process))
		return false;
	*skipped = !is_within(uids, process->real) && !is_within(uids, process->effective) &&
	    !is_within(uids, process->saved);
	if (*skipped)
		return true;
	if (slurp(directory, "stat", text, sizeof(text)) <= 0 || !parse_stat(text, process, skipped))
		return false;
	/* Without audit in the kernel there is no such file. */
	process->login = HXB_NO_UID;
	if (slurp(directory, "loginuid", text, sizeof(text)) > 0 && number(text, UINT32_MAX, &login))
		process->login = (uid_t)login;
	return true;
}

enum hxb_result
hxb_processes_add(struct hxb_processes *processes, const struct hxb_process *process, struct hxb_error *error)
{
	/* Room for one, two, four ...: a fork bomb has many. */
	if ((processes->count & (processes->count + 1)) == 0) {
		struct hxb_process *grown =
		    reallocarray(processes->list, processes->count * 2 + 1, sizeof(*grown));

		if (grown == NULL)
			return hxb_fail(error, HXB_FAILED, "out of memory");
		processes->list = grown;
	}
	processes->list[processes->count++] = *process;
	return HXB_OK;
}

static enum hxb_result
visit(struct hxb_processes *processes, const struct hxb_uids *uids, int proc, const char *name,
    struct hxb_error *error)
{
	struct hxb_process process = { 0 };
	bool skipped = false, found;
	uint64_t pid;
	int directory, saved;

	if (!number(name, INT32_MAX, &pid))
		return HXB_OK;
	process.pid = (pid_t)pid;
	directory = openat(proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	found = directory != -1 && read_process(directory, uids, &process, &skipped);
	saved = errno;
	if (directory != -1)
		close(directory);
	if (found)
		return skipped ? HXB_OK : hxb_processes_add(processes, &process, error);
	if (saved == ENOENT || saved == ESRCH) /* it has ended */
		return HXB_OK;
	errno = saved;
	return hxb_fail(error, HXB_FAILED, "/proc/%s: %s", name, saved != 0 ? strerror(saved) : "unreadable");
}

static int
compare(const void *a, const void *b)
{
	const struct hxb_process *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

enum hxb_result
hxb_processes_read(struct hxb_processes *processes, const struct hxb_uids *uids, struct hxb_error *error)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	enum hxb_result r = HXB_OK;

	*processes = (struct hxb_processes){ 0 };
	if (proc == NULL)
		return hxb_fail(error, HXB_FAILED, "/proc: %m");
	while (r == HXB_OK && (errno = 0, entry = readdir(proc)) != NULL)
		r = visit(processes, uids, dirfd(proc), entry->d_name, error);
	if (r == HXB_OK && errno != 0)
		r = hxb_fail(error, HXB_FAILED, "/proc: %m");
	closedir(proc);
	if (r != HXB_OK)
		hxb_processes_clear(processes);
	else if (processes->count > 0)
		qsort(processes->list, processes->count, sizeof(*processes->list), compare);
	return r;
}

void
hxb_processes_clear(struct hxb_processes *processes)
{
	free(processes->list);
	*processes = (struct hxb_processes){ 0 };
}

const struct hxb_process *
hxb_process_find(const struct hxb_processes *processes, pid_t pid)
{
	const struct hxb_process wanted = { .pid = pid };

	if (processes->count == 0)
		return NULL;
	return bsearch(&wanted, processes->list, processes->count, sizeof(wanted), compare);
}

/* Whether the number still is this process's. */
static bool
is_same(const struct hxb_process *process)
{
	const struct hxb_uids everybody = { .min = 0, .max = UINT32_MAX };
	struct hxb_process now = { 0 };
	bool skipped = false, found;
	char path[32];
	int directory;

	snprintf(path, sizeof(path), "/proc/%d", (int)process->pid);
	directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory == -1)
		return false;
	found = read_process(directory, &everybody, &now, &skipped) && !skipped;
	close(directory);
	return found && now.began == process->began && now.real == process->real &&
	    now.effective == process->effective && now.saved == process->saved;
}

void
hxb_process_kill(const struct hxb_process *process)
{
	int fd = pidfd_open(process->pid, 0);

	if (fd == -1)
		return;
	/* It is looked at after it is held, so that it is the one that is held. */
	if (is_same(process))
		(void)pidfd_send_signal(fd, SIGKILL, NULL, 0);
	close(fd);
}

int64_t
hxb_process_time(const struct hxb_process *process)
{
	struct timespec now, up;
	long ticks = sysconf(_SC_CLK_TCK);

	if (ticks <= 0 || clock_gettime(CLOCK_REALTIME, &now) == -1 ||
	    clock_gettime(CLOCK_BOOTTIME, &up) == -1)
		return 0;
	return (int64_t)now.tv_sec - (int64_t)up.tv_sec + (int64_t)(process->began / (uint64_t)ticks);
}

void
hxb_process_terminal(unsigned terminal, char text[16])
{
	const unsigned pts_min = 136, pts_max = 143, tty = 4;
	unsigned kind = major((dev_t)terminal), index = minor((dev_t)terminal);

	text[0] = '\0';
	if (terminal != 0 && kind >= pts_min && kind <= pts_max)
		snprintf(text, 16, "pts/%u", (kind - pts_min) * 256 + index);
	else if (terminal != 0 && kind == tty && index < 64)
		snprintf(text, 16, "tty%u", index);
}
