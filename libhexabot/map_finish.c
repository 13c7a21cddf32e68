/* SPDX-License-Identifier: ISC */
/*
 * Completes a map's file: what is derived from the users' records goes behind them, section by section, each
 * in memory only while it is made. Records are read from the file that they were written to, and their pages
 * are given back on the way.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "map_writer.h"

#define FORGET_EVERY 65536 /* users: 6 MB of records */

/* What is there so far as a map that can be read, without indexes. */
struct image {
	struct hxb_map map;
	struct hxb_map_header header;
	uint32_t *role_members;
	void *start;
	size_t size;
};

static enum hxb_result
cannot_write(const struct hxb_map_writer *w, struct hxb_error *error)
{
	return hxb_fail(error, HXB_FAILED, "%s/%s: can't write: %m", w->where, w->temporary);
}

/* One entry at least, since calloc may answer NULL for none. */
static uint32_t *
words(size_t count)
{
	return calloc(count > 0 ? count : 1, sizeof(uint32_t));
}

static bool
image_open(const struct hxb_map_writer *w, struct image *image)
{
	struct hxb_map *map = &image->map;

	image->size = sizeof(struct hxb_map_header) + w->user_units * (size_t)HXB_MAP_UNIT;
	image->role_members = words(w->membership_count);
	if (image->role_members == NULL || fflush(w->map) != 0)
		return false;
	image->start = mmap(NULL, image->size, PROT_READ, MAP_SHARED, fileno(w->map), 0);
	if (image->start == MAP_FAILED)
		return false;
	map->seed = w->seed;
	map->info.user_count = (uint32_t)w->places.count;
	map->info.role_count = (uint32_t)w->roles.count;
	map->info.tombstone_count = (uint32_t)w->tombstones.count;
	map->user_units = w->user_units;
	map->long_list_count = (uint32_t)w->user_roles.count;
	map->membership_count = w->membership_count;
	map->user_slots = map->info.user_count * 2;
	map->role_slots = map->info.role_count * 2;
	map->strings_size = (uint32_t)w->strings.count;
	map->users = (const void *)((const char *)image->start + sizeof(struct hxb_map_header));
	map->places = w->places.items;
	map->roles = w->roles.items;
	map->tombstones = w->tombstones.items;
	map->user_roles = w->user_roles.items;
	map->role_members = image->role_members;
	map->strings = w->strings.items;
	return true;
}

static void
image_close(struct image *image)
{
	if (image->start != NULL && image->start != MAP_FAILED)
		(void)munmap(image->start, image->size);
	free(image->role_members);
}

/* The pages stay in the system's cache. */
static void
forget_pages(const struct image *image, uint32_t index)
{
	if (index % FORGET_EVERY == FORGET_EVERY - 1)
		(void)madvise(image->start, image->size, MADV_DONTNEED);
}

static const struct hxb_map_user_record *
user_record(const struct hxb_map *map, uint32_t index)
{
	return (const void *)(map->users + map->places[index]);
}

struct table {
	uint32_t *slot;
	uint32_t slots, places;
};

static void
enter(struct table table, uint64_t hash, uint32_t place)
{
	uint32_t at = hxb_map_slot(hash, table.slots);

	while (table.slot[at] != 0)
		at = at + 1 < table.slots ? at + 1 : 0;
	table.slot[at] = ((uint32_t)hash & ~hxb_map_place_mask(table.places)) | (place + 1);
}

static uint64_t
hash_of_login(const struct hxb_map *map, uint32_t index)
{
	const struct hxb_map_user_record *user = user_record(map, index);
	const char *text = user->text;

	text += user->login_ends_home != 0 ? (size_t)user->home_length - user->login_length
	                                   : (size_t)user->home_length + user->gecos_length + 2;
	return hxb_map_hash_name(map->seed, text, user->login_length);
}

static uint64_t
hash_of_uid(const struct hxb_map *map, uint32_t index)
{
	return hxb_map_hash_number(map->seed, user_record(map, index)->uid);
}

