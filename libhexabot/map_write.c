/* SPDX-License-Identifier: ISC */
/*
 * Takes what goes into a map, and refuses what must not. What is refused leaves the writer as it was. That no
 * name and no number has two owners is the ledger's promise; reading the map back checks it.
 */
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "map_writer.h"

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

/* Users have few shells between them. */
static bool
share_shell(struct hxb_map_writer *w, const char *shell, uint32_t *offset)
{
	const uint32_t places = sizeof(w->shells) / sizeof(w->shells[0]);
	uint32_t i;

	for (i = 0; i < places; i++) {
		if (strcmp(string(w, w->shells[i]), shell) == 0) {
			*offset = w->shells[i];
			return true;
		}
	}
	if (!add_string(w, shell, offset))
		return false;
	w->shells[w->next_shell] = *offset;
	w->next_shell = (w->next_shell + 1) % places;
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

/* Keeps the name of a role group that somebody's private group could have, too. */
static bool
remember_private_like(struct hxb_map_writer *w, const char *group)
{
	char **place;

	if (strncmp(group, HXB_PRIVATE_GROUP_PREFIX, sizeof(HXB_PRIVATE_GROUP_PREFIX) - 1) != 0)
		return true;
	place = array_add(&w->private_like, 1, HXB_MAP_COUNT_MAX);
	if (place == NULL)
		return false;
	*place = strdup(group + sizeof(HXB_PRIVATE_GROUP_PREFIX) - 1);
	return *place != NULL;
}

static bool
private_group_taken(const struct hxb_map_writer *w, const char *login)
{
	char *const *names = w->private_like.items;
	size_t i;

	for (i = 0; i < w->private_like.count; i++) {
		if (names[i] != NULL && strcmp(names[i], login) == 0)
			return true;
	}
	return false;
}

enum hxb_result
hxb_map_writer_role(struct hxb_map_writer *w, const struct hxb_map_role *role, uint32_t *index)
{
	struct hxb_map_role_record *record;
	uint32_t group;

	if (w->places.count != 0 || !name_fits(role->group) || !number_fits(role->gid))
		return HXB_INVALID;
	if (!remember_private_like(w, role->group) || !add_string(w, role->group, &group))
		return HXB_FAILED;
	record = array_add(&w->roles, 1, HXB_MAP_COUNT_MAX);
	if (record == NULL)
		return HXB_FAILED;
	*record = (struct hxb_map_role_record){
		.id_digest = role->id_digest,
		.gid = role->gid,
		.group = group,
	};
	*index = (uint32_t)w->roles.count - 1;
	return HXB_OK;
}

static int
compare_indexes(const void *one, const void *other)
{
	const uint32_t *a = one, *b = other;

	return (*a > *b) - (*a < *b);
}

/* Ascending and each once, however the caller has them; in the record if they are few. *list: where they are,
 * if not. */
static bool
add_roles(struct hxb_map_writer *w, const struct hxb_map_user *user, struct hxb_map_user_record *record,
    const uint32_t **list)
{
	size_t before = w->user_roles.count;
	uint32_t *roles;
	uint32_t i, count = 0;

	*list = NULL;
	if (user->role_count == 0)
		return true;
	roles = array_add(&w->user_roles, user->role_count, UINT32_MAX);
	if (roles == NULL)
		return false;
	memcpy(roles, user->roles, user->role_count * sizeof(*roles));
	qsort(roles, user->role_count, sizeof(*roles), compare_indexes);
	for (i = 0; i < user->role_count; i++) {
		if (i == 0 || roles[i] != roles[i - 1])
			roles[count++] = roles[i];
	}
	if (count > UINT32_MAX - w->membership_count)
		return false;
	w->membership_count += count;
	record->role_count = (uint16_t)count;
	if (count <= HXB_MAP_FEW_ROLES) {
		memcpy(record->few_roles, roles, count * sizeof(*roles));
		w->user_roles.count = before;
		return true;
	}
	record->few_roles[0] = (uint32_t)before;
	w->user_roles.count = before + count;
	*list = roles;
	return true;
}

static bool
user_fits(const struct hxb_map_writer *w, const struct hxb_map_user *user)
{
	uint32_t i;

	if (!name_fits(user->login) || !text_fits(user->gecos, HXB_MAP_GECOS_MAX, ":") ||
	    !text_fits(user->home, HXB_MAP_PATH_MAX, ":") || !text_fits(user->shell, HXB_MAP_PATH_MAX, ":"))
		return false;
	if (!number_fits(user->uid) || (unsigned int)user->shadow > HXB_SHADOW_INVITED ||
	    user->role_count > UINT16_MAX)
		return false;
	for (i = 0; i < user->role_count; i++) {
		if (user->roles[i] >= w->roles.count)
			return false;
	}
	return !private_group_taken(w, user->login);
}

/* The longest record, in units. */
#define UNITS_MAX \
	((HXB_MAP_TEXT + HXB_MAP_PATH_MAX + 1 + HXB_MAP_GECOS_MAX + 1 + HXB_MAP_LOGIN_MAX + 1) / \
	        HXB_MAP_UNIT + \
	    1)

union record {
	struct hxb_map_user_record fields;
	uint64_t units[UNITS_MAX];
	char bytes[UNITS_MAX * HXB_MAP_UNIT];
};

static char *
append(char *end, const char *text, size_t length)
{
	memcpy(end, text, length + 1);
	return end + length + 1;
}

/* The texts, and the lengths of all. A home mostly ends in the login, which then needs no place of its own.
 */
static void
put_texts(union record *record, const struct hxb_map_user *user)
{
	struct hxb_map_user_record *fields = &record->fields;
	const size_t login = strlen(user->login), home = strlen(user->home), gecos = strlen(user->gecos);
	char *end = record->bytes + HXB_MAP_TEXT;

	fields->login_ends_home = home >= login && strcmp(user->home + home - login, user->login) == 0;
	fields->login_length = (uint8_t)login;
	fields->home_length = (uint16_t)home;
	fields->gecos_length = (uint8_t)gecos;
	fields->shell_length = (uint16_t)strlen(user->shell);
	end = append(append(end, user->home, home), user->gecos, gecos);
	if (fields->login_ends_home == 0)
		end = append(end, user->login, login);
	fields->units = (uint16_t)((size_t)(end - record->bytes + HXB_MAP_UNIT - 1) / HXB_MAP_UNIT);
}

/* What hxb_map_user_sum() makes of the finished map. */
static uint64_t
sum_of(const struct hxb_map_writer *w, const struct hxb_map_user *user, const union record *record,
    const uint32_t *long_list)
{
	uint64_t h = hxb_map_sum_words(hxb_map_sum_start(w->seed, HXB_MAP_USER, w->user_units),
	    record->units + 1, (size_t)record->fields.units - 1);

	h = hxb_map_sum(h, user->shell, (size_t)record->fields.shell_length + 1);
	if (long_list != NULL)
		h = hxb_map_sum(h, long_list, record->fields.role_count * sizeof(*long_list));
	return h;
}

enum hxb_result
hxb_map_writer_user(struct hxb_map_writer *w, const struct hxb_map_user *user)
{
	union record record = { .units = { 0 } };
	struct hxb_map_user_record *fields = &record.fields;
	const uint32_t *long_list;
	uint32_t *place;

	if (!user_fits(w, user))
		return HXB_INVALID;
	place = array_add(&w->places, 1, HXB_MAP_COUNT_MAX);
	if (place == NULL || w->user_units >= UINT32_MAX - UNITS_MAX ||
	    !add_roles(w, user, fields, &long_list) || !share_shell(w, user->shell, &fields->shell))
		return HXB_FAILED;
	*place = w->user_units;
	fields->id_digest = user->id_digest;
	fields->uid = user->uid;
	fields->index = (uint32_t)w->places.count - 1;
	fields->shadow = (uint8_t)user->shadow;
	put_texts(&record, user);
	fields->checksum = sum_of(w, user, &record, long_list);
	if (fwrite(&record, HXB_MAP_UNIT, fields->units, w->map) != fields->units)
		return HXB_FAILED;
	w->user_units += fields->units;
	return HXB_OK;
}

enum hxb_result
hxb_map_writer_tombstone(struct hxb_map_writer *w, const struct hxb_map_tombstone *tombstone)
{
	struct hxb_map_tombstone_record *record;
	uint32_t name;

	if (!text_fits(tombstone->name, HXB_MAP_LOGIN_MAX, ":,"))
		return HXB_INVALID;
	if (!add_string(w, tombstone->name, &name))
		return HXB_FAILED;
	record = array_add(&w->tombstones, 1, HXB_MAP_COUNT_MAX);
	if (record == NULL)
		return HXB_FAILED;
	*record = (struct hxb_map_tombstone_record){
		.id_digest = tombstone->id_digest,
		.number = tombstone->number,
		.name = name,
	};
	return HXB_OK;
}

enum hxb_result
hxb_map_writer_new(const char *dir, bool enumerate, struct hxb_map_writer **writerp, struct hxb_error *error)
{
	struct hxb_map_writer *w = calloc(1, sizeof(*w));
	char *empty;
	enum hxb_result r;

	*writerp = NULL;
	if (w == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	w->enumerate = enumerate;
	w->directory = -1;
	w->roles.width = sizeof(struct hxb_map_role_record);
	w->tombstones.width = sizeof(struct hxb_map_tombstone_record);
	w->user_roles.width = sizeof(uint32_t);
	w->private_like.width = sizeof(char *);
	w->places.width = sizeof(uint32_t);
	w->strings.width = 1;
	empty = array_add(&w->strings, 1, UINT32_MAX);
	if (empty == NULL) {
		hxb_map_writer_free(w);
		return hxb_fail(error, HXB_FAILED, "out of memory");
	}
	*empty = '\0';
	if (getrandom(&w->seed, sizeof(w->seed), 0) != (ssize_t)sizeof(w->seed))
		r = hxb_fail(error, HXB_FAILED, "no source of randomness");
	else
		r = hxb_map_writer_open(w, dir, error);
	if (r == HXB_OK)
		*writerp = w;
	else
		hxb_map_writer_free(w);
	return r;
}

void
hxb_map_writer_free(struct hxb_map_writer *w)
{
	char **names;
	size_t i;

	if (w == NULL)
		return;
	hxb_map_writer_discard(w);
	names = w->private_like.items;
	for (i = 0; i < w->private_like.count; i++)
		free(names[i]);
	free(w->private_like.items);
	free(w->places.items);
	free(w->strings.items);
	free(w->roles.items);
	free(w->tombstones.items);
	free(w->user_roles.items);
	free(w);
}
