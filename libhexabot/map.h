/* SPDX-License-Identifier: ISC */
/*
 * The map: a flat, read-only file without secrets, the only thing that NSS reads. DESIGN: "The map".
 *
 * Format 1, little-endian. The file name carries the major version (map.1); minor versions only append.
 * Readers: map_read.c (libc only, linked into nss_hexabot too). Writer: map_write.c (libhexabot only).
 *
 * Everything a reader returns was checked against the record's checksum during that very lookup and points
 * into the mapping: it is good until hxb_map_unpin().
 */
#ifndef HXB_MAP_H
#define HXB_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef HXB_STATE_DIR
#define HXB_STATE_DIR "/var/lib/hexactl"
#endif
#define HXB_MAP_PATH HXB_STATE_DIR "/map.1"

/* The private group of LOGIN is called hexabot.LOGIN and has the user's uid as its gid. */
#define HXB_PRIVATE_GROUP_PREFIX "hexabot."

enum hxb_map_status {
	HXB_MAP_FOUND,
	HXB_MAP_NOT_FOUND,
	HXB_MAP_UNAVAILABLE, /* no map, not to be trusted, another version, or a checksum that does not fit */
};

/* What shadow shows of a user. The value is stored in the map: append only. */
enum hxb_map_shadow {
	HXB_SHADOW_DENIED = 0, /* "!*", expired on day 1 */
	HXB_SHADOW_ENABLED = 1, /* "*" */
	HXB_SHADOW_INVITED = 2, /* "*", last changed on day 0: a new password is due */
};

struct hxb_map; /* one mapped file; see hxb_map_pin() */

struct hxb_map_user {
	const char *login; /* never empty; the four strings are NUL-terminated */
	/* From a lookup, gecos lies right behind home. */
	const char *gecos;
	const char *home;
	const char *shell;
	uint32_t uid; /* also the gid of the private group */
	uint64_t id_digest; /* of the user's id in the store: hxb_id_digest() */
	enum hxb_map_shadow shadow;
	const uint32_t *roles; /* indexes for hxb_map_role_at() */
	uint32_t role_count;
	/* Set by lookups, ignored by the writer. */
	uint32_t index; /* for hxb_map_user_at() */
	struct {
		uint16_t login, gecos, home, shell;
	} length; /* of the strings: bytes without the NUL */
};

struct hxb_map_role {
	const char *group; /* the group's whole name, prefix included */
	uint32_t gid;
	uint64_t id_digest;
	const uint32_t *members; /* indexes for hxb_map_user_at() */
	uint32_t member_count;
};

/* A name and a number that were given once and belong to nobody any more. NSS never shows them. */
struct hxb_map_tombstone {
	const char *name; /* the login; "" for a role */
	uint32_t number;
	uint64_t id_digest;
};

struct hxb_map_info {
	uint64_t generation; /* grows by one with each publish */
	int64_t published; /* when: seconds since the epoch */
	int64_t as_of; /* from when on changes of the configuration and of the host's users are not in it */
	uint64_t size; /* bytes */
	uint64_t fingerprint; /* of the store that it shows: fingerprint.h */
	int64_t
	    next_change; /* when a state changes by itself: an expiry. Seconds since the epoch; 0: never */
	uint32_t user_count, role_count, tombstone_count;
	bool enumerate; /* whether getpwent and getgrent list the users and role groups */
};

/*
 * Pins the current map: the pointer stays good until hxb_map_unpin(). No system call while the map that this
 * process has mapped is current (checked by its superseded word, and once a second by stat). NULL with errno
 * where there is no map or it is not to be trusted; else errno stays. Thread-safe, keeps no descriptor.
 */
const struct hxb_map *hxb_map_pin(void);
void hxb_map_unpin(const struct hxb_map *map);

/*
 * Opens one map file of one's own, outside the slots: for the publisher, the doctor and the tests. The owner
 * has to be root (or 65534, root seen from a user namespace) or else `owner`. Returns NULL with errno set.
 * *why, where why is not NULL, says in words what was wrong. hxb_map_close() takes NULL.
 */
struct hxb_map *hxb_map_open(const char *path, uid_t owner, const char **why);
void hxb_map_close(struct hxb_map *map);

/* Lookups. What is in *user, *role is good with HXB_MAP_FOUND only. */
enum hxb_map_status hxb_map_user_by_login(
    const struct hxb_map *, const char *login, struct hxb_map_user *user);
enum hxb_map_status hxb_map_user_by_uid(const struct hxb_map *, uint32_t uid, struct hxb_map_user *user);
enum hxb_map_status hxb_map_role_by_group(
    const struct hxb_map *, const char *group, struct hxb_map_role *role);
enum hxb_map_status hxb_map_role_by_gid(const struct hxb_map *, uint32_t gid, struct hxb_map_role *role);

/* By index from 0: NOT_FOUND at the end, UNAVAILABLE for one bad record (the next index may be good). */
enum hxb_map_status hxb_map_user_at(const struct hxb_map *, uint32_t index, struct hxb_map_user *user);
enum hxb_map_status hxb_map_role_at(const struct hxb_map *, uint32_t index, struct hxb_map_role *role);
/* For who wants name and numbers only: a list of a million members is not read. */
enum hxb_map_status hxb_map_role_head(const struct hxb_map *, uint32_t index, struct hxb_map_role *role);
enum hxb_map_status hxb_map_role_head_by_gid(const struct hxb_map *, uint32_t gid, struct hxb_map_role *role);
enum hxb_map_status hxb_map_tombstone_at(const struct hxb_map *, uint32_t index, struct hxb_map_tombstone *);

void hxb_map_info(const struct hxb_map *, struct hxb_map_info *info);

/*
 * Reads the whole map back: every record, every index entry, every membership in both directions. True if all
 * fits; else *why (if not NULL) says what does not.
 */
bool hxb_map_verify(const struct hxb_map *, const char **why);

#endif
