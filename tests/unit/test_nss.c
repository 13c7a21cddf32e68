/* SPDX-License-Identifier: ISC */
/*
 * The NSS module as programs meet it: through glibc's own dispatch, and called directly at the limits.
 */
#include "nss_fixture.h"

#define ROOM 65536
#define GUARD 0x5a

/* One entry point with one key, so that every database runs through the same loop. */
struct call {
	const char *what;
	enum nss_status (*run)(void *result, char *buffer, size_t size, int *errnop);
	size_t strings; /* bytes of all strings with their NULs */
	size_t pointers; /* in gr_mem, the NULL included; 0 where there is none */
};

static enum nss_status
run_getpwnam(void *result, char *buffer, size_t size, int *errnop)
{
	return FROM_MODULE(_nss_hexabot_getpwnam_r)("alice", result, buffer, size, errnop);
}

static enum nss_status
run_getpwuid(void *result, char *buffer, size_t size, int *errnop)
{
	return FROM_MODULE(_nss_hexabot_getpwuid_r)(1900000010, result, buffer, size, errnop);
}

static enum nss_status
run_getspnam(void *result, char *buffer, size_t size, int *errnop)
{
	return FROM_MODULE(_nss_hexabot_getspnam_r)("carol", result, buffer, size, errnop);
}

static enum nss_status
run_getgrnam_role(void *result, char *buffer, size_t size, int *errnop)
{
	return FROM_MODULE(_nss_hexabot_getgrnam_r)("hexabot-manager", result, buffer, size, errnop);
}

static enum nss_status
run_getgrgid_role(void *result, char *buffer, size_t size, int *errnop)
{
	return FROM_MODULE(_nss_hexabot_getgrgid_r)(1900000002, result, buffer, size, errnop);
}

static enum nss_status
run_getgrnam_empty(void *result, char *buffer, size_t size, int *errnop)
{
	return FROM_MODULE(_nss_hexabot_getgrnam_r)("hexabot-nobody", result, buffer, size, errnop);
}

static enum nss_status
run_getgrnam_private(void *result, char *buffer, size_t size, int *errnop)
{
	return FROM_MODULE(_nss_hexabot_getgrnam_r)("hexabot.alice", result, buffer, size, errnop);
}

static enum nss_status
run_getgrgid_private(void *result, char *buffer, size_t size, int *errnop)
{
	return FROM_MODULE(_nss_hexabot_getgrgid_r)(1900000010, result, buffer, size, errnop);
}

static enum nss_status
run_getpwent(void *result, char *buffer, size_t size, int *errnop)
{
	assert_int_equal(FROM_MODULE(_nss_hexabot_setpwent)(0), NSS_STATUS_SUCCESS);
	return FROM_MODULE(_nss_hexabot_getpwent_r)(result, buffer, size, errnop);
}

static enum nss_status
run_getspent(void *result, char *buffer, size_t size, int *errnop)
{
	assert_int_equal(FROM_MODULE(_nss_hexabot_setspent)(0), NSS_STATUS_SUCCESS);
	return FROM_MODULE(_nss_hexabot_getspent_r)(result, buffer, size, errnop);
}

static enum nss_status
run_getgrent_nth(size_t n, void *result, char *buffer, size_t size, int *errnop)
{
	struct group group;
	char room[256];
	int error;

	assert_int_equal(FROM_MODULE(_nss_hexabot_setgrent)(0), NSS_STATUS_SUCCESS);
	while (n-- > 0)
		assert_int_equal(FROM_MODULE(_nss_hexabot_getgrent_r)(&group, room, sizeof(room), &error),
		    NSS_STATUS_SUCCESS);
	return FROM_MODULE(_nss_hexabot_getgrent_r)(result, buffer, size, errnop);
}

static enum nss_status
run_getgrent_role(void *result, char *buffer, size_t size, int *errnop)
{
	return run_getgrent_nth(1, result, buffer, size, errnop);
}

static enum nss_status
run_getgrent_private(void *result, char *buffer, size_t size, int *errnop)
{
	return run_getgrent_nth(ROLES, result, buffer, size, errnop);
}

