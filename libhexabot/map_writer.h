/* SPDX-License-Identifier: ISC */
/*
 * What a writer has collected, private to map_write.c (collects and checks) and map_install.c (makes the
 * file).
 */
#ifndef HXB_MAP_WRITER_H
#define HXB_MAP_WRITER_H

#include <limits.h>

#include "map_format.h"
#include "map_write.h"

struct hxb_map_array {
	void *items;
	size_t count, room, width;
};

struct hxb_map_writer {
	bool enumerate;
	uint64_t seed;
	struct hxb_map_array users, roles, tombstones; /* records, without checksums until they are written */
	struct hxb_map_array user_roles; /* uint32_t: the lists that are too long for a record */
	uint32_t membership_count; /* in all lists */
	struct hxb_map_array strings; /* char; the first one is "" */
	struct hxb_map_array claims; /* who has which name and number */
	uint32_t *by_name, *by_number; /* open addressing: index of the claim plus one */
	uint32_t claim_slots; /* in each; a power of two, or 0 */
	uint32_t recent[8]; /* strings that many users share: shells */
	uint32_t next_recent;
	int directory; /* from write() to install(), else -1 */
	char temporary[32]; /* the file's name in there; "" if there is none */
	char where[PATH_MAX]; /* the directory's path, for messages */
};

#endif
