/* SPDX-License-Identifier: ISC */
/* What is asked of Hexabot's tables. Rows become users and roles in store_rows.c. */
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "store_rows.h"

static enum hxb_result
prepare_roles(struct hxb_store *store, sqlite3_stmt **roles, struct hxb_error *error)
{
	return hxb_db_query(&store->db, roles, error,
	    "SELECT " HXB_ROLE_COLUMNS
	    " FROM user_roles ur JOIN roles r ON r.id = ur.role_id WHERE ur.user_id = "
	    "?1 ORDER BY r.name, r.id",
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

/* The first row of a prepared statement, with the roles. */
static enum hxb_result
first_user(struct hxb_store *store, sqlite3_stmt *stmt, struct hxb_user **userp, struct hxb_error *error)
{
	sqlite3_stmt *roles = NULL;
	enum hxb_result r = prepare_roles(store, &roles, error);

	if (r == HXB_OK)
		r = hxb_db_step(&store->db, stmt, error);
	if (r == HXB_OK)
		r = hxb_row_user(store, stmt, false, roles, userp, error);
	hxb_db_end(&store->db, roles);
	return r;
}

enum hxb_result
hxb_store_user(struct hxb_store *store, enum hxb_user_field field, const char *value, struct hxb_user **userp,
    struct hxb_error *error)
{
	static const char *const queries[] = {
		[HXB_BY_ID] = "SELECT " HXB_USER_COLUMNS " FROM users WHERE " HXB_OPERATOR " AND id = ?1",
		[HXB_BY_USERNAME] =
		    "SELECT " HXB_USER_COLUMNS " FROM users WHERE " HXB_OPERATOR " AND username = ?1",
		[HXB_BY_EMAIL] =
		    "SELECT " HXB_USER_COLUMNS " FROM users WHERE " HXB_OPERATOR " AND email = ?1",
	};
	sqlite3_stmt *stmt = NULL;
	enum hxb_result r;

	*userp = NULL;
	r = begin_reading(store, error);
	if (r != HXB_OK)
		return r;
	r = hxb_db_query(&store->db, &stmt, error, queries[field], "t", value);
	if (r == HXB_OK)
		r = first_user(store, stmt, userp, error);
	if (r == HXB_NOT_FOUND)
		hxb_fail(error, r, "%.64s: no such user", value);
	hxb_db_end(&store->db, stmt);
	end_reading(store);
	return r;
}

enum hxb_result
hxb_store_user_at(struct hxb_store *store, int64_t position, struct hxb_user **userp, struct hxb_error *error)
{
	sqlite3_stmt *stmt = NULL;
	enum hxb_result r;

	*userp = NULL;
	r = begin_reading(store, error);
	if (r != HXB_OK)
		return r;
	r = hxb_db_query(&store->db, &stmt, error,
	    "SELECT " HXB_USER_COLUMNS " FROM users WHERE " HXB_OPERATOR " AND rowid = ?1", "i", position);
	if (r == HXB_OK)
		r = first_user(store, stmt, userp, error);
	hxb_db_end(&store->db, stmt);
	end_reading(store);
	return r;
}

/* Whether to go on: a reader delays Hexabot's commits for as long as its transaction lasts. */
static bool
slice_goes_on(const struct hxb_slice *slice, unsigned count, const struct hxb_deadline *end)
{
	return count < slice->limit && (count % 64 != 0 || hxb_deadline_left(end) > 0 || count == 0);
}

/* The statement for the roles, unless the caller knows them all: nobody has committed since. */
static enum hxb_result
prepare_slice(struct hxb_store *store, const struct hxb_slice *slice, sqlite3_stmt **stmt,
    sqlite3_stmt **roles, struct hxb_error *error)
{
	static const char all[] = "SELECT " HXB_USER_COLUMNS " FROM users WHERE " HXB_OPERATOR
	                          " AND rowid > ?1 ORDER BY rowid LIMIT ?2";
	static const char shown[] = "SELECT " HXB_SHOWN_COLUMNS " FROM users WHERE " HXB_OPERATOR
	                            " AND rowid > ?1 ORDER BY rowid LIMIT ?2";
	int64_t version = 0;
	enum hxb_result r = HXB_OK;

	if (slice->roles == HXB_ROLES_IF_CHANGED)
		r = hxb_db_number(&store->db, &version, error, "PRAGMA data_version", "");
	if (r == HXB_OK)
		r = hxb_db_query(&store->db, stmt, error, slice->roles == HXB_SHOWN_ONLY ? shown : all, "ii",
		    slice->after, (int64_t)slice->limit);
	if (r == HXB_OK &&
	    (slice->roles == HXB_ROLES_READ ||
	        (slice->roles == HXB_ROLES_IF_CHANGED && version != slice->version)))
		r = prepare_roles(store, roles, error);
	return r;
}

/* Reads one slice into users[]; *count says how many, also on failure. */
static enum hxb_result
read_slice(struct hxb_store *store, const struct hxb_slice *slice, struct hxb_user **users, unsigned *count,
    struct hxb_error *error)
{
	sqlite3_stmt *stmt = NULL, *roles = NULL;
	struct hxb_deadline end;
	enum hxb_result r;

	r = begin_reading(store, error);
	if (r != HXB_OK)
		return r;
	r = prepare_slice(store, slice, &stmt, &roles, error);
	end = hxb_deadline_in(HXB_SLICE_TIME);
	while (r == HXB_OK && slice_goes_on(slice, *count, &end) &&
	    (r = hxb_db_step(&store->db, stmt, error)) == HXB_OK) {
		r = hxb_row_user(store, stmt, slice->roles == HXB_SHOWN_ONLY, roles, &users[*count], error);
		if (r == HXB_OK && users[(*count)++]->position <= slice->after)
			r = hxb_fail(error, HXB_UNREADABLE, "%s: its rows are not in order", store->path);
	}
	hxb_db_end(&store->db, stmt);
	hxb_db_end(&store->db, roles);
	end_reading(store);
	return r;
}

enum hxb_result
hxb_store_users(struct hxb_store *store, struct hxb_slice *slice, hxb_user_fn *each, void *context,
    struct hxb_error *error)
{
	struct hxb_user **users;
	unsigned count = 0;
	enum hxb_result r;

	users = calloc(slice->limit, sizeof(struct hxb_user *));
	if (users == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	r = read_slice(store, slice, users, &count, error);
	slice->more = r == HXB_OK;
	if (r == HXB_NOT_FOUND)
		r = HXB_OK;
	/* Outside of the transaction and the bracket: `each` may take its time, and touch root's files. */
	for (unsigned i = 0; i < count; i++) {
		slice->after = users[i]->position;
		if (r == HXB_OK)
			r = each(users[i], context, error);
		hxb_user_free(users[i]);
	}
	free(users);
	return r;
}

enum hxb_result
hxb_store_memberships(struct hxb_store *store, struct hxb_slice *slice, hxb_membership_fn *each,
    void *context, struct hxb_error *error)
{
	sqlite3_stmt *stmt = NULL;
	struct hxb_deadline end;
	unsigned count = 0;
	int64_t position;
	enum hxb_result r;

	r = begin_reading(store, error);
	if (r != HXB_OK)
		return r;
	r = hxb_db_query(&store->db, &stmt, error,
	    "SELECT user_id, role_id, rowid FROM user_roles WHERE rowid > ?1 ORDER BY rowid LIMIT ?2", "ii",
	    slice->after, (int64_t)slice->limit);
	end = hxb_deadline_in(HXB_SLICE_TIME);
	while (r == HXB_OK && slice_goes_on(slice, count, &end) &&
	    (r = hxb_db_step(&store->db, stmt, error)) == HXB_OK) {
		position = sqlite3_column_int64(stmt, 2);
		if (position <= slice->after)
			r = hxb_fail(error, HXB_UNREADABLE, "%s: its rows are not in order", store->path);
		else if (hxb_db_is_plain_text(stmt, 0) && hxb_db_is_plain_text(stmt, 1))
			r = each((const char *)sqlite3_column_text(stmt, 0),
			    (const char *)sqlite3_column_text(stmt, 1), context, error);
		slice->after = position;
		count++;
	}
	hxb_db_end(&store->db, stmt);
	end_reading(store);
	slice->more = r == HXB_OK;
	return r == HXB_NOT_FOUND ? HXB_OK : r;
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
	    &store->db, &stmt, error, "SELECT " HXB_ROLE_COLUMNS " FROM roles r ORDER BY r.name, r.id", "");
	while (r == HXB_OK && (r = hxb_db_step(&store->db, stmt, error)) == HXB_OK) {
		grown = reallocarray(*roles, *count + 1, sizeof(**roles));
		if (grown != NULL)
			*roles = grown;
		if (grown == NULL || !hxb_row_role(stmt, &grown[(*count)++]))
			r = hxb_fail(error, HXB_FAILED, "out of memory");
	}
	hxb_db_end(&store->db, stmt);
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
		hxb_role_clear(&roles[i]);
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
	r = hxb_db_query(&store->db, &stmt, error,
	    "SELECT password FROM users WHERE " HXB_OPERATOR " AND id = ?1", "t", id);
	if (r == HXB_OK)
		r = hxb_db_step(&store->db, stmt, error);
	if (r == HXB_OK && !hxb_db_value(stmt, 0, &parked->password))
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	hxb_db_end(&store->db, stmt);
	if (r == HXB_OK)
		r = hxb_db_texts(&store->db, &parked->role_ids, error,
		    "SELECT role_id FROM user_roles WHERE user_id = ?1 AND typeof(role_id) = 'text'"
		    " AND instr(role_id, char(0)) = 0 AND role_id <> '' ORDER BY role_id",
		    id);
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
hxb_store_has_log(struct hxb_store *store, bool *has, struct hxb_error *error)
{
	char **modes = NULL;
	enum hxb_result r = hxb_store_enter(store, error);

	*has = false;
	if (r != HXB_OK)
		return r;
	r = hxb_db_texts(&store->db, &modes, error, "PRAGMA main.journal_mode", NULL);
	hxb_store_leave(store);
	*has = r == HXB_OK && modes != NULL && modes[0] != NULL && strcmp(modes[0], "wal") == 0;
	for (size_t i = 0; modes != NULL && modes[i] != NULL; i++)
		free(modes[i]);
	free(modes);
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