static uint64_t
hash_of_group(const struct hxb_map *map, uint32_t index)
{
	const char *group = map->strings + map->roles[index].group;

	return hxb_map_hash_name(map->seed, group, strlen(group));
}

static uint64_t
hash_of_gid(const struct hxb_map *map, uint32_t index)
{
	return hxb_map_hash_number(map->seed, map->roles[index].gid);
}

/* There may be none, and then no array either. */
static bool
write_items(FILE *file, const void *items, size_t width, size_t count)
{
	return count == 0 || fwrite(items, width, count, file) == count;
}

typedef uint64_t hash_of(const struct hxb_map *map, uint32_t index);

/* Makes and writes an index of the users, or of the roles. */
static bool
write_index(FILE *file, const struct image *image, bool users, hash_of *hash)
{
	const struct hxb_map *map = &image->map;
	const uint32_t count = users ? map->info.user_count : map->info.role_count;
	const uint32_t slots = users ? map->user_slots : map->role_slots;
	struct table table = { words(slots), slots, users ? map->user_units : count };
	bool ok;
	uint32_t i;

	if (table.slot == NULL)
		return false;
	for (i = 0; i < count; i++) {
		enter(table, hash(map, i), users ? map->places[i] : i);
		forget_pages(image, i);
	}
	ok = write_items(file, table.slot, sizeof(*table.slot), slots);
	free(table.slot);
	return ok;
}

static const uint32_t *
roles_of(const struct hxb_map *map, const struct hxb_map_user_record *user)
{
	return user->role_count <= HXB_MAP_FEW_ROLES ? user->few_roles : map->user_roles + user->few_roles[0];
}

static void
count_members(const struct image *image, struct hxb_map_role_record *roles)
{
	const struct hxb_map *map = &image->map;
	const struct hxb_map_user_record *user;
	uint32_t i, j;

	for (i = 0; i < map->info.user_count; i++) {
		user = user_record(map, i);
		for (j = 0; j < user->role_count; j++)
			roles[roles_of(map, user)[j]].member_count++;
		forget_pages(image, i);
	}
}

/* Users in their order, so that each role's list ascends. */
static void
fill_members(struct image *image, struct hxb_map_role_record *roles)
{
	const struct hxb_map *map = &image->map;
	const struct hxb_map_user_record *user;
	struct hxb_map_role_record *role;
	uint32_t i, j, first = 0;

	count_members(image, roles);
	for (i = 0; i < map->info.role_count; i++) {
		roles[i].first_member = first;
		first += roles[i].member_count;
		roles[i].member_count = 0;
	}
	for (i = 0; i < map->info.user_count; i++) {
		user = user_record(map, i);
		for (j = 0; j < user->role_count; j++) {
			role = &roles[roles_of(map, user)[j]];
			image->role_members[role->first_member + role->member_count++] = i;
		}
		forget_pages(image, i);
	}
}

/* First the list's sum, then the record's, which covers it. */
static void
finish_roles(const struct image *image, struct hxb_map_role_record *roles)
{
	struct hxb_map_role role;
	uint64_t sum;
	uint32_t i;

	for (i = 0; i < image->map.info.role_count; i++) {
		if (hxb_map_role_sum(&image->map, i, &role, &sum))
			roles[i].members_checksum = hxb_map_members_sum(&image->map, i, &role);
		(void)hxb_map_role_sum(&image->map, i, &role, &roles[i].checksum);
	}
}

static void
finish_tombstones(const struct image *image, struct hxb_map_tombstone_record *tombstones)
{
	struct hxb_map_tombstone tombstone;
	uint32_t i;

	for (i = 0; i < image->map.info.tombstone_count; i++)
		(void)hxb_map_tombstone_sum(&image->map, i, &tombstone, &tombstones[i].checksum);
}

