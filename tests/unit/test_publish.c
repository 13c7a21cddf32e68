/* SPDX-License-Identifier: ISC */
/* Store and ledger become a map: who gets which name and number, who gets none and why, and what is kept for
 * good. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sqlite3.h>

#include "libhexabot/key_files.h"
#include "libhexabot/map.h"
#include "libhexabot/names.h"
#include "libhexabot/publish.h"
#include "libhexabot/token.h"
#include "support.h"

#define FIRST 0x70000000u
#define LAST 0x7ffffffeu

static struct hxb_config config;
static struct hxb_places places;
static struct hxb_ledger *ledger;
static struct hxb_store *store;
static struct hxb_publish_report report;
static char store_path[PATH_MAX], ledger_path[PATH_MAX], state_dir[PATH_MAX], passwd_path[PATH_MAX],
    group_path[PATH_MAX], home_dir[PATH_MAX];

static void
remember_path(char place[PATH_MAX], const char *name)
{
	assert_true(snprintf(place, PATH_MAX, "%s", in_dir(name)) < PATH_MAX);
}

static void
open_all(uint32_t first, uint32_t last)
{
	char text[PATH_MAX * 3];

	snprintf(text, sizeof(text), "store = %s\nhome = %s/%%u\nuid_min = %u\nuid_max = %u\n", "/store",
	    "/home", first, last);
	write_file(in_dir("conf"), text, 0600);
	assert_ok(hxb_config_init(&config, &err));
	assert_ok(hxb_config_load(&config, in_dir("conf"), 0, &err));
	free(config.home);
	assert_true(asprintf(&config.home, "%s/%%u", home_dir) > 0);
	ledger = make_ledger(ledger_path, first, last);
	store = open_store(store_path);
}

static void
close_all(void)
{
	hxb_store_close(store);
	hxb_ledger_close(ledger);
	hxb_config_free(&config);
	store = NULL;
	ledger = NULL;
}

static int
set_up(void **state)
{
	if (make_test_dir(state) != 0)
		return -1;
	if (geteuid() != 0)
		return 0;
	remember_path(store_path, "store.sqlite");
	remember_path(ledger_path, "ledger.sqlite");
	remember_path(state_dir, "state");
	remember_path(passwd_path, "passwd");
	remember_path(group_path, "group");
	remember_path(home_dir, "home");
	mkdir(state_dir, 0755);
	mkdir(home_dir, 0755);
	write_file(passwd_path,
	    "root:x:0:0:root:/root:/bin/bash\nlocalbob:x:1000:1000::/home/localbob:/bin/sh\n", 0644);
	write_file(
	    group_path, "root:x:0:\nlocalbob:x:1000:\nhexabot.gunther:x:1002:\nlocalgroup:x:1003:\n", 0644);
	places = (struct hxb_places){ .state_dir = state_dir, .passwd = passwd_path, .group = group_path };
	make_store(store_path);
	open_all(FIRST, LAST);
	return 0;
}

static int
tear_down(void **state)
{
	if (geteuid() == 0)
		close_all();
	return remove_test_dir(state);
}

static enum hxb_result
publish_with(const struct hxb_publish_options *options)
{
	hxb_store_set_deadline(store, hxb_deadline_in(HXB_CTL_DEADLINE));
	hxb_ledger_set_deadline(ledger, hxb_deadline_in(HXB_CTL_DEADLINE));
	return hxb_publish(&config, &places, ledger, store, options, &report, &err);
}

static enum hxb_result
publish(void)
{
	return publish_with(&(struct hxb_publish_options){ .force = false });
}

static struct hxb_map *
open_map(void)
{
	const char *why = "";
	char path[PATH_MAX + 16];
	struct hxb_map *map;

	snprintf(path, sizeof(path), "%s/map.1", state_dir);
	map = hxb_map_open(path, 0, &why);
	if (map == NULL || !hxb_map_verify(map, &why))
		fail_msg("%s: %s", path, why);
	return map;
}

/* The uid of a login on the host, or 0. */
static uint32_t
uid_of(const char *login)
{
	struct hxb_map *map = open_map();
	struct hxb_map_user user;
	uint32_t uid = 0;

	if (hxb_map_user_by_login(map, login, &user) == HXB_MAP_FOUND)
		uid = user.uid;
	hxb_map_close(map);
	return uid;
}

static uint32_t
gid_of(const char *group)
{
	struct hxb_map *map = open_map();
	struct hxb_map_role role;
	uint32_t gid = 0;

	if (hxb_map_role_by_group(map, group, &role) == HXB_MAP_FOUND)
		gid = role.gid;
	hxb_map_close(map);
	return gid;
}

/* "shadow gecos:home:shell groups" of a login, with the test's directory left out; "none" if it is not there.
 */
static const char *
shown(const char *login)
{
	static char text[1024];
	struct hxb_map *map = open_map();
	struct hxb_map_user user;
	struct hxb_map_role role;
	const char *home;

	if (hxb_map_user_by_login(map, login, &user) != HXB_MAP_FOUND) {
		hxb_map_close(map);
		return "none";
	}
	home = strncmp(user.home, in_dir(""), strlen(in_dir(""))) == 0 ? user.home + strlen(in_dir(""))
	                                                               : user.home;
	snprintf(text, sizeof(text), "%d %s:%s:%s", (int)user.shadow, user.gecos, home, user.shell);
	for (uint32_t i = 0; i < user.role_count; i++) {
		assert_int_equal(hxb_map_role_at(map, user.roles[i], &role), HXB_MAP_FOUND);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s", role.group);
	}
	hxb_map_close(map);
	return text;
}

/* Who the id is in the ledger: a new one each time. */
static const char *
add_user(const char *username, const char *created_at)
{
	static char ids[8][40];
	static unsigned next;
	char *id = ids[next % COUNT(ids)];

	snprintf(id, 40, "00000000-0000-4000-8000-%012u", ++next);
	sql(store_path,
	    "INSERT INTO users (id, created_at, updated_at, firstName, lastName, type, provider, username, "
	    "email, state, password)"
	    " VALUES (%Q, %Q, %Q, 'First', 'Last', 'UserOrmEntity', '{\"strategy\":\"local\"}', %Q, %Q, 1, "
	    "'$2b$12$x');"
	    "INSERT INTO user_roles SELECT %Q, id FROM roles WHERE name = 'manager'",
	    id, created_at, created_at, username, id, id);
	return id;
}

static const char *
reason_of(const char *username)
{
	static char reason[HXB_REASON_SIZE];
	struct hxb_user *user = read_user(store, username);

	assert_ok(hxb_unmapped_reason(&config, &places, ledger, user, reason, &err));
	hxb_user_free(user);
	return reason;
}

