/* SPDX-License-Identifier: ISC */
/*
 * The map: what was written is what is read; whatever is damaged is not found, and never somebody else.
 * HXB_STATE_DIR is a directory of the build tree.
 */
#include "map_fixture.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#define ROOM 65536
#define LOOSE HXB_STATE_DIR "/loose" /* a map file outside the slots */

static void
assert_same_user(const struct hxb_map_user *got, const struct hxb_map_user *want)
{
	assert_string_equal(got->login, want->login);
	assert_string_equal(got->gecos, want->gecos);
	assert_string_equal(got->home, want->home);
	assert_string_equal(got->shell, want->shell);
	assert_int_equal(got->uid, want->uid);
	assert_int_equal(got->id_digest, want->id_digest);
	assert_int_equal(got->shadow, want->shadow);
	assert_int_equal(got->role_count, want->role_count);
	if (want->role_count > 0)
		assert_memory_equal(got->roles, want->roles, want->role_count * sizeof(*want->roles));
}

static void
assert_same_role(const struct hxb_map_role *got, const struct hxb_map_role *want)
{
	assert_string_equal(got->group, want->group);
	assert_int_equal(got->gid, want->gid);
	assert_int_equal(got->id_digest, want->id_digest);
	assert_int_equal(got->member_count, want->member_count);
	if (want->member_count > 0)
		assert_memory_equal(got->members, want->members, want->member_count * sizeof(*want->members));
}

/* Each key of the fixture: found and right, or, where `damaged`, not found. */
static void
look_up_everything(const struct hxb_map *map, bool damaged)
{
	enum hxb_map_status status;
	struct hxb_map_tombstone tombstone;
	struct hxb_map_user user;
	struct hxb_map_role role;
	uint32_t i;

	for (i = 0; i < USERS; i++) {
		status = hxb_map_user_by_login(map, some_users[i].login, &user);
		assert_true(status == HXB_MAP_FOUND || damaged);
		if (status == HXB_MAP_FOUND)
			assert_same_user(&user, &some_users[i]);
		status = hxb_map_user_by_uid(map, some_users[i].uid, &user);
		assert_true(status == HXB_MAP_FOUND || damaged);
		if (status == HXB_MAP_FOUND)
			assert_same_user(&user, &some_users[i]);
		status = hxb_map_user_at(map, i, &user);
		assert_true(status == HXB_MAP_FOUND || damaged);
		if (status == HXB_MAP_FOUND)
			assert_same_user(&user, &some_users[i]);
	}
	for (i = 0; i < ROLES; i++) {
		status = hxb_map_role_by_group(map, some_roles[i].group, &role);
		assert_true(status == HXB_MAP_FOUND || damaged);
		if (status == HXB_MAP_FOUND)
			assert_same_role(&role, &some_roles[i]);
		status = hxb_map_role_by_gid(map, some_roles[i].gid, &role);
		assert_true(status == HXB_MAP_FOUND || damaged);
		if (status == HXB_MAP_FOUND)
			assert_same_role(&role, &some_roles[i]);
		status = hxb_map_role_at(map, i, &role);
		assert_true(status == HXB_MAP_FOUND || damaged);
		if (status == HXB_MAP_FOUND)
			assert_same_role(&role, &some_roles[i]);
		status = hxb_map_role_head(map, i, &role);
		assert_true(status == HXB_MAP_FOUND || damaged);
		if (status == HXB_MAP_FOUND)
			assert_int_equal(role.gid, some_roles[i].gid);
	}
	for (i = 0; i < TOMBSTONES; i++) {
		status = hxb_map_tombstone_at(map, i, &tombstone);
		assert_true(status == HXB_MAP_FOUND || damaged);
		if (status != HXB_MAP_FOUND)
			continue;
		assert_string_equal(tombstone.name, some_tombstones[i].name);
		assert_int_equal(tombstone.number, some_tombstones[i].number);
		assert_int_equal(tombstone.id_digest, some_tombstones[i].id_digest);
	}
	assert_int_not_equal(hxb_map_user_at(map, USERS, &user), HXB_MAP_FOUND);
	assert_int_not_equal(hxb_map_role_at(map, ROLES, &role), HXB_MAP_FOUND);
	assert_int_not_equal(hxb_map_tombstone_at(map, TOMBSTONES, &tombstone), HXB_MAP_FOUND);
}

static bool
is_a_login(const char *name)
{
	size_t i;

	for (i = 0; i < USERS; i++) {
		if (strcmp(some_users[i].login, name) == 0)
			return true;
	}
	return false;
}

static bool
is_a_number(uint32_t number)
{
	size_t i;

	for (i = 0; i < USERS; i++) {
		if (some_users[i].uid == number)
			return true;
	}
	for (i = 0; i < ROLES; i++) {
		if (some_roles[i].gid == number)
			return true;
	}
	return false;
}

