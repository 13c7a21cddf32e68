/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "publish_private.h"
#include "standing.h"

#define SLICE 500 /* users read in one transaction: some milliseconds */
#define PATIENCE 100 /* milliseconds to wait for the store while the ledger is locked */
#define MANY 10000 /* newcomers: a first publish */

static enum hxb_result
no_memory(struct hxb_error *error)
{
	return hxb_fail(error, HXB_FAILED, "out of memory");
}

/* The writer's indexes of the groups that the user's active roles give. */
static uint32_t
group_indexes(const struct hxb_publishing *p, const struct hxb_user *user, uint32_t *indexes)
{
	uint32_t count = 0;

	for (size_t i = 0; i < user->role_count; i++) {
		for (size_t k = 0; user->roles[i].active && k < p->role_count; k++) {
			if (p->roles[k].group != NULL &&
			    p->roles[k].role.id_digest == user->roles[i].id_digest &&
			    strcmp(p->roles[k].role.id, user->roles[i].id) == 0) {
				indexes[count++] = p->roles[k].index;
				break;
			}
		}
	}
	return count;
}

/* When this user's state will change by itself. */
static void
note_next_change(struct hxb_publishing *p, const struct hxb_entry *entry, const struct hxb_standing *standing)
{
	const struct hxb_invitation *invitation = standing->invitation;
	const int64_t moments[] = {
		entry->expires,
		invitation != NULL && invitation->ended == HXB_INVITATION_OPEN ? invitation->expires : 0,
	};

	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		if (moments[i] > p->now && (p->next_change == 0 || moments[i] < p->next_change))
			p->next_change = moments[i];
	}
}

static enum hxb_result
put_record(struct hxb_publishing *p, const struct hxb_user *user, const struct hxb_map_user *record,
    enum hxb_state state, struct hxb_error *error)
{
	enum hxb_result r = hxb_map_writer_user(p->writer, record);

	if (r == HXB_INVALID) {
		/* Not mapped, and keeps nobody else from being. */
		p->report->unmapped++;
		return HXB_OK;
	}
	if (r != HXB_OK)
		return hxb_fail(error, r, "%s can't be put into the map: %m", record->login);
	p->report->users++;
	hxb_publish_key_owner(p, user->id, record, state == HXB_STATE_ENABLED);
	return hxb_diff_user(p->diff, user, record, hxb_state_rule(state)->name, error);
}

/* Maps a user whose entry has a login and a number, unless the host has come to use them itself. */
static enum hxb_result
map_user(struct hxb_publishing *p, const struct hxb_user *user, const struct hxb_entry *entry, bool held,
    struct hxb_error *error)
{
	struct hxb_map_user record = { .login = entry->login, .uid = entry->number };
	char gecos[HXB_GECOS_MAX + 1], reason[HXB_REASON_SIZE], *home = NULL, *shell = NULL;
	uint32_t groups[HXB_USER_ROLES_MAX];
	struct hxb_standing standing;
	enum hxb_result r;

	hxb_naming_clash(&p->naming, entry, reason);
	if (reason[0] != '\0') {
		p->report->unmapped++;
		return HXB_OK;
	}
	r = hxb_standing_judge(p->ledger, p->config, user, entry, held, p->now, &standing, error);
	if (r != HXB_OK)
		goto out;
	note_next_change(p, entry, &standing);
	home = hxb_naming_home(&p->naming, entry);
	shell = hxb_naming_shell(&p->naming, entry);
	if (home == NULL || shell == NULL) {
		r = no_memory(error);
		goto out;
	}
	hxb_gecos(user->first_name, user->last_name, gecos);
	record.gecos = gecos;
	record.home = home;
	record.shell = shell;
	record.shadow = hxb_state_rule(standing.state)->shadow;
	record.id_digest = hxb_id_digest(user->id);
	record.roles = groups;
	record.role_count = group_indexes(p, user, groups);
	r = put_record(p, user, &record, standing.state, error);
out:
	hxb_standing_clear(&standing);
	free(home);
	free(shell);
	return r;
}

