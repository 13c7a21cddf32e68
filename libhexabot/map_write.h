/* SPDX-License-Identifier: ISC */
/*
 * Writes a map: users stream into a temporary file as they are added, then come the indexes, then the whole
 * is read back, and a rename installs it. Used by publish*.c only. Not thread-safe; the caller holds the
 * publisher's lock.
 */
#ifndef HXB_MAP_WRITE_H
#define HXB_MAP_WRITE_H

#include "map.h"
#include "result.h"

struct hxb_map_writer;

/*
 * Begins a map in directory `dir`, under a temporary name (O_TMPFILE would not let us rename over the old
 * one) and with mode 0600 until it is whole. What a writer that crashed has left there is removed.
 */
enum hxb_result hxb_map_writer_new(
    const char *dir, bool enumerate, struct hxb_map_writer **writerp, struct hxb_error *error);
void hxb_map_writer_free(
    struct hxb_map_writer *); /* takes NULL; removes what was written and not installed */

/*
 * Adds a role; all roles come before the first user. *index is what users refer to. A user's `members` and a
 * role's `members` are ignored: the writer makes both directions from the users' roles. HXB_INVALID where a
 * string would break a passwd or group line, or a private group would have a role group's name.
 */
enum hxb_result hxb_map_writer_role(struct hxb_map_writer *, const struct hxb_map_role *, uint32_t *index);
enum hxb_result hxb_map_writer_user(struct hxb_map_writer *, const struct hxb_map_user *);
enum hxb_result hxb_map_writer_tombstone(struct hxb_map_writer *, const struct hxb_map_tombstone *);

/*
 * Writes the rest, 0444, fsyncs, and reads the map back with hxb_map_verify(): HXB_FAILED, among others, if a
 * name or number was added twice. The stamp's generation, fingerprint, as_of and next_change go into the
 * header.
 */
enum hxb_result hxb_map_writer_write(
    struct hxb_map_writer *, const struct hxb_map_info *stamp, struct hxb_error *error);

/* Renames it to dir/map.1, fsyncs the directory, then sets the superseded word in the file it replaced. */
enum hxb_result hxb_map_writer_install(struct hxb_map_writer *, struct hxb_error *error);

#endif
