/* SPDX-License-Identifier: ISC */
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "libhexabot/secret.h"
#include "print.h"
#include "utf8.h"

#define ESCAPED_MAX 10 /* bytes of the longest escape, "\u{10ffff}" */

void
hxb_print_prepare(void)
{
	bool utf8 = setlocale(LC_CTYPE, "") != NULL && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;

	/* No more of it than that: in a Turkish one strcasecmp(3) tells MAIL from mail, a reserved name. */
	if (!utf8 || setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		(void)setlocale(LC_CTYPE, "C");
}

/* Appends one character, or its escape; returns how many bytes of the text were used. */
static size_t
put(const char *text, char **end, size_t *columns)
{
	uint32_t character = 0;
	size_t size = hxb_utf8_read(text, &character);
	int width = size != 0 ? wcwidth((wchar_t)character) : -1;
	int length;

	if (width >= 0 && !hxb_utf8_misleading(character)) {
		memcpy(*end, text, size);
		*end += size;
		*columns += (size_t)width;
		return size;
	}
	if (size <= 1)
		length = snprintf(*end, ESCAPED_MAX + 1, "\\x%02x", (unsigned)(unsigned char)text[0]);
	else
		length = snprintf(*end, ESCAPED_MAX + 1, "\\u{%x}", character);
	*end += length;
	*columns += (size_t)length;
	return size != 0 ? size : 1;
}

char *
hxb_printable(const char *text, size_t *width)
{
	size_t columns = 0;
	char *printable, *end;

	if ((printable = calloc(strlen(text) + 1, ESCAPED_MAX)) == NULL)
		return NULL;
	for (end = printable; *text != '\0';)
		text += put(text, &end, &columns);
	*end = '\0';
	if (width != NULL)
		*width = columns;
	return printable;
}

static void __attribute__((format(printf, 3, 0)))
line(FILE *file, const char *prefix, const char *format, va_list args)
{
	char *text = NULL, *printable = NULL;

	if (vasprintf(&text, format, args) == -1)
		text = NULL;
	else
		printable = hxb_printable(text, NULL);
	fprintf(file, "%s%s\n", prefix, printable != NULL ? printable : "out of memory");
	/* With --print there are codes in it. */
	hxb_secret_free(printable);
	hxb_secret_free(text);
}

void
hxb_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line(stdout, "", format, args);
	va_end(args);
}

void
hxb_complain(const char *format, ...)
{
	va_list args;

	/* What was said before comes before, also where both go to one pipe. */
	fflush(stdout);
	va_start(args, format);
	line(stderr, "hexactl: ", format, args);
	va_end(args);
}

const char *
hxb_plural(unsigned count)
{
	return count == 1 ? "" : "s";
}

bool
hxb_colours(FILE *file)
{
	const char *term = getenv("TERM");

	return isatty(fileno(file)) && getenv("NO_COLOR") == NULL && term != NULL && term[0] != '\0' &&
	    strcmp(term, "dumb") != 0;
}
