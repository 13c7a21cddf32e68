/* SPDX-License-Identifier: ISC */
/*
 * Opens a map file and checks its header. Linked into nss_hexabot: libc only, no allocation, no descriptor
 * kept.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "map_format.h"

/* Root as seen from a user namespace that does not map it. */
#define OVERFLOW_UID 65534

static bool
refuse(int error, const char *text, const char **why)
{
	if (why != NULL)
		*why = text;
	errno = error;
	return false;
}

uint64_t
hxb_map_header_sum(const struct hxb_map_header *header, uint32_t header_size)
{
	const size_t from = offsetof(struct hxb_map_header, header_size);

	return hxb_map_sum(
	    hxb_map_sum_start(0, HXB_MAP_HEADER, 0), (const char *)header + from, header_size - from);
}

/* NULL if it lies outside the file, in the header, or is not aligned. */
static const void *
section(const struct hxb_map *map, uint64_t offset, uint64_t count, uint64_t width)
{
	uint64_t size = map->info.size;
	uint64_t align = width < 8 ? width : 8;

	if (offset < sizeof(struct hxb_map_header) || offset > size || count * width > size - offset ||
	    offset % align != 0)
		return NULL;
	return (const char *)map->header + offset;
}

static bool
set_sections(struct hxb_map *map, const struct hxb_map_header *h)
{
	if (h->user_count > HXB_MAP_COUNT_MAX || h->role_count > HXB_MAP_COUNT_MAX ||
	    h->tombstone_count > HXB_MAP_COUNT_MAX || h->strings_size > UINT32_MAX ||
	    h->users_size / HXB_MAP_UNIT >= UINT32_MAX || h->users_size % HXB_MAP_UNIT != 0)
		return false;
	map->info.user_count = h->user_count;
	map->info.role_count = h->role_count;
	map->info.tombstone_count = h->tombstone_count;
	map->membership_count = h->membership_count;
	map->long_list_count = h->long_list_count;
	map->user_slots = h->user_slots;
	map->role_slots = h->role_slots;
	map->strings_size = (uint32_t)h->strings_size;
	map->user_units = (uint32_t)(h->users_size / HXB_MAP_UNIT);
	map->users = section(map, h->users, map->user_units, HXB_MAP_UNIT);
	map->places = section(map, h->places, h->user_count, sizeof(uint32_t));
	map->roles = section(map, h->roles, h->role_count, sizeof(*map->roles));
	map->tombstones = section(map, h->tombstones, h->tombstone_count, sizeof(*map->tombstones));
	map->by_login = section(map, h->by_login, h->user_slots, sizeof(uint32_t));
	map->by_uid = section(map, h->by_uid, h->user_slots, sizeof(uint32_t));
	map->by_group = section(map, h->by_group, h->role_slots, sizeof(uint32_t));
	map->by_gid = section(map, h->by_gid, h->role_slots, sizeof(uint32_t));
	map->user_roles = section(map, h->user_roles, h->long_list_count, sizeof(uint32_t));
	map->role_members = section(map, h->role_members, h->membership_count, sizeof(uint32_t));
	map->strings = section(map, h->strings, h->strings_size, 1);
	return map->users != NULL && map->places != NULL && map->roles != NULL && map->tombstones != NULL &&
	    map->by_login != NULL && map->by_uid != NULL && map->by_group != NULL && map->by_gid != NULL &&
	    map->user_roles != NULL && map->role_members != NULL && map->strings != NULL;
}

static bool
check_header(struct hxb_map *map, const char **why)
{
	const struct hxb_map_header *h = map->header;

	if (memcmp(h->magic, HXB_MAP_MAGIC, sizeof(h->magic)) != 0)
		return refuse(EBADMSG, "not a map", why);
	if (h->major != HXB_MAP_MAJOR)
		return refuse(EBADMSG, "a map of another version", why);
	if (h->header_size < sizeof(*h) || h->header_size > HXB_MAP_HEADER_MAX ||
	    h->header_size > map->info.size)
		return refuse(EBADMSG, "the size of its header is out of bounds", why);
	if (h->checksum != hxb_map_header_sum(h, h->header_size))
		return refuse(EBADMSG, "the checksum of its header does not fit", why);
	if (h->file_size != map->info.size)
		return refuse(EBADMSG, "its size is not the one in its header", why);
	if (!set_sections(map, h))
		return refuse(EBADMSG, "a section lies outside the file", why);
	map->seed = h->seed;
	map->info.generation = h->generation;
	map->info.published = h->published;
	map->info.as_of = h->as_of;
	map->info.fingerprint = h->fingerprint;
	map->info.next_change = h->next_change;
	map->info.enumerate = (h->flags & HXB_MAP_FLAG_ENUMERATE) != 0;
	return true;
}

