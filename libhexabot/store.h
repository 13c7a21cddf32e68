/* SPDX-License-Identifier: ISC */
/*
 * The store: Hexabot's database, the one truth about who exists, with which roles, enabled or not, and with
 * which password.
 *
 * The engine is SQLite today (store_*.c); nothing outside knows SQL. Every call enters and leaves the bracket
 * (bracket.h), every statement ends before the store's deadline, every transaction is short: hash, prompt and
 * mail outside of it. HXB_BUSY: a lock was not had in time. HXB_UNREADABLE: absent, corrupt, not Hexabot's,
 * not to be trusted.
 */
#ifndef HXB_STORE_H
#define HXB_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "deadline.h"
#include "result.h"

struct hxb_store;

/* One whose id or name is no proper text has the name "" and is not active; the id is "" if it is that. */
struct hxb_role {
	char *id;
	char *name;
	bool active;
	uint64_t id_digest;
};

/*
 * An operator (type UserOrmEntity). Strings are never NULL but for password: NULL where the column
 * is no text, is longer than any hash, or holds a NUL. Text with a NUL inside is cut there, and `odd` is set.
 */
struct hxb_user {
	char *id;
	char *username;
	char *email;
	char *first_name;
	char *last_name;
	char *password;
	char *created_at; /* Hexabot's text: UTC, "YYYY-MM-DD HH:MM:SS.mmm" */
	char *updated_at;
	bool enabled; /* state is the integer 1 */
	bool odd; /* id or username is no proper text: never a login */
	struct hxb_role *roles; /* sorted by name; inactive ones too */
	size_t role_count;
	bool has_roles; /* the two above are set: see struct hxb_slice */
	int64_t position; /* for struct hxb_slice, and hxb_store_user_at() */
	size_t size; /* bytes of the block that holds this and the texts */
};

/* A column's bytes as they are, type included. */
struct hxb_value {
	char type; /* 'n' NULL, 't' text, 'b' blob */
	unsigned char *bytes;
	size_t size;
};

/* What a hold takes away from a user, and gives back to the byte. */
struct hxb_parked {
	struct hxb_value password;
	char **role_ids; /* NULL-terminated */
};

#define HXB_USER_ROLES_MAX 1000 /* Hexabot's users have a handful */

enum hxb_user_field { HXB_BY_ID, HXB_BY_USERNAME, HXB_BY_EMAIL };

/*
 * Opens the store for reading and writing (a journal left by a crash has to be rolled back even by readers).
 * `owner`: the uid recorded at init; the file's owner has to be that or root. *storep is NULL unless HXB_OK.
 */
enum hxb_result hxb_store_open(const char *path, uid_t owner, struct hxb_deadline deadline,
    struct hxb_store **storep, struct hxb_error *error);
void hxb_store_close(struct hxb_store *); /* takes NULL; rolls back what is open */
void hxb_store_set_deadline(struct hxb_store *, struct hxb_deadline deadline);

/* Makes a new store with exactly the three tables and the three seeded roles, owned by root, 0600. Refuses an
 * existing file. */
enum hxb_result hxb_store_create(const char *path, struct hxb_error *error);

/* One user with all roles, from one transaction. HXB_NOT_FOUND if there is none. The caller frees. */
enum hxb_result hxb_store_user(struct hxb_store *, enum hxb_user_field field, const char *value,
    struct hxb_user **userp, struct hxb_error *error);
enum hxb_result hxb_store_user_at(
    struct hxb_store *, int64_t position, struct hxb_user **userp, struct hxb_error *error);
void hxb_user_free(struct hxb_user *); /* takes NULL */
bool hxb_user_has_role(const struct hxb_user *, const char *name); /* active ones only */
void hxb_role_clear(struct hxb_role *);

/*
 * What is read in one transaction: at most `limit` rows and 10 milliseconds, from behind position `after` (0
 * at first), which moves on; `more` says whether there may be more.
 */
#define HXB_SLICE_TIME 10
struct hxb_slice {
	int64_t after;
	unsigned limit;
	enum {
		HXB_ROLES_READ, /* users come with their roles */
		HXB_ROLES_LEFT_OUT,
		HXB_SHOWN_ONLY, /* without roles, and without what hxb_user_digest() leaves out */
		HXB_ROLES_IF_CHANGED, /* with them only if the store is no longer at this version */
	} roles;
	int64_t version;
	bool more;
};

/* Hands users to `each`, which runs after the transaction; it does not keep the user. */
typedef enum hxb_result hxb_user_fn(const struct hxb_user *user, void *context, struct hxb_error *error);
enum hxb_result hxb_store_users(
    struct hxb_store *, struct hxb_slice *slice, hxb_user_fn *each, void *context, struct hxb_error *error);

