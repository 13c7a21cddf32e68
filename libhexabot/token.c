/* SPDX-License-Identifier: ISC */
#include <string.h>

#include <sodium.h>

#include "secret.h"
#include "token.h"

#define CODE_SYMBOLS 25
#define GROUP 5 /* symbols between two hyphens */

enum hxb_result
hxb_token_ready(struct hxb_error *error)
{
	if (sodium_init() < 0)
		return hxb_fail(error, HXB_FAILED, "no source of randomness");
	return HXB_OK;
}

enum hxb_result
hxb_nonce(char nonce[HXB_NONCE_SIZE], struct hxb_error *error)
{
	unsigned char bytes[(HXB_NONCE_SIZE - 1) / 2];

	if (hxb_token_ready(error) != HXB_OK)
		return HXB_FAILED;
	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2hex(nonce, HXB_NONCE_SIZE, bytes, sizeof(bytes));
	return HXB_OK;
}

enum hxb_result
hxb_uuid(char uuid[HXB_UUID_SIZE], struct hxb_error *error)
{
	unsigned char bytes[16];
	char hex[33];

	if (hxb_token_ready(error) != HXB_OK)
		return HXB_FAILED;
	randombytes_buf(bytes, sizeof(bytes));
	bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* version 4 */
	bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80); /* variant 1 */
	sodium_bin2hex(hex, sizeof(hex), bytes, sizeof(bytes));
	memcpy(uuid, hex, 8);
	uuid[8] = '-';
	memcpy(uuid + 9, hex + 8, 4);
	uuid[13] = '-';
	memcpy(uuid + 14, hex + 12, 4);
	uuid[18] = '-';
	memcpy(uuid + 19, hex + 16, 4);
	uuid[23] = '-';
	memcpy(uuid + 24, hex + 20, 13);
	return HXB_OK;
}

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

enum hxb_result
hxb_code_make(char code[HXB_CODE_SIZE], struct hxb_error *error)
{
	unsigned char bytes[CODE_SYMBOLS];
	char *end = code;

	if (hxb_token_ready(error) != HXB_OK)
		return HXB_FAILED;
	randombytes_buf(bytes, sizeof(bytes));
	for (size_t i = 0; i < CODE_SYMBOLS; i++) {
		if (i > 0 && i % GROUP == 0)
			*end++ = '-';
		*end++ = crockford[bytes[i] & 31];
	}
	*end = '\0';
	HXB_WIPE(bytes);
	return HXB_OK;
}

/* The symbol that a typed character stands for, or NUL. */
static char
symbol_of(char typed)
{
	char upper = (char)(typed >= 'a' && typed <= 'z' ? typed - 'a' + 'A' : typed);

	if (upper == 'O')
		return '0';
	if (upper == 'I' || upper == 'L')
		return '1';
	return (char)(upper != '\0' && strchr(crockford, upper) != NULL ? upper : '\0');
}

bool
hxb_code_digest(const char *typed, unsigned char digest[HXB_CODE_DIGEST_SIZE])
{
	unsigned char symbols[CODE_SYMBOLS];
	size_t count = 0;
	bool good = true;

	for (; good && *typed != '\0'; typed++) {
		if (strchr("- \t\r\n", *typed) != NULL)
			continue;
		good = count < CODE_SYMBOLS && symbol_of(*typed) != '\0';
		if (good)
			symbols[count++] = (unsigned char)symbol_of(*typed);
	}
	good = good && count == CODE_SYMBOLS;
	/* Cannot fail: see hxb_id_hash(). */
	if (good)
		crypto_generichash(digest, HXB_CODE_DIGEST_SIZE, symbols, sizeof(symbols), NULL, 0);
	HXB_WIPE(symbols);
	return good;
}

void
hxb_id_hash(const char *id, unsigned char hash[HXB_ID_HASH_SIZE])
{
	/* Cannot fail: the sizes are within the library's bounds, and no key is given. */
	crypto_generichash(hash, HXB_ID_HASH_SIZE, (const unsigned char *)id, strlen(id), NULL, 0);
}

uint64_t
hxb_id_hash_digest(const unsigned char hash[HXB_ID_HASH_SIZE])
{
	uint64_t digest = 0;

	for (size_t i = 0; i < sizeof(digest); i++)
		digest |= (uint64_t)hash[i] << (8 * i);
	return digest;
}

uint64_t
hxb_id_digest(const char *id)
{
	unsigned char hash[HXB_ID_HASH_SIZE];

	hxb_id_hash(id, hash);
	return hxb_id_hash_digest(hash);
}

uint64_t
hxb_quick_digest(const void *data, size_t size)
{
	static const unsigned char key[crypto_shorthash_KEYBYTES] = { 0 };
	uint64_t digest;

	_Static_assert(sizeof(digest) == crypto_shorthash_BYTES, "SipHash has 64 bits");
	crypto_shorthash((unsigned char *)&digest, data, size, key);
	return digest;
}
