/* SPDX-License-Identifier: ISC */
/*
 * Text for people. Names in the store are anybody's choice: whatever could move the cursor, colour, reorder
 * or hide text on a terminal is written as \xNN (a byte) or \u{NNNN} (a character). Everything hexactl prints
 * goes through here or, as JSON, through output.c.
 */
#ifndef HXB_PRINT_H
#define HXB_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Takes the encoding of the user's locale: where it isn't UTF-8, every character beyond ASCII is escaped.
 * Once, at the start. */
void hxb_print_prepare(void);

/* Makes text safe to print. *width (where not NULL) is set to its columns. NULL if there is no memory; the
 * caller frees. */
char *hxb_printable(const char *text, size_t *width);

/* One line to standard output. */
void hxb_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One line to standard error, with "hexactl: " before it. */
void hxb_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The ending of a word that is counted: "" or "s". */
const char *hxb_plural(unsigned count);

/* Whether colours are welcome: a terminal, no NO_COLOR, no TERM=dumb. */
bool hxb_colours(FILE *file);

#endif
