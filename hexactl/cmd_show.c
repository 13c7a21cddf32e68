/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "hold.h"
#include "libhexabot/map.h"
#include "libhexabot/names.h"
#include "person_output.h"
#include "roles.h"
#include "times.h"
#include "users.h"

/* Everything that is told, gathered before the first line is printed. Strings are never NULL. */
struct view {
	struct hxb_person person;
	struct hxb_hold *hold; /* NULL: none */
	char *parked; /* names of the roles that the hold parked */
	char *home;
	const char *shell;
	char reason[256]; /* why there is no login */
	char **groups; /* NULL-terminated: as the host has them now */
	size_t keys; /* how many ssh keys are in the ledger */
};

static enum hxb_result
read_groups(struct view *view, struct hxb_error *error)
{
	const struct hxb_map *map = hxb_map_pin();
	struct hxb_map_user user;
	struct hxb_map_role role;
	enum hxb_result r = HXB_OK;

	if ((view->groups = calloc(1, sizeof(*view->groups))) == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	if (r == HXB_OK && map != NULL && view->person.login != NULL &&
	    hxb_map_user_by_login(map, view->person.login, &user) == HXB_MAP_FOUND) {
		char own[sizeof(HXB_PRIVATE_GROUP_PREFIX) + HXB_LOGIN_MAX];

		snprintf(own, sizeof(own), HXB_PRIVATE_GROUP_PREFIX "%s", user.login);
		r = hxb_role_ids_add(&view->groups, own, error);
		for (uint32_t i = 0; r == HXB_OK && i < user.role_count; i++)
			if (hxb_map_role_at(map, user.roles[i], &role) == HXB_MAP_FOUND)
				r = hxb_role_ids_add(&view->groups, role.group, error);
	}
	if (map != NULL)
		hxb_map_unpin(map);
	return r;
}

static enum hxb_result
read_hold(struct hxb_session *session, struct view *view, struct hxb_error *error)
{
	struct hxb_roles roles = { 0 };
	enum hxb_result r;

	if (!view->person.standing.held)
		return HXB_OK;
	r = hxb_ledger_hold(session->ledger, view->person.user->id, &view->hold, error);
	if (r == HXB_OK)
		r = hxb_roles_load(session->store, &roles, error);
	if (r == HXB_OK && (view->parked = hxb_roles_text(&roles, view->hold->parked.role_ids)) == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	hxb_roles_clear(&roles);
	return r;
}

static enum hxb_result
count_keys(struct hxb_session *session, struct view *view, struct hxb_error *error)
{
	struct hxb_keys keys;
	enum hxb_result r = hxb_ledger_keys(session->ledger, view->person.user->id, &keys, error);

	view->keys = keys.count;
	hxb_keys_clear(&keys);
	return r;
}

static enum hxb_result
read_places(struct hxb_session *session, struct view *view, struct hxb_error *error)
{
	const struct hxb_entry *entry = view->person.entry;
	const struct hxb_config *config = &session->config;
	enum hxb_result r;

	if (view->person.login == NULL) {
		r = hxb_unmapped_reason(
		    config, &hxb_host_places, session->ledger, view->person.user, view->reason, error);
		if (r == HXB_OK && view->reason[0] == '\0')
			snprintf(view->reason, sizeof(view->reason), "not yet published");
		return r;
	}
	view->shell = entry->shell[0] != '\0' ? entry->shell : config->shell;
	view->home = hxb_expand_login(entry->home[0] != '\0' ? entry->home : config->home, entry->login);
	return view->home != NULL ? HXB_OK : hxb_fail(error, HXB_FAILED, "out of memory");
}

static void line(struct hxb_table *table, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
line(struct hxb_table *table, const char *key, const char *format, ...)
{
	char *value = NULL;
	const char *cells[2] = { key, NULL };
	va_list args;

	va_start(args, format);
	if (vasprintf(&value, format, args) == -1)
		value = NULL;
	va_end(args);
	cells[1] = value != NULL ? value : "?";
	hxb_table_row(table, cells, 2, HXB_PLAIN);
	free(value);
}

static void
time_line(struct hxb_table *table, const char *key, const char *text)
{
	char local[HXB_TIME_SIZE];
	int64_t seconds;

	if (hxb_time_read(text, &seconds) == HXB_OK)
		hxb_time_local(seconds, local);
	else
		snprintf(local, sizeof(local), "%s", "not a time");
	line(table, key, "%s", local);
}

static void
host_lines(struct hxb_table *table, const struct view *view)
{
	const struct hxb_person *person = &view->person;
	char groups[512] = "", expires[HXB_TIME_SIZE] = "never";

	if (person->login == NULL) {
		line(table, "login", "none: %s", view->reason);
		return;
	}
	for (size_t i = 0; view->groups[i] != NULL; i++) {
		size_t used = strlen(groups);

		snprintf(groups + used, sizeof(groups) - used, "%s%s", used > 0 ? " " : "", view->groups[i]);
	}
	if (person->entry->expires != 0)
		hxb_time_local(person->entry->expires, expires);
	line(table, "login", "%s", person->login);
	line(table, "uid", "%u", person->entry->number);
	line(table, "groups", "%s", groups);
	line(table, "home", "%s", view->home);
	line(table, "shell", "%s", view->shell);
	line(table, "expires", "%s", expires);
}

static void
hold_lines(struct hxb_table *table, const struct view *view)
{
	char since[HXB_TIME_SIZE];
	int64_t seconds;

	if (view->hold == NULL)
		return;
	if (hxb_time_read(view->hold->since, &seconds) == HXB_OK)
		hxb_time_local(seconds, since);
	else
		snprintf(since, sizeof(since), "?");
	line(table, "held", "since %s by %s", since, view->hold->actor);
	if (hxb_hold_is_unread(view->hold))
		line(table, "parked", "nothing yet: 'hexactl disable --hold' again");
	else
		line(table, "parked", "the password, %s%s",
		    view->parked[0] != '\0' ? "the roles " : "no role", view->parked);
}

static void
invitation_lines(struct hxb_table *table, const struct hxb_person *person)
{
	const struct hxb_invitation *invitation = person->standing.invitation;
	char when[HXB_TIME_SIZE], until[HXB_TIME_SIZE];

	if (invitation == NULL)
		return;
	hxb_time_local(invitation->created, when);
	hxb_time_local(invitation->expires, until);
	line(table, "invited", "%s by %s, %s", when, invitation->actor, hxb_person_delivery(invitation));
	if (hxb_person_is_invited(person))
		line(table, "good until", "%s", until);
	else
		line(table, "good until", "%s; no longer good: 'hexactl resend' sends another code", until);
}

static enum hxb_result
print_text(const struct view *view, struct hxb_error *error)
{
	const struct hxb_state_rule *rule = hxb_state_rule(view->person.standing.state);
	const struct hxb_user *user = view->person.user;
	struct hxb_table *table = hxb_table_new(2, NULL);
	char *roles = hxb_person_roles(&view->person), *name = hxb_person_full_name(&view->person);
	const char *const state[] = { "state", rule->name };
	enum hxb_result r = HXB_FAILED;

	if (table == NULL || roles == NULL || name == NULL) {
		hxb_fail(error, r, "out of memory");
		goto out;
	}
	host_lines(table, view);
	hxb_table_row(table, state, 1, hxb_person_colour(&view->person));
	if (strcmp(rule->name, rule->reason) != 0)
		line(table, "reason", "%s", rule->reason);
	hold_lines(table, view);
	invitation_lines(table, &view->person);
	if (view->keys > 0)
		line(table, "ssh keys", "%zu", view->keys);
	line(table, "roles", "%s", roles);
	line(table, "username", "%s", user->username);
	line(table, "email", "%s", user->email);
	line(table, "name", "%s", name);
	line(table, "id", "%s", user->id);
	time_line(table, "created", user->created_at);
	time_line(table, "updated", user->updated_at);
	r = hxb_table_print(table, error);
out:
	hxb_table_free(table);
	free(name);
	free(roles);
	return r;
}

static enum hxb_result
print_json(const struct view *view, struct hxb_error *error)
{
	bool mapped = view->person.login != NULL;
	struct hxb_json json = { 0 };
	struct json_t *root = hxb_json_object(&json, NULL, NULL), *list;
	char expires[HXB_TIME_SIZE] = "";

	hxb_person_json(&json, root, &view->person, view->reason);
	if (mapped && view->person.entry->expires != 0)
		hxb_time_utc(view->person.entry->expires, expires);
	list = hxb_json_array(&json, root, "groups");
	for (size_t i = 0; view->groups[i] != NULL; i++)
		hxb_json_text(&json, list, NULL, view->groups[i]);
	hxb_json_text(&json, root, "home", view->home);
	hxb_json_text(&json, root, "shell", view->shell);
	hxb_json_text(&json, root, "expires", expires[0] != '\0' ? expires : NULL);
	hxb_json_text(&json, root, "held_since", view->hold != NULL ? view->hold->since : NULL);
	hxb_json_text(&json, root, "held_by", view->hold != NULL ? view->hold->actor : NULL);
	hxb_json_text(&json, root, "parked_roles", view->parked);
	hxb_json_number(&json, root, "ssh_keys", (int64_t)view->keys);
	return hxb_json_print(&json, root, error);
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	struct view view = { 0 };
	char *id = NULL;
	enum hxb_result r;

	r = hxb_user_find(session, session->arguments->operands[0], &id, error);
	if (r == HXB_OK)
		r = hxb_person_load(session, id, &view.person, error);
	if (r == HXB_OK)
		r = read_hold(session, &view, error);
	if (r == HXB_OK)
		r = count_keys(session, &view, error);
	if (r == HXB_OK)
		r = read_places(session, &view, error);
	if (r == HXB_OK)
		r = read_groups(&view, error);
	if (r == HXB_OK)
		r = session->arguments->json ? print_json(&view, error) : print_text(&view, error);
	hxb_role_ids_free(view.groups);
	free(view.home);
	free(view.parked);
	hxb_hold_free(view.hold);
	hxb_person_clear(&view.person);
	free(id);
	return r;
}

const struct hxb_command hxb_cmd_show = {
	.name = "show",
	.operands = "USER",
	.summary = "Shows one user: in Hexabot and on this host.",
	.operands_min = 1,
	.operands_max = 1,
	.run = run,
};
