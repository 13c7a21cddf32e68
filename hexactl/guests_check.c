/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "guests.h"
#include "invite.h"
#include "print.h"
#include "ticket.h"
#include "utf8.h"

#define NAME_LIMIT 255 /* bytes of a first or last name */
#define SLICE 100 /* users read in one transaction */

struct checking {
	struct hxb_session *session;
	struct hxb_roles roles;
	struct hxb_known *emails, *usernames;
	bool has_link;
};

static enum hxb_result
remember(const struct hxb_user *user, void *context, struct hxb_error *error)
{
	struct checking *checking = context;
	const struct hxb_holder *taken;
	enum hxb_result r = HXB_OK;

	if (user->email[0] != '\0')
		r = hxb_known_add(&checking->emails, user->email, user->id, 0, &taken, error);
	if (r == HXB_OK && user->username[0] != '\0')
		r = hxb_known_add(&checking->usernames, user->username, user->id, 0, &taken, error);
	return r;
}

static enum hxb_result
prepare(struct checking *checking, struct hxb_error *error)
{
	struct hxb_session *session = checking->session;
	struct hxb_slice slice = { .limit = SLICE, .more = true };
	enum hxb_result r;

	r = hxb_ticket_has_link(session, &checking->has_link, error);
	if (r == HXB_OK)
		r = hxb_roles_load(session->store, &checking->roles, error);
	while (r == HXB_OK && slice.more) {
		hxb_store_set_deadline(session->store, hxb_deadline_in(HXB_CTL_DEADLINE));
		r = hxb_store_users(session->store, &slice, remember, checking, error);
	}
	return r;
}

static enum hxb_result
check_name(const char *what, const char *name, struct hxb_error *error)
{
	uint32_t character;

	if (strlen(name) > NAME_LIMIT)
		return hxb_fail(error, HXB_INVALID, "the %s name is longer than %d bytes", what, NAME_LIMIT);
	for (size_t size; *name != '\0'; name += size) {
		size = hxb_utf8_read(name, &character);
		if (size == 0 || character < 0x20 || (character >= 0x7f && character < 0xa0) ||
		    hxb_utf8_misleading(character))
			return hxb_fail(error, HXB_INVALID,
			    "the %s name holds a control character, an invisible one, or no UTF-8", what);
	}
	return HXB_OK;
}

