/* SPDX-License-Identifier: ISC */
/*
 * Looks things up in an opened map. Linked into nss_hexabot: libc only, no allocation.
 *
 * What must hold: no read outside the mapping, whatever the bytes are; every loop is bounded by a checked
 * count; what is handed out was checked against its record's checksum in the same call.
 */
#include "map_format.h"

/* NULL if it does not end within `longest` bytes and the section. Adds it to the sum, its NUL included. */
static const char *
string_at(const struct hxb_map *map, uint32_t offset, size_t longest, uint64_t *sum)
{
	const char *string;
	size_t length, room;

	if (offset >= map->strings_size)
		return NULL;
	room = map->strings_size - offset;
	if (room > longest + 1)
		room = longest + 1;
	string = map->strings + offset;
	length = strnlen(string, room);
	if (length == room)
		return NULL;
	*sum = hxb_map_sum(*sum, string, length + 1);
	return string;
}

static bool
list_fits(uint32_t first, uint32_t count, uint32_t total)
{
	return first <= total && count <= total - first;
}

/* The record at a place, if there is room for one. */
static const struct hxb_map_user_record *
record_at(const struct hxb_map *map, uint32_t place)
{
	if (place >= map->user_units || map->user_units - place < HXB_MAP_TEXT / HXB_MAP_UNIT + 1)
		return NULL;
	return (const struct hxb_map_user_record *)(const void *)(map->users + place);
}

/* Where the texts are. Whether they are all within the record, and end there, is checked. */
static bool
find_texts(const struct hxb_map_user_record *record, struct hxb_map_user *user)
{
	const size_t room = record->units * (size_t)HXB_MAP_UNIT;
	const size_t gecos = (size_t)record->home_length + 1;
	const size_t end = gecos + record->gecos_length + 1;
	const size_t login =
	    record->login_ends_home != 0 ? (size_t)record->home_length - record->login_length : end;

	if (record->login_length > record->home_length && record->login_ends_home != 0)
		return false;
	if (room < HXB_MAP_TEXT || room - HXB_MAP_TEXT < end ||
	    room - HXB_MAP_TEXT <= login + record->login_length || record->text[gecos - 1] != '\0' ||
	    record->text[end - 1] != '\0' || record->text[login + record->login_length] != '\0')
		return false;
	user->home = record->text;
	user->gecos = record->text + gecos;
	user->login = record->text + login;
	user->length.home = record->home_length;
	user->length.gecos = record->gecos_length;
	user->length.login = record->login_length;
	return true;
}

/* The shell, and a list that is too long for the record: both are summed here. */
static bool
find_others(const struct hxb_map *map, const struct hxb_map_user_record *record, struct hxb_map_user *user,
    uint64_t *sum)
{
	if (record->shell >= map->strings_size || record->shell_length >= map->strings_size - record->shell ||
	    map->strings[record->shell + record->shell_length] != '\0')
		return false;
	user->shell = map->strings + record->shell;
	user->length.shell = record->shell_length;
	*sum = hxb_map_sum(*sum, user->shell, (size_t)record->shell_length + 1);
	user->role_count = record->role_count;
	user->roles = record->few_roles;
	if (user->role_count <= HXB_MAP_FEW_ROLES)
		return true;
	if (!list_fits(record->few_roles[0], user->role_count, map->long_list_count))
		return false;
	user->roles = map->user_roles + record->few_roles[0];
	*sum = hxb_map_sum(*sum, user->roles, user->role_count * sizeof(*user->roles));
	return true;
}

const struct hxb_map_user_record *
hxb_map_user_sum(const struct hxb_map *map, uint32_t place, struct hxb_map_user *user, uint64_t *sum)
{
	const struct hxb_map_user_record *record = record_at(map, place);

	if (record == NULL || record->units == 0 || record->units > map->user_units - place ||
	    !find_texts(record, user))
		return NULL;
	*sum = hxb_map_sum_words(
	    hxb_map_sum_start(map->seed, HXB_MAP_USER, place), &record->id_digest, (size_t)record->units - 1);
	if (!find_others(map, record, user, sum))
		return NULL;
	user->uid = record->uid;
	user->index = record->index;
	user->id_digest = record->id_digest;
	/* What a later minor version may know and we do not is refused. */
	user->shadow =
	    record->shadow <= HXB_SHADOW_INVITED ? (enum hxb_map_shadow)record->shadow : HXB_SHADOW_DENIED;
	return record;
}

