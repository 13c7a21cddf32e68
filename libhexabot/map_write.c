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

static bool
write_string(struct hxb_map_writer *w, const char *text, uint32_t *offset)
{
	size_t size = strlen(text) + 1;

	*offset = 0;
	if (size == 1)
		return true;
	if (w->strings_size > UINT32_MAX - size || fwrite(text, 1, size, w->strings) != size)
		return false;
	*offset = (uint32_t)w->strings_size;
	w->strings_size += size;
	return true;
}

/* For strings that many users have in common. */
static bool
share_string(struct hxb_map_writer *w, const char *text, uint32_t *offset)
{
	const uint32_t places = sizeof(w->shared) / sizeof(w->shared[0]);
	struct hxb_map_shared *place;
	uint32_t i;

	for (i = 0; i < places; i++) {
		if (w->shared[i].text != NULL && strcmp(w->shared[i].text, text) == 0) {
			*offset = w->shared[i].offset;
			return true;
		}
	}
	place = &w->shared[w->next_shared];
	free(place->text);
	place->text = strdup(text);
	w->next_shared = (w->next_shared + 1) % places;
	if (place->text == NULL || !write_string(w, text, offset))
		return false;
	place->offset = *offset;
	return true;
}

/* A home mostly ends in the login, which then needs no place of its own. */
static bool
write_login(struct hxb_map_writer *w, const char *login, const char *home, uint32_t home_at, uint32_t *offset)
{
	size_t length = strlen(login), home_length = strlen(home);

	if (home_length >= length && strcmp(home + home_length - length, login) == 0) {
		*offset = home_at + (uint32_t)(home_length - length);
		return true;
	}
	return write_string(w, login, offset);
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

	if (w->user_count != 0 || !name_fits(role->group) || !number_fits(role->gid))
		return HXB_INVALID;
	if (!remember_private_like(w, role->group) || !write_string(w, role->group, &group))
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

/* Ascending and each once, however the caller has them; in the record if they are few. *list: where they are.
 */
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
	record->role_count = count;
	if (count <= HXB_MAP_FEW_ROLES) {
		memcpy(record->few_roles, roles, count * sizeof(*roles));
		w->user_roles.count = before;
		return true;
	}
	record->first_role = (uint32_t)before;
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
	if (!number_fits(user->uid) || (unsigned int)user->shadow > HXB_SHADOW_INVITED)
		return false;
	for (i = 0; i < user->role_count; i++) {
		if (user->roles[i] >= w->roles.count)
			return false;
	}
	return !private_group_taken(w, user->login);
}

/* What hxb_map_user_sum() makes of the finished map. */
static uint64_t
sum_of(const struct hxb_map_writer *w, const struct hxb_map_user *user,
    const struct hxb_map_user_record *record, const uint32_t *long_list)
{
	uint64_t h = hxb_map_sum_start(w->seed, HXB_MAP_USER, w->user_count);

	h = hxb_map_sum(
	    h, (const char *)record + sizeof(record->checksum), sizeof(*record) - sizeof(record->checksum));
	h = hxb_map_sum(h, user->login, strlen(user->login) + 1);
	h = hxb_map_sum(h, user->gecos, strlen(user->gecos) + 1);
	h = hxb_map_sum(h, user->home, strlen(user->home) + 1);
	h = hxb_map_sum(h, user->shell, strlen(user->shell) + 1);
	return long_list != NULL ? hxb_map_sum(h, long_list, record->role_count * sizeof(*long_list)) : h;
}

enum hxb_result
hxb_map_writer_user(struct hxb_map_writer *w, const struct hxb_map_user *user)
{
	struct hxb_map_user_record record = {
		.id_digest = user->id_digest,
		.uid = user->uid,
		.shadow = (uint32_t)user->shadow,
	};
	const uint32_t *long_list;

	if (!user_fits(w, user))
		return HXB_INVALID;
	if (w->user_count == HXB_MAP_COUNT_MAX || !write_string(w, user->home, &record.home) ||
	    !write_login(w, user->login, user->home, record.home, &record.login) ||
	    !write_string(w, user->gecos, &record.gecos) || !share_string(w, user->shell, &record.shell) ||
	    !add_roles(w, user, &record, &long_list))
		return HXB_FAILED;
	record.checksum = sum_of(w, user, &record, long_list);
	if (fwrite(&record, sizeof(record), 1, w->map) != 1)
		return HXB_FAILED;
	w->user_count++;
	return HXB_OK;
}

enum hxb_result
hxb_map_writer_tombstone(struct hxb_map_writer *w, const struct hxb_map_tombstone *tombstone)
{
	struct hxb_map_tombstone_record *record;
	uint32_t name;

	if (!text_fits(tombstone->name, HXB_MAP_LOGIN_MAX, ":,"))
		return HXB_INVALID;
	if (!write_string(w, tombstone->name, &name))
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
	w->strings_size = 1;
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
	for (i = 0; i < sizeof(w->shared) / sizeof(w->shared[0]); i++)
		free(w->shared[i].text);
	free(w->private_like.items);
	free(w->roles.items);
	free(w->tombstones.items);
	free(w->user_roles.items);
	free(w);
}
