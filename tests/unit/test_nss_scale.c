/* SPDX-License-Identifier: ISC */
/*
 * The NSS module with a million users, all of them in one group: what it answers, that it finds by index what
 * can be found by index, and what it costs the process in memory. Speed itself is for `make bench`: the
 * limits here are of processor time and so generous that only a walk through users or members exceeds them.
 */
#include "nss_fixture.h"

#include <spawn.h>

#define FIRST 1910000000
#define FEW_LOOKUPS 20000
#define LOOKUP_MICROSECONDS 20
#define ENTRY_MICROSECONDS 20

extern char **environ;

static uint32_t many = 1000000;

static double
processor_seconds(void)
{
	struct timespec used;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static void
name_user(char login[32], uint32_t i)
{
	snprintf(login, 32, "user%u", i);
}

static int
install_many(void **state)
{
	struct hxb_map_writer *w;
	struct hxb_map_user user = { "", "", "", "/bin/bash", 0, 0, HXB_SHADOW_ENABLED, two_roles, 1, 0,
		{ 0 } };
	char login[32], gecos[48], home[48];
	uint32_t i, index;

	if (load_module(state) != 0 || geteuid() != 0)
		return 0;
	if (has_address_sanitizer()) /* a million take it ten seconds */
		many = 200000;
	w = new_writer(true);
	for (i = 0; i < ROLES; i++)
		assert_int_equal(hxb_map_writer_role(w, &some_roles[i], &index), HXB_OK);
	for (i = 0; i < many; i++) {
		name_user(login, i);
		snprintf(gecos, sizeof(gecos), "User Number %u", i);
		snprintf(home, sizeof(home), "/home/%s", login);
		user.login = login;
		user.gecos = gecos;
		user.home = home;
		user.uid = FIRST + i;
		user.id_digest = 1000 + i;
		user.role_count = i % 2 == 0 ? 2 : 1; /* everybody an admin, every other one a manager */
		assert_int_equal(hxb_map_writer_user(w, &user), HXB_OK);
	}
	install(w, 1);
	return 0;
}

static void
check_lookups(uint32_t i)
{
	gid_t array[8], *gids = array;
	long int start = 0, size = COUNT(array);
	char login[32], buffer[512];
	struct passwd passwd;
	struct group group;
	struct spwd shadow;
	int error;

	name_user(login, i);
	assert_int_equal(
	    FROM_MODULE(_nss_hexabot_getpwnam_r)(login, &passwd, buffer, 512, &error), NSS_STATUS_SUCCESS);
	assert_int_equal(passwd.pw_uid, FIRST + i);
	assert_int_equal(FROM_MODULE(_nss_hexabot_getpwuid_r)(FIRST + i, &passwd, buffer, 512, &error),
	    NSS_STATUS_SUCCESS);
	assert_string_equal(passwd.pw_name, login);
	assert_int_equal(
	    FROM_MODULE(_nss_hexabot_getspnam_r)(login, &shadow, buffer, 512, &error), NSS_STATUS_SUCCESS);
	assert_int_equal(
	    FROM_MODULE(_nss_hexabot_getgrgid_r)(FIRST + i, &group, buffer, 512, &error), NSS_STATUS_SUCCESS);
	assert_string_equal(group.gr_name + 8, login);
	assert_int_equal(FROM_MODULE(_nss_hexabot_getgrnam_r)(group.gr_name, &group, buffer, 512, &error),
	    NSS_STATUS_SUCCESS);
	assert_int_equal(group.gr_gid, FIRST + i);
	assert_int_equal(
	    FROM_MODULE(_nss_hexabot_initgroups_dyn)(login, FIRST + i, &start, &size, &gids, size, &error),
	    NSS_STATUS_SUCCESS);
	assert_int_equal(start, i % 2 == 0 ? 2 : 1);
	assert_int_equal(gids[0], some_roles[0].gid);
	assert_true(i % 2 != 0 || gids[1] == some_roles[1].gid);
}

static void
check_misses(uint32_t i)
{
	char login[32], buffer[512];
	struct passwd passwd;
	struct group group;
	int error;

	name_user(login, many + i);
	assert_int_equal(
	    FROM_MODULE(_nss_hexabot_getpwnam_r)(login, &passwd, buffer, 512, &error), NSS_STATUS_NOTFOUND);
	assert_int_equal(FROM_MODULE(_nss_hexabot_getpwuid_r)(FIRST + many + i, &passwd, buffer, 512, &error),
	    NSS_STATUS_NOTFOUND);
	assert_int_equal(FROM_MODULE(_nss_hexabot_getgrgid_r)(FIRST + many + i, &group, buffer, 512, &error),
	    NSS_STATUS_NOTFOUND);
}

static void
lookups_among_a_million_are_right_and_walk_through_nothing(void **state)
{
	uint32_t i, random = 1;
	double used;

	(void)state;
	check_lookups(0);
	check_lookups(many - 1);
	used = processor_seconds();
	for (i = 0; i < FEW_LOOKUPS; i++) {
		random = random * 1664525 + 1013904223;
		check_lookups((uint32_t)((uint64_t)random * many >> 32));
		check_misses(random % many);
		if (processor_seconds() - used > (i + 1000) * 9.0 * LOOKUP_MICROSECONDS / 1e6)
			fail_msg("%u rounds of nine lookups took %.1f s", i + 1, processor_seconds() - used);
	}
}

/* Looked at in between: a walk that begins anew for each entry would not end. */
static void
check_pace(double begin, uint32_t entries)
{
	const double used = processor_seconds() - begin;

	if (used > (entries + 1000) * ENTRY_MICROSECONDS / 1e6)
		fail_msg("%u entries took %.1f s", entries, used);
}

static void
a_list_of_a_million_users_is_one_pass(void **state)
{
	const double begin = processor_seconds();
	struct passwd passwd, *found;
	char buffer[512];
	uint32_t i;

	(void)state;
	setpwent();
	for (i = 0; i < many; i++) {
		assert_int_equal(getpwent_r(&passwd, buffer, sizeof(buffer), &found), 0);
		assert_int_equal(passwd.pw_uid, FIRST + i);
		if (i % 1000 == 0)
			check_pace(begin, i);
	}
	assert_null(getpwent());
	endpwent();
}

static void
a_list_of_a_million_groups_is_one_pass(void **state)
{
	struct group group, *found;
	char buffer[512];
	double begin;
	uint32_t i;

	(void)state;
	setgrent();
	for (i = 0; i < ROLES; i++) /* two of them with all members: glibc's own buffer grows */
		assert_string_equal(getgrent()->gr_name, some_roles[i].group);
	begin = processor_seconds();
	for (i = 0; i < many; i++) {
		assert_int_equal(getgrent_r(&group, buffer, sizeof(buffer), &found), 0);
		assert_int_equal(group.gr_gid, FIRST + i);
		if (i % 1000 == 0)
			check_pace(begin, i);
	}
	assert_null(getgrent());
	endgrent();
}

static void
a_group_of_a_million_has_them_all(void **state)
{
	const size_t room = (size_t)many * (sizeof(char *) + sizeof("user999999")) + 64;
	char *buffer = malloc(room), login[32];
	const double used = processor_seconds();
	struct group group, *found = NULL;
	uint32_t i;

	(void)state;
	assert_non_null(buffer);
	assert_int_equal(getgrnam_r("hexabot-admin", &group, buffer, room, &found), 0);
	assert_non_null(found);
	assert_true(processor_seconds() - used < many * ENTRY_MICROSECONDS / 1e6);
	for (i = 0; i < many; i++) {
		name_user(login, i);
		assert_string_equal(group.gr_mem[i], login);
	}
	assert_null(group.gr_mem[many]);
	free(buffer);
}

/* In a process of its own, that does nothing else: lookups of everybody, and every list. */
static void
a_million_users_cost_64_kib_of_private_memory_at_most(void **state)
{
	char program[] = TEST_WALK, library[] = TEST_MODULE, option[] = "--memory";
	char *const argv[] = { program, library, option, NULL };
	unsigned long grown = 0, own = 0;
	char line[64] = "";
	posix_spawn_file_actions_t actions;
	int ends[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	assert_int_equal(posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO), 0);
	assert_int_equal(posix_spawn(&pid, program, &actions, NULL, argv, environ), 0);
	close(ends[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(read(ends[0], line, sizeof(line) - 1) > 0);
	close(ends[0]);
	posix_spawn_file_actions_destroy(&actions);
	print_message("# private memory in KiB, all and the library's own: %s", line);
	assert_int_equal(sscanf(line, "%lu %lu", &grown, &own), 2);
	if (has_address_sanitizer()) /* which takes memory of its own for each address and each global */
		return;
	assert_in_range(own, 1, 64);
	assert_in_range(grown, 1, 64);
}

int
main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(lookups_among_a_million_are_right_and_walk_through_nothing),
		cmocka_unit_test(a_list_of_a_million_users_is_one_pass),
		cmocka_unit_test(a_list_of_a_million_groups_is_one_pass),
		cmocka_unit_test(a_group_of_a_million_has_them_all),
		cmocka_unit_test(a_million_users_cost_64_kib_of_private_memory_at_most),
	};

	return run_as_root(tests, COUNT(tests), install_many);
}
