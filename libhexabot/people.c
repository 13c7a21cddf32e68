/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "people.h"

/* Numbers of records and bytes stay below this, so that a slot, an offset or a link has 32 bits. */
#define COUNT_MAX (UINT32_C(1) << 31)

struct membership {
	uint32_t role;
	uint32_t next; /* index plus one of the same user's next; 0: the last */
};

struct hxb_people {
	struct hxb_known *known;
	char *logins; /* the first one is "" */
	struct membership *memberships;
	/* Open addressing: 0 if empty, else an index plus one and, above it, some of the hash, so that
	 * probing seldom touches another's record. */
	uint32_t *slots;
	uint64_t seed; /* ids are Hexabot's to choose: nobody is to choose ids that collide */
	size_t count, room, logins_size, logins_room, membership_count, membership_room;
	uint32_t slot_count; /* a power of two */
	uint32_t index_mask;
};

static enum hxb_result
no_memory(struct hxb_error *error)
{
	return hxb_fail(error, HXB_FAILED, "out of memory");
}

/* Room for one more of them, growing by half. */
static bool
make_room(void **items, size_t *room, size_t wanted, size_t width)
{
	size_t more = *room + *room / 2 + 256;
	void *grown;

	if (wanted <= *room)
		return true;
	if (wanted > COUNT_MAX)
		return false;
	more = more < wanted ? wanted : more;
	grown = reallocarray(*items, more, width);
	if (grown == NULL)
		return false;
	*items = grown;
	*room = more;
	return true;
}

static void
hash_of(enum hxb_entry_kind kind, const char *id, unsigned char hash[HXB_ID_HASH_SIZE])
{
	hxb_id_hash(id, hash);
	/* A user and a role may have the same id. The digest's bytes stay as they are. */
	hash[HXB_ID_HASH_SIZE - 1] ^= (unsigned char)kind;
}

/* Where probing begins; *tag: the bits of the hash that a slot keeps. */
static uint32_t
first_slot(const struct hxb_people *people, const unsigned char hash[HXB_ID_HASH_SIZE], uint32_t *tag)
{
	uint64_t h = (hxb_id_hash_digest(hash) ^ people->seed) * UINT64_C(0x9e3779b97f4a7c15);

	*tag = (uint32_t)h & ~people->index_mask;
	return (uint32_t)(h >> 32) & (people->slot_count - 1);
}

static void
enter(struct hxb_people *people, uint32_t index)
{
	uint32_t tag, at = first_slot(people, people->known[index].hash, &tag);

	while (people->slots[at] != 0)
		at = (at + 1) & (people->slot_count - 1);
	people->slots[at] = tag | (index + 1);
}

/* At most three slots of four are used. */
static bool
build_slots(struct hxb_people *people)
{
	people->slot_count = 64;
	while (people->slot_count / 4 * (size_t)3 < people->count)
		people->slot_count *= 2;
	people->index_mask = people->slot_count - 1;
	people->slots = calloc(people->slot_count, sizeof(*people->slots));
	if (people->slots == NULL)
		return false;
	for (uint32_t i = 0; i < people->count; i++) {
		if (people->known[i].kind != HXB_ENTRY_FORMER)
			enter(people, i);
	}
	return true;
}

static bool
add_login(struct hxb_people *people, const char *login, uint32_t *offset)
{
	size_t size = strlen(login) + 1;
	void *logins = people->logins;

	*offset = 0;
	if (size == 1)
		return true;
	if (!make_room(&logins, &people->logins_room, people->logins_size + size, 1))
		return false;
	people->logins = logins;
	memcpy(people->logins + people->logins_size, login, size);
	*offset = (uint32_t)people->logins_size;
	people->logins_size += size;
	return true;
}

static enum hxb_result
add(const struct hxb_entry *entry, void *context, struct hxb_error *error)
{
	struct hxb_people *people = context;
	void *known = people->known;
	struct hxb_known *last;

	if (!make_room(&known, &people->room, people->count + 1, sizeof(*last)))
		return no_memory(error);
	people->known = known;
	last = &people->known[people->count];
	*last = (struct hxb_known){
		.number = entry->number,
		.kind = entry->kind,
		.removed = entry->removed,
		.custom = entry->shell[0] != '\0' || entry->home[0] != '\0' || entry->expires != 0,
	};
	if (!add_login(people, entry->login, &last->login))
		return no_memory(error);
	hash_of(entry->kind, entry->id, last->hash);
	people->count++;
	return HXB_OK;
}

