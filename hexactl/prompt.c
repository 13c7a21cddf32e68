/* SPDX-License-Identifier: ISC */
/*
 * Invariant: whatever ends the prompt, the terminal echoes again. A signal is only noted, and raised anew
 * once the terminal is as it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "prompt.h"

static volatile sig_atomic_t caught;

static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP };
enum { SIGNAL_COUNT = sizeof(signals) / sizeof(signals[0]) };

static void
note(int signal)
{
	caught = signal;
}

/* What was before the prompt. */
struct before {
	struct sigaction actions[SIGNAL_COUNT];
	sigset_t mask;
};

/* They are let in only where the prompt waits: one that came a moment earlier would not end a read(2). */
static void
catch_signals(struct before *before)
{
	struct sigaction action = { .sa_handler = note };
	sigset_t blocked;

	caught = 0;
	sigemptyset(&blocked);
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		sigaddset(&blocked, signals[i]);
	sigprocmask(SIG_BLOCK, &blocked, &before->mask);
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		sigaction(signals[i], &action, &before->actions[i]);
}

static void
restore_signals(const struct before *before)
{
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		sigaction(signals[i], &before->actions[i], NULL);
	sigprocmask(SIG_SETMASK, &before->mask, NULL);
	if (caught != 0)
		raise(caught);
}

/* Waits for a byte, or with `mask` for one of its signals, and reads it. */
static ssize_t
read_byte(int fd, const sigset_t *mask, char *c)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	if (mask != NULL && ppoll(&ready, 1, NULL, mask) == -1)
		return -1;
	return read(fd, c, 1);
}

/* One line, byte by byte: what follows it is somebody else's. */
static enum hxb_result
read_line(int fd, const sigset_t *mask, char password[HXB_PASSWORD_BUFFER], struct hxb_error *error)
{
	size_t used = 0;
	ssize_t got;
	char c = '\0';

	while ((got = read_byte(fd, mask, &c)) == 1 && c != '\n') {
		if (c == '\0')
			return hxb_fail(error, HXB_INVALID, "the password holds a NUL byte");
		if (used + 1 >= HXB_PASSWORD_BUFFER)
			return hxb_fail(error, HXB_INVALID, "the password is too long");
		password[used++] = c;
	}
	explicit_bzero(&c, sizeof(c));
	password[used] = '\0';
	if (got == -1)
		return hxb_fail(error, HXB_FAILED, "the password was not read: %s",
		    errno == EINTR ? "interrupted" : strerror(errno));
	return HXB_OK;
}

static void
write_all(int fd, const char *text)
{
	size_t size = strlen(text);

	while (size > 0) {
		ssize_t put = write(fd, text, size);

		if (put == -1)
			return;
		text += put;
		size -= (size_t)put;
	}
}

enum hxb_result
hxb_prompt_password(const char *question, char password[HXB_PASSWORD_BUFFER], struct hxb_error *error)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct before before;
	struct termios echoing, silent;
	enum hxb_result r;

	if (fd == -1 || tcgetattr(fd, &echoing) == -1) {
		if (fd != -1)
			close(fd);
		return hxb_fail(error, HXB_INVALID, "there is no terminal to ask on; use --stdin");
	}
	catch_signals(&before);
	silent = echoing;
	silent.c_lflag &= (tcflag_t) ~(ECHO | ECHOE | ECHOK | ECHONL);
	if (tcsetattr(fd, TCSAFLUSH, &silent) == -1) {
		r = hxb_fail(error, HXB_FAILED, "the terminal's echo can't be turned off: %m");
	} else {
		write_all(fd, question);
		r = read_line(fd, &before.mask, password, error);
		write_all(fd, "\n");
		tcsetattr(fd, TCSAFLUSH, &echoing);
	}
	close(fd);
	restore_signals(&before);
	return r;
}

enum hxb_result
hxb_read_password(char password[HXB_PASSWORD_BUFFER], struct hxb_error *error)
{
	return read_line(STDIN_FILENO, NULL, password, error);
}
