/* SPDX-License-Identifier: ISC */
/*
 * Writes a map: collect, write to a temporary file, read back, install by rename. Used by publish.c only.
 * Not thread-safe; the caller holds the publisher's lock.
 */
#ifndef HXB_MAP_WRITE_H
#define HXB_MAP_WRITE_H

#include "map.h"
#include "result.h"

struct hxb_map_writer;

/* NULL if there is no memory. */
struct hxb_map_writer *hxb_map_writer_new(bool enumerate);
void hxb_map_writer_free(
    struct hxb_map_writer *); /* takes NULL; removes what was written and not installed */

/*
 * Adds a role; all roles come before the first user. *index is what users refer to. Strings are copied; a
 * user's `members` and a role's `members` are ignored: the writer makes both directions from the users'
 * roles. HXB_INVALID where a string would break a passwd or group line, or a name or number was added
 * already.
 */
enum hxb_result hxb_map_writer_role(struct hxb_map_writer *, const struct hxb_map_role *, uint32_t *index);
enum hxb_result hxb_map_writer_user(struct hxb_map_writer *, const struct hxb_map_user *);
enum hxb_result hxb_map_writer_tombstone(struct hxb_map_writer *, const struct hxb_map_tombstone *);

/*
 * Writes the map into directory `dir` under a temporary name (O_TMPFILE would not let us rename over the old
 * one), 0444, fsyncs it, and reads it back with hxb_map_verify(). Generation: the caller's.
 */
enum hxb_result hxb_map_writer_write(
    struct hxb_map_writer *, const char *dir, uint64_t generation, struct hxb_error *error);

/* Renames it to dir/map.1, fsyncs the directory, then sets the superseded word in the file it replaced. */
enum hxb_result hxb_map_writer_install(struct hxb_map_writer *, struct hxb_error *error);

#endif
