/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "result.h"

const char *
hxb_result_text(enum hxb_result r)
{
	switch (r) {
	case HXB_OK:
		return "done";
	case HXB_FAILED:
		return "failed";
	case HXB_INVALID:
		return "invalid";
	case HXB_AMBIGUOUS:
		return "ambiguous";
	case HXB_NOT_FOUND:
		return "not found";
	case HXB_REFUSED:
		return "refused";
	case HXB_NOT_SENT:
		return "mail not sent";
	case HXB_BUSY:
		return "busy";
	case HXB_UNREADABLE:
		return "unreadable";
	case HXB_CONFLICT:
		return "changed meanwhile";
	}
	return "unknown result";
}

/* Bytes of the control character that is there, in UTF-8; 0: none is. */
static size_t
control_size(const unsigned char *text)
{
	if (text[0] < 0x20 || text[0] == 0x7f)
		return 1;
	return text[0] == 0xc2 && text[1] >= 0x80 && text[1] < 0xa0 ? 2 : 0;
}

void
hxb_describe(struct hxb_error *error, const char *format, ...)
{
	va_list args;

	if (error != NULL) {
		va_start(args, format);
		if (vsnprintf(error->text, sizeof(error->text), format, args) < 0)
			error->text[0] = '\0';
		va_end(args);
		/* A database's words are its owner's: they must not end a line of the log, or move a
		 * terminal. */
		for (char *p = error->text; *p != '\0'; p++) {
			size_t size = control_size((const unsigned char *)p);

			if (size > 0)
				p = (char *)memset(p, '?', size) + size - 1;
		}
	}
}

enum hxb_result
hxb_fail_more(struct hxb_error *error, enum hxb_result r, const char *more)
{
	size_t length;

	if (error == NULL)
		return r;
	length = strlen(error->text);
	if (length + strlen(more) + sizeof("; ") <= sizeof(error->text))
		snprintf(error->text + length, sizeof(error->text) - length, "; %s", more);
	return r;
}
