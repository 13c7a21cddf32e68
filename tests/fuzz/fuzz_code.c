/* SPDX-License-Identifier: ISC */
/*
 * Codes as people type them: only what reads as 25 symbols of Crockford's base32 has a digest, every way to
 * type a code has the same one, and another code another one.
 */
#include "fuzz.h"
#include "libhexabot/token.h"

#define SYMBOLS 25

/* The symbols that a text stands for: false if they are not 25, or something else is there. */
static bool
read_code(const char *typed, char symbols[SYMBOLS + 1])
{
	static const char meaning[][2] = { { 'O', '0' }, { 'I', '1' }, { 'L', '1' } };
	size_t count = 0;

	for (; *typed != '\0'; typed++) {
		char c = *typed;

		if (c == '-' || c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		if (c >= 'a' && c <= 'z')
			c = (char)(c - 0x20);
		for (size_t i = 0; i < COUNT(meaning); i++)
			c = c == meaning[i][0] ? meaning[i][1] : c;
		if (count == SYMBOLS || !((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')) || c == 'U')
			return false;
		symbols[count++] = c;
	}
	symbols[count] = '\0';
	return count == SYMBOLS;
}

/* As the letter prints it, or in lower case with blanks. */
static void
print_code(const char symbols[SYMBOLS + 1], bool shout, char text[HXB_CODE_SIZE])
{
	char *end = text;

	for (size_t i = 0; i < SYMBOLS; i++) {
		if (i > 0 && i % 5 == 0)
			*end++ = shout ? '-' : ' ';
		*end++ = (char)(!shout && symbols[i] >= 'A' ? symbols[i] + 0x20 : symbols[i]);
	}
	*end = '\0';
}

static void
check_others(char symbols[SYMBOLS + 1], const unsigned char digest[HXB_CODE_DIGEST_SIZE])
{
	unsigned char other[HXB_CODE_DIGEST_SIZE];

	for (size_t i = 0; i < SYMBOLS; i++) {
		char kept = symbols[i];

		symbols[i] = kept == '7' ? 'Z' : '7';
		MUST(hxb_code_digest(symbols, other) && memcmp(other, digest, sizeof(other)) != 0);
		symbols[i] = kept;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char digest[HXB_CODE_DIGEST_SIZE], again[HXB_CODE_DIGEST_SIZE];
	char *text = fuzz_text(data, size), symbols[SYMBOLS + 1], printed[HXB_CODE_SIZE];
	bool good = read_code(text, symbols);

	MUST(hxb_code_digest(text, digest) == good);
	for (int shout = 0; good && shout < 2; shout++) {
		print_code(symbols, shout, printed);
		MUST(hxb_code_digest(printed, again) && memcmp(digest, again, sizeof(digest)) == 0);
	}
	if (good)
		check_others(symbols, digest);
	free(text);
	return 0;
}
