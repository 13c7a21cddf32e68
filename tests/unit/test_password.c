/* SPDX-License-Identifier: ISC */
/*
 * Which texts reach crypt(3), which passwords match, and that the answer costs the same in every case.
 * crypt_r(3) is replaced by one that adds up what is asked of it.
 */
#include <crypt.h>
#include <dlfcn.h>

#include "libhexabot/password.h"
#include "libhexabot/secret.h"
#include "support.h"

#define REST "abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234" /* 53 characters */

static unsigned long work; /* 2^cost of each call, added up */
static unsigned calls;
static bool fake; /* only count */

char *
crypt_r(const char *phrase, const char *setting, struct crypt_data *data)
{
	static __typeof__(&crypt_r) real;

	assert_int_equal(strncmp(setting, "$2", 2), 0);
	calls++;
	work += 1ul << strtoul(setting + 4, NULL, 10);
	if (fake) {
		snprintf(data->output, sizeof(data->output), "*0");
		return data->output;
	}
	if (real == NULL)
		real = (__typeof__(real))dlsym(RTLD_NEXT, "crypt_r");
	assert_non_null(real);
	return real(phrase, setting, data);
}

static char *
made(const char *password, const char *setting)
{
	static struct crypt_data data;
	char *hash;

	memset(&data, 0, sizeof(data));
	hash = crypt_r(password, setting, &data);
	assert_non_null(hash);
	assert_int_equal(strlen(hash), HXB_HASH_SIZE - 1);
	return hash;
}

static void
only_bcrypt_hashes_of_an_allowed_cost_are_valid(void **state)
{
	static char huge[100001];
	static const struct {
		const char *hash;
		bool valid;
		unsigned cost;
	} cases[] = {
		{ "$2b$12$" REST, true, 12 },
		{ "$2a$10$" REST, true, 10 },
		{ "$2y$04$" REST, true, 4 },
		{ "$2b$15$" REST, true, 15 },
		{ "$2b$16$" REST, false, 0 },
		{ "$2b$31$" REST, false, 0 },
		{ "$2b$99$" REST, false, 0 },
		{ "$2b$03$" REST, false, 0 },
		{ "$2b$00$" REST, false, 0 },
		{ "$2b$1$1" REST, false, 0 },
		{ "$2b$ 4$" REST, false, 0 },
		{ "$2b$+4$" REST, false, 0 },
		{ "$2b$12." REST, false, 0 },
		{ "$2x$12$" REST, false, 0 },
		{ "$2$12$." REST, false, 0 },
		{ "$2B$12$" REST, false, 0 },
		{ "$1b$12$" REST, false, 0 },
		{ "2$b$12$" REST, false, 0 },
		{ "$2b$12$" REST "x", false, 0 },
		{ " $2b$12$" REST, false, 0 },
		{ "$2b$12$" REST "\n", false, 0 },
		{ "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ0123", false, 0 }, /* 59 */
		{ "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ012\0004", false, 0 },
		{ "$2b$12$abcdefghijklmnopqrst:uABCDEFGHIJKLMNOPQRSTUVWXYZ01234", false, 0 },
		{ "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ0123$", false, 0 },
		{ "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ0123\xc3", false, 0 },
		{ "$2hello", false, 0 },
		{ "$2!invited.0123456789abcdef0123456789abcdef", false, 0 },
		{ "$2!held.0123456789abcdef0123456789abcdef0123456789abcdef012", false, 0 },
		{ "$6$salt$"
		  "IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g.",
		    false, 0 },
		{ "$1$abcdefgh$irWbblnpmw.5z7wgBnprh0", false, 0 },
		{ "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7", false, 0 },
		{ "abJnggxhB/yWI", false, 0 },
		{ "adminadmin", false, 0 },
		{ "*", false, 0 },
		{ "", false, 0 },
	};
	unsigned cost;

	(void)state;
	assert_int_equal(strlen(REST), 53);
	for (size_t i = 0; i < COUNT(cases); i++) {
		cost = 0;
		if (hxb_hash_valid(cases[i].hash, 15, &cost) != cases[i].valid)
			fail_msg("%s: %s", cases[i].hash, cases[i].valid ? "refused" : "taken");
		assert_int_equal(cost, cases[i].cost);
	}
	memset(huge, 'x', sizeof(huge) - 1);
	memcpy(huge, "$2b$12$", 7);
	assert_false(hxb_hash_valid(huge, 15, &cost));
	/* The highest cost is the configuration's. */
	assert_false(hxb_hash_valid("$2b$13$" REST, 12, &cost));
	assert_true(hxb_hash_valid("$2b$18$" REST, 18, &cost));
}