/* Whether the roles that came with the user are those that are in memory: if not, they have changed since. */
static bool
has_same_roles(const struct hxb_publishing *p, const struct hxb_user *user, const struct hxb_known *known)
{
	uint32_t indexes[HXB_USER_ROLES_MAX];
	uint32_t count = hxb_people_roles(p->people, known, indexes, HXB_USER_ROLES_MAX);
	const struct hxb_role *role;

	if (count != user->role_count)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		role = &p->roles[indexes[i]].role;
		if (strcmp(role->name, user->roles[i].name) != 0 || role->active != user->roles[i].active ||
		    strcmp(role->id, user->roles[i].id) != 0)
			return false;
	}
	return true;
}

/* A user as map_user() wants it: with the roles, which are in memory already if nobody has written meanwhile.
 */
static enum hxb_result
map_known(struct hxb_publishing *p, const struct hxb_user *user, const struct hxb_known *known,
    struct hxb_error *error)
{
	char empty[] = "";
	struct hxb_entry brief = { .kind = HXB_ENTRY_USER,
		.id = user->id,
		.login = (char *)(uintptr_t)hxb_people_login(p->people, known),
		.number = known->number,
		.shell = empty,
		.home = empty };
	struct hxb_role roles[HXB_USER_ROLES_MAX];
	uint32_t indexes[HXB_USER_ROLES_MAX];
	struct hxb_user view = *user;
	struct hxb_entry *entry = NULL;
	enum hxb_result r = HXB_OK;

	if (!user->has_roles) {
		view.role_count = hxb_people_roles(p->people, known, indexes, HXB_USER_ROLES_MAX);
		for (size_t i = 0; i < view.role_count; i++)
			roles[i] = p->roles[indexes[i]].role;
		view.roles = roles;
	} else if (!has_same_roles(p, user, known)) {
		/* If it is undone later, the store looks as if it had always been so. */
		p->so = false;
	}
	if (known->custom)
		r = hxb_ledger_entry(p->ledger, HXB_ENTRY_USER, user->id, &entry, error);
	if (r == HXB_OK)
		r = map_user(p, &view, entry != NULL ? entry : &brief, known->held, error);
	hxb_entry_free(entry);
	return r;
}

static enum hxb_result
remember_newcomer(struct hxb_publishing *p, const struct hxb_user *user, struct hxb_error *error)
{
	struct hxb_newcomer *grown, *last;

	if (p->newcomer_count == p->newcomer_room) {
		p->newcomer_room += p->newcomer_room / 2 + 64;
		grown = reallocarray(p->newcomers, p->newcomer_room, sizeof(*grown));
		if (grown == NULL)
			return no_memory(error);
		p->newcomers = grown;
	}
	last = &p->newcomers[p->newcomer_count++];
	*last = (struct hxb_newcomer){
		.position = user->position,
		.id_digest = hxb_id_digest(user->id),
		.digest = hxb_user_digest(user),
	};
	snprintf(last->created_at, sizeof(last->created_at), "%s", user->created_at);
	return HXB_OK;
}

static enum hxb_result
take_user(const struct hxb_user *user, void *context, struct hxb_error *error)
{
	struct hxb_publishing *p = context;
	struct hxb_known *known;

	hxb_fingerprint_user(&p->fingerprint, user);
	known = user->odd ? NULL : hxb_people_find(p->people, HXB_ENTRY_USER, user->id);
	/* A second row with the same id is nobody. */
	if (user->odd || (known != NULL && known->seen) ||
	    (known == NULL && !hxb_login_valid(user->username))) {
		p->report->unmapped++;
		return HXB_OK;
	}
	if (known != NULL)
		known->seen = true;
	if (known == NULL || known->number == 0)
		return remember_newcomer(p, user, error);
	return map_known(p, user, known, error);
}

enum hxb_result
hxb_publish_users(struct hxb_publishing *p, struct hxb_error *error)
{
	struct hxb_slice slice = {
		.limit = SLICE, .roles = HXB_ROLES_IF_CHANGED, .version = p->version, .more = true
	};
	enum hxb_result r = HXB_OK;

	while (r == HXB_OK && slice.more) {
		hxb_publish_next_step(p);
		r = hxb_store_users(p->store, &slice, take_user, p, error);
	}
	return r;
}