static enum hxb_result
append_event(const struct hxb_event *event, void *context, struct hxb_error *error)
{
	char *text = context;

	(void)error;
	snprintf(text + strlen(text), 4096 - strlen(text), "%s %s %s: %s > %s\n", event->actor, event->action,
	    event->name, event->before, event->after);
	return HXB_OK;
}

/* The events since the last call. */
static const char *
new_events(void)
{
	static char text[4096];

	text[0] = '\0';
	assert_ok(hxb_ledger_events(ledger, NULL, "", append_event, text, &err));
	sql(ledger_path, "DELETE FROM events");
	return text;
}

static void
the_map_shows_what_the_store_says(void **state)
{
	struct hxb_map_info info;
	struct hxb_map *map;

	(void)state;
	ROOT_ONLY();
	assert_ok(publish());
	assert_int_equal(report.users, 12);
	assert_int_equal(report.unmapped, 1); /* "odd user" */
	assert_int_equal(report.added, 12);
	assert_int_equal(report.roles, 5);
	assert_string_equal(shown("mona"), "1 Mona Lind:home/mona:/bin/bash hexabot-manager");
	assert_string_equal(shown("max"), "0 Max Ober:home/max:/bin/bash hexabot-manager");
	assert_string_equal(shown("pia"), "0 Pia Nord:home/pia:/bin/bash hexabot-public");
	assert_string_equal(shown("rita"), "0 Rita Old:home/rita:/bin/bash");
	assert_string_equal(shown("norole"), "0 Nora Less:home/norole:/bin/bash");
	assert_string_equal(shown("Emile.D"),
	    "1 \xc3\x89mile D\xc3\xbcrr:home/Emile.D:/bin/bash hexabot-manager hexabot-public");
	assert_string_equal(shown("admin"), "1 admin admin:home/admin:/bin/bash hexabot-admin");
	assert_string_equal(shown("visitor"), "none");
	assert_string_equal(shown("odd user"), "none");
	map = open_map();
	hxb_map_info(map, &info);
	assert_int_equal(info.generation, 1);
	assert_true(info.enumerate);
	hxb_map_close(map);
	assert_int_equal(sql_number(ledger_path, "SELECT value FROM meta WHERE key = 'generation'"), 1);
	assert_ok(publish());
	assert_int_equal(report.added + report.removed + report.changed, 0);
	assert_int_equal(sql_number(ledger_path, "SELECT value FROM meta WHERE key = 'generation'"), 2);
}

static void
names_that_mean_something_stay_the_hosts(void **state)
{
	static const struct {
		const char *username, *reason;
	} cases[] = {
		{ "root", "'root' is a reserved name" },
		{ "Root", "'Root' is a reserved name" },
		{ "sudo", "reserved name" },
		{ "adm", "reserved name" },
		{ "docker", "reserved name" },
		{ "postgres", "reserved name" },
		{ "_apt", "reserved name" },
		{ "hexabot-admin", "'hexabot-admin' is a reserved name" },
		{ "Hexabot.mona", "reserved name" },
		{ "localbob", "'localbob' is a user or group of this host" },
		{ "LocalBob", "is a user or group of this host" },
		{ "localgroup", "is a user or group of this host" },
		{ "gunther", "'hexabot.gunther' is a user or group of this host" },
		{ "", "the name is no login" },
		{ "1234", "the name is no login" },
		{ "-rf", "the name is no login" },
		{ "..", "the name is no login" },
		{ "a b", "the name is no login" },
		{ "a:b", "the name is no login" },
		{ "a\nroot", "the name is no login" },
		{ "\xc3\x89mile", "the name is no login" },
		{ "abcdefghijklmnopqrstuvwxyz0123456", "the name is no login" },
		{ "occupied", "is there already and not theirs" },
		{ "linked", "is there already and not theirs" },
		{ "dangling", "is there already and not theirs" },
	};
	char path[PATH_MAX + 32];

	(void)state;
	ROOT_ONLY();
	for (size_t i = 0; i < COUNT(cases); i++)
		add_user(cases[i].username, "2020-01-01 00:00:00.000");
	snprintf(path, sizeof(path), "%s/occupied", home_dir);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/linked", home_dir);
	assert_int_equal(symlink("/root", path), 0);
	snprintf(path, sizeof(path), "%s/dangling", home_dir);
	assert_int_equal(symlink("/nowhere", path), 0);
	assert_ok(publish());
	assert_int_equal(report.users, 12);
	assert_int_equal(report.unmapped, 1 + COUNT(cases));
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(uid_of(cases[i].username), 0);
		assert_contains(reason_of(cases[i].username), cases[i].reason);
	}
	assert_string_equal(reason_of("mona"), "");
	/* Nothing was put into the ledger by asking, nor for those who stay out. */
	assert_int_equal(sql_number(ledger_path, "SELECT count(*) FROM entries WHERE kind = 1"), 12);
	/* The home is theirs once it has their uid. */
	snprintf(path, sizeof(path), "%s/occupied", home_dir);
	rmdir(path);
	assert_string_equal(reason_of("occupied"), "");
	assert_ok(publish());
	assert_int_not_equal(uid_of("occupied"), 0);
}

/* Before such names were reserved somebody may have been given one. */
static void
who_has_had_a_name_like_a_groups_keeps_it(void **state)
{
	uint32_t uid;

	(void)state;
	ROOT_ONLY();
	add_user("mallory", "2020-01-01 00:00:00.000");
	assert_ok(publish());
	uid = uid_of("mallory");
	assert_int_not_equal(uid, 0);
	sql(ledger_path, "UPDATE entries SET login = 'hexabot-admin' WHERE login = 'mallory'");
	assert_ok(publish());
	assert_int_equal(uid_of("hexabot-admin"), uid);
	assert_string_equal(reason_of("mallory"), "");
}

static void
a_home_with_the_right_owner_is_theirs(void **state)
{
	char path[PATH_MAX + 32];
	uint32_t uid;

	(void)state;
	ROOT_ONLY();
	assert_ok(publish());
	uid = uid_of("mona");
	/* A second host, or a ledger that was lost: the home is there. */
	close_all();
	remove(ledger_path);
	sql(ledger_path, "SELECT 1");
	unlink(ledger_path);
	snprintf(path, sizeof(path), "%s-wal", ledger_path);
	unlink(path);
	snprintf(path, sizeof(path), "%s-shm", ledger_path);
	unlink(path);
	snprintf(path, sizeof(path), "%s/mona", home_dir);
	mkdir(path, 0700);
	assert_int_equal(chown(path, uid, uid), 0);
	open_all(FIRST, LAST);
	assert_ok(publish());
	assert_int_equal(uid_of("mona"), uid);
}