/* No link at all is fine: the publisher renamed a newer map over this one after we had opened it. */
static bool
check_file(const struct stat *st, uid_t owner, const char **why)
{
	if (!S_ISREG(st->st_mode))
		return refuse(EPERM, "not a regular file", why);
	if (st->st_nlink > 1)
		return refuse(EPERM, "has more than one link", why);
	if (st->st_uid != 0 && st->st_uid != OVERFLOW_UID && st->st_uid != owner)
		return refuse(EPERM, "does not belong to root", why);
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return refuse(EPERM, "is writable by others than its owner", why);
	if (st->st_size < (off_t)sizeof(struct hxb_map_header))
		return refuse(EBADMSG, "too short for a map", why);
	if ((uintmax_t)st->st_size > PTRDIFF_MAX)
		return refuse(EFBIG, "too large for this machine", why);
	return true;
}

/* Shared, because the superseded word has to be seen when it is written. */
static bool
map_descriptor(struct hxb_map *map, int fd, uid_t owner, const char **why)
{
	struct stat st;
	void *start;

	if (fstat(fd, &st) != 0)
		return refuse(errno, "cannot be examined", why);
	if (!check_file(&st, owner, why))
		return false;
	start = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (start == MAP_FAILED)
		return refuse(errno, "cannot be mapped", why);
	(void)madvise(start, (size_t)st.st_size, MADV_RANDOM);
	memset(map, 0, sizeof(*map));
	map->header = start;
	map->info.size = (uint64_t)st.st_size;
	map->device = st.st_dev;
	map->inode = st.st_ino;
	if (!check_header(map, why)) {
		hxb_map_unload(map);
		return false;
	}
	return true;
}

/* open and close are cancellation points: a thread cancelled there would leave its descriptor and pins
 * behind. */
bool
hxb_map_load(struct hxb_map *map, const char *path, uid_t owner, const char **why)
{
	int cancel, error, fd;
	bool ok;

	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ok = fd >= 0 ? map_descriptor(map, fd, owner, why) : refuse(errno, "cannot be opened", why);
	error = errno;
	if (fd >= 0)
		(void)close(fd);
	(void)pthread_setcancelstate(cancel, NULL);
	errno = error;
	return ok;
}

void
hxb_map_unload(struct hxb_map *map)
{
	int error = errno;

	(void)munmap((void *)(uintptr_t)map->header, (size_t)map->info.size);
	memset(map, 0, sizeof(*map));
	errno = error;
}

/* A page of its own instead of malloc: NSS must not allocate where a caller may have replaced malloc. */
struct hxb_map *
hxb_map_detach(const struct hxb_map *map)
{
	struct hxb_map *own;

	own = mmap(NULL, sizeof(*own), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (own == MAP_FAILED)
		return NULL;
	*own = *map;
	return own;
}

struct hxb_map *
hxb_map_open(const char *path, uid_t owner, const char **why)
{
	struct hxb_map map, *own;

	if (!hxb_map_load(&map, path, owner, why))
		return NULL;
	own = hxb_map_detach(&map);
	if (own == NULL) {
		(void)refuse(errno, "no memory", why);
		hxb_map_unload(&map);
	}
	return own;
}

void
hxb_map_close(struct hxb_map *map)
{
	int error = errno;

	if (map == NULL)
		return;
	hxb_map_unload(map);
	(void)munmap(map, sizeof(*map));
	errno = error;
}

void
hxb_map_info(const struct hxb_map *map, struct hxb_map_info *info)
{
	*info = map->info;
}
