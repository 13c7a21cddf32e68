/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include <security/pam_ext.h>

#include "libhexabot/map.h"
#include "libhexabot/paths.h"
#include "libhexabot/token.h"
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

/* The map's word on the login. Without a map no name service of ours answers either: say why in the log. */
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

static void
log_absent_map(const struct call *call)
{
	const char *why = "";
	struct hxb_map *map = hxb_map_open(HXB_MAP_PATH, 0, &why);

	if (map == NULL)
		pam_syslog(call->pamh, LOG_ERR, "no Hexabot user is known: %s: %s; run hexactl publish",
		    HXB_MAP_PATH, why);
	hxb_map_close(map);
}

enum owner
call_owner(struct call *call)
{
	struct account account;
	struct hxb_map_user mapped;
	enum hxb_map_status status;
	const void *service = NULL;

	if (pam_get_user(call->pamh, &call->login, NULL) != PAM_SUCCESS || call->login == NULL ||
	    call->login[0] == '\0') {
		call->login = "";
		return OWNER_HOST;
	}
	if (!look_up_account(call->login, &account)) {
		if (look_up_map(call, &mapped) == HXB_MAP_UNAVAILABLE)
			log_absent_map(call);
		return OWNER_NOBODY;
	}
	if (pam_get_item(call->pamh, PAM_SERVICE, &service) == PAM_SUCCESS && service != NULL)
		call->service = service;
	else
		call->service = "";
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

bool
call_arguments(struct call *call, int argc, const char **argv)
{
	if (call->error.text[0] != '\0') /* call_owner() found something */
		return false;
	if (hxb_config_init(&call->config, &call->error) != HXB_OK)
		return false;
	for (int i = 0; i < argc; i++) {
		if (hxb_config_argument(&call->config, argv[i], &call->error) != HXB_OK)
			return false;
	}
	return true;
}

void
call_free(struct call *call)
{
	hxb_config_free(&call->config);
	hxb_user_free(call->user);
	hxb_invitation_free(call->invitation);
	hxb_invitation_free(call->code);
	free(call->groups);
	free(call->id);
	call->user = NULL;
	call->invitation = call->code = NULL;
	call->groups = NULL;
	call->id = NULL;
}

enum hxb_result
call_enter(struct call *call, struct session *session)
{
	struct hxb_ledger_meta meta;
	enum hxb_result r;

	memset(session, 0, sizeof(*session));
	r = hxb_bracket_enter(&session->bracket, 0, 0, &call->error);
	if (r != HXB_OK)
		return r;
	r = hxb_ledger_open(HXB_LEDGER_PATH, 0, call->deadline, &session->ledger, &call->error);
	if (r == HXB_OK)
		r = hxb_ledger_meta(session->ledger, &meta, &call->error);
	if (r == HXB_OK)
		r = hxb_store_open(
		    call->config.store, meta.store_uid, call->deadline, &session->store, &call->error);
	if (r != HXB_OK)
		call_leave(session);
	return r;
}

void
call_leave(struct session *session)
{
	hxb_store_close(session->store);
	hxb_ledger_close(session->ledger);
	session->store = NULL;
	session->ledger = NULL;
	hxb_bracket_leave(&session->bracket);
}

/* login -> ledger -> id; the number has to be the one that the name service told. */
static enum hxb_result
find_entry(struct call *call, struct hxb_ledger *ledger)
{
	struct hxb_entry *entry;
	enum hxb_result r;

	r = hxb_ledger_entry_by_login(ledger, call->login, &entry, &call->error);
	if (r == HXB_NOT_FOUND)
		return hxb_fail(&call->error, HXB_UNREADABLE, "ledger: no such login; run hexactl publish");
	if (r != HXB_OK)
		return r;
	if (entry->number != call->uid || strcmp(entry->login, call->login) != 0 ||
	    hxb_id_digest(entry->id) != call->id_digest) {
		r = hxb_fail(&call->error, HXB_UNREADABLE, "ledger and map disagree; run hexactl publish");
	} else {
		free(call->id);
		call->id = entry->id;
		entry->id = NULL;
		call->expires = entry->expires;
	}
	hxb_entry_free(entry);
	return r;
}

static bool
has_role_of_digest(const struct hxb_user *user, uint64_t digest)
{
	for (size_t i = 0; i < user->role_count; i++) {
		if (user->roles[i].active && user->roles[i].id_digest == digest)
			return true;
	}
	return false;
}

/* Whether one of the user's groups on the host is a role group that the store no longer gives. */
static bool
holds_stale_group(const struct hxb_user *user, const gid_t *groups, int count)
{
	const struct hxb_map *map = hxb_map_pin();
	struct hxb_map_role role;
	enum hxb_map_status status;
	bool stale = map == NULL;

	for (int i = 0; !stale && i < count; i++) {
		status = hxb_map_role_head_by_gid(map, groups[i], &role);
		stale = status == HXB_MAP_UNAVAILABLE ||
		    (status == HXB_MAP_FOUND && !has_role_of_digest(user, role.id_digest));
	}
	hxb_map_unpin(map);
	return stale;
}

/* What initgroups(3) would give now, through every name service and cache of the host. NULL: no memory. */
static gid_t *
host_groups(const struct call *call, int *count)
{
	gid_t *groups = NULL, *grown;

	*count = 64;
	for (int size = 64;;) {
		grown = reallocarray(groups, (size_t)size, sizeof(*groups));
		if (grown == NULL)
			break;
		groups = grown;
		*count = size;
		if (getgrouplist(call->login, call->uid, groups, count) >= 0)
			return groups;
		size = *count > size ? *count : size * 2;
		if (size > 65536)
			break;
	}
	free(groups);
	return NULL;
}

/* The ledger's part of the verdict. */
static enum hxb_result
read_ledger(struct call *call, struct hxb_ledger *ledger)
{
	enum hxb_result r = hxb_ledger_begin_reading(ledger, &call->error);

	if (r != HXB_OK)
		return r;
	r = find_entry(call, ledger);
	if (r == HXB_OK)
		r = hxb_ledger_held(ledger, call->id, &call->held, &call->error);
	if (r == HXB_OK)
		r = code_look_up(call, ledger);
	hxb_ledger_end_reading(ledger);
	return r;
}

enum hxb_result
call_judge(struct call *call, struct session *session)
{
	struct hxb_verdict_input input = { .now = time(NULL) };
	enum hxb_result r;

	hxb_user_free(call->user);
	call->user = NULL;
	call->state = HXB_STATE_UNREADABLE;
	r = read_ledger(call, session->ledger);
	if (r == HXB_OK)
		r = hxb_store_user(session->store, HXB_BY_ID, call->id, &call->user, &call->error);
	if (r != HXB_OK && r != HXB_NOT_FOUND)
		return r;
	input.user = call->user;
	input.held = call->held;
	input.expires = call->expires;
	input.login_roles = call->config.login_roles;
	input.service_roles = call->config.roles;
	input.invitation = call->invitation;
	input.service = call->service;
	input.invite_services = call->config.invite_services;
	input.stale_groups = call->user != NULL && call->groups != NULL &&
	    holds_stale_group(call->user, call->groups, call->group_count);
	call->state = hxb_verdict(&input);
	return HXB_OK;
}

void
call_load(struct call *call, bool compare_groups)
{
	struct session session;
	enum hxb_result r;

	call->state = HXB_STATE_UNREADABLE;
	call->deadline = hxb_deadline_in(HXB_PAM_DEADLINE);
	r = hxb_config_load(&call->config, call->config.conf, 0, &call->error);
	free(call->groups);
	call->groups = compare_groups ? host_groups(call, &call->group_count) : NULL;
	if (r == HXB_OK && compare_groups && call->groups == NULL)
		r = hxb_fail(&call->error, HXB_FAILED, "out of memory");
	if (r == HXB_OK)
		r = call_enter(call, &session);
	if (r != HXB_OK)
		return;
	if (call_judge(call, &session) == HXB_OK)
		code_settle(call, session.ledger);
	call_leave(&session);
}
