/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "letter.h"
#include "libhexabot/secret.h"
#include "utf8.h"

#define WIDTH 72 /* columns of the plain text */
#define NAME_LIMIT 100 /* bytes */
#define WORD_LIMIT 255
#define BLOCKS_MAX 12

enum kind { PARAGRAPH, COMMAND, CODE, LINK };

/* What both forms of the letter are made of. */
struct block {
	enum kind kind;
	char *text;
};

struct composition {
	struct block blocks[BLOCKS_MAX];
	size_t count;
	bool failed;
};

const struct hxb_letter hxb_letter_sample = {
	.name = "Mona Lind",
	.actor = "lars",
	.host = "host.example.org",
	.login = "mona",
	.ssh = "ssh mona@host.example.org",
	.code = "7K3QF-2M9XA-W0RTC-58HBN-JD4VE",
	.link = "https://chat.example.org/reset/eyJhbGciOi...",
	.expires = 1796382000,
};

/* A copy without what could not be seen, or could move the rest; cut between characters. */
static char *
clean(const char *value, size_t limit)
{
	char *copy = calloc(1, limit + 1), *end = copy;
	uint32_t character;

	while (copy != NULL && *value != '\0') {
		size_t size = hxb_utf8_read(value, &character);
		bool shown = size != 0 && character >= 0x20 && (character < 0x7f || character >= 0xa0) &&
		    !hxb_utf8_misleading(character);

		if (shown && (size_t)(end - copy) + size > limit)
			break;
		if (shown)
			end = mempcpy(end, value, size);
		value += size != 0 ? size : 1;
	}
	return copy;
}

static void put(struct composition *, enum kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whatever is put in, a link of the configuration's included, adds no line and hides nothing. */
static void
put(struct composition *composition, enum kind kind, const char *format, ...)
{
	struct block *block = &composition->blocks[composition->count];
	char *text = NULL;
	va_list args;

	va_start(args, format);
	block->kind = kind;
	block->text = NULL;
	if (vasprintf(&text, format, args) != -1) {
		block->text = clean(text, strlen(text));
		hxb_secret_free(text);
	}
	if (block->text != NULL)
		composition->count++;
	else
		composition->failed = true;
	va_end(args);
}

static void
put_way_in(struct composition *composition, const struct hxb_letter *letter, const char *actor,
    const char *host, const char *login, const char *ssh)
{
	put(composition, PARAGRAPH,
	    "%s has given you an account on %s and in Hexabot. Your login is %s. To log in for the first "
	    "time, run:",
	    actor, host, login);
	put(composition, COMMAND, "%s", ssh);
	put(composition, PARAGRAPH, "When you are asked for a password, type this code:");
	put(composition, CODE, "%s", letter->code);
	put(composition, PARAGRAPH,
	    "Then choose a password of your own and type it twice. From then on it is your password on %s "
	    "and in "
	    "Hexabot. If you are asked for the current password in between, that is the code once more. If "
	    "the "
	    "connection is closed after that, run the command again and log in with your new password.",
	    host);
}

static void
compose(struct composition *composition, const struct hxb_letter *letter)
{
	char *name = clean(letter->name, NAME_LIMIT), *actor = clean(letter->actor, WORD_LIMIT),
	     *host = clean(letter->host, WORD_LIMIT),
	     *login = clean(letter->login != NULL ? letter->login : "", WORD_LIMIT),
	     *ssh = clean(letter->ssh != NULL ? letter->ssh : "", (size_t)2 * WORD_LIMIT);
	bool both = letter->login != NULL && letter->link != NULL;
	time_t expires = (time_t)letter->expires;
	char when[64] = "?";
	struct tm parts;

	*composition = (struct composition){ .count = 0 };
	composition->failed = name == NULL || actor == NULL || host == NULL || login == NULL || ssh == NULL;
	if (composition->failed)
		goto out;
	if (localtime_r(&expires, &parts) != NULL)
		(void)strftime(when, sizeof(when), "%A, %d %B %Y, %H:%M (UTC%z)", &parts);
	put(composition, PARAGRAPH, "Hello%s%s,", name[0] != '\0' ? " " : "", name);
	if (letter->login != NULL)
		put_way_in(composition, letter, actor, host, login, ssh);
	if (both)
		put(composition, PARAGRAPH, "Or choose your password in Hexabot's web page:");
	else if (letter->link != NULL)
		put(composition, PARAGRAPH,
		    "%s has given you an account in Hexabot. Choose your password on this page:", actor);
	if (letter->link != NULL)
		put(composition, LINK, "%s", letter->link);
	put(composition, PARAGRAPH,
	    "%s once, until %s. Please do not forward this mail: whoever has it can take the account.",
	    both                       ? "Code and link work"
	        : letter->link == NULL ? "The code works"
	                               : "The link works",
	    when);
	put(composition, PARAGRAPH,
	    "If you did not expect this mail, you can ignore it: the account can't be used without it.");
out:
	free(name);
	free(actor);
	free(host);
	free(login);
	free(ssh);
}

static void
discard(struct composition *composition)
{
	for (size_t i = 0; i < composition->count; i++)
		hxb_secret_free(composition->blocks[i].text);
	composition->count = 0;
}

/* Columns that the first `length` bytes take, near enough: characters. */
static size_t
columns(const char *text, size_t length)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

static void
wrap(FILE *out, const char *text)
{
	size_t used = 0;

	while (*text != '\0') {
		size_t length = strcspn(text, " "), width = columns(text, length);

		if (used > 0 && used + 1 + width > WIDTH) {
			fputs("\r\n", out);
			used = 0;
		} else if (used > 0) {
			putc(' ', out);
			used++;
		}
		fprintf(out, "%.*s", (int)length, text);
		used += width;
		text += length;
		text += strspn(text, " ");
	}
	fputs("\r\n", out);
}

static void
render_text(FILE *out, const struct composition *composition)
{
	for (size_t i = 0; i < composition->count; i++) {
		const struct block *block = &composition->blocks[i];

		if (i > 0)
			fputs("\r\n", out);
		if (block->kind == PARAGRAPH)
			wrap(out, block->text);
		else
			fprintf(out, "%s%s\r\n", block->kind == LINK ? "" : "    ", block->text);
	}
}

static void
escape(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			putc(*text, out);
		}
	}
}

