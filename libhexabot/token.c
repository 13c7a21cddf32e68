/* SPDX-License-Identifier: ISC */
#include <string.h>

#include <sodium.h>

#include "token.h"

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

uint64_t
hxb_id_digest(const char *id)
{
	unsigned char bytes[crypto_generichash_BYTES_MIN];
	uint64_t digest = 0;

	/* Cannot fail: the sizes are within the library's bounds, and no key is given. */
	crypto_generichash(bytes, sizeof(bytes), (const unsigned char *)id, strlen(id), NULL, 0);
	for (size_t i = 0; i < sizeof(digest); i++)
		digest |= (uint64_t)bytes[i] << (8 * i);
	return digest;
}
