/* SPDX-License-Identifier: ISC */
/*
 * Store + ledger -> map. The caller holds the publisher's lock. Order: numbers are committed to the ledger
 * before the map that shows them is installed; the map was read back before that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "map_write.h"
#include "naming.h"
#include "nscd.h"
#include "publish.h"
#include "publish_diff.h"
#include "settle.h"
#include "standing.h"
#include "token.h"
#include "trust.h"
#include "verdict.h"

#define SLICE 100 /* users read in one transaction: some milliseconds */
#define MAX_READINGS 5 /* of a store that changes all the time; each user is right in itself in any case */

const struct hxb_places hxb_host_places = {
	.state_dir = HXB_STATE_DIR,
	.passwd = "/etc/passwd",
	.group = "/etc/group",
};

/* A role that has a group, by id: users refer to it by the writer's index. */
struct mapped_role {
	char *id;
	char *group;
	uint32_t gid;
	uint32_t index;
};

/* Somebody without a number yet. */
struct newcomer {
	char *id;
	char *username;
	char *created_at;
};

struct publishing {
	const struct hxb_config *config;
	const struct hxb_publish_options *options;
	struct hxb_ledger *ledger;
	struct hxb_store *store;
	struct hxb_naming naming;
	struct hxb_map_writer *writer;
	struct hxb_diff *diff;
	struct hxb_publish_report *report;
	struct mapped_role *roles;
	size_t role_count;
	struct newcomer *newcomers;
	size_t newcomer_count;
	bool known_roles; /* whether this pass over the roles maps those with a number, or the others */
	int64_t now;
};

static enum hxb_result
no_memory(struct hxb_error *error)
{
	return hxb_fail(error, HXB_FAILED, "out of memory");
}

static bool
group_is_mapped(const struct publishing *p, const char *group)
{
	for (size_t i = 0; i < p->role_count; i++) {
		if (strcasecmp(p->roles[i].group, group) == 0)
			return true;
	}
	return false;
}

/* Puts a role's group, whose number is known, into the map. Takes over `group`. */
static enum hxb_result
map_role(struct publishing *p, const char *id, char *group, uint32_t gid, struct hxb_error *error)
{
	struct hxb_map_role role = { .group = group, .gid = gid, .id_digest = hxb_id_digest(id) };
	struct mapped_role *grown;
	enum hxb_result r;

	grown = reallocarray(p->roles, p->role_count + 1, sizeof(*grown));
	if (grown == NULL) {
		free(group);
		return no_memory(error);
	}
	p->roles = grown;
	grown[p->role_count] = (struct mapped_role){ .id = strdup(id), .group = group, .gid = gid };
	p->role_count++;
	if (grown[p->role_count - 1].id == NULL)
		return no_memory(error);
	r = hxb_map_writer_role(p->writer, &role, &grown[p->role_count - 1].index);
	return r == HXB_OK ? HXB_OK : hxb_fail(error, r, "role group %s can't be put into the map", group);
}

/* Roles that have a number come first: a newer role of the same name, case aside, is not mapped. */
static enum hxb_result
take_role(const struct hxb_role *role, void *context, struct hxb_error *error)
{
	struct publishing *p = context;
	struct hxb_entry *entry = NULL, fresh = { .kind = HXB_ENTRY_ROLE, .id = role->id };
	char empty[] = "", *group = NULL;
	enum hxb_result r;

	fresh.login = fresh.shell = fresh.home = empty;
	r = hxb_ledger_entry(p->ledger, HXB_ENTRY_ROLE, role->id, &entry, error);
	if ((r != HXB_OK && r != HXB_NOT_FOUND) || (r == HXB_OK) != p->known_roles) {
		hxb_entry_free(entry);
		return r == HXB_NOT_FOUND ? HXB_OK : r;
	}
	r = hxb_ledger_see(p->ledger, HXB_ENTRY_ROLE, role->id, error);
	if (r == HXB_OK && asprintf(&group, "%s%s", p->config->group_prefix, role->name) == -1) {
		group = NULL;
		r = no_memory(error);
	}
	if (r != HXB_OK || !hxb_login_valid(role->name) || hxb_name_reserved(role->name) ||
	    hxb_name_reserved(group) || hxb_host_has_name(p->naming.host, group) ||
	    group_is_mapped(p, group) || (entry != NULL && hxb_host_has_id(p->naming.host, entry->number)))
		goto out;
	if (entry == NULL) {
		r = hxb_naming_number(&p->naming, role->id, &fresh.number, error);
		if (r == HXB_OK)
			r = hxb_ledger_put(p->ledger, &fresh, error);
		else if (r == HXB_REFUSED) { /* none is left: everybody else's group is to be published */
			r = HXB_OK;
			goto out;
		}
		if (r != HXB_OK)
			goto out;
	}
	r = map_role(p, role->id, group, entry != NULL ? entry->number : fresh.number, error);
	group = NULL;
out:
	free(group);
	hxb_entry_free(entry);
	return r;
}

