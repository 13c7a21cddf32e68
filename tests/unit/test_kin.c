/* SPDX-License-Identifier: ISC */
/* Which processes of others came out of a user's. */
#include <time.h>

#include "hexactl/kin.h"
#include "support.h"

#define MONA 1000
#define LARS 2000
#define MANY 60000

static struct hxb_processes all, kin;

static void
add(pid_t pid, pid_t parent, uid_t uid)
{
	const struct hxb_process process = {
		.pid = pid, .parent = parent, .real = uid, .effective = uid, .saved = uid, .login = HXB_NO_UID
	};

	assert_ok(hxb_processes_add(&all, &process, &err));
}

static int
end_test(void **state)
{
	(void)state;
	hxb_processes_clear(&all);
	hxb_processes_clear(&kin);
	return 0;
}

static void
who_descends_from_the_users_is_kin_over_any_number_of_others(void **state)
{
	const pid_t expected[] = { 12, 13, 14, 15, 17 };

	(void)state;
	add(2, 1, 0);
	add(10, 2, LARS);
	add(11, 10, MONA);
	add(12, 11, 0);
	add(13, 12, LARS);
	add(14, 13, 0);
	add(15, 13, 0);
	add(16, 15, MONA);
	add(17, 16, 0);
	add(18, 10, LARS);
	add(19, 18, 0);
	add(20, 999, 0); /* whose parent has gone */
	assert_ok(hxb_kin_find(&all, MONA, &kin, &err));
	assert_int_equal(kin.count, COUNT(expected));
	for (size_t i = 0; i < kin.count; i++)
		assert_int_equal(kin.list[i].pid, expected[i]);
}

static void
a_circle_ends(void **state)
{
	(void)state;
	add(10, 12, LARS);
	add(11, 10, LARS);
	add(12, 11, LARS);
	add(13, 13, LARS);
	add(14, 11, LARS);
	assert_ok(hxb_kin_find(&all, MONA, &kin, &err));
	assert_int_equal(kin.count, 0);
}

static void
who_opens_a_session_is_told_from_a_daemon_and_a_root_shell(void **state)
{
	const bool expected[] = { false, false, true, false, false, false, false, false };

	(void)state;
	add(1, 0, 0);
	add(10, 1, 0); /* sshd */
	add(11, 10, 0); /* opens one for mona */
	add(12, 10, 0); /* has opened one */
	add(13, 12, MONA);
	add(14, 1, 0); /* a daemon that she has restarted */
	add(15, 14, 0); /* and its child */
	add(16, 10, LARS);
	for (size_t i = 0; i < all.count; i++)
		if (all.list[i].pid >= 11)
			all.list[i].login = MONA;
	for (size_t i = 0; i < all.count; i++)
		assert_int_equal(hxb_kin_opens(&all, &all.list[i], MONA), expected[i]);
}

/* It is looked for before anything is ended: nobody's chain of processes is to hold that up. */
static void
a_chain_of_many_takes_no_time(void **state)
{
	const clock_t began = clock();

	(void)state;
	for (pid_t pid = 2; pid < MANY; pid++)
		add(pid, pid - 1, LARS);
	assert_ok(hxb_kin_find(&all, MONA, &kin, &err));
	assert_int_equal(kin.count, 0);
	assert_true(clock() - began < 5 * CLOCKS_PER_SEC);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    who_descends_from_the_users_is_kin_over_any_number_of_others, end_test),
		cmocka_unit_test_teardown(a_circle_ends, end_test),
		cmocka_unit_test_teardown(
		    who_opens_a_session_is_told_from_a_daemon_and_a_root_shell, end_test),
		cmocka_unit_test_teardown(a_chain_of_many_takes_no_time, end_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