bool
hxb_map_role_sum(const struct hxb_map *map, uint32_t index, struct hxb_map_role *role, uint64_t *sum)
{
	const struct hxb_map_role_record record = map->roles[index];
	uint64_t h = hxb_map_sum_start(map->seed, HXB_MAP_ROLE, index);

	h = hxb_map_sum(
	    h, (const char *)&record + sizeof(record.checksum), sizeof(record) - sizeof(record.checksum));
	role->group = string_at(map, record.group, HXB_MAP_LOGIN_MAX, &h);
	if (role->group == NULL ||
	    !list_fits(record.first_member, record.member_count, map->membership_count))
		return false;
	role->gid = record.gid;
	role->id_digest = record.id_digest;
	role->members = map->role_members + record.first_member;
	role->member_count = record.member_count;
	*sum = h;
	return true;
}

uint64_t
hxb_map_members_sum(const struct hxb_map *map, uint32_t index, const struct hxb_map_role *role)
{
	uint64_t h = hxb_map_sum_start(map->seed, HXB_MAP_MEMBERS, index);

	return hxb_map_sum(h, role->members, role->member_count * sizeof(*role->members));
}

bool
hxb_map_tombstone_sum(
    const struct hxb_map *map, uint32_t index, struct hxb_map_tombstone *tombstone, uint64_t *sum)
{
	const struct hxb_map_tombstone_record record = map->tombstones[index];
	uint64_t h = hxb_map_sum_start(map->seed, HXB_MAP_TOMBSTONE, index);

	h = hxb_map_sum(
	    h, (const char *)&record + sizeof(record.checksum), sizeof(record) - sizeof(record.checksum));
	tombstone->name = string_at(map, record.name, HXB_MAP_LOGIN_MAX, &h);
	if (tombstone->name == NULL)
		return false;
	tombstone->number = record.number;
	tombstone->id_digest = record.id_digest;
	*sum = h;
	return true;
}

/* 0 is root and the last number means "no id": neither is ever ours, whatever a map says. */
static bool
number_is_ours(uint32_t number)
{
	return number != 0 && number != UINT32_MAX;
}

static enum hxb_map_status
user_at_place(const struct hxb_map *map, uint32_t place, struct hxb_map_user *user)
{
	const struct hxb_map_user_record *record;
	uint64_t sum;

	record = hxb_map_user_sum(map, place, user, &sum);
	if (record == NULL || sum != record->checksum || user->length.login == 0 ||
	    user->index >= map->info.user_count || !number_is_ours(user->uid))
		return HXB_MAP_UNAVAILABLE;
	return HXB_MAP_FOUND;
}

enum hxb_map_status
hxb_map_user_at(const struct hxb_map *map, uint32_t index, struct hxb_map_user *user)
{
	enum hxb_map_status status;

	if (index >= map->info.user_count)
		return HXB_MAP_NOT_FOUND;
	status = user_at_place(map, map->places[index], user);
	return status == HXB_MAP_FOUND && user->index != index ? HXB_MAP_UNAVAILABLE : status;
}

enum hxb_map_status
hxb_map_role_head(const struct hxb_map *map, uint32_t index, struct hxb_map_role *role)
{
	struct hxb_map_role found;
	uint64_t sum;

	if (index >= map->info.role_count)
		return HXB_MAP_NOT_FOUND;
	if (!hxb_map_role_sum(map, index, &found, &sum) || sum != map->roles[index].checksum ||
	    found.group[0] == '\0' || !number_is_ours(found.gid))
		return HXB_MAP_UNAVAILABLE;
	*role = found;
	return HXB_MAP_FOUND;
}

enum hxb_map_status
hxb_map_role_at(const struct hxb_map *map, uint32_t index, struct hxb_map_role *role)
{
	struct hxb_map_role found;
	enum hxb_map_status status = hxb_map_role_head(map, index, &found);

	if (status != HXB_MAP_FOUND)
		return status;
	if (hxb_map_members_sum(map, index, &found) != map->roles[index].members_checksum)
		return HXB_MAP_UNAVAILABLE;
	*role = found;
	return HXB_MAP_FOUND;
}

enum hxb_map_status
hxb_map_tombstone_at(const struct hxb_map *map, uint32_t index, struct hxb_map_tombstone *tombstone)
{
	struct hxb_map_tombstone found;
	uint64_t sum;

	if (index >= map->info.tombstone_count)
		return HXB_MAP_NOT_FOUND;
	if (!hxb_map_tombstone_sum(map, index, &found, &sum) || sum != map->tombstones[index].checksum)
		return HXB_MAP_UNAVAILABLE;
	*tombstone = found;
	return HXB_MAP_FOUND;
}

struct key {
	const char *name;
	size_t length;
	uint32_t number;
};

typedef bool matches(const struct hxb_map *map, uint32_t index, const struct key *key);

