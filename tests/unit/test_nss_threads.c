/* SPDX-License-Identifier: ISC */
/*
 * The NSS module in processes of many threads, while the map is replaced and while they fork. tests/check
 * runs this under TSan too.
 */
#include "nss_fixture.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static _Atomic uint32_t installed;
static _Atomic uint32_t wrong;
static _Atomic uint32_t running;
static _Atomic uint32_t rounds; /* of lookups, in all threads */
static _Atomic bool stop;

static void
install_numbered(uint32_t number)
{
	install_numbered_in(HXB_STATE_DIR, number);
	atomic_store(&installed, number);
}

/* No lookup may give an older map than the one that was installed before it began. */
static bool
lookups_are_right(void)
{
	uint32_t oldest = atomic_load(&installed);

	if (user_number() < oldest)
		return false;
	oldest = atomic_load(&installed);
	if (group_number() < oldest)
		return false;
	oldest = atomic_load(&installed);
	return initgroups_number() >= oldest;
}

/* Other threads list too, and glibc has one place in the list for all: each entry is a whole one, no more. */
static bool
listed_user_is_right(void)
{
	struct passwd passwd, *found = NULL;
	char buffer[512];
	int error = getpwent_r(&passwd, buffer, sizeof(buffer), &found);
	uint32_t number;
	char *end;

	if (error == ENOENT) {
		setpwent();
		return true;
	}
	if (error != 0 || found == NULL)
		return false;
	if (strcmp(passwd.pw_name, "alice") == 0)
		return number_of_passwd(&passwd) > 0;
	number = (uint32_t)strtoul(passwd.pw_name + 1, &end, 10);
	return number > 0 && *end == '\0' && passwd.pw_uid == 100000 + (uint32_t)(passwd.pw_name[0] - 'a') &&
	    strcmp(passwd.pw_gecos, "other") == 0 && strcmp(passwd.pw_shell, "/bin/sh") == 0;
}

static bool
listed_group_is_right(void)
{
	struct group group, *found = NULL;
	char buffer[512];
	int error = getgrent_r(&group, buffer, sizeof(buffer), &found);

	if (error == ENOENT) {
		setgrent();
		return true;
	}
	if (error != 0 || found == NULL)
		return false;
	if (strcmp(group.gr_name, "hexabot-admin") == 0)
		return group.gr_gid > FIRST_GID && strcmp(group.gr_mem[0], "alice") == 0 &&
		    group.gr_mem[1] == NULL;
	if (strcmp(group.gr_name, "hexabot.alice") == 0)
		return group.gr_gid > FIRST_UID && group.gr_mem[0] == NULL;
	return strncmp(group.gr_name, HXB_PRIVATE_GROUP_PREFIX, strlen(HXB_PRIVATE_GROUP_PREFIX)) == 0 &&
	    group.gr_gid == 100000 + (uint32_t)(group.gr_name[8] - 'a') && group.gr_mem[0] == NULL;
}

/* glibc has a lock around each list too, but TSan does not know it. */
static bool
listed_entries_are_right(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	bool right;

	(void)pthread_mutex_lock(&lock);
	right = listed_user_is_right() && listed_group_is_right();
	(void)pthread_mutex_unlock(&lock);
	return right;
}

/* What threads do must not keep the one that publishes from its turn. */
static void
step_back(void)
{
	(void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 5);
}

static void *
look_up_until_told(void *unused)
{
	step_back();
	atomic_fetch_add(&running, 1);
	while (!atomic_load(&stop)) {
		if (!lookups_are_right())
			atomic_fetch_add(&wrong, 1);
		atomic_fetch_add(&rounds, 1);
	}
	return unused;
}

static void *
look_up_and_list_until_told(void *unused)
{
	step_back();
	atomic_fetch_add(&running, 1);
	while (!atomic_load(&stop)) {
		if (!lookups_are_right() || !listed_entries_are_right())
			atomic_fetch_add(&wrong, 1);
		atomic_fetch_add(&rounds, 1);
	}
	return unused;
}

static void
start_threads(pthread_t *threads, size_t count, void *(*run)(void *))
{
	size_t i;

	atomic_store(&stop, false);
	atomic_store(&wrong, 0);
	atomic_store(&running, 0);
	for (i = 0; i < count; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, NULL), 0);
	while (atomic_load(&running) < count)
		sched_yield();
}

/* So that each map is read by many before the next one replaces it under them. */
static void
wait_for_rounds(uint32_t count)
{
	const struct timespec pause = { 0, 50 * 1000 };
	const uint32_t begin = atomic_load(&rounds);

	while (atomic_load(&rounds) - begin < count)
		nanosleep(&pause, NULL);
}

