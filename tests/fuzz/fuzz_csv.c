/* SPDX-License-Identifier: ISC */
/*
 * Files of guests and the letters that come of them: fields lie within their record, faults have a line, what
 * is read and written again reads the same; and nothing in a field adds a line to a mail or a tag to HTML.
 */
#include "fuzz.h"
#include "hexactl/csv.h"
#include "hexactl/letter.h"
#include "libhexabot/secret.h"

#define LETTERS 3 /* of a file: the first records */

static void
check_fields(const struct hxb_csv *csv)
{
	const char *end = csv->bytes + sizeof(csv->bytes);

	MUST(csv->count >= 1 && csv->count <= HXB_CSV_FIELDS);
	for (unsigned i = 0; i < csv->count; i++) {
		const char *field = csv->fields[i];

		MUST(
		    field >= csv->bytes && field < end && memchr(field, '\0', (size_t)(end - field)) != NULL);
		MUST(fuzz_is_utf8(field));
	}
}

/* The record, quoted, and read again. */
static void
check_again(const struct hxb_csv *csv)
{
	static struct hxb_csv copy;
	struct hxb_error error = { "" };
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	MUST(file != NULL);
	for (unsigned i = 0; i < csv->count; i++) {
		fputs(i > 0 ? ",\"" : "\"", file);
		for (const char *p = csv->fields[i]; *p != '\0'; p++) {
			if (*p == '"')
				putc('"', file);
			putc(*p, file);
		}
		putc('"', file);
	}
	MUST(fclose(file) == 0);
	file = fmemopen(text, size, "r");
	MUST(file != NULL);
	hxb_csv_open(&copy, file);
	if (size < HXB_CSV_RECORD) {
		MUST(hxb_csv_read(&copy, &error) == HXB_OK && copy.count == csv->count);
		for (unsigned i = 0; i < csv->count; i++)
			MUST(strcmp(copy.fields[i], csv->fields[i]) == 0);
		MUST(hxb_csv_read(&copy, &error) == HXB_NOT_FOUND);
	}
	fclose(file);
	free(text);
}

/* Every line ends with CRLF, and there is no other control character. */
static void
check_lines(const char *text)
{
	for (; *text != '\0'; text++) {
		if (text[0] == '\r') {
			MUST(text[1] == '\n');
			text++;
		} else {
			MUST((unsigned char)text[0] >= 0x20 && text[0] != 0x7f);
		}
	}
}

static unsigned
count_of(const char *text, char c)
{
	unsigned count = 0;

	for (; *text != '\0'; text++)
		count += *text == c;
	return count;
}

static void
check_letter(const struct hxb_csv *csv)
{
	struct hxb_letter letter = { "", "", "", NULL, NULL, NULL, NULL, 1800000000 }, plain;
	const char **places[] = { &letter.name, &letter.actor, &letter.host, &letter.link, &letter.login,
		&letter.ssh, &letter.code };
	char *subject, *text, *html, *tags;

	for (unsigned i = 0; i < csv->count && i < COUNT(places); i++)
		*places[i] = csv->fields[i];
	if (letter.login != NULL && letter.code == NULL)
		letter.ssh = letter.code = letter.login;
	plain = letter;
	plain.actor = plain.host = "x";
	plain.name = letter.name[0] != '\0' ? "x" : "";
	plain.link = letter.link != NULL ? "x" : NULL;
	if (letter.login != NULL)
		plain.login = plain.ssh = plain.code = "x";
	subject = hxb_letter_subject(&letter);
	text = hxb_letter_text(&letter);
	html = hxb_letter_html(&letter);
	tags = hxb_letter_html(&plain);
	MUST(subject != NULL && text != NULL && html != NULL && tags != NULL);
	for (const char *p = subject; *p != '\0'; p++)
		MUST(*p >= 0x20 && *p < 0x7f);
	check_lines(text);
	check_lines(html);
	MUST(fuzz_is_utf8(text) && fuzz_is_utf8(html));
	/* A name of nothing but what is left out may go with its words. */
	MUST(count_of(html, '<') <= count_of(tags, '<') && count_of(html, '"') <= count_of(tags, '"'));
	free(subject);
	hxb_secret_free(text);
	hxb_secret_free(html);
	hxb_secret_free(tags);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hxb_csv csv;
	struct hxb_error error = { "" };
	unsigned line = 0, lines = 1;
	size_t records = 0;
	enum hxb_result r;
	FILE *file;

	if (size == 0)
		return 0;
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	file = fmemopen((void *)(uintptr_t)data, size, "r");
	MUST(file != NULL);
	hxb_csv_open(&csv, file);
	while ((r = hxb_csv_read(&csv, &error)) != HXB_NOT_FOUND) {
		MUST(
		    r == HXB_OK || (r == HXB_INVALID && error.text[0] != '\0' && fuzz_printable(error.text)));
		MUST(csv.line > line && csv.line <= lines && ++records <= size);
		line = csv.line;
		if (r != HXB_OK)
			continue;
		check_fields(&csv);
		check_again(&csv);
		if (records <= LETTERS)
			check_letter(&csv);
	}
	fclose(file);
	return 0;
}
