/* SPDX-License-Identifier: ISC */
/*
 * The map's bytes and the opened map, private to map_*.c.
 *
 * header | users | roles | tombstones | places | by_login | by_uid | by_group | by_gid |
 * user_roles | role_members | strings
 *
 * A user's record holds the texts, too: a lookup among a million users is as fast as the few lines of memory
 * that it touches. Records are as long as they have to be, so `places` leads from a user's index to the
 * record, by its offset in units of eight bytes. Roles and tombstones have records of one width, and their
 * texts among the strings; so have the shells, which many users share. Strings are NUL-terminated. Private
 * groups have no records: they follow from the users.
 *
 * The four indexes are open-addressing hash tables with linear probing. A slot is 0 if it is empty, else the
 * user's place, or the role's index, plus one and, in the bits that no place needs, some of the hash, so that
 * probing seldom touches another's record. A slot is only a hint: the record's own key decides.
 *
 * Minor versions may lengthen the header, append sections and set more flags; widths of records stay as they
 * are.
 */
#ifndef HXB_MAP_FORMAT_H
#define HXB_MAP_FORMAT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "map.h"

#define HXB_MAP_MAGIC "HXB\nMAP" /* eight bytes with the NUL */
#define HXB_MAP_MAJOR 1
#define HXB_MAP_MINOR 0
#define HXB_MAP_FLAG_ENUMERATE UINT32_C(1)

#define HXB_MAP_LOGIN_MAX 64 /* bytes without the NUL; role groups too */
#define HXB_MAP_GECOS_MAX 255
#define HXB_MAP_PATH_MAX 1024 /* home and shell */

#define HXB_MAP_COUNT_MAX (UINT32_C(1) << 28)
#define HXB_MAP_HEADER_MAX 4096

struct hxb_map_header {
	char magic[8];
	uint64_t checksum; /* of everything from header_size to the end of the header */
	uint32_t superseded; /* not 0: another map has this one's name now; the only word that ever changes */
	uint32_t header_size;
	uint16_t major, minor;
	uint32_t flags;
	uint64_t file_size;
	uint64_t generation;
	int64_t published;
	uint64_t seed; /* new with each publish: nobody can choose names that collide */
	uint32_t user_count, role_count, tombstone_count;
	uint32_t membership_count; /* entries in role_members */
	uint32_t long_list_count; /* entries in user_roles */
	uint32_t user_slots; /* in by_login, and in by_uid */
	uint32_t role_slots; /* in by_group, and in by_gid */
	uint32_t next_change; /* see struct hxb_map_info; a moment beyond 32 bits is none */
	uint64_t fingerprint; /* of what the map shows: fingerprint.h */
	uint64_t users_size, strings_size; /* bytes */
	uint64_t users, roles, tombstones, places; /* from here on: offsets from the start of the file */
	uint64_t by_login, by_uid, by_group, by_gid;
	uint64_t user_roles, role_members;
	uint64_t strings; /* the last of them */
	int64_t as_of;
	uint64_t reserved[5]; /* so that users begin at a cache line */
};

#define HXB_MAP_FEW_ROLES 3
#define HXB_MAP_UNIT 8 /* bytes: places and sizes of users' records count them */

/* `checksum` covers the rest of the record, the shell, and a list that is not in the record. */
struct hxb_map_user_record {
	uint64_t checksum;
	uint64_t id_digest;
	uint32_t uid;
	uint32_t index;
	uint32_t shell; /* offset in the strings */
	uint16_t units; /* the record's size */
	uint16_t home_length; /* lengths are bytes without the NUL */
	uint8_t login_length, gecos_length;
	uint8_t shadow;
	uint8_t login_ends_home; /* the login is the end of the home, and has no text of its own */
	uint16_t shell_length;
	uint16_t role_count;
	uint32_t
	    few_roles[HXB_MAP_FEW_ROLES]; /* ascending; if they are more: where they begin in user_roles */
	char text[]; /* home, gecos, login; zeros up to the next unit */
};
#define HXB_MAP_TEXT offsetof(struct hxb_map_user_record, text)

/* The member list has a checksum of its own, so that who needs only the gid need not read a million members.
 */
struct hxb_map_role_record {
	uint64_t checksum;
	uint64_t members_checksum;
	uint64_t id_digest;
	uint32_t gid;
	uint32_t group;
	uint32_t first_member, member_count; /* in role_members, ascending */
};

struct hxb_map_tombstone_record {
	uint64_t checksum;
	uint64_t id_digest;
	uint32_t number;
	uint32_t name;
};

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "format 1 is little-endian");
static_assert(sizeof(struct hxb_map_header) == 256, "header");
static_assert(offsetof(struct hxb_map_header, superseded) == 16, "the same in every minor version");
static_assert(offsetof(struct hxb_map_header, header_size) == 20, "the same in every minor version");
static_assert(offsetof(struct hxb_map_header, users) == 120, "no padding");
static_assert(HXB_MAP_TEXT == 52, "user record");
static_assert(sizeof(struct hxb_map_role_record) == 40, "role record");
static_assert(sizeof(struct hxb_map_tombstone_record) == 24, "tombstone record");