#define ALICE \
	sizeof("alice") + sizeof("x") + sizeof("Alice Liddell, Oxford") + sizeof("/home/alice") + \
	    sizeof("/bin/bash")
#define MANAGERS sizeof("hexabot-manager") + sizeof("x") + sizeof("alice") + sizeof("bob")

static const struct call calls[] = {
	{ "getpwnam", run_getpwnam, ALICE, 0 },
	{ "getpwuid", run_getpwuid, ALICE, 0 },
	{ "getspnam", run_getspnam, sizeof("carol") + sizeof("!*"), 0 },
	{ "getgrnam of a role", run_getgrnam_role, MANAGERS, 3 },
	{ "getgrgid of a role", run_getgrgid_role, MANAGERS, 3 },
	{ "getgrnam of an empty role", run_getgrnam_empty, sizeof("hexabot-nobody") + sizeof("x"), 1 },
	{ "getgrnam of a private group", run_getgrnam_private, sizeof("hexabot.alice") + sizeof("x"), 1 },
	{ "getgrgid of a private group", run_getgrgid_private, sizeof("hexabot.alice") + sizeof("x"), 1 },
	{ "getpwent", run_getpwent, ALICE, 0 },
	{ "getspent", run_getspent, sizeof("alice") + sizeof("*"), 0 },
	{ "getgrent of a role", run_getgrent_role, MANAGERS, 3 },
	{ "getgrent of a private group", run_getgrent_private, sizeof("hexabot.alice") + sizeof("x"), 1 },
};

static void
check_size(const struct call *call, size_t shift, size_t size)
{
	const size_t align = _Alignof(char *);
	const size_t padding = call->pointers > 0 && shift % align != 0 ? align - shift % align : 0;
	const bool fits = size >= padding + call->pointers * sizeof(char *) + call->strings;
	union {
		struct passwd passwd;
		struct group group;
		struct spwd shadow;
		unsigned char bytes[128];
	} result;
	char *block =
	    malloc(shift + size + 1); /* malloc's alignment is align's at least; ASan sees what is beyond */
	enum nss_status status;
	int error = 0;

	assert_non_null(block);
	memset(block, GUARD, shift + size + 1);
	status = call->run(&result, block + shift, size, &error);
	if (status != (fits ? NSS_STATUS_SUCCESS : NSS_STATUS_TRYAGAIN) || (error == ERANGE) == fits)
		fail_msg("%s, %zu bytes at %zu: status %d, error %d", call->what, size, shift, status, error);
	assert_int_equal(block[shift + size], GUARD);
	free(block);
}

static void
erange_comes_exactly_when_it_does_not_fit(void **state)
{
	size_t i, shift, size;

	(void)state;
	install(some_writer(true), 1);
	for (i = 0; i < COUNT(calls); i++) {
		for (shift = 0; shift < 8; shift++) {
			for (size = 0; size < 128; size++)
				check_size(&calls[i], shift, size);
		}
	}
	FROM_MODULE(_nss_hexabot_endpwent)();
	FROM_MODULE(_nss_hexabot_endspent)();
	FROM_MODULE(_nss_hexabot_endgrent)();
}

static void
assert_within(const void *pointer, const char *buffer, size_t size)
{
	assert_true((uintptr_t)pointer >= (uintptr_t)buffer && (uintptr_t)pointer < (uintptr_t)buffer + size);
}

