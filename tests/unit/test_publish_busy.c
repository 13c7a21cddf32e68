/* SPDX-License-Identifier: ISC */
/*
 * The publisher beside somebody who writes: what it takes for a change, and that nobody is shown with another
 * moment's roles.
 */
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <sqlite3.h>

#include "libhexabot/fingerprint.h"
#include "libhexabot/map_format.h"
#include "libhexabot/people.h"
#include "libhexabot/publish.h"
#include "support.h"

#define FIRST 0x70000000u
#define LAST 0x7ffffffeu
#define PAIRS 2500 /* users that the busy writer changes at once: more than a slice */

static struct hxb_config config;
static struct hxb_places places;
static struct hxb_ledger *ledger;
static struct hxb_store *store;
static struct hxb_publish_report report;
static char store_path[PATH_MAX], state_dir[PATH_MAX], map_path[PATH_MAX + 16];

static int
set_up(void **state)
{
	if (make_test_dir(state) != 0)
		return -1;
	if (geteuid() != 0)
		return 0;
	snprintf(store_path, sizeof(store_path), "%s", in_dir("store.sqlite"));
	snprintf(state_dir, sizeof(state_dir), "%s", in_dir("state"));
	snprintf(map_path, sizeof(map_path), "%s/map.1", state_dir);
	mkdir(state_dir, 0755);
	write_file(in_dir("passwd"), "root:x:0:0:root:/root:/bin/bash\n", 0644);
	write_file(in_dir("group"), "root:x:0:\n", 0644);
	places.state_dir = state_dir;
	places.passwd = strdup(in_dir("passwd"));
	places.group = strdup(in_dir("group"));
	make_store(store_path);
	assert_ok(hxb_config_init(&config, &err));
	ledger = make_ledger(in_dir("ledger.sqlite"), FIRST, LAST);
	store = open_store(store_path);
	return 0;
}

static int
tear_down(void **state)
{
	if (geteuid() == 0) {
		hxb_store_close(store);
		hxb_ledger_close(ledger);
		hxb_config_free(&config);
		free((char *)(uintptr_t)places.passwd);
		free((char *)(uintptr_t)places.group);
	}
	return remove_test_dir(state);
}

static enum hxb_result
publish(void)
{
	const struct hxb_publish_options options = { .force = false };

	return hxb_publish(&config, &places, ledger, store, &options, &report, &err);
}

static uint64_t
fingerprint(void)
{
	uint64_t found = HXB_FINGERPRINT_UNKNOWN;

	assert_ok(hxb_fingerprint_store(store, &found, &err));
	return found;
}

static struct hxb_map_info
map_info(void)
{
	struct hxb_map *map = hxb_map_open(map_path, 0, NULL);
	struct hxb_map_info info;

	assert_non_null(map);
	hxb_map_info(map, &info);
	hxb_map_close(map);
	return info;
}

static void
what_the_map_shows_makes_the_fingerprint(void **state)
{
	static const char *const matters[] = {
		"UPDATE users SET state = 0 WHERE username = 'mona'",
		"UPDATE users SET state = 'x' WHERE username = 'mona'",
		"UPDATE users SET firstName = 'Nina' WHERE username = 'mona'",
		"UPDATE users SET lastName = 'a' WHERE username = 'mona'",
		"UPDATE users SET username = 'nina' WHERE username = 'mona'",
		"UPDATE users SET id = 'another' WHERE username = 'mona'",
		"UPDATE users SET type = 'SubscriberOrmEntity', source_id = 'x' WHERE username = 'mona'",
		"UPDATE users SET password = '$2!invited.x' WHERE username = 'mona'",
		"UPDATE users SET password = '$2!invited.y' WHERE username = 'mona'",
		"UPDATE roles SET active = 0 WHERE name = 'manager'",
		"UPDATE roles SET name = 'chief' WHERE name = 'manager'",
		"DELETE FROM user_roles WHERE user_id = (SELECT id FROM users WHERE username = 'mona')",
		"DELETE FROM users WHERE username = 'mona'",
		/* Two users with the one's and the other's: sums must not cancel out. */
		"UPDATE users SET state = 1 - state WHERE username IN ('mona', 'max')",
		"UPDATE users SET firstName = CASE username WHEN 'mona' THEN (SELECT firstName FROM users "
		"WHERE "
		"username = 'max') ELSE (SELECT firstName FROM users WHERE username = 'mona') END WHERE "
		"username IN "
		"('mona', 'max')",
	};
	char copy[PATH_MAX];
	uint64_t before;

	(void)state;
	ROOT_ONLY();
	before = fingerprint();
	hxb_store_close(store);
	for (size_t i = 0; i < COUNT(matters); i++) {
		snprintf(copy, sizeof(copy), "%s", in_dir("copy.sqlite"));
		unlink(copy);
		make_store(copy);
		store = open_store(copy);
		if (fingerprint() != before)
			fail_msg("the same rows have another fingerprint");
		sql(copy, "PRAGMA ignore_check_constraints = ON; %s", matters[i]);
		if (fingerprint() == before)
			fail_msg("not seen: %s", matters[i]);
		hxb_store_close(store);
	}
	store = open_store(store_path);
}