static enum hxb_result
load_holds(struct hxb_people *people, struct hxb_ledger *ledger, struct hxb_error *error)
{
	struct hxb_known *known;
	char **ids = NULL;
	enum hxb_result r = hxb_ledger_held_ids(ledger, &ids, error);

	for (size_t i = 0; ids != NULL && ids[i] != NULL; i++) {
		known = hxb_people_find(people, HXB_ENTRY_USER, ids[i]);
		if (known != NULL)
			known->held = true;
		free(ids[i]);
	}
	free(ids);
	return r;
}

enum hxb_result
hxb_people_load(struct hxb_ledger *ledger, struct hxb_people **peoplep, struct hxb_error *error)
{
	struct hxb_people *people = calloc(1, sizeof(*people));
	void *logins = NULL;
	enum hxb_result r = HXB_OK;

	*peoplep = NULL;
	if (people == NULL || !make_room(&logins, &people->logins_room, 1, 1))
		r = no_memory(error);
	if (r == HXB_OK) {
		people->logins = logins;
		people->logins[0] = '\0';
		people->logins_size = 1;
		if (getrandom(&people->seed, sizeof(people->seed), 0) != (ssize_t)sizeof(people->seed))
			r = hxb_fail(error, HXB_FAILED, "no source of randomness");
	}
	if (r == HXB_OK)
		r = hxb_ledger_entries(ledger, add, people, error);
	if (r == HXB_OK && !build_slots(people))
		r = no_memory(error);
	if (r == HXB_OK)
		r = load_holds(people, ledger, error);
	if (r == HXB_OK)
		*peoplep = people;
	else
		hxb_people_free(people);
	return r;
}

void
hxb_people_free(struct hxb_people *people)
{
	if (people == NULL)
		return;
	free(people->known);
	free(people->logins);
	free(people->memberships);
	free(people->slots);
	free(people);
}

struct hxb_known *
hxb_people_find(const struct hxb_people *people, enum hxb_entry_kind kind, const char *id)
{
	unsigned char hash[HXB_ID_HASH_SIZE];
	struct hxb_known *known;
	uint32_t at, tag, slot;

	hash_of(kind, id, hash);
	at = first_slot(people, hash, &tag);
	for (; (slot = people->slots[at]) != 0; at = (at + 1) & (people->slot_count - 1)) {
		if ((slot & ~people->index_mask) != tag)
			continue;
		known = &people->known[(slot & people->index_mask) - 1];
		if (memcmp(known->hash, hash, sizeof(hash)) == 0)
			return known;
	}
	return NULL;
}

struct hxb_known *
hxb_people_at(const struct hxb_people *people, uint32_t index)
{
	return index < people->count ? &people->known[index] : NULL;
}

const char *
hxb_people_login(const struct hxb_people *people, const struct hxb_known *known)
{
	return people->logins + known->login;
}

uint64_t
hxb_people_digest(const struct hxb_known *known)
{
	return hxb_id_hash_digest(known->hash);
}

void
hxb_people_reset(struct hxb_people *people)
{
	for (size_t i = 0; i < people->count; i++) {
		people->known[i].seen = false;
		people->known[i].memberships = 0;
	}
	people->membership_count = 0;
}

enum hxb_result
hxb_people_add_role(
    struct hxb_people *people, struct hxb_known *known, uint32_t role, struct hxb_error *error)
{
	void *memberships = people->memberships;
	uint32_t *link = &known->memberships;
	struct membership *last;
	unsigned count = 0;

	if (!make_room(&memberships, &people->membership_room, people->membership_count + 1, sizeof(*last)))
		return no_memory(error);
	people->memberships = memberships;
	/* The list is short: a user has a handful of roles. */
	for (; *link != 0 && people->memberships[*link - 1].role <= role; count++) {
		if (people->memberships[*link - 1].role == role)
			return HXB_OK;
		link = &people->memberships[*link - 1].next;
	}
	if (count >= HXB_USER_ROLES_MAX)
		return hxb_fail(error, HXB_UNREADABLE, "%s has more than %d roles",
		    hxb_people_login(people, known), HXB_USER_ROLES_MAX);
	last = &people->memberships[people->membership_count++];
	*last = (struct membership){ role, *link };
	*link = (uint32_t)people->membership_count;
	return HXB_OK;
}

uint32_t
hxb_people_roles(
    const struct hxb_people *people, const struct hxb_known *known, uint32_t *roles, uint32_t room)
{
	uint32_t count = 0;

	for (uint32_t link = known->memberships; link != 0; link = people->memberships[link - 1].next) {
		if (count < room)
			roles[count] = people->memberships[link - 1].role;
		count++;
	}
	return count;
}
