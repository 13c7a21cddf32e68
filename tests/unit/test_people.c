/* SPDX-License-Identifier: ISC */
/* Rows that come and go: what Hexabot finds of an invited user, and what it finds when one is gone. */
#include "support.h"

static const struct hxb_new_user somebody = {
	.id = "00000000-0000-4000-8000-000000000001",
	.username = "bob",
	.email = "bob@example.org",
	.first_name = "Bob",
	.last_name = "Gray",
	.password = "$2!invited.0123",
	.reset_token = "$2b$04$hash",
};

static void
a_row_is_as_hexabot_writes_it(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;

	(void)state;
	make_store(path);
	store = open_store(path);
	assert_result(hxb_store_add_user(store, &somebody, &err), HXB_FAILED); /* outside of a transaction */
	assert_ok(hxb_store_begin(store, &err));
	assert_ok(hxb_store_add_user(store, &somebody, &err));
	assert_ok(hxb_store_commit(store, &err));
	assert_string_equal(sql_text(path,
	                        "SELECT type || provider || username || email || firstName || lastName || "
	                        "password || reset_token"
	                        " || state || typeof(state) || language || timezone || send_email || "
	                        "reset_count FROM users WHERE id = %Q",
	                        somebody.id),
	    "UserOrmEntity{\"strategy\":\"local\"}bobbob@example.orgBobGray$2!invited.0123$2b$04$"
	    "hash1integeren000");
	assert_int_equal(
	    sql_number(path,
	        "SELECT count(*) FROM users WHERE id = %Q AND created_at = updated_at AND created_at GLOB"
	        " '20[0-9][0-9]-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]'"
	        " AND source_id IS NULL AND channelData IS NULL",
	        somebody.id),
	    1);
	hxb_store_close(store);
}

static void
a_name_or_address_that_is_taken_is_refused(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_new_user user;
	struct hxb_store *store;

	(void)state;
	make_store(path);
	store = open_store(path);
	assert_ok(hxb_store_begin(store, &err));
	user = somebody;
	user.username = "visitor"; /* a chat visitor's */
	assert_result(hxb_store_add_user(store, &user, &err), HXB_REFUSED);
	assert_contains(err.text, "'visitor'");
	user = somebody;
	user.email = "mona@example.org";
	assert_result(hxb_store_add_user(store, &user, &err), HXB_REFUSED);
	assert_ok(hxb_store_add_user(store, &somebody, &err));
	hxb_store_rollback(store);
	hxb_store_close(store);
	assert_int_equal(sql_number(path, "SELECT count(*) FROM users WHERE username = 'bob'"), 0);
}

static void
a_reset_token_is_set_where_the_marker_stands(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;

	(void)state;
	make_store(path);
	store = open_store(path);
	assert_ok(hxb_store_begin(store, &err));
	assert_ok(hxb_store_add_user(store, &somebody, &err));
	assert_result(hxb_store_set_reset_token(store, somebody.id, "another", "x", &err), HXB_CONFLICT);
	assert_ok(hxb_store_set_reset_token(store, somebody.id, somebody.password, "new", &err));
	assert_ok(hxb_store_commit(store, &err));
	assert_string_equal(sql_text(path, "SELECT reset_token FROM users WHERE username = 'bob'"), "new");
	assert_ok(hxb_store_begin(store, &err));
	assert_ok(hxb_store_set_reset_token(store, somebody.id, NULL, NULL, &err));
	assert_ok(hxb_store_commit(store, &err));
	assert_null(sql_text(path, "SELECT reset_token FROM users WHERE username = 'bob'"));
	hxb_store_close(store);
}

/* More of Hexabot's tables: foreign keys count then. */
static void
add_tables(const char *path)
{
	sql(path,
	    "CREATE TABLE attachments (id varchar PRIMARY KEY, created_by_id varchar REFERENCES users (id) "
	    "ON DELETE "
	    "SET NULL); CREATE TABLE sources (id varchar PRIMARY KEY);"
	    "CREATE TABLE \"odd \"\"name\" (\"owner id\" varchar REFERENCES \"Users\" (id) ON DELETE "
	    "CASCADE)");
}

static void
use_is_found_in_any_table(void **state)
{
	static const char *const uses[][2] = {
		{ "INSERT INTO attachments VALUES ('a', %Q)", "attachments" },
		{ "INSERT INTO \"odd \"\"name\" VALUES (%Q)", "odd \"name" },
		{ "UPDATE users SET assigned_to_id = %Q WHERE username = 'mona'", "users" },
		{ "UPDATE users SET lastvisit = created_at WHERE id = %Q", "users" },
	};
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	char *table;

	(void)state;
	for (size_t i = 0; i < COUNT(uses); i++) {
		unlink(path);
		make_store(path);
		add_tables(path);
		store = open_store(path);
		assert_ok(hxb_store_begin(store, &err));
		assert_ok(hxb_store_add_user(store, &somebody, &err));
		assert_ok(hxb_store_commit(store, &err));
		assert_ok(hxb_store_find_use(store, somebody.id, &table, &err));
		assert_null(table);
		sql(path, uses[i][0], somebody.id);
		assert_ok(hxb_store_find_use(store, somebody.id, &table, &err));
		assert_string_equal(table, uses[i][1]);
		free(table);
		hxb_store_close(store);
	}
}

static void
a_removed_user_leaves_no_orphans(void **state)
{
	const char *path = in_dir("store.sqlite");
	struct hxb_store *store;
	char mona[64];

	(void)state;
	for (int tables = 0; tables < 2; tables++) {
		unlink(path);
		make_store(path);
		snprintf(mona, sizeof(mona), "%s", user_id(path, "mona"));
		if (tables == 1) {
			add_tables(path);
			sql(path,
			    "INSERT INTO attachments VALUES ('a', %Q); INSERT INTO \"odd \"\"name\" VALUES "
			    "(%Q)",
			    mona, mona);
		}
		store = open_store(path);
		assert_ok(hxb_store_begin(store, &err));
		assert_ok(hxb_store_remove_user(store, mona, &err));
		assert_result(hxb_store_remove_user(store, mona, &err), HXB_CONFLICT);
		/* A chat visitor is nobody's to remove here. */
		assert_result(
		    hxb_store_remove_user(store, "a86a04d1-0e66-46be-9147-8b93be3b496e", &err), HXB_CONFLICT);
		assert_ok(hxb_store_commit(store, &err));
		hxb_store_close(store);
		assert_int_equal(
		    sql_number(path, "SELECT count(*) FROM user_roles WHERE user_id = %Q", mona), 0);
		assert_int_equal(sql_number(path, "SELECT count(*) FROM users WHERE id = %Q", mona), 0);
		if (tables == 1) {
			assert_null(sql_text(path, "SELECT created_by_id FROM attachments"));
			assert_int_equal(sql_number(path, "SELECT count(*) FROM \"odd \"\"name\""), 0);
		}
		assert_string_equal(sql_text(path, "PRAGMA integrity_check"), "ok");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_row_is_as_hexabot_writes_it),
		TEST(a_name_or_address_that_is_taken_is_refused),
		TEST(a_reset_token_is_set_where_the_marker_stands),
		TEST(use_is_found_in_any_table),
		TEST(a_removed_user_leaves_no_orphans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
