/* SPDX-License-Identifier: ISC */
/*
 * Collects what goes into a map, and refuses what must not. What is refused leaves the writer as it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "map_writer.h"

enum kind { USER, ROLE, TOMBSTONE };

/* A name and a number belong to one id for good. */
struct claim {
	enum kind kind;
	uint32_t number;
	uint32_t name; /* offset of the string; 0 where there is none */
	uint64_t id_digest;
};

static void *
array_add(struct hxb_map_array *array, size_t more, size_t limit)
{
	size_t room = array->room;
	void *items;

	if (more > limit || array->count > limit - more)
		return NULL;
	while (room - array->count < more) {
		if (room > SIZE_MAX / 2 / array->width)
			return NULL;
		room = room < 64 ? 64 : room * 2;
	}
	if (room != array->room) {
		items = realloc(array->items, room * array->width);
		if (items == NULL)
			return NULL;
		array->items = items;
		array->room = room;
	}
	array->count += more;
	return (char *)array->items + (array->count - more) * array->width;
}

static const char *
string(const struct hxb_map_writer *w, uint32_t offset)
{
	return (const char *)w->strings.items + offset;
}

static bool
add_string(struct hxb_map_writer *w, const char *text, uint32_t *offset)
{
	size_t size = strlen(text) + 1;
	char *place;

	*offset = 0;
	if (size == 1)
		return true;
	place = array_add(&w->strings, size, UINT32_MAX);
	if (place == NULL)
		return false;
	memcpy(place, text, size);
	*offset = (uint32_t)(w->strings.count - size);
	return true;
}

/* For strings that many users have in common. */
static bool
share_string(struct hxb_map_writer *w, const char *text, uint32_t *offset)
{
	const uint32_t recents = sizeof(w->recent) / sizeof(w->recent[0]);
	uint32_t i;

	for (i = 0; i < recents; i++) {
		if (strcmp(string(w, w->recent[i]), text) == 0) {
			*offset = w->recent[i];
			return true;
		}
	}
	if (!add_string(w, text, offset))
		return false;
	w->recent[w->next_recent] = *offset;
	w->next_recent = (w->next_recent + 1) % recents;
	return true;
}

/* A home mostly ends in the login, which then needs no place of its own. */
static bool
add_login(struct hxb_map_writer *w, const char *login, uint32_t home, uint32_t *offset)
{
	size_t length = strlen(login), home_length = strlen(string(w, home));

	if (home_length >= length && strcmp(string(w, home) + home_length - length, login) == 0) {
		*offset = home + (uint32_t)(home_length - length);
		return true;
	}
	return add_string(w, login, offset);
}

/* Strings of a record that did not come to be would be bytes that nothing refers to, nor checks. */
static void
forget_strings(struct hxb_map_writer *w, size_t count)
{
	size_t i;

	w->strings.count = count;
	for (i = 0; i < sizeof(w->recent) / sizeof(w->recent[0]); i++) {
		if (w->recent[i] >= count)
			w->recent[i] = 0;
	}
}

/*
 * Users and roles never share a name's or number's owner. A tombstone may stand beside its own id's record:
 * it keeps the login that this id had before, and then has no number (0).
 */
static bool
conflicts(const struct claim *one, const struct claim *other)
{
	return (one->kind != TOMBSTONE && other->kind != TOMBSTONE) || one->id_digest != other->id_digest;
}

static bool
number_taken(const struct hxb_map_writer *w, const struct claim *claim)
{
	const struct claim *claims = w->claims.items, *other;
	uint32_t at, entry;

	if (w->claim_slots == 0 || claim->number == 0)
		return false;
	at = hxb_map_slot(hxb_map_hash_number(w->seed, claim->number), w->claim_slots);
	for (; (entry = w->by_number[at]) != 0; at = (at + 1) & (w->claim_slots - 1)) {
		other = &claims[entry - 1];
		if (other->number == claim->number && conflicts(claim, other))
			return true;
	}
	return false;
}

/* Logins and groups are namespaces of their own. */
static bool
name_taken(const struct hxb_map_writer *w, const struct claim *claim, const char *name)
{
	const struct claim *claims = w->claims.items, *other;
	uint32_t at, entry;

	if (w->claim_slots == 0 || name[0] == '\0')
		return false;
	at = hxb_map_slot(hxb_map_hash_name(w->seed, name, strlen(name)), w->claim_slots);
	for (; (entry = w->by_name[at]) != 0; at = (at + 1) & (w->claim_slots - 1)) {
		other = &claims[entry - 1];
		if ((other->kind == ROLE) == (claim->kind == ROLE) && conflicts(claim, other) &&
		    strcmp(string(w, other->name), name) == 0)
			return true;
	}
	return false;
}

static void
enter(uint32_t *table, uint32_t slots, uint64_t hash, uint32_t entry)
{
	uint32_t at = hxb_map_slot(hash, slots);

	while (table[at] != 0)
		at = (at + 1) & (slots - 1);
	table[at] = entry;
}

