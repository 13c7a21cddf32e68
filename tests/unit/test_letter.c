/* SPDX-License-Identifier: ISC */
/* What goes into a mail, and what comes from a file: addresses, records, the letter's words. */
#include "hexactl/address.h"
#include "hexactl/csv.h"
#include "hexactl/letter.h"
#include "libhexabot/secret.h"
#include "support.h"

static void
one_address_and_nothing_else(void **state)
{
	static const char *const good[] = { "a@b", "mona@example.org", "Mona.Lind+work@Example.ORG",
		"o'neil!#$%&*/=?^_`{|}~-@x.org",
		("\xc3\xa9mile@b\xc3\xbc"
		 "cher.example"),
		"x@xn--bcher-kva.example" };
	static const char *const bad[] = { "", "@", "a@", "@b", "a", "a@b@c", "a b@c", "a@b c", " a@b",
		"a@b ", "a@b,c@d", "<a@b>", "A <a@b>", "\"a\"@b", "a\"b@c", "a\\b@c", "a(b)@c", "a;b@c",
		"a:b@c", "a@[127.0.0.1]", ".a@b", "a.@b", "a..b@c", "a@.b", "a@b.", "a@b..c", "a@-b", "a@b-",
		"a@b.-c", "a@b-.c", "a@b_c", "a\r\nBcc: x@y", "a@b\r\n", "a\t@b", "a\x7f@b", "a@127.0.0.1",
		("a@b\xe3\x80\x82"
		 "c"),
		"a\xff@b", "a@b\xc3", "a\xc2\x85@b",
		("a\xe2\x80\xae"
		 "b@c"),
		"a\xe2\x80\x8b@b", "a\xef\xbb\xbf@b" };
	char longest[320];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_ok(hxb_address_check(good[i], &err));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_result(hxb_address_check(bad[i], &err), HXB_INVALID);
	snprintf(longest, sizeof(longest), "%064d@x", 0);
	assert_ok(hxb_address_check(longest, &err));
	snprintf(longest, sizeof(longest), "%065d@x", 0);
	assert_result(hxb_address_check(longest, &err), HXB_INVALID);
	snprintf(longest, sizeof(longest), "a@%063d.%063d.%063d.%058dxy", 0, 0, 0, 0);
	assert_int_equal(strlen(longest), HXB_ADDRESS_MAX);
	assert_ok(hxb_address_check(longest, &err));
	snprintf(longest, sizeof(longest), "a@%063d.%063d.%063d.%059dxy", 0, 0, 0, 0);
	assert_result(hxb_address_check(longest, &err), HXB_INVALID);
	snprintf(longest, sizeof(longest), "a@%063dx", 0);
	assert_result(hxb_address_check(longest, &err), HXB_INVALID);
}

static void
an_address_suggests_a_login(void **state)
{
	static const char *const cases[][2] = { { "mona@x", "mona" }, { "Mona.Lind+work@x", "mona.lind" },
		{ "_a-1@x", "_a-1" }, { "1a@x", NULL }, { "+a@x", NULL }, { "a'b@x", NULL },
		{ "\xc3\xa9mile@x", NULL }, { "-a@x", NULL },
		{ "a123456789012345678901234567890z@x", "a123456789012345678901234567890z" },
		{ "a1234567890123456789012345678901z@x", NULL } };
	char login[HXB_LOGIN_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(hxb_address_login(cases[i][0], login), cases[i][1] != NULL);
		if (cases[i][1] != NULL)
			assert_string_equal(login, cases[i][1]);
	}
}

/* The records as "field|field;", faults as "!line;". */
static void
check_csv(const char *text, size_t size, const char *expected)
{
	static struct hxb_csv csv;
	char found[512] = "";
	FILE *file = fmemopen((char *)(uintptr_t)text, size, "r");
	enum hxb_result r;

	assert_non_null(file);
	hxb_csv_open(&csv, file);
	while ((r = hxb_csv_read(&csv, &err)) != HXB_NOT_FOUND) {
		size_t used = strlen(found);

		if (r == HXB_INVALID) {
			snprintf(found + used, sizeof(found) - used, "!%u;", csv.line);
			continue;
		}
		assert_ok(r);
		for (unsigned i = 0; i < csv.count; i++) {
			used = strlen(found);
			snprintf(found + used, sizeof(found) - used, "%s%s", csv.fields[i],
			    i + 1 < csv.count ? "|" : ";");
		}
	}
	fclose(file);
	assert_string_equal(found, expected);
}

