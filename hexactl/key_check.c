/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "key_check.h"
#include "libhexabot/deadline.h"

#define PROGRAM "/usr/bin/ssh-keygen"
#define PATIENCE 5000 /* milliseconds */
#define ANSWER_SIZE 1024 /* bytes that are read of it, NUL included */
#define FINGERPRINT "SHA256:"
#define FINGERPRINT_LENGTH 50
#define BITS_MAX 65536

/* The key in a file without a name, at its beginning; -1 with errno. */
static int
offer(const struct hxb_key *key)
{
	int fd = memfd_create("key", MFD_CLOEXEC);

	if (fd != -1 && (dprintf(fd, "%s %s\n", key->type, key->body) < 0 || lseek(fd, 0, SEEK_SET) == -1)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Starts it as it would be started in an empty environment, with our signals unblocked. 0 or an errno. */
static int
start(int in, int out, pid_t *pid)
{
	char program[] = PROGRAM, list[] = "-l", hash[] = "-Esha256", file[] = "-f-", locale[] = "LC_ALL=C",
	     path[] = "PATH=/usr/bin:/bin";
	char *argv[] = { program, list, hash, file, NULL };
	char *envp[] = { locale, path, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, pipe;
	int code;

	sigemptyset(&none);
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	if (posix_spawn_file_actions_init(&actions) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attributes) != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return ENOMEM;
	}
	code = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (code == 0)
		code = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (code == 0)
		code = posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &pipe);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (code == 0)
		code = posix_spawn(pid, PROGRAM, &actions, &attributes, argv, envp);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return code;
}

/* What it says, to its end. False: it says too much, or takes too long. */
static bool
listen_to(int fd, const struct hxb_deadline *deadline, char answer[ANSWER_SIZE])
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	size_t length = 0;
	ssize_t got;

	answer[0] = '\0';
	while (length < ANSWER_SIZE - 1) {
		int said = poll(&ready, 1, (int)hxb_deadline_left(deadline));

		if (said == -1 && errno == EINTR)
			continue;
		if (said != 1)
			return false;
		got = read(fd, answer + length, ANSWER_SIZE - 1 - length);
		if (got == 0)
			return true;
		if (got == -1 && errno != EINTR)
			return false;
		length += got > 0 ? (size_t)got : 0;
		answer[length] = '\0';
		if (hxb_deadline_left(deadline) == 0)
			return false;
	}
	return false;
}

/* Waits until it has ended, and ends it at the deadline. */
static bool
ended_well(pid_t pid, const struct hxb_deadline *deadline)
{
	const struct timespec pause = { .tv_nsec = 1000000L };
	int status = -1;
	pid_t found;

	while ((found = waitpid(pid, &status, WNOHANG)) == 0) {
		if (hxb_deadline_left(deadline) == 0)
			kill(pid, SIGKILL);
		nanosleep(&pause, NULL);
	}
	return found == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* "256 SHA256:... no comment (ED25519)" */
static enum hxb_result
take_answer(const char *answer, struct hxb_key *key, struct hxb_error *error)
{
	char *end;
	unsigned long bits = strtoul(answer, &end, 10);

	if (bits == 0 || bits > BITS_MAX || strncmp(end, " " FINGERPRINT, strlen(FINGERPRINT) + 1) != 0 ||
	    strcspn(end + 1, " \n") != FINGERPRINT_LENGTH)
		return hxb_fail(error, HXB_FAILED, PROGRAM ": its answer is not understood: %.200s", answer);
	key->bits = (unsigned)bits;
	key->fingerprint = strndup(end + 1, FINGERPRINT_LENGTH);
	return key->fingerprint != NULL ? HXB_OK : hxb_fail(error, HXB_FAILED, "out of memory");
}

static enum hxb_result
converse(int in, int ends[2], char answer[ANSWER_SIZE], struct hxb_error *error)
{
	const struct hxb_deadline deadline = hxb_deadline_in(PATIENCE);
	pid_t pid;
	int code = start(in, ends[1], &pid);
	bool heard, well;

	close(ends[1]);
	ends[1] = -1;
	if (code != 0)
		return hxb_fail(error, HXB_FAILED,
		    PROGRAM ": %s; keys are checked with it: install "
		            "openssh-client",
		    strerror(code));
	heard = listen_to(ends[0], &deadline, answer);
	if (!heard)
		kill(pid, SIGKILL);
	well = ended_well(pid, &deadline);
	answer[strcspn(answer, "\r\n")] = '\0';
	if (!heard)
		return hxb_fail(error, HXB_FAILED, PROGRAM ": did not answer as it should");
	return well ? HXB_OK : hxb_fail(error, HXB_INVALID, "ssh-keygen finds no key in it: %.200s", answer);
}

enum hxb_result
hxb_key_check(struct hxb_key *key, struct hxb_error *error)
{
	char answer[ANSWER_SIZE] = "";
	int ends[2] = { -1, -1 }, in = offer(key);
	enum hxb_result r;

	if (in == -1 || pipe2(ends, O_CLOEXEC) == -1)
		r = hxb_fail(error, HXB_FAILED, PROGRAM ": can't be asked: %m");
	else
		r = converse(in, ends, answer, error);
	if (r == HXB_OK)
		r = take_answer(answer, key, error);
	for (int i = 0; i < 2; i++)
		if (ends[i] != -1)
			close(ends[i]);
	if (in != -1)
		close(in);
	return r;
}
