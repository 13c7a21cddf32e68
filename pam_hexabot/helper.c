/* SPDX-License-Identifier: ISC */
/*
 * Asks the set-uid hexabot_chkpwd, where the program that loaded us does not run as root: a screen locker.
 * MUST: whatever the helper does or does not do, this program goes on: no signal is waited for or caught, no
 * write can block or raise SIGPIPE, every wait is bounded (the helper ends by itself); no answer denies.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <security/pam_ext.h>

#include "libhexabot/chkpwd.h"
#include "libhexabot/password.h"
#include "libhexabot/paths.h"
#include "messages.h"
#include "pam_hexabot.h"

#define ANSWER_DEADLINE (1000L * HXB_CHKPWD_LIFE) /* ms */

static void
close_end(int fd)
{
	if (fd != -1)
		close(fd);
}

/* Neither end is one of the standard descriptors, which the child gets: a program may have closed those. */
static bool
open_pipe(int ends[2])
{
	int low[2];

	if (pipe2(low, O_CLOEXEC) == -1)
		return false;
	for (int i = 0; i < 2; i++) {
		ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		close(low[i]);
	}
	return ends[0] != -1 && ends[1] != -1;
}

/* What to read the password from, and then its end: it is smaller than any pipe. */
static int
password_pipe(const char *password)
{
	size_t length = strnlen(password, HXB_PASSWORD_BUFFER);
	int ends[2] = { -1, -1 };
	bool whole = open_pipe(ends) && write(ends[1], password, length) == (ssize_t)length;

	close_end(ends[1]);
	if (whole)
		return ends[0];
	close_end(ends[0]);
	return -1;
}

static bool
spawn(char *const argv[], int in, int out, pid_t *pid)
{
	char *const environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	int error;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return false;
	error = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (error == 0)
		error = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (error == 0)
		error = posix_spawn(pid, HXB_CHKPWD_PATH, &actions, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	return error == 0;
}

static bool
is_readable(int fd, const struct hxb_deadline *deadline)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	int count;

	do
		count = poll(&poller, 1, (int)hxb_deadline_left(deadline));
	while (count == -1 && errno == EINTR);
	return count > 0;
}

/* Not until the end of file: a child of this program's may have the other end of the pipe, too. */
static void
read_line(int fd, char line[HXB_CHKPWD_ANSWER_MAX])
{
	const struct hxb_deadline deadline = hxb_deadline_in(ANSWER_DEADLINE);
	size_t length = 0;
	ssize_t count = 1;

	while (count > 0 && length < HXB_CHKPWD_ANSWER_MAX - 1 && memchr(line, '\n', length) == NULL &&
	    is_readable(fd, &deadline)) {
		count = read(fd, line + length, HXB_CHKPWD_ANSWER_MAX - 1 - length);
		length += count > 0 ? (size_t)count : 0;
	}
	line[length] = '\0';
}

/* Unless somebody else has: this program may ignore its children, or wait for all of them. */
static void
collect(pid_t pid)
{
	pid_t collected;

	do
		collected = waitpid(pid, NULL, 0);
	while (collected == -1 && errno == EINTR);
}

/* "CODE TEXT\n"; *text then points into the line. */
static int
parse_answer(char *line, const char **text)
{
	char *newline = strchr(line, '\n'), *end;
	long code;

	if (newline == NULL)
		return PAM_AUTHINFO_UNAVAIL;
	*newline = '\0';
	code = strtol(line, &end, 10);
	if (end == line || *end != ' ' || code < 0 || code >= _PAM_RETURN_VALUES)
		return PAM_AUTHINFO_UNAVAIL;
	*text = end + 1;
	return (int)code;
}

/* Its answer; PAM_AUTHINFO_UNAVAIL if there is none. */
static int
run_helper(char *const argv[], const char *password, char line[HXB_CHKPWD_ANSWER_MAX], const char **text)
{
	int in = password_pipe(password), out[2] = { -1, -1 };
	bool spawned;
	pid_t pid;

	line[0] = '\0';
	spawned = in != -1 && open_pipe(out) && spawn(argv, in, out[1], &pid);
	close_end(in);
	close_end(out[1]);
	if (spawned) {
		read_line(out[0], line);
		collect(pid);
	}
	close_end(out[0]);
	return parse_answer(line, text);
}

/* The helper answers for its caller's own account, and by the host's configuration. */
static bool
may_ask(struct call *call)
{
	if (getuid() != call->uid)
		hxb_fail(&call->error, HXB_UNREADABLE,
		    "the calling program runs as uid %u, neither as root nor as the user",
		    (unsigned)getuid());
	else if (strcmp(call->config.conf, HXB_CONFIG_PATH) != 0)
		hxb_fail(&call->error, HXB_UNREADABLE, "conf= is for programs that run as root");
	else
		return true;
	log_refused(call, NULL);
	return false;
}

static int
ask_helper(struct call *call, const char *stage, const char *password)
{
	char line[HXB_CHKPWD_ANSWER_MAX], **argv;
	const char *text = "";
	size_t roles = 0;
	int code;

	while (call->config.roles != NULL && call->config.roles[roles] != NULL)
		roles++;
	argv = calloc(roles + 4, sizeof(*argv));
	if (argv == NULL)
		return PAM_BUF_ERR;
	argv[0] = (char[]){ HXB_CHKPWD_PATH };
	argv[1] = (char *)(uintptr_t)stage;
	argv[2] = (char *)(uintptr_t)call->login;
	for (size_t i = 0; i < roles; i++)
		argv[3 + i] = call->config.roles[i];
	code = run_helper(argv, password, line, &text);
	free(argv);
	if (*text != '\0' && (call->flags & PAM_SILENT) == 0)
		pam_error(call->pamh, "%s", text);
	if (code == PAM_AUTHINFO_UNAVAIL)
		pam_syslog(call->pamh, LOG_ERR, "no answer for %.32s from %s", call->login, HXB_CHKPWD_PATH);
	return code;
}

/* No pam_fail_delay(): the helper itself takes its time after a failure. */
int
helper_authenticate(struct call *call)
{
	const char *password;
	int code;

	if (!may_ask(call))
		return PAM_AUTHINFO_UNAVAIL;
	code = ask_password(call, &password);
	if (code == PAM_SUCCESS)
		return ask_helper(call, HXB_CHKPWD_AUTH, password);
	log_refused(call, REASON_NO_PASSWORD);
	return code;
}

int
helper_account(struct call *call)
{
	return may_ask(call) ? ask_helper(call, HXB_CHKPWD_ACCOUNT, "") : PAM_AUTHINFO_UNAVAIL;
}
