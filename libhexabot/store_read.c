/* SPDX-License-Identifier: ISC */
/* Only rows of type UserOrmEntity are operators: the table also holds every chat visitor, under names of
 * their choosing. */
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "password.h"
#include "secret.h"
#include "store_private.h"

#define USER_COLUMNS \
	"id, username, email, firstName, lastName, password, created_at, updated_at," \
	" typeof(state) = 'integer' AND state = 1, rowid"
#define ROLE_COLUMNS "r.id, r.name, typeof(r.active) = 'integer' AND r.active = 1"
#define OPERATOR "type = 'UserOrmEntity'"
#define ROLES_MAX 1000 /* of one user; Hexabot has a handful */

static void
clear_role(struct hxb_role *role)
{
	free(role->id);
	free(role->name);
}

void
hxb_user_free(struct hxb_user *user)
{
	if (user == NULL)
		return;
	for (size_t i = 0; i < user->role_count; i++)
		clear_role(&user->roles[i]);
	free(user->roles);
	free(user->id);
	free(user->username);
	free(user->email);
	free(user->first_name);
	free(user->last_name);
	hxb_secret_free(user->password);
	free(user->created_at);
	free(user->updated_at);
	free(user);
}

bool
hxb_user_has_role(const struct hxb_user *user, const char *name)
{
	for (size_t i = 0; i < user->role_count; i++) {
		if (user->roles[i].active && strcmp(user->roles[i].name, name) == 0)
			return true;
	}
	return false;
}

/* Reads ROLE_COLUMNS of the present row. */
static bool
read_role(sqlite3_stmt *stmt, struct hxb_role *role)
{
	role->id = hxb_db_text(stmt, 0);
	role->name = hxb_db_text(stmt, 1);
	if (role->id == NULL || role->name == NULL)
		return false;
	role->active = sqlite3_column_int(stmt, 2) != 0;
	/* A name or id cut at a NUL would be another role's: it grants nothing, and is nobody's name. */
	if (!hxb_db_is_plain_text(stmt, 0) || !hxb_db_is_plain_text(stmt, 1)) {
		role->active = false;
		role->name[0] = '\0';
	}
	return true;
}

static enum hxb_result
read_roles(struct hxb_store *store, struct hxb_user *user, sqlite3_stmt *stmt, struct hxb_error *error)
{
	struct hxb_role *grown;
	enum hxb_result r;

	sqlite3_reset(stmt);
	sqlite3_bind_text(stmt, 1, user->id, -1, SQLITE_STATIC);
	while ((r = hxb_db_step(&store->db, stmt, error)) == HXB_OK) {
		if (user->role_count == ROLES_MAX)
			return hxb_fail(error, HXB_UNREADABLE, "%s: a user with more than %d roles",
			    store->path, ROLES_MAX);
		grown = reallocarray(user->roles, user->role_count + 1, sizeof(*user->roles));
		if (grown == NULL)
			return hxb_fail(error, HXB_FAILED, "out of memory");
		user->roles = grown;
		user->role_count++;
		if (!read_role(stmt, &user->roles[user->role_count - 1]))
			return hxb_fail(error, HXB_FAILED, "out of memory");
	}
	return r == HXB_NOT_FOUND ? HXB_OK : r;
}

/* A hash, or NULL: whatever else the column holds is no password. */
static bool
read_password(sqlite3_stmt *stmt, int column, char **password)
{
	*password = NULL;
	if (!hxb_db_is_plain_text(stmt, column) || sqlite3_column_bytes(stmt, column) >= 2 * HXB_HASH_SIZE)
		return true;
	*password = hxb_db_text(stmt, column);
	return *password != NULL;
}

/* Reads USER_COLUMNS of the present row, and the roles. */
static enum hxb_result
read_user(struct hxb_store *store, sqlite3_stmt *stmt, sqlite3_stmt *roles, struct hxb_user **userp,
    struct hxb_error *error)
{
	struct hxb_user *user;
	enum hxb_result r;

