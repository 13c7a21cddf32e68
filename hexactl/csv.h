/* SPDX-License-Identifier: ISC */
/*
 * Records of comma-separated fields (RFC 4180): a field may be quoted, and then hold commas, line ends and
 * doubled quotes. LF or CRLF ends a record; a byte order mark, empty lines and lines that begin with '#' are
 * passed over; blanks around an unquoted field are not part of it.
 */
#ifndef HXB_CSV_H
#define HXB_CSV_H

#include <stdbool.h>
#include <stdio.h>

#include "libhexabot/result.h"

#define HXB_CSV_FIELDS 16 /* of a record, at most */
#define HXB_CSV_RECORD 8192 /* bytes of a record, at most */

struct hxb_csv {
	FILE *file;
	unsigned line; /* of the record's first byte, from 1 */
	unsigned next_line;
	char bytes[HXB_CSV_RECORD];
	char *fields[HXB_CSV_FIELDS]; /* into bytes; good until the next record */
	unsigned count;
};

/* Begins with the file's next byte. */
void hxb_csv_open(struct hxb_csv *, FILE *file);

/*
 * Reads the next record. HXB_NOT_FOUND: there is none. HXB_INVALID with the reason: a quote that does not
 * end, text behind a closing quote, a NUL, bytes that are no UTF-8, too many fields or bytes; the rest of
 * that line is passed over, and the next record can be read. HXB_FAILED: the file can't be read.
 */
enum hxb_result hxb_csv_read(struct hxb_csv *, struct hxb_error *error);

#endif
