/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#include "nss_hexabot.h"

/* The caller's array, as glibc hands it in: it is ours to grow, up to the limit if that is above 0. */
struct gids {
	long int *start, *size;
	gid_t **array;
	long int limit;
};

static bool
is_full(const struct gids *gids)
{
	return gids->limit > 0 && *gids->start >= gids->limit;
}

static bool
add(struct gids *gids, gid_t gid)
{
	long int size = *gids->size;
	gid_t *array;

	if (*gids->start >= size) {
		if (size > LONG_MAX / 2 || (size_t)size > SIZE_MAX / 2 / sizeof(*array))
			return false;
		size = size < 16 ? 16 : size * 2;
		if (gids->limit > 0 && size > gids->limit)
			size = gids->limit;
		array = realloc(*gids->array, (size_t)size * sizeof(*array));
		if (array == NULL)
			return false;
		*gids->array = array;
		*gids->size = size;
	}
	(*gids->array)[(*gids->start)++] = gid;
	return true;
}

static enum nss_status
add_roles(
    const struct hxb_map *map, const struct hxb_map_user *user, gid_t skip, struct gids *gids, int *errnop)
{
	struct hxb_map_role role;
	uint32_t i;

	for (i = 0; i < user->role_count && !is_full(gids); i++) {
		if (hxb_map_role_head(map, user->roles[i], &role) != HXB_MAP_FOUND)
			return hxb_nss_status(HXB_MAP_UNAVAILABLE, errnop);
		if (role.gid != skip && !add(gids, role.gid)) {
			*errnop = ENOMEM;
			return NSS_STATUS_TRYAGAIN;
		}
	}
	return NSS_STATUS_SUCCESS;
}

/* On failure *start is what it was: part of somebody's groups would be a wrong answer. */
enum nss_status
_nss_hexabot_initgroups_dyn(const char *login, gid_t skip, long int *start, long int *size, gid_t **array,
    long int limit, int *errnop)
{
	const struct hxb_map *map = hxb_map_pin();
	struct gids gids = { start, size, array, limit };
	const long int before = *start;
	struct hxb_map_user user;
	enum nss_status status;

	if (map == NULL)
		return hxb_nss_no_map(errnop);
	status = hxb_nss_status(hxb_map_user_by_login(map, login, &user), errnop);
	if (status == NSS_STATUS_SUCCESS)
		status = add_roles(map, &user, skip, &gids, errnop);
	if (status != NSS_STATUS_SUCCESS)
		*start = before;
	hxb_map_unpin(map);
	return status;
}
