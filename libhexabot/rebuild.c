/* SPDX-License-Identifier: ISC */
/* A lost ledger, from the map and the store: names and numbers must not change hands. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "names.h"
#include "publish.h"
#include "token.h"

/* The store's ids by digest, sorted. */
struct known_id {
	uint64_t digest;
	char *id;
};

struct rebuilding {
	const struct hxb_config *config;
	struct hxb_ledger *ledger;
	const struct hxb_map *map;
	struct known_id *ids;
	size_t count;
};

static enum hxb_result
know(struct rebuilding *rebuilding, const char *id, struct hxb_error *error)
{
	struct known_id *grown = reallocarray(rebuilding->ids, rebuilding->count + 1, sizeof(*grown));

	if (grown == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	rebuilding->ids = grown;
	grown[rebuilding->count].digest = hxb_id_digest(id);
	grown[rebuilding->count].id = strdup(id);
	return grown[rebuilding->count++].id == NULL ? hxb_fail(error, HXB_FAILED, "out of memory") : HXB_OK;
}

static enum hxb_result
know_user(const struct hxb_user *user, void *context, struct hxb_error *error)
{
	return know(context, user->id, error);
}

static enum hxb_result
know_role(const struct hxb_role *role, void *context, struct hxb_error *error)
{
	return know(context, role->id, error);
}

static int
compare_known(const void *a, const void *b)
{
	const struct known_id *x = a, *y = b;

	return (x->digest > y->digest) - (x->digest < y->digest);
}

/* What differs from the configuration was set by hand. The caller frees; NULL: no memory. */
static char *
set_by_hand(const char *format, const char *login, const char *shown)
{
	char *usual = hxb_expand_login(format, login), *set = NULL;

	if (usual != NULL)
		set = strdup(strcmp(usual, shown) == 0 ? "" : shown);
	free(usual);
	return set;
}

/* The id behind a digest. One that the store has no more gets a name that no id of Hexabot's has. NULL: no
 * memory. */
static char *
id_of(const struct rebuilding *rebuilding, uint64_t digest, bool *lost)
{
	const struct known_id key = { .digest = digest }, *known = NULL;
	char *id;

	if (rebuilding->count > 0)
		known = bsearch(&key, rebuilding->ids, rebuilding->count, sizeof(key), compare_known);
	*lost = known == NULL;
	if (known != NULL)
		return strdup(known->id);
	return asprintf(&id, "lost:%016" PRIx64, digest) == -1 ? NULL : id;
}

static enum hxb_result
restore(struct rebuilding *rebuilding, enum hxb_entry_kind kind, uint64_t digest, const char *login,
    uint32_t number, const char *home, const char *shell, struct hxb_error *error)
{
	struct hxb_entry entry = { .kind = kind, .number = number };
	enum hxb_result r;

	entry.id = id_of(rebuilding, digest, &entry.removed);
	entry.login = strdup(login);
	entry.home = home != NULL ? set_by_hand(rebuilding->config->home, login, home) : strdup("");
	entry.shell = shell != NULL ? set_by_hand(rebuilding->config->shell, login, shell) : strdup("");
	if (entry.id == NULL || entry.login == NULL || entry.home == NULL || entry.shell == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	else
		r = hxb_ledger_put(rebuilding->ledger, &entry, error);
	free(entry.id);
	free(entry.login);
	free(entry.home);
	free(entry.shell);
	return r;
}

/* A tombstone without a number is a login that its user has no more. */
static enum hxb_result
restore_tombstone(
    struct rebuilding *rebuilding, const struct hxb_map_tombstone *tombstone, struct hxb_error *error)
{
	enum hxb_result r;
	char *id;
	bool lost;

	if (tombstone->number != 0)
		return restore(rebuilding, tombstone->name[0] != '\0' ? HXB_ENTRY_USER : HXB_ENTRY_ROLE,
		    tombstone->id_digest, tombstone->name, tombstone->number, NULL, NULL, error);
	id = id_of(rebuilding, tombstone->id_digest, &lost);
	if (id == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	r = hxb_ledger_put_former_login(rebuilding->ledger, tombstone->name, id, error);
	free(id);
	return r;
}

static enum hxb_result
restore_all(struct rebuilding *rebuilding, struct hxb_error *error)
{
	struct hxb_map_tombstone tombstone;
	struct hxb_map_user user;
	struct hxb_map_role role;
	enum hxb_result r = HXB_OK;

	for (uint32_t i = 0;
	     r == HXB_OK && hxb_map_tombstone_at(rebuilding->map, i, &tombstone) == HXB_MAP_FOUND; i++)
		r = restore_tombstone(rebuilding, &tombstone, error);
	for (uint32_t i = 0; r == HXB_OK && hxb_map_role_at(rebuilding->map, i, &role) == HXB_MAP_FOUND; i++)
		r = restore(rebuilding, HXB_ENTRY_ROLE, role.id_digest, "", role.gid, NULL, NULL, error);
	for (uint32_t i = 0; r == HXB_OK && hxb_map_user_at(rebuilding->map, i, &user) == HXB_MAP_FOUND; i++)
		r = restore(rebuilding, HXB_ENTRY_USER, user.id_digest, user.login, user.uid, user.home,
		    user.shell, error);
	return r;
}

static enum hxb_result
know_store(struct rebuilding *rebuilding, struct hxb_store *store, struct hxb_error *error)
{
	struct hxb_slice slice = { .limit = 500, .roles = HXB_ROLES_LEFT_OUT, .more = true };
	enum hxb_result r = hxb_store_roles(store, know_role, rebuilding, error);

	while (r == HXB_OK && slice.more) {
		hxb_store_set_deadline(store, hxb_deadline_in(HXB_CTL_DEADLINE));
		r = hxb_store_users(store, &slice, know_user, rebuilding, error);
	}
	if (rebuilding->count > 0)
		qsort(rebuilding->ids, rebuilding->count, sizeof(*rebuilding->ids), compare_known);
	return r;
}

enum hxb_result
hxb_ledger_rebuild(const struct hxb_config *config, const struct hxb_places *places,
    struct hxb_ledger *ledger, struct hxb_store *store, struct hxb_error *error)
{
	struct rebuilding rebuilding = { .config = config, .ledger = ledger };
	struct hxb_map *map = NULL;
	const char *why = "";
	char *path = NULL;
	enum hxb_result r;

	if (asprintf(&path, "%s/map.1", places->state_dir) == -1)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	map = hxb_map_open(path, 0, &why);
	if (map == NULL || !hxb_map_verify(map, &why)) {
		r = hxb_fail(error, HXB_UNREADABLE,
		    "%s: %s: without a map, names and numbers can't be restored", path, why);
		goto out;
	}
	rebuilding.map = map;
	r = know_store(&rebuilding, store, error);
	if (r == HXB_OK)
		r = hxb_ledger_begin(ledger, error);
	if (r == HXB_OK)
		r = restore_all(&rebuilding, error);
	if (r == HXB_OK)
		r = hxb_ledger_commit(ledger, error);
	hxb_ledger_rollback(ledger);
out:
	for (size_t i = 0; i < rebuilding.count; i++)
		free(rebuilding.ids[i].id);
	free(rebuilding.ids);
	hxb_map_close(map);
	free(path);
	return r;
}
