/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libhexabot/deadline.h"
#include "libhexabot/names.h"
#include "logind.h"

#define PATIENCE 4000 /* milliseconds; busctl itself gives up before */
#define BUSCTL "/usr/bin/busctl"
#define LINGER_DIR "/var/lib/systemd/linger/"

static bool
is_there(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) == 0;
}

static bool
await(pid_t pid)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	const struct hxb_deadline deadline = hxb_deadline_in(PATIENCE);
	pid_t ended;

	while ((ended = waitpid(pid, NULL, WNOHANG)) == 0 && hxb_deadline_left(&deadline) > 0)
		nanosleep(&pause, NULL);
	if (ended != 0)
		return true;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return false;
}

bool
hxb_logind_terminate(uid_t uid)
{
	char name[] = "busctl", timeout[] = "--timeout=3", call[] = "call",
	     service[] = "org.freedesktop.login1", object[] = "/org/freedesktop/login1",
	     interface[] = "org.freedesktop.login1.Manager", method[] = "TerminateUser", type[] = "u",
	     number[16], path[] = "PATH=/usr/bin:/bin";
	char *const words[] = { name, timeout, call, service, object, interface, method, type, number, NULL };
	char *const environment[] = { path, NULL };
	posix_spawn_file_actions_t actions;
	bool answered = true;
	pid_t pid;

	/* What sd_booted(3) looks at. */
	if (!is_there("/run/systemd/system") || !is_there(BUSCTL))
		return true;
	snprintf(number, sizeof(number), "%u", uid);
	if (posix_spawn_file_actions_init(&actions) != 0)
		return false;
	/* Whom it does not know it says so, and that is no news. */
	for (int fd = STDIN_FILENO; answered && fd <= STDERR_FILENO; fd++)
		answered = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0) == 0;
	answered =
	    answered && posix_spawn(&pid, BUSCTL, &actions, NULL, words, environment) == 0 && await(pid);
	posix_spawn_file_actions_destroy(&actions);
	return answered;
}

static bool
linger_path(const char *login, char path[sizeof(LINGER_DIR) + HXB_LOGIN_MAX])
{
	if (!hxb_login_valid(login))
		return false;
	snprintf(path, sizeof(LINGER_DIR) + HXB_LOGIN_MAX, LINGER_DIR "%s", login);
	return true;
}

bool
hxb_lingers(const char *login)
{
	char path[sizeof(LINGER_DIR) + HXB_LOGIN_MAX];

	return linger_path(login, path) && is_there(path);
}

/* logind has no other memory of it than this file. */
enum hxb_result
hxb_linger_end(const char *login, bool *ended, struct hxb_error *error)
{
	char path[sizeof(LINGER_DIR) + HXB_LOGIN_MAX];

	*ended = linger_path(login, path) && unlink(path) == 0;
	if (*ended || errno == ENOENT || errno == ENOTDIR || !hxb_login_valid(login))
		return HXB_OK;
	return hxb_fail(error, HXB_FAILED, "%s: %m", path);
}
