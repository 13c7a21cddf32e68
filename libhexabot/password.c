/* SPDX-License-Identifier: ISC */
/*
 * Invariants: no text reaches crypt(3) that is not a bcrypt hash of an allowed cost; the work up to an answer
 * does not depend on whether the hash was one; the working memory of crypt(3) is cleared.
 */
#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "password.h"
#include "secret.h"

#define COST_MIN 4
#define SALT_CHARS "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

bool
hxb_hash_valid(const char *hash, unsigned max_cost, unsigned *cost)
{
	unsigned found;

	if (strnlen(hash, HXB_HASH_SIZE) != HXB_HASH_SIZE - 1)
		return false;
	if (hash[0] != '$' || hash[1] != '2' || strchr("aby", hash[2]) == NULL || hash[3] != '$' ||
	    hash[6] != '$')
		return false;
	if (hash[4] < '0' || hash[4] > '9' || hash[5] < '0' || hash[5] > '9')
		return false;
	if (strspn(hash + 7, SALT_CHARS) != HXB_HASH_SIZE - 1 - 7)
		return false;
	found = (unsigned)(hash[4] - '0') * 10 + (unsigned)(hash[5] - '0');
	if (found < COST_MIN || found > max_cost)
		return false;
	*cost = found;
	return true;
}

/* One bcrypt of the password; its result is thrown away. */
static void
burn(const char *password, unsigned cost, struct crypt_data *data)
{
	char setting[32];

	snprintf(setting, sizeof(setting), "$2b$%02u$abcdefghijklmnopqrstuu", cost % 100);
	crypt_r(password, setting, data);
}

bool
hxb_password_verify(const char *password, const char *hash, unsigned cost, unsigned max_cost)
{
	struct crypt_data *data;
	const char *made;
	unsigned stored = 0;
	bool right = false;

	data = calloc(1, sizeof(*data));
	if (data == NULL)
		return false;
	if (hash != NULL && hxb_hash_valid(hash, max_cost, &stored)) {
		made = crypt_r(password, hash, data);
		if (made != NULL && strlen(made) == HXB_HASH_SIZE - 1 && password[0] != '\0')
			right = hxb_secret_equal(made, hash, HXB_HASH_SIZE - 1);
		/* 2^c + 2^c + 2^(c+1) + ... + 2^(P-1) is 2^P. */
		for (unsigned c = stored; c < cost; c++)
			burn(password, c, data);
	} else {
		burn(password, cost, data);
	}
	explicit_bzero(data, sizeof(*data));
	free(data);
	return right;
}

enum hxb_result
hxb_password_hash(const char *password, unsigned cost, char hash[HXB_HASH_SIZE], struct hxb_error *error)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data *data;
	const char *made;
	enum hxb_result r = HXB_FAILED;

	data = calloc(1, sizeof(*data));
	if (data == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	if (crypt_gensalt_rn("$2b$", cost, NULL, 0, setting, sizeof(setting)) == NULL) {
		hxb_fail(error, r, "can't make a salt: %m");
		goto out;
	}
	made = crypt_r(password, setting, data);
	if (made == NULL || strlen(made) != HXB_HASH_SIZE - 1) {
		hxb_fail(error, r, "can't hash the password: %m");
		goto out;
	}
	memcpy(hash, made, HXB_HASH_SIZE);
	r = HXB_OK;
out:
	explicit_bzero(data, sizeof(*data));
	free(data);
	return r;
}

enum hxb_result
hxb_password_acceptable(const char *password, unsigned min, struct hxb_error *error)
{
	size_t characters = 0;

	for (const char *p = password; *p != '\0'; p++) {
		if (((unsigned char)*p & 0xc0) != 0x80) /* not a continuation byte of UTF-8 */
			characters++;
	}
	if (characters < min)
		return hxb_fail(
		    error, HXB_INVALID, "The password is too short: it needs %u characters or more.", min);
	if (strlen(password) > HXB_PASSWORD_MAX_BYTES)
		return hxb_fail(error, HXB_INVALID, "The password is too long: only %d bytes would count.",
		    HXB_PASSWORD_MAX_BYTES);
	if (strcmp(password, HXB_SEED_PASSWORD) == 0)
		return hxb_fail(
		    error, HXB_INVALID, "This is Hexabot's seed password, which everybody knows.");
	return HXB_OK;
}
