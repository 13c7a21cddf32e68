/* SPDX-License-Identifier: ISC */
/*
 * Completes a map's file: what is derived from the users' records goes behind them, section by section, each
 * in memory only while it is made. Records and strings are read from the files they were written to, and
 * their pages are given back on the way.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "map_writer.h"

#define FORGET_EVERY 65536 /* users: 7 MB of records and strings */

/* The two files as a map that can be read, without indexes. */
struct image {
	struct hxb_map map;
	struct hxb_map_header header;
	uint32_t *role_members;
	void *start, *strings;
	size_t size, strings_size;
};

static enum hxb_result
cannot_write(const struct hxb_map_writer *w, struct hxb_error *error)
{
	return hxb_fail(error, HXB_FAILED, "%s/%s: can't write: %m", w->where, w->temporary);
}

static void *
map_file(FILE *file, size_t size)
{
	void *start;

	if (fflush(file) != 0)
		return NULL;
	start = mmap(NULL, size, PROT_READ, MAP_SHARED, fileno(file), 0);
	return start != MAP_FAILED ? start : NULL;
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

	image->size = sizeof(struct hxb_map_header) + w->user_count * sizeof(struct hxb_map_user_record);
	image->strings_size = (size_t)w->strings_size;
	image->start = map_file(w->map, image->size);
	image->strings = map_file(w->strings, image->strings_size);
	image->role_members = words(w->membership_count);
	if (image->start == NULL || image->strings == NULL || image->role_members == NULL)
		return false;
	map->seed = w->seed;
	map->info.user_count = w->user_count;
	map->info.role_count = (uint32_t)w->roles.count;
	map->info.tombstone_count = (uint32_t)w->tombstones.count;
	map->long_list_count = (uint32_t)w->user_roles.count;
	map->membership_count = w->membership_count;
	map->user_slots = map->info.user_count * 2;
	map->role_slots = map->info.role_count * 2;
	map->strings_size = (uint32_t)w->strings_size;
	map->users = (const void *)((const char *)image->start + sizeof(struct hxb_map_header));
	map->roles = w->roles.items;
	map->tombstones = w->tombstones.items;
	map->user_roles = w->user_roles.items;
	map->role_members = image->role_members;
	map->strings = image->strings;
	return true;
}

static void
image_close(struct image *image)
{
	if (image->start != NULL)
		(void)munmap(image->start, image->size);
	if (image->strings != NULL)
		(void)munmap(image->strings, image->strings_size);
	free(image->role_members);
}

/* The pages stay in the system's cache. */
static void
forget_pages(const struct image *image, uint32_t index)
{
	if (index % FORGET_EVERY != FORGET_EVERY - 1)
		return;
	(void)madvise(image->start, image->size, MADV_DONTNEED);
	(void)madvise(image->strings, image->strings_size, MADV_DONTNEED);
}

struct table {
	uint32_t *slot;
	uint32_t slots, records;
};

static void
enter(struct table table, uint64_t hash, uint32_t index)
{
	uint32_t at = hxb_map_slot(hash, table.slots);

	while (table.slot[at] != 0)
		at = at + 1 < table.slots ? at + 1 : 0;
	table.slot[at] = ((uint32_t)hash & ~hxb_map_index_mask(table.records)) | (index + 1);
}

static uint64_t
hash_of_string(const struct hxb_map *map, uint32_t offset)
{
	return hxb_map_hash_name(map->seed, map->strings + offset, strlen(map->strings + offset));
}

static uint64_t
hash_of_login(const struct hxb_map *map, uint32_t index)
{
	return hash_of_string(map, map->users[index].login);
}

static uint64_t
hash_of_uid(const struct hxb_map *map, uint32_t index)
{
	return hxb_map_hash_number(map->seed, map->users[index].uid);
}

static uint64_t
hash_of_group(const struct hxb_map *map, uint32_t index)
{
	return hash_of_string(map, map->roles[index].group);
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

/* Makes and writes one index. */
static bool
write_index(FILE *file, const struct image *image, uint32_t records, uint32_t slots,
    uint64_t (*hash)(const struct hxb_map *, uint32_t))
{
	struct table table = { words(slots), slots, records };
	bool ok;
	uint32_t i;

	if (table.slot == NULL)
		return false;
	for (i = 0; i < records; i++) {
		enter(table, hash(&image->map, i), i);
		forget_pages(image, i);
	}
	ok = write_items(file, table.slot, sizeof(*table.slot), slots);
	free(table.slot);
	return ok;
}

static const uint32_t *
roles_of(const struct hxb_map *map, const struct hxb_map_user_record *user)
{
	return user->role_count <= HXB_MAP_FEW_ROLES ? user->few_roles : map->user_roles + user->first_role;
}

static void
count_members(const struct image *image, struct hxb_map_role_record *roles)
{
	const struct hxb_map *map = &image->map;
	uint32_t i, j;

	for (i = 0; i < map->info.user_count; i++) {
		for (j = 0; j < map->users[i].role_count; j++)
			roles[roles_of(map, &map->users[i])[j]].member_count++;
		forget_pages(image, i);
	}
}

/* Users in their order, so that each role's list ascends. */
static void
fill_members(struct image *image, struct hxb_map_role_record *roles)
{
	const struct hxb_map *map = &image->map;
	struct hxb_map_role_record *role;
	uint32_t i, j, first = 0;

	count_members(image, roles);
	for (i = 0; i < map->info.role_count; i++) {
		roles[i].first_member = first;
		first += roles[i].member_count;
		roles[i].member_count = 0;
	}
	for (i = 0; i < map->info.user_count; i++) {
		for (j = 0; j < map->users[i].role_count; j++) {
			role = &roles[roles_of(map, &map->users[i])[j]];
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
		{ &h->users, map->info.user_count * sizeof(*map->users) },
		{ &h->roles, map->info.role_count * sizeof(*map->roles) },
		{ &h->tombstones, map->info.tombstone_count * sizeof(*map->tombstones) },
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
	h->strings_size = map->strings_size;
	place_sections(map, h);
	h->checksum = hxb_map_header_sum(h, h->header_size);
}

/* In pieces, so that not all of it is in memory at once. */
static bool
write_strings(FILE *file, const struct image *image)
{
	const size_t piece = (size_t)1 << 20;
	size_t at, size;

	for (at = 0; at < image->strings_size; at += size) {
		size = image->strings_size - at < piece ? image->strings_size - at : piece;
		if (fwrite((const char *)image->strings + at, 1, size, file) != size)
			return false;
		(void)madvise(image->strings, image->strings_size, MADV_DONTNEED);
	}
	return true;
}

/* In the order of place_sections(). */
static bool
write_sections(struct hxb_map_writer *w, const struct image *image)
{
	const struct hxb_map_info *info = &image->map.info;
	const uint32_t user_slots = image->map.user_slots, role_slots = image->map.role_slots;
	FILE *file = w->map;

	return write_items(file, w->roles.items, w->roles.width, w->roles.count) &&
	    write_items(file, w->tombstones.items, w->tombstones.width, w->tombstones.count) &&
	    write_index(file, image, info->user_count, user_slots, hash_of_login) &&
	    write_index(file, image, info->user_count, user_slots, hash_of_uid) &&
	    write_index(file, image, info->role_count, role_slots, hash_of_group) &&
	    write_index(file, image, info->role_count, role_slots, hash_of_gid) &&
	    write_items(file, w->user_roles.items, w->user_roles.width, w->user_roles.count) &&
	    write_items(file, image->role_members, sizeof(uint32_t), w->membership_count) &&
	    write_strings(file, image);
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
