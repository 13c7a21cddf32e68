/* SPDX-License-Identifier: ISC */
/*
 * Whether the map still shows what it should: asked by `watch` several times a second, so it has to cost next
 * to nothing. Hexabot writes its database with every request, and seldom what matters.
 */
#ifndef HXB_OUTDATED_H
#define HXB_OUTDATED_H

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#include "session.h"

/* The store as it was when it was last read. */
struct hxb_seen {
	struct stat store, wal;
	uint64_t fingerprint; /* what was read; a map of anything else is worth another look */
	bool settled; /* a write after it will show: it was not just then that they were written */
};

/* Whether the store's files, configuration or the host's own passwd and group files say that it may be worth
 * while to read the store: six system calls. path: the configuration; store: "" if it is not known yet. */
bool hxb_worth_reading(const struct hxb_seen *seen, const char *path, const char *store);

/* Remembers the store's files; before it is read. */
void hxb_see(struct hxb_seen *seen, const char *store);

/* Reads the store and compares it with the map. The session is open, without a transaction. */
enum hxb_result hxb_is_outdated(
    struct hxb_session *, struct hxb_seen *seen, bool *outdated, struct hxb_error *error);

#endif