static void
a_name_with_a_nul_is_nobodys(void **state)
{
	struct hxb_user *user;
	char reason[HXB_REASON_SIZE];
	const char *id;

	(void)state;
	ROOT_ONLY();
	id = add_user("nul", "2020-01-01 00:00:00.000");
	sql(store_path, "UPDATE users SET username = 'fred' || char(0) || 'x' WHERE id = %Q", id);
	assert_ok(publish());
	assert_int_equal(uid_of("fred"), 0);
	assert_ok(hxb_store_user(store, HXB_BY_ID, id, &user, &err));
	assert_ok(hxb_unmapped_reason(&config, &places, ledger, user, reason, &err));
	assert_string_equal(reason, "the username is no proper text");
	hxb_user_free(user);
}

static void
of_two_spellings_the_older_account_wins(void **state)
{
	(void)state;
	ROOT_ONLY();
	add_user("FRED", "2026-01-02 00:00:00.000");
	add_user("Fred", "2026-01-01 00:00:00.000");
	add_user("fred", "2026-01-03 00:00:00.000");
	/* mona is older than every account that is made today, and younger than this one */
	add_user("MONA", "2020-01-01 00:00:00.000");
	assert_ok(publish());
	assert_int_not_equal(uid_of("Fred"), 0);
	assert_int_equal(uid_of("FRED"), 0);
	assert_int_equal(uid_of("fred"), 0);
	assert_int_not_equal(uid_of("MONA"), 0);
	assert_int_equal(uid_of("mona"), 0);
	assert_contains(reason_of("fred"), "the login 'fred' is or was another user's");
	/* Who is there already is never pushed out by somebody who claims to be older. */
	add_user("ADA", "1970-01-01 00:00:00.000");
	assert_ok(publish());
	assert_int_not_equal(uid_of("ada"), 0);
	assert_int_equal(uid_of("ADA"), 0);
}

static void
role_groups_keep_to_the_rules(void **state)
{
	static const char *const refused[] = { "sudo", "Sudo", "wheel", "docker", "a:b", "a b", "a\nb", "a,b",
		"", "-x", "\xc3\xa9", "abcdefghijklmnopqrstuvwxyz0123456" };
	char group[64];
	uint32_t gid;

	(void)state;
	ROOT_ONLY();
	write_file(group_path, "root:x:0:\nhexabot-operators:x:1001:\n", 0644);
	for (size_t i = 0; i < COUNT(refused); i++)
		sql(store_path, "INSERT INTO roles (id, name) VALUES ('role-%d', %Q)", (int)i, refused[i]);
	sql(store_path,
	    "INSERT INTO roles (id, name) VALUES ('role-z', 'Manager'), ('role-n', 'public' || char(0)),"
	    " ('role-m' || char(0), 'fake'), ('role-b', x'61646d696e')");
	assert_ok(publish());
	for (size_t i = 0; i < COUNT(refused); i++) {
		snprintf(group, sizeof(group), "hexabot-%s", refused[i]);
		assert_int_equal(gid_of(group), 0);
	}
	assert_int_equal(gid_of("sudo"), 0);
	assert_int_equal(gid_of("hexabot-operators"), 0); /* the host's own */
	assert_int_equal(gid_of("hexabot-fake"), 0);
	/* Two spellings of one name: one group. */
	assert_true((gid_of("hexabot-manager") == 0) != (gid_of("hexabot-Manager") == 0));
	assert_int_not_equal(gid_of("hexabot-public"), 0);
	/* inactive: a group without members */
	assert_int_not_equal(gid_of("hexabot-retired"), 0);

	/* A role keeps its number through another name. */
	gid = gid_of("hexabot-admin");
	sql(store_path, "UPDATE roles SET name = 'chiefs' WHERE name = 'admin'");
	assert_ok(publish());
	assert_int_equal(gid_of("hexabot-chiefs"), gid);
	assert_int_equal(gid_of("hexabot-admin"), 0);
	/* Who takes its name later gets another number. */
	sql(store_path, "INSERT INTO roles (id, name) VALUES ('role-admin', 'admin')");
	assert_ok(publish());
	assert_int_not_equal(gid_of("hexabot-admin"), gid);
	assert_int_not_equal(gid_of("hexabot-admin"), 0);
}

static void
prefix_and_role_make_no_reserved_name_together(void **state)
{
	(void)state;
	ROOT_ONLY();
	free(config.group_prefix);
	config.group_prefix = strdup("su");
	sql(store_path, "INSERT INTO roles (id, name) VALUES ('r', 'do')");
	assert_ok(publish());
	assert_int_equal(gid_of("sudo"), 0);
	assert_int_not_equal(gid_of("sumanager"), 0);
}

static void
the_same_store_gives_the_same_numbers_on_every_host(void **state)
{
	static const char *const logins[] = { "admin", "mona", "max", "ada", "Emile.D", "rita", "pending" };
	uint32_t uids[COUNT(logins)], gid;
	char id[64];

	(void)state;
	ROOT_ONLY();
	assert_ok(publish());
	for (size_t i = 0; i < COUNT(logins); i++)
		uids[i] = uid_of(logins[i]);
	gid = gid_of("hexabot-manager");
	snprintf(id, sizeof(id), "%s", user_id(store_path, "mona"));
	assert_int_equal(uid_of("mona"), FIRST + hxb_id_digest(id) % (LAST - FIRST + 1));

	close_all();
	remember_path(ledger_path, "ledger2.sqlite");
	remember_path(state_dir, "state2");
	mkdir(state_dir, 0755);
	/* The order of the rows does not matter. */
	sql(store_path, "UPDATE users SET rowid = 1000 - rowid");
	open_all(FIRST, LAST);
	assert_ok(publish());
	for (size_t i = 0; i < COUNT(logins); i++)
		assert_int_equal(uid_of(logins[i]), uids[i]);
	assert_int_equal(gid_of("hexabot-manager"), gid);
}

