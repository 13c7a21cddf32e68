/* SPDX-License-Identifier: ISC */
/*
 * Store + ledger -> map, and sshd's files of keys. The caller holds the publisher's lock.
 *
 * What must hold: a name or number is committed to the ledger before a map that shows it is installed, and
 * the map was read back before that. The store is read in slices of milliseconds; the ledger's write lock is
 * held for the newcomers, in batches, and for the events at the end, never while the store is read as a
 * whole or its lock is waited for (but by a dry run, which has one transaction, and rolls it back).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nscd.h"
#include "publish_private.h"
#include "settle.h"
#include "trust.h"

#define BATCH \
	100 /* milliseconds that a transaction of the ledger's takes at most, while there is more to do */
#define MAX_READINGS 5 /* of a store that changes all the time; each user is right in itself in any case */

const struct hxb_places hxb_host_places = {
	.state_dir = HXB_STATE_DIR,
	.passwd = "/etc/passwd",
	.group = "/etc/group",
};

void
hxb_publish_next_step(const struct hxb_publishing *p)
{
	hxb_store_set_deadline(p->store, hxb_deadline_in(HXB_CTL_DEADLINE));
	hxb_ledger_set_deadline(p->ledger, hxb_deadline_in(HXB_CTL_DEADLINE));
}

enum hxb_result
hxb_publish_begin(struct hxb_publishing *p, struct hxb_error *error)
{
	enum hxb_result r;

	if (p->begun)
		return HXB_OK;
	r = hxb_ledger_begin(p->ledger, error);
	p->begun = r == HXB_OK;
	p->batch = hxb_deadline_in(BATCH);
	return r;
}

enum hxb_result
hxb_publish_commit(struct hxb_publishing *p, struct hxb_error *error)
{
	if (!p->begun || p->options->dry_run)
		return HXB_OK;
	p->begun = false;
	return hxb_ledger_commit(p->ledger, error);
}

static void
forget_reading(struct hxb_publishing *p)
{
	hxb_publish_forget_roles(p);
	free(p->newcomers);
	p->newcomers = NULL;
	p->newcomer_count = p->newcomer_room = 0;
	hxb_map_writer_free(p->writer);
	p->writer = NULL;
	p->fingerprint = (struct hxb_fingerprint){ 0 };
	hxb_diff_reset(p->diff);
	hxb_people_reset(p->people);
	hxb_publish_reset_key_owners(p);
	*p->report = (struct hxb_publish_report){ 0 };
	p->next_change = 0;
	p->so = true;
}

/* One reading of the store: those who have a number go into the writer. */
static enum hxb_result
read_store(struct hxb_publishing *p, const char *dir, struct hxb_error *error)
{
	enum hxb_result r;

	forget_reading(p);
	r = hxb_map_writer_new(dir, p->config->enumerate, &p->writer, error);
	if (r == HXB_OK)
		r = hxb_publish_roles(p, error);
	if (r == HXB_OK)
		r = hxb_publish_users(p, error);
	return r;
}

/* Whether what was read is what the store says now. Hexabot writes all the time, but seldom what matters. */
static enum hxb_result
is_still_so(struct hxb_publishing *p, uint64_t *fingerprint, struct hxb_error *error)
{
	uint64_t now = HXB_FINGERPRINT_UNKNOWN;
	enum hxb_result r;

	*fingerprint = hxb_fingerprint_end(&p->fingerprint);
	hxb_publish_next_step(p);
	r = hxb_store_version(p->store, &p->checked, error);
	if (r != HXB_OK || p->checked == p->version || !p->so)
		return r;
	r = hxb_fingerprint_store(p->store, &now, error);
	p->so = now == *fingerprint;
	return r;
}

/* Reads until nobody has written in between. */
static enum hxb_result
read_consistently(struct hxb_publishing *p, const char *dir, uint64_t *fingerprint, struct hxb_error *error)
{
	enum hxb_result r = HXB_OK;

	for (int reading = 0; r == HXB_OK && !p->so && reading < MAX_READINGS; reading++) {
		r = read_store(p, dir, error);
		if (r == HXB_OK)
			r = is_still_so(p, fingerprint, error);
	}
	return r;
}

/* Newcomers are read once more, later than the others. */
static enum hxb_result
take_newcomers(struct hxb_publishing *p, uint64_t *fingerprint, struct hxb_error *error)
{
	uint64_t now = HXB_FINGERPRINT_UNKNOWN;
	int64_t version = p->checked;
	enum hxb_result r = hxb_publish_newcomers(p, error);

	hxb_publish_next_step(p);
	if (r == HXB_OK && p->newcomer_count > 0)
		r = hxb_store_version(p->store, &version, error);
	if (r == HXB_OK && p->so && version != p->checked) {
		r = hxb_fingerprint_store(p->store, &now, error);
		p->so = now == *fingerprint;
	}
	/* Who watches finds that this is not known to be all, and publishes once more. */
	if (!p->so)
		*fingerprint = HXB_FINGERPRINT_UNKNOWN;
	return r;
}

