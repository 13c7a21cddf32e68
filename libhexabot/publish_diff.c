/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "map_format.h"
#include "names.h"
#include "publish_diff.h"

#define FORGET_EVERY 65536 /* users: 7 MB of the old map, and what of its index leads to them */

enum change { ADDED, REMOVED, CHANGED };

struct event {
	enum change change;
	char *user_id;
	char *name;
	char *before;
	char *after;
	enum hxb_map_shadow now; /* where only an invitation has ended; else HXB_SHADOW_INVITED */
	bool by_clock; /* the account has expired, and nothing else: root has said when */
};

struct hxb_diff {
	struct hxb_map *old; /* NULL: there was none */
	const char *const *own_ids;
	unsigned before;
	struct event *events;
	size_t event_count;
	unsigned char *kept; /* a bit for each user of the old map: in the new one, too */
	unsigned kept_count, new_count;
	uint32_t next; /* index in the old map */
};

static enum hxb_result
no_memory(struct hxb_error *error)
{
	return hxb_fail(error, HXB_FAILED, "out of memory");
}

enum hxb_result
hxb_diff_open(
    const char *state_dir, const char *const *own_ids, struct hxb_diff **diffp, struct hxb_error *error)
{
	struct hxb_diff *diff = calloc(1, sizeof(*diff));
	struct hxb_map_info info;
	char *path = NULL;

	*diffp = NULL;
	if (diff == NULL || asprintf(&path, "%s/map.1", state_dir) == -1) {
		free(diff);
		return no_memory(error);
	}
	diff->own_ids = own_ids;
	diff->old = hxb_map_open(path, 0, NULL);
	free(path);
	if (diff->old != NULL) {
		hxb_map_info(diff->old, &info);
		diff->before = info.user_count;
	}
	diff->kept = calloc(1, diff->before / 8 + 1);
	if (diff->kept == NULL) {
		hxb_diff_close(diff);
		return no_memory(error);
	}
	*diffp = diff;
	return HXB_OK;
}

void
hxb_diff_reset(struct hxb_diff *diff)
{
	for (size_t i = 0; i < diff->event_count; i++) {
		free(diff->events[i].user_id);
		free(diff->events[i].name);
		free(diff->events[i].before);
		free(diff->events[i].after);
	}
	free(diff->events);
	diff->events = NULL;
	diff->event_count = 0;
	diff->kept_count = diff->new_count = 0;
	diff->next = 0;
	if (diff->kept != NULL)
		memset(diff->kept, 0, diff->before / 8 + 1);
}

void
hxb_diff_close(struct hxb_diff *diff)
{
	if (diff == NULL)
		return;
	hxb_diff_reset(diff);
	free(diff->kept);
	hxb_map_close(diff->old);
	free(diff);
}

unsigned
hxb_diff_before(const struct hxb_diff *diff)
{
	return diff->before;
}

static bool
is_kept(const struct hxb_diff *diff, uint32_t index)
{
	return (diff->kept[index / 8] >> index % 8 & 1) != 0;
}

