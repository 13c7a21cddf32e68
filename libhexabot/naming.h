/* SPDX-License-Identifier: ISC */
/* Gives logins and numbers, for good. DESIGN: "Names and numbers", rules 4 and 14. Used by publish.c. */
#ifndef HXB_NAMING_H
#define HXB_NAMING_H

#include <stdbool.h>

#include "config.h"
#include "ledger.h"
#include "names.h"
#include "publish.h"

struct hxb_naming {
	const struct hxb_config *config;
	struct hxb_ledger *ledger;
	struct hxb_host_names *host;
	struct hxb_ledger_meta meta;
	bool full; /* no number is left: it need not be looked for once more */
};

enum hxb_result hxb_naming_open(struct hxb_naming *naming, const struct hxb_config *config,
    const struct hxb_places *places, struct hxb_ledger *ledger, struct hxb_error *error);
void hxb_naming_close(struct hxb_naming *naming);

/* Why an entry that has a login can't be shown now; "" if it can. */
void hxb_naming_clash(
    const struct hxb_naming *naming, const struct hxb_entry *entry, char reason[HXB_REASON_SIZE]);

/* Why this user can't be given this login; "" if it can. */
enum hxb_result hxb_naming_obstacle(const struct hxb_naming *naming, const char *user_id, const char *login,
    char reason[HXB_REASON_SIZE], struct hxb_error *error);

/* The number that the id would be given: its digest's, or the next free one. HXB_REFUSED if none is left. */
enum hxb_result hxb_naming_number(
    struct hxb_naming *naming, const char *id, uint32_t *number, struct hxb_error *error);

/* Where the user's home is or will be. NULL: no memory. The caller frees. */
char *hxb_naming_home(const struct hxb_naming *naming, const struct hxb_entry *entry);
char *hxb_naming_shell(const struct hxb_naming *naming, const struct hxb_entry *entry);

/* Whether the entry's home is there already and belongs to another uid than its number; `reason` says so,
 * else "". */
bool hxb_naming_home_is_taken(
    const struct hxb_naming *naming, const struct hxb_entry *entry, char reason[HXB_REASON_SIZE]);

/*
 * Gives a login and a number to a user who has none, or a number to one whose login was set by hand, and puts
 * it into the ledger. *entryp is NULL, and `reason` says why, for who stays unmapped.
 */
enum hxb_result hxb_naming_give(struct hxb_naming *naming, const char *user_id, const char *username,
    struct hxb_entry **entryp, char reason[HXB_REASON_SIZE], struct hxb_error *error);

#endif