static int
compare_digests(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static enum hxb_result
refuse_loss(const struct hxb_publishing *p, const uint64_t *digests, size_t count, struct hxb_error *error)
{
	unsigned before = hxb_diff_before(p->diff), lost;

	if (p->options->force || before <= 10)
		return HXB_OK;
	lost = hxb_diff_missing(p->diff, digests, count);
	if (lost <= before / 2)
		return HXB_OK;
	return hxb_fail(error, HXB_REFUSED,
	    "publish: %u of %u users would be lost from the host; if that is right, run hexactl publish "
	    "--force",
	    lost, before);
}

/* Newcomers may be in the map before all the same, if the ledger is a new one: they get the same numbers. */
static enum hxb_result
guard_against_loss(const struct hxb_publishing *p, struct hxb_error *error)
{
	uint64_t *digests = calloc(p->newcomer_count + 1, sizeof(*digests));
	enum hxb_result r;

	if (digests == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	for (size_t i = 0; i < p->newcomer_count; i++)
		digests[i] = p->newcomers[i].id_digest;
	qsort(digests, p->newcomer_count, sizeof(*digests), compare_digests);
	r = refuse_loss(p, digests, p->newcomer_count, error);
	free(digests);
	return r;
}

/* Names and numbers of those who are gone, and the logins that people had before. */
static enum hxb_result
add_tombstones(struct hxb_publishing *p, struct hxb_error *error)
{
	struct hxb_map_tombstone tombstone;
	const struct hxb_known *known;
	enum hxb_result r = HXB_OK;

	for (uint32_t i = 0; r == HXB_OK && (known = hxb_people_at(p->people, i)) != NULL; i++) {
		tombstone.name = hxb_people_login(p->people, known);
		tombstone.number = known->number;
		tombstone.id_digest = hxb_people_digest(known);
		if (known->seen || (tombstone.name[0] == '\0' && tombstone.number == 0))
			continue;
		r = hxb_map_writer_tombstone(p->writer, &tombstone);
		if (r != HXB_OK)
			hxb_fail(error, r, "the tombstone of %s (%u) can't be put into the map",
			    tombstone.name, (unsigned)tombstone.number);
	}
	return r;
}

/* Whose row is gone becomes a tombstone in the ledger, too; whose is there again comes back. */
struct hxb_moved {
	struct hxb_moved *next;
	enum hxb_entry_kind kind;
	bool removed;
	char id[];
};

static bool
has_moved(const struct hxb_known *known)
{
	return known->kind != HXB_ENTRY_FORMER && known->seen == known->removed;
}

static enum hxb_result
look(const struct hxb_entry *entry, void *context, struct hxb_error *error)
{
	struct hxb_publishing *p = context;
	const struct hxb_known *known = NULL;
	struct hxb_moved *moved;
	size_t size = strlen(entry->id) + 1;

	if (entry->kind != HXB_ENTRY_FORMER)
		known = hxb_people_find(p->people, entry->kind, entry->id);
	if (known == NULL || !has_moved(known))
		return HXB_OK;
	moved = malloc(sizeof(*moved) + size);
	if (moved == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	*moved = (struct hxb_moved){ p->moved, entry->kind, !known->seen };
	memcpy(moved->id, entry->id, size);
	p->moved = moved;
	return HXB_OK;
}

/* Their ids are in the ledger only, and seldom needed. */
static enum hxb_result
find_moved(struct hxb_publishing *p, struct hxb_error *error)
{
	const struct hxb_known *known;

	for (uint32_t i = 0; (known = hxb_people_at(p->people, i)) != NULL; i++) {
		if (has_moved(known))
			return hxb_ledger_entries(p->ledger, look, p, error);
	}
	return HXB_OK;
}

/* Whoever comes back, with a backup say, comes without keys: nobody has looked after them meanwhile. */
static enum hxb_result
forget_keys(const struct hxb_publishing *p, const char *id, struct hxb_error *error)
{
	struct hxb_event event = {
		.actor = "hexabot", .action = "key", .user_id = id, .after = "gone with the user"
	};
	struct hxb_entry *entry = NULL;
	char before[32];
	unsigned count = 0;
	enum hxb_result r = hxb_ledger_forget_keys(p->ledger, id, &count, error);

	if (r != HXB_OK || count == 0)
		return r;
	snprintf(before, sizeof(before), "%u ssh key%s", count, count == 1 ? "" : "s");
	event.before = before;
	r = hxb_ledger_entry(p->ledger, HXB_ENTRY_USER, id, &entry, error);
	event.name = r == HXB_OK ? entry->login : "";
	if (r == HXB_OK)
		r = hxb_ledger_record(p->ledger, &event, error);
	hxb_entry_free(entry);
	return r;
}

static enum hxb_result
record_moved(const struct hxb_publishing *p, struct hxb_error *error)
{
	enum hxb_result r = HXB_OK;

	for (const struct hxb_moved *moved = p->moved; r == HXB_OK && moved != NULL; moved = moved->next) {
		r = hxb_ledger_set_removed(p->ledger, moved->kind, moved->id, moved->removed, error);
		if (r == HXB_OK && moved->removed && moved->kind == HXB_ENTRY_USER)
			r = forget_keys(p, moved->id, error);
	}
	return r;
}

/* What happened, in one transaction of the ledger's; then the map. */
static enum hxb_result
record_and_install(struct hxb_publishing *p, struct hxb_error *error)
{
	struct hxb_ledger_meta meta = p->naming.meta;
	struct hxb_invited *invited = NULL;
	enum hxb_result r;

	meta.generation = p->report->generation;
	r = hxb_invited_read(p->ledger, p->store, &invited, error);
	hxb_publish_next_step(p);
	if (r == HXB_OK)
		r = hxb_publish_begin(p, error);
	if (r == HXB_OK)
		r = record_moved(p, error);
	if (r == HXB_OK)
		r = hxb_diff_record(p->diff, p->ledger, p->report, error);
	if (r == HXB_OK)
		r = hxb_invited_settle(p->ledger, invited, error);
	if (r == HXB_OK)
		r = hxb_ledger_set_meta(p->ledger, &meta, error);
	if (r == HXB_OK)
		r = hxb_publish_commit(p, error);
	hxb_invited_free(invited);
	if (r != HXB_OK || p->options->dry_run)
		return r;
	r = hxb_map_writer_install(p->writer, error);
	if (r == HXB_OK)
		hxb_nscd_invalidate();
	return r;
}

static enum hxb_result
publish(struct hxb_publishing *p, const char *dir, struct hxb_error *error)
{
	struct hxb_map_info stamp = {
		.generation = p->naming.meta.generation + 1,
		.as_of = p->options->as_of != 0 ? p->options->as_of : p->now,
	};
	enum hxb_result r;

	r = hxb_people_load(p->ledger, &p->people, error);
	if (r == HXB_OK)
		r = hxb_publish_key_owners(p, error);
	if (r == HXB_OK)
		r = read_consistently(p, dir, &stamp.fingerprint, error);
	/* Before anybody is given a name: it may be another database. */
	if (r == HXB_OK)
		r = guard_against_loss(p, error);
	if (r == HXB_OK)
		r = take_newcomers(p, &stamp.fingerprint, error);
	if (r == HXB_OK)
		r = refuse_loss(p, NULL, 0, error);
	if (r == HXB_OK)
		r = add_tombstones(p, error);
	if (r == HXB_OK)
		r = find_moved(p, error);
	/* The rest needs memory, too. */
	hxb_people_free(p->people);
	p->people = NULL;
	/* Nobody's keys are to outlive what the map says of them. */
	if (r == HXB_OK)
		hxb_publish_keys(p, dir);
	stamp.next_change = p->next_change;
	p->report->generation = stamp.generation;
	if (r == HXB_OK)
		r = hxb_map_writer_write(p->writer, &stamp, error);
	if (r == HXB_OK)
		r = record_and_install(p, error);
	return r;
}

enum hxb_result
hxb_publish(const struct hxb_config *config, const struct hxb_places *places, struct hxb_ledger *ledger,
    struct hxb_store *store, const struct hxb_publish_options *options, struct hxb_publish_report *report,
    struct hxb_error *error)
{
	struct hxb_publishing p = { .config = config,
		.options = options,
		.ledger = ledger,
		.store = store,
		.report = report,
		.now = time(NULL) };
	enum hxb_result r;

	*report = (struct hxb_publish_report){ 0 };
	r = hxb_naming_open(&p.naming, config, places, ledger, error);
	if (r != HXB_OK)
		return r;
	r = hxb_trust_directory(places->state_dir, 0, error);
	if (r == HXB_OK)
		r = hxb_diff_open(places->state_dir, options->own_ids, &p.diff, error);
	if (r == HXB_OK)
		r = publish(&p, places->state_dir, error);
	hxb_ledger_rollback(ledger); /* what was not committed: a failure's, or a dry run's */
	hxb_map_writer_free(p.writer);
	hxb_publish_forget_roles(&p);
	hxb_publish_forget_key_owners(&p);
	for (struct hxb_moved *next, *moved = p.moved; moved != NULL; moved = next) {
		next = moved->next;
		free(moved);
	}
	free(p.newcomers);
	hxb_people_free(p.people);
	hxb_diff_close(p.diff);
	hxb_naming_close(&p.naming);
	return r;
}
