/* SPDX-License-Identifier: ISC */
/*
 * The map of this process: a few static slots, each with one word that says what it holds and who uses it.
 *
 * What must hold: no lock, because another thread or a forked child could find it held; whoever holds a pin
 * may read the mapping; only whoever turned a slot BUSY touches its mapping; nobody waits for a BUSY slot.
 * Pins and BUSY slots that other threads held at a fork cost the child that slot and nothing else. A slot is
 * made current by whoever holds a pin on it, so that nobody can find it unused and not current in between.
 */
#include <errno.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

#include "map_format.h"

#define SLOTS 4
#define FREE UINT32_C(0)
#define BUSY UINT32_C(0x80000000)
#define MAPPED UINT32_C(0x40000000) /* plus the number of pins */

#define CHECK_EVERY 1000 /* milliseconds */

struct slot {
	_Atomic uint32_t word;
	_Atomic uint32_t checked; /* when the path was last seen to be this very file; wraps */
	struct hxb_map map;
};

static struct slot slots[SLOTS];
static _Atomic(struct slot *) current;

static uint32_t
milliseconds(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint32_t)((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}

static bool
is_superseded(const struct hxb_map *map)
{
	return __atomic_load_n(&map->header->superseded, __ATOMIC_ACQUIRE) != 0;
}

/*
 * Turns an unused slot BUSY and unmaps what it held. Taking the current one by a race does no harm: others
 * then find it BUSY and map the file themselves.
 */
static bool
take(struct slot *slot)
{
	uint32_t word = atomic_load(&slot->word);

	if (word != FREE && (word != MAPPED || slot == atomic_load(&current)))
		return false;
	if (!atomic_compare_exchange_strong(&slot->word, &word, BUSY))
		return false;
	if (word == MAPPED)
		hxb_map_unload(&slot->map);
	return true;
}

static void
reclaim(struct slot *slot)
{
	if (atomic_load(&slot->word) == MAPPED && take(slot))
		atomic_store(&slot->word, FREE);
}

static void
drop(struct slot *slot)
{
	if (atomic_fetch_sub(&slot->word, 1) == MAPPED + 1)
		reclaim(slot);
}

/* NULL where there is none, or it is being replaced. The pinned map is a whole one, be it the newest or not.
 */
static struct slot *
pin_current(void)
{
	struct slot *slot;
	uint32_t word;

	do {
		slot = atomic_load(&current);
		if (slot == NULL)
			return NULL;
		word = atomic_load(&slot->word);
		if ((word & MAPPED) == 0)
			return NULL;
	} while (!atomic_compare_exchange_weak(&slot->word, &word, word + 1));
	return slot;
}

/* Puts a freshly loaded map into a slot, or into a page of its own if each slot is in use. */
static const struct hxb_map *
settle(struct hxb_map *fresh, uint32_t now)
{
	const struct hxb_map *own;
	size_t i, other;

	for (i = 0; i < SLOTS; i++) {
		if (!take(&slots[i]))
			continue;
		slots[i].map = *fresh;
		atomic_store(&slots[i].checked, now);
		atomic_store(&slots[i].word, MAPPED + 1);
		atomic_store(&current, &slots[i]);
		for (other = 0; other < SLOTS; other++)
			reclaim(&slots[other]);
		return &slots[i].map;
	}
	own = hxb_map_detach(fresh);
	if (own == NULL)
		hxb_map_unload(fresh);
	return own;
}

/* `now` was read before the file is opened, so that what is replaced meanwhile is not taken for checked. */
static const struct hxb_map *
remap(uint32_t now)
{
	struct hxb_map fresh;
	struct slot *slot;

	if (!hxb_map_load(&fresh, HXB_MAP_PATH, 0, NULL))
		return NULL;
	slot = pin_current();
	if (slot != NULL) {
		if (slot->map.inode == fresh.inode && slot->map.device == fresh.device) {
			hxb_map_unload(&fresh); /* another thread was faster */
			return &slot->map;
		}
		drop(slot);
	}
	return settle(&fresh, now);
}

/* A mapped inode cannot be given to another file, so the same numbers mean the same file. */
static const struct hxb_map *
recheck(struct slot *slot, uint32_t now)
{
	struct stat st;

	if (lstat(HXB_MAP_PATH, &st) != 0) {
		drop(slot);
		return NULL;
	}
	if (st.st_ino == slot->map.inode && st.st_dev == slot->map.device &&
	    (uint64_t)st.st_size == slot->map.info.size) {
		atomic_store(&slot->checked, now);
		return &slot->map;
	}
	drop(slot);
	return remap(now);
}

const struct hxb_map *
hxb_map_pin(void)
{
	struct slot *slot = pin_current();
	uint32_t now = milliseconds();
	const struct hxb_map *map;
	int error;

	if (slot != NULL && !is_superseded(&slot->map) && now - atomic_load(&slot->checked) < CHECK_EVERY)
		return &slot->map;
	error = errno;
	map = slot != NULL ? recheck(slot, now) : remap(now);
	if (map != NULL)
		errno = error;
	return map;
}

void
hxb_map_unpin(const struct hxb_map *map)
{
	size_t i;

	for (i = 0; i < SLOTS; i++) {
		if (map == &slots[i].map) {
			drop(&slots[i]);
			return;
		}
	}
	hxb_map_close((struct hxb_map *)(uintptr_t)map);
}