static void
render_html(FILE *out, const struct composition *composition)
{
	static const char mono[] =
	    "<p style=\"margin: 0 0 1em 2em; font-family: monospace; font-size: 110%\">";

	fputs("<!DOCTYPE html>\r\n<html lang=\"en\">\r\n<head>\r\n<meta charset=\"utf-8\">\r\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\r\n"
	      "<title>Your account</title>\r\n</head>\r\n"
	      "<body style=\"font-family: sans-serif; line-height: 1.5; max-width: 40em; margin: 1em "
	      "auto\">\r\n",
	    out);
	for (size_t i = 0; i < composition->count; i++) {
		const struct block *block = &composition->blocks[i];

		fputs(block->kind == PARAGRAPH || block->kind == LINK ? "<p>" : mono, out);
		if (block->kind == LINK) {
			fputs("<a href=\"", out);
			escape(out, block->text);
			fputs("\">", out);
		}
		escape(out, block->text);
		fputs(block->kind == LINK ? "</a></p>\r\n" : "</p>\r\n", out);
	}
	fputs("</body>\r\n</html>\r\n", out);
}

static char *
render(const struct hxb_letter *letter, void (*form)(FILE *, const struct composition *))
{
	struct composition composition;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool failed = out == NULL;

	compose(&composition, letter);
	if (!failed && !composition.failed)
		form(out, &composition);
	failed = failed || composition.failed;
	if (out != NULL && fclose(out) == EOF)
		failed = true;
	discard(&composition);
	if (!failed)
		return text;
	hxb_secret_free(text);
	return NULL;
}

char *
hxb_letter_text(const struct hxb_letter *letter)
{
	return render(letter, render_text);
}

char *
hxb_letter_html(const struct hxb_letter *letter)
{
	return render(letter, render_html);
}

char *
hxb_letter_subject(const struct hxb_letter *letter)
{
	char host[101], *end = host, *subject;

	if (letter->login == NULL)
		return strdup("Your account in Hexabot");
	for (const char *c = letter->host; *c != '\0' && end < host + sizeof(host) - 1; c++)
		if (*c > 0x20 && *c < 0x7f)
			*end++ = *c;
	*end = '\0';
	return asprintf(&subject, "Your account on %s", host) != -1 ? subject : NULL;
}