	user = calloc(1, sizeof(*user));
	if (user == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	user->id = hxb_db_text(stmt, 0);
	user->username = hxb_db_text(stmt, 1);
	user->email = hxb_db_text(stmt, 2);
	user->first_name = hxb_db_text(stmt, 3);
	user->last_name = hxb_db_text(stmt, 4);
	user->created_at = hxb_db_text(stmt, 6);
	user->updated_at = hxb_db_text(stmt, 7);
	user->enabled = sqlite3_column_int(stmt, 8) != 0;
	user->odd = !hxb_db_is_plain_text(stmt, 0) || !hxb_db_is_plain_text(stmt, 1);
	user->position = sqlite3_column_int64(stmt, 9);
	if (!read_password(stmt, 5, &user->password) || user->id == NULL || user->username == NULL ||
	    user->email == NULL || user->first_name == NULL || user->last_name == NULL ||
	    user->created_at == NULL || user->updated_at == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	else
		r = read_roles(store, user, roles, error);
	if (r == HXB_OK) {
		*userp = user;
		user = NULL;
	}
	hxb_user_free(user);
	return r;
}

static enum hxb_result
prepare_roles(struct hxb_store *store, sqlite3_stmt **roles, struct hxb_error *error)
{
	return hxb_db_query(&store->db, roles, error,
	    "SELECT " ROLE_COLUMNS
	    " FROM user_roles ur JOIN roles r ON r.id = ur.role_id WHERE ur.user_id = ?1 ORDER BY r.name",
	    "");
}

/* A user and the roles come from one transaction, our own one where none is open. */
static enum hxb_result
begin_reading(struct hxb_store *store, struct hxb_error *error)
{
	enum hxb_result r = hxb_store_enter(store, error);

	if (r == HXB_OK && !store->writing) {
		r = hxb_db_exec(&store->db, "BEGIN", error);
		if (r != HXB_OK)
			hxb_store_leave(store);
	}
	return r;
}

static void
end_reading(struct hxb_store *store)
{
	if (!store->writing)
		hxb_db_rollback(&store->db);
	hxb_store_leave(store);
}

enum hxb_result
hxb_store_user(struct hxb_store *store, enum hxb_user_field field, const char *value, struct hxb_user **userp,
    struct hxb_error *error)
{
	static const char *const queries[] = {
		[HXB_BY_ID] = "SELECT " USER_COLUMNS " FROM users WHERE " OPERATOR " AND id = ?1",
		[HXB_BY_USERNAME] = "SELECT " USER_COLUMNS " FROM users WHERE " OPERATOR " AND username = ?1",
		[HXB_BY_EMAIL] = "SELECT " USER_COLUMNS " FROM users WHERE " OPERATOR " AND email = ?1",
	};
	sqlite3_stmt *stmt = NULL, *roles = NULL;
	enum hxb_result r;

	*userp = NULL;
	r = begin_reading(store, error);
	if (r != HXB_OK)
		return r;
	r = hxb_db_query(&store->db, &stmt, error, queries[field], "t", value);
	if (r == HXB_OK)
		r = prepare_roles(store, &roles, error);
	if (r == HXB_OK)
		r = hxb_db_step(&store->db, stmt, error);
	if (r == HXB_OK)
		r = read_user(store, stmt, roles, userp, error);
	else if (r == HXB_NOT_FOUND)
		hxb_fail(error, r, "%.64s: no such user", value);
	sqlite3_finalize(stmt);
	sqlite3_finalize(roles);
	end_reading(store);
	return r;
}

/* Reads one slice into users[]; *count says how many, also on failure. */
static enum hxb_result
read_slice(struct hxb_store *store, int64_t after, unsigned limit, struct hxb_user **users, unsigned *count,
    struct hxb_error *error)
{
	sqlite3_stmt *stmt = NULL, *roles = NULL;
	enum hxb_result r;

	r = begin_reading(store, error);
	if (r != HXB_OK)
		return r;
	r = hxb_db_query(&store->db, &stmt, error,
	    "SELECT " USER_COLUMNS " FROM users WHERE " OPERATOR " AND rowid > ?1 ORDER BY rowid LIMIT ?2",
	    "ii", after, (int64_t)limit);
	if (r == HXB_OK)
		r = prepare_roles(store, &roles, error);
	while (r == HXB_OK && *count < limit && (r = hxb_db_step(&store->db, stmt, error)) == HXB_OK) {
		r = read_user(store, stmt, roles, &users[*count], error);
		if (r == HXB_OK && users[(*count)++]->position <= after)
			r = hxb_fail(error, HXB_UNREADABLE, "%s: its rows are not in order", store->path);
	}
	sqlite3_finalize(stmt);
	sqlite3_finalize(roles);
	end_reading(store);
	return r == HXB_NOT_FOUND ? HXB_OK : r;
}

enum hxb_result
hxb_store_users(struct hxb_store *store, int64_t *after, unsigned limit, bool *more, hxb_user_fn *each,
    void *context, struct hxb_error *error)
{
	struct hxb_user **users;
	unsigned count = 0;
	enum hxb_result r;

	users = calloc(limit, sizeof(struct hxb_user *));
	if (users == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	r = read_slice(store, *after, limit, users, &count, error);
	*more = count == limit;
	/* Outside of the transaction and the bracket: `each` may take its time, and touch root's files. */
	for (unsigned i = 0; i < count; i++) {
		*after = users[i]->position;
		if (r == HXB_OK)
			r = each(users[i], context, error);
		hxb_user_free(users[i]);
	}
	free(users);
	return r;
}

static enum hxb_result
read_all_roles(struct hxb_store *store, struct hxb_role **roles, size_t *count, struct hxb_error *error)
{
	sqlite3_stmt *stmt = NULL;
	struct hxb_role *grown;
	enum hxb_result r;

	r = begin_reading(store, error);
	if (r != HXB_OK)
		return r;
	r = hxb_db_query(
	    &store->db, &stmt, error, "SELECT " ROLE_COLUMNS " FROM roles r ORDER BY r.name", "");
	while (r == HXB_OK && (r = hxb_db_step(&store->db, stmt, error)) == HXB_OK) {
		grown = reallocarray(*roles, *count + 1, sizeof(**roles));
		if (grown != NULL)
			*roles = grown;
		if (grown == NULL || !read_role(stmt, &grown[(*count)++]))
			r = hxb_fail(error, HXB_FAILED, "out of memory");
	}
	sqlite3_finalize(stmt);
	end_reading(store);
	return r == HXB_NOT_FOUND ? HXB_OK : r;
}

enum hxb_result
hxb_store_roles(struct hxb_store *store, hxb_role_fn *each, void *context, struct hxb_error *error)
{
	struct hxb_role *roles = NULL;
	size_t count = 0;
	enum hxb_result r;

	r = read_all_roles(store, &roles, &count, error);
	for (size_t i = 0; i < count; i++) {
		if (r == HXB_OK)
			r = each(&roles[i], context, error);
		clear_role(&roles[i]);
	}
	free(roles);
	return r;
}

enum hxb_result
hxb_store_read_parked(
    struct hxb_store *store, const char *id, struct hxb_parked *parked, struct hxb_error *error)
{
	sqlite3_stmt *stmt = NULL;
	enum hxb_result r;

	memset(parked, 0, sizeof(*parked));
	r = begin_reading(store, error);
	if (r != HXB_OK)
		return r;
	r = hxb_db_query(
	    &store->db, &stmt, error, "SELECT password FROM users WHERE " OPERATOR " AND id = ?1", "t", id);
	if (r == HXB_OK)
		r = hxb_db_step(&store->db, stmt, error);
	if (r == HXB_OK && !hxb_db_value(stmt, 0, &parked->password))
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	sqlite3_finalize(stmt);
	if (r == HXB_OK)
		r = hxb_db_texts(&store->db, &parked->role_ids, error,
		    "SELECT role_id FROM user_roles WHERE user_id = ?1 ORDER BY role_id", id);
	end_reading(store);
	if (r != HXB_OK)
		hxb_parked_clear(parked);
	return r;
}

enum hxb_result
hxb_store_version(struct hxb_store *store, int64_t *version, struct hxb_error *error)
{
	enum hxb_result r = hxb_store_enter(store, error);

	if (r != HXB_OK)
		return r;
	r = hxb_db_number(&store->db, version, error, "PRAGMA data_version", "");
	hxb_store_leave(store);
	return r;
}

enum hxb_result
hxb_store_count_enabled(struct hxb_store *store, const char *role, unsigned *count, struct hxb_error *error)
{
	int64_t number = 0;
	enum hxb_result r = hxb_store_enter(store, error);

	if (r != HXB_OK)
		return r;
	r = hxb_db_number(&store->db, &number, error,
	    "SELECT count(*) FROM user_roles ur JOIN roles r ON r.id = ur.role_id JOIN users u ON u.id = "
	    "ur.user_id"
	    " WHERE r.name = ?1 AND typeof(r.active) = 'integer' AND r.active = 1 AND u.type = "
	    "'UserOrmEntity'"
	    " AND typeof(u.state) = 'integer' AND u.state = 1"
	    " AND substr(coalesce(u.password, ''), 1, 3) <> '$2!'",
	    "t", role);
	*count = (unsigned)number;
	hxb_store_leave(store);
	return r;
}