/* Nobody's names and numbers, above all those that one flipped bit turns ours into. */
static void
look_up_strangers(const struct hxb_map *map)
{
	struct hxb_map_user user;
	struct hxb_map_role role;
	char name[HXB_MAP_LOGIN_MAX + 1];
	uint32_t number;
	size_t i, bit;

	for (i = 0; i < USERS; i++) {
		for (bit = 0; bit < strlen(some_users[i].login) * 8; bit++) {
			strcpy(name, some_users[i].login);
			name[bit / 8] = (char)(name[bit / 8] ^ 1 << bit % 8);
			if (!is_a_login(name))
				assert_int_not_equal(hxb_map_user_by_login(map, name, &user), HXB_MAP_FOUND);
		}
		for (bit = 0; bit < 32; bit++) {
			number = some_users[i].uid ^ UINT32_C(1) << bit;
			if (is_a_number(number))
				continue;
			assert_int_not_equal(hxb_map_user_by_uid(map, number, &user), HXB_MAP_FOUND);
			assert_int_not_equal(hxb_map_role_by_gid(map, number, &role), HXB_MAP_FOUND);
		}
	}
	assert_int_not_equal(hxb_map_user_by_login(map, "", &user), HXB_MAP_FOUND);
	assert_int_not_equal(hxb_map_user_by_login(map, "gone", &user), HXB_MAP_FOUND);
	assert_int_not_equal(hxb_map_role_by_group(map, "alice", &role), HXB_MAP_FOUND);
	assert_int_not_equal(hxb_map_role_by_group(map, "hexabot-", &role), HXB_MAP_FOUND);
	assert_int_not_equal(hxb_map_user_by_uid(map, 0, &user), HXB_MAP_FOUND);
	assert_int_not_equal(hxb_map_user_by_uid(map, UINT32_MAX, &user), HXB_MAP_FOUND);
}

static size_t
make_loose(unsigned char *bytes)
{
	install(some_writer(true), 7);
	assert_int_equal(rename(HXB_MAP_PATH, LOOSE), 0);
	return read_file(LOOSE, bytes, ROOM);
}

static void
what_was_written_is_read_back(void **state)
{
	_Alignas(8) unsigned char bytes[ROOM];
	struct hxb_map_info info;
	struct hxb_map *map;
	const char *why = "";

	(void)state;
	const size_t size = make_loose(bytes);
	map = hxb_map_open(LOOSE, geteuid(), &why);
	assert_non_null(map);
	look_up_everything(map, false);
	look_up_strangers(map);
	assert_true(hxb_map_verify(map, &why));
	hxb_map_info(map, &info);
	assert_int_equal(info.generation, 7);
	assert_int_equal(info.size, size);
	assert_int_equal(info.user_count, USERS);
	assert_int_equal(info.role_count, ROLES);
	assert_int_equal(info.tombstone_count, TOMBSTONES);
	assert_true(info.enumerate);
	assert_true(info.published > 1500000000);
	hxb_map_close(map);
}

static void
an_empty_map_is_a_map(void **state)
{
	struct hxb_map_user user;
	struct hxb_map_role role;
	struct hxb_map_info info;
	struct hxb_map *map;

	(void)state;
	install(new_writer(false), 1);
	map = hxb_map_open(HXB_MAP_PATH, geteuid(), NULL);
	assert_non_null(map);
	assert_true(hxb_map_verify(map, NULL));
	hxb_map_info(map, &info);
	assert_false(info.enumerate);
	assert_int_equal(hxb_map_user_by_login(map, "alice", &user), HXB_MAP_NOT_FOUND);
	assert_int_equal(hxb_map_user_by_uid(map, 1900000010, &user), HXB_MAP_NOT_FOUND);
	assert_int_equal(hxb_map_role_by_group(map, "hexabot-admin", &role), HXB_MAP_NOT_FOUND);
	assert_int_equal(hxb_map_user_at(map, 0, &user), HXB_MAP_NOT_FOUND);
	hxb_map_close(map);
}

static void
many_users_are_all_found(void **state)
{
	struct hxb_map_writer *w = new_writer(true);
	struct hxb_map_user user = { "", "", "/", "/bin/sh", 0, 0, HXB_SHADOW_ENABLED, admins, 1, 0, { 0 } };
	struct hxb_map_role role;
	struct hxb_map *map;
	const char *why = "";
	char login[32];
	uint32_t i, index;

	(void)state;
	assert_int_equal(hxb_map_writer_role(w, &some_roles[0], &index), HXB_OK);
	for (i = 0; i < 20000; i++) {
		snprintf(login, sizeof(login), "user%u", i);
		user.login = login;
		user.uid = 2000000000 + i;
		user.id_digest = i;
		assert_int_equal(hxb_map_writer_user(w, &user), HXB_OK);
	}
	install(w, 1);
	map = hxb_map_open(HXB_MAP_PATH, geteuid(), NULL);
	assert_non_null(map);
	if (!hxb_map_verify(map, &why))
		fail_msg("%s", why);
	assert_int_equal(hxb_map_user_by_login(map, "user12345", &user), HXB_MAP_FOUND);
	assert_int_equal(user.uid, 2000012345);
	assert_int_equal(hxb_map_role_by_gid(map, some_roles[0].gid, &role), HXB_MAP_FOUND);
	assert_int_equal(role.member_count, 20000);
	hxb_map_close(map);
}