/* The indexes of the groups that the user's active roles give. NULL: no memory. */
static uint32_t *
role_indexes(const struct publishing *p, const struct hxb_user *user, uint32_t *count)
{
	uint32_t *indexes = calloc(user->role_count + 1, sizeof(*indexes));

	*count = 0;
	for (size_t i = 0; indexes != NULL && i < user->role_count; i++) {
		for (size_t k = 0; user->roles[i].active && k < p->role_count; k++) {
			if (strcmp(p->roles[k].id, user->roles[i].id) == 0)
				indexes[(*count)++] = p->roles[k].index;
		}
	}
	return indexes;
}

static enum hxb_result
write_user(
    struct publishing *p, const struct hxb_user *user, const struct hxb_entry *entry, struct hxb_error *error)
{
	struct hxb_map_user record = { .login = entry->login, .uid = entry->number };
	const struct hxb_state_rule *rule;
	struct hxb_standing standing;
	char gecos[HXB_GECOS_MAX + 1], *home, *shell;
	uint32_t *roles;
	enum hxb_result r;

	home = hxb_naming_home(&p->naming, entry);
	shell = hxb_naming_shell(&p->naming, entry);
	roles = role_indexes(p, user, &record.role_count);
	r = hxb_standing_load(p->ledger, p->config, user, entry, p->now, &standing, error);
	if (home == NULL || shell == NULL || roles == NULL)
		r = no_memory(error);
	if (r == HXB_OK) {
		hxb_gecos(user->first_name, user->last_name, gecos);
		record.gecos = gecos;
		record.home = home;
		record.shell = shell;
		record.roles = roles;
		record.id_digest = hxb_id_digest(user->id);
		rule = hxb_state_rule(standing.state);
		record.shadow = rule->shadow;
		r = hxb_map_writer_user(p->writer, &record);
		if (r == HXB_OK) {
			p->report->users++;
			r = hxb_diff_user(p->diff, user, &record, rule->name, error);
		} else if (r == HXB_INVALID) {
			/* A second row with the same id, say: it is not mapped, and keeps nobody else from
			 * being. */
			p->report->unmapped++;
			r = HXB_OK;
		} else {
			hxb_fail(error, r, "%s can't be put into the map", entry->login);
		}
	}
	hxb_standing_clear(&standing);
	free(home);
	free(shell);
	free(roles);
	return r;
}

/* Maps a user whose entry has a login and a number, unless the host has come to use them itself. */
static enum hxb_result
map_user(
    struct publishing *p, const struct hxb_user *user, const struct hxb_entry *entry, struct hxb_error *error)
{
	char reason[HXB_REASON_SIZE];

	hxb_naming_clash(&p->naming, entry, reason);
	if (reason[0] != '\0') {
		p->report->unmapped++;
		return HXB_OK;
	}
	return write_user(p, user, entry, error);
}

static enum hxb_result
remember_newcomer(struct publishing *p, const struct hxb_user *user, struct hxb_error *error)
{
	struct newcomer *grown, *last;

	grown = reallocarray(p->newcomers, p->newcomer_count + 1, sizeof(*grown));
	if (grown == NULL)
		return no_memory(error);
	p->newcomers = grown;
	last = &grown[p->newcomer_count++];
	last->id = strdup(user->id);
	last->username = strdup(user->username);
	last->created_at = strdup(user->created_at);
	return last->id == NULL || last->username == NULL || last->created_at == NULL ? no_memory(error)
	                                                                              : HXB_OK;
}

