/* SPDX-License-Identifier: ISC */
/* Rows of users that come and go: changes inside hxb_store_begin() ... hxb_store_commit(), the search for
 * uses outside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "store_private.h"

enum hxb_result
hxb_store_add_user(struct hxb_store *store, const struct hxb_new_user *user, struct hxb_error *error)
{
	enum hxb_result r = hxb_store_writing(store, error);

	if (r != HXB_OK)
		return r;
	r = hxb_db_run(&store->db, NULL, error,
	    "INSERT INTO users (id, created_at, updated_at, firstName, lastName, type, provider, username, "
	    "email,"
	    " password, state, reset_token) VALUES (?1, " HXB_STORE_NOW ", " HXB_STORE_NOW
	    ", ?2, ?3, 'UserOrmEntity', '{\"strategy\":\"local\"}', ?4, ?5, ?6, 1, ?7)",
	    "ttttttt", user->id, user->first_name, user->last_name, user->username, user->email,
	    user->password, user->reset_token);
	if (r == HXB_CONFLICT)
		r = hxb_fail(error, HXB_REFUSED,
		    "the username '%.64s' or the address %.128s is taken in Hexabot", user->username,
		    user->email);
	return r;
}

enum hxb_result
hxb_store_set_reset_token(
    struct hxb_store *store, const char *id, const char *expected, const char *hash, struct hxb_error *error)
{
	unsigned changed;
	enum hxb_result r = hxb_store_writing(store, error);

	if (r != HXB_OK)
		return r;
	r = hxb_db_run(&store->db, &changed, error,
	    "UPDATE users SET reset_token = ?2, updated_at = " HXB_STORE_NOW HXB_STORE_THIS_USER
	    " AND (?3 IS NULL OR password = ?3)",
	    "ttt", id, hash, expected);
	return r == HXB_OK ? hxb_store_exactly_one(changed, id, error) : r;
}

/* Every column that may refer to a user, but for those that roles are given by. */
#define REFERENCES \
	" FROM sqlite_schema s, pragma_foreign_key_list(s.name) k WHERE s.type = 'table'" \
	" AND lower(k.\"table\") = 'users' AND s.name <> 'user_roles' ORDER BY s.name, k.id, k.seq"

static void
free_texts(char **texts)
{
	for (size_t i = 0; texts != NULL && texts[i] != NULL; i++)
		free(texts[i]);
	free(texts);
}

/* Whether a row of this table's refers to the user by this column. Both names are the schema's: anything. */
static enum hxb_result
refers(struct hxb_store *store, const char *table, const char *column, const char *id, bool *found,
    struct hxb_error *error)
{
	char *sql = sqlite3_mprintf("SELECT EXISTS (SELECT 1 FROM \"%w\" WHERE \"%w\" = ?1)", table, column);
	int64_t exists = 0;
	enum hxb_result r;

	if (sql == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	r = hxb_db_number(&store->db, &exists, error, sql, "t", id);
	*found = exists != 0;
	sqlite3_free(sql);
	return r;
}

/* One read transaction for each column: without an index it may take its time. */
static enum hxb_result
search_references(struct hxb_store *store, const char *id, char **tablep, struct hxb_error *error)
{
	char **tables = NULL, **columns = NULL;
	bool found = false;
	enum hxb_result r;

	r = hxb_db_texts(&store->db, &tables, error, "SELECT s.name" REFERENCES, NULL);
	if (r == HXB_OK)
		r = hxb_db_texts(&store->db, &columns, error, "SELECT k.\"from\"" REFERENCES, NULL);
	for (size_t i = 0; r == HXB_OK && !found && tables[i] != NULL && columns[i] != NULL; i++) {
		store->db.deadline = hxb_deadline_in(HXB_CTL_DEADLINE);
		r = refers(store, tables[i], columns[i], id, &found, error);
		if (r == HXB_OK && found && (*tablep = strdup(tables[i])) == NULL)
			r = hxb_fail(error, HXB_FAILED, "out of memory");
	}
	free_texts(tables);
	free_texts(columns);
	return r;
}

enum hxb_result
hxb_store_find_use(struct hxb_store *store, const char *id, char **tablep, struct hxb_error *error)
{
	int64_t used = 0;
	enum hxb_result r = hxb_store_enter(store, error);

	*tablep = NULL;
	if (r != HXB_OK)
		return r;
	r = hxb_db_number(&store->db, &used, error,
	    "SELECT count(*) FROM users" HXB_STORE_THIS_USER
	    " AND (avatar_id IS NOT NULL OR lastvisit IS NOT NULL OR assigned_to_id IS NOT NULL)",
	    "t", id);
	if (r == HXB_OK && used != 0 && (*tablep = strdup("users")) == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	if (r == HXB_OK && used == 0)
		r = search_references(store, id, tablep, error);
	hxb_store_leave(store);
	return r;
}

enum hxb_result
hxb_store_remove_user(struct hxb_store *store, const char *id, struct hxb_error *error)
{
	unsigned changed;
	enum hxb_result r = hxb_store_writing(store, error);

	if (r != HXB_OK)
		return r;
	/* Where foreign keys are off nothing else would do it. */
	r = hxb_db_run(&store->db, NULL, error, "DELETE FROM user_roles WHERE user_id = ?1", "t", id);
	if (r == HXB_OK)
		r = hxb_db_run(&store->db, &changed, error, "DELETE FROM users" HXB_STORE_THIS_USER, "t", id);
	return r == HXB_OK ? hxb_store_exactly_one(changed, id, error) : r;
}