static void
a_collision_takes_the_next_free_number(void **state)
{
	char line[256], mona[64], ada[64];
	uint32_t number;

	(void)state;
	ROOT_ONLY();
	snprintf(mona, sizeof(mona), "%s", user_id(store_path, "mona"));
	snprintf(ada, sizeof(ada), "%s", user_id(store_path, "ada"));
	number = FIRST + (uint32_t)(hxb_id_digest(mona) % (LAST - FIRST + 1));
	/* The host knows the number as a gid, the next one as a uid, and the one after that is a tombstone's.
	 */
	snprintf(line, sizeof(line), "root:x:0:\nhers:x:%u:\n", number);
	write_file(group_path, line, 0644);
	snprintf(line, sizeof(line), "root:x:0:0:::\nhis:x:%u:100::/:\n", number + 1);
	write_file(passwd_path, line, 0644);
	sql(ledger_path,
	    "INSERT INTO entries (kind, id, login, number, removed) VALUES (1, 'gone', 'gone', %d, 1)",
	    (int)(number + 2));
	assert_ok(publish());
	assert_int_equal(uid_of("mona"), number + 3);
	/* It stays so when the reason is gone. */
	write_file(group_path, "root:x:0:\n", 0644);
	write_file(passwd_path, "root:x:0:0:::\n", 0644);
	assert_ok(publish());
	assert_int_equal(uid_of("mona"), number + 3);
	/* If the host takes a number that was given, its user is not shown, and is told why. */
	snprintf(line, sizeof(line), "root:x:0:0:::\nlate:x:%u:100::/:\n", number + 3);
	write_file(passwd_path, line, 0644);
	assert_ok(publish());
	assert_int_equal(uid_of("mona"), 0);
	assert_contains(reason_of("mona"), "is in this host's passwd or group file");
	write_file(passwd_path, "root:x:0:0:::\nmona:x:1000:1000::/:\n", 0644);
	assert_ok(publish());
	assert_int_equal(uid_of("mona"), 0);
	assert_int_not_equal(uid_of("ada"), 0);
}

static void
a_full_range_leaves_the_rest_unmapped(void **state)
{
	(void)state;
	ROOT_ONLY();
	close_all();
	unlink(ledger_path);
	remember_path(ledger_path, "small.sqlite");
	open_all(200000, 200999);
	/* All but three numbers are gone already. */
	sql(ledger_path,
	    "WITH RECURSIVE n(i) AS (SELECT 200000 UNION ALL SELECT i + 1 FROM n WHERE i < 200996)"
	    " INSERT INTO entries (kind, id, login, number, removed) SELECT 1, 'gone' || i, 'gone' || i, i, "
	    "1 FROM n");
	assert_ok(publish());
	assert_int_equal(report.users + report.roles, 3);
	/* A publish is possible all the same: what was disabled or removed has to show. */
	sql(store_path, "DELETE FROM users WHERE username = 'pending'");
	assert_ok(publish());
	assert_contains(reason_of("zoe"), "no number is left");
}

static void
systemds_foreign_numbers_are_given_to_nobody(void **state)
{
	const uint32_t first = 0x7ffe0000, last = 0x7ffeffff;

	(void)state;
	ROOT_ONLY();
	close_all();
	unlink(ledger_path);
	remember_path(ledger_path, "beside.sqlite");
	open_all(first - 2, last);
	assert_ok(publish());
	assert_int_equal(report.users + report.roles, 2);
	assert_int_equal(
	    sql_number(ledger_path, "SELECT count(*) FROM entries WHERE number >= %d", (int)first), 0);
	assert_contains(
	    reason_of("zoe"), "no number is left between 2147352574 and 2147418111; 2147352576 to ");
	/* Who has one keeps it. */
	sql(ledger_path, "UPDATE entries SET number = %d WHERE number = (SELECT min(number) FROM entries)",
	    (int)first);
	assert_ok(publish());
	assert_int_equal(report.users + report.roles, 3);
	assert_int_equal(
	    sql_number(ledger_path, "SELECT count(*) FROM entries WHERE number = %d", (int)first), 1);
}

static void
a_removed_users_name_and_number_go_to_nobody(void **state)
{
	char id[64];
	uint32_t uid;

	(void)state;
	ROOT_ONLY();
	assert_ok(publish());
	uid = uid_of("mona");
	snprintf(id, sizeof(id), "%s", user_id(store_path, "mona"));
	sql(store_path, "DELETE FROM users WHERE username = 'mona'");
	assert_ok(publish());
	assert_int_equal(report.removed, 1);
	assert_int_equal(uid_of("mona"), 0);
	/* Somebody else of that name, older even. */
	add_user("mona", "1999-01-01 00:00:00.000");
	add_user("Mona", "1998-01-01 00:00:00.000");
	assert_ok(publish());
	assert_int_equal(uid_of("mona"), 0);
	assert_int_equal(uid_of("Mona"), 0);
	assert_contains(reason_of("mona"), "is or was another user's");
	/* And the same row, restored from a backup: all is as it was. */
	sql(store_path, "DELETE FROM users WHERE username = 'mona'");
	add_user("mona2", "2020-01-01 00:00:00.000");
	sql(store_path, "UPDATE users SET id = %Q, username = 'mona' WHERE username = 'mona2'", id);
	assert_ok(publish());
	assert_int_equal(uid_of("mona"), uid);
}

static void
a_user_who_became_a_visitor_is_removed(void **state)
{
	(void)state;
	ROOT_ONLY();
	assert_ok(publish());
	sql(store_path,
	    "UPDATE users SET type = 'SubscriberOrmEntity', source_id = 'web' WHERE username = 'mona'");
	assert_ok(publish());
	assert_int_equal(uid_of("mona"), 0);
	assert_int_equal(report.removed, 1);
}

static void
a_rename_in_hexabot_changes_nothing_on_the_host(void **state)
{
	uint32_t uid;

	(void)state;
	ROOT_ONLY();
	assert_ok(publish());
	uid = uid_of("mona");
	sql(store_path, "UPDATE users SET username = 'sudo' WHERE username = 'mona'");
	assert_ok(publish());
	assert_int_equal(uid_of("mona"), uid);
	assert_int_equal(uid_of("sudo"), 0);
	assert_string_equal(reason_of("sudo"), "");
	/* Her old name is not free in the meantime. */
	add_user("mona", "2020-01-01 00:00:00.000");
	assert_ok(publish());
	assert_int_equal(uid_of("mona"), uid);
	assert_contains(reason_of("mona"), "is or was another user's");
}

static void
change_login(const char *username, const char *login)
{
	struct hxb_entry *entry;

	assert_ok(hxb_login_available(&config, &places, ledger, user_id(store_path, username), login, &err));
	assert_ok(hxb_ledger_entry(ledger, HXB_ENTRY_USER, user_id(store_path, username), &entry, &err));
	free(entry->login);
	entry->login = strdup(login);
	assert_ok(hxb_ledger_put(ledger, entry, &err));
	hxb_entry_free(entry);
}