static void
roles_are_kept_once_and_in_order(void **state)
{
	const uint32_t muddle[] = { 2, 0, 2, 0 };
	struct hxb_map_user user = some_users[0];
	struct hxb_map_writer *w = new_writer(true);
	struct hxb_map *map;
	uint32_t i, index;

	(void)state;
	for (i = 0; i < ROLES; i++)
		assert_int_equal(hxb_map_writer_role(w, &some_roles[i], &index), HXB_OK);
	user.roles = muddle;
	user.role_count = COUNT(muddle);
	assert_int_equal(hxb_map_writer_user(w, &user), HXB_OK);
	install(w, 1);
	map = hxb_map_open(HXB_MAP_PATH, geteuid(), NULL);
	assert_non_null(map);
	assert_true(hxb_map_verify(map, NULL));
	assert_int_equal(hxb_map_user_at(map, 0, &user), HXB_MAP_FOUND);
	assert_int_equal(user.role_count, 2);
	assert_int_equal(user.roles[0], 0);
	assert_int_equal(user.roles[1], 2);
	hxb_map_close(map);
}

static const char *
repeated(char c, size_t count)
{
	static char text[4][2048];
	static size_t next;
	char *place = text[next++ % 4];

	memset(place, c, count);
	place[count] = '\0';
	return place;
}

static void
a_user_that_would_break_a_line_is_refused(void **state)
{
	const uint32_t no_such_role[] = { ROLES };
	const struct hxb_map_user good = { "erin", "Erin", "/home/erin", "/bin/sh", 1900000050, 50,
		HXB_SHADOW_ENABLED, one_role, 1, 0, { 0 } };
	struct hxb_map_user bad[17];
	struct hxb_map_writer *w = some_writer(true);
	size_t i, n = 0;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		bad[i] = good;
	bad[n++].login = "";
	bad[n++].login = NULL;
	bad[n++].login = "er:in";
	bad[n++].login = "er,in";
	bad[n++].login = "er\nin";
	bad[n++].login = "er\x7fin";
	bad[n++].login = repeated('e', HXB_MAP_LOGIN_MAX + 1);
	bad[n++].gecos = "a:b";
	bad[n++].gecos = "a\tb";
	bad[n++].gecos = repeated('g', HXB_MAP_GECOS_MAX + 1);
	bad[n++].home = "/home/a:b";
	bad[n++].home = repeated('/', HXB_MAP_PATH_MAX + 1);
	bad[n++].shell = "/bin/sh\n";
	bad[n++].shell = NULL;
	bad[n++].uid = 0;
	bad[n++].uid = UINT32_MAX;
	bad[n++].roles = no_such_role;
	assert_int_equal(n, COUNT(bad));
	for (i = 0; i < n; i++)
		assert_int_equal(hxb_map_writer_user(w, &bad[i]), HXB_INVALID);
	assert_int_equal(hxb_map_writer_user(w, &good), HXB_OK);
	install(w, 1); /* reads it back: nothing of the refused is left */
}

static void
a_role_that_would_break_a_line_is_refused(void **state)
{
	struct hxb_map_writer *w = new_writer(true);
	const struct hxb_map_role good = { "hexabot-admin", 1900000001, 11, NULL, 0 };
	const struct hxb_map_role bad[] = {
		{ "", 1900000002, 12, NULL, 0 },
		{ "a:b", 1900000002, 12, NULL, 0 },
		{ "a,b", 1900000002, 12, NULL, 0 },
		{ "a\nb", 1900000002, 12, NULL, 0 },
		{ repeated('r', HXB_MAP_LOGIN_MAX + 1), 1900000002, 12, NULL, 0 },
		{ "hexabot-root", 0, 12, NULL, 0 },
	};
	uint32_t i, index = 99;

	(void)state;
	assert_int_equal(hxb_map_writer_role(w, &good, &index), HXB_OK);
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(hxb_map_writer_role(w, &bad[i], &index), HXB_INVALID);
	assert_int_equal(index, 0);
	install(w, 1);
}

