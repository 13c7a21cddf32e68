/* SPDX-License-Identifier: ISC */
/* Changes to the three tables, inside hxb_store_begin() ... hxb_store_commit(). Rows stay such that Hexabot
 * boots and logs in with them. */
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "store_private.h"

#define NOW HXB_STORE_NOW
#define THIS_USER HXB_STORE_THIS_USER

enum hxb_result
hxb_store_exactly_one(unsigned changed, const char *id, struct hxb_error *error)
{
	if (changed == 1)
		return HXB_OK;
	return hxb_fail(error, HXB_CONFLICT, "%.64s: the user was changed or removed meanwhile", id);
}

/* Outside of a transaction we would write as root, outside of the bracket. */
enum hxb_result
hxb_store_writing(const struct hxb_store *store, struct hxb_error *error)
{
	return store->writing ? HXB_OK : hxb_fail(error, HXB_FAILED, "no transaction is open");
}

enum hxb_result
hxb_store_set_enabled(struct hxb_store *store, const char *id, bool enabled, struct hxb_error *error)
{
	unsigned changed;
	enum hxb_result r = hxb_store_writing(store, error);

	if (r != HXB_OK)
		return r;
	r = hxb_db_run(&store->db, &changed, error,
	    "UPDATE users SET state = ?2, updated_at = " NOW THIS_USER, "ti", id, (int64_t)enabled);
	return r == HXB_OK ? hxb_store_exactly_one(changed, id, error) : r;
}

enum hxb_result
hxb_store_set_password(
    struct hxb_store *store, const char *id, const char *expected, const char *hash, struct hxb_error *error)
{
	unsigned changed;
	enum hxb_result r = hxb_store_writing(store, error);

	if (r != HXB_OK)
		return r;
	r = hxb_db_run(&store->db, &changed, error,
	    "UPDATE users SET password = ?2, reset_token = NULL, updated_at = " NOW THIS_USER
	    " AND (?3 IS NULL OR password = ?3)",
	    "ttt", id, hash, expected);
	return r == HXB_OK ? hxb_store_exactly_one(changed, id, error) : r;
}

static enum hxb_result
touch(struct hxb_store *store, const char *id, struct hxb_error *error)
{
	unsigned changed;
	enum hxb_result r = hxb_store_writing(store, error);

	if (r != HXB_OK)
		return r;
	r = hxb_db_run(&store->db, &changed, error, "UPDATE users SET updated_at = " NOW THIS_USER, "t", id);
	return r == HXB_OK ? hxb_store_exactly_one(changed, id, error) : r;
}

enum hxb_result
hxb_store_add_role(struct hxb_store *store, const char *id, const char *role_id, struct hxb_error *error)
{
	int64_t there = 0;
	enum hxb_result r = touch(store, id, error);

	/* Foreign keys may be off: no role that is no more is given. */
	if (r == HXB_OK)
		r = hxb_db_run(&store->db, NULL, error,
		    "INSERT INTO user_roles (user_id, role_id) SELECT ?1, id FROM roles WHERE id = ?2"
		    " ON CONFLICT DO NOTHING",
		    "tt", id, role_id);
	if (r == HXB_OK)
		r = hxb_db_number(&store->db, &there, error,
		    "SELECT count(*) FROM user_roles WHERE user_id = ?1 AND role_id = ?2", "tt", id, role_id);
	if (r == HXB_OK && there == 0)
		r = hxb_fail(error, HXB_CONFLICT, "%.64s: the role was removed meanwhile", role_id);
	return r;
}

enum hxb_result
hxb_store_remove_role(struct hxb_store *store, const char *id, const char *role_id, struct hxb_error *error)
{
	enum hxb_result r = touch(store, id, error);

	if (r == HXB_OK)
		r = hxb_db_run(&store->db, NULL, error,
		    "DELETE FROM user_roles WHERE user_id = ?1 AND role_id = ?2", "tt", id, role_id);
	return r;
}

void
hxb_parked_clear(struct hxb_parked *parked)
{
	if (parked->password.bytes != NULL)
		explicit_bzero(parked->password.bytes, parked->password.size);
	free(parked->password.bytes);
	for (size_t i = 0; parked->role_ids != NULL && parked->role_ids[i] != NULL; i++)
		free(parked->role_ids[i]);
	free(parked->role_ids);
	memset(parked, 0, sizeof(*parked));
}

enum hxb_result
hxb_store_park(struct hxb_store *store, const char *id, const char *marker, struct hxb_error *error)
{
	enum hxb_result r = hxb_store_set_password(store, id, NULL, marker, error);

	if (r == HXB_OK)
		r = hxb_db_run(&store->db, NULL, error, "DELETE FROM user_roles WHERE user_id = ?1", "t", id);
	return r;
}

enum hxb_result
hxb_store_unpark(
    struct hxb_store *store, const char *id, const struct hxb_parked *parked, struct hxb_error *error)
{
	unsigned changed;
	enum hxb_result r = hxb_store_writing(store, error);

	if (r != HXB_OK)
		return r;
	r = hxb_db_run(&store->db, &changed, error,
	    "UPDATE users SET password = ?2, reset_token = NULL, updated_at = " NOW THIS_USER, "tv", id,
	    &parked->password);
	if (r == HXB_OK)
		r = hxb_store_exactly_one(changed, id, error);
	if (r == HXB_OK)
		r = hxb_db_run(&store->db, NULL, error, "DELETE FROM user_roles WHERE user_id = ?1", "t", id);
	for (size_t i = 0; r == HXB_OK && parked->role_ids[i] != NULL; i++)
		r = hxb_db_run(&store->db, NULL, error,
		    "INSERT INTO user_roles (user_id, role_id) SELECT ?1, id FROM roles WHERE id = ?2", "tt",
		    id, parked->role_ids[i]);
	return r;
}