static void
what_it_does_not_show_does_not(void **state)
{
	static const char *const indifferent[] = {
		"CREATE TABLE sessions (id TEXT, json TEXT)",
		"INSERT INTO sessions VALUES ('a', 'b')",
		"UPDATE users SET lastvisit = '2026-01-01', updated_at = '2026-01-01', email = email || 'x'",
		"UPDATE users SET password = replace(password, 'a', 'b') WHERE username = 'mona'",
		"INSERT INTO users (id, type, source_id, firstName, lastName, username, state)"
		" VALUES ('v', 'SubscriberOrmEntity', 's', 'a', 'b', 'visitor-x', 1)",
		"VACUUM",
		"CREATE TABLE copy AS SELECT * FROM user_roles; DELETE FROM user_roles;"
		"INSERT INTO user_roles SELECT * FROM copy ORDER BY role_id DESC, user_id DESC",
	};
	uint64_t before;

	(void)state;
	ROOT_ONLY();
	before = fingerprint();
	for (size_t i = 0; i < COUNT(indifferent); i++) {
		sql(store_path, "%s", indifferent[i]);
		if (fingerprint() != before)
			fail_msg("taken for a change: %s", indifferent[i]);
	}
}

static void
a_map_tells_what_it_was_made_of(void **state)
{
	struct hxb_map_info info;

	(void)state;
	ROOT_ONLY();
	assert_ok(publish());
	assert_true(map_info().fingerprint == fingerprint());
	assert_int_equal(map_info().next_change, 0);
	sql(store_path, "UPDATE users SET state = 0 WHERE username = 'mona'");
	assert_true(map_info().fingerprint != fingerprint());
	assert_ok(publish());
	info = map_info();
	assert_true(info.fingerprint == fingerprint());
	/* The next expiry to come is the moment to publish again. */
	sql(in_dir("ledger.sqlite"),
	    "UPDATE entries SET expires = 4000000000 WHERE login = 'mona';"
	    "UPDATE entries SET expires = 3000000000 WHERE login = 'max';"
	    "UPDATE entries SET expires = 1000000000 WHERE login = 'ada'");
	assert_ok(publish());
	assert_true(map_info().next_change == INT64_C(3000000000));
}

/* Somebody who writes all the time, until ended: SQL that is run again and again. */
static pid_t
write_busily(const char *statement)
{
	sqlite3 *db = NULL;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	if (sqlite3_open(store_path, &db) != SQLITE_OK)
		_exit(1);
	sqlite3_busy_timeout(db, 10000);
	sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
	for (;;) {
		if (sqlite3_exec(db, statement, NULL, NULL, NULL) != SQLITE_OK) {
			fprintf(stderr, "writer: %s\n", sqlite3_errmsg(db));
			_exit(1);
		}
		usleep(300);
	}
}

/* Ends the writer, who has been writing until now. */
static void
end_writer(pid_t writer)
{
	assert_int_equal(waitpid(writer, NULL, WNOHANG), 0);
	end_child(writer);
}

