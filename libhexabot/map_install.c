/* SPDX-License-Identifier: ISC */
/*
 * Makes the file of a collected map and puts it in the place of the one before.
 *
 * What must hold: the file is whole, on disk and read back before it gets its name; what has the name is
 * never written to, but for the superseded word once the name is another file's.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "map_writer.h"

#define NAME "map.1"
#define TEMPORARY_PREFIX ".map.1."
#define TEMPORARY_DIGITS 16

/* What is derived from the collected records, and all of it as a map in memory, so that one code makes the
 * sums. */
struct image {
	struct hxb_map map;
	struct hxb_map_header header;
	uint32_t *by_login, *by_uid, *by_group, *by_gid;
	uint32_t *role_members;
};

static void
image_free(struct image *image)
{
	free(image->by_login);
	free(image->by_uid);
	free(image->by_group);
	free(image->by_gid);
	free(image->role_members);
}

/* One entry at least, since calloc may answer NULL for none. */
static uint32_t *
words(size_t count)
{
	return calloc(count > 0 ? count : 1, sizeof(uint32_t));
}

static bool
image_prepare(const struct hxb_map_writer *w, struct image *image)
{
	struct hxb_map *map = &image->map;

	map->seed = w->seed;
	map->info.user_count = (uint32_t)w->users.count;
	map->info.role_count = (uint32_t)w->roles.count;
	map->info.tombstone_count = (uint32_t)w->tombstones.count;
	map->long_list_count = (uint32_t)w->user_roles.count;
	map->membership_count = w->membership_count;
	map->user_slots = map->info.user_count * 2;
	map->role_slots = map->info.role_count * 2;
	map->strings_size = (uint32_t)w->strings.count;
	map->users = w->users.items;
	map->roles = w->roles.items;
	map->tombstones = w->tombstones.items;
	map->user_roles = w->user_roles.items;
	map->strings = w->strings.items;
	map->by_login = image->by_login = words(map->user_slots);
	map->by_uid = image->by_uid = words(map->user_slots);
	map->by_group = image->by_group = words(map->role_slots);
	map->by_gid = image->by_gid = words(map->role_slots);
	map->role_members = image->role_members = words(map->membership_count);
	return image->by_login != NULL && image->by_uid != NULL && image->by_group != NULL &&
	    image->by_gid != NULL && image->role_members != NULL;
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

static void
enter_name(const struct image *image, struct table table, uint32_t name, uint32_t index)
{
	const char *text = image->map.strings + name;

	enter(table, hxb_map_hash_name(image->map.seed, text, strlen(text)), index);
}

static void
enter_number(const struct image *image, struct table table, uint32_t number, uint32_t index)
{
	enter(table, hxb_map_hash_number(image->map.seed, number), index);
}

static const uint32_t *
roles_of(const struct hxb_map_writer *w, const struct hxb_map_user_record *user)
{
	if (user->role_count <= HXB_MAP_FEW_ROLES)
		return user->few_roles;
	return (const uint32_t *)w->user_roles.items + user->first_role;
}

/* Users in their order, so that each role's list ascends. */
static void
fill_members(struct hxb_map_writer *w, struct image *image)
{
	const struct hxb_map_user_record *users = w->users.items;
	struct hxb_map_role_record *roles = w->roles.items, *role;
	uint32_t i, j, first = 0;

	for (i = 0; i < w->roles.count; i++)
		roles[i].member_count = 0;
	for (i = 0; i < w->users.count; i++) {
		for (j = 0; j < users[i].role_count; j++)
			roles[roles_of(w, &users[i])[j]].member_count++;
	}
	for (i = 0; i < w->roles.count; i++) {
		roles[i].first_member = first;
		first += roles[i].member_count;
		roles[i].member_count = 0;
	}
	for (i = 0; i < w->users.count; i++) {
		for (j = 0; j < users[i].role_count; j++) {
			role = &roles[roles_of(w, &users[i])[j]];
			image->role_members[role->first_member + role->member_count++] = i;
		}
	}
}

static void
finish_users(struct hxb_map_writer *w, struct image *image)
{
	struct hxb_map_user_record *users = w->users.items;
	struct hxb_map_user user;
	const struct hxb_map *map = &image->map;
	const struct table by_login = { image->by_login, map->user_slots, map->info.user_count };
	const struct table by_uid = { image->by_uid, map->user_slots, map->info.user_count };
	uint32_t i;

	for (i = 0; i < w->users.count; i++) {
		enter_name(image, by_login, users[i].login, i);
		enter_number(image, by_uid, users[i].uid, i);
		(void)hxb_map_user_sum(map, i, &user, &users[i].checksum);
	}
}

static void
finish_roles(struct hxb_map_writer *w, struct image *image)
{
	struct hxb_map_role_record *roles = w->roles.items;
	struct hxb_map_role role;
	const struct hxb_map *map = &image->map;
	const struct table by_group = { image->by_group, map->role_slots, map->info.role_count };
	const struct table by_gid = { image->by_gid, map->role_slots, map->info.role_count };
	uint32_t i;
	uint64_t sum;

	for (i = 0; i < w->roles.count; i++) {
		enter_name(image, by_group, roles[i].group, i);
		enter_number(image, by_gid, roles[i].gid, i);
		/* First the list's sum, then the record's, which covers it. */
		if (hxb_map_role_sum(map, i, &role, &sum))
			roles[i].members_checksum = hxb_map_members_sum(map, i, &role);
		(void)hxb_map_role_sum(map, i, &role, &roles[i].checksum);
	}
}

static void
finish_tombstones(struct hxb_map_writer *w, struct image *image)
{
	struct hxb_map_tombstone_record *tombstones = w->tombstones.items;
	struct hxb_map_tombstone tombstone;
	uint32_t i;

	for (i = 0; i < w->tombstones.count; i++)
		(void)hxb_map_tombstone_sum(&image->map, i, &tombstone, &tombstones[i].checksum);
}

struct part {
	const void *data;
	uint64_t size;
	uint64_t *offset; /* where the header says where it is; NULL for the header itself */
};

#define PARTS 11

static void
image_parts(struct image *image, struct part parts[PARTS])
{
	const struct hxb_map *map = &image->map;
	struct hxb_map_header *h = &image->header;
	const uint64_t user_slots = map->user_slots * sizeof(uint32_t);
	const uint64_t role_slots = map->role_slots * sizeof(uint32_t);
	const uint64_t long_lists = map->long_list_count * sizeof(uint32_t);
	const uint64_t memberships = map->membership_count * sizeof(uint32_t);
	const struct part all[PARTS] = {
		{ h, sizeof(*h), NULL },
		{ map->users, map->info.user_count * sizeof(*map->users), &h->users },
		{ map->roles, map->info.role_count * sizeof(*map->roles), &h->roles },
		{ map->tombstones, map->info.tombstone_count * sizeof(*map->tombstones), &h->tombstones },
		{ map->by_login, user_slots, &h->by_login },
		{ map->by_uid, user_slots, &h->by_uid },
		{ map->by_group, role_slots, &h->by_group },
		{ map->by_gid, role_slots, &h->by_gid },
		{ map->user_roles, long_lists, &h->user_roles },
		{ map->role_members, memberships, &h->role_members },
		{ map->strings, map->strings_size, &h->strings },
	};

	memcpy(parts, all, sizeof(all));
}

static void
finish_header(
    const struct hxb_map_writer *w, struct image *image, struct part parts[PARTS], uint64_t generation)
{
	const struct hxb_map *map = &image->map;
	struct hxb_map_header *h = &image->header;
	size_t i;

	memcpy(h->magic, HXB_MAP_MAGIC, sizeof(h->magic));
	h->header_size = sizeof(*h);
	h->major = HXB_MAP_MAJOR;
	h->minor = HXB_MAP_MINOR;
	h->flags = w->enumerate ? HXB_MAP_FLAG_ENUMERATE : 0;
	h->generation = generation;
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
	for (i = 0; i < PARTS; i++) {
		if (parts[i].offset != NULL)
			*parts[i].offset = h->file_size;
		h->file_size += parts[i].size;
	}
	h->checksum = hxb_map_header_sum(h, h->header_size);
}

static bool
write_all(int fd, const void *data, uint64_t size)
{
	const char *p = data;
	ssize_t n;

	while (size > 0) {
		n = write(fd, p, size < (1 << 30) ? (size_t)size : (size_t)1 << 30);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		size -= (uint64_t)n;
	}
	return true;
}

static enum hxb_result
write_image(struct hxb_map_writer *w, int fd, uint64_t generation, struct hxb_error *error)
{
	enum hxb_result r = HXB_FAILED;
	struct image image = { 0 };
	struct part parts[PARTS];
	size_t i;

	if (!image_prepare(w, &image)) {
		hxb_fail(error, r, "%s: no memory to write the map", w->where);
		goto out;
	}
	fill_members(w, &image);
	finish_users(w, &image);
	finish_roles(w, &image);
	finish_tombstones(w, &image);
	image_parts(&image, parts);
	finish_header(w, &image, parts, generation);
	for (i = 0; i < PARTS; i++) {
		if (!write_all(fd, parts[i].data, parts[i].size)) {
			hxb_fail(error, r, "%s/%s: can't write: %m", w->where, w->temporary);
			goto out;
		}
	}
	if (fchmod(fd, 0444) != 0 || fsync(fd) != 0) {
		hxb_fail(error, r, "%s/%s: can't write: %m", w->where, w->temporary);
		goto out;
	}
	r = HXB_OK;
out:
	image_free(&image);
	return r;
}

static bool
is_temporary(int directory, const char *name)
{
	const size_t prefix = sizeof(TEMPORARY_PREFIX) - 1;
	struct stat st;

	return strncmp(name, TEMPORARY_PREFIX, prefix) == 0 && strlen(name) == prefix + TEMPORARY_DIGITS &&
	    strspn(name + prefix, "0123456789abcdef") == TEMPORARY_DIGITS &&
	    fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid();
}

/* The caller holds the publisher's lock, so whoever made them is gone. */
static void
remove_leftovers(int directory)
{
	struct dirent *entry;
	DIR *listing;
	int fd;

	fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	listing = fdopendir(fd);
	if (listing == NULL) {
		(void)close(fd);
		return;
	}
	while ((entry = readdir(listing)) != NULL) {
		if (is_temporary(directory, entry->d_name))
			(void)unlinkat(directory, entry->d_name, 0);
	}
	(void)closedir(listing);
}

static void
discard(struct hxb_map_writer *w)
{
	if (w->temporary[0] != '\0')
		(void)unlinkat(w->directory, w->temporary, 0);
	w->temporary[0] = '\0';
	if (w->directory >= 0)
		(void)close(w->directory);
	w->directory = -1;
}

static enum hxb_result
open_directory(struct hxb_map_writer *w, const char *dir, struct hxb_error *error)
{
	int length = snprintf(w->where, sizeof(w->where), "%s", dir);

	if (length < 0 || (size_t)length + sizeof(w->temporary) >= sizeof(w->where))
		return hxb_fail(error, HXB_INVALID, "the map's directory has too long a name");
	w->directory = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->directory < 0)
		return hxb_fail(error, HXB_FAILED, "%s: %m", dir);
	remove_leftovers(w->directory);
	return HXB_OK;
}