static void
place_sections(const struct hxb_map *map, struct hxb_map_header *h)
{
	const uint64_t user_slots = map->user_slots * sizeof(uint32_t);
	const uint64_t role_slots = map->role_slots * sizeof(uint32_t);
	const struct {
		uint64_t *offset;
		uint64_t size;
	} sections[] = {
		{ &h->users, h->users_size },
		{ &h->roles, map->info.role_count * sizeof(*map->roles) },
		{ &h->tombstones, map->info.tombstone_count * sizeof(*map->tombstones) },
		{ &h->places, map->info.user_count * sizeof(uint32_t) },
		{ &h->by_login, user_slots },
		{ &h->by_uid, user_slots },
		{ &h->by_group, role_slots },
		{ &h->by_gid, role_slots },
		{ &h->user_roles, map->long_list_count * sizeof(uint32_t) },
		{ &h->role_members, map->membership_count * sizeof(uint32_t) },
		{ &h->strings, map->strings_size },
	};
	size_t i;

	h->file_size = sizeof(*h);
	for (i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		*sections[i].offset = h->file_size;
		h->file_size += sections[i].size;
	}
}

static void
finish_header(const struct hxb_map_writer *w, struct image *image, const struct hxb_map_info *stamp)
{
	const struct hxb_map *map = &image->map;
	struct hxb_map_header *h = &image->header;

	memcpy(h->magic, HXB_MAP_MAGIC, sizeof(h->magic));
	h->header_size = sizeof(*h);
	h->major = HXB_MAP_MAJOR;
	h->minor = HXB_MAP_MINOR;
	h->flags = w->enumerate ? HXB_MAP_FLAG_ENUMERATE : 0;
	h->generation = stamp->generation;
	h->fingerprint = stamp->fingerprint;
	h->as_of = stamp->as_of;
	h->next_change = stamp->next_change <= UINT32_MAX ? (uint32_t)stamp->next_change : 0;
	h->published = (int64_t)time(NULL);
	h->seed = w->seed;
	h->user_count = map->info.user_count;
	h->role_count = map->info.role_count;
	h->tombstone_count = map->info.tombstone_count;
	h->membership_count = map->membership_count;
	h->long_list_count = map->long_list_count;
	h->user_slots = map->user_slots;
	h->role_slots = map->role_slots;
	h->users_size = map->user_units * (uint64_t)HXB_MAP_UNIT;
	h->strings_size = map->strings_size;
	place_sections(map, h);
	h->checksum = hxb_map_header_sum(h, h->header_size);
}

/* In the order of place_sections(). */
static bool
write_sections(struct hxb_map_writer *w, const struct image *image)
{
	FILE *file = w->map;

	return write_items(file, w->roles.items, w->roles.width, w->roles.count) &&
	    write_items(file, w->tombstones.items, w->tombstones.width, w->tombstones.count) &&
	    write_items(file, w->places.items, w->places.width, w->places.count) &&
	    write_index(file, image, true, hash_of_login) && write_index(file, image, true, hash_of_uid) &&
	    write_index(file, image, false, hash_of_group) && write_index(file, image, false, hash_of_gid) &&
	    write_items(file, w->user_roles.items, w->user_roles.width, w->user_roles.count) &&
	    write_items(file, image->role_members, sizeof(uint32_t), w->membership_count) &&
	    write_items(file, w->strings.items, w->strings.width, w->strings.count);
}

enum hxb_result
hxb_map_finish(struct hxb_map_writer *w, const struct hxb_map_info *stamp, struct hxb_error *error)
{
	struct image image = { 0 };
	enum hxb_result r = HXB_OK;

	if (!image_open(w, &image)) {
		r = cannot_write(w, error);
		goto out;
	}
	fill_members(&image, w->roles.items);
	finish_roles(&image, w->roles.items);
	finish_tombstones(&image, w->tombstones.items);
	finish_header(w, &image, stamp);
	/* Some file systems tell of a full disk at close only. */
	if (!write_sections(w, &image) || fseeko(w->map, 0, SEEK_SET) != 0 ||
	    fwrite(&image.header, sizeof(image.header), 1, w->map) != 1 || fflush(w->map) != 0 ||
	    fchmod(fileno(w->map), 0444) != 0 || fsync(fileno(w->map)) != 0)
		r = cannot_write(w, error);
	if (fclose(w->map) != 0 && r == HXB_OK)
		r = cannot_write(w, error);
	w->map = NULL;
out:
	image_close(&image);
	return r;
}