static void
the_right_password_matches_and_no_other(void **state)
{
	static const char *const settings[] = { "$2a$04$abcdefghijklmnopqrstuu",
		"$2b$05$abcdefghijklmnopqrstuu", "$2y$06$abcdefghijklmnopqrstuu" };
	static const char *const wrong[] = { "", "secre", "secrets", "Secret", " secret", "secret ",
		"secret\n", ("$2b$04$" REST) };
	char hash[HXB_HASH_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(settings); i++) {
		memcpy(hash, made("secret", settings[i]), sizeof(hash));
		assert_true(hxb_password_verify("secret", hash, 4, 15));
		for (size_t k = 0; k < COUNT(wrong); k++)
			assert_false(hxb_password_verify(wrong[k], hash, 4, 15));
		/* Every character of the hash counts. */
		for (size_t k = 7; k < HXB_HASH_SIZE - 1; k += 5) {
			hash[k] = hash[k] == 'x' ? 'y' : 'x';
			assert_false(hxb_password_verify("secret", hash, 4, 15));
			memcpy(hash, made("secret", settings[i]), sizeof(hash));
		}
		/* Too costly to be looked at, although right. */
		assert_false(hxb_password_verify("secret", hash, 4, (unsigned)(3 + i)));
	}
}

static void
what_is_no_hash_matches_nothing(void **state)
{
	static const char *const stored[] = { NULL, "", "*", "!", "x", "secret", "$2", "$2hello", "$2!held.x",
		"*0", "*1", "$2b$04$", "$2b$31$" REST, "$6$abc$def" };
	static const char *const typed[] = { "", "*", "secret", "$2hello", "*0", "*1" };

	(void)state;
	for (size_t i = 0; i < COUNT(stored); i++) {
		for (size_t k = 0; k < COUNT(typed); k++)
			assert_false(hxb_password_verify(typed[k], stored[i], 4, 15));
	}
}

static void
an_empty_password_never_matches(void **state)
{
	char hash[HXB_HASH_SIZE];

	(void)state;
	memcpy(hash, made("", "$2b$04$abcdefghijklmnopqrstuu"), sizeof(hash));
	assert_false(hxb_password_verify("", hash, 4, 15));
}

static void
only_72_bytes_count_as_in_hexabot(void **state)
{
	char password[101], hash[HXB_HASH_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(password) - 1; i++)
		password[i] = (char)('a' + i % 26);
	password[100] = '\0';
	memcpy(hash, made(password, "$2b$04$abcdefghijklmnopqrstuu"), sizeof(hash));
	assert_true(hxb_password_verify(password, hash, 4, 15));
	password[99] = '!';
	assert_true(hxb_password_verify(password, hash, 4, 15));
	password[72] = '\0';
	assert_true(hxb_password_verify(password, hash, 4, 15));
	password[71] = '!';
	assert_false(hxb_password_verify(password, hash, 4, 15));
	password[71] = '\0';
	assert_false(hxb_password_verify(password, hash, 4, 15));
}

