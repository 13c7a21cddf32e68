/* SPDX-License-Identifier: ISC */
/* Whose user a login is: the name service's word and the map's have to agree. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "libhexabot/map.h"
#include "pam_hexabot.h"

#define BUFFER_MAX (1 << 20) /* bytes for one passwd or group entry */

/* What the name service says of a login, without the strings. */
struct account {
	uid_t uid;
	gid_t gid;
};

static bool
look_up_account(const char *login, struct account *account)
{
	struct passwd pw, *found = NULL;
	char *buffer = NULL, *grown;
	int error = ERANGE;

	for (size_t size = 1024; error == ERANGE && size <= BUFFER_MAX; size *= 4) {
		grown = realloc(buffer, size);
		if (grown == NULL)
			break;
		buffer = grown;
		error = getpwnam_r(login, &pw, buffer, size, &found);
	}
	if (found != NULL) {
		account->uid = found->pw_uid;
		account->gid = found->pw_gid;
	}
	free(buffer);
	return found != NULL;
}

/* Whether the group with this gid is the login's private group. */
static bool
is_private_group(gid_t gid, const char *login)
{
	struct group gr, *found = NULL;
	char *buffer = NULL, *grown;
	int error = ERANGE;
	bool match;

	for (size_t size = 1024; error == ERANGE && size <= BUFFER_MAX; size *= 4) {
		grown = realloc(buffer, size);
		if (grown == NULL)
			break;
		buffer = grown;
		error = getgrgid_r(gid, &gr, buffer, size, &found);
	}
	match = found != NULL &&
	    strncmp(found->gr_name, HXB_PRIVATE_GROUP_PREFIX, strlen(HXB_PRIVATE_GROUP_PREFIX)) == 0 &&
	    strcmp(found->gr_name + strlen(HXB_PRIVATE_GROUP_PREFIX), login) == 0;
	free(buffer);
	return match;
}

/* The map's word on the login. */
static enum hxb_map_status
look_up_map(struct call *call, struct hxb_map_user *copy)
{
	const struct hxb_map *map = hxb_map_pin();
	enum hxb_map_status status = HXB_MAP_UNAVAILABLE;

	if (map != NULL)
		status = hxb_map_user_by_login(map, call->login, copy);
	hxb_map_unpin(map);
	return status;
}

enum owner
owner_of(struct call *call)
{
	struct account account;
	struct hxb_map_user mapped;
	enum hxb_map_status status;

	if (!look_up_account(call->login, &account))
		return OWNER_NOBODY;
	status = look_up_map(call, &mapped);
	call->uid = account.uid;
	/* The name service has a map and we can't have one, for want of memory, say: no local user has such a
	 * group. */
	if (status == HXB_MAP_UNAVAILABLE && account.gid == account.uid &&
	    is_private_group(account.gid, call->login)) {
		hxb_fail(&call->error, HXB_UNREADABLE, "%s: can't be read", HXB_MAP_PATH);
		return OWNER_US;
	}
	if (status != HXB_MAP_FOUND || mapped.uid != account.uid)
		return OWNER_HOST;
	call->id_digest = mapped.id_digest;
	/* Our user all right, but somebody else answers for the group: then nobody knows what that group may
	 * do. */
	if (account.gid != account.uid || !is_private_group(account.gid, call->login))
		hxb_fail(&call->error, HXB_UNREADABLE,
		    "the primary group is not %s%.32s: look at /etc/nsswitch.conf", HXB_PRIVATE_GROUP_PREFIX,
		    call->login);
	return OWNER_US;
}
