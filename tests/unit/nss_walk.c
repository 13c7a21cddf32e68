/* SPDX-License-Identifier: ISC */
/*
 * nss_walk MODULE [--memory]: walks through everything that a libnss_hexabot.so.2 answers.
 *
 * Prints each answer as a line: the same walk by a 64-bit and a 32-bit build must print the same. With
 * --memory only "N M": by how many KiB the private memory of this process grew, and how many of them the
 * library and the map have in their own mappings. libc only, no allocation of its own.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nss_hexabot/nss_hexabot.h"

static void *module;
static bool quiet;
static char room[48 << 20], lookup_room[48 << 20]; /* for a group of a million members */
static char text[1 << 20];

#define CALL(function) ((__typeof__(&function))entry_point(#function))

static void *
entry_point(const char *name)
{
	void *found = dlsym(module, name);

	if (found == NULL) {
		(void)fprintf(stderr, "nss_walk: %s\n", dlerror());
		exit(1);
	}
	return found;
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void
say(const char *format, ...)
{
	va_list arguments;

	if (quiet)
		return;
	va_start(arguments, format);
	(void)vprintf(format, arguments);
	va_end(arguments);
}

static void
say_passwd(const char *what, enum nss_status status, const struct passwd *p)
{
	if (status == NSS_STATUS_SUCCESS)
		say("%s %s:%s:%u:%u:%s:%s:%s\n", what, p->pw_name, p->pw_passwd, p->pw_uid, p->pw_gid,
		    p->pw_gecos, p->pw_dir, p->pw_shell);
	else
		say("%s: status %d, errno %d\n", what, status, errno);
}

static void
say_group(const char *what, enum nss_status status, const struct group *g)
{
	char **member;

	if (status != NSS_STATUS_SUCCESS) {
		say("%s: status %d, errno %d\n", what, status, errno);
		return;
	}
	say("%s %s:%s:%u:", what, g->gr_name, g->gr_passwd, g->gr_gid);
	for (member = g->gr_mem; *member != NULL; member++)
		say("%s,", *member);
	say("\n");
}

static void
say_shadow(const char *what, enum nss_status status, const struct spwd *s)
{
	if (status == NSS_STATUS_SUCCESS)
		say("%s %s:%s:%ld:%ld:%ld:%ld:%ld:%ld:%d\n", what, s->sp_namp, s->sp_pwdp, s->sp_lstchg,
		    s->sp_min, s->sp_max, s->sp_warn, s->sp_inact, s->sp_expire, s->sp_flag == ~0UL);
	else
		say("%s: status %d, errno %d\n", what, status, errno);
}

static void
look_up_passwd(const char *name, uid_t uid)
{
	struct passwd passwd;

	say_passwd("getpwnam",
	    CALL(_nss_hexabot_getpwnam_r)(name, &passwd, lookup_room, sizeof(lookup_room), &errno), &passwd);
	say_passwd("getpwuid",
	    CALL(_nss_hexabot_getpwuid_r)(uid, &passwd, lookup_room, sizeof(lookup_room), &errno), &passwd);
}

static void
look_up_group(const char *name, gid_t gid)
{
	struct group group;

	say_group("getgrnam",
	    CALL(_nss_hexabot_getgrnam_r)(name, &group, lookup_room, sizeof(lookup_room), &errno), &group);
	say_group("getgrgid",
	    CALL(_nss_hexabot_getgrgid_r)(gid, &group, lookup_room, sizeof(lookup_room), &errno), &group);
}

static void
look_up_shadow(const char *name)
{
	struct spwd shadow;

	say_shadow("getspnam",
	    CALL(_nss_hexabot_getspnam_r)(name, &shadow, lookup_room, sizeof(lookup_room), &errno), &shadow);
}

static void
look_up_initgroups(const char *name)
{
	static gid_t array[64];
	long int start = 0, size = 64, i;
	gid_t *gids = array;
	enum nss_status status =
	    CALL(_nss_hexabot_initgroups_dyn)(name, 0, &start, &size, &gids, size, &errno);

	say("initgroups: status %d:", status);
	for (i = 0; i < start; i++)
		say(" %u", gids[i]);
	say("\n");
}

/* Of a million entries every sixteenth touches the same pages. */
static bool
is_passed_over(void)
{
	static unsigned int count;

	return quiet && count++ % 16 != 0;
}

/* Who is there, and next to each somebody who is not. */
static void
walk_passwd(void)
{
	struct passwd passwd;
	enum nss_status status;
	char name[128];

	say("setpwent: status %d\n", CALL(_nss_hexabot_setpwent)(0));
	while ((status = CALL(_nss_hexabot_getpwent_r)(&passwd, room, sizeof(room), &errno)) ==
	    NSS_STATUS_SUCCESS) {
		say_passwd("getpwent", status, &passwd);
		if (is_passed_over())
			continue;
		look_up_passwd(passwd.pw_name, passwd.pw_uid);
		look_up_shadow(passwd.pw_name);
		look_up_initgroups(passwd.pw_name);
		(void)snprintf(name, sizeof(name), "%s%%", passwd.pw_name);
		look_up_passwd(name, passwd.pw_uid ^ 0x40000000);
		look_up_shadow(name);
		look_up_initgroups(name);
	}
	say_passwd("getpwent", status, &passwd);
	(void)CALL(_nss_hexabot_endpwent)();
}

static void
walk_group(void)
{
	struct group group;
	enum nss_status status;
	char name[128];

	say("setgrent: status %d\n", CALL(_nss_hexabot_setgrent)(0));
	while ((status = CALL(_nss_hexabot_getgrent_r)(&group, room, sizeof(room), &errno)) ==
	    NSS_STATUS_SUCCESS) {
		say_group("getgrent", status, &group);
		if (is_passed_over())
			continue;
		look_up_group(group.gr_name, group.gr_gid);
		(void)snprintf(name, sizeof(name), "%s%%", group.gr_name);
		look_up_group(name, group.gr_gid ^ 0x40000000);
	}
	say_group("getgrent", status, &group);
	(void)CALL(_nss_hexabot_endgrent)();
}

static void
walk_shadow(void)
{
	struct spwd shadow;
	enum nss_status status;

	say("setspent: status %d\n", CALL(_nss_hexabot_setspent)(0));
	while ((status = CALL(_nss_hexabot_getspent_r)(&shadow, room, sizeof(room), &errno)) ==
	    NSS_STATUS_SUCCESS)
		say_shadow("getspent", status, &shadow);
	say_shadow("getspent", status, &shadow);
	(void)CALL(_nss_hexabot_endspent)();
}

static const char *
read_text(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	ssize_t more;

	while (fd >= 0 && (more = read(fd, text + size, sizeof(text) - 1 - size)) > 0)
		size += (size_t)more;
	if (fd >= 0)
		(void)close(fd);
	text[size] = '\0';
	return text;
}

/*
 * KiB of anonymous memory: what is private and dirty. (The Private_Dirty lines also count a shared file of a
 * tmpfs as long as nobody else reads it.) `only`: of mappings with that in their names.
 */
static unsigned long
private_kib(const char *only, const char *or_only)
{
	const char *line = read_text("/proc/self/smaps");
	bool counts = false;
	unsigned long sum = 0;
	size_t length;
	char copy[512];

	for (; *line != '\0'; line += length + (line[length] == '\n')) {
		length = strcspn(line, "\n");
		(void)snprintf(copy, sizeof(copy), "%.*s", (int)length, line);
		if (copy[0] < 'A' || copy[0] > 'Z') /* an address */
			counts = only == NULL || strstr(copy, only) != NULL || strstr(copy, or_only) != NULL;
		else if (counts && strncmp(copy, "Anonymous:", 10) == 0)
			sum += strtoul(copy + 10, NULL, 10);
	}
	return sum;
}

int
main(int argc, char **argv)
{
	unsigned long before;

	quiet = argc == 3 && strcmp(argv[2], "--memory") == 0;
	if (argc != (quiet ? 3 : 2)) {
		(void)fprintf(stderr, "usage: nss_walk MODULE [--memory]\n");
		return 2;
	}
	if (quiet) {
		memset(room, 1, sizeof(room));
		memset(lookup_room, 1, sizeof(lookup_room));
		memset(text, 1, sizeof(text));
		(void)printf("%s", ""); /* stdout has its buffer */
	}
	alarm(60);
	before = private_kib(NULL, NULL);
	module = dlopen(argv[1], RTLD_NOW);
	if (module == NULL) {
		(void)fprintf(stderr, "nss_walk: %s\n", dlerror());
		return 1;
	}
	walk_passwd();
	look_up_passwd("nobody", 65534);
	walk_group();
	walk_shadow();
	if (quiet)
		(void)printf(
		    "%lu %lu\n", private_kib(NULL, NULL) - before, private_kib(argv[1], HXB_MAP_PATH));
	return 0;
}
