/* SPDX-License-Identifier: ISC */
/* A publish in progress: what publish.c (the order of things), publish_roles.c and publish_users.c share. */
#ifndef HXB_PUBLISH_PRIVATE_H
#define HXB_PUBLISH_PRIVATE_H

#include "fingerprint.h"
#include "map_write.h"
#include "naming.h"
#include "people.h"
#include "publish.h"
#include "publish_diff.h"

/* A role of the store. `group` is NULL unless the role has one. */
struct hxb_publish_role {
	struct hxb_role role;
	char *group;
	uint32_t gid;
	uint32_t index; /* the writer's */
};

/* Somebody without a number yet. */
struct hxb_newcomer {
	int64_t position; /* in the store */
	uint64_t id_digest;
	uint64_t digest; /* hxb_user_digest() */
	char created_at[24]; /* "YYYY-MM-DD HH:MM:SS.mmm" */
};

struct hxb_moved;
struct hxb_key_owner;

struct hxb_publishing {
	const struct hxb_config *config;
	const struct hxb_publish_options *options;
	struct hxb_ledger *ledger;
	struct hxb_store *store;
	struct hxb_naming naming;
	struct hxb_people *people;
	struct hxb_map_writer *writer;
	struct hxb_diff *diff;
	struct hxb_publish_report *report;
	struct hxb_fingerprint fingerprint;
	int64_t version; /* the store's, as of which `people` know who has which role */
	struct hxb_publish_role *roles; /* by name */
	uint32_t *roles_by_id; /* the same ones' indexes */
	size_t role_count;
	struct hxb_newcomer *newcomers;
	size_t newcomer_count, newcomer_room;
	struct hxb_moved *moved; /* whose entries change */
	struct hxb_key_owner *key_owners; /* who has ssh keys, by id */
	size_t key_owner_count;
	int64_t now, next_change; /* next_change: see struct hxb_map_info */
	int64_t checked; /* the store's version that the fingerprint was found to be right for */
	bool so; /* nothing was seen to change while it was read */
	bool begun; /* a transaction of the ledger's is open */
	struct hxb_deadline batch; /* when it has lasted long enough */
};

/* Each step has its time to wait for locks; how long all of them take depends on how many users there are. */
void hxb_publish_next_step(const struct hxb_publishing *p);

/*
 * The ledger's transactions: begin does nothing within one; commit does nothing without one, nor in a dry
 * run, whose only one is rolled back at the end.
 */
enum hxb_result hxb_publish_begin(struct hxb_publishing *p, struct hxb_error *error);
enum hxb_result hxb_publish_commit(struct hxb_publishing *p, struct hxb_error *error);

/* Reads the roles, gives new ones a number, maps their groups, and reads who has them. */
enum hxb_result hxb_publish_roles(struct hxb_publishing *p, struct hxb_error *error);
void hxb_publish_forget_roles(struct hxb_publishing *p);

/* Reads the users and maps those who have a number; the others are the newcomers. */
enum hxb_result hxb_publish_users(struct hxb_publishing *p, struct hxb_error *error);
/* Gives them a login and a number, and maps them. Commits to the ledger on the way, unless it is a dry run.
 */
enum hxb_result hxb_publish_newcomers(struct hxb_publishing *p, struct hxb_error *error);

/* Who has keys: read from the ledger before the users are, then told of each of them that goes into the map.
 */
enum hxb_result hxb_publish_key_owners(struct hxb_publishing *p, struct hxb_error *error);
void hxb_publish_reset_key_owners(struct hxb_publishing *p); /* for another reading */
void hxb_publish_key_owner(
    struct hxb_publishing *p, const char *id, const struct hxb_map_user *record, bool enabled);
void hxb_publish_forget_key_owners(struct hxb_publishing *p);
/* Makes sshd's files right. What fails goes into the report, and makes the next publish due soon. */
void hxb_publish_keys(struct hxb_publishing *p, const char *state_dir);

#endif
