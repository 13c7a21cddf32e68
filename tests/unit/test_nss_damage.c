/* SPDX-License-Identifier: ISC */
/*
 * The NSS module on a map that is damaged somewhere: every byte of it, every length, every call. What is not
 * found is all right; what is found is right. An endless loop ends by alarm.
 */
#include "nss_fixture.h"

#define ROOM 65536
#define NEXT HXB_STATE_DIR "/next"

/* Which answers are there: all, none, or any that are right. */
enum expected { ALL, NONE, ANY };

static unsigned char whole[ROOM];
static size_t whole_size;

static bool
is_found(enum nss_status status, enum expected expected, const char *what)
{
	const bool found = status == NSS_STATUS_SUCCESS;

	if ((expected == ALL && !found) || (expected == NONE && status != NSS_STATUS_UNAVAIL) ||
	    (!found && status != NSS_STATUS_NOTFOUND && status != NSS_STATUS_UNAVAIL))
		fail_msg("%s: status %d", what, status);
	return found;
}

static void
assert_user(const struct passwd *got, const struct hxb_map_user *want)
{
	assert_string_equal(got->pw_name, want->login);
	assert_string_equal(got->pw_passwd, "x");
	assert_string_equal(got->pw_gecos, want->gecos);
	assert_string_equal(got->pw_dir, want->home);
	assert_string_equal(got->pw_shell, want->shell);
	assert_int_equal(got->pw_uid, want->uid);
	assert_int_equal(got->pw_gid, want->uid);
}

static void
assert_role(const struct group *got, const struct hxb_map_role *want)
{
	uint32_t i;

	assert_string_equal(got->gr_name, want->group);
	assert_int_equal(got->gr_gid, want->gid);
	for (i = 0; i < want->member_count; i++)
		assert_string_equal(got->gr_mem[i], some_users[want->members[i]].login);
	assert_null(got->gr_mem[i]);
}

static void
assert_private_group(const struct group *got, const struct hxb_map_user *want)
{
	assert_int_equal(strncmp(got->gr_name, "hexabot.", 8), 0);
	assert_string_equal(got->gr_name + 8, want->login);
	assert_int_equal(got->gr_gid, want->uid);
	assert_null(got->gr_mem[0]);
}

static void
assert_shadow(const struct spwd *got, const struct hxb_map_user *want)
{
	const bool denied = want->shadow == HXB_SHADOW_DENIED;

	assert_string_equal(got->sp_namp, want->login);
	assert_string_equal(got->sp_pwdp, denied ? "!*" : "*");
	assert_int_equal(got->sp_expire, denied ? 1 : -1);
	assert_int_equal(got->sp_lstchg, want->shadow == HXB_SHADOW_INVITED ? 0 : -1);
}

static void
check_initgroups(const struct hxb_map_user *user, enum expected expected)
{
	long int start = 0, size = 0;
	gid_t *gids = NULL;
	int error = 0;
	uint32_t i;

	if (is_found(
	        FROM_MODULE(_nss_hexabot_initgroups_dyn)(user->login, 0, &start, &size, &gids, 0, &error),
	        expected, "initgroups")) {
		assert_int_equal(start, user->role_count);
		for (i = 0; i < user->role_count; i++)
			assert_int_equal(gids[i], some_roles[user->roles[i]].gid);
	} else {
		assert_int_equal(start, 0);
	}
	free(gids);
}

static void
check_user(const struct hxb_map_user *user, enum expected expected)
{
	struct passwd passwd;
	struct group group;
	struct spwd shadow;
	char buffer[512], name[128];
	int error;

	if (is_found(FROM_MODULE(_nss_hexabot_getpwnam_r)(user->login, &passwd, buffer, 512, &error),
	        expected, "getpwnam"))
		assert_user(&passwd, user);
	if (is_found(FROM_MODULE(_nss_hexabot_getpwuid_r)(user->uid, &passwd, buffer, 512, &error), expected,
	        "getpwuid"))
		assert_user(&passwd, user);
	if (is_found(FROM_MODULE(_nss_hexabot_getspnam_r)(user->login, &shadow, buffer, 512, &error),
	        expected, "getspnam"))
		assert_shadow(&shadow, user);
	snprintf(name, sizeof(name), "hexabot.%s", user->login);
	if (is_found(FROM_MODULE(_nss_hexabot_getgrnam_r)(name, &group, buffer, 512, &error), expected,
	        "getgrnam"))
		assert_private_group(&group, user);
	if (is_found(FROM_MODULE(_nss_hexabot_getgrgid_r)(user->uid, &group, buffer, 512, &error), expected,
	        "getgrgid"))
		assert_private_group(&group, user);
	check_initgroups(user, expected);
}

static void
check_role(const struct hxb_map_role *role, enum expected expected)
{
	struct group group;
	char buffer[512];
	int error;

	if (is_found(FROM_MODULE(_nss_hexabot_getgrnam_r)(role->group, &group, buffer, 512, &error), expected,
	        "getgrnam of a role"))
		assert_role(&group, role);
	if (is_found(FROM_MODULE(_nss_hexabot_getgrgid_r)(role->gid, &group, buffer, 512, &error), expected,
	        "getgrgid of a role"))
		assert_role(&group, role);
}

