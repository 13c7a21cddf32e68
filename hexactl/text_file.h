/* SPDX-License-Identifier: ISC */
/* Small text files of the host's configuration, read whole. */
#ifndef HXB_TEXT_FILE_H
#define HXB_TEXT_FILE_H

#include <stddef.h>

#include "libhexabot/result.h"

/*
 * Reads a regular file of at most `max` bytes; links are followed, as the programs that it is for do. *textp
 * ends with a NUL and is the caller's to free; NULL unless HXB_OK. HXB_NOT_FOUND: no such file.
 * HXB_UNREADABLE names the path: too long, not a file, a NUL inside.
 */
enum hxb_result hxb_text_read(const char *path, size_t max, char **textp, struct hxb_error *error);

/*
 * Takes the next line off *cursor, and ends it with a NUL in place of its newline. NULL at the end.
 */
char *hxb_text_line(char **cursor);

#endif
