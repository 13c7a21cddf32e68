/* SPDX-License-Identifier: ISC */
/*
 * The NSS module as test_nss*.c meet it, and maps that say which one they are.
 *
 * TEST_MODULE is a libnss_hexabot.so.2 that was built with the program's HXB_STATE_DIR. It is loaded by its
 * path; glibc then finds it by its soname, wherever the system has another.
 */
#ifndef NSS_FIXTURE_H
#define NSS_FIXTURE_H

#include "map_fixture.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

#include "nss_hexabot/nss_hexabot.h"

int __nss_configure_lookup(const char *database, const char *services);

static void *module;

#define FROM_MODULE(function) ((__typeof__(&function))from_module(#function))

static inline void *
from_module(const char *name)
{
	void *found = dlsym(module, name);

	if (found == NULL)
		fail_msg("the module has no %s", name);
	return found;
}

static inline int
load_module(void **state)
{
	(void)state;
	make_directory(HXB_STATE_DIR);
	module = dlopen(TEST_MODULE, RTLD_NOW);
	if (module == NULL)
		fail_msg("%s", dlerror());
	assert_int_equal(__nss_configure_lookup("passwd", "hexabot"), 0);
	assert_int_equal(__nss_configure_lookup("group", "hexabot"), 0);
	assert_int_equal(__nss_configure_lookup("shadow", "hexabot"), 0);
	assert_int_equal(__nss_configure_lookup("initgroups", "hexabot"), 0);
	return 0;
}

static inline void
without_root(void **state)
{
	(void)state;
	(void)needs_root();
	skip();
}

static inline int
run_as_root(struct CMUnitTest *tests, size_t count, CMFixtureFunction set_up)
{
	size_t i;

	for (i = 0; i < count && geteuid() != 0; i++)
		tests[i].test_func = without_root;
	return _cmocka_run_group_tests("tests", tests, count, set_up, NULL);
}

static inline bool
has_address_sanitizer(void)
{
	return dlsym(RTLD_DEFAULT, "__asan_init") != NULL;
}

/* Marks a map that is not the map any more: all that the module looks at in the steady state. */
static inline void
supersede(int old)
{
	const uint32_t one = 1;

	assert_int_equal(
	    pwrite(old, &one, sizeof(one), offsetof(struct hxb_map_header, superseded)), sizeof(one));
	close(old);
}

/* What the publisher does at the end, in plain system calls: children and threads can do it too. */
static inline bool
put_in_place(const char *path)
{
	const uint32_t one = 1;
	int old = open(HXB_MAP_PATH, O_WRONLY | O_CLOEXEC);
	bool ok = old >= 0 && rename(path, HXB_MAP_PATH) == 0 &&
	    pwrite(old, &one, sizeof(one), offsetof(struct hxb_map_header, superseded)) == sizeof(one);

	if (old >= 0)
		close(old);
	return ok;
}

/* In map number N, alice's uid, GECOS and shell, and the role's gid, all say N. */
#define FIRST_UID 2000000000
#define FIRST_GID 1000000000

static inline void
install_numbered_in(const char *directory, uint32_t number)
{
	struct hxb_map_writer *w;
	struct hxb_map_role role = { "hexabot-admin", FIRST_GID + number, 1, NULL, 0 };
	struct hxb_map_user user = { "alice", "", "/home/alice", "", FIRST_UID + number, 2,
		HXB_SHADOW_ENABLED, admins, 1, 0, { 0 } };
	char gecos[32], shell[32];
	uint32_t index, i;

	make_directory(directory);
	w = new_writer_in(directory, true);
	snprintf(shell, sizeof(shell), "/bin/%u", number);
	assert_int_equal(hxb_map_writer_role(w, &role, &index), HXB_OK);
	/* The more others there are, the further apart lie the bytes of one map from those of the next. */
	for (i = 0; i < number % 7; i++) {
		struct hxb_map_user other = { gecos, "other", "/", "/bin/sh", 100000 + i, 10 + i,
			HXB_SHADOW_DENIED, NULL, 0, 0, { 0 } };

		snprintf(gecos, sizeof(gecos), "%c%u", 'a' + (int)i, number);
		assert_int_equal(hxb_map_writer_user(w, &other), HXB_OK);
	}
	snprintf(gecos, sizeof(gecos), "%u", number);
	user.gecos = gecos;
	user.shell = shell;
	assert_int_equal(hxb_map_writer_user(w, &user), HXB_OK);
	install(w, number);
}

/* HXB_STATE_DIR/next.N/map.1, to be put in place later. */
static inline const char *
prepare_numbered(uint32_t number)
{
	static char path[2][4096];
	char *place = path[number % 2];

	snprintf(place, sizeof(path[0]), HXB_STATE_DIR "/next.%u", number);
	install_numbered_in(place, number);
	strncat(place, "/map.1", sizeof(path[0]) - strlen(place) - 1);
	return place;
}

/* The map that this answer comes from; 0 if it is no whole answer. */
static inline uint32_t
number_of_passwd(const struct passwd *alice)
{
	const uint32_t number = alice->pw_uid - FIRST_UID;
	char gecos[32], shell[32];

	snprintf(gecos, sizeof(gecos), "%u", number);
	snprintf(shell, sizeof(shell), "/bin/%u", number);
	return strcmp(alice->pw_name, "alice") == 0 && strcmp(alice->pw_gecos, gecos) == 0 &&
	        strcmp(alice->pw_shell, shell) == 0
	    ? number
	    : 0;
}

/* 0 too if there is no answer: errno says why then, 0 for "no such user". */
static inline uint32_t
user_number(void)
{
	struct passwd passwd, *found = NULL;
	char buffer[512];

	errno = getpwnam_r("alice", &passwd, buffer, sizeof(buffer), &found);
	return found != NULL ? number_of_passwd(found) : 0;
}

static inline uint32_t
group_number(void)
{
	struct group group, *found = NULL;
	char buffer[512];

	errno = getgrnam_r("hexabot-admin", &group, buffer, sizeof(buffer), &found);
	return found != NULL && strcmp(found->gr_mem[0], "alice") == 0 && found->gr_mem[1] == NULL
	    ? found->gr_gid - FIRST_GID
	    : 0;
}

/* Alice's second group. */
static inline uint32_t
initgroups_number(void)
{
	gid_t gids[4];
	int count = COUNT(gids);

	return getgrouplist("alice", 1, gids, &count) == 2 ? gids[1] - FIRST_GID : 0;
}

static inline unsigned int
count_descriptors(void)
{
	DIR *listing = opendir("/proc/self/fd");
	unsigned int count = 0;

	assert_non_null(listing);
	while (readdir(listing) != NULL)
		count++;
	closedir(listing);
	return count;
}

/* How often the map is mapped, replaced ones included. */
static inline unsigned int
count_mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "re");
	char line[4096];
	unsigned int count = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL)
		count += strstr(line, HXB_STATE_DIR "/") != NULL && strstr(line, "map.1") != NULL;
	fclose(file);
	return count;
}

static inline double
seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Children must not run into cmocka's assertions, which would go on with the parent's tests. */
#define MUST(condition) \
	do { \
		if (!(condition)) { \
			(void)fprintf( \
			    stderr, "# %s:%d: not so in a child: %s\n", __FILE__, __LINE__, #condition); \
			_exit(1); \
		} \
	} while (0)

/* Longer than any of this takes on a busy machine; a lock found held would take for ever. */
#define CHILD_SECONDS 60

static inline void
in_child(void (*body)(void))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		alarm(CHILD_SECONDS);
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

#endif