static void
answers_point_into_the_callers_buffer(void **state)
{
	struct passwd passwd;
	struct group group;
	struct spwd shadow;
	char buffer[256];
	int error = 0;

	(void)state;
	install(some_writer(true), 1);
	assert_int_equal(run_getpwnam(&passwd, buffer, sizeof(buffer), &error), NSS_STATUS_SUCCESS);
	assert_within(passwd.pw_name, buffer, sizeof(buffer));
	assert_within(passwd.pw_passwd, buffer, sizeof(buffer));
	assert_within(passwd.pw_gecos, buffer, sizeof(buffer));
	assert_within(passwd.pw_dir, buffer, sizeof(buffer));
	assert_within(passwd.pw_shell, buffer, sizeof(buffer));
	assert_int_equal(run_getspnam(&shadow, buffer, sizeof(buffer), &error), NSS_STATUS_SUCCESS);
	assert_within(shadow.sp_namp, buffer, sizeof(buffer));
	assert_within(shadow.sp_pwdp, buffer, sizeof(buffer));
	assert_int_equal(run_getgrnam_role(&group, buffer, sizeof(buffer), &error), NSS_STATUS_SUCCESS);
	assert_within(group.gr_name, buffer, sizeof(buffer));
	assert_within(group.gr_passwd, buffer, sizeof(buffer));
	assert_within(group.gr_mem, buffer, sizeof(buffer));
	assert_within(group.gr_mem[0], buffer, sizeof(buffer));
	assert_within(group.gr_mem[1], buffer, sizeof(buffer));
}

static void
assert_passwd(const struct passwd *got, const struct hxb_map_user *want)
{
	assert_non_null(got);
	assert_string_equal(got->pw_name, want->login);
	assert_string_equal(got->pw_passwd, "x");
	assert_string_equal(got->pw_gecos, want->gecos);
	assert_string_equal(got->pw_dir, want->home);
	assert_string_equal(got->pw_shell, want->shell);
	assert_int_equal(got->pw_uid, want->uid);
	assert_int_equal(got->pw_gid, want->uid);
}

static void
every_user_is_found_by_login_and_uid(void **state)
{
	size_t i;

	(void)state;
	install(some_writer(true), 1);
	for (i = 0; i < USERS; i++) {
		assert_passwd(getpwnam(some_users[i].login), &some_users[i]);
		assert_passwd(getpwuid(some_users[i].uid), &some_users[i]);
	}
}

static void
nobody_elses_names_are_answered(void **state)
{
	char buffer[1024];
	struct passwd passwd, *found = &passwd;

	(void)state;
	install(some_writer(true), 1);
	assert_null(getpwnam("root"));
	assert_null(getpwnam("gone"));
	assert_null(getpwnam(""));
	assert_null(getpwuid(0));
	assert_null(getpwuid(1900000001)); /* a role's */
	assert_null(getpwuid(1900000020)); /* a tombstone's */
	assert_null(getgrgid(1900000020));
	assert_null(getgrnam("alice"));
	assert_null(getgrnam("hexabot."));
	assert_null(getgrnam("hexabot.gone"));
	assert_null(getgrnam("hexabot.hexabot-admin"));
	assert_null(getspnam("gone"));
	assert_int_equal(getpwnam_r("root", &passwd, buffer, sizeof(buffer), &found), 0);
	assert_null(found);
}

static void
a_private_group_has_the_users_number_and_no_members(void **state)
{
	struct group *group;

	(void)state;
	install(some_writer(true), 1);
	group = getgrnam("hexabot.Dora.x");
	assert_non_null(group);
	assert_int_equal(group->gr_gid, 1900000013);
	assert_null(group->gr_mem[0]);
	group = getgrgid(1900000013);
	assert_non_null(group);
	assert_string_equal(group->gr_name, "hexabot.Dora.x");
	assert_string_equal(group->gr_passwd, "x");
	assert_null(group->gr_mem[0]);
}

static void
a_role_group_lists_its_members(void **state)
{
	struct group *group;

	(void)state;
	install(some_writer(true), 1);
	group = getgrgid(1900000002);
	assert_non_null(group);
	assert_string_equal(group->gr_name, "hexabot-manager");
	assert_string_equal(group->gr_passwd, "x");
	assert_string_equal(group->gr_mem[0], "alice");
	assert_string_equal(group->gr_mem[1], "bob");
	assert_null(group->gr_mem[2]);
	group = getgrnam("hexabot-nobody");
	assert_non_null(group);
	assert_int_equal(group->gr_gid, 1900000003);
	assert_null(group->gr_mem[0]);
}

static void
a_role_group_may_begin_like_a_private_one(void **state)
{
	const struct hxb_map_role role = { "hexabot.team", 1900000001, 11, NULL, 0 };
	struct hxb_map_writer *w = new_writer(true);
	struct group *group;
	uint32_t index;

	(void)state;
	assert_int_equal(hxb_map_writer_role(w, &role, &index), HXB_OK);
	install(w, 1);
	group = getgrnam("hexabot.team");
	assert_non_null(group);
	assert_int_equal(group->gr_gid, 1900000001);
}

