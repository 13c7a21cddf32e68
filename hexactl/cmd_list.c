/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "person_output.h"
#include "roles.h"
#include "times.h"

#define REASON_SIZE 256 /* hxb_unmapped_reason() */

struct listing {
	struct hxb_session *session;
	const char *state, *role; /* NULL: any */
	bool unmapped; /* only those */
	bool invited; /* only those, and how their invitations stand */
	struct hxb_table *table;
	struct hxb_json json;
	struct json_t *root; /* NULL: no JSON is wanted */
};

static bool
wanted(const struct listing *listing, const struct hxb_person *person)
{
	const struct hxb_user *user = person->user;
	bool found = listing->role == NULL;

	if (listing->unmapped && person->login != NULL)
		return false;
	if (listing->invited && !hxb_person_is_invited(person))
		return false;
	if (listing->state != NULL && !listing->invited &&
	    strcmp(hxb_state_rule(person->standing.state)->name, listing->state) != 0)
		return false;
	for (size_t i = 0; !found && i < user->role_count; i++)
		found = strcmp(user->roles[i].name, listing->role) == 0;
	return found;
}

static enum hxb_result
unmapped_reason(const struct listing *listing, const struct hxb_person *person, char reason[REASON_SIZE],
    struct hxb_error *error)
{
	enum hxb_result r;

	reason[0] = '\0';
	if (person->login != NULL)
		return HXB_OK;
	r = hxb_unmapped_reason(&listing->session->config, &hxb_host_places, listing->session->ledger,
	    person->user, reason, error);
	if (r == HXB_OK && reason[0] == '\0')
		snprintf(reason, REASON_SIZE, "not yet published");
	return r;
}

static enum hxb_result
add_unmapped(struct listing *listing, const struct hxb_person *person, struct hxb_error *error)
{
	char reason[REASON_SIZE];
	const char *const cells[] = { person->user->username, person->user->email, reason };
	enum hxb_result r = unmapped_reason(listing, person, reason, error);

	if (r == HXB_OK)
		hxb_table_row(listing->table, cells, 3, HXB_PLAIN);
	return r;
}

static enum hxb_result
add_object(struct listing *listing, const struct hxb_person *person, struct hxb_error *error)
{
	char reason[REASON_SIZE];
	enum hxb_result r = unmapped_reason(listing, person, reason, error);

	if (r == HXB_OK)
		hxb_person_json(
		    &listing->json, hxb_json_object(&listing->json, listing->root, NULL), person, reason);
	return r;
}

/* The username stands behind the name where it isn't the login: nobody could be found by what they call
 * themselves otherwise. */
static char *
shown_name(const struct hxb_person *person)
{
	const char *username = person->user->username;
	char *name = hxb_person_full_name(person), *shown;

	if (name == NULL || (person->login != NULL && strcmp(person->login, username) == 0))
		return name;
	if (asprintf(&shown, "%s%s(username %s)", name, name[0] != '\0' ? " " : "", username) == -1)
		shown = NULL;
	free(name);
	return shown;
}

static enum hxb_result
add_row(struct listing *listing, const struct hxb_person *person, struct hxb_error *error)
{
	char *roles = hxb_person_roles(person), *name = shown_name(person), uid[16] = "-";
	const char *const cells[] = { person->login != NULL ? person->login : "-", uid,
		hxb_state_rule(person->standing.state)->name, roles, person->user->email, name };
	enum hxb_result r = HXB_OK;

	if (person->login != NULL && person->entry->number != 0)
		snprintf(uid, sizeof(uid), "%u", person->entry->number);
	if (roles != NULL && name != NULL)
		hxb_table_row(listing->table, cells, 2, hxb_person_colour(person));
	else
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	free(name);
	free(roles);
	return r;
}

static enum hxb_result
add_invited(struct listing *listing, const struct hxb_person *person, struct hxb_error *error)
{
	const struct hxb_invitation *invitation = person->standing.invitation;
	const char *delivery = hxb_person_delivery(invitation);
	char *roles = hxb_person_roles(person), *name = shown_name(person), expires[HXB_TIME_SIZE];
	const char *const cells[] = { person->login != NULL ? person->login : "-", roles, person->user->email,
		delivery, expires, invitation->actor, name };
	enum hxb_result r = HXB_OK;

	hxb_time_local(invitation->expires, expires);
	if (roles != NULL && name != NULL)
		hxb_table_row(listing->table, cells, 3,
		    invitation->delivery == HXB_NOT_DELIVERED ? HXB_RED : HXB_PLAIN);
	else
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	free(name);
	free(roles);
	return r;
}

