/* SPDX-License-Identifier: ISC */
/*
 * A small map with a case of everything, for test_map.c and test_nss.c.
 */
#ifndef MAP_FIXTURE_H
#define MAP_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "libhexabot/map_format.h"
#include "libhexabot/map_write.h"

#define ROLES 8
#define USERS 5
#define TOMBSTONES 2
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const uint32_t two_roles[] = { 0, 1 }, one_role[] = { 1 };
static const uint32_t many_roles[] = { 3, 4, 5, 6, 7 }; /* too many for a record */
static const uint32_t admins[] = { 0 }, managers[] = { 0, 1 }, dora[] = { 3 };

static const struct hxb_map_role some_roles[ROLES] = {
	{ "hexabot-admin", 1900000001, 11, admins, 1 },
	{ "hexabot-manager", 1900000002, 12, managers, 2 },
	{ "hexabot-nobody", 1900000003, 13, NULL, 0 },
	{ "hexabot-a", 1900000004, 14, dora, 1 },
	{ "hexabot-b", 1900000005, 15, dora, 1 },
	{ "hexabot-c", 1900000006, 16, dora, 1 },
	{ "hexabot-d", 1900000007, 17, dora, 1 },
	{ "hexabot-e", 1900000008, 18, dora, 1 },
};

static const struct hxb_map_user some_users[USERS] = {
	{ "alice", "Alice Liddell, Oxford", "/home/alice", "/bin/bash", 1900000010, 21, HXB_SHADOW_ENABLED,
	    two_roles, 2, 0, { 0 } },
	{ "bob", "Bob \xc3\xa9", "/home/bob", "/bin/bash", 1900000011, 22, HXB_SHADOW_INVITED, one_role, 1, 0,
	    { 0 } },
	{ "carol", "", "/home/carol", "/bin/bash", 1900000012, 23, HXB_SHADOW_DENIED, NULL, 0, 0, { 0 } },
	{ "Dora.x", "Dora", "/srv/d", "/bin/sh", 1900000013, 24, HXB_SHADOW_ENABLED, many_roles, 5, 0,
	    { 0 } },
	{ "alic", "Prefix of another", "", "", 1900000014, 25, HXB_SHADOW_ENABLED, NULL, 0, 0, { 0 } },
};

static const struct hxb_map_tombstone some_tombstones[TOMBSTONES] = {
	{ "gone", 1900000020, 31 },
	{ "", 1900000021, 32 },
};

static inline void
make_directory(const char *path)
{
	char copy[4096];
	char *slash;

	assert_true(snprintf(copy, sizeof(copy), "%s", path) < (int)sizeof(copy));
	for (slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(copy, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	assert_true(mkdir(copy, 0755) == 0 || errno == EEXIST);
}

static inline struct hxb_map_writer *
new_writer_in(const char *directory, bool enumerate)
{
	struct hxb_error error = { "" };
	struct hxb_map_writer *w;

	if (hxb_map_writer_new(directory, enumerate, &w, &error) != HXB_OK)
		fail_msg("%s", error.text);
	return w;
}

static inline struct hxb_map_writer *
new_writer(bool enumerate)
{
	return new_writer_in(HXB_STATE_DIR, enumerate);
}

static inline struct hxb_map_writer *
some_writer_in(const char *directory, bool enumerate)
{
	struct hxb_map_writer *w = new_writer_in(directory, enumerate);
	uint32_t i, index;

	for (i = 0; i < ROLES; i++) {
		assert_int_equal(hxb_map_writer_role(w, &some_roles[i], &index), HXB_OK);
		assert_int_equal(index, i);
	}
	for (i = 0; i < USERS; i++)
		assert_int_equal(hxb_map_writer_user(w, &some_users[i]), HXB_OK);
	for (i = 0; i < TOMBSTONES; i++)
		assert_int_equal(hxb_map_writer_tombstone(w, &some_tombstones[i]), HXB_OK);
	return w;
}

static inline struct hxb_map_writer *
some_writer(bool enumerate)
{
	return some_writer_in(HXB_STATE_DIR, enumerate);
}

/* Writes, installs and frees. */
static inline void
install(struct hxb_map_writer *w, uint64_t generation)
{
	struct hxb_error error = { "" };

	if (hxb_map_writer_write(w, &(struct hxb_map_info){ .generation = generation }, &error) != HXB_OK ||
	    hxb_map_writer_install(w, &error) != HXB_OK)
		fail_msg("%s", error.text);
	hxb_map_writer_free(w);
}

static inline size_t
read_file(const char *path, unsigned char *bytes, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size;

	assert_true(fd >= 0);
	size = read(fd, bytes, room);
	assert_true(size >= 0 && (size_t)size < room);
	close(fd);
	return (size_t)size;
}

/* A new file with a new inode, whatever was there before. */
static inline void
write_file(const char *path, const void *bytes, size_t size)
{
	int fd;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	assert_int_equal(close(fd), 0);
}

/* The same map as a later minor version would write it: a longer header, unknown flags, a section more. */
static inline size_t
make_later_minor(unsigned char *bytes, size_t size)
{
	enum { MORE = 24, TRAILER = 40 };
	struct hxb_map_header *header = (struct hxb_map_header *)(void *)bytes;
	uint64_t *offset;

	memmove(bytes + sizeof(*header) + MORE, bytes + sizeof(*header), size - sizeof(*header));
	memset(bytes + sizeof(*header), 0xa5, MORE);
	memset(bytes + size + MORE, 0xa5, TRAILER);
	for (offset = &header->users; offset <= &header->strings; offset++)
		*offset += MORE;
	header->header_size += MORE;
	header->file_size += MORE + TRAILER;
	header->minor = 9;
	header->flags |= 0x80;
	header->checksum = hxb_map_header_sum(header, header->header_size);
	return size + MORE + TRAILER;
}

static inline bool
needs_root(void)
{
	if (geteuid() == 0)
		return true;
	print_message("skipped: the module trusts root's files only, so this test makes them as root\n");
	return false;
}

#endif
