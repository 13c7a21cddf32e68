/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "libhexabot/map.h"
#include "output.h"
#include "roles.h"
#include "session.h"
#include "table.h"

struct listing {
	struct hxb_roles roles;
	unsigned *members; /* operators, per role */
};

static enum hxb_result
count_members(const struct hxb_user *user, void *context, struct hxb_error *error)
{
	struct listing *listing = context;

	(void)error;
	for (size_t i = 0; i < user->role_count; i++)
		for (size_t k = 0; k < listing->roles.count; k++)
			if (strcmp(user->roles[i].id, listing->roles.roles[k].id) == 0)
				listing->members[k]++;
	return HXB_OK;
}

static enum hxb_result
gather(struct hxb_session *session, struct listing *listing, struct hxb_error *error)
{
	struct hxb_slice slice = { .limit = 256, .more = true };
	enum hxb_result r;

	r = hxb_roles_load(session->store, &listing->roles, error);
	if (r != HXB_OK)
		return r;
	listing->members = calloc(listing->roles.count + 1, sizeof(*listing->members));
	if (listing->members == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	while (r == HXB_OK && slice.more) {
		hxb_store_set_deadline(session->store, hxb_deadline_in(HXB_CTL_DEADLINE));
		r = hxb_store_users(session->store, &slice, count_members, listing, error);
	}
	return r;
}

/* The group as the host has it now. *group is "" where the role has none; free() it. */
static enum hxb_result
find_group(const struct hxb_session *session, const struct hxb_map *map, const struct hxb_role *role,
    char **group, uint32_t *gid, struct hxb_error *error)
{
	struct hxb_map_role found;

	*gid = 0;
	if (asprintf(group, "%s%s", session->config.group_prefix, role->name) == -1) {
		*group = NULL;
		return hxb_fail(error, HXB_FAILED, "out of memory");
	}
	if (map != NULL && hxb_map_role_by_group(map, *group, &found) == HXB_MAP_FOUND)
		*gid = found.gid;
	else
		(*group)[0] = '\0';
	return HXB_OK;
}

static void
add_row(
    struct hxb_table *table, const struct hxb_role *role, const char *group, uint32_t gid, unsigned members)
{
	char gid_text[16] = "-", members_text[16];
	const char *const cells[] = { role->name, role->active ? "yes" : "no", group[0] != '\0' ? group : "-",
		gid_text, members_text };

	if (gid != 0)
		snprintf(gid_text, sizeof(gid_text), "%u", gid);
	snprintf(members_text, sizeof(members_text), "%u", members);
	hxb_table_row(table, cells, 1, role->active ? HXB_PLAIN : HXB_YELLOW);
}

static void
add_object(struct hxb_json *json, struct json_t *root, const struct hxb_role *role, const char *group,
    uint32_t gid, unsigned members)
{
	struct json_t *object = hxb_json_object(json, root, NULL);

	hxb_json_text(json, object, "id", role->id);
	hxb_json_text(json, object, "name", role->name);
	hxb_json_flag(json, object, "active", role->active);
	hxb_json_text(json, object, "group", group[0] != '\0' ? group : NULL);
	if (gid != 0)
		hxb_json_number(json, object, "gid", gid);
	else
		hxb_json_text(json, object, "gid", NULL);
	hxb_json_number(json, object, "members", members);
}

static enum hxb_result
print(const struct hxb_session *session, const struct listing *listing, struct hxb_table *table,
    struct hxb_error *error)
{
	bool as_json = session->arguments->json;
	const struct hxb_map *map = hxb_map_pin();
	struct hxb_json json = { 0 };
	struct json_t *root = as_json ? hxb_json_array(&json, NULL, NULL) : NULL;
	enum hxb_result r = HXB_OK;

	for (size_t i = 0; r == HXB_OK && i < listing->roles.count; i++) {
		const struct hxb_role *role = &listing->roles.roles[i];
		char *group = NULL;
		uint32_t gid;

		r = find_group(session, map, role, &group, &gid, error);
		if (r == HXB_OK && as_json)
			add_object(&json, root, role, group, gid, listing->members[i]);
		else if (r == HXB_OK)
			add_row(table, role, group, gid, listing->members[i]);
		free(group);
	}
	if (map != NULL)
		hxb_map_unpin(map);
	if (r != HXB_OK)
		hxb_json_free(root);
	else
		r = as_json ? hxb_json_print(&json, root, error) : hxb_table_print(table, error);
	return r;
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	static const char *const headings[] = { "ROLE", "ACTIVE", "GROUP", "GID", "MEMBERS" };
	struct hxb_table *table = hxb_table_new(5, headings);
	struct listing listing = { 0 };
	enum hxb_result r;

	if (table == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	r = gather(session, &listing, error);
	if (r == HXB_OK)
		r = print(session, &listing, table, error);
	free(listing.members);
	hxb_roles_clear(&listing.roles);
	hxb_table_free(table);
	return r;
}

const struct hxb_command hxb_cmd_role_list = {
	.name = "role list",
	.operands = "",
	.summary = "Lists the roles, with the groups that they are on this host.",
	.run = run,
};