static enum hxb_result
take_user(const struct hxb_user *user, void *context, struct hxb_error *error)
{
	struct publishing *p = context;
	struct hxb_entry *entry = NULL;
	enum hxb_result r;

	if (user->odd) {
		p->report->unmapped++;
		return HXB_OK;
	}
	r = hxb_ledger_see(p->ledger, HXB_ENTRY_USER, user->id, error);
	if (r != HXB_OK)
		return r;
	r = hxb_ledger_entry(p->ledger, HXB_ENTRY_USER, user->id, &entry, error);
	if (r == HXB_NOT_FOUND && !hxb_login_valid(user->username)) {
		p->report->unmapped++;
		r = HXB_OK;
	} else if (r == HXB_NOT_FOUND || (r == HXB_OK && entry->number == 0)) {
		r = remember_newcomer(p, user, error);
	} else if (r == HXB_OK) {
		r = map_user(p, user, entry, error);
	}
	hxb_entry_free(entry);
	return r;
}

static int
older_first(const void *a, const void *b)
{
	const struct newcomer *x = a, *y = b;
	int order = strcmp(x->created_at, y->created_at);

	return order != 0 ? order : strcmp(x->id, y->id);
}

/* Each step has its time to wait for locks; how long all of them take depends on how many users there are. */
static void
next_step(const struct publishing *p)
{
	hxb_store_set_deadline(p->store, hxb_deadline_in(HXB_CTL_DEADLINE));
	hxb_ledger_set_deadline(p->ledger, hxb_deadline_in(HXB_CTL_DEADLINE));
}

/* Of two names that differ only in case, the older account's wins: so oldest first. */
static enum hxb_result
take_newcomers(struct publishing *p, struct hxb_error *error)
{
	struct hxb_user *user = NULL;
	struct hxb_entry *entry = NULL;
	char reason[HXB_REASON_SIZE];
	enum hxb_result r = HXB_OK;

	if (p->newcomer_count > 0)
		qsort(p->newcomers, p->newcomer_count, sizeof(*p->newcomers), older_first);
	for (size_t i = 0; r == HXB_OK && i < p->newcomer_count; i++) {
		next_step(p);
		r = hxb_naming_give(
		    &p->naming, p->newcomers[i].id, p->newcomers[i].username, &entry, reason, error);
		if (r == HXB_OK && entry == NULL) {
			p->report->unmapped++;
			continue;
		}
		if (r == HXB_OK)
			r = hxb_store_user(p->store, HXB_BY_ID, p->newcomers[i].id, &user, error);
		if (r == HXB_OK)
			r = map_user(p, user, entry, error);
		else if (r == HXB_NOT_FOUND)
			r = HXB_OK; /* removed just now: the next publish buries the entry */
		hxb_user_free(user);
		hxb_entry_free(entry);
		user = NULL;
		entry = NULL;
	}
	return r;
}

static enum hxb_result
add_tombstone(const struct hxb_entry *entry, void *context, struct hxb_error *error)
{
	struct publishing *p = context;
	const struct hxb_map_tombstone tombstone = {
		.name = entry->login, .number = entry->number, .id_digest = hxb_id_digest(entry->id)
	};

	enum hxb_result r;

	if (!entry->removed || (entry->login[0] == '\0' && entry->number == 0))
		return HXB_OK;
	r = hxb_map_writer_tombstone(p->writer, &tombstone);
	return r == HXB_OK ? HXB_OK
	                   : hxb_fail(error, r, "the tombstone of %s can't be put into the map",
	                         entry->login[0] != '\0' ? entry->login : entry->id);
}

static void
forget_reading(struct publishing *p)
{
	for (size_t i = 0; i < p->role_count; i++) {
		free(p->roles[i].id);
		free(p->roles[i].group);
	}
	free(p->roles);
	for (size_t i = 0; i < p->newcomer_count; i++) {
		free(p->newcomers[i].id);
		free(p->newcomers[i].username);
		free(p->newcomers[i].created_at);
	}
	free(p->newcomers);
	p->roles = NULL;
	p->newcomers = NULL;
	p->role_count = p->newcomer_count = 0;
	hxb_map_writer_free(p->writer);
	p->writer = NULL;
	hxb_diff_reset(p->diff);
}