static void
a_login_set_by_hand_is_taken_and_the_former_one_kept(void **state)
{
	uint32_t mona, ada;
	char *owner;

	(void)state;
	ROOT_ONLY();
	assert_ok(publish());
	mona = uid_of("mona");
	ada = uid_of("ada");
	change_login("mona", "lisa");
	change_login("ada", "lovelace");
	assert_ok(publish());
	assert_int_equal(uid_of("lisa"), mona);
	assert_int_equal(uid_of("mona"), 0);
	assert_int_equal(uid_of("lovelace"), ada);
	assert_int_equal(uid_of("ada"), 0);
	assert_result(hxb_login_available(&config, &places, ledger, "somebody", "mona", &err), HXB_REFUSED);
	assert_contains(err.text, "is or was another user's");
	assert_result(hxb_login_available(&config, &places, ledger, "somebody", "root", &err), HXB_REFUSED);
	assert_result(hxb_login_available(&config, &places, ledger, "somebody", "a b", &err), HXB_REFUSED);
	assert_ok(hxb_login_available(&config, &places, ledger, "somebody", "fresh", &err));
	/* Both former logins come out of a rebuild again. */
	close_all();
	remember_path(ledger_path, "rebuilt.sqlite");
	open_all(FIRST, LAST);
	assert_ok(hxb_ledger_rebuild(&config, &places, ledger, store, &err));
	assert_ok(hxb_ledger_login_owner(ledger, "MONA", &owner, &err));
	assert_string_equal(owner, user_id(store_path, "mona"));
	free(owner);
	assert_ok(hxb_ledger_login_owner(ledger, "ada", &owner, &err));
	assert_string_equal(owner, user_id(store_path, "ada"));
	free(owner);
	assert_ok(publish());
	assert_int_equal(uid_of("lisa"), mona);
	assert_int_equal(uid_of("lovelace"), ada);
}

static void
a_login_by_hand_helps_who_has_none(void **state)
{
	char empty[] = "", login[] = "odd";
	struct hxb_entry entry = { .kind = HXB_ENTRY_USER, .login = login, .shell = empty, .home = empty };

	(void)state;
	ROOT_ONLY();
	assert_ok(publish());
	assert_contains(reason_of("odd user"), "the name is no login");
	entry.id = strdup(user_id(store_path, "odd user"));
	assert_ok(hxb_ledger_put(ledger, &entry, &err));
	assert_string_equal(reason_of("odd user"), "");
	assert_ok(publish());
	assert_int_not_equal(uid_of("odd"), 0);
	/* Somebody who has no login, has a shell set by hand, and is removed: nothing is left to be a
	 * tombstone. */
	assert_ok(publish());
	free(entry.id);
	entry.id = strdup(add_user("a b", "2020-01-01 00:00:00.000"));
	entry.login = empty;
	assert_ok(hxb_ledger_put(ledger, &entry, &err));
	assert_ok(publish());
	sql(store_path, "DELETE FROM users WHERE username = 'a b'");
	assert_ok(publish());
	free(entry.id);
	entry.id = strdup(add_user("c d", "2020-01-01 00:00:00.000"));
	assert_ok(hxb_ledger_put(ledger, &entry, &err));
	sql(store_path, "DELETE FROM users WHERE username = 'c d'");
	assert_ok(publish());
	free(entry.id);
}

static void
losing_more_than_half_is_refused(void **state)
{
	const struct hxb_publish_options forced = { .force = true };

	(void)state;
	ROOT_ONLY();
	assert_ok(publish());
	assert_int_equal(report.users, 12);
	/* Disabled ones are not lost. */
	sql(store_path, "UPDATE users SET state = 0");
	assert_ok(publish());
	assert_int_equal(report.users, 12);
	/* Half is not more than half. */
	sql(store_path,
	    "CREATE TABLE kept AS SELECT * FROM users; DELETE FROM users WHERE username IN ('admin', 'mona', "
	    "'max', 'pia', 'paul', 'ada')");
	assert_ok(publish());
	assert_int_equal(report.removed, 6);
	sql(store_path, "DELETE FROM users; INSERT INTO users SELECT * FROM kept");
	assert_ok(publish());
	assert_int_equal(report.users, 12);

	(void)new_events();
	sql(store_path,
	    "DELETE FROM users WHERE username IN ('admin', 'mona', 'max', 'pia', 'paul', 'ada', 'alan')");
	assert_result(publish(), HXB_REFUSED);
	assert_contains(err.text, "7 of 12 users would be lost");
	assert_contains(err.text, "--force");
	assert_int_not_equal(uid_of("mona"), 0); /* the old map stays */
	assert_int_equal(sql_number(ledger_path, "SELECT count(*) FROM entries WHERE removed = 1"), 0);
	assert_string_equal(new_events(), "");
	sql(store_path, "DELETE FROM users");
	assert_result(publish(), HXB_REFUSED);
	assert_ok(publish_with(&forced));
	assert_int_equal(report.users, 0);
	assert_int_equal(uid_of("zoe"), 0);
	/* Of ten or fewer all may go: so they may come back. */
	sql(store_path, "INSERT INTO users SELECT * FROM kept LIMIT 10");
	assert_ok(publish());
	assert_int_equal(report.users, 10);
	sql(store_path, "DELETE FROM users");
	assert_ok(publish());
}

static void
a_dry_run_leaves_everything_as_it_is(void **state)
{
	const struct hxb_publish_options dry = { .dry_run = true };

	(void)state;
	ROOT_ONLY();
	assert_ok(publish_with(&dry));
	assert_int_equal(report.users, 12);
	assert_int_equal(access(in_dir("state/map.1"), F_OK), -1);
	assert_int_equal(sql_number(ledger_path, "SELECT count(*) FROM entries"), 0);
	assert_int_equal(sql_number(ledger_path, "SELECT value FROM meta WHERE key = 'generation'"), 0);
	assert_ok(publish());
	sql(store_path, "DELETE FROM users WHERE username = 'mona'");
	assert_ok(publish_with(&dry));
	assert_int_equal(report.removed, 1);
	assert_int_not_equal(uid_of("mona"), 0);
	assert_string_equal(new_events(), "");
}

static void
others_changes_become_events(void **state)
{
	const char *own[] = { NULL, NULL };
	const struct hxb_publish_options with_own = { .own_ids = own };
	char id[64];

	(void)state;
	ROOT_ONLY();
	assert_ok(publish());
	/* The first map has nothing to be compared with. */
	assert_string_equal(new_events(), "");

	sql(store_path, "UPDATE users SET state = 1 WHERE username = 'max'");
	sql(store_path,
	    "INSERT INTO user_roles SELECT u.id, r.id FROM users u, roles r WHERE username = 'mona' AND name "
	    "= 'admin'");
	assert_ok(publish());
	assert_int_equal(report.changed, 2);
	{
		const char *events = new_events();

		assert_contains(events,
		    "hexabot changed max: may not log in; groups hexabot-manager > may log in (enabled); "
		    "roles manager\n");
		assert_contains(events,
		    "hexabot changed mona: may log in; groups hexabot-manager > may log in (enabled); roles "
		    "admin manager\n");
	}
	assert_ok(publish());
	assert_string_equal(new_events(), "");

	/* What hexactl did itself, it has recorded itself. */
	snprintf(id, sizeof(id), "%s", user_id(store_path, "mona"));
	own[0] = id;
	sql(store_path, "UPDATE users SET state = 0 WHERE username IN ('mona', 'zoe')");
	assert_ok(publish_with(&with_own));
	assert_int_equal(report.changed, 1); /* zoe could not log in before */
	assert_string_equal(new_events(), "");

	add_user("newcomer", "2026-01-01 00:00:00.000");
	sql(store_path, "DELETE FROM users WHERE username = 'pia'");
	assert_ok(publish());
	assert_int_equal(report.added, 1);
	assert_int_equal(report.removed, 1);
	{
		const char *events = new_events();

		assert_contains(
		    events, "hexabot appeared newcomer:  > may log in (enabled); roles manager\n");
		assert_contains(events,
		    "hexabot disappeared pia: may not log in; groups hexabot-public > gone from the host\n");
	}
}

