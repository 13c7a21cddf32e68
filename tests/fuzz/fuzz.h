/* SPDX-License-Identifier: ISC */
/*
 * What the fuzz targets share. Each is one file with one LLVMFuzzerTestOneInput() (libFuzzer's), built twice:
 * with libFuzzer for `make fuzz`, and with replay.c, which runs the kept corpus in `make check`. Besides
 * "no crash" each says with MUST() what has to hold, from a reading of the documents and not of the product.
 */
#ifndef HXB_FUZZ_H
#define HXB_FUZZ_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether this is replay.c, which has time for what libFuzzer would rather vary. */
extern bool fuzz_replaying;

/* Ends the process with a line that says what does not hold. */
#define MUST(condition) \
	do { \
		if (!(condition)) \
			fuzz_finding(__FILE__, __LINE__, #condition); \
	} while (0)
_Noreturn void fuzz_finding(const char *file, int line, const char *condition);

/* The input as a string, in a block that ends with it. What follows a NUL inside is there, too. */
char *fuzz_text(const uint8_t *data, size_t size);

/* Takes the next line off the text and ends it with a NUL in place of its '\n'. NULL: there is none. */
char *fuzz_line(char **text);

/* Takes the next word off the line; "" at its end. */
char *fuzz_word(char **line);

/* Decimal digits; 0 where there are none or too many. */
uint32_t fuzz_number(const char *text);

/* Whether there are only printable characters, ASCII or not, before the NUL. */
bool fuzz_printable(const char *text);
bool fuzz_is_utf8(const char *text);

/* A descriptor with these bytes, at its beginning; and a name for it that open(2) takes. */
int fuzz_file(const void *bytes, size_t size);
const char *fuzz_file_name(int fd);
void fuzz_write_file(const char *path, const void *bytes, size_t size, mode_t mode);

/* Whether files that only root's programs read can be made: root, in a build with a state directory of its
 * own. Targets that need it do nothing without, and fuzz_skipped says so. Makes the directory. */
bool fuzz_has_state_dir(void);
extern bool fuzz_skipped;

/* What no call may leave changed in its caller. */
struct fuzz_standing {
	uid_t uids[4];
	gid_t gids[4];
	sigset_t signals;
	uint64_t descriptors;
};
struct fuzz_standing fuzz_standing(void);
void fuzz_same_standing(const struct fuzz_standing *before);

#endif
