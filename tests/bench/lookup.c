/* SPDX-License-Identifier: ISC */
/* One call of glibc's, as programs make it, with buffers that have grown to what was ever needed. */
#include <err.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define NO_GROUP 12345
#define WALK_NS UINT64_C(500000000)

static char *buffer;
static size_t buffer_size;

static void
grow(void)
{
	buffer_size = buffer_size == 0 ? 1024 : buffer_size * 4;
	if ((buffer = realloc(buffer, buffer_size)) == NULL)
		err(EXIT_FAILURE, "realloc");
}

static bool
lookup_user(const char *login, uint32_t id, bool expected)
{
	struct passwd entry, *found = NULL;
	int r;

	while ((r = login != NULL ? getpwnam_r(login, &entry, buffer, buffer_size, &found)
	                          : getpwuid_r(id, &entry, buffer, buffer_size, &found)) == ERANGE)
		grow();
	if (found == NULL)
		return !expected;
	return expected && entry.pw_uid == id && (login == NULL || strcmp(entry.pw_name, login) == 0);
}

static bool
lookup_group(const char *name, uint32_t id, bool expected)
{
	struct group entry, *found = NULL;
	int r;

	while ((r = name != NULL ? getgrnam_r(name, &entry, buffer, buffer_size, &found)
	                         : getgrgid_r(id, &entry, buffer, buffer_size, &found)) == ERANGE)
		grow();
	if (found == NULL)
		return !expected;
	return expected && entry.gr_gid == id && (name == NULL || strcmp(entry.gr_name, name) == 0);
}

/* Everybody has the private group and one role. */
static bool
lookup_groups(const char *login, uint32_t id, bool expected)
{
	gid_t groups[64];
	int count = 64;

	if (getgrouplist(login, expected ? id : NO_GROUP, groups, &count) < 0)
		return false;
	return count == (expected ? 2 : 1);
}

bool
lookup(const struct backend *backend, enum operation operation, const struct key *key, bool expected)
{
	if (backend->service == NULL)
		return sqlite_lookup(operation, key, expected);
	if (buffer == NULL)
		grow();
	switch (operation) {
	case GETPWNAM:
		return lookup_user(key->text, key->id, expected);
	case GETPWUID:
		return lookup_user(NULL, key->id, expected);
	case GETGRNAM:
		return lookup_group(key->text, key->id, expected);
	case GETGRGID:
		return lookup_group(NULL, key->id, expected);
	default:
		return lookup_groups(key->text, key->id, expected);
	}
}

double
walk(const struct backend *backend, uint32_t *count)
{
	struct passwd entry, *found;
	uint64_t start = now_ns();
	int r;

	*count = 0;
	if (backend->service == NULL) {
		*count = sqlite_walk();
		return (double)(now_ns() - start) / *count;
	}
	if (buffer == NULL)
		grow();
	setpwent();
	while ((r = getpwent_r(&entry, buffer, buffer_size, &found)) == 0 || r == ERANGE) {
		if (r == ERANGE)
			grow();
		else if (++*count % 1024 == 0 && now_ns() - start > WALK_NS)
			break;
	}
	endpwent();
	return (double)(now_ns() - start) / *count;
}
