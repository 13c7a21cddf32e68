/* SPDX-License-Identifier: ISC */
/* Runs another program: with what it is to read, until it has said all, and no longer than told. */
#ifndef HXB_PROGRAM_H
#define HXB_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

/* What becomes of what it says. */
enum hxb_program_words {
	HXB_WORDS_LOST,
	HXB_WORDS_SHOWN, /* both of its outputs are our standard error */
	HXB_WORDS_TAKEN, /* its standard output; what it says to standard error is lost */
	HXB_WORDS_ALL_TAKEN, /* both */
};

struct hxb_program {
	char *const *argv; /* argv[0]: an absolute path */
	const char *input; /* what it reads from standard input; NULL: nothing */
	enum hxb_program_words words;
	size_t max; /* bytes that are taken; who says more is ended */
	long milliseconds; /* until it is ended; 0: it takes what it takes */
};

enum hxb_program_end {
	HXB_PROGRAM_YES, /* exit status 0 */
	HXB_PROGRAM_NO, /* another one */
	HXB_PROGRAM_CUT, /* it took too long or said too much, and was killed with what it had started */
	HXB_PROGRAM_ABSENT, /* it could not be started: errno */
};

/*
 * Its environment is PATH and LC_ALL=C, no signal is blocked or ignored for our sake. Words that were taken
 * of a program that ended by itself are *textp, ended by a NUL, and the caller's to free; else that is NULL.
 */
enum hxb_program_end hxb_program_run(const struct hxb_program *program, char **textp);

/* The usual: true if it says yes, *textp is its standard output then, and NULL else. */
bool hxb_program_ask(char *const argv[], size_t max, long milliseconds, char **textp);

#endif