static void
hashes_of_hexabots_own_library_match(void **state)
{
	static const struct {
		const char *password, *hash;
	} cases[] = {
		/* rows of tests/data/mixed.sql */
		{ "pw-ada", "$2b$10$PlyvRXu/LvHEqrBB6nk3n..7hVoZ5.dniZOYLAueYMkY3F9n0dfSe" },
		{ "pw-Emile.D", "$2b$10$1TLFrVLmhGjmSfeG/yez/.SU2TLQiwRkytlSFHTz0u8dQEr.EnO7." },
		{ HXB_SEED_PASSWORD, "$2b$12$2c.IMiK3/8mYweqruHpJj.tc/1i2CGZYhLeNKa0F288p2e1vDffAO" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(hxb_password_verify(cases[i].password, cases[i].hash, 10, 15));
		assert_false(hxb_password_verify("pw-max", cases[i].hash, 10, 15));
	}
}

static void
every_answer_costs_the_same(void **state)
{
	static const char *const stored[] = { NULL, "", "$2hello", "$6$x$y", "$2b$31$" REST, "$2b$03$" REST,
		"$2!held.x", "$2b$16$" REST };
	static const char *const typed[] = { "", "secret",
		"a password that is a good deal longer than 72 bytes, which is all that is read of it" };
	char hash[] = "$2b$00$" REST;

	(void)state;
	fake = true;
	for (unsigned cost = 10; cost <= 15; cost++) {
		for (size_t k = 0; k < COUNT(typed); k++) {
			for (unsigned c = 4; c <= cost; c++) {
				hash[4] = (char)('0' + c / 10);
				hash[5] = (char)('0' + c % 10);
				work = 0;
				assert_false(hxb_password_verify(typed[k], hash, cost, 15));
				assert_int_equal(work, 1ul << cost);
			}
			for (size_t i = 0; i < COUNT(stored); i++) {
				work = 0;
				assert_false(hxb_password_verify(typed[k], stored[i], cost, 15));
				assert_int_equal(work, 1ul << cost);
			}
		}
	}
	/* What a failing crypt(3) says is no hash: it must match nothing that is stored. */
	work = 0;
	assert_false(hxb_password_verify("secret", "*0", 10, 15));
	fake = false;
	/* The right password, too. */
	work = 0;
	assert_true(hxb_password_verify("secret", made("secret", "$2b$04$abcdefghijklmnopqrstuu"), 6, 15));
	assert_int_equal(work, (1ul << 6) + (1ul << 4)); /* made() itself was one of cost 4 */
}

static void
dummy_work_is_real_work(void **state)
{
	struct crypt_data data;

	(void)state;
	memset(&data, 0, sizeof(data));
	/* The setting that stands in for a hash is one that crypt(3) takes. */
	assert_int_equal(strlen(crypt_r("x", "$2b$04$abcdefghijklmnopqrstuu", &data)), HXB_HASH_SIZE - 1);
}

static void
a_new_hash_is_one_of_hexabots(void **state)
{
	char hash[HXB_HASH_SIZE], other[HXB_HASH_SIZE], longest[1024];
	unsigned cost = 0;

	(void)state;
	assert_ok(hxb_password_hash("sesame street", 10, hash, &err));
	assert_true(hxb_hash_valid(hash, 15, &cost));
	assert_int_equal(cost, 10);
	assert_int_equal(strncmp(hash, "$2b$10$", 7), 0);
	assert_true(hxb_password_verify("sesame street", hash, 10, 15));
	assert_false(hxb_password_verify("sesame streets", hash, 10, 15));
	assert_ok(hxb_password_hash("sesame street", 10, other, &err));
	assert_string_not_equal(hash, other);
	assert_result(hxb_password_hash("sesame street", 3, hash, &err), HXB_FAILED);
	assert_result(hxb_password_hash("sesame street", 32, hash, &err), HXB_FAILED);
	/* crypt(3)'s own limit */
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_result(hxb_password_hash(longest, 4, hash, &err), HXB_FAILED);
	assert_false(hxb_password_verify(longest, "$2b$04$" REST, 4, 15));
}

static void
a_new_password_has_characters_enough_and_bytes_not_too_many(void **state)
{
	static const struct {
		const char *password;
		unsigned min;
		enum hxb_result r;
	} cases[] = {
		{ "", 8, HXB_INVALID },
		{ "1234567", 8, HXB_INVALID },
		{ "12345678", 8, HXB_OK },
		{ "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 8, HXB_INVALID }, /* 8 bytes, 4 characters */
		{ "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 8, HXB_OK },
		{ "123456789012345678901234567890123456789012345678901234567890123456789012", 8,
		    HXB_OK }, /* 72 */
		{ "1234567890123456789012345678901234567890123456789012345678901234567890123", 8,
		    HXB_INVALID },
		/* 25 characters of 3 bytes */
		{ "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2"
		  "\x82\xac"
		  "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2"
		  "\x82\xac"
		  "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2"
		  "\x82\xac"
		  "\xe2\x82\xac",
		    8, HXB_INVALID },
		{ HXB_SEED_PASSWORD, 8, HXB_INVALID },
		{ HXB_SEED_PASSWORD "1", 8, HXB_OK },
		{ "123456789", 10, HXB_INVALID },
	};
	size_t length;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		err.text[0] = '\0';
		if (hxb_password_acceptable(cases[i].password, cases[i].min, &err) != cases[i].r)
			fail_msg("'%s': %s", cases[i].password, err.text);
		length = strlen(err.text);
		/* A full sentence, and never the password. */
		if (cases[i].r != HXB_OK) {
			assert_true(length > 0 && err.text[length - 1] == '.');
			assert_true(
			    cases[i].password[0] == '\0' || strstr(err.text, cases[i].password) == NULL);
		}
	}
}

static void
secrets_are_compared_as_bytes(void **state)
{
	(void)state;
	assert_true(hxb_secret_equal("a\0b", "a\0b", 3));
	assert_false(hxb_secret_equal("a\0b", "a\0c", 3));
	assert_true(hxb_secret_equal("a", "b", 0));
	hxb_secret_free(NULL);
	hxb_secret_free(strdup("secret"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_bcrypt_hashes_of_an_allowed_cost_are_valid),
		cmocka_unit_test(the_right_password_matches_and_no_other),
		cmocka_unit_test(what_is_no_hash_matches_nothing),
		cmocka_unit_test(an_empty_password_never_matches),
		cmocka_unit_test(only_72_bytes_count_as_in_hexabot),
		cmocka_unit_test(hashes_of_hexabots_own_library_match),
		cmocka_unit_test(every_answer_costs_the_same),
		cmocka_unit_test(dummy_work_is_real_work),
		cmocka_unit_test(a_new_hash_is_one_of_hexabots),
		cmocka_unit_test(a_new_password_has_characters_enough_and_bytes_not_too_many),
		cmocka_unit_test(secrets_are_compared_as_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