static void
who_changes_somebody_all_day_fills_no_log(void **state)
{
	const char *events;
	unsigned count = 0;

	(void)state;
	ROOT_ONLY();
	assert_ok(publish());
	for (int i = 0; i < HXB_EVENTS_AN_HOUR + 5; i++) {
		sql(store_path,
		    i % 2 == 0 ? "UPDATE users SET state = 0 WHERE username = 'mona'"
		               : "UPDATE users SET state = 1 WHERE username = 'mona'");
		assert_ok(publish());
	}
	events = new_events();
	for (const char *p = events; (p = strchr(p, '\n')) != NULL; p++)
		count++;
	assert_int_equal(count, HXB_EVENTS_AN_HOUR);
	assert_contains(events, "hexabot changed often mona: ");
}

static void
shadow_follows_the_verdict(void **state)
{
	struct hxb_entry *entry;
	char user[] = "", *no_roles[] = { NULL };
	struct hxb_hold hold = { .since = user, .actor = user, .marker = user };

	(void)state;
	ROOT_ONLY();
	assert_ok(publish());
	assert_int_equal(shown("ada")[0], '1');
	assert_ok(hxb_ledger_entry(ledger, HXB_ENTRY_USER, user_id(store_path, "ada"), &entry, &err));
	entry->expires = 1000;
	assert_ok(hxb_ledger_put(ledger, entry, &err));
	(void)new_events();
	assert_ok(publish());
	/* Nobody in Hexabot has done that. */
	assert_contains(new_events(), "hexactl changed ada: may log in; ");
	assert_int_equal(shown("ada")[0], '0');
	entry->expires = 0;
	assert_ok(hxb_ledger_put(ledger, entry, &err));
	hold.user_id = entry->id;
	hold.parked.password.type = 'n';
	hold.parked.role_ids = no_roles;
	assert_ok(hxb_ledger_put_hold(ledger, &hold, &err));
	assert_ok(publish());
	assert_int_equal(shown("ada")[0], '0');
	assert_ok(hxb_ledger_end_hold(ledger, entry->id, &err));
	assert_ok(publish());
	assert_int_equal(shown("ada")[0], '1');
	hxb_entry_free(entry);
	sql(store_path, "UPDATE users SET password = '$2!held.x' WHERE username = 'ada'");
	assert_ok(publish());
	assert_int_equal(shown("ada")[0], '0');
}

static void
give_key(const char *id, const char *fingerprint, const char *comment)
{
	char type[] = "ssh-ed25519", body[] = "AAAA", options[] = "restrict", actor[] = "root";
	const struct hxb_key key = { .fingerprint = (char *)(uintptr_t)fingerprint,
		.options = options,
		.type = type,
		.body = body,
		.comment = (char *)(uintptr_t)comment,
		.bits = 256,
		.actor = actor };

	assert_ok(hxb_ledger_add_key(ledger, id, &key, &err));
}

/* The comments in a login's file of keys; "none" if there is no file. */
static const char *
published_keys(const char *login)
{
	static const char line_begin[] = "restrict ssh-ed25519 AAAA ";
	static char comments[256];
	char *text = hxb_key_files_read(state_dir, login);

	snprintf(comments, sizeof(comments), "%s", text == NULL ? "none" : "");
	for (const char *p = text; p != NULL && (p = strstr(p, line_begin)) != NULL; p++) {
		p += strlen(line_begin);
		snprintf(comments + strlen(comments), sizeof(comments) - strlen(comments), "%.*s ",
		    (int)strcspn(p, "\n"), p);
	}
	free(text);
	return comments;
}

static void
keys_are_sshds_to_see_while_their_user_is_enabled(void **state)
{
	char mona[64], path[PATH_MAX + 16];
	struct stat st;

	(void)state;
	ROOT_ONLY();
	assert_ok(publish());
	assert_int_equal(access(in_dir("state/keys"), F_OK), -1); /* nobody has any */
	snprintf(mona, sizeof(mona), "%s", user_id(store_path, "mona"));
	give_key(mona, "SHA256:1", "one");
	give_key(mona, "SHA256:2", "two");
	give_key(user_id(store_path, "max"), "SHA256:1", "disabled");
	give_key(user_id(store_path, "pia"), "SHA256:1", "no-role");
	give_key("nobody's", "SHA256:1", "nobody's");
	assert_ok(publish_with(&(struct hxb_publish_options){ .dry_run = true }));
	assert_int_equal(access(in_dir("state/keys"), F_OK), -1);
	assert_ok(publish());
	assert_string_equal(report.keys.text, "");
	assert_string_equal(published_keys("mona"), "one two ");
	assert_string_equal(published_keys("max"), "none");
	assert_string_equal(published_keys("pia"), "none");
	snprintf(path, sizeof(path), "%s/keys/mona", state_dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_gid, uid_of("mona"));
	/* One that is as it should be is not touched; one that is lost is made again. */
	assert_ok(publish());
	ino_t before = st.st_ino;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_ino, before);
	assert_int_equal(unlink(path), 0);
	assert_ok(publish());
	assert_string_equal(published_keys("mona"), "one two ");
	/* The host has come to use the name itself. */
	write_file(
	    passwd_path, "root:x:0:0:root:/root:/bin/bash\nmona:x:1000:1000::/home/mona:/bin/sh\n", 0644);
	assert_ok(publish());
	assert_string_equal(published_keys("mona"), "none");
	write_file(passwd_path, "root:x:0:0:root:/root:/bin/bash\n", 0644);
	sql(store_path, "UPDATE users SET state = 0 WHERE username = 'mona'");
	sql(store_path, "UPDATE users SET state = 1 WHERE username = 'max'");
	assert_ok(publish());
	assert_string_equal(published_keys("mona"), "none");
	assert_string_equal(published_keys("max"), "disabled ");
	/* Who is removed has none when they come back. */
	(void)new_events();
	sql(store_path,
	    "UPDATE users SET state = 1, type = 'SubscriberOrmEntity', source_id = 'web' WHERE username = "
	    "'mona'");
	assert_ok(publish());
	assert_contains(new_events(), "hexabot key mona: 2 ssh keys > gone with the user\n");
	sql(store_path, "UPDATE users SET type = 'UserOrmEntity' WHERE username = 'mona'");
	assert_ok(publish());
	assert_int_equal(shown("mona")[0], '1');
	assert_string_equal(published_keys("mona"), "none");
}