static enum hxb_result
add(const struct hxb_person *person, void *context, struct hxb_error *error)
{
	struct listing *listing = context;

	if (!wanted(listing, person))
		return HXB_OK;
	if (listing->root != NULL)
		return add_object(listing, person, error);
	if (listing->unmapped)
		return add_unmapped(listing, person, error);
	return listing->invited ? add_invited(listing, person, error) : add_row(listing, person, error);
}

/* The states that a row of the store can be in; the others are about names nobody has, or a login going on.
 */
static enum hxb_result
check_state(const char *state, struct hxb_error *error)
{
	static const enum hxb_state states[] = { HXB_STATE_ENABLED, HXB_STATE_DISABLED, HXB_STATE_HELD,
		HXB_STATE_EXPIRED, HXB_STATE_NO_ROLE, HXB_STATE_INVITED, HXB_STATE_LAPSED };
	char names[128] = "";

	if (state == NULL)
		return HXB_OK;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		const char *name = hxb_state_rule(states[i])->name;
		size_t used = strlen(names);

		if (strcmp(state, name) == 0)
			return HXB_OK;
		snprintf(names + used, sizeof(names) - used, " %s", name);
	}
	return hxb_fail(error, HXB_INVALID, "--state: '%.64s' is none of%s", state, names);
}

static enum hxb_result
check_role(struct hxb_session *session, const char *name, struct hxb_error *error)
{
	const struct hxb_role *role;
	struct hxb_roles roles;
	enum hxb_result r;

	if (name == NULL)
		return HXB_OK;
	r = hxb_roles_load(session->store, &roles, error);
	if (r == HXB_OK)
		r = hxb_roles_find(&roles, name, &role, error);
	hxb_roles_clear(&roles);
	return r;
}

static enum hxb_result
open_output(struct listing *listing, struct hxb_error *error)
{
	static const char *const headings[] = { "LOGIN", "UID", "STATE", "ROLES", "EMAIL", "NAME" };
	static const char *const headings_invited[] = { "LOGIN", "ROLES", "EMAIL", "MAIL", "GOOD UNTIL", "BY",
		"NAME" };
	static const char *const headings_unmapped[] = { "USERNAME", "EMAIL", "REASON" };

	if (listing->session->arguments->json)
		listing->root = hxb_json_array(&listing->json, NULL, NULL);
	else if (listing->unmapped)
		listing->table = hxb_table_new(3, headings_unmapped);
	else if (listing->invited)
		listing->table = hxb_table_new(7, headings_invited);
	else
		listing->table = hxb_table_new(6, headings);
	if (listing->root == NULL && listing->table == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	return HXB_OK;
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	struct listing listing = {
		.session = session,
		.state = hxb_option(session->arguments, "state"),
		.role = hxb_option(session->arguments, "role"),
		.unmapped = hxb_option(session->arguments, "unmapped") != NULL,
	};
	enum hxb_result r;

	listing.invited = listing.state != NULL && !listing.unmapped &&
	    strcmp(listing.state, hxb_state_rule(HXB_STATE_INVITED)->name) == 0;
	r = check_state(listing.state, error);
	if (r == HXB_OK)
		r = check_role(session, listing.role, error);
	if (r == HXB_OK)
		r = open_output(&listing, error);
	if (r != HXB_OK)
		return r;
	r = hxb_people(session, add, &listing, error);
	if (listing.root != NULL && r == HXB_OK)
		r = hxb_json_print(&listing.json, listing.root, error);
	else if (listing.root != NULL)
		hxb_json_free(listing.root);
	else if (r == HXB_OK)
		r = hxb_table_print(listing.table, error);
	hxb_table_free(listing.table);
	return r;
}

static const struct hxb_option options[] = {
	{ "state", "S",
	    "only users in this state: enabled, disabled, held, expired, no-role, lapsed; or invited: whose "
	    "code or link is good" },
	{ "role", "R", "only users with this role" },
	{ "unmapped", NULL, "only users without a login on this host, with the reason" },
	{ NULL, NULL, NULL },
};

static const struct hxb_words words[] = {
	{ "state", "enabled disabled held expired no-role invited lapsed" }, /* check_state()'s */
	{ NULL, NULL },
};

const struct hxb_command hxb_cmd_list = {
	.name = "list",
	.operands = "",
	.summary = "Lists Hexabot's users, with their logins on this host.",
	.options = options,
	.words = words,
	.run = run,
};
