/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <time.h>

#include "libhexabot/map.h"
#include "libhexabot/settle.h"
#include "person.h"

#define HANDLE_MAX 64 /* bytes of a name that is printed in a command */
#define SLICE 64 /* users read in one transaction of the store: about a millisecond */

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

static enum hxb_result
judge(struct hxb_session *session, const struct hxb_user *user, struct hxb_person *person,
    struct hxb_error *error)
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
	if (r == HXB_OK)
		r = judge(session, user, person, error);
	person->own = user;
	return r;
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

/* No colon: a username "login:ada" would be ada. */
static bool
is_plain_word(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@+-";
	size_t size = strspn(text, plain);

	return size > 0 && size <= HANDLE_MAX && text[size] == '\0' && text[0] != '-';
}

const char *
hxb_person_handle(const struct hxb_person *person, const char *name)
{
	if (is_plain_word(name))
		return name;
	return person->user != NULL && is_plain_word(person->user->id) ? person->user->id : "ID";
}

void
hxb_person_clear(struct hxb_person *person)
{
	hxb_standing_clear(&person->standing);
	hxb_entry_free(person->entry);
	hxb_user_free(person->own);
	*person = (struct hxb_person){ 0 };
}

struct handing {
	struct hxb_session *session;
	hxb_person_fn *each;
	void *context;
};

static enum hxb_result
hand_on(const struct hxb_user *user, void *context, struct hxb_error *error)
{
	const struct handing *handing = context;
	struct hxb_person person;
	enum hxb_result r = judge(handing->session, user, &person, error);

	if (r == HXB_OK)
		r = handing->each(&person, handing->context, error);
	hxb_person_clear(&person);
	return r;
}

enum hxb_result
hxb_people(struct hxb_session *session, hxb_person_fn *each, void *context, struct hxb_error *error)
{
	struct handing handing = { session, each, context };
	struct hxb_slice slice = { .limit = SLICE, .more = true };
	enum hxb_result r = HXB_OK;

	while (r == HXB_OK && slice.more) {
		hxb_store_set_deadline(session->store, hxb_deadline_in(session->patience));
		hxb_ledger_set_deadline(session->ledger, hxb_deadline_in(HXB_CTL_DEADLINE));
		r = hxb_store_users(session->store, &slice, hand_on, &handing, error);
	}
	return r;
}
