/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "publish_private.h"

#define SLICE 10000 /* memberships read in one transaction: some milliseconds */

static enum hxb_result
no_memory(struct hxb_error *error)
{
	return hxb_fail(error, HXB_FAILED, "out of memory");
}

static enum hxb_result
keep_role(const struct hxb_role *role, void *context, struct hxb_error *error)
{
	struct hxb_publishing *p = context;
	struct hxb_publish_role *grown, *last;
	struct hxb_known *known;

	grown = reallocarray(p->roles, p->role_count + 1, sizeof(*grown));
	if (grown == NULL)
		return no_memory(error);
	p->roles = grown;
	last = &grown[p->role_count++];
	*last = (struct hxb_publish_role){ .role = { .active = role->active, .id_digest = role->id_digest } };
	last->role.id = strdup(role->id);
	last->role.name = strdup(role->name);
	if (last->role.id == NULL || last->role.name == NULL)
		return no_memory(error);
	hxb_fingerprint_role(&p->fingerprint, role);
	known = hxb_people_find(p->people, HXB_ENTRY_ROLE, role->id);
	if (known != NULL)
		known->seen = true;
	return HXB_OK;
}

static int
compare_ids(const void *a, const void *b, void *context)
{
	const struct hxb_publish_role *roles = context;
	const uint32_t *x = a, *y = b;

	return strcmp(roles[*x].role.id, roles[*y].role.id);
}

static enum hxb_result
sort_by_id(struct hxb_publishing *p, struct hxb_error *error)
{
	p->roles_by_id = calloc(p->role_count + 1, sizeof(*p->roles_by_id));
	if (p->roles_by_id == NULL)
		return no_memory(error);
	for (uint32_t i = 0; i < p->role_count; i++)
		p->roles_by_id[i] = i;
	qsort_r(p->roles_by_id, p->role_count, sizeof(*p->roles_by_id), compare_ids, p->roles);
	return HXB_OK;
}

static bool
find_role(const struct hxb_publishing *p, const char *id, uint32_t *index)
{
	size_t low = 0, high = p->role_count, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		*index = p->roles_by_id[middle];
		order = strcmp(id, p->roles[*index].role.id);
		if (order == 0)
			return true;
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static bool
group_is_mapped(const struct hxb_publishing *p, const char *group)
{
	for (size_t i = 0; i < p->role_count; i++) {
		if (p->roles[i].group != NULL && strcasecmp(p->roles[i].group, group) == 0)
			return true;
	}
	return false;
}

/* Whether the host leaves this name, and number, to us. */
static bool
is_ours(const struct hxb_publishing *p, const char *name, const char *group, uint32_t number)
{
	return hxb_login_valid(name) && !hxb_name_reserved(name) && !hxb_name_reserved(group) &&
	    !hxb_host_has_name(p->naming.host, group) && !group_is_mapped(p, group) &&
	    (number == 0 || !hxb_host_has_id(p->naming.host, number));
}

/* Gives a role its number. None is left: the number is 0, and everybody else's group is to be published. */
static enum hxb_result
give_number(struct hxb_publishing *p, const char *id, uint32_t *number, struct hxb_error *error)
{
	char empty[] = "", *copy = strdup(id);
	const struct hxb_entry fresh_entry = {
		.kind = HXB_ENTRY_ROLE, .id = copy, .login = empty, .shell = empty, .home = empty
	};
	struct hxb_entry fresh = fresh_entry, *entry = NULL;
	enum hxb_result r;

	*number = 0;
	if (copy == NULL)
		return no_memory(error);
	r = hxb_publish_begin(p, error);
	/* An earlier reading may have given it. */
	if (r == HXB_OK)
		r = hxb_ledger_entry(p->ledger, HXB_ENTRY_ROLE, id, &entry, error);
	if (r == HXB_OK)
		fresh.number = entry->number;
	else if (r == HXB_NOT_FOUND &&
	    (r = hxb_naming_number(&p->naming, id, &fresh.number, error)) == HXB_OK)
		r = hxb_ledger_put(p->ledger, &fresh, error);
	if (r == HXB_OK)
		*number = fresh.number;
	hxb_entry_free(entry);
	free(copy);
	return r == HXB_REFUSED ? HXB_OK : r;
}

/* Maps a role's group if it may have one. */
static enum hxb_result
map_role(struct hxb_publishing *p, struct hxb_publish_role *role, uint32_t number, struct hxb_error *error)
{
	struct hxb_map_role record = { .id_digest = role->role.id_digest };
	char *group = NULL;
	enum hxb_result r = HXB_OK;

	if (asprintf(&group, "%s%s", p->config->group_prefix, role->role.name) == -1)
		return no_memory(error);
	if (!is_ours(p, role->role.name, group, number))
		goto out;
	if (number == 0)
		r = give_number(p, role->role.id, &number, error);
	if (r != HXB_OK || number == 0)
		goto out;
	record.group = group;
	record.gid = role->gid = number;
	r = hxb_map_writer_role(p->writer, &record, &role->index);
	if (r != HXB_OK) {
		hxb_fail(error, r, "role group %s can't be put into the map", group);
		goto out;
	}
	role->group = group;
	group = NULL;
	p->report->roles++;
out:
	free(group);
	return r;
}

/* Roles that have a number come first: a newer role of the same name, case aside, is not mapped. */
static enum hxb_result
map_roles(struct hxb_publishing *p, struct hxb_error *error)
{
	const struct hxb_known *known;
	enum hxb_result r = HXB_OK;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; r == HXB_OK && i < p->role_count; i++) {
			known = hxb_people_find(p->people, HXB_ENTRY_ROLE, p->roles[i].role.id);
			if ((known != NULL) == (pass == 0))
				r = map_role(p, &p->roles[i], known != NULL ? known->number : 0, error);
		}
	}
	return r;
}

static enum hxb_result
take_membership(const char *user_id, const char *role_id, void *context, struct hxb_error *error)
{
	struct hxb_publishing *p = context;
	struct hxb_known *known;
	uint32_t role;

	hxb_fingerprint_membership(&p->fingerprint, user_id, role_id);
	if (!find_role(p, role_id, &role) ||
	    (known = hxb_people_find(p->people, HXB_ENTRY_USER, user_id)) == NULL)
		return HXB_OK;
	return hxb_people_add_role(p->people, known, role, error);
}

enum hxb_result
hxb_publish_roles(struct hxb_publishing *p, struct hxb_error *error)
{
	struct hxb_slice slice = { .limit = SLICE, .more = true };
	enum hxb_result r;

	hxb_publish_next_step(p);
	r = hxb_store_version(p->store, &p->version, error);
	if (r == HXB_OK)
		r = hxb_store_roles(p->store, keep_role, p, error);
	if (r == HXB_OK)
		r = sort_by_id(p, error);
	if (r == HXB_OK)
		r = map_roles(p, error);
	if (r == HXB_OK)
		r = hxb_publish_commit(p, error);
	while (r == HXB_OK && slice.more) {
		hxb_publish_next_step(p);
		r = hxb_store_memberships(p->store, &slice, take_membership, p, error);
	}
	return r;
}

void
hxb_publish_forget_roles(struct hxb_publishing *p)
{
	for (size_t i = 0; i < p->role_count; i++) {
		hxb_role_clear(&p->roles[i].role);
		free(p->roles[i].group);
	}
	free(p->roles);
	free(p->roles_by_id);
	p->roles = NULL;
	p->roles_by_id = NULL;
	p->role_count = 0;
}