static void
shadow_shows_the_state_and_never_a_hash(void **state)
{
	static const struct {
		const char *login, *password;
		long changed, expires;
	} cases[] = { { "alice", "*", -1, -1 }, { "bob", "*", 0, -1 }, { "carol", "!*", -1, 1 } };
	const struct spwd *shadow;
	size_t i;

	(void)state;
	install(some_writer(true), 1);
	for (i = 0; i < COUNT(cases); i++) {
		shadow = getspnam(cases[i].login);
		assert_non_null(shadow);
		assert_string_equal(shadow->sp_namp, cases[i].login);
		assert_string_equal(shadow->sp_pwdp, cases[i].password);
		assert_int_equal(shadow->sp_lstchg, cases[i].changed);
		assert_int_equal(shadow->sp_expire, cases[i].expires);
		assert_int_equal(shadow->sp_min, -1);
		assert_int_equal(shadow->sp_max, -1);
		assert_int_equal(shadow->sp_warn, -1);
		assert_int_equal(shadow->sp_inact, -1);
		assert_true(shadow->sp_flag == ~0UL);
	}
}

static void
a_users_groups_are_their_roles(void **state)
{
	gid_t gids[16];
	int count = COUNT(gids);

	(void)state;
	install(some_writer(true), 1);
	assert_int_equal(getgrouplist("alice", 1900000010, gids, &count), 3);
	assert_int_equal(gids[0], 1900000010);
	assert_int_equal(gids[1], 1900000001);
	assert_int_equal(gids[2], 1900000002);
	count = COUNT(gids);
	assert_int_equal(getgrouplist("carol", 1900000012, gids, &count), 1);
	count = COUNT(gids);
	assert_int_equal(getgrouplist("Dora.x", 1900000013, gids, &count), 6);
	assert_int_equal(gids[5], 1900000008);
	count = COUNT(gids);
	assert_int_equal(getgrouplist("root", 0, gids, &count), 1);
	count = 1;
	assert_int_equal(getgrouplist("alice", 1900000010, gids, &count), -1);
	assert_int_equal(count, 3);
}

static void
initgroups_grows_stops_at_the_limit_and_skips_the_primary(void **state)
{
	static const struct {
		long int size, start, limit;
		gid_t skip;
		long int added, size_after;
	} cases[] = {
		{ 1, 1, 0, 0, 2, 16 },
		{ 1, 1, 2, 0, 1, 2 },
		{ 4, 1, 0, 0, 2, 4 },
		{ 4, 1, 0, 1900000001, 1, 4 },
		{ 4, 4, 4, 0, 0, 4 },
		{ 4, 4, 5, 0, 1, 5 },
		{ 20, 20, 0, 0, 2, 40 },
	};
	long int start, size;
	int error = 0;
	gid_t *gids;
	size_t i;

	(void)state;
	install(some_writer(true), 1);
	for (i = 0; i < COUNT(cases); i++) {
		start = cases[i].start;
		size = cases[i].size;
		gids = malloc((size_t)size * sizeof(*gids));
		assert_non_null(gids);
		assert_int_equal(FROM_MODULE(_nss_hexabot_initgroups_dyn)(
		                     "alice", cases[i].skip, &start, &size, &gids, cases[i].limit, &error),
		    NSS_STATUS_SUCCESS);
		assert_int_equal(start, cases[i].start + cases[i].added);
		assert_int_equal(size, cases[i].size_after);
		free(gids);
	}
	start = size = 0;
	gids = NULL;
	assert_int_equal(
	    FROM_MODULE(_nss_hexabot_initgroups_dyn)("nobody", 0, &start, &size, &gids, 0, &error),
	    NSS_STATUS_NOTFOUND);
	assert_int_equal(start, 0);
}

