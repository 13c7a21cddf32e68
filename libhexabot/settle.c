/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <time.h>

#include "settle.h"

/* Disabling and removing are told by the publisher, who sees them without any invitation. */
static enum hxb_result
record(struct hxb_ledger *ledger, const struct hxb_user *user, enum hxb_invitation_end end,
    struct hxb_error *error)
{
	struct hxb_event event = { .user_id = user->id, .name = user->username, .before = "invited" };
	struct hxb_entry *entry = NULL;
	enum hxb_result r;

	if (end == HXB_INVITATION_REGISTERED) {
		event.actor = "hexabot";
		event.action = "register";
		event.after = "registered in Hexabot";
	} else {
		event.actor = "hexactl";
		event.action = "lapse";
		event.after = "the code expired";
	}
	r = hxb_ledger_entry(ledger, HXB_ENTRY_USER, user->id, &entry, error);
	if (r == HXB_OK && entry->login[0] != '\0')
		event.name = entry->login;
	if (r == HXB_OK || r == HXB_NOT_FOUND)
		r = hxb_ledger_record(ledger, &event, error);
	hxb_entry_free(entry);
	return r;
}

enum hxb_result
hxb_invitation_settle(struct hxb_ledger *ledger, const struct hxb_invitation *invitation,
    const struct hxb_user *user, bool held, struct hxb_error *error)
{
	enum hxb_invitation_end end = hxb_invitation_end_of(invitation, user, held, time(NULL));
	enum hxb_result r;

	if (invitation->ended != HXB_INVITATION_OPEN || end == HXB_INVITATION_OPEN)
		return HXB_OK;
	r = hxb_ledger_end_invitation(ledger, invitation->user_id, end, NULL, error);
	if (r == HXB_OK && user != NULL &&
	    (end == HXB_INVITATION_REGISTERED || end == HXB_INVITATION_EXPIRED))
		r = record(ledger, user, end, error);
	return r;
}

struct hxb_invited {
	char **ids; /* NULL-terminated */
	struct hxb_user **users; /* NULL: the row is gone */
};

void
hxb_invited_free(struct hxb_invited *invited)
{
	if (invited == NULL)
		return;
	for (size_t i = 0; invited->ids != NULL && invited->ids[i] != NULL; i++) {
		if (invited->users != NULL)
			hxb_user_free(invited->users[i]);
		free(invited->ids[i]);
	}
	free(invited->users);
	free(invited->ids);
	free(invited);
}

static enum hxb_result
read_users(struct hxb_store *store, struct hxb_invited *invited, struct hxb_error *error)
{
	size_t count = 0;
	enum hxb_result r = HXB_OK;

	while (invited->ids[count] != NULL)
		count++;
	invited->users = calloc(count + 1, sizeof(*invited->users));
	if (invited->users == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	for (size_t i = 0; r == HXB_OK && i < count; i++) {
		/* Each has its time: thousands are not to share one deadline. */
		hxb_store_set_deadline(store, hxb_deadline_in(HXB_CTL_DEADLINE));
		r = hxb_store_user(store, HXB_BY_ID, invited->ids[i], &invited->users[i], error);
		if (r == HXB_NOT_FOUND)
			r = HXB_OK;
	}
	return r;
}

enum hxb_result
hxb_invited_read(struct hxb_ledger *ledger, struct hxb_store *store, struct hxb_invited **invitedp,
    struct hxb_error *error)
{
	struct hxb_invited *invited = calloc(1, sizeof(*invited));
	enum hxb_result r;

	*invitedp = NULL;
	if (invited == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	hxb_ledger_set_deadline(ledger, hxb_deadline_in(HXB_CTL_DEADLINE));
	r = hxb_ledger_invited_ids(ledger, &invited->ids, error);
	if (r == HXB_OK)
		r = read_users(store, invited, error);
	if (r == HXB_OK) {
		*invitedp = invited;
		invited = NULL;
	}
	hxb_invited_free(invited);
	return r;
}

static enum hxb_result
settle_one(struct hxb_ledger *ledger, const char *id, const struct hxb_user *user, struct hxb_error *error)
{
	struct hxb_invitation *invitation = NULL;
	bool held = false;
	enum hxb_result r;

	hxb_ledger_set_deadline(ledger, hxb_deadline_in(HXB_CTL_DEADLINE));
	r = hxb_ledger_invitation(ledger, id, &invitation, error);
	if (r == HXB_OK)
		r = hxb_ledger_held(ledger, id, &held, error);
	if (r == HXB_OK)
		r = hxb_invitation_settle(ledger, invitation, user, held, error);
	hxb_invitation_free(invitation);
	return r;
}

enum hxb_result
hxb_invited_settle(struct hxb_ledger *ledger, const struct hxb_invited *invited, struct hxb_error *error)
{
	enum hxb_result r = HXB_OK;

	for (size_t i = 0; r == HXB_OK && invited->ids[i] != NULL; i++)
		r = settle_one(ledger, invited->ids[i], invited->users[i], error);
	return r;
}