static void
nothing_about_keys_keeps_a_map_from_being_published(void **state)
{
	char path[PATH_MAX + 16];
	struct hxb_map_info info;
	struct hxb_map *map;

	(void)state;
	ROOT_ONLY();
	give_key(user_id(store_path, "mona"), "SHA256:1", "one");
	give_key(user_id(store_path, "ada"), "SHA256:1", "other");
	snprintf(path, sizeof(path), "%s/keys", state_dir);
	write_file(path, "no directory", 0644);
	sql(store_path, "UPDATE users SET state = 0 WHERE username = 'max'");
	assert_ok(publish());
	assert_contains(report.keys.text, "/keys: a symbolic link or no directory; remove it");
	assert_int_equal(shown("max")[0], '0');
	map = open_map();
	hxb_map_info(map, &info);
	assert_in_range(info.next_change, (uintmax_t)time(NULL), (uintmax_t)time(NULL) + 60);
	hxb_map_close(map);
	unlink(path);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/keys/mona", state_dir);
	mkdir(path, 0755);
	assert_ok(publish());
	assert_contains(
	    report.keys.text, "/keys/mona: can't be replaced: Is a directory; remove what is there");
	assert_string_equal(published_keys("ada"), "other ");
	rmdir(path);
	assert_ok(publish());
	assert_string_equal(report.keys.text, "");
	assert_string_equal(published_keys("mona"), "one ");
	map = open_map();
	hxb_map_info(map, &info);
	assert_int_equal(info.next_change, 0);
	hxb_map_close(map);
}

static void
a_key_that_is_taken_away_is_gone_before_the_commit(void **state)
{
	struct hxb_entry *entry;
	char mona[64];

	(void)state;
	ROOT_ONLY();
	snprintf(mona, sizeof(mona), "%s", user_id(store_path, "mona"));
	give_key(mona, "SHA256:1", "one");
	give_key(mona, "SHA256:2", "two");
	assert_ok(publish());
	assert_ok(hxb_ledger_entry(ledger, HXB_ENTRY_USER, mona, &entry, &err));
	assert_ok(hxb_ledger_begin(ledger, &err));
	assert_ok(hxb_ledger_remove_key(ledger, mona, "SHA256:1", &err));
	assert_ok(hxb_keys_narrow(&places, ledger, entry, &err));
	assert_string_equal(published_keys("mona"), "two ");
	hxb_ledger_rollback(ledger);
	assert_ok(publish()); /* it was not taken after all */
	assert_string_equal(published_keys("mona"), "one two ");
	assert_ok(hxb_ledger_forget_keys(ledger, mona, NULL, &err));
	assert_ok(hxb_keys_narrow(&places, ledger, entry, &err));
	assert_string_equal(published_keys("mona"), "none");
	/* Nothing is shown that was not. */
	give_key(mona, "SHA256:1", "one");
	assert_ok(hxb_keys_narrow(&places, ledger, entry, &err));
	assert_string_equal(published_keys("mona"), "none");
	hxb_entry_free(entry);
}

/* In the very moment in which a file of keys is put in its place. */
static void (*meanwhile)(void);

/* Instead of libc's. */
int
renameat(int from, const char *old, int to, const char *new)
{
	void (*happens)(void) = strcmp(new, "mona") == 0 ? meanwhile : NULL;

	if (happens != NULL) {
		meanwhile = NULL;
		happens();
	}
	return (int)syscall(SYS_renameat2, from, old, to, new, 0);
}

/* As hexactl does where it has waited for a publish long enough. */
static void
hold_mona(void)
{
	struct hxb_ledger *other;
	char *no_roles[] = { NULL }, id[64], marker[] = "$2!held.x", empty[] = "", actor[] = "root";
	struct hxb_hold hold = {
		.user_id = id,
		.since = empty,
		.actor = actor,
		.marker = marker,
		.parked = { .password.type = 'n', .role_ids = no_roles },
	};

	snprintf(id, sizeof(id), "%s", user_id(store_path, "mona"));
	assert_ok(hxb_ledger_open(ledger_path, 0, hxb_deadline_in(HXB_CTL_DEADLINE), &other, &err));
	assert_ok(hxb_ledger_put_hold(other, &hold, &err));
	hxb_ledger_close(other);
	assert_ok(hxb_key_files_withdraw(state_dir, "mona", &err));
}

static void
a_hold_that_did_not_wait_for_a_publish_keeps_the_keys_away(void **state)
{
	(void)state;
	ROOT_ONLY();
	give_key(user_id(store_path, "mona"), "SHA256:1", "one");
	give_key(user_id(store_path, "ada"), "SHA256:1", "other");
	meanwhile = hold_mona;
	assert_ok(publish());
	assert_null(meanwhile); /* it happened */
	assert_string_equal(published_keys("mona"), "none");
	assert_string_equal(published_keys("ada"), "other ");
	assert_string_equal(report.keys.text, "");
}

static void
a_lost_ledger_is_rebuilt_from_the_map(void **state)
{
	struct hxb_entry *entry;
	uint32_t mona, max, gid, gone;
	char shell[] = "/bin/sh";

	(void)state;
	ROOT_ONLY();
	assert_ok(publish());
	assert_ok(hxb_ledger_entry(ledger, HXB_ENTRY_USER, user_id(store_path, "max"), &entry, &err));
	free(entry->shell);
	entry->shell = strdup(shell);
	assert_ok(hxb_ledger_put(ledger, entry, &err));
	hxb_entry_free(entry);
	gone = uid_of("pia");
	sql(store_path, "DELETE FROM users WHERE username = 'pia'; DELETE FROM roles WHERE name = 'retired'");
	/* Since then renamed: the login comes from the map. */
	sql(store_path, "UPDATE users SET username = 'renamed' WHERE username = 'mona'");
	assert_ok(publish());
	mona = uid_of("mona");
	max = uid_of("max");
	gid = gid_of("hexabot-manager");

	close_all();
	remember_path(ledger_path, "rebuilt.sqlite");
	open_all(FIRST, LAST);
	assert_ok(hxb_ledger_rebuild(&config, &places, ledger, store, &err));
	/* The removed one's number and name are not given away. */
	assert_int_equal(
	    sql_number(ledger_path, "SELECT removed FROM entries WHERE number = %lld AND login = 'pia'",
	        (long long)gone),
	    1);
	add_user("pia", "2020-01-01 00:00:00.000");
	assert_ok(publish());
	assert_int_equal(uid_of("mona"), mona);
	assert_int_equal(uid_of("renamed"), 0);
	assert_int_equal(uid_of("max"), max);
	assert_int_equal(gid_of("hexabot-manager"), gid);
	assert_int_equal(uid_of("pia"), 0);
	assert_contains(shown("max"), ":/bin/sh");
	assert_contains(shown("ada"), ":/bin/bash");
	assert_int_equal(
	    sql_number(ledger_path, "SELECT count(*) FROM entries WHERE shell <> '' OR home <> ''"), 1);
	/* And from the map of the rebuilt one again. */
	close_all();
	remember_path(ledger_path, "rebuilt-again.sqlite");
	open_all(FIRST, LAST);
	assert_ok(hxb_ledger_rebuild(&config, &places, ledger, store, &err));
	assert_ok(publish());
	assert_int_equal(uid_of("mona"), mona);
	assert_int_equal(uid_of("pia"), 0);
	assert_int_equal(
	    sql_number(ledger_path, "SELECT removed FROM entries WHERE number = %lld AND login = 'pia'",
	        (long long)gone),
	    1);
}