static enum hxb_result
create_temporary(struct hxb_map_writer *w, int *fdp, struct hxb_error *error)
{
	uint64_t random;
	int length;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return hxb_fail(error, HXB_FAILED, "%s: no random name for the map: %m", w->where);
	length = snprintf(w->temporary, sizeof(w->temporary), TEMPORARY_PREFIX "%016" PRIx64, random);
	*fdp = length < 0
	    ? -1
	    : openat(w->directory, w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fdp < 0) {
		w->temporary[0] = '\0'; /* whosever it is, it is not ours to remove */
		return hxb_fail(error, HXB_FAILED, "%s: can't make a file: %m", w->where);
	}
	return HXB_OK;
}

static enum hxb_result
read_back(const struct hxb_map_writer *w, struct hxb_error *error)
{
	enum hxb_result r = HXB_OK;
	const char *why = "";
	struct hxb_map *map;
	char path[PATH_MAX];
	int length;

	length = snprintf(path, sizeof(path), "%s/%s", w->where, w->temporary);
	if (length < 0 || (size_t)length >= sizeof(path))
		return hxb_fail(error, HXB_FAILED, "%s: path too long", w->where);
	map = hxb_map_open(path, geteuid(), &why);
	if (map == NULL || !hxb_map_verify(map, &why))
		r = hxb_fail(error, HXB_FAILED, "%s: what was read back is wrong: %s", path, why);
	hxb_map_close(map);
	return r;
}

