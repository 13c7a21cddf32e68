/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invite.h"
#include "print.h"
#include "times.h"

#define TEXT_SIZE 512

bool
hxb_invite_is_for_host(const struct hxb_session *session, const struct hxb_user *user)
{
	for (size_t i = 0; i < user->role_count; i++)
		if (user->roles[i].active && hxb_list_has(session->config.login_roles, user->roles[i].name))
			return true;
	return false;
}

/* The login's owner, if they were removed before they ever had a password: nothing on the host can be theirs.
 */
static enum hxb_result
find_revoked(struct hxb_session *session, const char *username, char **idp, struct hxb_error *error)
{
	struct hxb_entry *entry = NULL;
	bool never = false;
	enum hxb_result r;

	*idp = NULL;
	r = hxb_ledger_entry_by_login(session->ledger, username, &entry, error);
	if (r == HXB_OK && entry->removed)
		r = hxb_ledger_never_registered(session->ledger, entry->id, &never, error);
	if (r == HXB_OK && never && (*idp = strdup(entry->id)) == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	hxb_entry_free(entry);
	return r == HXB_NOT_FOUND ? HXB_OK : r;
}

static enum hxb_result
check_home(struct hxb_session *session, char *username, char *id, struct hxb_error *error)
{
	char empty[] = "";
	const struct hxb_entry future = {
		.kind = HXB_ENTRY_USER, .id = id, .login = username, .shell = empty, .home = empty
	};

	return hxb_home_available(&session->config, &hxb_host_places, session->ledger, &future, error);
}

enum hxb_result
hxb_invite_place(
    struct hxb_session *session, const char *username, char id[HXB_UUID_SIZE], struct hxb_error *error)
{
	char *revoked = NULL, *copy = strdup(username);
	struct hxb_error why;
	enum hxb_result r;

	if (copy == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	r = find_revoked(session, username, &revoked, error);
	if (r == HXB_OK && revoked != NULL && strlen(revoked) < HXB_UUID_SIZE)
		snprintf(id, HXB_UUID_SIZE, "%s", revoked);
	else if (r == HXB_OK)
		r = hxb_uuid(id, error);
	if (r != HXB_OK)
		goto out;
	r = hxb_login_available(&session->config, &hxb_host_places, session->ledger, id, username, &why);
	/* A number that was given before is the home's owner's, if there is one. */
	if (r == HXB_OK && revoked == NULL)
		r = check_home(session, copy, id, &why);
	if (r != HXB_OK)
		hxb_fail(error, r, "%.256s%s", why.text,
		    r == HXB_REFUSED ? ": give another login with --username" : "");
out:
	free(revoked);
	free(copy);
	return r;
}

static enum hxb_result
draw_marker(char marker[TEXT_SIZE], struct hxb_error *error)
{
	char nonce[HXB_NONCE_SIZE];
	enum hxb_result r = hxb_nonce(nonce, error);

	if (r == HXB_OK)
		snprintf(marker, TEXT_SIZE, HXB_INVITED_PREFIX "%s", nonce);
	return r;
}

static enum hxb_result
put(struct hxb_session *session, const char *id, const char *marker, const struct hxb_ticket *ticket,
    struct hxb_error *error)
{
	struct hxb_invitation invitation = { .created = ticket->created, .expires = ticket->expires };
	enum hxb_result r;

	memcpy(invitation.digest, ticket->digest, sizeof(invitation.digest));
	invitation.user_id = strdup(id);
	invitation.marker = strdup(marker);
	invitation.actor = strdup(session->actor.name);
	if (invitation.user_id == NULL || invitation.marker == NULL || invitation.actor == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	else
		r = hxb_ledger_put_invitation(session->ledger, &invitation, error);
	free(invitation.user_id);
	free(invitation.marker);
	free(invitation.actor);
	return r;
}

/* "invited as manager until 2030-01-31T18:00:00Z" */
static void
describe(char text[TEXT_SIZE], const char *roles, int64_t expires)
{
	char when[HXB_TIME_SIZE];

	hxb_time_utc(expires, when);
	snprintf(text, TEXT_SIZE, "invited as %.256s until %s", roles, when);
}

static enum hxb_result
write_row(struct hxb_session *session, const struct hxb_guest *guest, const char *id, const char *marker,
    const struct hxb_ticket *ticket, struct hxb_error *error)
{
	const struct hxb_new_user row = {
		.id = id,
		.username = guest->username,
		.email = guest->email,
		.first_name = guest->first[0] != '\0' ? guest->first : guest->username,
		.last_name = guest->last,
		.password = marker,
		.reset_token = ticket->link != NULL ? ticket->token_hash : NULL,
	};
	enum hxb_result r = hxb_store_add_user(session->store, &row, error);

	for (size_t i = 0; r == HXB_OK && guest->role_ids[i] != NULL; i++)
		r = hxb_store_add_role(session->store, id, guest->role_ids[i], error);
	return r;
}

/*
 * The row could not be made after all: the name can be given again. If this fails, too, it can't. A commit
 * that failed may have made it all the same.
 */
static void
forget(struct hxb_session *session, const char *id)
{
	struct hxb_user *user = NULL;
	enum hxb_result r;

	hxb_session_rollback(session);
	r = hxb_store_user(session->store, HXB_BY_ID, id, &user, NULL);
	hxb_user_free(user);
	if (r == HXB_NOT_FOUND && hxb_session_begin_ledger(session, NULL) == HXB_OK &&
	    hxb_ledger_revoke_invitations(session->ledger, id, HXB_INVITATION_REVOKED, NULL) == HXB_OK)
		(void)hxb_session_commit_ledger(session, NULL);
}

/* The ledger's commit comes first: a row without an invitation would be somebody whom nobody can invite. */
static enum hxb_result
invite_new(struct hxb_session *session, const struct hxb_guest *guest, char id[HXB_UUID_SIZE],
    const struct hxb_ticket *ticket, struct hxb_error *error)
{
	char marker[TEXT_SIZE], after[TEXT_SIZE];
	const struct hxb_change change = { .id = id,
		.name = guest->username,
		.action = "invite",
		.before = "",
		.after = after,
		.deed = after };
	enum hxb_result r;

	describe(after, guest->roles_text, ticket->expires);
	r = draw_marker(marker, error);
	if (r == HXB_OK)
		r = hxb_session_begin_ledger(session, error);
	if (r == HXB_OK)
		r = hxb_invite_place(session, guest->username, id, error);
	if (r == HXB_OK)
		r = put(session, id, marker, ticket, error);
	if (r == HXB_OK)
		r = hxb_change_record(session, &change, error);
	if (r == HXB_OK)
		r = hxb_session_begin_store(session, error);
	if (r == HXB_OK)
		r = write_row(session, guest, id, marker, ticket, error);
	if (r == HXB_OK && (r = hxb_session_commit_ledger(session, error)) == HXB_OK &&
	    (r = hxb_session_commit_store(session, error)) != HXB_OK)
		forget(session, id);
	hxb_session_rollback(session);
	if (r == HXB_OK)
		hxb_change_keep(session, &change);
	return r;
}

static enum hxb_result
check_has_roles(const struct hxb_person *person, const struct hxb_guest *guest, struct hxb_error *error)
{
	for (size_t i = 0; guest->role_names[i] != NULL; i++)
		if (!hxb_user_has_role(person->user, guest->role_names[i]))
			return hxb_fail(error, HXB_REFUSED,
			    "%.128s: has an account already, without the role %.64s: 'hexactl role add' "
			    "gives it",
			    person->name, guest->role_names[i]);
	return HXB_OK;
}

/* Somebody has the address already. */
static enum hxb_result
consider(struct hxb_session *session, const struct hxb_guest *guest, bool *again, struct hxb_error *error)
{
	struct hxb_change none = {
		.id = guest->id, .action = "invite", .before = "invited", .after = "invited"
	};
	struct hxb_person person;
	const struct hxb_invitation *invitation;
	enum hxb_result r = hxb_person_load(session, guest->id, &person, error);

	if (r == HXB_OK)
		r = check_has_roles(&person, guest, error);
	if (r != HXB_OK)
		goto out;
	invitation = person.standing.invitation;
	*again = hxb_person_is_invited(&person) && invitation->delivery == HXB_NOT_DELIVERED;
	if (invitation != NULL && !hxb_person_is_invited(&person))
		r = hxb_fail(error, HXB_REFUSED,
		    "%.128s: invited before, and the code is no longer good: 'hexactl resend %s' sends "
		    "another",
		    person.name, hxb_person_handle(&person, person.name));
	if (r != HXB_OK || *again)
		goto out;
	none.name = person.name;
	none.deed = invitation != NULL ? "already invited; 'hexactl resend' sends another code"
	                               : "already has an account";
	if (invitation == NULL)
		none.before = none.after = "registered";
	hxb_change_none(session, &none);
out:
	hxb_person_clear(&person);
	return r;
}

enum hxb_result
hxb_invite(struct hxb_session *session, const struct hxb_guest *guest, enum hxb_invited *invited, char **idp,
    struct hxb_ticket *ticket, struct hxb_error *error)
{
	char id[HXB_UUID_SIZE];
	bool again = false;
	enum hxb_result r;

	*invited = HXB_INVITED_NONE;
	*idp = NULL;
	*ticket = (struct hxb_ticket){ 0 };
	if (guest->id != NULL) {
		r = consider(session, guest, &again, error);
		if (r != HXB_OK || !again)
			return r;
		r = hxb_invite_again(session, guest->id, ticket, error);
	} else {
		r = hxb_ticket_draw(session, guest->email, session->config.invite_ttl, ticket, error);
		if (r == HXB_OK)
			r = invite_new(session, guest, id, ticket, error);
	}
	if (r != HXB_OK)
		return r;
	*invited = again ? HXB_INVITED_AGAIN : HXB_INVITED_NEW;
	*idp = strdup(again ? guest->id : id);
	return *idp != NULL ? HXB_OK : hxb_fail(error, HXB_FAILED, "out of memory");
}

/* Whether there is anything to send again. */
static enum hxb_result
check_pending(const struct hxb_session *session, const struct hxb_person *person, struct hxb_error *error)
{
	const char *name = person->name;
	bool has_link = false;
	enum hxb_result r;

	if (person->standing.held || !person->user->enabled)
		return hxb_fail(error, HXB_REFUSED, "%.128s: %s; enable the user first", name,
		    hxb_state_rule(person->standing.state)->reason);
	if (person->standing.invitation == NULL)
		return hxb_fail(error, HXB_REFUSED,
		    "%.128s: no invitation is pending: the user has a password, or was never invited; "
		    "'hexactl "
		    "passwd' sets one",
		    name);
	r = hxb_ticket_has_link(session, &has_link, error);
	if (r == HXB_OK && !has_link && !hxb_invite_is_for_host(session, person->user))
		return hxb_fail(error, HXB_REFUSED,
		    "%.128s: no role that may log in here, and no link to register by: set web_url and "
		    "reset_secret_file, or give a role",
		    name);
	return r;
}

static enum hxb_result
renew(struct hxb_session *session, const struct hxb_person *person, const struct hxb_ticket *ticket,
    struct hxb_error *error)
{
	const char *id = person->user->id, *marker = person->standing.invitation->marker;
	struct hxb_change change = {
		.id = id, .name = person->name, .action = "resend", .before = "invited"
	};
	char after[TEXT_SIZE], when[HXB_TIME_SIZE];
	enum hxb_result r;

	hxb_time_utc(ticket->expires, when);
	snprintf(after, sizeof(after), "given a new code until %s", when);
	change.after = change.deed = after;
	r = hxb_ledger_end_invitation(session->ledger, id, HXB_INVITATION_REPLACED, NULL, error);
	if (r == HXB_OK)
		r = put(session, id, marker, ticket, error);
	if (r == HXB_OK)
		r = hxb_change_record(session, &change, error);
	if (r == HXB_OK)
		r = hxb_store_set_reset_token(
		    session->store, id, marker, ticket->link != NULL ? ticket->token_hash : NULL, error);
	if (r == HXB_OK)
		r = hxb_session_commit(session, HXB_STORE_FIRST, error);
	/* The line comes with the delivery. */
	if (r == HXB_OK && session->arguments->dry_run)
		hxb_change_done(session, &change);
	else if (r == HXB_OK)
		hxb_change_keep(session, &change);
	return r;
}

enum hxb_result
hxb_invite_again(
    struct hxb_session *session, const char *id, struct hxb_ticket *ticket, struct hxb_error *error)
{
	const struct hxb_invitation *before;
	struct hxb_person person;
	enum hxb_result r = hxb_person_load(session, id, &person, error);

	if (r == HXB_OK)
		r = check_pending(session, &person, error);
	if (r != HXB_OK)
		goto out;
	before = person.standing.invitation;
	r = hxb_ticket_draw(session, person.user->email, before->expires - before->created, ticket, error);
	hxb_person_clear(&person);
	if (r == HXB_OK)
		r = hxb_session_begin(session, error);
	if (r == HXB_OK)
		r = hxb_person_load_to_change(session, id, &person, error);
	if (r == HXB_OK)
		r = check_pending(session, &person, error);
	if (r == HXB_OK)
		r = renew(session, &person, ticket, error);
out:
	hxb_session_rollback(session);
	hxb_person_clear(&person);
	return r;
}
