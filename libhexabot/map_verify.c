/* SPDX-License-Identifier: ISC */
/*
 * Reads a whole map back, for the publisher and the doctor. Apart from map_read.c, because NSS has no use for
 * it. Finds a change in any byte but those of the superseded word: sections lie one behind the other up to
 * the end of the file (a later minor version's aside), each record is found through both indexes, each slot
 * is accounted for.
 */
#include <sys/mman.h>

#include "map_format.h"

#define FORGET_EVERY 65536 /* users: 6 MB of records, and what of the indexes leads to them */

static bool
differs(const char *text, const char **why)
{
	if (why != NULL)
		*why = text;
	return false;
}

/* No gaps: a byte that nobody reads could change without notice. */
static bool
sections_touch(const struct hxb_map *map)
{
	const void *ends[] = {
		(const char *)map->header + map->header->header_size,
		map->users + map->user_units,
		map->roles + map->info.role_count,
		map->tombstones + map->info.tombstone_count,
		map->places + map->info.user_count,
		map->by_login + map->user_slots,
		map->by_uid + map->user_slots,
		map->by_group + map->role_slots,
		map->by_gid + map->role_slots,
		map->user_roles + map->long_list_count,
		map->role_members + map->membership_count,
		map->strings + map->strings_size,
	};
	const void *starts[] = {
		map->users,
		map->roles,
		map->tombstones,
		map->places,
		map->by_login,
		map->by_uid,
		map->by_group,
		map->by_gid,
		map->user_roles,
		map->role_members,
		map->strings,
	};
	size_t i;

	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (starts[i] != ends[i])
			return false;
	}
	return map->header->minor > HXB_MAP_MINOR || ends[i] == (const char *)map->header + map->info.size;
}

void
hxb_map_forget_pages(const struct hxb_map *map)
{
	(void)madvise((void *)(uintptr_t)map->header, (size_t)map->info.size, MADV_DONTNEED);
}

static uint32_t
used_slots(const uint32_t *slot, uint32_t slots)
{
	uint32_t i, used = 0;

	for (i = 0; i < slots; i++)
		used += slot[i] != 0;
	return used;
}

static bool
ascends(const uint32_t *list, uint32_t count)
{
	uint32_t i;

	for (i = 1; i < count; i++) {
		if (list[i] <= list[i - 1])
			return false;
	}
	return true;
}

