/* SPDX-License-Identifier: ISC */
#include "nss_hexabot.h"

static struct hxb_nss_list list;

/* All or nothing: *result stays as it was if the buffer is too small. */
static enum nss_status
fill(const struct hxb_map_user *user, struct passwd *result, char *buffer, size_t size, int *errnop)
{
	struct hxb_nss_buffer room = { buffer, size };
	struct passwd found = { .pw_uid = user->uid, .pw_gid = user->uid };

	found.pw_name = hxb_nss_copy(&room, user->login, user->length.login);
	found.pw_passwd = hxb_nss_copy(&room, "x", 1);
	/* Both at once: they lie side by side. */
	found.pw_dir = hxb_nss_copy(&room, user->home, (size_t)user->length.home + 1 + user->length.gecos);
	found.pw_shell = hxb_nss_copy(&room, user->shell, user->length.shell);
	if (found.pw_name == NULL || found.pw_passwd == NULL || found.pw_dir == NULL ||
	    found.pw_shell == NULL)
		return hxb_nss_too_small(errnop);
	found.pw_gecos = found.pw_dir + user->length.home + 1;
	*result = found;
	return NSS_STATUS_SUCCESS;
}

enum nss_status
_nss_hexabot_getpwnam_r(const char *name, struct passwd *result, char *buffer, size_t size, int *errnop)
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
_nss_hexabot_getpwuid_r(uid_t uid, struct passwd *result, char *buffer, size_t size, int *errnop)
{
	const struct hxb_map *map = hxb_map_pin();
	struct hxb_map_user user;
	enum nss_status status;

	if (map == NULL)
		return hxb_nss_no_map(errnop);
	status = hxb_nss_status(hxb_map_user_by_uid(map, uid, &user), errnop);
	if (status == NSS_STATUS_SUCCESS)
		status = fill(&user, result, buffer, size, errnop);
	hxb_map_unpin(map);
	return status;
}

enum nss_status
_nss_hexabot_setpwent(int stay_open)
{
	(void)stay_open;
	hxb_nss_list_close(&list);
	return hxb_nss_list_open(&list) == HXB_MAP_UNAVAILABLE ? NSS_STATUS_UNAVAIL : NSS_STATUS_SUCCESS;
}

enum nss_status
_nss_hexabot_getpwent_r(struct passwd *result, char *buffer, size_t size, int *errnop)
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
_nss_hexabot_endpwent(void)
{
	hxb_nss_list_close(&list);
	return NSS_STATUS_SUCCESS;
}
