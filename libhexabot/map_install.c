/* SPDX-License-Identifier: ISC */
/*
 * Makes the file of a map, and puts it in the place of the one before.
 *
 * What must hold: the file is whole, on disk and read back before it gets its name; what has the name is
 * never written to, but for the superseded word once the name is another file's.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "map_writer.h"

#define NAME "map.1"
#define TEMPORARY_PREFIX ".map.1."
#define TEMPORARY_DIGITS 16

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

/* The map to be, under a temporary name. */
static enum hxb_result
create_temporary(struct hxb_map_writer *w, struct hxb_error *error)
{
	uint64_t random;
	int length, fd;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return hxb_fail(error, HXB_FAILED, "%s: no random name for the map: %m", w->where);
	length = snprintf(w->temporary, sizeof(w->temporary), TEMPORARY_PREFIX "%016" PRIx64, random);
	fd = length < 0
	    ? -1
	    : openat(w->directory, w->temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		w->temporary[0] = '\0'; /* whosever it is, it is not ours to remove */
		return hxb_fail(error, HXB_FAILED, "%s: can't make a file: %m", w->where);
	}
	w->map = fdopen(fd, "w+");
	if (w->map == NULL) {
		(void)close(fd);
		return hxb_fail(error, HXB_FAILED, "out of memory");
	}
	return HXB_OK;
}

enum hxb_result
hxb_map_writer_open(struct hxb_map_writer *w, const char *dir, struct hxb_error *error)
{
	static const struct hxb_map_header none;
	enum hxb_result r = open_directory(w, dir, error);

	if (r == HXB_OK)
		r = create_temporary(w, error);
	if (r == HXB_OK && fwrite(&none, sizeof(none), 1, w->map) != 1)
		r = hxb_fail(error, HXB_FAILED, "%s/%s: can't write: %m", w->where, w->temporary);
	return r;
}

void
hxb_map_writer_discard(struct hxb_map_writer *w)
{
	if (w->map != NULL)
		(void)fclose(w->map);
	w->map = NULL;
	if (w->temporary[0] != '\0')
		(void)unlinkat(w->directory, w->temporary, 0);
	w->temporary[0] = '\0';
	if (w->directory >= 0)
		(void)close(w->directory);
	w->directory = -1;
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
hxb_map_writer_write(struct hxb_map_writer *w, const struct hxb_map_info *stamp, struct hxb_error *error)
{
	enum hxb_result r;

	if (w->map == NULL)
		return hxb_fail(error, HXB_FAILED, "the map is written already");
	r = hxb_map_finish(w, stamp, error);
	if (r == HXB_OK)
		r = read_back(w, error);
	if (r != HXB_OK)
		hxb_map_writer_discard(w);
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

	if (w->temporary[0] == '\0' || w->map != NULL)
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
	hxb_map_writer_discard(w);
	return r;
}