static bool
holds(const uint32_t *ascending, uint32_t count, uint32_t value)
{
	uint32_t low = 0, high = count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (ascending[middle] == value)
			return true;
		if (ascending[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static bool
verify_roles(const struct hxb_map *map, const char **why)
{
	struct hxb_map_role role;
	struct hxb_map_user user;
	uint32_t i, memberships = 0;

	for (i = 0; i < map->info.role_count; i++) {
		if (hxb_map_role_at(map, i, &role) != HXB_MAP_FOUND)
			return differs("a role's record is damaged", why);
		if (role.members != map->role_members + memberships ||
		    !ascends(role.members, role.member_count))
			return differs("a role's members are out of order", why);
		memberships += role.member_count;
		if (hxb_map_role_by_group(map, role.group, &role) != HXB_MAP_FOUND ||
		    role.gid != map->roles[i].gid)
			return differs("a role is not found by its group's name", why);
		if (hxb_map_role_by_gid(map, role.gid, &role) != HXB_MAP_FOUND ||
		    role.group != map->strings + map->roles[i].group)
			return differs("a role is not found by its gid", why);
		if (strncmp(role.group, HXB_PRIVATE_GROUP_PREFIX, sizeof(HXB_PRIVATE_GROUP_PREFIX) - 1) ==
		        0 &&
		    hxb_map_user_by_login(map, role.group + sizeof(HXB_PRIVATE_GROUP_PREFIX) - 1, &user) !=
		        HXB_MAP_NOT_FOUND)
			return differs("a role's group has the name of a private group", why);
	}
	if (memberships != map->membership_count)
		return differs("there are members without a role", why);
	return true;
}

/* Lists ascend, and both directions hold as many entries: so one direction within the other makes them equal.
 */
static bool
verify_memberships(
    const struct hxb_map *map, uint32_t index, const struct hxb_map_user *user, const char **why)
{
	struct hxb_map_role role;
	uint32_t i;

	if (!ascends(user->roles, user->role_count))
		return differs("a user's roles are out of order", why);
	for (i = 0; i < user->role_count; i++) {
		if (hxb_map_role_head(map, user->roles[i], &role) != HXB_MAP_FOUND)
			return differs("a user has a role that does not exist", why);
		if (!holds(role.members, role.member_count, index))
			return differs("a user has a role that does not list them", why);
	}
	return true;
}

/* Whether the record is found under both its keys, and its number is no role's. */
static bool
verify_keys(const struct hxb_map *map, const struct hxb_map_user *user, const char **why)
{
	struct hxb_map_user found;
	struct hxb_map_role role;

	if (hxb_map_user_by_login(map, user->login, &found) != HXB_MAP_FOUND || found.index != user->index)
		return differs("a user is not found by login", why);
	if (hxb_map_user_by_uid(map, user->uid, &found) != HXB_MAP_FOUND || found.index != user->index)
		return differs("a user is not found by uid", why);
	if (hxb_map_role_head_by_gid(map, user->uid, &role) != HXB_MAP_NOT_FOUND)
		return differs("a user has a role's number", why);
	return true;
}

static bool
verify_users(const struct hxb_map *map, const char **why)
{
	const struct hxb_map_user_record *record;
	struct hxb_map_user user;
	uint32_t i, place = 0, memberships = 0, in_long_lists = 0;

	for (i = 0; i < map->info.user_count; i++) {
		if (map->places[i] != place || hxb_map_user_at(map, i, &user) != HXB_MAP_FOUND)
			return differs("a user's record is damaged", why);
		record = (const void *)(map->users + place);
		place += record->units;
		if (user.role_count > HXB_MAP_FEW_ROLES) {
			if (user.roles != map->user_roles + in_long_lists)
				return differs("a user's roles are not where they belong", why);
			in_long_lists += user.role_count;
		}
		memberships += user.role_count;
		if (!verify_memberships(map, i, &user, why) || !verify_keys(map, &user, why))
			return false;
		if (i % FORGET_EVERY == FORGET_EVERY - 1)
			hxb_map_forget_pages(map);
	}
	if (place != map->user_units)
		return differs("there are records without a user", why);
	if (in_long_lists != map->long_list_count)
		return differs("there are roles without a user", why);
	if (memberships != map->membership_count)
		return differs("a role lists a user who does not have it", why);
	return true;
}

/* A name and a number belong to one id for good. An id's tombstone may stand beside its record: it keeps the
 * login that it had before. */
static bool
is_anothers(const struct hxb_map *map, const struct hxb_map_tombstone *tombstone)
{
	const uint64_t id = tombstone->id_digest;
	struct hxb_map_user user;
	struct hxb_map_role role;

	return (hxb_map_user_by_login(map, tombstone->name, &user) == HXB_MAP_FOUND &&
	           user.id_digest != id) ||
	    (hxb_map_user_by_uid(map, tombstone->number, &user) == HXB_MAP_FOUND && user.id_digest != id) ||
	    (hxb_map_role_head_by_gid(map, tombstone->number, &role) == HXB_MAP_FOUND &&
	        role.id_digest != id);
}

static bool
verify_tombstones(const struct hxb_map *map, const char **why)
{
	struct hxb_map_tombstone tombstone;
	uint32_t i;

	for (i = 0; i < map->info.tombstone_count; i++) {
		if (hxb_map_tombstone_at(map, i, &tombstone) != HXB_MAP_FOUND)
			return differs("a tombstone is damaged", why);
		if (is_anothers(map, &tombstone))
			return differs("a tombstone's name or number has another owner", why);
	}
	return true;
}

bool
hxb_map_verify(const struct hxb_map *map, const char **why)
{
	if (!sections_touch(map))
		return differs("its sections do not fit together", why);
	if (map->strings_size == 0 || map->strings[0] != '\0')
		return differs("its strings do not begin with the empty one", why);
	if (used_slots(map->by_login, map->user_slots) != map->info.user_count ||
	    used_slots(map->by_uid, map->user_slots) != map->info.user_count ||
	    used_slots(map->by_group, map->role_slots) != map->info.role_count ||
	    used_slots(map->by_gid, map->role_slots) != map->info.role_count)
		return differs("an index holds more or fewer entries than there are records", why);
	return verify_roles(map, why) && verify_users(map, why) && verify_tombstones(map, why);
}