static void
without_a_map_nothing_is_rebuilt(void **state)
{
	(void)state;
	ROOT_ONLY();
	assert_result(hxb_ledger_rebuild(&config, &places, ledger, store, &err), HXB_UNREADABLE);
	assert_contains(err.text, "names and numbers can't be restored");
	assert_ok(publish());
	write_file(in_dir("state/map.1"), "no map", 0444);
	assert_result(hxb_ledger_rebuild(&config, &places, ledger, store, &err), HXB_UNREADABLE);
	/* A map that can't be read does not stop the next publish. */
	assert_ok(publish());
	assert_int_not_equal(uid_of("mona"), 0);
}

static void
the_lock_is_had_by_one_at_a_time(void **state)
{
	const char *path = in_dir("lock");
	long began;
	int one, two;

	(void)state;
	assert_ok(hxb_publish_lock(path, hxb_deadline_in(100), &one, &err));
	assert_true(one >= 0);
	began = milliseconds();
	assert_result(hxb_publish_lock(path, hxb_deadline_in(200), &two, &err), HXB_BUSY);
	assert_true(milliseconds() - began >= 180 && milliseconds() - began < 700);
	assert_int_equal(two, -1);
	close(one);
	assert_ok(hxb_publish_lock(path, hxb_deadline_in(100), &two, &err));
	close(two);
	assert_result(
	    hxb_publish_lock(in_dir("absent/lock"), hxb_deadline_in(100), &two, &err), HXB_UNREADABLE);
	assert_int_equal(two, -1);
	unlink(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_result(hxb_publish_lock(path, hxb_deadline_in(100), &two, &err), HXB_UNREADABLE);
}

static void
a_publish_that_fails_leaves_ledger_and_map(void **state)
{
	char line[256];

	(void)state;
	ROOT_ONLY();
	assert_ok(publish());
	sql(store_path, "UPDATE users SET state = 1 WHERE username = 'max'");
	/* a directory that others may write: no map is put there */
	chmod(state_dir, 0777);
	assert_result(publish(), HXB_UNREADABLE);
	chmod(state_dir, 0755);
	write_file(passwd_path, "", 0644);
	unlink(passwd_path);
	assert_result(publish(), HXB_FAILED);
	write_file(passwd_path, "root:x:0:0:::\n", 0644);
	/* the store is locked */
	{
		pid_t pid = hold_lock(store_path, "BEGIN EXCLUSIVE");

		hxb_store_set_deadline(store, hxb_deadline_in(100));
		assert_result(hxb_publish(&config, &places, ledger, store,
		                  &(struct hxb_publish_options){ .force = false }, &report, &err),
		    HXB_BUSY);
		end_child(pid);
	}
	snprintf(line, sizeof(line), "%s", shown("max"));
	assert_int_equal(line[0], '0');
	assert_int_equal(sql_number(ledger_path, "SELECT value FROM meta WHERE key = 'generation'"), 1);
	assert_string_equal(new_events(), "");
	assert_ok(publish());
	assert_int_equal(shown("max")[0], '1');
}

#define PUBLISH_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PUBLISH_TEST(the_map_shows_what_the_store_says),
		PUBLISH_TEST(names_that_mean_something_stay_the_hosts),
		PUBLISH_TEST(who_has_had_a_name_like_a_groups_keeps_it),
		PUBLISH_TEST(a_home_with_the_right_owner_is_theirs),
		PUBLISH_TEST(a_name_with_a_nul_is_nobodys),
		PUBLISH_TEST(of_two_spellings_the_older_account_wins),
		PUBLISH_TEST(role_groups_keep_to_the_rules),
		PUBLISH_TEST(prefix_and_role_make_no_reserved_name_together),
		PUBLISH_TEST(the_same_store_gives_the_same_numbers_on_every_host),
		PUBLISH_TEST(a_collision_takes_the_next_free_number),
		PUBLISH_TEST(a_full_range_leaves_the_rest_unmapped),
		PUBLISH_TEST(systemds_foreign_numbers_are_given_to_nobody),
		PUBLISH_TEST(a_removed_users_name_and_number_go_to_nobody),
		PUBLISH_TEST(a_user_who_became_a_visitor_is_removed),
		PUBLISH_TEST(a_rename_in_hexabot_changes_nothing_on_the_host),
		PUBLISH_TEST(a_login_set_by_hand_is_taken_and_the_former_one_kept),
		PUBLISH_TEST(a_login_by_hand_helps_who_has_none),
		PUBLISH_TEST(losing_more_than_half_is_refused),
		PUBLISH_TEST(a_dry_run_leaves_everything_as_it_is),
		PUBLISH_TEST(others_changes_become_events),
		PUBLISH_TEST(who_changes_somebody_all_day_fills_no_log),
		PUBLISH_TEST(shadow_follows_the_verdict),
		PUBLISH_TEST(keys_are_sshds_to_see_while_their_user_is_enabled),
		PUBLISH_TEST(nothing_about_keys_keeps_a_map_from_being_published),
		PUBLISH_TEST(a_key_that_is_taken_away_is_gone_before_the_commit),
		PUBLISH_TEST(a_hold_that_did_not_wait_for_a_publish_keeps_the_keys_away),
		PUBLISH_TEST(a_lost_ledger_is_rebuilt_from_the_map),
		PUBLISH_TEST(without_a_map_nothing_is_rebuilt),
		PUBLISH_TEST(the_lock_is_had_by_one_at_a_time),
		PUBLISH_TEST(a_publish_that_fails_leaves_ledger_and_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
