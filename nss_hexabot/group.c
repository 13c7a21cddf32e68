/* SPDX-License-Identifier: ISC */
/*
 * Role groups list their members; private groups follow from the users, and list nobody: their one user has
 * them as primary group.
 */
#include <string.h>

#include "nss_hexabot.h"

/* First the roles are listed, then the users' private groups: list.next counts those. */
static struct hxb_nss_list list;
static uint32_t next_role;

struct found {
	bool private;
	struct hxb_map_role role;
	struct hxb_map_user user;
};

static enum nss_status
fill_private(const struct hxb_map_user *user, struct group *result, char *buffer, size_t size, int *errnop)
{
	const size_t prefix = sizeof(HXB_PRIVATE_GROUP_PREFIX) - 1;
	char name[sizeof(HXB_PRIVATE_GROUP_PREFIX) + UINT8_MAX]; /* a login's length is a byte in the map */
	struct hxb_nss_buffer room = { buffer, size };
	struct group found = { .gr_gid = user->uid };

	found.gr_mem = hxb_nss_pointers(&room, 0);
	if (found.gr_mem == NULL)
		return hxb_nss_too_small(errnop);
	found.gr_mem[0] = NULL;
	memcpy(name, HXB_PRIVATE_GROUP_PREFIX, prefix);
	memcpy(name + prefix, user->login, (size_t)user->length.login + 1);
	found.gr_name = hxb_nss_copy(&room, name, prefix + user->length.login);
	found.gr_passwd = hxb_nss_copy(&room, "x", 1);
	if (found.gr_name == NULL || found.gr_passwd == NULL)
		return hxb_nss_too_small(errnop);
	*result = found;
	return NSS_STATUS_SUCCESS;
}

/* One member with a bad record makes the group UNAVAIL: half of a group would be a wrong answer. */
static enum nss_status
fill_members(const struct hxb_map *map, const struct hxb_map_role *role, char **members,
    struct hxb_nss_buffer *room, int *errnop)
{
	struct hxb_map_user user;
	uint32_t i;

	for (i = 0; i < role->member_count; i++) {
		if (hxb_map_user_at(map, role->members[i], &user) != HXB_MAP_FOUND)
			return hxb_nss_status(HXB_MAP_UNAVAILABLE, errnop);
		members[i] = hxb_nss_copy(room, user.login, user.length.login);
		if (members[i] == NULL)
			return hxb_nss_too_small(errnop);
	}
	members[i] = NULL;
	return NSS_STATUS_SUCCESS;
}

static enum nss_status
fill_role(const struct hxb_map *map, const struct hxb_map_role *role, struct group *result, char *buffer,
    size_t size, int *errnop)
{
	struct hxb_nss_buffer room = { buffer, size };
	struct group found = { .gr_gid = role->gid };
	enum nss_status status;

	found.gr_mem = hxb_nss_pointers(&room, role->member_count);
	if (found.gr_mem == NULL)
		return hxb_nss_too_small(errnop);
	found.gr_name = hxb_nss_copy(&room, role->group, strlen(role->group));
	found.gr_passwd = hxb_nss_copy(&room, "x", 1);
	if (found.gr_name == NULL || found.gr_passwd == NULL)
		return hxb_nss_too_small(errnop);
	status = fill_members(map, role, found.gr_mem, &room, errnop);
	if (status == NSS_STATUS_SUCCESS)
		*result = found;
	return status;
}

/* A user whose record is bad is no reason to look for a role instead: only NOT_FOUND goes on. */
static enum hxb_map_status
find_by_name(const struct hxb_map *map, const char *name, struct found *found)
{
	const size_t prefix = sizeof(HXB_PRIVATE_GROUP_PREFIX) - 1;
	enum hxb_map_status status = HXB_MAP_NOT_FOUND;

	if (strncmp(name, HXB_PRIVATE_GROUP_PREFIX, prefix) == 0)
		status = hxb_map_user_by_login(map, name + prefix, &found->user);
	found->private = status == HXB_MAP_FOUND;
	return status == HXB_MAP_NOT_FOUND ? hxb_map_role_by_group(map, name, &found->role) : status;
}

