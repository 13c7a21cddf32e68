/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "guards.h"

/* Whether the administrator logged in as this very person. */
static bool
is_self(const struct hxb_session *session, const struct hxb_person *person)
{
	const struct hxb_actor *actor = &session->actor;
	const struct hxb_entry *entry = person->entry;

	if (entry == NULL || entry->removed || entry->login[0] == '\0')
		return false;
	return strcmp(actor->sudo_user, entry->login) == 0 ||
	    (actor->has_login_uid && entry->number != 0 && actor->login_uid == entry->number);
}

static enum hxb_result
is_last_admin(
    struct hxb_session *session, const struct hxb_person *person, bool *last, struct hxb_error *error)
{
	unsigned count = 0;
	enum hxb_result r;

	*last = false;
	if (person->user == NULL || !person->user->enabled || person->standing.invitation != NULL ||
	    !hxb_user_has_role(person->user, HXB_ADMIN_ROLE))
		return HXB_OK;
	r = hxb_store_count_enabled(session->store, HXB_ADMIN_ROLE, &count, error);
	*last = count <= 1;
	return r;
}

enum hxb_result
hxb_guard(struct hxb_session *session, const struct hxb_person *person, const struct hxb_loss *loss,
    char note[512], struct hxb_error *error)
{
	static const char not_to_paste[] = "$`\"'\\!*?[]{}()<>|&;~#\n\t";
	const char *handle = hxb_person_handle(person, person->login != NULL ? person->login : person->name);
	const char *reason;
	bool last = false;
	enum hxb_result r;

	note[0] = '\0';
	if (loss->state || loss->admin) {
		r = is_last_admin(session, person, &last, error);
		if (r != HXB_OK)
			return r;
	}
	if (last)
		reason = "the last enabled admin";
	else if (is_self(session, person) && (loss->state || loss->admin || loss->login))
		reason = "yourself";
	else
		return HXB_OK;
	if (!session->arguments->force)
		return hxb_fail(error, HXB_REFUSED, "%.128s: this is %s; %s", person->name, reason,
		    last ? "enable or appoint another admin first, or use --force"
		         : "have another admin do it, or use --force");
	if (strlen(loss->undo_rest) > 128 || strpbrk(loss->undo_rest, not_to_paste) != NULL)
		snprintf(note, 512, "%.128s: this was %s; 'hexactl log %.128s' has what it was before",
		    person->name, reason, handle);
	else
		snprintf(note, 512, "%.128s: this was %s; 'hexactl %s %.128s%s%.128s' undoes it",
		    person->name, reason, loss->undo, handle, loss->undo_rest[0] != '\0' ? " " : "",
		    loss->undo_rest);
	return HXB_OK;
}
