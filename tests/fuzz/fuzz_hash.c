/* SPDX-License-Identifier: ISC */
/*
 * Hash strings: nothing but a bcrypt hash within the cost bound reaches crypt(3), and each verification costs
 * the same rounds. Input, by lines: password_cost and password_max_cost; the hash, or =b10 for one that is
 * made of the password; the password; minimal length.
 */
#include "bcrypt.h"
#include "fuzz.h"
#include "libhexabot/password.h"

static uint32_t
within(uint32_t number, uint32_t min, uint32_t max)
{
	return number < min || number > max ? min : number;
}

static void
check_hash(const char *password, const char *hash, unsigned cost, unsigned max)
{
	unsigned expected = 0, found = 0, spent = cost;
	bool valid = bcrypt_is_hash(hash, max, &expected), right;

	MUST(hxb_hash_valid(hash, max, &found) == valid && (!valid || found == expected));
	if (valid && expected > cost)
		spent = expected;
	bcrypt_work = 0;
	bcrypt_max_cost = max > cost ? max : cost;
	right = hxb_password_verify(password, hash, cost, max);
	MUST(bcrypt_work == UINT64_C(1) << spent);
	MUST(right == (valid && password[0] != '\0' && bcrypt_fits(password, hash)));
	bcrypt_work = 0;
	MUST(!hxb_password_verify(password, NULL, cost, max) && bcrypt_work == UINT64_C(1) << cost);
}

/* What may be set can be hashed, and opens with itself. */
static void
check_new(const char *password, unsigned cost, unsigned min)
{
	struct hxb_error error = { "" };
	char hash[HXB_HASH_SIZE];
	enum hxb_result r = hxb_password_acceptable(password, min, &error);

	if (r != HXB_OK) {
		MUST(r == HXB_INVALID && error.text[strlen(error.text) - 1] == '.');
		return;
	}
	MUST(strlen(password) >= min && strlen(password) <= 72 && strcmp(password, "adminadmin") != 0);
	MUST(hxb_password_hash(password, cost, hash, &error) == HXB_OK);
	check_hash(password, hash, cost, 18);
	MUST(hxb_password_verify(password, hash, cost, 18));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *rest = text, *costs, *hash, *password, *last, none[] = "",
	     made[61];
	unsigned cost, max, min;

	costs = fuzz_line(&rest);
	hash = fuzz_line(&rest);
	password = fuzz_line(&rest);
	last = fuzz_line(&rest);
	costs = costs != NULL ? costs : none;
	hash = hash != NULL ? hash : none;
	password = password != NULL ? password : none;
	cost = within(fuzz_number(fuzz_word(&costs)), 10, 15);
	max = within(fuzz_number(costs), cost, 18);
	min = within(fuzz_number(last != NULL ? last : none), 8, 64);
	if (hash[0] == '=' && hash[1] != '\0' && strchr("aby", hash[1]) != NULL) {
		bcrypt_make(password, hash[1], within(fuzz_number(hash + 2), 4, 31), made);
		hash = made;
	}
	check_hash(password, hash, cost, max);
	check_new(password, cost, min);
	free(text);
	return 0;
}
