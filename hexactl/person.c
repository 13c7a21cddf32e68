/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libhexabot/map.h"
#include "libhexabot/settle.h"
#include "person.h"

#define BATCH 64 /* users read in one transaction of the store: about a millisecond */

/* Whether the host knows the user by the ledger's name and number: it does not where it has come to use them
 * itself. */
static bool
is_mapped(const struct hxb_entry *entry)
{
	const struct hxb_map *map;
	struct hxb_map_user user;
	bool mapped;

	if (entry == NULL || entry->removed || entry->login[0] == '\0' || (map = hxb_map_pin()) == NULL)
		return false;
	mapped =
	    hxb_map_user_by_login(map, entry->login, &user) == HXB_MAP_FOUND && user.uid == entry->number;
	hxb_map_unpin(map);
	return mapped;
}

/* Takes over the user, whatever it returns. */
static enum hxb_result
judge(struct hxb_session *session, struct hxb_user *user, struct hxb_person *person, struct hxb_error *error)
{
	enum hxb_result r;

	*person = (struct hxb_person){ .user = user, .name = user->username };
	r = hxb_ledger_entry(session->ledger, HXB_ENTRY_USER, user->id, &person->entry, error);
	if (r != HXB_OK && r != HXB_NOT_FOUND)
		return r;
	if (is_mapped(person->entry))
		person->login = person->name = person->entry->login;
	return hxb_standing_load(
	    session->ledger, &session->config, user, person->entry, time(NULL), &person->standing, error);
}

enum hxb_result
hxb_person_load(
    struct hxb_session *session, const char *id, struct hxb_person *person, struct hxb_error *error)
{
	struct hxb_user *user = NULL;
	enum hxb_result r;

	*person = (struct hxb_person){ 0 };
	r = hxb_store_user(session->store, HXB_BY_ID, id, &user, error);
	if (r == HXB_NOT_FOUND)
		return hxb_fail(error, r, "%.64s: the user was removed meanwhile", id);
	return r == HXB_OK ? judge(session, user, person, error) : r;
}

enum hxb_result
hxb_person_load_to_change(
    struct hxb_session *session, const char *id, struct hxb_person *person, struct hxb_error *error)
{
	const struct hxb_standing *standing = &person->standing;
	struct hxb_invitation *invitation = NULL;
	enum hxb_result r = hxb_person_load(session, id, person, error);

	if (r == HXB_OK && person->entry != NULL)
		r = hxb_publish_note_others(
		    &hxb_host_places, session->ledger, person->user, person->entry, standing->state, error);
	if (r != HXB_OK)
		return r;
	r = hxb_ledger_invitation(session->ledger, id, &invitation, error);
	if (r == HXB_NOT_FOUND)
		return HXB_OK;
	if (r == HXB_OK)
		r = hxb_invitation_settle(session->ledger, invitation, person->user, standing->held, error);
	hxb_invitation_free(invitation);
	return r;
}

bool
hxb_person_is_invited(const struct hxb_person *person)
{
	const struct hxb_standing *standing = &person->standing;

	return standing->invitation != NULL &&
	    hxb_invitation_end_of(standing->invitation, person->user, standing->held, time(NULL)) ==
	    HXB_INVITATION_OPEN;
}

void
hxb_person_clear(struct hxb_person *person)
{
	hxb_standing_clear(&person->standing);
	hxb_entry_free(person->entry);
	hxb_user_free(person->user);
	*person = (struct hxb_person){ 0 };
}

static bool
copy_text(char **to, const char *from)
{
	*to = from != NULL ? strdup(from) : NULL;
	return from == NULL || *to != NULL;
}

static bool
copy_roles(struct hxb_user *copy, const struct hxb_user *user)
{
	if ((copy->roles = calloc(user->role_count + 1, sizeof(*copy->roles))) == NULL)
		return false;
	for (size_t i = 0; i < user->role_count; i++) {
		struct hxb_role *role = &copy->roles[copy->role_count++];

		role->active = user->roles[i].active;
		if (!copy_text(&role->id, user->roles[i].id) || !copy_text(&role->name, user->roles[i].name))
			return false;
	}
	return true;
}

static struct hxb_user *
copy_user(const struct hxb_user *user)
{
	struct hxb_user *copy = calloc(1, sizeof(*copy));

	if (copy == NULL)
		return NULL;
	copy->enabled = user->enabled;
	copy->odd = user->odd;
	if (!copy_text(&copy->id, user->id) || !copy_text(&copy->username, user->username) ||
	    !copy_text(&copy->email, user->email) || !copy_text(&copy->first_name, user->first_name) ||
	    !copy_text(&copy->last_name, user->last_name) || !copy_text(&copy->password, user->password) ||
	    !copy_text(&copy->created_at, user->created_at) ||
	    !copy_text(&copy->updated_at, user->updated_at) || !copy_roles(copy, user)) {
		hxb_user_free(copy);
		return NULL;
	}
	return copy;
}

struct batch {
	struct hxb_user *users[BATCH];
	size_t count;
};

static enum hxb_result
keep(const struct hxb_user *user, void *context, struct hxb_error *error)
{
	struct batch *batch = context;

	if (batch->count == BATCH || (batch->users[batch->count] = copy_user(user)) == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	batch->count++;
	return HXB_OK;
}

/* Hands on, and frees, what the batch holds. */
static enum hxb_result
hand_on(struct hxb_session *session, struct batch *batch, hxb_person_fn *each, void *context,
    struct hxb_error *error)
{
	struct hxb_person person;
	enum hxb_result r = HXB_OK;

	for (size_t i = 0; i < batch->count; i++) {
		if (r != HXB_OK) {
			hxb_user_free(batch->users[i]);
			continue;
		}
		r = judge(session, batch->users[i], &person, error);
		if (r == HXB_OK)
			r = each(&person, context, error);
		hxb_person_clear(&person);
	}
	batch->count = 0;
	return r;
}

enum hxb_result
hxb_people(struct hxb_session *session, hxb_person_fn *each, void *context, struct hxb_error *error)
{
	struct batch batch = { .count = 0 };
	enum hxb_result r = HXB_OK, handed;
	int64_t after = 0;
	bool more = true;

	while (r == HXB_OK && more) {
		hxb_store_set_deadline(session->store, hxb_deadline_in(HXB_CTL_DEADLINE));
		hxb_ledger_set_deadline(session->ledger, hxb_deadline_in(HXB_CTL_DEADLINE));
		r = hxb_store_users(session->store, &after, BATCH, &more, keep, &batch, error);
		handed = hand_on(session, &batch, each, context, error);
		if (r == HXB_OK)
			r = handed;
	}
	return r;
}