static void
enumeration_lists_everybody_once(void **state)
{
	static const char *const groups[] = { "hexabot-admin", "hexabot-manager", "hexabot-nobody",
		"hexabot-a", "hexabot-b", "hexabot-c", "hexabot-d", "hexabot-e", "hexabot.alice",
		"hexabot.bob", "hexabot.carol", "hexabot.Dora.x", "hexabot.alic" };
	const struct group *group;
	const struct spwd *shadow;
	size_t i, round;

	(void)state;
	install(some_writer(true), 1);
	for (round = 0; round < 2; round++) {
		setpwent();
		for (i = 0; i < USERS; i++)
			assert_passwd(getpwent(), &some_users[i]);
		assert_null(getpwent());
		assert_null(getpwent());
		setgrent();
		for (i = 0; i < COUNT(groups); i++) {
			group = getgrent();
			assert_non_null(group);
			assert_string_equal(group->gr_name, groups[i]);
		}
		assert_null(getgrent());
		setspent();
		for (i = 0; i < USERS; i++) {
			shadow = getspent();
			assert_non_null(shadow);
			assert_string_equal(shadow->sp_namp, some_users[i].login);
		}
		assert_null(getspent());
	}
	endpwent();
	endgrent();
	endspent();
}

static void
an_entry_that_does_not_fit_comes_again(void **state)
{
	struct passwd passwd;
	struct group group;
	struct spwd shadow;
	char buffer[256];
	int error = 0;
	size_t i;

	(void)state;
	install(some_writer(true), 1);
	FROM_MODULE(_nss_hexabot_setpwent)(0);
	FROM_MODULE(_nss_hexabot_setspent)(0);
	for (i = 0; i < USERS; i++) {
		assert_int_equal(
		    FROM_MODULE(_nss_hexabot_getpwent_r)(&passwd, buffer, 5, &error), NSS_STATUS_TRYAGAIN);
		assert_int_equal(error, ERANGE);
		assert_int_equal(
		    FROM_MODULE(_nss_hexabot_getpwent_r)(&passwd, buffer, 256, &error), NSS_STATUS_SUCCESS);
		assert_passwd(&passwd, &some_users[i]);
		assert_int_equal(
		    FROM_MODULE(_nss_hexabot_getspent_r)(&shadow, buffer, 1, &error), NSS_STATUS_TRYAGAIN);
		assert_int_equal(
		    FROM_MODULE(_nss_hexabot_getspent_r)(&shadow, buffer, 256, &error), NSS_STATUS_SUCCESS);
		assert_string_equal(shadow.sp_namp, some_users[i].login);
	}
	assert_int_equal(
	    FROM_MODULE(_nss_hexabot_getpwent_r)(&passwd, buffer, 256, &error), NSS_STATUS_NOTFOUND);
	FROM_MODULE(_nss_hexabot_endpwent)();
	FROM_MODULE(_nss_hexabot_endspent)();
	for (i = 0; i < ROLES + USERS; i++) {
		assert_int_equal(
		    FROM_MODULE(_nss_hexabot_getgrent_r)(&group, buffer, 9, &error), NSS_STATUS_TRYAGAIN);
		assert_int_equal(
		    FROM_MODULE(_nss_hexabot_getgrent_r)(&group, buffer, 256, &error), NSS_STATUS_SUCCESS);
		if (i < ROLES)
			assert_string_equal(group.gr_name, some_roles[i].group);
		else
			assert_string_equal(group.gr_name + 8, some_users[i - ROLES].login);
	}
	assert_int_equal(
	    FROM_MODULE(_nss_hexabot_getgrent_r)(&group, buffer, 256, &error), NSS_STATUS_NOTFOUND);
	FROM_MODULE(_nss_hexabot_endgrent)();
}