static bool
string_is(const struct hxb_map *map, uint32_t offset, const struct key *key)
{
	return offset < map->strings_size && key->length < map->strings_size - offset &&
	    memcmp(map->strings + offset, key->name, key->length + 1) == 0;
}

/* A record is mostly longer than a line of the cache: both are on their way at once. */
static const struct hxb_map_user_record *
fetch(const struct hxb_map *map, uint32_t place)
{
	const struct hxb_map_user_record *record = record_at(map, place);

	if (record != NULL)
		__builtin_prefetch((const char *)record + 64);
	return record;
}

static bool
login_is(const struct hxb_map *map, uint32_t place, const struct key *key)
{
	const struct hxb_map_user_record *record = fetch(map, place);
	struct hxb_map_user user;

	return record != NULL && record->login_length == key->length &&
	    record->units <= map->user_units - place && find_texts(record, &user) &&
	    memcmp(user.login, key->name, key->length) == 0;
}

static bool
uid_is(const struct hxb_map *map, uint32_t place, const struct key *key)
{
	const struct hxb_map_user_record *record = fetch(map, place);

	return record != NULL && record->uid == key->number;
}

static bool
group_is(const struct hxb_map *map, uint32_t index, const struct key *key)
{
	return string_is(map, map->roles[index].group, key);
}

static bool
gid_is(const struct hxb_map *map, uint32_t index, const struct key *key)
{
	return map->roles[index].gid == key->number;
}

struct table {
	const uint32_t *slot;
	uint32_t slots;
	uint32_t places; /* which a slot can lead to: a role's index is its place */
	matches *match;
};

/* The place of the record with that key, or UINT32_MAX, where there is none. */
static inline uint32_t
find(const struct hxb_map *map, struct table table, uint64_t hash, const struct key *key)
{
	const uint32_t mask = hxb_map_place_mask(table.places);
	uint32_t at = hxb_map_slot(hash, table.slots);
	uint32_t entry, place, probes;

	for (probes = 0; probes < table.slots; probes++) {
		entry = table.slot[at];
		if (entry == 0)
			break;
		place = (entry & mask) - 1;
		if (((entry ^ (uint32_t)hash) & ~mask) == 0 && place < table.places &&
		    table.match(map, place, key))
			return place;
		at = at + 1 < table.slots ? at + 1 : 0;
	}
	return UINT32_MAX;
}

static inline uint32_t
find_name(const struct hxb_map *map, struct table table, const char *name)
{
	struct key key = { .name = name, .length = strnlen(name, HXB_MAP_LOGIN_MAX + 1) };

	if (key.length == 0 || key.length > HXB_MAP_LOGIN_MAX)
		return UINT32_MAX;
	return find(map, table, hxb_map_hash_name(map->seed, name, key.length), &key);
}

static inline uint32_t
find_number(const struct hxb_map *map, struct table table, uint32_t number)
{
	struct key key = { .number = number };

	return find(map, table, hxb_map_hash_number(map->seed, number), &key);
}

static enum hxb_map_status
user_found(const struct hxb_map *map, uint32_t place, struct hxb_map_user *user)
{
	return place == UINT32_MAX ? HXB_MAP_NOT_FOUND : user_at_place(map, place, user);
}

enum hxb_map_status
hxb_map_user_by_login(const struct hxb_map *map, const char *login, struct hxb_map_user *user)
{
	struct table table = { map->by_login, map->user_slots, map->user_units, login_is };

	return user_found(map, find_name(map, table, login), user);
}

enum hxb_map_status
hxb_map_user_by_uid(const struct hxb_map *map, uint32_t uid, struct hxb_map_user *user)
{
	struct table table = { map->by_uid, map->user_slots, map->user_units, uid_is };

	return user_found(map, find_number(map, table, uid), user);
}

enum hxb_map_status
hxb_map_role_by_group(const struct hxb_map *map, const char *group, struct hxb_map_role *role)
{
	struct table table = { map->by_group, map->role_slots, map->info.role_count, group_is };

	return hxb_map_role_at(map, find_name(map, table, group), role);
}

static uint32_t
find_gid(const struct hxb_map *map, uint32_t gid)
{
	struct table table = { map->by_gid, map->role_slots, map->info.role_count, gid_is };

	return find_number(map, table, gid);
}

enum hxb_map_status
hxb_map_role_by_gid(const struct hxb_map *map, uint32_t gid, struct hxb_map_role *role)
{
	return hxb_map_role_at(map, find_gid(map, gid), role);
}

enum hxb_map_status
hxb_map_role_head_by_gid(const struct hxb_map *map, uint32_t gid, struct hxb_map_role *role)
{
	return hxb_map_role_head(map, find_gid(map, gid), role);
}
