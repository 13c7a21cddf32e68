/* SPDX-License-Identifier: ISC */
/*
 * A map that is being written, private to map_write.c (takes what goes into it), map_finish.c (completes the
 * file) and map_install.c (makes the file, and puts it in the place of the one before).
 *
 * The users' records are in the file already, because a million of them are a hundred megabytes.
 */
#ifndef HXB_MAP_WRITER_H
#define HXB_MAP_WRITER_H

#include <limits.h>
#include <stdio.h>

#include "map_format.h"
#include "map_write.h"

struct hxb_map_array {
	void *items;
	size_t count, room, width;
};

struct hxb_map_writer {
	bool enumerate;
	uint64_t seed;
	FILE *map;
	uint32_t user_units; /* of the records so far: the next one's place */
	uint32_t membership_count; /* in all lists */
	struct hxb_map_array places; /* uint32_t: where each user's record is */
	struct hxb_map_array roles, tombstones; /* records, without checksums until they are written */
	struct hxb_map_array user_roles; /* uint32_t: the lists that are too long for a record */
	struct hxb_map_array strings; /* char; the first one is "" */
	struct hxb_map_array private_like; /* char *: role groups that could be a private group's name */
	uint32_t shells[8]; /* the last ones, which many users share: offsets */
	uint32_t next_shell;
	int directory;
	char temporary[32]; /* the file's name in there; "" if there is none */
	char where[PATH_MAX]; /* the directory's path, for messages */
};

/* Writes all that comes behind the users, and the header. */
enum hxb_result hxb_map_finish(
    struct hxb_map_writer *, const struct hxb_map_info *stamp, struct hxb_error *error);

/* Makes the file, and removes it. */
enum hxb_result hxb_map_writer_open(struct hxb_map_writer *, const char *dir, struct hxb_error *error);
void hxb_map_writer_discard(struct hxb_map_writer *);

#endif