static void
an_enumeration_ends_in_the_map_it_began_in(void **state)
{
	const struct group *group;
	size_t i;

	(void)state;
	install(some_writer(true), 1);
	setpwent();
	setgrent();
	setspent();
	assert_passwd(getpwent(), &some_users[0]);
	assert_string_equal(getgrent()->gr_name, "hexabot-admin");
	install(new_writer(true), 2);
	assert_null(getpwnam("alice"));
	assert_passwd(getpwent(), &some_users[1]);
	group = getgrent();
	assert_string_equal(group->gr_name, "hexabot-manager");
	assert_string_equal(group->gr_mem[1], "bob");
	for (i = 2; i <= ROLES; i++)
		group = getgrent();
	assert_string_equal(group->gr_name, "hexabot.alice");
	assert_string_equal(getspent()->sp_namp, "alice");
	setpwent();
	assert_null(getpwent());
	setgrent();
	assert_null(getgrent());
	setspent();
	assert_null(getspent());
	endpwent();
	endgrent();
	endspent();
	assert_int_equal(count_mappings(), 1);
}

static void
nothing_is_listed_where_enumerate_is_off(void **state)
{
	(void)state;
	install(some_writer(false), 1);
	setpwent();
	assert_null(getpwent());
	endpwent();
	setgrent();
	assert_null(getgrent());
	endgrent();
	setspent();
	assert_null(getspent());
	endspent();
	assert_passwd(getpwnam("alice"), &some_users[0]);
}