/* Hands each user's each role to `each`, orphans and visitors among them. `each` runs within the transaction:
 * no lock, no file, no wait. */
typedef enum hxb_result hxb_membership_fn(
    const char *user_id, const char *role_id, void *context, struct hxb_error *error);
enum hxb_result hxb_store_memberships(struct hxb_store *, struct hxb_slice *slice, hxb_membership_fn *each,
    void *context, struct hxb_error *error);

/* Hands every role to `each`, by name. */
typedef enum hxb_result hxb_role_fn(const struct hxb_role *role, void *context, struct hxb_error *error);
enum hxb_result hxb_store_roles(
    struct hxb_store *, hxb_role_fn *each, void *context, struct hxb_error *error);

/* Of all that the map shows of a user, but for the roles. */
uint64_t hxb_user_digest(const struct hxb_user *);

/* Whether the store has a write-ahead log, instead of rollback journals. */
enum hxb_result hxb_store_has_log(struct hxb_store *, bool *has, struct hxb_error *error);

/* Changes whenever somebody else has committed anything to the store. */
enum hxb_result hxb_store_version(struct hxb_store *, int64_t *version, struct hxb_error *error);

/*
 * A write transaction: BEGIN IMMEDIATE ... commit or rollback. The changes below belong inside of it, the
 * lookups above may be used in it. From begin to its end all signals are blocked: no prompt, no hash, no
 * other database's wait in between.
 */
enum hxb_result hxb_store_begin(struct hxb_store *, struct hxb_error *error);
enum hxb_result hxb_store_commit(struct hxb_store *, struct hxb_error *error);
void hxb_store_rollback(struct hxb_store *);

enum hxb_result hxb_store_set_enabled(
    struct hxb_store *, const char *id, bool enabled, struct hxb_error *error);

/* Also ends a pending reset link. expected: the password column as it was read, NULL for any; HXB_CONFLICT if
 * it is another now. */
enum hxb_result hxb_store_set_password(
    struct hxb_store *, const char *id, const char *expected, const char *hash, struct hxb_error *error);

enum hxb_result hxb_store_add_role(
    struct hxb_store *, const char *id, const char *role_id, struct hxb_error *error);
enum hxb_result hxb_store_remove_role(
    struct hxb_store *, const char *id, const char *role_id, struct hxb_error *error);

/* Reads what a hold parks (in a transaction or not) / takes it away, leaving `marker` as the password / puts
 * it back. Roles that are no more, or whose id is no proper text, are left out. */
enum hxb_result hxb_store_read_parked(
    struct hxb_store *, const char *id, struct hxb_parked *parked, struct hxb_error *error);
enum hxb_result hxb_store_park(
    struct hxb_store *, const char *id, const char *marker, struct hxb_error *error);
enum hxb_result hxb_store_unpark(
    struct hxb_store *, const char *id, const struct hxb_parked *parked, struct hxb_error *error);
void hxb_parked_clear(struct hxb_parked *parked);

/* A row for somebody new: enabled, an operator, in the form that Hexabot writes. */
struct hxb_new_user {
	const char *id, *username, *email, *first_name, *last_name;
	const char *password; /* a marker */
	const char *reset_token; /* a hash; NULL: none */
};

/* HXB_REFUSED: the id, the username or the email address is taken (by a chat visitor, too). */
enum hxb_result hxb_store_add_user(
    struct hxb_store *, const struct hxb_new_user *user, struct hxb_error *error);

/* The hash of a token that lets the user set a password in Hexabot; NULL: none lets any more. expected: as
 * for hxb_store_set_password(). */
enum hxb_result hxb_store_set_reset_token(
    struct hxb_store *, const char *id, const char *expected, const char *hash, struct hxb_error *error);

/* Where Hexabot refers to the user, apart from the roles: a table's name, NULL if nowhere. It was never used
 * then. The caller frees. Reads tables of any size, so not in a transaction. */
enum hxb_result hxb_store_find_use(
    struct hxb_store *, const char *id, char **tablep, struct hxb_error *error);

/* Removes the row and its roles; Hexabot's own foreign keys say what else goes with it. */
enum hxb_result hxb_store_remove_user(struct hxb_store *, const char *id, struct hxb_error *error);

/* Enabled users with an active role of that name who have registered: for the guard of the last admin. */
enum hxb_result hxb_store_count_enabled(
    struct hxb_store *, const char *role, unsigned *count, struct hxb_error *error);

#endif
