/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>

#include "csv.h"
#include "utf8.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

void
hxb_csv_open(struct hxb_csv *csv, FILE *file)
{
	memset(csv, 0, sizeof(*csv));
	csv->file = file;
	csv->next_line = 1;
}

/* Passes over the rest of the line whose byte `c` was the last one read. */
static void
skip_line(struct hxb_csv *csv, int c)
{
	while (c != '\n' && c != EOF)
		c = getc(csv->file);
	csv->next_line++;
}

static bool
is_mark(const char *bytes, size_t length)
{
	return length == strlen(BYTE_ORDER_MARK) && memcmp(bytes, BYTE_ORDER_MARK, length) == 0;
}

/*
 * Takes the bytes of one record, without its line end; none of a comment. Its quotes are taken, too: whether
 * a line end belongs to a field is all that they tell here, and only in a field that begins with one.
 */
static enum hxb_result
take_record(struct hxb_csv *csv, struct hxb_error *error)
{
	size_t length = 0;
	int c, first = '\0'; /* of the field, blanks aside */
	bool quoted = false;

	csv->line = csv->next_line;
	for (;;) {
		c = getc(csv->file);
		if (c == EOF && ferror(csv->file))
			return hxb_fail(error, HXB_FAILED, "the file can't be read: %m");
		if (c == EOF && length == 0)
			return HXB_NOT_FOUND;
		if (c == EOF && quoted)
			return hxb_fail(error, HXB_INVALID, "a quote that does not end");
		if (c == EOF || (c == '\n' && !quoted))
			break;
		if (c == '\0' || length + 1 == sizeof(csv->bytes)) {
			skip_line(csv, c);
			return c == '\0' ? hxb_fail(error, HXB_INVALID, "a NUL byte; save the file as UTF-8")
			                 : hxb_fail(error, HXB_INVALID,
			                       "a record of more than %d bytes; is a closing quote missing?",
			                       HXB_CSV_RECORD);
		}
		if (c == '#' && length == 0)
			break;
		if (c == ',' && !quoted)
			first = '\0';
		else if (first == '\0' && c != ' ' && c != '\t')
			first = c;
		if (c == '"' && first == '"')
			quoted = !quoted;
		if (c == '\n')
			csv->next_line++;
		csv->bytes[length++] = (char)c;
		if (csv->line == 1 && is_mark(csv->bytes, length)) {
			length = 0;
			first = '\0';
		}
	}
	skip_line(csv, c);
	if (length > 0 && csv->bytes[length - 1] == '\r')
		length--;
	csv->bytes[length] = '\0';
	return HXB_OK;
}

static bool
is_utf8(const char *text)
{
	uint32_t character;

	for (size_t size; *text != '\0'; text += size)
		if ((size = hxb_utf8_read(text, &character)) == 0)
			return false;
	return true;
}

/* Unquotes in place a field that begins with a quote. Returns what follows the closing one. */
static char *
unquote(char *text)
{
	char *end = text, *from = text + 1;

	while (*from != '\0' && (*from != '"' || from[1] == '"')) {
		if (*from == '"')
			from++;
		*end++ = *from++;
	}
	/* The quotes of such a field are even in number, so there is a closing one. */
	from += *from == '"';
	*end = '\0';
	return from;
}

/* Ends a field without quotes before its trailing blanks. Returns what follows them. */
static char *
bare(char *text)
{
	char *end = text + strcspn(text, ",");

	for (char *last = end; last > text && (last[-1] == ' ' || last[-1] == '\t'); last--)
		last[-1] = '\0';
	return end;
}

static enum hxb_result
split(struct hxb_csv *csv, char *rest, struct hxb_error *error)
{
	char separator;

	csv->count = 0;
	do {
		char *field = rest + strspn(rest, " \t");

		if (csv->count == HXB_CSV_FIELDS)
			return hxb_fail(error, HXB_INVALID, "more than %d fields", HXB_CSV_FIELDS);
		csv->fields[csv->count++] = field;
		rest = *field == '"' ? unquote(field) : bare(field);
		rest += strspn(rest, " \t");
		separator = *rest;
		if (separator != ',' && separator != '\0')
			return hxb_fail(error, HXB_INVALID,
			    "text behind a closing quote; double each quote inside of a field");
		*rest++ = '\0';
	} while (separator == ',');
	return HXB_OK;
}

enum hxb_result
hxb_csv_read(struct hxb_csv *csv, struct hxb_error *error)
{
	enum hxb_result r;

	while ((r = take_record(csv, error)) == HXB_OK) {
		char *text = csv->bytes;

		if (text[strspn(text, " \t")] == '\0')
			continue;
		return is_utf8(text) ? split(csv, text, error)
		                     : hxb_fail(error, HXB_INVALID, "not UTF-8; save the file as UTF-8");
	}
	return r;
}
