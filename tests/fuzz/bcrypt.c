/* SPDX-License-Identifier: ISC */
#include <crypt.h>
#include <errno.h>

#include "bcrypt.h"
#include "faults.h"
#include "fuzz.h"

#define SALT "abcdefghijklmnopqrstuu"
#define ALPHABET "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

uint64_t bcrypt_work;
unsigned bcrypt_max_cost = 31;
void (*bcrypt_called)(void);

char *__real_crypt_r(const char *, const char *, struct crypt_data *);
char *__wrap_crypt_r(const char *, const char *, struct crypt_data *);
char *__wrap_crypt_gensalt_rn(const char *, unsigned long, const char *, int, char *, int);

bool
bcrypt_is_hash(const char *text, unsigned max, unsigned *cost)
{
	if (strlen(text) != 60 || strncmp(text, "$2", 2) != 0 || strchr("aby", text[2]) == NULL)
		return false;
	if (text[3] != '$' || strspn(text + 4, "0123456789") < 2 || text[6] != '$')
		return false;
	if (strspn(text + 7, ALPHABET) != 53)
		return false;
	*cost = (unsigned)(text[4] - '0') * 10 + (unsigned)(text[5] - '0');
	return *cost >= 4 && *cost <= max;
}

/* The cost of what crypt(3) is given, which has to be a hash or the beginning of one. */
static unsigned
cost_of(const char *setting)
{
	const char *digits = setting + 4;

	MUST(strlen(setting) == 29 || strlen(setting) == 60);
	MUST(strncmp(setting, "$2", 2) == 0 && strchr("aby", setting[2]) != NULL && setting[3] == '$');
	MUST(strspn(digits, "0123456789") >= 2 && digits[2] == '$' && strspn(setting + 7, ALPHABET) >= 22);
	return (unsigned)(digits[0] - '0') * 10 + (unsigned)(digits[1] - '0');
}

/* The work of cost 4, under the name of the cost that was asked for. */
static char *
at_cost_4(const char *key, const char *setting, struct crypt_data *data)
{
	char cheap[61], *made;

	snprintf(cheap, sizeof(cheap), "%s", setting);
	memcpy(cheap + 4, "04", 2);
	made = __real_crypt_r(key, cheap, data);
	if (made != NULL && made[0] == '$')
		memcpy(made + 4, setting + 4, 2);
	return made;
}

/* The same few passwords come again and again. */
static char *
remembered(const char *key, const char *setting, struct crypt_data *data)
{
	static struct {
		char key[80], setting[61], made[61];
	} known[64];
	static size_t next;
	size_t i;
	char *made;

	if (strlen(key) >= sizeof(known[0].key))
		return at_cost_4(key, setting, data);
	for (i = 0; i < COUNT(known); i++) {
		if (strcmp(known[i].key, key) == 0 && strcmp(known[i].setting, setting) == 0)
			break;
	}
	if (i == COUNT(known)) {
		made = at_cost_4(key, setting, data);
		if (made == NULL || strlen(made) != 60)
			return made;
		i = next++ % COUNT(known);
		snprintf(known[i].key, sizeof(known[i].key), "%s", key);
		snprintf(known[i].setting, sizeof(known[i].setting), "%s", setting);
		snprintf(known[i].made, sizeof(known[i].made), "%s", made);
	}
	snprintf(data->output, sizeof(data->output), "%s", known[i].made);
	return data->output;
}

char *
__wrap_crypt_r(const char *key, const char *setting, struct crypt_data *data)
{
	static char nothing[] = "*0";
	unsigned cost = cost_of(setting);

	MUST(cost >= 4 && cost <= bcrypt_max_cost);
	bcrypt_work += UINT64_C(1) << cost;
	if (bcrypt_called != NULL)
		bcrypt_called();
	if (fault(FAULT_CRYPT, EINVAL))
		return NULL;
	/* Whose result nobody looks at. */
	if (strlen(setting) == 29 && strcmp(setting + 7, SALT) == 0 && setting[2] == 'b')
		return nothing;
	return remembered(key, setting, data);
}

char *
__wrap_crypt_gensalt_rn(
    const char *prefix, unsigned long count, const char *random, int size, char *output, int room)
{
	(void)random;
	(void)size;
	MUST(strcmp(prefix, "$2b$") == 0 && count >= 4 && count <= bcrypt_max_cost);
	if (fault(FAULT_CRYPT, ENOMEM))
		return NULL;
	MUST(snprintf(output, (size_t)room, "$2b$%02lu$saltsaltsaltsaltsaltsu", count) < room);
	return output;
}

void
bcrypt_make(const char *password, char variant, unsigned cost, char hash[61])
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	char setting[61], head[73]; /* bcrypt reads no further, and crypt(3) takes no more than 512 */
	const char *made;

	MUST(data != NULL);
	snprintf(setting, sizeof(setting), "$2%c$%02u$ssssssssssssssssssssse", variant, cost % 100);
	snprintf(head, sizeof(head), "%s", password);
	made = remembered(head, setting, data);
	MUST(made != NULL && strlen(made) == 60);
	memcpy(hash, made, 61);
	free(data);
}

bool
bcrypt_fits(const char *password, const char *hash)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	const char *made;
	bool fits;

	MUST(data != NULL);
	made = remembered(password, hash, data);
	fits = made != NULL && strcmp(made, hash) == 0;
	free(data);
	return fits;
}
