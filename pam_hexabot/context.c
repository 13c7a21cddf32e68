/* SPDX-License-Identifier: ISC */
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libhexabot/map.h"
#include "libhexabot/paths.h"
#include "libhexabot/token.h"
#include "pam_hexabot.h"

bool
call_arguments(struct call *call, int argc, const char **argv)
{
	if (call->error.text[0] != '\0') /* owner_of() found something */
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

void
call_input(const struct call *call, struct hxb_verdict_input *input)
{
	*input = (struct hxb_verdict_input){
		.user = call->user,
		.held = call->held,
		.expires = call->expires,
		.login_roles = call->config.login_roles,
		.service_roles = call->config.roles,
		.invitation = call->invitation,
		.service = call->service,
		.invite_services = call->config.invite_services,
		.stale_groups = call->user != NULL && call->groups != NULL &&
		    holds_stale_group(call->user, call->groups, call->group_count),
		.now = time(NULL),
	};
}

enum hxb_result
call_judge(struct call *call, struct session *session)
{
	struct hxb_verdict_input input;
	enum hxb_result r;

	hxb_user_free(call->user);
	call->user = NULL;
	call->state = HXB_STATE_UNREADABLE;
	r = read_ledger(call, session->ledger);
	if (r == HXB_OK)
		r = hxb_store_user(session->store, HXB_BY_ID, call->id, &call->user, &call->error);
	if (r != HXB_OK && r != HXB_NOT_FOUND)
		return r;
	call_input(call, &input);
	call->state = hxb_verdict(&input);
	return HXB_OK;
}

static void
look(struct call *call, bool compare_groups, bool settle)
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
	if (call_judge(call, &session) == HXB_OK && settle)
		code_settle(call, session.ledger);
	call_leave(&session);
}

void
call_load(struct call *call, bool compare_groups)
{
	look(call, compare_groups, true);
}

void
call_look(struct call *call)
{
	look(call, true, false);
}
