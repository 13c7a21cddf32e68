/* SPDX-License-Identifier: ISC */
/* Asks another program something, and waits no longer for its answer than told. */
#ifndef HXB_PROGRAM_H
#define HXB_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Runs argv[0], an absolute path, with our environment and without input; what it says to standard error is
 * lost. True if it ended with status 0 within so many milliseconds and said no more than `max` bytes: then
 * *textp is what it said, ended by a NUL, and the caller's to free. Else it is killed, and *textp is NULL.
 */
bool hxb_program_ask(char *const argv[], size_t max, long milliseconds, char **textp);

#endif
