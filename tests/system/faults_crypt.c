/* SPDX-License-Identifier: ISC */
/*
 * For /etc/ld.so.preload where thousands of passwords are set one after the other: bcrypt of any cost, done
 * at the lowest. It verifies its own hashes only.
 */
#include <crypt.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define COST 4 /* where "12" stands in "$2b$12$" */

char *
crypt_r(const char *phrase, const char *setting, struct crypt_data *data)
{
	static char *(*real)(const char *, const char *, struct crypt_data *);
	char cheap[CRYPT_OUTPUT_SIZE], *hash;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "crypt_r");
	snprintf(cheap, sizeof(cheap), "%s", setting);
	if (strncmp(cheap, "$2", 2) != 0 || strlen(cheap) < sizeof("$2b$12$") - 1)
		return real(phrase, setting, data);
	memcpy(cheap + COST, "04", 2);
	hash = real(phrase, cheap, data);
	if (hash != NULL && strlen(hash) > sizeof("$2b$12$") - 1)
		memcpy(hash + COST, setting + COST, 2);
	return hash;
}
