/* SPDX-License-Identifier: ISC */
/* Questions about names that hexactl asks before a publish would answer them. */
#include <stdio.h>
#include <string.h>

#include "naming.h"
#include "publish.h"

enum hxb_result
hxb_unmapped_reason(const struct hxb_config *config, const struct hxb_places *places,
    struct hxb_ledger *ledger, const struct hxb_user *user, char reason[HXB_REASON_SIZE],
    struct hxb_error *error)
{
	struct hxb_naming naming;
	struct hxb_entry *entry = NULL;
	enum hxb_result r;

	reason[0] = '\0';
	if (user->odd) {
		snprintf(reason, HXB_REASON_SIZE, "the username is no proper text");
		return HXB_OK;
	}
	r = hxb_naming_open(&naming, config, places, ledger, error);
	if (r != HXB_OK)
		return r;
	r = hxb_ledger_entry(ledger, HXB_ENTRY_USER, user->id, &entry, error);
	if (r == HXB_OK && entry->number != 0) {
		hxb_naming_clash(&naming, entry, reason);
	} else if (r == HXB_OK || r == HXB_NOT_FOUND) {
		/* Try it: the caller's transaction, or ours, is rolled back. */
		hxb_entry_free(entry);
		entry = NULL;
		r = hxb_ledger_begin(ledger, error);
		if (r == HXB_OK)
			r = hxb_naming_give(&naming, user->id, user->username, &entry, reason, error);
		hxb_ledger_rollback(ledger);
	}
	hxb_entry_free(entry);
	hxb_naming_close(&naming);
	return r;
}

enum hxb_result
hxb_login_available(const struct hxb_config *config, const struct hxb_places *places,
    struct hxb_ledger *ledger, const char *user_id, const char *login, struct hxb_error *error)
{
	struct hxb_naming naming;
	char reason[HXB_REASON_SIZE] = "";
	enum hxb_result r;

	r = hxb_naming_open(&naming, config, places, ledger, error);
	if (r == HXB_OK)
		r = hxb_naming_obstacle(&naming, user_id, login, reason, error);
	if (r == HXB_OK && reason[0] != '\0')
		r = hxb_fail(error, HXB_REFUSED, "%s", reason);
	hxb_naming_close(&naming);
	return r;
}

enum hxb_result
hxb_home_available(const struct hxb_config *config, const struct hxb_places *places,
    struct hxb_ledger *ledger, const struct hxb_entry *entry, struct hxb_error *error)
{
	struct hxb_entry future = *entry;
	struct hxb_naming naming;
	char reason[HXB_REASON_SIZE] = "";
	enum hxb_result r;

	r = hxb_naming_open(&naming, config, places, ledger, error);
	if (r == HXB_OK && future.number == 0)
		r = hxb_naming_number(&naming, entry->id, &future.number, error);
	if (r == HXB_OK && hxb_naming_home_is_taken(&naming, &future, reason))
		r = hxb_fail(error, HXB_REFUSED, "%s", reason);
	hxb_naming_close(&naming);
	return r;
}