enum hxb_result
hxb_map_writer_write(struct hxb_map_writer *w, const char *dir, uint64_t generation, struct hxb_error *error)
{
	enum hxb_result r;
	int fd = -1;

	discard(w);
	r = open_directory(w, dir, error);
	if (r != HXB_OK)
		goto out;
	r = create_temporary(w, &fd, error);
	if (r != HXB_OK)
		goto out;
	r = write_image(w, fd, generation, error);
	/* Some file systems tell of a full disk here only. */
	if (close(fd) != 0 && r == HXB_OK)
		r = hxb_fail(error, HXB_FAILED, "%s/%s: can't write: %m", w->where, w->temporary);
	if (r != HXB_OK)
		goto out;
	r = read_back(w, error);
out:
	if (r != HXB_OK)
		discard(w);
	return r;
}

/*
 * The map that is about to be replaced, for writing, or -1. Readers look at the name once a second anyway:
 * not being able to tell them at once (no map yet, a broken one, not root) is no reason not to install.
 */
static int
open_predecessor(int directory)
{
	char magic[sizeof(HXB_MAP_MAGIC)];
	struct stat st;
	int fd;

	fd = openat(directory, NAME, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size >= (off_t)sizeof(struct hxb_map_header) &&
	    pread(fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
	    memcmp(magic, HXB_MAP_MAGIC, sizeof(magic)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static void
mark_superseded(int fd)
{
	const uint32_t superseded = 1;
	ssize_t n;

	do {
		n = pwrite(fd, &superseded, sizeof(superseded), offsetof(struct hxb_map_header, superseded));
	} while (n < 0 && errno == EINTR);
}

enum hxb_result
hxb_map_writer_install(struct hxb_map_writer *w, struct hxb_error *error)
{
	enum hxb_result r = HXB_OK;
	int old;

	if (w->temporary[0] == '\0')
		return hxb_fail(error, HXB_FAILED, "there is no map to install");
	old = open_predecessor(w->directory);
	if (renameat(w->directory, w->temporary, w->directory, NAME) != 0) {
		r = hxb_fail(error, HXB_FAILED, "%s/" NAME ": can't replace it: %m", w->where);
		goto out;
	}
	w->temporary[0] = '\0';
	if (fsync(w->directory) != 0)
		r = hxb_fail(error, HXB_FAILED, "%s: can't be made durable: %m", w->where);
	/* Durable or not, the new map is the one that counts now. */
	if (old >= 0)
		mark_superseded(old);
out:
	if (old >= 0)
		(void)close(old);
	discard(w);
	return r;
}