static int
older_first(const void *a, const void *b)
{
	const struct hxb_newcomer *x = a, *y = b;
	int order = strcmp(x->created_at, y->created_at);

	return order != 0 ? order : (x->id_digest > y->id_digest) - (x->id_digest < y->id_digest);
}

/* The newcomer's row. NULL: it is there no more, or not theirs, or its name is no text any more. */
static enum hxb_result
read_newcomer(struct hxb_publishing *p, const struct hxb_newcomer *newcomer, struct hxb_user **userp,
    struct hxb_error *error)
{
	enum hxb_result r = hxb_store_user_at(p->store, newcomer->position, userp, error);

	if (r == HXB_OK && !(*userp)->odd && hxb_id_digest((*userp)->id) == newcomer->id_digest) {
		p->so = p->so && hxb_user_digest(*userp) == newcomer->digest;
		return HXB_OK;
	}
	hxb_user_free(*userp);
	*userp = NULL;
	p->so = false;
	return r == HXB_NOT_FOUND ? HXB_OK : r;
}

/* The same, in the midst of a batch: whoever keeps the store's lock is waited for without the ledger's. */
static enum hxb_result
read_newcomer_patiently(struct hxb_publishing *p, const struct hxb_newcomer *newcomer,
    struct hxb_user **userp, struct hxb_error *error)
{
	enum hxb_result r;

	hxb_publish_next_step(p);
	if (!p->begun)
		return read_newcomer(p, newcomer, userp, error);
	hxb_store_set_deadline(p->store, hxb_deadline_in(PATIENCE));
	r = read_newcomer(p, newcomer, userp, error);
	if (r != HXB_BUSY)
		return r;
	r = hxb_publish_commit(p, error);
	hxb_publish_next_step(p);
	return r == HXB_OK ? read_newcomer(p, newcomer, userp, error) : r;
}

/* Whether a row with the same id was given a number already: a second one is nobody. */
static enum hxb_result
is_given(struct hxb_publishing *p, const char *id, bool *given, struct hxb_error *error)
{
	struct hxb_entry *entry = NULL;
	enum hxb_result r = hxb_ledger_entry(p->ledger, HXB_ENTRY_USER, id, &entry, error);

	*given = r == HXB_OK && entry->number != 0;
	hxb_entry_free(entry);
	return r == HXB_NOT_FOUND ? HXB_OK : r;
}

static enum hxb_result
take_newcomer(struct hxb_publishing *p, const struct hxb_user *user, struct hxb_error *error)
{
	char reason[HXB_REASON_SIZE];
	struct hxb_entry *entry = NULL;
	bool held = true, given = false;
	enum hxb_result r;

	r = is_given(p, user->id, &given, error);
	if (r == HXB_OK && !given)
		r = hxb_naming_give(&p->naming, user->id, user->username, &entry, reason, error);
	if (r == HXB_OK && entry == NULL)
		p->report->unmapped++;
	else if (r == HXB_OK && (r = hxb_ledger_held(p->ledger, user->id, &held, error)) == HXB_OK)
		r = map_user(p, user, entry, held, error);
	hxb_entry_free(entry);
	return r;
}

/* Of two names that differ only in case, the older account's wins: so oldest first. */
enum hxb_result
hxb_publish_newcomers(struct hxb_publishing *p, struct hxb_error *error)
{
	struct hxb_user *user = NULL;
	enum hxb_result r = HXB_OK;

	if (p->newcomer_count == 0)
		return HXB_OK;
	qsort(p->newcomers, p->newcomer_count, sizeof(*p->newcomers), older_first);
	if (p->newcomer_count > MANY)
		r = hxb_ledger_expect_many(p->ledger, error);
	for (size_t i = 0; r == HXB_OK && i < p->newcomer_count; i++) {
		r = read_newcomer_patiently(p, &p->newcomers[i], &user, error);
		if (r == HXB_OK && user != NULL)
			r = hxb_publish_begin(p, error);
		if (r == HXB_OK && user != NULL)
			r = take_newcomer(p, user, error);
		if (r == HXB_OK && p->begun && hxb_deadline_left(&p->batch) == 0)
			r = hxb_publish_commit(p, error);
		hxb_user_free(user);
		user = NULL;
	}
	return r == HXB_OK ? hxb_publish_commit(p, error) : r;
}