/* An opened map. Counts and starts are copies that were checked: the mapping itself is read only with bounds.
 */
struct hxb_map {
	const struct hxb_map_header *header; /* start of the mapping, of info.size bytes */
	const uint64_t *users; /* units */
	const uint32_t *places;
	const struct hxb_map_role_record *roles;
	const struct hxb_map_tombstone_record *tombstones;
	const uint32_t *by_login, *by_uid, *by_group, *by_gid;
	const uint32_t *user_roles, *role_members;
	const char *strings;
	uint32_t user_units, strings_size, membership_count, long_list_count, user_slots, role_slots;
	uint64_t seed;
	dev_t device;
	ino_t inode;
	struct hxb_map_info info;
};

/* Checksums start with what the record is and where it sits, so that a record in another's place does not
 * fit. */
enum hxb_map_kind { HXB_MAP_HEADER = 1, HXB_MAP_USER, HXB_MAP_ROLE, HXB_MAP_MEMBERS, HXB_MAP_TOMBSTONE };

/* Bijective in h and in word: a change in one word always changes the sum. */
static inline uint64_t
hxb_map_mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

static inline uint64_t
hxb_map_sum_start(uint64_t seed, enum hxb_map_kind kind, uint32_t index)
{
	return hxb_map_mix(seed, (uint64_t)kind << 32 | index);
}

static inline uint64_t
hxb_map_sum(uint64_t h, const void *data, size_t size)
{
	const unsigned char *p = data;
	uint64_t word = 0;
	uint32_t four = 0;
	uint16_t two = 0;

	for (; size >= sizeof(word); size -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = hxb_map_mix(h, word);
	}
	if (size == 0)
		return h;
	word = (size & 1) != 0 ? p[size - 1] : 0;
	if ((size & 2) != 0) {
		memcpy(&two, p + (size & 4), sizeof(two));
		word = word << 16 | two;
	}
	if ((size & 4) != 0) {
		memcpy(&four, p, sizeof(four));
		word = word << 32 | four;
	}
	return hxb_map_mix(h, word);
}

/* The same for whole words, in two lanes, which a processor can work on at once. */
static inline uint64_t
hxb_map_sum_words(uint64_t h, const uint64_t *words, size_t count)
{
	uint64_t other = ~h;
	size_t i;

	for (i = 0; i + 1 < count; i += 2) {
		h = hxb_map_mix(h, words[i]);
		other = hxb_map_mix(other, words[i + 1]);
	}
	if (i < count)
		h = hxb_map_mix(h, words[i]);
	return hxb_map_mix(h, other);
}

static inline uint64_t
hxb_map_hash_name(uint64_t seed, const char *name, size_t size)
{
	return hxb_map_mix(hxb_map_sum(seed, name, size), size);
}

static inline uint64_t
hxb_map_hash_number(uint64_t seed, uint32_t number)
{
	return hxb_map_mix(hxb_map_mix(seed, number), sizeof(number));
}

/* Where probing begins; slots is not 0. */
static inline uint32_t
hxb_map_slot(uint64_t hash, uint32_t slots)
{
	return (uint32_t)((hash >> 32) * slots >> 32);
}

/* The bits of a slot that hold a place plus one, where there are `places`. The others are the hash's. */
static inline uint32_t
hxb_map_place_mask(uint32_t places)
{
	uint32_t mask = places;

	mask |= mask >> 1;
	mask |= mask >> 2;
	mask |= mask >> 4;
	mask |= mask >> 8;
	return mask | mask >> 16;
}

/* Maps and checks a file. False with errno and *why (if not NULL) set. hxb_map_unload() leaves errno alone.
 */
bool hxb_map_load(struct hxb_map *map, const char *path, uid_t owner, const char **why);
void hxb_map_unload(struct hxb_map *map);

/* Takes the map's pages out of this process's memory; they come back when they are read. */
void hxb_map_forget_pages(const struct hxb_map *map);

/* Gives a loaded map a place of its own, for hxb_map_close(). NULL if there is no memory: still the caller's.
 */
struct hxb_map *hxb_map_detach(const struct hxb_map *map);

/* The record at a place, and its checksum as it ought to be. NULL if it points outside the sections. */
const struct hxb_map_user_record *hxb_map_user_sum(
    const struct hxb_map *map, uint32_t place, struct hxb_map_user *user, uint64_t *sum);
/* The same for a role: false if it points outside. Index below the count. */
bool hxb_map_role_sum(const struct hxb_map *map, uint32_t index, struct hxb_map_role *role, uint64_t *sum);
bool hxb_map_tombstone_sum(const struct hxb_map *, uint32_t index, struct hxb_map_tombstone *, uint64_t *sum);
uint64_t hxb_map_members_sum(const struct hxb_map *map, uint32_t index, const struct hxb_map_role *role);
uint64_t hxb_map_header_sum(const struct hxb_map_header *header, uint32_t header_size);

#endif
