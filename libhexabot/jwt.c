/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "jwt.h"
#include "secret.h"
#include "token.h"

#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define EMAIL_MAX 512 /* bytes */
#define URL_SAFE sodium_base64_VARIANT_URLSAFE_NO_PADDING

static bool
needs_escaping(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
		if (*c < 0x20 || *c == '"' || *c == '\\' || *c == 0x7f)
			return true;
	return false;
}

static void
sign(const char *text, const char *key, unsigned char mac[crypto_auth_hmacsha256_BYTES])
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, (const unsigned char *)key, strlen(key));
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)text, strlen(text));
	crypto_auth_hmacsha256_final(&state, mac);
	explicit_bzero(&state, sizeof(state));
}

enum hxb_result
hxb_jwt_make(const char *email, int64_t issued, int64_t expires, const char *key, char **tokenp,
    struct hxb_error *error)
{
	char payload[EMAIL_MAX + 128], header64[64], payload64[2 * sizeof(payload)], mac64[64];
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	char *text = NULL, *token = NULL;
	int length;

	*tokenp = NULL;
	if (strlen(email) > EMAIL_MAX || needs_escaping(email))
		return hxb_fail(error, HXB_INVALID, "'%.128s': no mail address for a link", email);
	if (hxb_token_ready(error) != HXB_OK)
		return HXB_FAILED;
	length = snprintf(payload, sizeof(payload), "{\"iat\":%lld,\"exp\":%lld,\"email\":\"%s\"}",
	    (long long)issued, (long long)expires, email);
	sodium_bin2base64(
	    header64, sizeof(header64), (const unsigned char *)HEADER, strlen(HEADER), URL_SAFE);
	sodium_bin2base64(
	    payload64, sizeof(payload64), (const unsigned char *)payload, (size_t)length, URL_SAFE);
	if (asprintf(&text, "%s.%s", header64, payload64) == -1)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	sign(text, key, mac);
	sodium_bin2base64(mac64, sizeof(mac64), mac, sizeof(mac), URL_SAFE);
	if (asprintf(&token, "%s.%s", text, mac64) == -1)
		token = NULL;
	free(text);
	HXB_WIPE(mac);
	HXB_WIPE(mac64);
	*tokenp = token;
	return token != NULL ? HXB_OK : hxb_fail(error, HXB_FAILED, "out of memory");
}