static void
add_pairs(void)
{
	sql(store_path,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
	    " INSERT INTO users (id, created_at, updated_at, firstName, lastName, type, provider, username, "
	    "email, "
	    "state, password)"
	    " SELECT 'pair-' || i, '2026-01-01 00:00:00.000', '2026-01-01 00:00:00.000', 'A', 'B', "
	    "'UserOrmEntity', '{\"strategy\":\"local\"}', 'pair' || i, 'pair' || i, 1, '$2b$12$x' FROM n;"
	    "INSERT INTO user_roles SELECT u.id, r.id FROM users u, roles r WHERE u.id LIKE 'pair-%%' AND "
	    "r.name = "
	    "'manager'",
	    PAIRS);
}

/* Whoever is called A is a manager and nothing else; whoever is called Z is an admin and nothing else. */
static void
assert_pairs_belong_together(void)
{
	struct hxb_map *map = hxb_map_open(map_path, 0, NULL);
	struct hxb_map_user user;
	struct hxb_map_role role;
	unsigned seen = 0;

	assert_non_null(map);
	for (uint32_t i = 0; hxb_map_user_at(map, i, &user) == HXB_MAP_FOUND; i++) {
		if (strncmp(user.login, "pair", 4) != 0)
			continue;
		seen++;
		assert_int_equal(user.role_count, 1);
		assert_int_equal(hxb_map_role_at(map, user.roles[0], &role), HXB_MAP_FOUND);
		if (strcmp(role.group, user.gecos[0] == 'A' ? "hexabot-manager" : "hexabot-admin") != 0)
			fail_msg("%s (%s) is shown in %s", user.login, user.gecos, role.group);
	}
	assert_int_equal(seen, PAIRS);
	hxb_map_close(map);
}

static void
a_user_and_their_roles_come_from_one_moment(void **state)
{
	pid_t writer;

	(void)state;
	ROOT_ONLY();
	add_pairs();
	assert_ok(publish());
	assert_pairs_belong_together();
	writer = write_busily("BEGIN IMMEDIATE;"
	                      "UPDATE users SET firstName = 'Z' WHERE id LIKE 'pair-%';"
	                      "UPDATE user_roles SET role_id = (SELECT id FROM roles WHERE name = 'admin') "
	                      "WHERE user_id LIKE 'pair-%';"
	                      "COMMIT;"
	                      "BEGIN IMMEDIATE;"
	                      "UPDATE users SET firstName = 'A' WHERE id LIKE 'pair-%';"
	                      "UPDATE user_roles SET role_id = (SELECT id FROM roles WHERE name = 'manager') "
	                      "WHERE user_id LIKE "
	                      "'pair-%';"
	                      "COMMIT;");
	for (int i = 0; i < 20; i++) {
		assert_ok(publish());
		assert_pairs_belong_together();
	}
	end_writer(writer);
}

static void
writes_that_do_not_matter_cost_no_second_reading(void **state)
{
	pid_t writer;

	(void)state;
	ROOT_ONLY();
	add_pairs();
	/* Somebody who never gets a login is looked at with each publish, and is no reason for another one.
	 */
	sql(store_path,
	    "CREATE TABLE sessions (id INTEGER); UPDATE users SET username = 'root' WHERE username = 'odd "
	    "user'");
	assert_ok(publish());
	writer = write_busily("INSERT INTO sessions VALUES (1)");
	for (int i = 0; i < 10; i++) {
		assert_ok(publish());
		/* 0 would mean that it was taken for one that changes all the time. */
		assert_true(map_info().fingerprint == fingerprint());
	}
	end_writer(writer);
}