static void
a_role_cannot_take_a_private_groups_name(void **state)
{
	struct hxb_map_writer *w = new_writer(true);
	const struct hxb_map_role role = { "hexabot.carol", 1900000001, 11, NULL, 0 };
	uint32_t index;

	(void)state;
	assert_int_equal(hxb_map_writer_role(w, &role, &index), HXB_OK);
	assert_int_equal(hxb_map_writer_user(w, &some_users[2]), HXB_INVALID);
	hxb_map_writer_free(w);
}

/* Why the map that this writer has collected is not written; frees it. */
static void
assert_not_written(struct hxb_map_writer *w, const char *why)
{
	struct hxb_error error = { "" };

	assert_int_equal(
	    hxb_map_writer_write(w, &(struct hxb_map_info){ .generation = 1 }, &error), HXB_FAILED);
	if (strstr(error.text, why) == NULL)
		fail_msg("'%s' and not '%s'", error.text, why);
	hxb_map_writer_free(w);
}

static void
a_name_or_number_with_two_owners_is_no_map(void **state)
{
	struct hxb_map_user other = some_users[4], twice[] = { other, other, other, other };
	static const char *const why[] = { "not found by login", "not found by uid", "not found by uid",
		"has a role's number" };
	const struct hxb_map_role same_group = { "hexabot-admin", 1900000098, 98, NULL, 0 };
	const struct hxb_map_role same_gid = { "hexabot-other", 1900000001, 98, NULL, 0 };
	struct hxb_map_writer *w;
	uint32_t index;

	(void)state;
	for (size_t i = 0; i < COUNT(twice); i++) {
		twice[i].login = "erin";
		twice[i].uid = 1900000050;
	}
	twice[0].login = "alice";
	twice[1].uid = some_users[1].uid;
	twice[2].uid = some_users[0].uid;
	twice[3].uid = some_roles[1].gid;
	for (size_t i = 0; i < COUNT(twice); i++) {
		w = some_writer(true);
		assert_int_equal(hxb_map_writer_user(w, &twice[i]), HXB_OK);
		assert_not_written(w, why[i]);
	}
	w = new_writer(true);
	assert_int_equal(hxb_map_writer_role(w, &some_roles[0], &index), HXB_OK);
	assert_int_equal(hxb_map_writer_role(w, &same_group, &index), HXB_OK);
	assert_not_written(w, "not found by its group's name");
	w = new_writer(true);
	assert_int_equal(hxb_map_writer_role(w, &some_roles[0], &index), HXB_OK);
	assert_int_equal(hxb_map_writer_role(w, &same_gid, &index), HXB_OK);
	assert_not_written(w, "not found by its gid");
}

static void
a_tombstone_keeps_names_and_numbers_from_other_ids(void **state)
{
	static const struct hxb_map_tombstone strangers[] = {
		{ "alice", 1900000099, 99 },
		{ "zoe", 1900000010, 99 },
		{ "", 1900000001, 99 },
	};
	const struct hxb_map_tombstone own_former_login = { "liddell", 1900000010, 21 };
	const struct hxb_map_tombstone broken = { "a:b", 1900000098, 98 };
	struct hxb_map_writer *w;

	(void)state;
	for (size_t i = 0; i < COUNT(strangers); i++) {
		w = some_writer(true);
		assert_int_equal(hxb_map_writer_tombstone(w, &strangers[i]), HXB_OK);
		assert_not_written(w, "tombstone's name or number has another owner");
	}
	w = some_writer(true);
	assert_int_equal(hxb_map_writer_tombstone(w, &broken), HXB_INVALID);
	assert_int_equal(hxb_map_writer_tombstone(w, &own_former_login), HXB_OK);
	install(w, 1);
}

static bool
is_superseded_word(size_t at)
{
	const size_t word = offsetof(struct hxb_map_header, superseded);

	return at >= word && at < word + sizeof(uint32_t);
}

