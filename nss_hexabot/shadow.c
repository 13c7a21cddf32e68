/* SPDX-License-Identifier: ISC */
/*
 * The second fence behind pam_hexabot, for stacks in which pam_unix has the last word. Never a hash.
 */
#include "nss_hexabot.h"

static struct hxb_nss_list list;

static enum nss_status
fill(const struct hxb_map_user *user, struct spwd *result, char *buffer, size_t size, int *errnop)
{
	const bool denied = user->shadow == HXB_SHADOW_DENIED;
	struct hxb_nss_buffer room = { buffer, size };
	struct spwd found = {
		.sp_lstchg = user->shadow == HXB_SHADOW_INVITED ? 0 : -1,
		.sp_min = -1,
		.sp_max = -1,
		.sp_warn = -1,
		.sp_inact = -1,
		.sp_expire = denied ? 1 : -1,
		.sp_flag = ~0UL,
	};

	found.sp_namp = hxb_nss_copy(&room, user->login, user->length.login);
	found.sp_pwdp = denied ? hxb_nss_copy(&room, "!*", 2) : hxb_nss_copy(&room, "*", 1);
	if (found.sp_namp == NULL || found.sp_pwdp == NULL)
		return hxb_nss_too_small(errnop);
	*result = found;
	return NSS_STATUS_SUCCESS;
}

enum nss_status
_nss_hexabot_getspnam_r(const char *name, struct spwd *result, char *buffer, size_t size, int *errnop)
{
	const struct hxb_map *map = hxb_map_pin();
	struct hxb_map_user user;
	enum nss_status status;

	if (map == NULL)
		return hxb_nss_no_map(errnop);
	status = hxb_nss_status(hxb_map_user_by_login(map, name, &user), errnop);
	if (status == NSS_STATUS_SUCCESS)
		status = fill(&user, result, buffer, size, errnop);
	hxb_map_unpin(map);
	return status;
}

enum nss_status
_nss_hexabot_setspent(int stay_open)
{
	(void)stay_open;
	hxb_nss_list_close(&list);
	return hxb_nss_list_open(&list) == HXB_MAP_UNAVAILABLE ? NSS_STATUS_UNAVAIL : NSS_STATUS_SUCCESS;
}

enum nss_status
_nss_hexabot_getspent_r(struct spwd *result, char *buffer, size_t size, int *errnop)
{
	struct hxb_map_user user;
	enum nss_status status = hxb_nss_status(hxb_nss_list_user(&list, &user), errnop);

	if (status == NSS_STATUS_SUCCESS)
		status = fill(&user, result, buffer, size, errnop);
	if (status == NSS_STATUS_SUCCESS)
		list.next++;
	return status;
}

enum nss_status
_nss_hexabot_endspent(void)
{
	hxb_nss_list_close(&list);
	return NSS_STATUS_SUCCESS;
}