static void
people_are_found_by_kind_and_id(void **state)
{
	struct hxb_entry entry = { HXB_ENTRY_USER, (char[]){ "a" }, (char[]){ "alice" }, FIRST,
		(char[]){ "" }, (char[]){ "" }, 0, false };
	struct hxb_people *people;
	struct hxb_known *known;
	uint32_t roles[4];

	(void)state;
	ROOT_ONLY();
	assert_ok(hxb_ledger_put(ledger, &entry, &err));
	entry.login = (char[]){ "alicia" };
	entry.expires = 5;
	assert_ok(hxb_ledger_put(ledger, &entry, &err));
	entry = (struct hxb_entry){ HXB_ENTRY_ROLE, (char[]){ "a" }, (char[]){ "" }, FIRST + 1,
		(char[]){ "" }, (char[]){ "" }, 0, true };
	assert_ok(hxb_ledger_put(ledger, &entry, &err));
	sql(in_dir("ledger.sqlite"),
	    "INSERT INTO holds (user_id, since, actor, marker) VALUES ('a', '', '', '')");
	assert_ok(hxb_people_load(ledger, &people, &err));
	known = hxb_people_find(people, HXB_ENTRY_USER, "a");
	assert_non_null(known);
	assert_string_equal(hxb_people_login(people, known), "alicia");
	assert_int_equal(known->number, FIRST);
	assert_true(known->held && known->custom && !known->removed && !known->seen);
	assert_true(hxb_people_digest(known) == hxb_id_digest("a"));
	assert_ok(hxb_people_add_role(people, known, 7, &err));
	assert_ok(hxb_people_add_role(people, known, 3, &err));
	assert_ok(hxb_people_add_role(people, known, 7, &err));
	assert_int_equal(hxb_people_roles(people, known, roles, COUNT(roles)), 2);
	assert_int_equal(roles[0], 3);
	assert_int_equal(roles[1], 7);
	for (uint32_t i = 10; i < 10 + HXB_USER_ROLES_MAX - 2; i++)
		assert_ok(hxb_people_add_role(people, known, i, &err));
	assert_result(hxb_people_add_role(people, known, 5000, &err), HXB_UNREADABLE);
	known = hxb_people_find(people, HXB_ENTRY_ROLE, "a");
	assert_non_null(known);
	assert_true(known->removed && known->number == FIRST + 1);
	assert_null(hxb_people_find(people, HXB_ENTRY_USER, "b"));
	assert_null(hxb_people_find(people, HXB_ENTRY_FORMER, "a"));
	/* The login that was is there for a tombstone. */
	assert_string_equal(hxb_people_login(people, hxb_people_at(people, 2)), "alice");
	assert_null(hxb_people_at(people, 3));
	hxb_people_free(people);
}

/* More newcomers than one transaction of the ledger's takes, and more users than a slice. */
static void
thousands_are_published_as_one(void **state)
{
	(void)state;
	ROOT_ONLY();
	sql(store_path,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3100)"
	    " INSERT INTO users (id, created_at, updated_at, firstName, lastName, type, provider, username, "
	    "email, "
	    "state, password)"
	    " SELECT 'many-' || i, '2026-01-01 00:00:00.000', '2026-01-01 00:00:00.000', 'A', 'B', "
	    "'UserOrmEntity', '{\"strategy\":\"local\"}', 'many' || i, 'many' || i, 1, '$2b$12$x' FROM n;"
	    "INSERT INTO user_roles SELECT u.id, r.id FROM users u, roles r WHERE u.id LIKE 'many-%%' AND "
	    "r.name = "
	    "'manager'");
	assert_ok(publish());
	assert_int_equal(report.users, 3112);
	assert_int_equal(
	    sql_number(in_dir("ledger.sqlite"), "SELECT count(*) FROM entries WHERE kind = 1"), 3112);
	assert_ok(publish());
	assert_int_equal(report.users, 3112);
	assert_int_equal(report.added + report.removed + report.changed, 0);
	sql(store_path, "DELETE FROM users WHERE id LIKE 'many-1%%'");
	assert_ok(publish());
	assert_int_equal(report.removed, 1111);
	assert_int_equal(
	    sql_number(in_dir("ledger.sqlite"), "SELECT count(*) FROM entries WHERE kind = 1 AND removed"),
	    1111);
}

/* Rows that get other numbers while they are read: the busy writer does what TypeORM does to rebuild a table.
 */