/* Finds the roles; without one that may log in here, there has to be a link to register by. */
static enum hxb_result
check_roles(const struct checking *checking, struct hxb_guest *guest, struct hxb_error *error)
{
	const struct hxb_role *role;
	bool may_log_in = false;
	enum hxb_result r = HXB_OK;

	for (size_t i = 0; r == HXB_OK && guest->role_names[i] != NULL; i++) {
		r = hxb_roles_find(&checking->roles, guest->role_names[i], &role, error);
		if (r == HXB_OK && !role->active)
			r = hxb_fail(error, HXB_REFUSED,
			    "the role %.64s is inactive: activate it in Hexabot first", role->name);
		if (r != HXB_OK)
			return r;
		may_log_in = may_log_in || hxb_list_has(checking->session->config.login_roles, role->name);
		r = hxb_role_ids_add(&guest->role_ids, role->id, error);
	}
	if (r == HXB_OK && !may_log_in && !checking->has_link)
		return hxb_fail(error, HXB_REFUSED,
		    "the role %.64s may not log in here (login_roles), and there is no link to register by: "
		    "set "
		    "web_url and reset_secret_file, or give a login role, too",
		    guest->role_names[0]);
	if (r == HXB_OK && (guest->roles_text = hxb_roles_text(&checking->roles, guest->role_ids)) == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	return r;
}

/* Proposes a username where none was given. */
static enum hxb_result
propose(struct hxb_guest *guest, struct hxb_error *error)
{
	char login[HXB_LOGIN_MAX + 1];

	if (guest->username[0] != '\0')
		return HXB_OK;
	if (!hxb_address_login(guest->email, login))
		return hxb_fail(error, HXB_REFUSED,
		    "no login can be made of this address: give one with --username%s",
		    guest->line != 0 ? ", in the third column" : "");
	free(guest->username);
	guest->username = strdup(login);
	return guest->username != NULL ? HXB_OK : hxb_fail(error, HXB_FAILED, "out of memory");
}

static enum hxb_result
refuse_name(const struct hxb_guest *guest, const char *reason, struct hxb_error *error)
{
	return hxb_fail(error, HXB_REFUSED, "%.256s: give another login with --username%s", reason,
	    guest->line != 0 ? ", in the third column" : "");
}

static enum hxb_result
check_username(struct checking *checking, const struct hxb_guest *guest, struct hxb_error *error)
{
	const struct hxb_holder *taken;
	char reason[192], id[HXB_UUID_SIZE];
	enum hxb_result r;

	if (!hxb_login_valid(guest->username))
		return hxb_fail(error, HXB_INVALID,
		    "'%.64s' is no login: a letter or _, then letters, digits, '_', '.', '-', %d at most",
		    guest->username, HXB_LOGIN_MAX);
	r = hxb_known_add(&checking->usernames, guest->username, "", guest->line, &taken, error);
	if (r == HXB_OK && taken == NULL)
		return hxb_invite_place(checking->session, guest->username, id, error);
	if (r != HXB_OK)
		return r;
	if (taken->id[0] != '\0')
		snprintf(reason, sizeof(reason), "the username '%.64s' is taken in Hexabot", taken->text);
	else
		snprintf(reason, sizeof(reason), "line %u takes the username '%.64s' already", taken->line,
		    taken->text);
	return refuse_name(guest, reason, error);
}

static enum hxb_result
check_guest(struct checking *checking, struct hxb_guest *guest, struct hxb_error *error)
{
	const struct hxb_holder *taken = NULL;
	enum hxb_result r;

	r = hxb_address_check(guest->email, error);
	if (r == HXB_OK)
		r = check_roles(checking, guest, error);
	if (r == HXB_OK)
		r = check_name("first", guest->first, error);
	if (r == HXB_OK)
		r = check_name("last", guest->last, error);
	if (r == HXB_OK)
		r = hxb_known_add(&checking->emails, guest->email, "", guest->line, &taken, error);
	if (r != HXB_OK)
		return r;
	if (taken != NULL && taken->id[0] == '\0')
		return hxb_fail(
		    error, HXB_REFUSED, "line %u invites %.128s already", taken->line, taken->text);
	if (taken != NULL)
		return (guest->id = strdup(taken->id)) != NULL ? HXB_OK
		                                               : hxb_fail(error, HXB_FAILED, "out of memory");
	r = propose(guest, error);
	return r == HXB_OK ? check_username(checking, guest, error) : r;
}

enum hxb_result
hxb_guests_check(struct hxb_session *session, struct hxb_guests *guests, struct hxb_error *error)
{
	struct checking checking = { .session = session };
	unsigned bad = guests->unusable;
	enum hxb_result worst = bad > 0 ? HXB_INVALID : HXB_OK, r;

	r = prepare(&checking, error);
	for (size_t i = 0; r == HXB_OK && i < guests->count; i++) {
		struct hxb_guest *guest = &guests->guests[i];
		enum hxb_result found = check_guest(&checking, guest, error);

		if (found == HXB_OK)
			continue;
		if (guest->line != 0)
			hxb_complain("%s:%u: %s: %s", guests->path, guest->line, guest->email, error->text);
		else
			hxb_complain("%s: %s", guest->email, error->text);
		session->complaints++;
		error->text[0] = '\0';
		worst = hxb_worse(worst, found);
		bad++;
	}
	hxb_known_free(checking.emails);
	hxb_known_free(checking.usernames);
	hxb_roles_clear(&checking.roles);
	if (r != HXB_OK)
		return r;
	if (bad > 0 && guests->path != NULL)
		hxb_complain("%s: %u of %zu can't be invited as it stands; nobody was", guests->path, bad,
		    guests->count + guests->unusable);
	if (bad > 0)
		session->complaints++;
	return worst;
}