static enum hxb_map_status
find_by_gid(const struct hxb_map *map, gid_t gid, struct found *found)
{
	enum hxb_map_status status = hxb_map_user_by_uid(map, gid, &found->user);

	found->private = status == HXB_MAP_FOUND;
	return status == HXB_MAP_NOT_FOUND ? hxb_map_role_by_gid(map, gid, &found->role) : status;
}

static enum nss_status
fill(const struct hxb_map *map, const struct found *found, struct group *result, char *buffer, size_t size,
    int *errnop)
{
	if (found->private)
		return fill_private(&found->user, result, buffer, size, errnop);
	return fill_role(map, &found->role, result, buffer, size, errnop);
}

enum nss_status
_nss_hexabot_getgrnam_r(const char *name, struct group *result, char *buffer, size_t size, int *errnop)
{
	const struct hxb_map *map = hxb_map_pin();
	enum nss_status status;
	struct found found;

	if (map == NULL)
		return hxb_nss_no_map(errnop);
	status = hxb_nss_status(find_by_name(map, name, &found), errnop);
	if (status == NSS_STATUS_SUCCESS)
		status = fill(map, &found, result, buffer, size, errnop);
	hxb_map_unpin(map);
	return status;
}

enum nss_status
_nss_hexabot_getgrgid_r(gid_t gid, struct group *result, char *buffer, size_t size, int *errnop)
{
	const struct hxb_map *map = hxb_map_pin();
	enum nss_status status;
	struct found found;

	if (map == NULL)
		return hxb_nss_no_map(errnop);
	status = hxb_nss_status(find_by_gid(map, gid, &found), errnop);
	if (status == NSS_STATUS_SUCCESS)
		status = fill(map, &found, result, buffer, size, errnop);
	hxb_map_unpin(map);
	return status;
}

static void
rewind_list(void)
{
	hxb_nss_list_close(&list);
	next_role = 0;
}

enum nss_status
_nss_hexabot_setgrent(int stay_open)
{
	(void)stay_open;
	rewind_list();
	return hxb_nss_list_open(&list) == HXB_MAP_UNAVAILABLE ? NSS_STATUS_UNAVAIL : NSS_STATUS_SUCCESS;
}

/* NOTFOUND after the last one. What is bad is passed over, what does not fit comes again. */
static enum nss_status
next_role_group(struct group *result, char *buffer, size_t size, int *errnop)
{
	enum nss_status status = NSS_STATUS_UNAVAIL;
	enum hxb_map_status found;
	struct hxb_map_role role;

	while (status == NSS_STATUS_UNAVAIL) {
		found = hxb_map_role_at(list.map, next_role, &role);
		status = hxb_nss_status(found, errnop);
		if (status == NSS_STATUS_SUCCESS)
			status = fill_role(list.map, &role, result, buffer, size, errnop);
		if (status == NSS_STATUS_SUCCESS || status == NSS_STATUS_UNAVAIL)
			next_role++;
	}
	return status;
}

static enum nss_status
next_private_group(struct group *result, char *buffer, size_t size, int *errnop)
{
	struct hxb_map_user user;
	enum nss_status status = hxb_nss_status(hxb_nss_list_user(&list, &user), errnop);

	if (status == NSS_STATUS_SUCCESS)
		status = fill_private(&user, result, buffer, size, errnop);
	if (status == NSS_STATUS_SUCCESS)
		list.next++;
	return status;
}

enum nss_status
_nss_hexabot_getgrent_r(struct group *result, char *buffer, size_t size, int *errnop)
{
	enum nss_status status = hxb_nss_status(hxb_nss_list_open(&list), errnop);

	if (status != NSS_STATUS_SUCCESS)
		return status;
	status = next_role_group(result, buffer, size, errnop);
	return status == NSS_STATUS_NOTFOUND ? next_private_group(result, buffer, size, errnop) : status;
}

enum nss_status
_nss_hexabot_endgrent(void)
{
	rewind_list();
	return NSS_STATUS_SUCCESS;
}