static void
end_threads(pthread_t *threads, size_t count)
{
	size_t i;

	atomic_store(&stop, true);
	for (i = 0; i < count; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&wrong), 0);
}

#define MANY_THREADS 300
#define MANY_MAPS 1000

static void
three_hundred_threads_never_see_a_torn_or_an_older_map(void **state)
{
	static pthread_t threads[MANY_THREADS];
	unsigned int descriptors;
	uint32_t i;

	(void)state;
	atomic_store(&installed, 0);
	install_numbered(1);
	assert_true(lookups_are_right());
	descriptors = count_descriptors();
	start_threads(threads, MANY_THREADS, look_up_and_list_until_told);
	for (i = 2; i <= MANY_MAPS + 1; i++) {
		install_numbered(i);
		wait_for_rounds(50);
	}
	end_threads(threads, MANY_THREADS);
	endpwent();
	endgrent();
	assert_true(lookups_are_right());
	assert_int_equal(count_mappings(), 1);
	assert_int_equal(count_descriptors(), descriptors);
}

/*
 * Not through glibc, whose own locks are not ours to judge. A lock of ours that another thread holds at the
 * fork would never be released in the child: the alarm ends that.
 */
static void
look_up_in_a_child(uint32_t oldest)
{
	struct passwd passwd;
	struct group group;
	char buffer[512];
	int error, lookups;

	alarm(CHILD_SECONDS);
	for (lookups = 0; lookups < 50; lookups++) {
		MUST(FROM_MODULE(_nss_hexabot_getpwnam_r)("alice", &passwd, buffer, sizeof(buffer), &error) ==
		    NSS_STATUS_SUCCESS);
		MUST(number_of_passwd(&passwd) >= oldest);
		MUST(FROM_MODULE(_nss_hexabot_getgrnam_r)(
		         "hexabot-admin", &group, buffer, sizeof(buffer), &error) == NSS_STATUS_SUCCESS);
		MUST(group.gr_gid - FIRST_GID >= oldest);
		MUST(FROM_MODULE(_nss_hexabot_setpwent)(0) == NSS_STATUS_SUCCESS);
		MUST(FROM_MODULE(_nss_hexabot_getpwent_r)(&passwd, buffer, sizeof(buffer), &error) ==
		    NSS_STATUS_SUCCESS);
	}
	_exit(0);
}

#define FORKS 150 /* by each of two threads */

static void *
fork_again_and_again(void *unused)
{
	uint32_t i, oldest;
	pid_t child;
	int status;

	for (i = 0; i < FORKS; i++) {
		oldest = atomic_load(&installed);
		child = fork();
		if (child == 0)
			look_up_in_a_child(oldest);
		if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
			atomic_fetch_add(&wrong, 1);
			break;
		}
	}
	return unused;
}

static void
children_that_threads_fork_look_up_whatever_other_threads_did(void **state)
{
	pthread_t threads[8], forkers[2];
	size_t i;

	(void)state;
	atomic_store(&installed, 0);
	install_numbered(1);
	start_threads(threads, COUNT(threads), look_up_until_told);
	for (i = 0; i < COUNT(forkers); i++)
		assert_int_equal(pthread_create(&forkers[i], NULL, fork_again_and_again, NULL), 0);
	for (i = 2; i < 202; i++) {
		install_numbered((uint32_t)i);
		wait_for_rounds(50);
	}
	for (i = 0; i < COUNT(forkers); i++)
		assert_int_equal(pthread_join(forkers[i], NULL), 0);
	end_threads(threads, COUNT(threads));
	assert_int_equal(count_mappings(), 1);
}

static void
parent_and_child_both_follow_the_map(void **state)
{
	int status, ready[2];
	pid_t child;
	char byte;

	(void)state;
	atomic_store(&installed, 0);
	install_numbered(1);
	assert_true(lookups_are_right());
	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		alarm(CHILD_SECONDS);
		MUST(lookups_are_right());
		MUST(read(ready[0], &byte, 1) == 1);
		atomic_store(&installed, 2);
		MUST(lookups_are_right());
		_exit(0);
	}
	install_numbered(2);
	assert_int_equal(write(ready[1], "", 1), 1);
	assert_true(lookups_are_right());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(ready[0]);
	close(ready[1]);
}

int
main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(three_hundred_threads_never_see_a_torn_or_an_older_map),
		cmocka_unit_test(children_that_threads_fork_look_up_whatever_other_threads_did),
		cmocka_unit_test(parent_and_child_both_follow_the_map),
	};

	return run_as_root(tests, COUNT(tests), load_module);
}