static void
check_strangers(void)
{
	static const char *const names[] = { "", "root", "gone", "alicf", "Alice", "hexabot-admin" };
	static const uint32_t numbers[] = { 0, 1900000001, 1900000020, 1900000021, UINT32_MAX };
	struct passwd passwd;
	struct spwd shadow;
	char buffer[512];
	int error;
	size_t i;

	for (i = 0; i < COUNT(names); i++) {
		assert_int_not_equal(
		    FROM_MODULE(_nss_hexabot_getpwnam_r)(names[i], &passwd, buffer, 512, &error),
		    NSS_STATUS_SUCCESS);
		assert_int_not_equal(
		    FROM_MODULE(_nss_hexabot_getspnam_r)(names[i], &shadow, buffer, 512, &error),
		    NSS_STATUS_SUCCESS);
	}
	for (i = 0; i < COUNT(numbers); i++)
		assert_int_not_equal(
		    FROM_MODULE(_nss_hexabot_getpwuid_r)(numbers[i], &passwd, buffer, 512, &error),
		    NSS_STATUS_SUCCESS);
}

/* Lists keep their order, each entry comes once at the most: so `next` only moves on. */
static void
check_users_lists(enum expected expected)
{
	struct passwd passwd;
	struct spwd shadow;
	char buffer[512];
	size_t next;
	int error;

	FROM_MODULE(_nss_hexabot_setpwent)(0);
	for (next = 0;
	     FROM_MODULE(_nss_hexabot_getpwent_r)(&passwd, buffer, 512, &error) == NSS_STATUS_SUCCESS;
	     next++) {
		while (next < USERS && strcmp(some_users[next].login, passwd.pw_name) != 0 && expected == ANY)
			next++;
		assert_in_range(next, 0, USERS - 1);
		assert_user(&passwd, &some_users[next]);
	}
	assert_true(expected != ALL || next == USERS);
	FROM_MODULE(_nss_hexabot_endpwent)();
	FROM_MODULE(_nss_hexabot_setspent)(0);
	for (next = 0;
	     FROM_MODULE(_nss_hexabot_getspent_r)(&shadow, buffer, 512, &error) == NSS_STATUS_SUCCESS;
	     next++) {
		while (next < USERS && strcmp(some_users[next].login, shadow.sp_namp) != 0 && expected == ANY)
			next++;
		assert_in_range(next, 0, USERS - 1);
		assert_shadow(&shadow, &some_users[next]);
	}
	assert_true(expected != ALL || next == USERS);
	FROM_MODULE(_nss_hexabot_endspent)();
}

static void
check_groups_list(enum expected expected)
{
	struct group group;
	char buffer[512];
	size_t next = 0;
	int error;

	FROM_MODULE(_nss_hexabot_setgrent)(0);
	for (; FROM_MODULE(_nss_hexabot_getgrent_r)(&group, buffer, 512, &error) == NSS_STATUS_SUCCESS;
	     next++) {
		while (next < ROLES && group.gr_gid != some_roles[next].gid && expected == ANY)
			next++;
		while (next >= ROLES && next < ROLES + USERS &&
		    group.gr_gid != some_users[next - ROLES].uid && expected == ANY)
			next++;
		assert_in_range(next, 0, ROLES + USERS - 1);
		if (next < ROLES)
			assert_role(&group, &some_roles[next]);
		else
			assert_private_group(&group, &some_users[next - ROLES]);
	}
	assert_true(expected != ALL || next == ROLES + USERS);
	FROM_MODULE(_nss_hexabot_endgrent)();
}

static void
check_every_answer(enum expected expected)
{
	size_t i;

	for (i = 0; i < USERS; i++)
		check_user(&some_users[i], expected);
	for (i = 0; i < ROLES; i++)
		check_role(&some_roles[i], expected);
	check_strangers();
	check_users_lists(expected);
	check_groups_list(expected);
}

static void
put(const unsigned char *bytes, size_t size)
{
	write_file(NEXT, bytes, size);
	assert_true(put_in_place(NEXT));
}

static void
install_whole(void)
{
	alarm(100);
	install(some_writer(true), 1);
	whole_size = read_file(HXB_MAP_PATH, whole, sizeof(whole));
	put(whole, whole_size);
	check_every_answer(ALL);
}

static void
no_changed_byte_gives_a_wrong_answer(void **state)
{
	unsigned char changed[ROOM];
	size_t at;

	(void)state;
	install_whole();
	memcpy(changed, whole, whole_size);
	for (at = 0; at < whole_size; at++) {
		changed[at] = (unsigned char)(whole[at] ^ 1 << at % 8);
		put(changed, whole_size);
		check_every_answer(ANY);
		changed[at] = (unsigned char)~whole[at];
		put(changed, whole_size);
		check_every_answer(ANY);
		changed[at] = whole[at];
	}
	put(whole, whole_size);
	check_every_answer(ALL);
	assert_int_equal(count_mappings(), 1);
	alarm(0);
}

static void
a_shortened_map_answers_nothing(void **state)
{
	size_t size;

	(void)state;
	install_whole();
	for (size = 0; size < whole_size; size++) {
		put(whole, size);
		check_every_answer(NONE);
	}
	put(whole, whole_size);
	check_every_answer(ALL);
	alarm(0);
}

int
main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(no_changed_byte_gives_a_wrong_answer),
		cmocka_unit_test(a_shortened_map_answers_nothing),
	};

	return run_as_root(tests, COUNT(tests), load_module);
}
