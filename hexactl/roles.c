/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "roles.h"

static enum hxb_result
keep(const struct hxb_role *role, void *context, struct hxb_error *error)
{
	struct hxb_roles *roles = context;
	struct hxb_role copy = { .active = role->active, .id_digest = role->id_digest }, *grown;

	copy.id = strdup(role->id);
	copy.name = strdup(role->name);
	grown = reallocarray(roles->roles, roles->count + 1, sizeof(*grown));
	if (grown != NULL)
		roles->roles = grown;
	if (copy.id == NULL || copy.name == NULL || grown == NULL) {
		free(copy.id);
		free(copy.name);
		return hxb_fail(error, HXB_FAILED, "out of memory");
	}
	roles->roles[roles->count++] = copy;
	return HXB_OK;
}

enum hxb_result
hxb_roles_load(struct hxb_store *store, struct hxb_roles *roles, struct hxb_error *error)
{
	*roles = (struct hxb_roles){ 0 };
	return hxb_store_roles(store, keep, roles, error);
}

void
hxb_roles_clear(struct hxb_roles *roles)
{
	for (size_t i = 0; i < roles->count; i++)
		hxb_role_clear(&roles->roles[i]);
	free(roles->roles);
	*roles = (struct hxb_roles){ 0 };
}

enum hxb_result
hxb_roles_find(
    const struct hxb_roles *roles, const char *name, const struct hxb_role **rolep, struct hxb_error *error)
{
	size_t used = 0;

	*rolep = NULL;
	for (size_t i = 0; i < roles->count; i++) {
		if (strcmp(roles->roles[i].name, name) == 0) {
			*rolep = &roles->roles[i];
			return HXB_OK;
		}
	}
	hxb_fail(error, HXB_NOT_FOUND, "%.64s: no such role; there are", name);
	for (size_t i = 0; error != NULL && i < roles->count && used < sizeof(error->text); i++) {
		used = strlen(error->text);
		snprintf(error->text + used, sizeof(error->text) - used, " %s", roles->roles[i].name);
	}
	return HXB_NOT_FOUND;
}

char *
hxb_roles_text(const struct hxb_roles *roles, char *const *ids)
{
	size_t size = 1;
	char *text, *end;

	for (size_t i = 0; i < roles->count; i++)
		size += strlen(roles->roles[i].name) + 1;
	if ((text = calloc(size, 1)) == NULL)
		return NULL;
	end = text;
	for (size_t i = 0; i < roles->count; i++) {
		if (!hxb_role_ids_have(ids, roles->roles[i].id))
			continue;
		if (end != text)
			*end++ = ' ';
		end = stpcpy(end, roles->roles[i].name);
	}
	return text;
}

size_t
hxb_role_ids_count(char *const *ids)
{
	size_t count = 0;

	while (ids != NULL && ids[count] != NULL)
		count++;
	return count;
}

bool
hxb_role_ids_have(char *const *ids, const char *id)
{
	for (size_t i = 0; ids != NULL && ids[i] != NULL; i++)
		if (strcmp(ids[i], id) == 0)
			return true;
	return false;
}

enum hxb_result
hxb_role_ids_add(char ***ids, const char *id, struct hxb_error *error)
{
	size_t count = hxb_role_ids_count(*ids);
	char **grown;

	if (*ids != NULL && hxb_role_ids_have(*ids, id))
		return HXB_OK;
	if ((grown = reallocarray(*ids, count + 2, sizeof(*grown))) == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	*ids = grown;
	grown[count + 1] = NULL;
	grown[count] = strdup(id);
	return grown[count] != NULL ? HXB_OK : hxb_fail(error, HXB_FAILED, "out of memory");
}

enum hxb_result
hxb_role_ids_copy(char *const *ids, char ***copy, struct hxb_error *error)
{
	enum hxb_result r = HXB_OK;

	if ((*copy = calloc(1, sizeof(**copy))) == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	for (size_t i = 0; r == HXB_OK && ids != NULL && ids[i] != NULL; i++)
		r = hxb_role_ids_add(copy, ids[i], error);
	return r;
}

enum hxb_result
hxb_role_ids_of(const struct hxb_user *user, char ***ids, struct hxb_error *error)
{
	enum hxb_result r = HXB_OK;

	if ((*ids = calloc(1, sizeof(**ids))) == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	for (size_t i = 0; r == HXB_OK && i < user->role_count; i++) {
		if (user->roles[i].id[0] != '\0')
			r = hxb_role_ids_add(ids, user->roles[i].id, error);
	}
	return r;
}

void
hxb_role_ids_remove(char **ids, const char *id)
{
	size_t kept = 0;

	for (size_t i = 0; ids != NULL && ids[i] != NULL; i++) {
		if (strcmp(ids[i], id) == 0)
			free(ids[i]);
		else
			ids[kept++] = ids[i];
	}
	if (ids != NULL)
		ids[kept] = NULL;
}

void
hxb_role_ids_free(char **ids)
{
	for (size_t i = 0; ids != NULL && ids[i] != NULL; i++)
		free(ids[i]);
	free(ids);
}
