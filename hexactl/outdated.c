/* SPDX-License-Identifier: ISC */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "libhexabot/fingerprint.h"
#include "libhexabot/map.h"
#include "outdated.h"

/* Times of files are the clock's last tick, some milliseconds old; two writes within one look the same. */
#define TICK 20000000 /* nanoseconds */
#define SECONDS INT64_C(2000000000)

/* All zero where there is none. */
static struct stat
look_at(const char *path, const char *suffix)
{
	char whole[PATH_MAX];
	struct stat st;

	snprintf(whole, sizeof(whole), "%s%s", path, suffix);
	if (lstat(whole, &st) == -1) /* the store's owner's links lead anywhere */
		memset(&st, 0, sizeof(st));
	return st;
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static bool
is_older_than(const struct stat *st, const struct timespec *now)
{
	int64_t age =
	    (now->tv_sec - st->st_mtim.tv_sec) * INT64_C(1000000000) + now->tv_nsec - st->st_mtim.tv_nsec;

	/* Some file systems know seconds only. */
	return age > (st->st_mtim.tv_nsec == 0 ? SECONDS : TICK);
}

void
hxb_see(struct hxb_seen *seen, const char *store)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_REALTIME, &now);
	seen->store = look_at(store, "");
	seen->wal = look_at(store, "-wal");
	seen->settled = is_older_than(&seen->store, &now) && is_older_than(&seen->wal, &now);
}

/* The host's users may take a name away from Hexabot's, or leave them one. What happened in the future is a
 * clock's mistake: of a file it is ignored, a map is made anew. */
static bool
host_has_changed(const char *config, const struct hxb_map_info *map)
{
	const char *const paths[] = { config, hxb_host_places.passwd, hxb_host_places.group };
	const time_t now = time(NULL);
	struct stat st;

	if (map->as_of > now)
		return true;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (stat(paths[i], &st) == 0 && st.st_ctim.tv_sec >= map->as_of && st.st_ctim.tv_sec <= now)
			return true;
	}
	return false;
}

/* The installed map's header. false: there is no map, or none that can be trusted. */
static bool
read_map(struct hxb_map_info *info)
{
	const struct hxb_map *map = hxb_map_pin();

	if (map == NULL)
		return false;
	hxb_map_info(map, info);
	hxb_map_unpin(map);
	return true;
}

/* Whatever the store says. */
static bool
is_due(const char *config, const struct hxb_map_info *map)
{
	return host_has_changed(config, map) || (map->next_change != 0 && time(NULL) >= map->next_change);
}

bool
hxb_worth_reading(const struct hxb_seen *seen, const char *path, const char *store)
{
	struct hxb_map_info map;
	struct stat st, wal;

	if (store[0] == '\0' || !seen->settled || !read_map(&map) || map.fingerprint != seen->fingerprint ||
	    is_due(path, &map))
		return true;
	st = look_at(store, "");
	wal = look_at(store, "-wal");
	return !is_same(&st, &seen->store) || !is_same(&wal, &seen->wal);
}

enum hxb_result
hxb_is_outdated(struct hxb_session *session, struct hxb_seen *seen, bool *outdated, struct hxb_error *error)
{
	struct hxb_map_info map;
	enum hxb_result r;

	seen->fingerprint = HXB_FINGERPRINT_UNKNOWN;
	*outdated = true;
	if (!read_map(&map) || is_due(session->arguments->config, &map))
		return HXB_OK;
	r = hxb_fingerprint_store(session->store, &seen->fingerprint, error);
	/* While it was read, somebody else may have published it. */
	*outdated = !read_map(&map) || map.fingerprint != seen->fingerprint;
	return r;
}