static void
records_are_read_as_rfc_4180_has_them(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "a,b\nc\n", "a|b;c;" },
		{ "a,b\r\nc", "a|b;c;" },
		{ ("\xef\xbb\xbf"
		   "a\n"),
		    "a;" },
		{ " a , b c \t,\n", "a|b c|;" },
		{ ",\n", "|;" },
		{ "\"a,b\" , \"c\"\n", "a,b|c;" },
		{ "\"a \"\"b\"\"\",\"\"\n", "a \"b\"|;" },
		{ "\"a\nb\",c\nd\n", "a\nb|c;d;" },
		{ "# no\n\n  \t\n\r\na\n", "a;" },
		{ "# don't write 5\"\na\n", "a;" },
		{ "a,b\"c\nd\n", "a|b\"c;d;" },
		{ "\"a\" b,c\nd\n", "!1;d;" },
		{ "a\n\"b\nc\n", "a;!2;" },
		{ "a\xff\nb\n", "!1;b;" },
		{ "\"a\nb\"\n\xff\n", "a\nb;!3;" },
		{ "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16\n", "1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16;" },
		{ "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17\nb\n", "!1;b;" },
	};
	static char big[2 * HXB_CSV_RECORD];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_csv(cases[i].text, strlen(cases[i].text), cases[i].expected);
	check_csv("a\0b\nc\n", 6, "!1;c;");
	memset(big, 'x', sizeof(big));
	big[HXB_CSV_RECORD] = '\n';
	big[HXB_CSV_RECORD + 1] = 'b';
	check_csv(big, HXB_CSV_RECORD + 2, "!1;b;");
}

/* Every byte and every beginning of this, in any place. */
static void
no_file_of_guests_does_harm(void **state)
{
	static const char text[] = "\xef\xbb\xbf"
	                           "a,\"b \"\"c\"\"\",\r\n#d\n\"e\nf\" ,g\n";
	static struct hxb_csv csv;
	char copy[sizeof(text)];
	FILE *file;

	(void)state;
	for (size_t at = 0; at < sizeof(text) - 1; at++) {
		for (int byte = 0; byte < 256; byte++) {
			memcpy(copy, text, sizeof(text));
			copy[at] = (char)byte;
			file = fmemopen(copy, byte == 0 ? at + 1 : sizeof(text) - 1, "r");
			assert_non_null(file);
			hxb_csv_open(&csv, file);
			for (int i = 0; hxb_csv_read(&csv, NULL) != HXB_NOT_FOUND; i++) {
				assert_true(i < 32);
				for (unsigned k = 0; k < csv.count; k++)
					assert_true(csv.fields[k] + strlen(csv.fields[k]) <
					    csv.bytes + sizeof(csv.bytes));
			}
			fclose(file);
		}
	}
}

static void
a_letter_says_the_same_in_both_forms(void **state)
{
	struct hxb_letter letter = hxb_letter_sample;
	char *text = hxb_letter_text(&letter), *html = hxb_letter_html(&letter),
	     *subject = hxb_letter_subject(&letter);
	const char *const parts[] = { letter.name, letter.actor, letter.host, letter.login, letter.ssh,
		letter.code, letter.link };

	(void)state;
	assert_string_equal(subject, "Your account on host.example.org");
	for (size_t i = 0; i < COUNT(parts); i++) {
		assert_contains(text, parts[i]);
		assert_contains(html, parts[i]);
	}
	assert_contains(text, "\r\n    ssh mona@host.example.org\r\n");
	assert_contains(html, "<a href=\"https://chat.example.org/reset/");
	for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
		assert_true(strcspn(line, "\r\n") <= 76);
		assert_int_equal(line[strcspn(line, "\r\n")], '\r');
	}
	free(subject);
	hxb_secret_free(text);
	hxb_secret_free(html);
	letter.login = NULL;
	text = hxb_letter_text(&letter);
	subject = hxb_letter_subject(&letter);
	assert_null(strstr(text, letter.code));
	assert_null(strstr(text, "ssh"));
	assert_contains(text, letter.link);
	assert_string_equal(subject, "Your account in Hexabot");
	free(subject);
	hxb_secret_free(text);
}

static void
nobody_writes_into_a_letter(void **state)
{
	struct hxb_letter letter = hxb_letter_sample;
	char evil[2048], *text, *html, *subject;

	(void)state;
	snprintf(evil, sizeof(evil), "Eve\r\nBcc: z@x\x1b[31m \xe2\x80\xae\xff<script>\"&' %01000d", 0);
	letter.name = letter.actor = letter.host = letter.login = letter.ssh = letter.code = letter.link =
	    evil;
	text = hxb_letter_text(&letter);
	html = hxb_letter_html(&letter);
	subject = hxb_letter_subject(&letter);
	assert_null(strstr(text, "\nBcc"));
	assert_null(strchr(text, '\x1b'));
	assert_null(strstr(text, "\xe2\x80\xae"));
	assert_null(strchr(text, '\xff'));
	assert_null(strstr(html, "<script"));
	assert_contains(html, "&lt;script&gt;&quot;&amp;&#39;");
	assert_null(strpbrk(subject, "\r\n"));
	assert_true(strlen(subject) <= 120);
	assert_true(strlen(text) < 8000);
	free(subject);
	hxb_secret_free(text);
	hxb_secret_free(html);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_address_and_nothing_else),
		cmocka_unit_test(an_address_suggests_a_login),
		cmocka_unit_test(records_are_read_as_rfc_4180_has_them),
		cmocka_unit_test(no_file_of_guests_does_harm),
		cmocka_unit_test(a_letter_says_the_same_in_both_forms),
		cmocka_unit_test(nobody_writes_into_a_letter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