static void
enter_claim(struct hxb_map_writer *w, uint32_t index)
{
	const struct claim *claim = (const struct claim *)w->claims.items + index;
	const char *name = string(w, claim->name);

	if (claim->number != 0)
		enter(w->by_number, w->claim_slots, hxb_map_hash_number(w->seed, claim->number), index + 1);
	if (name[0] != '\0')
		enter(w->by_name, w->claim_slots, hxb_map_hash_name(w->seed, name, strlen(name)), index + 1);
}

static bool
grow_claims(struct hxb_map_writer *w)
{
	uint32_t slots = w->claim_slots == 0 ? 64 : w->claim_slots * 2;
	uint32_t *by_name, *by_number;
	uint32_t i;

	if (slots > UINT32_C(1) << 30)
		return false;
	by_name = calloc(slots, sizeof(*by_name));
	by_number = calloc(slots, sizeof(*by_number));
	if (by_name == NULL || by_number == NULL) {
		free(by_name);
		free(by_number);
		return false;
	}
	free(w->by_name);
	free(w->by_number);
	w->by_name = by_name;
	w->by_number = by_number;
	w->claim_slots = slots;
	for (i = 0; i < w->claims.count; i++)
		enter_claim(w, i);
	return true;
}

static bool
add_claim(struct hxb_map_writer *w, const struct claim *claim)
{
	struct claim *place;

	if (w->claims.count >= w->claim_slots / 2 && !grow_claims(w))
		return false;
	place = array_add(&w->claims, 1, HXB_MAP_COUNT_MAX);
	if (place == NULL)
		return false;
	*place = *claim;
	enter_claim(w, (uint32_t)w->claims.count - 1);
	return true;
}

/* Whether it would stay one field of a passwd or group line. */
static bool
text_fits(const char *text, size_t longest, const char *forbidden)
{
	const unsigned char *p;

	if (text == NULL || strlen(text) > longest || strpbrk(text, forbidden) != NULL)
		return false;
	for (p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f)
			return false;
	}
	return true;
}

static bool
name_fits(const char *name)
{
	return text_fits(name, HXB_MAP_LOGIN_MAX, ":,") && name[0] != '\0';
}

static bool
number_fits(uint32_t number)
{
	return number != 0 && number != UINT32_MAX;
}

enum hxb_result
hxb_map_writer_role(struct hxb_map_writer *w, const struct hxb_map_role *role, uint32_t *index)
{
	struct hxb_map_role_record *record;
	struct claim claim = { .kind = ROLE, .number = role->gid, .id_digest = role->id_digest };
	size_t strings = w->strings.count;

	if (w->users.count != 0 || !name_fits(role->group) || !number_fits(role->gid) ||
	    number_taken(w, &claim) || name_taken(w, &claim, role->group))
		return HXB_INVALID;
	record = array_add(&w->roles, 1, HXB_MAP_COUNT_MAX);
	if (record == NULL)
		return HXB_FAILED;
	if (!add_string(w, role->group, &claim.name) || !add_claim(w, &claim)) {
		w->roles.count--;
		forget_strings(w, strings);
		return HXB_FAILED;
	}
	memset(record, 0, sizeof(*record));
	record->id_digest = role->id_digest;
	record->gid = role->gid;
	record->group = claim.name;
	*index = (uint32_t)w->roles.count - 1;
	return HXB_OK;
}

static int
compare_indexes(const void *one, const void *other)
{
	const uint32_t *a = one, *b = other;

	return (*a > *b) - (*a < *b);
}

/* Ascending and each once, however the caller has them; in the record if they are few. */
static bool
add_roles(struct hxb_map_writer *w, const struct hxb_map_user *user, struct hxb_map_user_record *record)
{
	size_t before = w->user_roles.count;
	uint32_t *list;
	uint32_t i, count = 0;

	if (user->role_count == 0)
		return true;
	list = array_add(&w->user_roles, user->role_count, UINT32_MAX);
	if (list == NULL)
		return false;
	memcpy(list, user->roles, user->role_count * sizeof(*list));
	qsort(list, user->role_count, sizeof(*list), compare_indexes);
	for (i = 0; i < user->role_count; i++) {
		if (i == 0 || list[i] != list[i - 1])
			list[count++] = list[i];
	}
	if (count > UINT32_MAX - w->membership_count)
		return false;
	w->membership_count += count;
	record->role_count = count;
	if (count <= HXB_MAP_FEW_ROLES) {
		memcpy(record->few_roles, list, count * sizeof(*list));
		count = 0;
	} else {
		record->first_role = (uint32_t)before;
	}
	w->user_roles.count = before + count;
	return true;
}

static bool
private_group_taken(const struct hxb_map_writer *w, const char *login)
{
	char group[sizeof(HXB_PRIVATE_GROUP_PREFIX) + HXB_MAP_LOGIN_MAX];
	struct claim claim = { .kind = ROLE };

	snprintf(group, sizeof(group), "%s%s", HXB_PRIVATE_GROUP_PREFIX, login);
	return name_taken(w, &claim, group);
}

