/* SPDX-License-Identifier: ISC */
/* Who is asked, in which files, and for which keys. */
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define BIT(operation) (UINT32_C(1) << (operation))
#define LOOKUPS (BIT(LAST_LOOKUP + 1) - 1)
#define PASSWD (BIT(GETPWNAM) | BIT(GETPWUID))
#define FRESH (BIT(GETENT) | BIT(LOAD))
#define PAM (BIT(PAM_AUTH) | BIT(PAM_AUTH_WHOLE) | BIT(PAM_ACCOUNT) | BIT(PAM_ACCOUNT_WHOLE))
#define WHOLE (LOOKUPS | BIT(GETPWENT) | FRESH | BIT(GETENT_BEHIND))

/*
 * SSSD answers for the groups of its proxy only after it has taken in each whole one, and neither it nor nscd
 * is asked to list: what they are good at is passwd.
 */
const struct backend backends[] = {
	{ "hexabot", "hexabot", "libnss_hexabot.so.2", WHOLE, true, false },
	{ "hexabot+nsswitch", "hexabot", NULL, LOOKUPS, false, false },
	{ "files", "files", NULL, WHOLE & ~BIT(LOAD) & ~BIT(GETENT_BEHIND), true, false },
	{ "extrausers", "extrausers", "libnss_extrausers.so.2", WHOLE, true, false },
	{ "cache", "cache", "libnss_cache.so.2", WHOLE, true, false },
	{ "db", "db", "libnss_db.so.2", WHOLE, true, false },
	{ "sqlite", NULL, "libsqlite3.so.0", LOOKUPS | BIT(GETPWENT) | BIT(LOAD), true, false },
	{ "sss", "sss", "libnss_sss.so.2", PASSWD | FRESH | BIT(GETENT_BEHIND), true, true },
	{ "nscd", "db", NULL, LOOKUPS | BIT(GETENT), false, true },
	{ "pam_hexabot", "files hexabot", NULL, PAM, false, false },
	{ "pam_unix", "files", NULL, PAM, false, false },
};
const size_t backend_count = sizeof(backends) / sizeof(backends[0]);

const char *const operation_names[OPERATIONS] = { "getpwnam", "getpwuid", "getgrnam", "getgrgid",
	"initgroups", "getpwent", "getent", "getent-behind-files", "load", "auth", "auth-whole", "account",
	"account-whole" };
const char *const key_names[KEYS] = { "hit", "miss", "hot" };

/*
 * In BENCH_DIR/SIZE, and in place of what. The last ones are those of backend files; those before them of
 * daemons: glibc would ask a running nscd first, whoever else it is to ask.
 */
static const char *const binds[][2] = {
	{ "state", "/var/lib/hexactl" },
	{ "conf", "/etc/hexabot" },
	{ "extrausers", "/var/lib/extrausers" },
	{ "misc", "/var/lib/misc" },
	{ "cache/passwd.cache", "/etc/passwd.cache" },
	{ "cache/passwd.cache.ixname", "/etc/passwd.cache.ixname" },
	{ "cache/passwd.cache.ixuid", "/etc/passwd.cache.ixuid" },
	{ "cache/group.cache", "/etc/group.cache" },
	{ "cache/group.cache.ixname", "/etc/group.cache.ixname" },
	{ "cache/group.cache.ixgid", "/etc/group.cache.ixgid" },
	{ "run", "/run" },
	{ "sss", "/var/lib/sss" },
	{ "nscd", "/var/cache/nscd" },
	{ "files/passwd", "/etc/passwd" },
	{ "files/group", "/etc/group" },
	{ "files/shadow", "/etc/shadow" },
};
enum { BIND_DAEMON = 10, BIND_FILES = 13, BIND_END = 16 };

uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

const struct backend *
backend_by_name(const char *name)
{
	size_t i;

	for (i = 0; i < backend_count; i++)
		if (strcmp(backends[i].name, name) == 0)
			return &backends[i];
	errx(EXIT_FAILURE, "%s: no such backend", name);
}

static void
bind_file(const char *file, const char *path)
{
	if (access(file, F_OK) == 0 && mount(file, path, NULL, MS_BIND, NULL) != 0)
		err(EXIT_FAILURE, "%s over %s", file, path);
}

void
view_enter(const struct backend *backend, uint32_t size)
{
	bool files = strcmp(backend->name, "files") == 0 || strcmp(backend->name, "pam_unix") == 0;
	char file[256];
	size_t i;

	if (unshare(CLONE_NEWNS) != 0)
		err(EXIT_FAILURE, "unshare");
	/* Fails in a chroot, where there is nothing to be made private. */
	(void)mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	for (i = 0; i < BIND_END; i++) {
		if ((i >= BIND_FILES && !files) || (i >= BIND_DAEMON && i < BIND_FILES && !backend->daemon))
			continue;
		snprintf(file, sizeof(file), BENCH_DIR "/%u/%s", size, binds[i][0]);
		bind_file(file, binds[i][1]);
	}
	snprintf(file, sizeof(file), BENCH_DIR "/nsswitch/%s", backend->name);
	bind_file(file, "/etc/nsswitch.conf");
}

static int
compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* BENCH_DIR/SIZE/keys: a line "UID MAY_LOG_IN" for each user. */
const struct people *
people_load(uint32_t size)
{
	struct people *people = calloc(1, sizeof(*people));
	char file[64];
	unsigned may = 0;
	uint32_t i;
	FILE *in;

	snprintf(file, sizeof(file), BENCH_DIR "/%u/keys", size);
	if (people == NULL || (in = fopen(file, "r")) == NULL)
		err(EXIT_FAILURE, "%s", file);
	people->count = size;
	people->uid = calloc(size, sizeof(*people->uid));
	people->sorted = calloc(size, sizeof(*people->sorted));
	people->may_log_in = calloc(size, sizeof(*people->may_log_in));
	if (people->uid == NULL || people->sorted == NULL || people->may_log_in == NULL)
		err(EXIT_FAILURE, "%s", file);
	for (i = 0; i < size && fscanf(in, "%u %u", &people->uid[i], &may) == 2; i++)
		people->may_log_in[i] = may != 0;
	fclose(in);
	if (i != size)
		errx(EXIT_FAILURE, "%s: not %u lines", file, size);
	memcpy(people->sorted, people->uid, size * sizeof(*people->sorted));
	qsort(people->sorted, size, sizeof(*people->sorted), compare);
	for (i = 0; i < HOT_KEYS; i++)
		people->hot[i] = (uint32_t)random() % size;
	return people;
}

/* Of the same range as the others: that a number lies outside of it would be no miss to measure. */
static uint32_t
unused_id(const struct people *people)
{
	uint32_t id;

	do
		id = UINT32_C(0x70000000) + (uint32_t)random() % UINT32_C(0x0ffffff0);
	while (bsearch(&id, people->sorted, people->count, sizeof(id), compare) != NULL);
	return id;
}

void
keys_draw(const struct people *people, enum operation operation, enum keys keys, struct key *out,
    uint32_t count, bool first)
{
	bool group = operation == GETGRNAM || operation == GETGRGID;
	uint32_t i, user;

	for (i = 0; i < count; i++) {
		do {
			user = first ? i : (uint32_t)random();
			user = keys == HOT ? people->hot[user % HOT_KEYS] : user % people->count;
		} while (operation >= PAM_AUTH && !people->may_log_in[user]);
		out[i].id = keys == MISS ? unused_id(people) : people->uid[user];
		snprintf(out[i].text, sizeof(out[i].text), "%suser%07u", group ? "hexabot." : "",
		    keys == MISS ? user + people->count : user);
	}
}