/* One reading of the store, into the writer and the ledger's open transaction. */
static enum hxb_result
read_store(struct publishing *p, struct hxb_error *error)
{
	int64_t after = 0;
	bool more = true;
	enum hxb_result r;

	forget_reading(p);
	p->report->users = p->report->roles = p->report->unmapped = 0;
	p->writer = hxb_map_writer_new(p->config->enumerate);
	if (p->writer == NULL)
		return no_memory(error);
	r = hxb_ledger_begin(p->ledger, error);
	if (r == HXB_OK)
		r = hxb_ledger_see_none(p->ledger, error);
	p->known_roles = true;
	if (r == HXB_OK)
		r = hxb_store_roles(p->store, take_role, p, error);
	p->known_roles = false;
	if (r == HXB_OK)
		r = hxb_store_roles(p->store, take_role, p, error);
	while (r == HXB_OK && more) {
		next_step(p);
		r = hxb_store_users(p->store, &after, SLICE, &more, take_user, p, error);
	}
	if (r == HXB_OK)
		r = take_newcomers(p, error);
	next_step(p);
	if (r == HXB_OK)
		r = hxb_ledger_bury(p->ledger, error);
	if (r == HXB_OK)
		r = hxb_ledger_entries(p->ledger, add_tombstone, p, error);
	p->report->roles = (unsigned)p->role_count;
	return r;
}

/* Reads until nobody has written in between. */
static enum hxb_result
read_consistently(struct publishing *p, struct hxb_error *error)
{
	int64_t before = 0, after = 0;
	enum hxb_result r;

	for (int reading = 0; reading < MAX_READINGS; reading++) {
		r = hxb_store_version(p->store, &before, error);
		if (r == HXB_OK)
			r = read_store(p, error);
		if (r == HXB_OK)
			r = hxb_store_version(p->store, &after, error);
		if (r != HXB_OK || before == after)
			return r;
		if (reading + 1 < MAX_READINGS)
			hxb_ledger_rollback(p->ledger);
	}
	return HXB_OK;
}

static enum hxb_result
guard_against_loss(const struct publishing *p, struct hxb_error *error)
{
	unsigned before = hxb_diff_before(p->diff), lost = p->report->removed;

	if (p->options->force || before <= 10 || lost <= before / 2)
		return HXB_OK;
	return hxb_fail(error, HXB_REFUSED,
	    "publish: %u of %u users would be lost from the host; if that is right, run hexactl publish "
	    "--force",
	    lost, before);
}

static enum hxb_result
write_and_install(struct publishing *p, const char *dir, struct hxb_error *error)
{
	struct hxb_ledger_meta meta = p->naming.meta;
	enum hxb_result r;

	meta.generation++;
	p->report->generation = meta.generation;
	r = hxb_map_writer_write(p->writer, dir, meta.generation, error);
	if (r != HXB_OK || p->options->dry_run)
		return r;
	r = hxb_ledger_set_meta(p->ledger, &meta, error);
	if (r == HXB_OK)
		r = hxb_ledger_commit(p->ledger, error);
	if (r == HXB_OK)
		r = hxb_map_writer_install(p->writer, error);
	if (r == HXB_OK)
		hxb_nscd_invalidate();
	return r;
}

enum hxb_result
hxb_publish(const struct hxb_config *config, const struct hxb_places *places, struct hxb_ledger *ledger,
    struct hxb_store *store, const struct hxb_publish_options *options, struct hxb_publish_report *report,
    struct hxb_error *error)
{
	struct publishing p = { .config = config,
		.options = options,
		.ledger = ledger,
		.store = store,
		.report = report,
		.now = time(NULL) };
	enum hxb_result r;

	memset(report, 0, sizeof(*report));
	r = hxb_naming_open(&p.naming, config, places, ledger, error);
	if (r != HXB_OK)
		return r;
	r = hxb_trust_directory(places->state_dir, 0, error);
	if (r == HXB_OK)
		r = hxb_diff_open(places->state_dir, options->own_ids, &p.diff, error);
	if (r == HXB_OK)
		r = read_consistently(&p, error);
	if (r == HXB_OK)
		r = hxb_diff_record(p.diff, ledger, report, error);
	if (r == HXB_OK)
		r = hxb_invitations_settle(ledger, store, error);
	if (r == HXB_OK)
		r = guard_against_loss(&p, error);
	if (r == HXB_OK)
		r = write_and_install(&p, places->state_dir, error);
	hxb_ledger_rollback(ledger); /* what was not committed: a failure's, or a dry run's */
	if (p.diff != NULL)
		forget_reading(&p);
	hxb_diff_close(p.diff);
	hxb_naming_close(&p.naming);
	return r;
}