static int
open_installed(void)
{
	int fd;

	install(some_writer(true), 1);
	assert_non_null(getpwnam("alice"));
	fd = open(HXB_MAP_PATH, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* Puts a damaged copy in the map's place: one bit of the byte at `offset` from the place in the header is
 * another. */
static void
install_damaged(size_t section, size_t offset)
{
	_Alignas(8) unsigned char bytes[ROOM];
	uint64_t start;
	size_t size;
	int old = open_installed();

	size = read_file(HXB_MAP_PATH, bytes, sizeof(bytes));
	memcpy(&start, bytes + section, sizeof(start));
	bytes[start + offset] ^= 4;
	write_file(HXB_STATE_DIR "/damaged", bytes, size);
	assert_int_equal(rename(HXB_STATE_DIR "/damaged", HXB_MAP_PATH), 0);
	supersede(old);
}

static void
a_damaged_user_is_unavailable_and_not_listed(void **state)
{
	struct passwd passwd;
	struct group group;
	char buffer[256];
	int error = 0;
	size_t i;

	(void)state;
	install_damaged(
	    offsetof(struct hxb_map_header, users), offsetof(struct hxb_map_user_record, id_digest));
	assert_int_equal(run_getpwnam(&passwd, buffer, sizeof(buffer), &error), NSS_STATUS_UNAVAIL);
	assert_int_equal(error, ENOENT);
	assert_int_equal(run_getgrgid_private(&group, buffer, sizeof(buffer), &error), NSS_STATUS_UNAVAIL);
	setpwent();
	for (i = 1; i < USERS; i++)
		assert_passwd(getpwent(), &some_users[i]);
	assert_null(getpwent());
	endpwent();
}

static void
a_group_with_a_damaged_member_is_unavailable_and_not_listed(void **state)
{
	struct group group, *found;
	char buffer[256];
	int error = 0;
	size_t i;

	(void)state;
	install_damaged(
	    offsetof(struct hxb_map_header, users), offsetof(struct hxb_map_user_record, id_digest));
	assert_int_equal(run_getgrnam_role(&group, buffer, sizeof(buffer), &error), NSS_STATUS_UNAVAIL);
	setgrent();
	found = getgrent();
	assert_non_null(found);
	assert_string_equal(found->gr_name, "hexabot-nobody");
	for (i = 3; i <= ROLES; i++)
		found = getgrent();
	assert_non_null(found);
	assert_string_equal(found->gr_name, "hexabot.bob");
	endgrent();
}

static void
part_of_a_users_groups_is_never_given(void **state)
{
	long int start = 0, size = 0;
	gid_t *gids = NULL;
	int error = 0;

	(void)state;
	install_damaged(offsetof(struct hxb_map_header, roles),
	    sizeof(struct hxb_map_role_record) + offsetof(struct hxb_map_role_record, gid));
	assert_int_equal(
	    FROM_MODULE(_nss_hexabot_initgroups_dyn)("alice", 0, &start, &size, &gids, 0, &error),
	    NSS_STATUS_UNAVAIL);
	assert_int_equal(start, 0);
	free(gids);
}

static void
expect_unavailable(int old)
{
	struct passwd passwd;
	struct group group;
	struct spwd shadow;
	char buffer[256];
	long int start = 0, size = 0;
	gid_t *gids = NULL;
	int error = 0;

	supersede(old);
	assert_int_equal(run_getpwnam(&passwd, buffer, sizeof(buffer), &error), NSS_STATUS_UNAVAIL);
	assert_int_equal(error, ENOENT);
	assert_int_equal(run_getpwuid(&passwd, buffer, sizeof(buffer), &error), NSS_STATUS_UNAVAIL);
	assert_int_equal(run_getspnam(&shadow, buffer, sizeof(buffer), &error), NSS_STATUS_UNAVAIL);
	assert_int_equal(run_getgrnam_role(&group, buffer, sizeof(buffer), &error), NSS_STATUS_UNAVAIL);
	assert_int_equal(run_getgrgid_private(&group, buffer, sizeof(buffer), &error), NSS_STATUS_UNAVAIL);
	assert_int_equal(
	    FROM_MODULE(_nss_hexabot_initgroups_dyn)("alice", 0, &start, &size, &gids, 0, &error),
	    NSS_STATUS_UNAVAIL);
	assert_int_equal(FROM_MODULE(_nss_hexabot_setpwent)(0), NSS_STATUS_UNAVAIL);
	assert_int_equal(
	    FROM_MODULE(_nss_hexabot_getpwent_r)(&passwd, buffer, 256, &error), NSS_STATUS_UNAVAIL);
	assert_int_equal(FROM_MODULE(_nss_hexabot_setgrent)(0), NSS_STATUS_UNAVAIL);
	assert_int_equal(
	    FROM_MODULE(_nss_hexabot_getgrent_r)(&group, buffer, 256, &error), NSS_STATUS_UNAVAIL);
	assert_int_equal(FROM_MODULE(_nss_hexabot_setspent)(0), NSS_STATUS_UNAVAIL);
	assert_int_equal(
	    FROM_MODULE(_nss_hexabot_getspent_r)(&shadow, buffer, 256, &error), NSS_STATUS_UNAVAIL);
	assert_null(getpwnam("alice"));
	(void)unlink(HXB_MAP_PATH);
}

/* A copy of the installed map under the same name, so that the old one may be unlinked or kept. */
static size_t
copy_installed(unsigned char *bytes)
{
	size_t size = read_file(HXB_MAP_PATH, bytes, ROOM);

	write_file(HXB_STATE_DIR "/copy", bytes, size);
	assert_int_equal(rename(HXB_STATE_DIR "/copy", HXB_MAP_PATH), 0);
	return size;
}

static void
what_is_not_a_trustworthy_map_is_unavailable(void **state)
{
	_Alignas(8) unsigned char bytes[ROOM];
	struct hxb_map_header *header = (struct hxb_map_header *)(void *)bytes;
	size_t size;
	int old;

	(void)state;
	(void)unlink(HXB_STATE_DIR "/second");
	old = open_installed();
	assert_int_equal(unlink(HXB_MAP_PATH), 0);
	expect_unavailable(old);

	old = open_installed();
	write_file(HXB_MAP_PATH, "", 0);
	expect_unavailable(old);

	old = open_installed();
	size = copy_installed(bytes);
	bytes[0] = 'X';
	write_file(HXB_MAP_PATH, bytes, size);
	expect_unavailable(old);

	old = open_installed();
	size = copy_installed(bytes);
	header->major = 2;
	header->checksum = hxb_map_header_sum(header, header->header_size);
	write_file(HXB_MAP_PATH, bytes, size);
	expect_unavailable(old);

	old = open_installed();
	copy_installed(bytes);
	assert_int_equal(chmod(HXB_MAP_PATH, 0464), 0);
	expect_unavailable(old);

	old = open_installed();
	copy_installed(bytes);
	assert_int_equal(chown(HXB_MAP_PATH, 1, 1), 0);
	expect_unavailable(old);

	old = open_installed();
	copy_installed(bytes);
	assert_int_equal(link(HXB_MAP_PATH, HXB_STATE_DIR "/second"), 0);
	expect_unavailable(old);

	assert_int_equal(unlink(HXB_STATE_DIR "/second"), 0);
	old = open_installed();
	assert_int_equal(rename(HXB_MAP_PATH, HXB_STATE_DIR "/second"), 0);
	assert_int_equal(symlink(HXB_STATE_DIR "/second", HXB_MAP_PATH), 0);
	expect_unavailable(old);
	assert_int_equal(unlink(HXB_STATE_DIR "/second"), 0);
}

static void
no_descriptor_stays_open(void **state)
{
	unsigned int before;

	(void)state;
	install(some_writer(true), 1);
	before = count_descriptors();
	assert_non_null(getpwnam("alice"));
	setpwent();
	assert_non_null(getpwent());
	assert_int_equal(count_descriptors(), before);
	endpwent();
	assert_int_equal(count_descriptors(), before);
}

static void
fifty_thousand_members_are_listed(void **state)
{
	enum { MANY = 50000 };
	const size_t room = MANY * 24;
	struct hxb_map_writer *w = new_writer(true);
	struct hxb_map_user user = { "", "", "/", "/bin/sh", 0, 0, HXB_SHADOW_ENABLED, admins, 1, 0, { 0 } };
	struct group group, *found;
	char login[32];
	uint32_t i, index;
	char *buffer = malloc(room);
	gid_t gids[4];
	int count = COUNT(gids);

	(void)state;
	assert_non_null(buffer);
	assert_int_equal(hxb_map_writer_role(w, &some_roles[0], &index), HXB_OK);
	for (i = 0; i < MANY; i++) {
		snprintf(login, sizeof(login), "member%u", i);
		user.login = login;
		user.uid = 2000000000 + i;
		assert_int_equal(hxb_map_writer_user(w, &user), HXB_OK);
	}
	install(w, 1);
	assert_int_equal(getgrgid_r(some_roles[0].gid, &group, buffer, 1024, &found), ERANGE);
	assert_int_equal(getgrgid_r(some_roles[0].gid, &group, buffer, room, &found), 0);
	assert_non_null(found);
	for (i = 0; i < MANY; i++) {
		snprintf(login, sizeof(login), "member%u", i);
		assert_string_equal(group.gr_mem[i], login);
	}
	assert_null(group.gr_mem[MANY]);
	assert_non_null(getgrnam("hexabot-admin")); /* glibc grows its own buffer */
	assert_int_equal(getgrouplist("member49999", 2000049999, gids, &count), 2);
	free(buffer);
}

int
main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(erange_comes_exactly_when_it_does_not_fit),
		cmocka_unit_test(answers_point_into_the_callers_buffer),
		cmocka_unit_test(every_user_is_found_by_login_and_uid),
		cmocka_unit_test(nobody_elses_names_are_answered),
		cmocka_unit_test(a_private_group_has_the_users_number_and_no_members),
		cmocka_unit_test(a_role_group_lists_its_members),
		cmocka_unit_test(a_role_group_may_begin_like_a_private_one),
		cmocka_unit_test(shadow_shows_the_state_and_never_a_hash),
		cmocka_unit_test(a_users_groups_are_their_roles),
		cmocka_unit_test(initgroups_grows_stops_at_the_limit_and_skips_the_primary),
		cmocka_unit_test(enumeration_lists_everybody_once),
		cmocka_unit_test(an_entry_that_does_not_fit_comes_again),
		cmocka_unit_test(an_enumeration_ends_in_the_map_it_began_in),
		cmocka_unit_test(nothing_is_listed_where_enumerate_is_off),
		cmocka_unit_test(a_damaged_user_is_unavailable_and_not_listed),
		cmocka_unit_test(a_group_with_a_damaged_member_is_unavailable_and_not_listed),
		cmocka_unit_test(part_of_a_users_groups_is_never_given),
		cmocka_unit_test(what_is_not_a_trustworthy_map_is_unavailable),
		cmocka_unit_test(no_descriptor_stays_open),
		cmocka_unit_test(fifty_thousand_members_are_listed),
	};

	return run_as_root(tests, COUNT(tests), load_module);
}