static void
no_flipped_bit_gives_a_wrong_answer(void **state)
{
	_Alignas(8) unsigned char bytes[ROOM], flipped;
	const size_t size = make_loose(bytes);
	struct hxb_map *map;
	size_t at, bit;
	int fd;

	(void)state;
	assert_int_equal(chmod(LOOSE, 0644), 0);
	fd = open(LOOSE, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	for (at = 0; at < size; at++) {
		for (bit = 0; bit < 8; bit++) {
			flipped = (unsigned char)(bytes[at] ^ 1 << bit);
			assert_int_equal(pwrite(fd, &flipped, 1, (off_t)at), 1);
			map = hxb_map_open(LOOSE, geteuid(), NULL);
			if (map == NULL)
				continue;
			look_up_everything(map, true);
			look_up_strangers(map);
			assert_int_equal(hxb_map_verify(map, NULL), is_superseded_word(at));
			hxb_map_close(map);
		}
		assert_int_equal(pwrite(fd, &bytes[at], 1, (off_t)at), 1);
	}
	close(fd);
}

static void
no_shortened_or_lengthened_map_opens(void **state)
{
	_Alignas(8) unsigned char bytes[ROOM];
	const size_t size = make_loose(bytes);
	size_t length;

	(void)state;
	assert_int_equal(chmod(LOOSE, 0644), 0);
	assert_int_equal(truncate(LOOSE, (off_t)size + 1), 0);
	assert_null(hxb_map_open(LOOSE, geteuid(), NULL));
	for (length = size - 1; length < size; length--) { /* down to 0 */
		assert_int_equal(truncate(LOOSE, (off_t)length), 0);
		assert_null(hxb_map_open(LOOSE, geteuid(), NULL));
	}
}

static void
a_record_in_anothers_place_is_not_found(void **state)
{
	_Alignas(8) unsigned char bytes[ROOM];
	const size_t size = make_loose(bytes);
	struct hxb_map_header *header = (struct hxb_map_header *)(void *)bytes;
	uint32_t *places = (uint32_t *)(void *)(bytes + header->places), place;
	struct hxb_map_user user;
	struct hxb_map *map;

	(void)state;
	place = places[0];
	places[0] = places[1];
	places[1] = place;
	write_file(LOOSE, bytes, size);
	map = hxb_map_open(LOOSE, geteuid(), NULL);
	assert_non_null(map);
	assert_int_equal(hxb_map_user_at(map, 0, &user), HXB_MAP_UNAVAILABLE);
	assert_int_equal(hxb_map_user_at(map, 1, &user), HXB_MAP_UNAVAILABLE);
	assert_false(hxb_map_verify(map, NULL));
	hxb_map_close(map);

	/* A whole record over another one, whose size it has: the sum covers where it is. */
	places[1] = places[0];
	places[0] = place;
	memcpy(bytes + header->users + places[2] * HXB_MAP_UNIT,
	    bytes + header->users + places[1] * HXB_MAP_UNIT, (places[2] - places[1]) * HXB_MAP_UNIT);
	write_file(LOOSE, bytes, size);
	map = hxb_map_open(LOOSE, geteuid(), NULL);
	assert_non_null(map);
	assert_int_equal(hxb_map_user_at(map, 2, &user), HXB_MAP_UNAVAILABLE);
	assert_int_equal(hxb_map_user_at(map, 1, &user), HXB_MAP_FOUND);
	hxb_map_close(map);
}

static uint32_t
next_random(uint64_t *random)
{
	*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*random >> 32);
}

/* Whoever can make the header's checksum fit is root; still no lookup may leave the mapping or run on for
 * ever. */
static void
a_hostile_map_does_no_harm(void **state)
{
	static const uint32_t values[] = { 0, 1, 2, 7, 8, 176, 1000, 0x7fffffff, 0x80000000, 0xfffffffe,
		0xffffffff };
	_Alignas(8) unsigned char bytes[ROOM], copy[ROOM];
	const size_t size = make_loose(bytes);
	struct hxb_map_header *header = (struct hxb_map_header *)(void *)copy;
	struct hxb_map_role role;
	struct hxb_map_user user;
	uint64_t random = 1;
	uint32_t i, n, at, value, opened = 0;
	struct hxb_map *map;

	(void)state;
	for (i = 0; i < 20000; i++) {
		memcpy(copy, bytes, size);
		for (n = 0; n <= i % 4; n++) {
			at = next_random(&random) % (uint32_t)(i % 2 == 0 ? sizeof(*header) / 4 : size / 4);
			value = next_random(&random);
			value = value % 2 == 0 ? value : values[value / 2 % COUNT(values)];
			memcpy(copy + at * 4, &value, sizeof(value));
		}
		memcpy(header->magic, HXB_MAP_MAGIC, sizeof(header->magic));
		header->major = HXB_MAP_MAJOR;
		header->file_size = size;
		if (header->header_size >= sizeof(*header) && header->header_size <= size)
			header->checksum = hxb_map_header_sum(header, header->header_size);
		write_file(LOOSE, copy, size);
		map = hxb_map_open(LOOSE, geteuid(), NULL);
		if (map == NULL)
			continue;
		opened++;
		for (n = 0; n < USERS; n++) {
			(void)hxb_map_user_by_login(map, some_users[n].login, &user);
			(void)hxb_map_user_by_uid(map, some_users[n].uid, &user);
			(void)hxb_map_role_by_gid(map, some_users[n].uid, &role);
			(void)hxb_map_role_by_group(map, some_roles[n % ROLES].group, &role);
		}
		(void)hxb_map_verify(map, NULL);
		hxb_map_close(map);
	}
	assert_true(opened > 1000);
}