static void
newcomers_whose_rows_move_are_not_forgotten(void **state)
{
	pid_t writer;

	(void)state;
	ROOT_ONLY();
	add_pairs();
	writer = write_busily("BEGIN IMMEDIATE; CREATE TABLE t AS SELECT * FROM users ORDER BY username DESC;"
	                      "DELETE FROM users; INSERT INTO users SELECT * FROM t; DROP TABLE t; COMMIT;"
	                      "BEGIN IMMEDIATE; CREATE TABLE t AS SELECT * FROM users ORDER BY username;"
	                      "DELETE FROM users; INSERT INTO users SELECT * FROM t; DROP TABLE t; COMMIT;");
	assert_ok(publish());
	end_writer(writer);
	/* Either all are there, or the map does not claim that they are. */
	if (report.users < PAIRS + 12)
		assert_true(map_info().fingerprint == HXB_FINGERPRINT_UNKNOWN);
	assert_ok(publish());
	assert_int_equal(report.users, PAIRS + 12);
}

static void
the_same_new_id_twice_is_one_user(void **state)
{
	(void)state;
	ROOT_ONLY();
	hxb_store_close(store);
	/* A table without its key, with the same row twice. */
	sql(store_path,
	    "PRAGMA foreign_keys = OFF; CREATE TABLE t AS SELECT * FROM users; DROP TABLE users;"
	    "ALTER TABLE t RENAME TO users; INSERT INTO users SELECT * FROM users WHERE username = 'mona'");
	store = open_store(store_path);
	assert_ok(publish());
	assert_int_equal(report.users, 12);
	assert_int_equal(report.unmapped, 2);
	assert_int_equal(
	    sql_number(in_dir("ledger.sqlite"), "SELECT count(*) FROM entries WHERE login = 'mona'"), 1);
	assert_ok(publish());
	assert_int_equal(report.users, 12);
}

static void
a_damaged_map_is_replaced(void **state)
{
	struct hxb_map_user user;
	struct hxb_map *map;
	unsigned char byte;
	size_t size, at;
	FILE *file;

	(void)state;
	ROOT_ONLY();
	assert_ok(publish());
	map = hxb_map_open(map_path, 0, NULL);
	assert_non_null(map);
	assert_int_equal(hxb_map_user_at(map, 0, &user), HXB_MAP_FOUND);
	at = (size_t)(user.home - (const char *)map->header);
	size = map->user_units * (size_t)HXB_MAP_UNIT;
	hxb_map_close(map);
	file = fopen(map_path, "r+");
	assert_non_null(file);
	/* All records: each has zeros behind its texts or not; every byte is turned. */
	for (size_t i = 0; i < size; i++) {
		fseek(file, (long)(at - 52 + i), SEEK_SET);
		byte = (unsigned char)(fgetc(file) ^ 0x55);
		fseek(file, (long)(at - 52 + i), SEEK_SET);
		fputc(byte, file);
	}
	fclose(file);
	assert_ok(publish());
	assert_int_equal(report.users, 12);
}

static void
a_map_says_as_of_when_the_configuration_was_read(void **state)
{
	const struct hxb_publish_options options = { .as_of = 12345 };

	(void)state;
	ROOT_ONLY();
	assert_ok(publish());
	assert_true(map_info().as_of <= map_info().published && map_info().as_of > 1000000000);
	assert_ok(hxb_publish(&config, &places, ledger, store, &options, &report, &err));
	assert_int_equal(map_info().as_of, 12345);
}

#define BUSY_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BUSY_TEST(what_the_map_shows_makes_the_fingerprint),
		BUSY_TEST(what_it_does_not_show_does_not),
		BUSY_TEST(a_map_tells_what_it_was_made_of),
		BUSY_TEST(a_user_and_their_roles_come_from_one_moment),
		BUSY_TEST(writes_that_do_not_matter_cost_no_second_reading),
		BUSY_TEST(people_are_found_by_kind_and_id),
		BUSY_TEST(thousands_are_published_as_one),
		BUSY_TEST(newcomers_whose_rows_move_are_not_forgotten),
		BUSY_TEST(the_same_new_id_twice_is_one_user),
		BUSY_TEST(a_damaged_map_is_replaced),
		BUSY_TEST(a_map_says_as_of_when_the_configuration_was_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