static bool
user_fits(const struct hxb_map_writer *w, const struct hxb_map_user *user)
{
	struct claim claim = { .kind = USER, .number = user->uid, .id_digest = user->id_digest };
	uint32_t i;

	if (!name_fits(user->login) || !text_fits(user->gecos, HXB_MAP_GECOS_MAX, ":") ||
	    !text_fits(user->home, HXB_MAP_PATH_MAX, ":") || !text_fits(user->shell, HXB_MAP_PATH_MAX, ":"))
		return false;
	if (!number_fits(user->uid) || (unsigned int)user->shadow > HXB_SHADOW_INVITED)
		return false;
	for (i = 0; i < user->role_count; i++) {
		if (user->roles[i] >= w->roles.count)
			return false;
	}
	return !number_taken(w, &claim) && !name_taken(w, &claim, user->login) &&
	    !private_group_taken(w, user->login);
}

static bool
add_user(struct hxb_map_writer *w, const struct hxb_map_user *user, struct hxb_map_user_record *record)
{
	struct claim claim = { .kind = USER, .number = user->uid, .id_digest = user->id_digest };

	memset(record, 0, sizeof(*record));
	record->id_digest = user->id_digest;
	record->uid = user->uid;
	record->shadow = (uint32_t)user->shadow;
	if (!add_string(w, user->home, &record->home) ||
	    !add_login(w, user->login, record->home, &record->login) ||
	    !add_string(w, user->gecos, &record->gecos) || !share_string(w, user->shell, &record->shell) ||
	    !add_roles(w, user, record))
		return false;
	claim.name = record->login;
	return add_claim(w, &claim);
}

enum hxb_result
hxb_map_writer_user(struct hxb_map_writer *w, const struct hxb_map_user *user)
{
	struct hxb_map_user_record *record;
	size_t strings = w->strings.count, long_lists = w->user_roles.count;
	uint32_t memberships = w->membership_count;

	if (!user_fits(w, user))
		return HXB_INVALID;
	record = array_add(&w->users, 1, HXB_MAP_COUNT_MAX);
	if (record == NULL)
		return HXB_FAILED;
	if (!add_user(w, user, record)) {
		w->users.count--;
		w->user_roles.count = long_lists;
		w->membership_count = memberships;
		forget_strings(w, strings);
		return HXB_FAILED;
	}
	return HXB_OK;
}

enum hxb_result
hxb_map_writer_tombstone(struct hxb_map_writer *w, const struct hxb_map_tombstone *tombstone)
{
	struct hxb_map_tombstone_record *record;
	struct claim claim = {
		.kind = TOMBSTONE, .number = tombstone->number, .id_digest = tombstone->id_digest
	};
	size_t strings = w->strings.count;

	if (!text_fits(tombstone->name, HXB_MAP_LOGIN_MAX, ":,") || number_taken(w, &claim) ||
	    name_taken(w, &claim, tombstone->name))
		return HXB_INVALID;
	record = array_add(&w->tombstones, 1, HXB_MAP_COUNT_MAX);
	if (record == NULL)
		return HXB_FAILED;
	if (!add_string(w, tombstone->name, &claim.name) || !add_claim(w, &claim)) {
		w->tombstones.count--;
		forget_strings(w, strings);
		return HXB_FAILED;
	}
	memset(record, 0, sizeof(*record));
	record->id_digest = tombstone->id_digest;
	record->number = tombstone->number;
	record->name = claim.name;
	return HXB_OK;
}

struct hxb_map_writer *
hxb_map_writer_new(bool enumerate)
{
	struct hxb_map_writer *w = calloc(1, sizeof(*w));
	char *empty;

	if (w == NULL)
		return NULL;
	w->enumerate = enumerate;
	w->directory = -1;
	w->users.width = sizeof(struct hxb_map_user_record);
	w->roles.width = sizeof(struct hxb_map_role_record);
	w->tombstones.width = sizeof(struct hxb_map_tombstone_record);
	w->user_roles.width = sizeof(uint32_t);
	w->strings.width = 1;
	w->claims.width = sizeof(struct claim);
	empty = array_add(&w->strings, 1, UINT32_MAX);
	if (empty == NULL || getrandom(&w->seed, sizeof(w->seed), 0) != (ssize_t)sizeof(w->seed)) {
		hxb_map_writer_free(w);
		return NULL;
	}
	*empty = '\0';
	return w;
}

void
hxb_map_writer_free(struct hxb_map_writer *w)
{
	if (w == NULL)
		return;
	if (w->temporary[0] != '\0')
		(void)unlinkat(w->directory, w->temporary, 0);
	if (w->directory >= 0)
		(void)close(w->directory);
	free(w->users.items);
	free(w->roles.items);
	free(w->tombstones.items);
	free(w->user_roles.items);
	free(w->strings.items);
	free(w->claims.items);
	free(w->by_name);
	free(w->by_number);
	free(w);
}