static void
expect_refusal(const char *path, const char *word)
{
	const char *why = "";

	errno = 0;
	assert_null(hxb_map_open(path, geteuid(), &why));
	assert_int_not_equal(errno, 0);
	if (strstr(why, word) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", why, word);
}

static void
what_is_not_a_trustworthy_map_is_refused(void **state)
{
	_Alignas(8) unsigned char bytes[ROOM];
	const size_t size = make_loose(bytes);
	struct hxb_map_header *header = (struct hxb_map_header *)(void *)bytes;

	(void)state;
	expect_refusal(HXB_STATE_DIR "/absent", "opened");
	expect_refusal(HXB_STATE_DIR, "regular");
	assert_int_equal(chmod(LOOSE, 0664), 0);
	expect_refusal(LOOSE, "writable");
	assert_int_equal(chmod(LOOSE, 0646), 0);
	expect_refusal(LOOSE, "writable");
	assert_int_equal(chmod(LOOSE, 0644), 0);
	(void)unlink(LOOSE "2");
	assert_int_equal(symlink(LOOSE, LOOSE "2"), 0);
	expect_refusal(LOOSE "2", "opened");
	assert_int_equal(unlink(LOOSE "2"), 0);
	assert_int_equal(link(LOOSE, LOOSE "2"), 0);
	expect_refusal(LOOSE, "link");
	assert_int_equal(unlink(LOOSE "2"), 0);
	assert_int_equal(mkfifo(LOOSE "2", 0644), 0);
	expect_refusal(LOOSE "2", "regular");
	assert_int_equal(unlink(LOOSE "2"), 0);
	write_file(LOOSE, "", 0);
	expect_refusal(LOOSE, "short");
	bytes[0] ^= 1;
	write_file(LOOSE, bytes, size);
	expect_refusal(LOOSE, "not a map");
	bytes[0] ^= 1;
	header->major = 2;
	header->checksum = hxb_map_header_sum(header, header->header_size);
	write_file(LOOSE, bytes, size);
	expect_refusal(LOOSE, "version");
	header->major = 1;
	header->header_size = 8192;
	write_file(LOOSE, bytes, size);
	expect_refusal(LOOSE, "header");
}

static void
a_strangers_map_is_refused(void **state)
{
	_Alignas(8) unsigned char bytes[ROOM];
	struct hxb_map *map;

	(void)state;
	if (!needs_root())
		skip();
	make_loose(bytes);
	assert_int_equal(chown(LOOSE, 1, 0), 0);
	expect_refusal(LOOSE, "root");
	map = hxb_map_open(LOOSE, 1, NULL);
	assert_non_null(map);
	hxb_map_close(map);
	assert_int_equal(chown(LOOSE, 65534, 0), 0); /* root, seen from a user namespace */
	map = hxb_map_open(LOOSE, 1, NULL);
	assert_non_null(map);
	hxb_map_close(map);
}

static void
a_later_minor_version_is_read(void **state)
{
	_Alignas(8) unsigned char bytes[ROOM];
	const size_t size = make_loose(bytes);
	struct hxb_map *map;
	const char *why = "";

	(void)state;
	write_file(LOOSE, bytes, make_later_minor(bytes, size));
	map = hxb_map_open(LOOSE, geteuid(), &why);
	if (map == NULL || !hxb_map_verify(map, &why))
		fail_msg("%s", why);
	look_up_everything(map, false);
	hxb_map_close(map);
}

static unsigned int
count_temporaries(void)
{
	DIR *listing = opendir(HXB_STATE_DIR);
	struct dirent *entry;
	unsigned int count = 0;

	assert_non_null(listing);
	while ((entry = readdir(listing)) != NULL)
		count += strncmp(entry->d_name, ".map.1.", 7) == 0;
	closedir(listing);
	return count;
}

static void
what_is_not_installed_leaves_nothing_behind(void **state)
{
	struct hxb_map_writer *w;
	const struct hxb_map *old;
	struct stat before, after;
	struct hxb_error error;

	(void)state;
	install(some_writer(true), 1);
	assert_int_equal(stat(HXB_MAP_PATH, &before), 0);
	w = some_writer(true);
	assert_int_equal(hxb_map_writer_install(w, &error), HXB_FAILED);
	hxb_map_writer_free(w);
	assert_int_equal(count_temporaries(), 0);
	w = some_writer(true);
	assert_int_equal(hxb_map_writer_write(w, &(struct hxb_map_info){ .generation = 2 }, &error), HXB_OK);
	assert_int_equal(count_temporaries(), 1);
	assert_int_equal(
	    hxb_map_writer_write(w, &(struct hxb_map_info){ .generation = 2 }, &error), HXB_FAILED);
	hxb_map_writer_free(w);
	assert_int_equal(count_temporaries(), 0);
	assert_int_equal(stat(HXB_MAP_PATH, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	old = hxb_map_open(HXB_MAP_PATH, geteuid(), NULL);
	assert_non_null(old);
	assert_int_equal(old->header->superseded, 0);
	hxb_map_unpin(old);
	hxb_map_writer_free(NULL);
}

static void
the_next_writer_clears_up_after_a_crashed_one(void **state)
{
	(void)state;
	write_file(HXB_STATE_DIR "/.map.1.0123456789abcdef", "half", 4);
	write_file(HXB_STATE_DIR "/.map.1.somebody-elses", "file", 4);
	hxb_map_writer_free(some_writer(true));
	assert_int_equal(access(HXB_STATE_DIR "/.map.1.0123456789abcdef", F_OK), -1);
	assert_int_equal(unlink(HXB_STATE_DIR "/.map.1.somebody-elses"), 0);
}

static void
a_directory_that_is_not_there_is_named(void **state)
{
	struct hxb_map_writer *w;
	struct hxb_error error;

	(void)state;
	assert_int_equal(hxb_map_writer_new(HXB_STATE_DIR "/absent", true, &w, &error), HXB_FAILED);
	assert_null(w);
	assert_non_null(strstr(error.text, "/absent: No such file"));
}

/* A directory on a full disk: the file that is not whole is gone, and the old one stays. */
static void
a_map_that_does_not_fit_on_the_disk_is_no_map(void **state)
{
	struct rlimit before, small = { 4096, 4096 };
	struct hxb_map_user user = { "", "", "/", "/bin/sh", 0, 0, HXB_SHADOW_ENABLED, NULL, 0, 0, { 0 } };
	struct hxb_map_writer *w = new_writer(true);
	struct hxb_error error = { "" };
	char login[32];
	uint32_t i;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	for (i = 0; i < 50; i++) {
		snprintf(login, sizeof(login), "user%u", i);
		user.login = login;
		user.id_digest = user.uid = 2000000000 + i;
		assert_int_equal(hxb_map_writer_user(w, &user), HXB_OK);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(
	    hxb_map_writer_write(w, &(struct hxb_map_info){ .generation = 1 }, &error), HXB_FAILED);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_non_null(strstr(error.text, "can't write: File too large"));
	assert_int_equal(count_temporaries(), 0);
	hxb_map_writer_free(w);
}

static void
everybody_may_read_and_nobody_write_it(void **state)
{
	struct stat st;
	mode_t mask = umask(077);

	(void)state;
	install(some_writer(true), 1);
	umask(mask);
	assert_int_equal(stat(HXB_MAP_PATH, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0444);
	assert_int_equal(st.st_nlink, 1);
}

static uint64_t
generation(const struct hxb_map *map)
{
	struct hxb_map_info info;

	assert_non_null(map);
	hxb_map_info(map, &info);
	return info.generation;
}

static uint64_t
pinned_generation(void)
{
	const struct hxb_map *map = hxb_map_pin();
	uint64_t found = map != NULL ? generation(map) : 0;

	hxb_map_unpin(map);
	return found;
}

static double
seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Polls. What begins after the second that is promised, and a tick of the coarse clock, must have it, however
 * busy the machine is. */
static bool
becomes(uint64_t expected)
{
	const struct timespec pause = { 0, 20 * 1000 * 1000 };
	const double end = seconds() + 1.03;
	double begun;

	do {
		begun = seconds();
		if (pinned_generation() == expected)
			return true;
		nanosleep(&pause, NULL);
	} while (begun < end);
	return false;
}

static unsigned int
count_lines(const char *path, const char *word)
{
	FILE *file = fopen(path, "re");
	char line[4096];
	unsigned int count = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL)
		count += strstr(line, word) != NULL;
	fclose(file);
	return count;
}

static unsigned int
count_mappings(void)
{
	return count_lines("/proc/self/maps", HXB_MAP_PATH);
}

static void
a_pinned_map_is_the_installed_one_and_errno_stays(void **state)
{
	const struct hxb_map *map;

	(void)state;
	if (!needs_root())
		skip();
	install(some_writer(true), 41);
	errno = E2BIG;
	map = hxb_map_pin();
	assert_int_equal(errno, E2BIG);
	assert_int_equal(generation(map), 41);
	look_up_everything(map, false);
	assert_ptr_equal(hxb_map_pin(), map);
	hxb_map_unpin(map);
	hxb_map_unpin(map);
	assert_int_equal(unlink(HXB_MAP_PATH), 0);
	assert_true(becomes(0));
	assert_int_equal(errno, ENOENT);
	hxb_map_unpin(NULL);
}

static void
a_replaced_map_is_seen_at_once(void **state)
{
	const struct hxb_map *old;
	uint64_t i;

	(void)state;
	if (!needs_root())
		skip();
	install(some_writer(true), 50);
	old = hxb_map_pin();
	for (i = 51; i < 70; i++) {
		install(some_writer(true), i);
		assert_int_equal(pinned_generation(), i);
		assert_int_equal(generation(old), 50);
	}
	look_up_everything(old, false);
	assert_int_equal(count_mappings(), 2);
	hxb_map_unpin(old);
	assert_int_equal(count_mappings(), 1);
}

static void
more_pins_than_slots_are_served(void **state)
{
	const struct hxb_map *pins[9];
	size_t i;

	(void)state;
	if (!needs_root())
		skip();
	for (i = 0; i < COUNT(pins); i++) {
		install(some_writer(true), 100 + i);
		pins[i] = hxb_map_pin();
		assert_int_equal(generation(pins[i]), 100 + i);
	}
	for (i = 0; i < COUNT(pins); i++) {
		assert_int_equal(generation(pins[i]), 100 + i);
		look_up_everything(pins[i], false);
	}
	for (i = 0; i < COUNT(pins); i++)
		hxb_map_unpin(pins[i]);
	assert_int_equal(pinned_generation(), 100 + COUNT(pins) - 1);
	assert_int_equal(count_mappings(), 1);
}

static void
a_map_replaced_without_a_mark_is_seen_within_a_second(void **state)
{
	(void)state;
	if (!needs_root())
		skip();
	make_directory(HXB_STATE_DIR "/other");
	install(some_writer(true), 200);
	assert_int_equal(pinned_generation(), 200);
	install(some_writer_in(HXB_STATE_DIR "/other", true), 201);
	assert_int_equal(rename(HXB_STATE_DIR "/other/map.1", HXB_MAP_PATH), 0);
	assert_true(becomes(201));
}

static void
a_removed_map_is_no_map_within_a_second(void **state)
{
	(void)state;
	if (!needs_root())
		skip();
	install(some_writer(true), 210);
	assert_int_equal(pinned_generation(), 210);
	assert_int_equal(unlink(HXB_MAP_PATH), 0);
	assert_true(becomes(0));
	install(some_writer(true), 211);
	assert_int_equal(pinned_generation(), 211);
}

static void
a_marked_map_that_nothing_replaced_stays_in_use(void **state)
{
	const uint32_t one = 1;
	int fd;

	(void)state;
	if (!needs_root())
		skip();
	install(some_writer(true), 220);
	assert_int_equal(pinned_generation(), 220);
	fd = open(HXB_MAP_PATH, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &one, sizeof(one), offsetof(struct hxb_map_header, superseded)), 4);
	close(fd);
	assert_int_equal(pinned_generation(), 220);
	assert_int_equal(pinned_generation(), 220);
	assert_int_equal(count_mappings(), 1);
}

static int
set_up(void **state)
{
	(void)state;
	make_directory(HXB_STATE_DIR);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_back),
		cmocka_unit_test(an_empty_map_is_a_map),
		cmocka_unit_test(many_users_are_all_found),
		cmocka_unit_test(roles_are_kept_once_and_in_order),
		cmocka_unit_test(a_user_that_would_break_a_line_is_refused),
		cmocka_unit_test(a_role_that_would_break_a_line_is_refused),
		cmocka_unit_test(a_role_cannot_take_a_private_groups_name),
		cmocka_unit_test(a_name_or_number_with_two_owners_is_no_map),
		cmocka_unit_test(a_tombstone_keeps_names_and_numbers_from_other_ids),
		cmocka_unit_test(no_flipped_bit_gives_a_wrong_answer),
		cmocka_unit_test(no_shortened_or_lengthened_map_opens),
		cmocka_unit_test(a_record_in_anothers_place_is_not_found),
		cmocka_unit_test(a_hostile_map_does_no_harm),
		cmocka_unit_test(what_is_not_a_trustworthy_map_is_refused),
		cmocka_unit_test(a_strangers_map_is_refused),
		cmocka_unit_test(a_later_minor_version_is_read),
		cmocka_unit_test(what_is_not_installed_leaves_nothing_behind),
		cmocka_unit_test(the_next_writer_clears_up_after_a_crashed_one),
		cmocka_unit_test(a_directory_that_is_not_there_is_named),
		cmocka_unit_test(a_map_that_does_not_fit_on_the_disk_is_no_map),
		cmocka_unit_test(everybody_may_read_and_nobody_write_it),
		cmocka_unit_test(a_pinned_map_is_the_installed_one_and_errno_stays),
		cmocka_unit_test(a_replaced_map_is_seen_at_once),
		cmocka_unit_test(more_pins_than_slots_are_served),
		cmocka_unit_test(a_map_replaced_without_a_mark_is_seen_within_a_second),
		cmocka_unit_test(a_removed_map_is_no_map_within_a_second),
		cmocka_unit_test(a_marked_map_that_nothing_replaced_stays_in_use),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
