/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libhexabot/deadline.h"
#include "program.h"

/* fd: of /dev/null with -1, as one of the program's own. 0 or an errno. */
static int
plug(posix_spawn_file_actions_t *actions, int fd, int own)
{
	if (fd == -1)
		return posix_spawn_file_actions_addopen(actions, own, "/dev/null", O_RDWR, 0);
	return posix_spawn_file_actions_adddup2(actions, fd, own);
}

static int
plug_all(posix_spawn_file_actions_t *actions, enum hxb_program_words words, int in, int out)
{
	int code = plug(actions, in, STDIN_FILENO);

	if (words == HXB_WORDS_SHOWN)
		return code != 0 ? code : plug(actions, STDERR_FILENO, STDOUT_FILENO);
	if (code == 0)
		code = plug(actions, out, STDOUT_FILENO);
	return code != 0 ? code : plug(actions, words == HXB_WORDS_ALL_TAKEN ? out : -1, STDERR_FILENO);
}

/* In a process group of its own, to be ended as a whole. 0 or an errno. */
static int
start(const struct hxb_program *program, int in, int out, pid_t *pid)
{
	static char locale[] = "LC_ALL=C", path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *const environment[] = { locale, path, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, ignored;
	int code;

	sigemptyset(&none);
	sigemptyset(&ignored);
	sigaddset(&ignored, SIGPIPE);
	sigaddset(&ignored, SIGXFSZ);
	if (posix_spawn_file_actions_init(&actions) != 0)
		return ENOMEM;
	code = posix_spawnattr_init(&attributes);
	if (code == 0) {
		posix_spawnattr_setsigmask(&attributes, &none);
		posix_spawnattr_setsigdefault(&attributes, &ignored);
		posix_spawnattr_setflags(
		    &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
		code = plug_all(&actions, program->words, in, out);
		if (code == 0)
			code = posix_spawn(
			    pid, program->argv[0], &actions, &attributes, program->argv, environment);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return code;
}

/* Reads until nobody has the other end any more. False: too much, or too late. */
static bool
read_all(int fd, char *text, size_t max, const struct hxb_deadline *deadline)
{
	struct pollfd look = { .fd = fd, .events = POLLIN };
	size_t used = 0;
	ssize_t got = 1;

	while (got != 0) {
		int ready = poll(&look, 1, deadline != NULL ? (int)hxb_deadline_left(deadline) : -1);

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

/* It closed its outputs, and may still stay. */
static enum hxb_program_end
await(pid_t pid, const struct hxb_deadline *deadline)
{
	const struct timespec moment = { .tv_nsec = 5000000 };
	int status = -1;
	pid_t ended;

	while ((ended = waitpid(pid, &status, deadline != NULL ? WNOHANG : 0)) == 0 ||
	    (ended == -1 && errno == EINTR)) {
		if (ended == 0 && hxb_deadline_left(deadline) == 0) {
			kill(-pid, SIGKILL);
			while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
				continue;
			return HXB_PROGRAM_CUT;
		}
		nanosleep(&moment, NULL);
	}
	return ended == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? HXB_PROGRAM_YES
	                                                                     : HXB_PROGRAM_NO;
}

/* ends: of a pipe for its words, -1 without. text: room for max + 2 bytes. */
static enum hxb_program_end
converse(const struct hxb_program *program, int in, int ends[2], char *text)
{
	const struct hxb_deadline until = hxb_deadline_in(program->milliseconds);
	const struct hxb_deadline *deadline = program->milliseconds != 0 ? &until : NULL;
	enum hxb_program_end end;
	bool heard = true;
	pid_t pid;
	int code = start(program, in, ends[1], &pid);

	if (ends[1] != -1)
		close(ends[1]);
	ends[1] = -1;
	if (code != 0) {
		errno = code;
		return HXB_PROGRAM_ABSENT;
	}
	if (ends[0] != -1)
		heard = read_all(ends[0], text, program->max, deadline);
	if (!heard)
		kill(-pid, SIGKILL);
	end = await(pid, deadline);
	return heard ? end : HXB_PROGRAM_CUT;
}

/* A file without a name that holds the text, at its beginning; -1 with errno. */
static int
offer(const char *text)
{
	size_t length = strlen(text);
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd != -1 && (write(fd, text, length) != (ssize_t)length || lseek(fd, 0, SEEK_SET) == -1)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

enum hxb_program_end
hxb_program_run(const struct hxb_program *program, char **textp)
{
	bool taken = textp != NULL && program->words >= HXB_WORDS_TAKEN;
	char *text = taken ? malloc(program->max + 2) : NULL;
	int ends[2] = { -1, -1 }, in = program->input != NULL ? offer(program->input) : -1, saved;
	enum hxb_program_end end = HXB_PROGRAM_ABSENT;

	if ((!taken || (text != NULL && pipe2(ends, O_CLOEXEC) == 0)) && (program->input == NULL || in != -1))
		end = converse(program, in, ends, text);
	saved = errno;
	for (int i = 0; i < 2; i++)
		if (ends[i] != -1)
			close(ends[i]);
	if (in != -1)
		close(in);
	if (end != HXB_PROGRAM_YES && end != HXB_PROGRAM_NO) {
		free(text);
		text = NULL;
	}
	if (textp != NULL)
		*textp = text;
	errno = saved;
	return end;
}

bool
hxb_program_ask(char *const argv[], size_t max, long milliseconds, char **textp)
{
	const struct hxb_program program = {
		.argv = argv, .words = HXB_WORDS_TAKEN, .max = max, .milliseconds = milliseconds
	};

	if (hxb_program_run(&program, textp) == HXB_PROGRAM_YES)
		return true;
	free(*textp);
	*textp = NULL;
	return false;
}
