/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libhexabot/deadline.h"
#include "program.h"

extern char **environ;

/* Starts it with its words going to fd, in a process group of its own, with SIGPIPE as programs expect it. */
static bool
start(char *const argv[], int fd, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t ignored;
	bool started = false;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return false;
	if (posix_spawnattr_init(&attributes) == 0) {
		sigemptyset(&ignored);
		sigaddset(&ignored, SIGPIPE);
		started = posix_spawnattr_setsigdefault(&attributes, &ignored) == 0 &&
		    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP) ==
		        0 &&
		    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
		    posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO) == 0 &&
		    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) ==
		        0 &&
		    posix_spawn(pid, argv[0], &actions, &attributes, argv, environ) == 0;
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return started;
}

/* Reads until nobody has the other end any more. False: too much, or too late. */
static bool
read_all(int fd, char *text, size_t max, const struct hxb_deadline *deadline)
{
	struct pollfd look = { .fd = fd, .events = POLLIN };
	size_t used = 0;
	ssize_t got = 1;

	while (got != 0) {
		int ready = poll(&look, 1, (int)hxb_deadline_left(deadline));

		if (ready == -1 && errno == EINTR)
			continue;
		if (ready != 1)
			return false;
		got = read(fd, text + used, max + 1 - used);
		if (got == -1 && (errno == EINTR || errno == EAGAIN))
			got = 1;
		else if (got == -1 || (used += (size_t)got) > max)
			return false;
	}
	text[used] = '\0';
	return true;
}

/* It closed its standard output, and may still stay. */
static bool
ended_well(pid_t pid, const struct hxb_deadline *deadline)
{
	const struct timespec moment = { .tv_nsec = 5000000 };
	pid_t ended;
	int status;

	while ((ended = waitpid(pid, &status, WNOHANG)) == 0 && hxb_deadline_left(deadline) > 0)
		nanosleep(&moment, NULL);
	if (ended == pid)
		return WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (ended == 0 && kill(-pid, SIGKILL) == 0)
		waitpid(pid, &status, 0);
	return false;
}

bool
hxb_program_ask(char *const argv[], size_t max, long milliseconds, char **textp)
{
	struct hxb_deadline deadline = hxb_deadline_in(milliseconds);
	char *text = malloc(max + 2);
	bool answered = false;
	int ends[2];
	pid_t pid;

	*textp = NULL;
	if (text == NULL || pipe2(ends, O_CLOEXEC) == -1) {
		free(text);
		return false;
	}
	if (start(argv, ends[1], &pid)) {
		close(ends[1]);
		ends[1] = -1;
		answered = read_all(ends[0], text, max, &deadline);
		if (!answered)
			kill(-pid, SIGKILL);
		answered = ended_well(pid, &deadline) && answered;
	}
	close(ends[0]);
	if (ends[1] != -1)
		close(ends[1]);
	if (answered)
		*textp = text;
	else
		free(text);
	return answered;
}
