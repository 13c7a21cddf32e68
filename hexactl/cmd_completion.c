/* SPDX-License-Identifier: ISC */
/*
 * Scripts for shells, which anybody may have; and the names that they offer, which they ask for at each press
 * of a key: from the map alone, so that neither Hexabot's database nor the ledger is touched. Where there is
 * nothing to offer nothing is said.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "completion.h"
#include "libhexabot/map.h"
#include "output.h"
#include "print.h"
#include "session.h"

typedef void each_fn(const char *name, void *context);

static void
each_user(const struct hxb_map *map, each_fn *each, void *context)
{
	enum hxb_map_status status = HXB_MAP_FOUND;
	struct hxb_map_user user;

	for (uint32_t i = 0; status != HXB_MAP_NOT_FOUND; i++)
		if ((status = hxb_map_user_at(map, i, &user)) == HXB_MAP_FOUND)
			each(user.login, context);
}

/* A role is called what its group is called, without the prefix. */
static void
each_role(const struct hxb_map *map, const char *prefix, each_fn *each, void *context)
{
	enum hxb_map_status status = HXB_MAP_FOUND;
	struct hxb_map_role role;
	size_t size = strlen(prefix);

	for (uint32_t i = 0; status != HXB_MAP_NOT_FOUND; i++)
		if ((status = hxb_map_role_head(map, i, &role)) == HXB_MAP_FOUND &&
		    strncmp(role.group, prefix, size) == 0)
			each(role.group + size, context);
}

struct printing {
	struct hxb_json json;
	struct json_t *root; /* NULL: no JSON is wanted */
};

static void
print_name(const char *name, void *context)
{
	struct printing *printing = context;

	if (printing->root != NULL)
		hxb_json_text(&printing->json, printing->root, NULL, name);
	else
		hxb_say("%s", name);
}

static enum hxb_result
print_names(struct hxb_session *session, bool users, struct hxb_error *error)
{
	const struct hxb_arguments *arguments = session->arguments;
	const struct hxb_map *map = geteuid() == 0 ? hxb_map_pin() : NULL;
	struct printing printing = { .root = NULL };
	struct hxb_error why;

	if (arguments->json)
		printing.root = hxb_json_array(&printing.json, NULL, NULL);
	if (map != NULL && users)
		each_user(map, print_name, &printing);
	else if (map != NULL && hxb_config_load(&session->config, arguments->config, 0, &why) == HXB_OK)
		each_role(map, session->config.group_prefix, print_name, &printing);
	if (map != NULL)
		hxb_map_unpin(map);
	return arguments->json ? hxb_json_print(&printing.json, printing.root, error) : HXB_OK;
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	static const struct {
		const char *shell;
		hxb_completion_fn *print;
	} scripts[] = {
		{ "bash", hxb_completion_bash },
		{ "zsh", hxb_completion_zsh },
		{ "fish", hxb_completion_fish },
	};
	const char *what = session->arguments->operands[0];

	if (strcmp(what, "users") == 0 || strcmp(what, "roles") == 0)
		return print_names(session, what[0] == 'u', error);
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		if (strcmp(what, scripts[i].shell) != 0)
			continue;
		if (session->arguments->json)
			return hxb_fail(error, HXB_INVALID, "completion: a script is no JSON");
		scripts[i].print(stdout);
		return HXB_OK;
	}
	return hxb_fail(
	    error, HXB_INVALID, "completion: '%.64s' is none of bash, zsh, fish, users, roles", what);
}

static void
notes(FILE *file)
{
	fputs("\nThe scripts are installed along with hexactl, and ask it for the names: 'users' and 'roles' "
	      "print those that\nthe host knows, to root. To whoever else, or where they can't be read, they "
	      "print nothing.\n",
	    file);
}

static const struct hxb_words words[] = {
	{ NULL, "bash zsh fish users roles" },
	{ NULL, NULL },
};

const struct hxb_command hxb_cmd_completion = {
	.name = "completion",
	.operands = "bash|zsh|fish|users|roles",
	.summary = "Prints what a shell completes command lines with: its script, or the names.",
	.operands_min = 1,
	.operands_max = 1,
	.adopts = true,
	.anybody = true,
	.words = words,
	.notes = notes,
	.run = run,
};