static int
compare_digests(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

unsigned
hxb_diff_missing(const struct hxb_diff *diff, const uint64_t *digests, size_t count)
{
	struct hxb_map_user old;
	unsigned missing = 0;

	/* A record that can't be read is nobody who could be lost. */
	for (uint32_t i = 0; diff->kept_count < diff->before && i < diff->before; i++) {
		if (!is_kept(diff, i) && hxb_map_user_at(diff->old, i, &old) == HXB_MAP_FOUND &&
		    (count == 0 ||
		        bsearch(&old.id_digest, digests, count, sizeof(*digests), compare_digests) == NULL))
			missing++;
	}
	return missing;
}

/* Takes over before and after, which may be NULL for want of memory. */
static enum hxb_result
add_event(struct hxb_diff *diff, enum change change, const char *user_id, const char *name, char *before,
    char *after, struct hxb_error *error)
{
	struct event *grown, *last;

	grown = reallocarray(diff->events, diff->event_count + 1, sizeof(*grown));
	if (grown == NULL) {
		free(before);
		free(after);
		return no_memory(error);
	}
	diff->events = grown;
	last = &grown[diff->event_count++];
	*last =
	    (struct event){ change, strdup(user_id), strdup(name), before, after, HXB_SHADOW_INVITED, false };
	return last->user_id == NULL || last->name == NULL || before == NULL || after == NULL
	    ? no_memory(error)
	    : HXB_OK;
}

static const char *
shadow_word(enum hxb_map_shadow shadow)
{
	return shadow == HXB_SHADOW_ENABLED ? "may log in"
	    : shadow == HXB_SHADOW_INVITED  ? "invited"
	                                    : "may not log in";
}

/* "may log in; groups hexabot-admin hexabot-manager", of the old map. NULL: no memory. */
static char *
describe_old(const struct hxb_map *map, const struct hxb_map_user *user)
{
	struct hxb_map_role role;
	char *text = NULL, *longer;

	if (asprintf(&text, "%s", shadow_word(user->shadow)) == -1)
		return NULL;
	for (uint32_t i = 0; text != NULL && i < user->role_count; i++) {
		if (hxb_map_role_head(map, user->roles[i], &role) != HXB_MAP_FOUND)
			continue;
		if (asprintf(&longer, "%s%s %s", text, i == 0 ? "; groups" : "", role.group) == -1)
			longer = NULL;
		free(text);
		text = longer;
	}
	return text;
}

/* "may log in (enabled); roles admin manager", of the store's row. NULL: no memory. */
static char *
describe_new(const struct hxb_user *user, const struct hxb_map_user *record, const char *state)
{
	char *text = NULL, *longer;
	bool first = true;

	if (asprintf(&text, "%s (%s)", shadow_word(record->shadow), state) == -1)
		return NULL;
	for (size_t i = 0; text != NULL && i < user->role_count; i++) {
		if (!user->roles[i].active)
			continue;
		if (asprintf(&longer, "%s%s %s", text, first ? "; roles" : "", user->roles[i].name) == -1)
			longer = NULL;
		free(text);
		text = longer;
		first = false;
	}
	return text;
}

static bool
holds_digest(const struct hxb_map *map, const struct hxb_map_user *record, uint64_t digest)
{
	struct hxb_map_role role;

	for (uint32_t i = 0; i < record->role_count; i++) {
		if (hxb_map_role_head(map, record->roles[i], &role) == HXB_MAP_FOUND &&
		    role.id_digest == digest)
			return true;
	}
	return false;
}

/* Whether the old record's role groups are the ones of the new record's; the user's roles carry the ids. */
static bool
same_roles(const struct hxb_map *map, const struct hxb_map_user *old, const struct hxb_user *user,
    const struct hxb_map_user *record)
{
	uint32_t kept = 0;

	if (old->role_count != record->role_count)
		return false;
	for (size_t i = 0; i < user->role_count; i++) {
		if (user->roles[i].active && holds_digest(map, old, user->roles[i].id_digest))
			kept++;
	}
	return kept == old->role_count;
}

/* Whether nothing has changed but that an invitation ended, in one of the ways that settle.h writes down. */
static bool
invitation_ended(const struct hxb_diff *diff, const struct hxb_map_user *old, const struct hxb_user *user,
    const struct hxb_map_user *record)
{
	return old->shadow == HXB_SHADOW_INVITED && old->shadow != record->shadow &&
	    strcmp(old->login, record->login) == 0 && same_roles(diff->old, old, user, record);
}

static bool
has_expired(const struct hxb_diff *diff, const struct hxb_map_user *old, const struct hxb_user *user,
    const struct hxb_map_user *record, const char *state)
{
	return strcmp(state, hxb_state_rule(HXB_STATE_EXPIRED)->name) == 0 && old->shadow != record->shadow &&
	    strcmp(old->login, record->login) == 0 && same_roles(diff->old, old, user, record);
}

/* The user's record in the old map, which is kept: mostly the one behind the last user's. */
static bool
find_old(struct hxb_diff *diff, uint32_t uid, struct hxb_map_user *old)
{
	if ((hxb_map_user_at(diff->old, diff->next, old) != HXB_MAP_FOUND || old->uid != uid) &&
	    hxb_map_user_by_uid(diff->old, uid, old) != HXB_MAP_FOUND)
		return false;
	diff->next = old->index + 1;
	diff->kept_count += !is_kept(diff, old->index);
	diff->kept[old->index / 8] |= (unsigned char)(1 << old->index % 8);
	return true;
}

enum hxb_result
hxb_diff_user(struct hxb_diff *diff, const struct hxb_user *user, const struct hxb_map_user *record,
    const char *state, struct hxb_error *error)
{
	struct hxb_map_user old;
	enum hxb_result r = HXB_OK;

	diff->new_count++;
	if (diff->old == NULL)
		return HXB_OK;
	if (diff->new_count % FORGET_EVERY == 0)
		hxb_map_forget_pages(diff->old);
	if (!find_old(diff, record->uid, &old))
		r = add_event(diff, ADDED, user->id, record->login, strdup(""),
		    describe_new(user, record, state), error);
	else if (old.shadow != record->shadow || strcmp(old.login, record->login) != 0 ||
	    !same_roles(diff->old, &old, user, record)) {
		r = add_event(diff, CHANGED, user->id, record->login, describe_old(diff->old, &old),
		    describe_new(user, record, state), error);
		if (r == HXB_OK && invitation_ended(diff, &old, user, record))
			diff->events[diff->event_count - 1].now = record->shadow;
		if (r == HXB_OK)
			diff->events[diff->event_count - 1].by_clock =
			    has_expired(diff, &old, user, record, state);
	}
	return r;
}

/* Users of the old map who are not in the new one. Their ids are known by digest only: the ledger's entry has
 * the id. */
static enum hxb_result
find_removed(struct hxb_diff *diff, struct hxb_ledger *ledger, struct hxb_error *error)
{
	struct hxb_map_user old;
	struct hxb_entry *entry;
	enum hxb_result r = HXB_OK;

	for (uint32_t i = 0; r == HXB_OK && i < diff->before; i++) {
		if (is_kept(diff, i) || hxb_map_user_at(diff->old, i, &old) != HXB_MAP_FOUND)
			continue;
		r = hxb_ledger_entry_by_login(ledger, old.login, &entry, error);
		if (r == HXB_OK || r == HXB_NOT_FOUND)
			r = add_event(diff, REMOVED, entry != NULL ? entry->id : "", old.login,
			    describe_old(diff->old, &old), strdup("gone from the host"), error);
		hxb_entry_free(entry);
	}
	return r;
}

static bool
is_own(const struct hxb_diff *diff, const char *user_id)
{
	for (size_t i = 0; diff->own_ids != NULL && diff->own_ids[i] != NULL; i++) {
		if (strcmp(diff->own_ids[i], user_id) == 0)
			return true;
	}
	return false;
}

/*
 * Whether the event is somebody's who has written it down: a person registered, root set a password, a code
 * expired. What else let them in, or kept them out, was done in Hexabot.
 */
static enum hxb_result
is_told(struct hxb_ledger *ledger, const struct event *seen, bool *told, struct hxb_error *error)
{
	struct hxb_invitation *invitation = NULL;
	enum hxb_result r;

	*told = false;
	if (seen->now == HXB_SHADOW_INVITED)
		return HXB_OK;
	r = hxb_ledger_invitation(ledger, seen->user_id, &invitation, error);
	if (r == HXB_OK && seen->now == HXB_SHADOW_ENABLED)
		*told = invitation->ended == HXB_INVITATION_OPEN ||
		    invitation->ended == HXB_INVITATION_USED ||
		    invitation->ended == HXB_INVITATION_REGISTERED ||
		    invitation->ended == HXB_INVITATION_PASSWORD_SET;
	else if (r == HXB_OK)
		*told = invitation->ended == HXB_INVITATION_EXPIRED ||
		    (invitation->ended == HXB_INVITATION_OPEN && time(NULL) >= invitation->expires);
	hxb_invitation_free(invitation);
	return r == HXB_NOT_FOUND ? HXB_OK : r;
}

static enum hxb_result
record_event(struct hxb_ledger *ledger, const struct event *seen, struct hxb_error *error)
{
	static const char *const actions[] = {
		[ADDED] = "appeared", [REMOVED] = "disappeared", [CHANGED] = "changed"
	};
	const struct hxb_event event = {
		.actor = seen->by_clock ? "hexactl" : "hexabot",
		.action = actions[seen->change],
		.user_id = seen->user_id,
		.name = seen->name,
		.before = seen->before,
		.after = seen->after,
	};

	return hxb_ledger_record_seen(ledger, &event, error);
}

enum hxb_result
hxb_diff_record(struct hxb_diff *diff, struct hxb_ledger *ledger, struct hxb_publish_report *report,
    struct hxb_error *error)
{
	const struct event *seen;
	bool told = false;
	enum hxb_result r = HXB_OK;

	if (diff->old == NULL) {
		report->added = diff->new_count;
		return HXB_OK;
	}
	r = find_removed(diff, ledger, error);
	for (size_t i = 0; r == HXB_OK && i < diff->event_count; i++) {
		seen = &diff->events[i];
		report->added += seen->change == ADDED;
		report->removed += seen->change == REMOVED;
		report->changed += seen->change == CHANGED;
		r = is_told(ledger, seen, &told, error);
		if (r == HXB_OK && !told && !is_own(diff, seen->user_id))
			r = record_event(ledger, seen, error);
	}
	return r;
}

static bool
map_has_role(const struct hxb_map *map, uint64_t digest)
{
	struct hxb_map_role role;
	enum hxb_map_status status;

	for (uint32_t i = 0; (status = hxb_map_role_head(map, i, &role)) != HXB_MAP_NOT_FOUND; i++) {
		if (status == HXB_MAP_FOUND && role.id_digest == digest)
			return true;
	}
	return false;
}

/* How many role groups the row would give: those of the map before, and those of roles that are new since. */
static uint32_t
count_groups(const struct hxb_map *map, const struct hxb_user *user)
{
	uint32_t count = 0;

	for (size_t i = 0; i < user->role_count; i++) {
		const struct hxb_role *role = &user->roles[i];
		bool shown = map_has_role(map, role->id_digest) ||
		    (hxb_login_valid(role->name) && !hxb_name_reserved(role->name));

		if (role->active && shown)
			count++;
	}
	return count;
}

enum hxb_result
hxb_publish_note_others(const struct hxb_places *places, struct hxb_ledger *ledger,
    const struct hxb_user *user, const struct hxb_entry *entry, enum hxb_state state, struct hxb_error *error)
{
	const struct hxb_state_rule *rule = hxb_state_rule(state);
	struct hxb_map_user record = { .login = entry->login, .uid = entry->number, .shadow = rule->shadow },
	                    old;
	struct hxb_diff *diff;
	bool told = false;
	enum hxb_result r = hxb_diff_open(places->state_dir, NULL, &diff, error);

	if (r != HXB_OK)
		return r;
	if (diff->old != NULL && hxb_map_user_by_uid(diff->old, entry->number, &old) == HXB_MAP_FOUND) {
		record.role_count = count_groups(diff->old, user);
		r = hxb_diff_user(diff, user, &record, rule->name, error);
	}
	if (r == HXB_OK && diff->event_count > 0)
		r = is_told(ledger, &diff->events[0], &told, error);
	if (r == HXB_OK && diff->event_count > 0 && !told)
		r = record_event(ledger, &diff->events[0], error);
	hxb_diff_close(diff);
	return r;
}
