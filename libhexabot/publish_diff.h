/* SPDX-License-Identifier: ISC */
/*
 * What changed since the map before: the publisher's memory of the store is its own last map. Changes that
 * hexactl did not make itself become events of actor "hexabot": `log` shows what a stolen web admin did.
 */
#ifndef HXB_PUBLISH_DIFF_H
#define HXB_PUBLISH_DIFF_H

#include "ledger.h"
#include "map.h"
#include "publish.h"

struct hxb_diff;

/* No map before is no error: then nothing is new. own_ids: see publish.h. */
enum hxb_result hxb_diff_open(
    const char *state_dir, const char *const *own_ids, struct hxb_diff **diffp, struct hxb_error *error);
void hxb_diff_close(struct hxb_diff *); /* takes NULL */

/* Forgets what was collected, for another reading. */
void hxb_diff_reset(struct hxb_diff *);

/* Takes one user of the new map, with the name of the state. */
enum hxb_result hxb_diff_user(struct hxb_diff *, const struct hxb_user *user,
    const struct hxb_map_user *record, const char *state, struct hxb_error *error);

/* Users in the map before, and those of them who were not taken yet and whose digest is none of these
 * (ascending). */
unsigned hxb_diff_before(const struct hxb_diff *);
unsigned hxb_diff_missing(const struct hxb_diff *, const uint64_t *digests, size_t count);

/* Adds the events to the ledger's open transaction, and counts. */
enum hxb_result hxb_diff_record(
    struct hxb_diff *, struct hxb_ledger *ledger, struct hxb_publish_report *report, struct hxb_error *error);

#endif
