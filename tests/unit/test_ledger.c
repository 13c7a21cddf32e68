/* SPDX-License-Identifier: ISC */
/* The ledger: what it refuses to be, and that a name or a number, once given, belongs to nobody else. */
#include <sys/stat.h>

#include "support.h"

#define FIRST 100000
#define LAST 109999

static struct hxb_ledger *ledger;

static int
set_up(void **state)
{
	if (make_test_dir(state) != 0)
		return -1;
	ledger = make_ledger(in_dir("ledger.sqlite"), FIRST, LAST);
	return 0;
}

static int
tear_down(void **state)
{
	hxb_ledger_close(ledger);
	ledger = NULL;
	return remove_test_dir(state);
}

static enum hxb_result
try_open(const char *path)
{
	struct hxb_ledger *found;
	enum hxb_result r;

	r = hxb_ledger_open(path, geteuid(), hxb_deadline_in(1000), &found, &err);
	assert_true((r == HXB_OK) == (found != NULL));
	hxb_ledger_close(found);
	return r;
}

static enum hxb_result
put(enum hxb_entry_kind kind, const char *id, const char *login, uint32_t number)
{
	char empty[] = "";
	struct hxb_entry entry = { .kind = kind, .number = number, .shell = empty, .home = empty };
	enum hxb_result r;

	entry.id = strdup(id);
	entry.login = strdup(login);
	r = hxb_ledger_put(ledger, &entry, &err);
	free(entry.id);
	free(entry.login);
	return r;
}

/* "login number removed" of an entry, or "none". */
static const char *
entry_of(enum hxb_entry_kind kind, const char *id)
{
	static char text[256];
	struct hxb_entry *entry;

	if (hxb_ledger_entry(ledger, kind, id, &entry, &err) == HXB_NOT_FOUND) {
		assert_null(entry);
		return "none";
	}
	assert_non_null(entry);
	assert_string_equal(entry->id, id);
	assert_int_equal(entry->kind, kind);
	snprintf(text, sizeof(text), "%s %u%s", entry->login, (unsigned)entry->number,
	    entry->removed ? " removed" : "");
	hxb_entry_free(entry);
	return text;
}

static const char *
owner_of(const char *login)
{
	static char text[64];
	char *id;

	if (hxb_ledger_login_owner(ledger, login, &id, &err) == HXB_NOT_FOUND) {
		assert_null(id);
		return "nobody";
	}
	snprintf(text, sizeof(text), "%s", id);
	free(id);
	return text;
}

static void
a_new_ledger_is_roots_own(void **state)
{
	const struct hxb_ledger_meta meta = { .store_uid = 0 };
	const char *path = in_dir("ledger.sqlite");
	struct hxb_ledger_meta found;
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(in_dir("ledger.sqlite-wal"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_string_equal(sql_text(path, "PRAGMA journal_mode"), "wal");
	assert_ok(hxb_ledger_meta(ledger, &found, &err));
	assert_int_equal(found.store_uid, geteuid());
	assert_int_equal(found.uid_min, FIRST);
	assert_int_equal(found.uid_max, LAST);
	assert_int_equal(found.generation, 0);
	/* init never overwrites one */
	assert_result(hxb_ledger_create(path, &meta, &err), HXB_REFUSED);
	assert_ok(try_open(path));
}

static void
numbers_beyond_31_bits_are_kept(void **state)
{
	const struct hxb_ledger_meta meta = { .store_uid = 4294967294u,
		.uid_min = 2147483648u,
		.uid_max = 4294967294u,
		.generation = UINT64_C(1) << 40 };
	struct hxb_ledger_meta found;

	(void)state;
	assert_ok(hxb_ledger_set_meta(ledger, &meta, &err));
	assert_ok(hxb_ledger_meta(ledger, &found, &err));
	assert_int_equal(found.store_uid, meta.store_uid);
	assert_int_equal(found.uid_min, meta.uid_min);
	assert_int_equal(found.uid_max, meta.uid_max);
	assert_true(found.generation == meta.generation);
	assert_ok(put(HXB_ENTRY_USER, "a", "alice", 4294967294u));
	assert_string_equal(entry_of(HXB_ENTRY_USER, "a"), "alice 4294967294");
}

static void
what_is_no_ledger_is_refused(void **state)
{
	const char *path = in_dir("other.sqlite");

	(void)state;
	assert_result(try_open(path), HXB_UNREADABLE);
	assert_int_equal(access(path, F_OK), -1);
	write_file(path, "", 0600);
	assert_result(try_open(path), HXB_UNREADABLE);
	assert_contains(err.text, "not a ledger; run hexactl init --rebuild-ledger");
	write_file(path,
	    "# not a database, but long enough to be taken for one's header, if nobody looks at its first "
	    "words at all\n",
	    0600);
	assert_result(try_open(path), HXB_UNREADABLE);
	unlink(path);
	make_store(path);
	chmod(path, 0600);
	assert_result(try_open(path), HXB_UNREADABLE);
	/* Somebody's database with versions of its own, ours among them. */
	for (int version = -2; version <= 4; version++) {
		sql(path, "PRAGMA user_version = %d", version);
		assert_result(try_open(path), HXB_UNREADABLE);
		assert_contains(err.text, "not a ledger");
	}
	/* Nothing was made in it. */
	assert_int_equal(sql_number(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'entries'"), 0);
}

static void
a_newer_ledger_is_refused_and_left_alone(void **state)
{
	const char *path = in_dir("ledger.sqlite");
	int64_t version = sql_number(path, "PRAGMA user_version");

	(void)state;
	assert_int_equal(version, 3);
	sql(path, "PRAGMA user_version = 4; UPDATE meta SET value = 4 WHERE key = 'oldest'");
	assert_result(try_open(path), HXB_UNREADABLE);
	assert_contains(err.text, "made by a newer release (schema 4, this one knows 3)");
	assert_int_equal(sql_number(path, "PRAGMA user_version"), 4);
	sql(path, "DELETE FROM meta WHERE key = 'oldest'");
	assert_result(try_open(path), HXB_UNREADABLE);
	sql(path, "PRAGMA user_version = -1");
	assert_result(try_open(path), HXB_UNREADABLE);
	sql(path, "PRAGMA user_version = 3");
	assert_ok(try_open(path));
}

/* A process that began before an upgrade. */
static void
a_newer_ledger_that_only_adds_is_used_as_it_is(void **state)
{
	const char *path = in_dir("ledger.sqlite");

	(void)state;
	assert_int_equal(sql_number(path, "SELECT value FROM meta WHERE key = 'oldest'"), 2);
	sql(path,
	    "CREATE TABLE more (a); PRAGMA user_version = 7; UPDATE meta SET value = 3 WHERE key = 'oldest'");
	assert_ok(try_open(path));
	assert_int_equal(sql_number(path, "PRAGMA user_version"), 7);
	assert_int_equal(sql_number(path, "SELECT value FROM meta WHERE key = 'oldest'"), 3);
}

static void
an_older_ledger_is_brought_up_to_date(void **state)
{
	const char *path = in_dir("ledger.sqlite");

	(void)state;
	sql(path, "DROP TABLE keys; PRAGMA user_version = 2");
	assert_ok(try_open(path));
	assert_int_equal(sql_number(path, "PRAGMA user_version"), 3);
	sql(path, "DROP TABLE keys; DROP TABLE invitations; PRAGMA user_version = 1");
	assert_ok(try_open(path));
	assert_int_equal(sql_number(path, "PRAGMA user_version"), 3);
	assert_int_equal(sql_number(path, "SELECT count(*) FROM invitations"), 0);
	assert_int_equal(sql_number(path, "SELECT count(*) FROM keys"), 0);
}

static void
a_ledger_that_others_could_write_is_refused(void **state)
{
	const char *path = in_dir("ledger.sqlite"), *other = in_dir("link.sqlite");

	(void)state;
	chmod(path, 0620);
	assert_result(try_open(path), HXB_UNREADABLE);
	chmod(path, 0600);
	assert_int_equal(symlink(path, other), 0);
	assert_result(try_open(other), HXB_UNREADABLE);
	chmod(in_dir("."), 0777);
	assert_result(try_open(path), HXB_UNREADABLE);
	chmod(in_dir("."), 0755);
	if (geteuid() == 0) {
		give_away(path, SOMEBODY, 0600);
		assert_result(try_open(path), HXB_UNREADABLE);
		give_away(path, 0, 0600);
	}
	assert_ok(try_open(path));
	sql(path, "DELETE FROM meta WHERE key = 'uid_min'");
	assert_result(hxb_ledger_meta(ledger, &(struct hxb_ledger_meta){ 0 }, &err), HXB_UNREADABLE);
	assert_contains(err.text, "uid_min is not recorded");
}

static void
entries_are_kept_by_kind_and_id(void **state)
{
	struct hxb_entry *entry, changed;
	char shell[] = "/bin/sh", home[] = "/srv/a", id[] = "a", login[] = "alice";

	(void)state;
	assert_string_equal(entry_of(HXB_ENTRY_USER, "a"), "none");
	assert_ok(put(HXB_ENTRY_USER, "a", "alice", FIRST));
	assert_ok(put(HXB_ENTRY_ROLE, "a", "", FIRST + 1));
	assert_ok(put(HXB_ENTRY_ROLE, "b", "", FIRST + 2)); /* no login is no login twice */
	assert_ok(put(HXB_ENTRY_USER, "c", "carol", 0)); /* a number comes later */
	assert_ok(put(HXB_ENTRY_USER, "d", "dora", 0));
	assert_string_equal(entry_of(HXB_ENTRY_USER, "a"), "alice 100000");
	assert_string_equal(entry_of(HXB_ENTRY_ROLE, "a"), " 100001");
	assert_string_equal(entry_of(HXB_ENTRY_USER, "A"), "none");
	assert_string_equal(entry_of(HXB_ENTRY_USER, "c"), "carol 0");

	changed = (struct hxb_entry){ .kind = HXB_ENTRY_USER,
		.id = id,
		.login = login,
		.number = FIRST,
		.shell = shell,
		.home = home,
		.expires = 1900000000000,
		.removed = false };
	assert_ok(hxb_ledger_put(ledger, &changed, &err));
	assert_ok(hxb_ledger_entry_by_login(ledger, "ALICE", &entry, &err));
	assert_string_equal(entry->login, "alice");
	assert_string_equal(entry->shell, "/bin/sh");
	assert_string_equal(entry->home, "/srv/a");
	assert_true(entry->expires == 1900000000000);
	hxb_entry_free(entry);
	hxb_entry_free(NULL);
	assert_result(hxb_ledger_entry_by_login(ledger, "", &entry, &err), HXB_NOT_FOUND);
	assert_null(entry);
	assert_result(hxb_ledger_entry_by_login(ledger, "alic", &entry, &err), HXB_NOT_FOUND);
}

static void
a_name_or_number_has_one_owner(void **state)
{
	bool taken;

	(void)state;
	assert_ok(put(HXB_ENTRY_USER, "a", "alice", FIRST));
	assert_result(put(HXB_ENTRY_USER, "b", "alice", FIRST + 1), HXB_CONFLICT);
	assert_result(put(HXB_ENTRY_USER, "b", "Alice", FIRST + 1), HXB_CONFLICT);
	assert_result(put(HXB_ENTRY_USER, "b", "bob", FIRST), HXB_CONFLICT);
	assert_result(
	    put(HXB_ENTRY_ROLE, "b", "", FIRST), HXB_CONFLICT); /* users and roles share the numbers */
	assert_string_equal(entry_of(HXB_ENTRY_USER, "b"), "none");
	assert_ok(hxb_ledger_number_taken(ledger, FIRST, &taken, &err));
	assert_true(taken);
	assert_ok(hxb_ledger_number_taken(ledger, FIRST + 1, &taken, &err));
	assert_false(taken);
}

static void
the_first_free_number_is_found(void **state)
{
	static const uint32_t gone[] = { 1, 2, 3, 5 };
	static const struct {
		uint32_t from, to, free; /* 9: none */
	} searches[] = { { 0, 9, 0 }, { 1, 9, 4 }, { 3, 9, 4 }, { 4, 9, 4 }, { 5, 9, 6 }, { 5, 6, 6 },
		{ 6, 6, 6 }, { 1, 3, 9 }, { 5, 5, 9 } };
	uint32_t number;
	char id[8];

	(void)state;
	for (size_t i = 0; i < COUNT(gone); i++) {
		snprintf(id, sizeof(id), "%u", (unsigned)gone[i]);
		assert_ok(put(HXB_ENTRY_ROLE, id, "", FIRST + gone[i]));
	}
	for (size_t i = 0; i < COUNT(searches); i++) {
		enum hxb_result r = hxb_ledger_free_number(
		    ledger, FIRST + searches[i].from, FIRST + searches[i].to, &number, &err);

		assert_result(r, searches[i].free == 9 ? HXB_NOT_FOUND : HXB_OK);
		if (r == HXB_OK)
			assert_int_equal(number, FIRST + searches[i].free);
	}
}

static void
a_former_login_stays_its_owners(void **state)
{
	(void)state;
	assert_ok(put(HXB_ENTRY_USER, "a", "alice", FIRST));
	assert_ok(put(HXB_ENTRY_USER, "a", "alicia", FIRST));
	assert_string_equal(owner_of("alice"), "a");
	assert_string_equal(owner_of("ALICE"), "a");
	assert_string_equal(owner_of("alicia"), "a");
	/* And back: then the other one is the former. */
	assert_ok(put(HXB_ENTRY_USER, "a", "alice", FIRST));
	assert_string_equal(owner_of("alicia"), "a");
	assert_int_equal(sql_number(in_dir("ledger.sqlite"), "SELECT count(*) FROM former_logins"), 1);
	/* Another spelling is no other name. */
	assert_ok(put(HXB_ENTRY_USER, "a", "Alice", FIRST));
	assert_int_equal(sql_number(in_dir("ledger.sqlite"), "SELECT count(*) FROM former_logins"), 1);
	/* One that the host has never seen is free again. */
	assert_ok(put(HXB_ENTRY_USER, "b", "bob", 0));
	assert_ok(put(HXB_ENTRY_USER, "b", "robert", 0));
	assert_string_equal(owner_of("bob"), "nobody");
	assert_string_equal(owner_of("robert"), "b");
	/* For a rebuild. */
	assert_ok(hxb_ledger_put_former_login(ledger, "zoe", "z", &err));
	assert_ok(hxb_ledger_put_former_login(ledger, "Zoe", "y", &err));
	assert_string_equal(owner_of("zoe"), "z");
}

static enum hxb_result
list_entry(const struct hxb_entry *entry, void *context, struct hxb_error *error)
{
	char *text = context;

	(void)error;
	sprintf(text + strlen(text), "%d:%s:%s:%u%s ", (int)entry->kind, entry->id, entry->login,
	    (unsigned)entry->number, entry->removed ? ":removed" : "");
	return HXB_OK;
}

static void
an_entry_can_be_buried_and_come_back(void **state)
{
	char text[512] = "";

	(void)state;
	assert_ok(put(HXB_ENTRY_USER, "a", "alice", FIRST));
	assert_ok(put(HXB_ENTRY_USER, "b", "bob", FIRST + 1));
	assert_ok(put(HXB_ENTRY_ROLE, "a", "", FIRST + 2));
	assert_ok(put(HXB_ENTRY_USER, "b", "bobby", FIRST + 1));

	assert_ok(hxb_ledger_set_removed(ledger, HXB_ENTRY_USER, "b", true, &err));
	assert_ok(hxb_ledger_set_removed(ledger, HXB_ENTRY_ROLE, "a", true, &err));
	assert_ok(hxb_ledger_set_removed(ledger, HXB_ENTRY_USER, "unknown", true, &err));
	assert_string_equal(entry_of(HXB_ENTRY_USER, "a"), "alice 100000");
	assert_string_equal(entry_of(HXB_ENTRY_USER, "b"), "bobby 100001 removed");
	assert_string_equal(entry_of(HXB_ENTRY_ROLE, "a"), " 100002 removed");
	assert_string_equal(owner_of("bobby"), "b");
	assert_string_equal(owner_of("bob"), "b");
	assert_ok(hxb_ledger_entries(ledger, list_entry, text, &err));
	assert_contains(text, "1:a:alice:100000 ");
	assert_contains(text, "1:b:bobby:100001:removed ");
	assert_contains(text, "2:a::100002:removed ");
	assert_contains(text, "3:b:bob:0:removed ");

	assert_ok(hxb_ledger_set_removed(ledger, HXB_ENTRY_USER, "b", false, &err));
	assert_string_equal(entry_of(HXB_ENTRY_USER, "b"), "bobby 100001");
}

static void
what_is_not_committed_has_not_happened(void **state)
{
	(void)state;
	assert_ok(hxb_ledger_begin(ledger, &err));
	assert_ok(put(HXB_ENTRY_USER, "a", "alice", FIRST));
	hxb_ledger_rollback(ledger);
	hxb_ledger_rollback(ledger);
	assert_string_equal(entry_of(HXB_ENTRY_USER, "a"), "none");
	assert_ok(hxb_ledger_begin(ledger, &err));
	assert_ok(put(HXB_ENTRY_USER, "a", "alice", FIRST));
	hxb_ledger_close(ledger);
	assert_ok(hxb_ledger_open(in_dir("ledger.sqlite"), geteuid(), hxb_deadline_in(1000), &ledger, &err));
	assert_string_equal(entry_of(HXB_ENTRY_USER, "a"), "none");
}

static void
readers_go_on_while_somebody_writes(void **state)
{
	struct hxb_ledger *other;
	long began;
	pid_t pid = hold_lock(in_dir("ledger.sqlite"),
	    "BEGIN IMMEDIATE; INSERT INTO entries (kind, id, number) VALUES (1, 'x', 5)");

	(void)state;
	assert_ok(hxb_ledger_open(in_dir("ledger.sqlite"), geteuid(), hxb_deadline_in(300), &other, &err));
	assert_string_equal(entry_of(HXB_ENTRY_USER, "x"), "none");
	began = milliseconds();
	assert_result(hxb_ledger_begin(other, &err), HXB_BUSY);
	assert_true(milliseconds() - began < 800);
	end_child(pid);
	hxb_ledger_set_deadline(other, hxb_deadline_in(5000));
	assert_ok(hxb_ledger_begin(other, &err));
	hxb_ledger_close(other);
}

static off_t
log_size(void)
{
	struct stat st;

	assert_int_equal(stat(in_dir("ledger.sqlite-wal"), &st), 0);
	return st.st_size;
}

static void
a_checkpoint_empties_the_log_and_waits_for_nobody(void **state)
{
	struct hxb_ledger *other;
	long began;
	pid_t pid;

	(void)state;
	assert_ok(put(HXB_ENTRY_USER, "a", "alice", FIRST));
	assert_true(log_size() > 0);
	assert_ok(hxb_ledger_open(in_dir("ledger.sqlite"), geteuid(), hxb_deadline_in(5000), &other, &err));
	hxb_ledger_checkpoint(other);
	hxb_ledger_close(other);
	assert_int_equal(log_size(), 0);
	assert_string_equal(entry_of(HXB_ENTRY_USER, "a"), "alice 100000");

	pid = hold_lock(in_dir("ledger.sqlite"),
	    "BEGIN IMMEDIATE; INSERT INTO entries (kind, id, number) VALUES (1, 'x', 5)");
	assert_ok(hxb_ledger_open(in_dir("ledger.sqlite"), geteuid(), hxb_deadline_in(5000), &other, &err));
	began = milliseconds();
	hxb_ledger_checkpoint(other);
	hxb_ledger_close(other);
	assert_true(milliseconds() - began < 800);
	end_child(pid);
	assert_string_equal(entry_of(HXB_ENTRY_USER, "a"), "alice 100000");
	hxb_ledger_checkpoint(NULL);
}

static void
what_is_read_together_is_of_one_moment(void **state)
{
	(void)state;
	assert_ok(hxb_ledger_begin_reading(ledger, &err));
	assert_string_equal(entry_of(HXB_ENTRY_USER, "x"), "none");
	/* Who reads keeps nobody waiting. */
	sql(in_dir("ledger.sqlite"),
	    "INSERT INTO entries (kind, id, login, number) VALUES (1, 'x', 'xenia', 100005)");
	assert_string_equal(entry_of(HXB_ENTRY_USER, "x"), "none");
	hxb_ledger_end_reading(ledger);
	hxb_ledger_end_reading(ledger);
	assert_string_equal(entry_of(HXB_ENTRY_USER, "x"), "xenia 100005");

	/* Inside of a transaction that writes they are no-ops. */
	assert_ok(hxb_ledger_begin(ledger, &err));
	assert_ok(put(HXB_ENTRY_USER, "a", "alice", FIRST));
	assert_ok(hxb_ledger_begin_reading(ledger, &err));
	hxb_ledger_end_reading(ledger);
	assert_ok(hxb_ledger_commit(ledger, &err));
	assert_string_equal(entry_of(HXB_ENTRY_USER, "a"), "alice 100000");
}

static void
holds_give_back_what_they_took(void **state)
{
	static const struct {
		char type;
		const char *bytes;
		size_t size;
	} passwords[] = {
		{ 't', "$2b$12$abc", 10 },
		{ 't', "", 0 },
		{ 't', "a\0b", 3 },
		{ 'n', "", 0 },
		{ 'b', "\0\xff$2", 4 },
		{ 'b', "", 0 },
	};
	char id[] = "a", actor[] = "root", marker[] = "$2!held.x", empty[] = "", r1[] = "r1", r2[] = "r2";
	char *roles[] = { r2, r1, NULL }, *no_roles[] = { NULL };
	struct hxb_hold *found;
	bool held = true;

	(void)state;
	assert_ok(hxb_ledger_held(ledger, "a", &held, &err));
	assert_false(held);
	assert_result(hxb_ledger_hold(ledger, "a", &found, &err), HXB_NOT_FOUND);
	assert_null(found);
	for (size_t i = 0; i < COUNT(passwords); i++) {
		struct hxb_hold hold = { .user_id = id, .since = empty, .actor = actor, .marker = marker };
		unsigned char bytes[16];

		memcpy(bytes, passwords[i].bytes, passwords[i].size);
		hold.parked.password = (struct hxb_value){ passwords[i].type, bytes, passwords[i].size };
		hold.parked.role_ids = i % 2 == 0 ? roles : no_roles;
		assert_ok(hxb_ledger_put_hold(ledger, &hold, &err)); /* a second one replaces the first */
		assert_ok(hxb_ledger_held(ledger, "a", &held, &err));
		assert_true(held);
		assert_ok(hxb_ledger_hold(ledger, "a", &found, &err));
		assert_string_equal(found->user_id, "a");
		assert_string_equal(found->actor, "root");
		assert_string_equal(found->marker, "$2!held.x");
		assert_int_equal(strlen(found->since), strlen("2026-01-01T00:00:00Z"));
		assert_int_equal(found->parked.password.type, passwords[i].type);
		assert_int_equal(found->parked.password.size, passwords[i].size);
		assert_memory_equal(found->parked.password.bytes, passwords[i].bytes, passwords[i].size);
		if (i % 2 == 0) {
			assert_string_equal(found->parked.role_ids[0], "r1");
			assert_string_equal(found->parked.role_ids[1], "r2");
			assert_null(found->parked.role_ids[2]);
		} else {
			assert_null(found->parked.role_ids[0]);
		}
		/* What was read can be put back, time and all: PAM does. */
		free(found->since);
		found->since = strdup("2026-01-02T03:04:05Z");
		assert_ok(hxb_ledger_put_hold(ledger, found, &err));
		hxb_hold_free(found);
		assert_ok(hxb_ledger_hold(ledger, "a", &found, &err));
		assert_string_equal(found->since, "2026-01-02T03:04:05Z");
		hxb_hold_free(found);
	}
	hxb_hold_free(NULL);
	assert_ok(hxb_ledger_end_hold(ledger, "a", &err));
	assert_ok(hxb_ledger_end_hold(ledger, "a", &err));
	assert_ok(hxb_ledger_held(ledger, "a", &held, &err));
	assert_false(held);
	assert_int_equal(sql_number(in_dir("ledger.sqlite"), "SELECT count(*) FROM hold_roles"), 0);
}

static void
who_cannot_be_looked_up_is_held(void **state)
{
	bool held = false;

	(void)state;
	sql(in_dir("ledger.sqlite"), "DROP TABLE hold_roles; DROP TABLE holds");
	assert_result(hxb_ledger_held(ledger, "a", &held, &err), HXB_UNREADABLE);
	assert_true(held);
}

static enum hxb_result
list_event(const struct hxb_event *event, void *context, struct hxb_error *error)
{
	char *text = context;

	(void)error;
	assert_int_equal(strlen(event->at), strlen("2026-01-01T00:00:00.000Z"));
	sprintf(text + strlen(text), "%s %s %s %s %s>%s; ", event->actor, event->action, event->user_id,
	    event->name, event->before, event->after);
	return HXB_OK;
}

static void
events_come_in_their_order(void **state)
{
	const struct hxb_event events[] = {
		{ .actor = "root",
		    .action = "disable",
		    .user_id = "a",
		    .name = "alice",
		    .before = "on",
		    .after = "off" },
		{ .actor = "hexabot",
		    .action = "changed",
		    .user_id = "b",
		    .name = "bob",
		    .before = "",
		    .after = "" },
		{ .actor = "root",
		    .action = "enable",
		    .user_id = "a",
		    .name = "alice",
		    .before = "off",
		    .after = "on" },
	};
	char text[512] = "";

	(void)state;
	for (size_t i = 0; i < COUNT(events); i++)
		assert_ok(hxb_ledger_record(ledger, &events[i], &err));
	assert_ok(hxb_ledger_events(ledger, NULL, "", list_event, text, &err));
	assert_string_equal(
	    text, "root disable a alice on>off; hexabot changed b bob >; root enable a alice off>on; ");
	text[0] = '\0';
	assert_ok(hxb_ledger_events(ledger, "b", "", list_event, text, &err));
	assert_string_equal(text, "hexabot changed b bob >; ");
	text[0] = '\0';
	assert_ok(hxb_ledger_events(ledger, NULL, "2999-01-01", list_event, text, &err));
	assert_ok(hxb_ledger_events(ledger, "nobody", "", list_event, text, &err));
	assert_string_equal(text, "");
	assert_ok(hxb_ledger_events(ledger, "a", "2001-01-01T00:00:00Z", list_event, text, &err));
	assert_string_equal(text, "root disable a alice on>off; root enable a alice off>on; ");
}

static void
a_transaction_that_can_not_begin_for_the_witness_leaves_none_open(void **state)
{
	char text[512] = "";

	(void)state;
	hxb_ledger_set_witness(ledger, list_event, text);
	sql(in_dir("ledger.sqlite"), "ALTER TABLE events RENAME TO elsewhere");
	assert_result(hxb_ledger_begin(ledger, &err), HXB_UNREADABLE);
	sql(in_dir("ledger.sqlite"), "ALTER TABLE elsewhere RENAME TO events");
	assert_ok(hxb_ledger_begin(ledger, &err));
	hxb_ledger_rollback(ledger);
}

static int64_t
count_events(const char *user)
{
	return sql_number(in_dir("ledger.sqlite"), "SELECT count(*) FROM events WHERE user_id = %Q", user);
}

static void
who_changes_things_all_day_fills_no_ledger(void **state)
{
	struct hxb_event event = { .actor = "hexabot", .action = "changed", .user_id = "u", .name = "mona" };
	char before[32], after[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(before, sizeof(before), "state %d", i);
		snprintf(after, sizeof(after), "state %d", i + 1);
		event.before = before;
		event.after = after;
		assert_ok(hxb_ledger_record_seen(ledger, &event, &err));
	}
	assert_int_equal(count_events("u"), HXB_EVENTS_AN_HOUR);
	/* No state is missing at its ends: the last event leads from the one before to the latest. */
	assert_string_equal(
	    sql_text(in_dir("ledger.sqlite"),
	        "SELECT action || ': ' || before || ' -> ' || after FROM events ORDER BY seq DESC"),
	    "changed often: state 19 -> state 1000");
	/* Nobody else's events are touched, root's among them, and an hour later there is room again. */
	event.user_id = "another";
	assert_ok(hxb_ledger_record_seen(ledger, &event, &err));
	assert_int_equal(count_events("another"), 1);
	event.user_id = "u";
	event.actor = "root";
	assert_ok(hxb_ledger_record(ledger, &event, &err));
	event.actor = "hexabot";
	assert_ok(hxb_ledger_record_seen(ledger, &event, &err));
	assert_int_equal(count_events("u"), HXB_EVENTS_AN_HOUR + 2);
	sql(in_dir("ledger.sqlite"), "UPDATE events SET at = '2020-01-01T00:00:00.000Z'");
	assert_ok(hxb_ledger_record_seen(ledger, &event, &err));
	assert_int_equal(count_events("u"), HXB_EVENTS_AN_HOUR + 3);
	/* Users without an id have nothing in common. */
	event.user_id = "";
	for (int i = 0; i < 30; i++)
		assert_ok(hxb_ledger_record_seen(ledger, &event, &err));
	assert_int_equal(count_events(""), 30);
}

static void
keys_belong_to_an_id_and_a_fingerprint(void **state)
{
	char body[] = "AAAA", type[] = "ssh-ed25519", options[] = "", comment[] = "me", actor[] = "root",
	     fingerprint[64] = "SHA256:0";
	const struct hxb_key key = { .fingerprint = fingerprint,
		.options = options,
		.type = type,
		.body = body,
		.comment = comment,
		.bits = 256,
		.actor = actor };
	struct hxb_keys keys;
	char **ids;
	unsigned count;

	(void)state;
	assert_ok(hxb_ledger_add_key(ledger, "a", &key, &err));
	assert_result(hxb_ledger_add_key(ledger, "a", &key, &err), HXB_CONFLICT);
	assert_ok(hxb_ledger_add_key(ledger, "b", &key, &err));
	for (int i = 1; i < HXB_KEYS_MAX; i++) {
		snprintf(fingerprint, sizeof(fingerprint), "SHA256:%d", i);
		assert_ok(hxb_ledger_add_key(ledger, "a", &key, &err));
	}
	snprintf(fingerprint, sizeof(fingerprint), "SHA256:one too many");
	assert_result(hxb_ledger_add_key(ledger, "a", &key, &err), HXB_REFUSED);
	assert_contains(err.text, "64 keys");
	assert_result(hxb_ledger_remove_key(ledger, "a", "SHA256:nobody's", &err), HXB_NOT_FOUND);
	assert_ok(hxb_ledger_remove_key(ledger, "a", "SHA256:0", &err));
	assert_ok(hxb_ledger_keys(ledger, "a", &keys, &err));
	assert_int_equal(keys.count, HXB_KEYS_MAX - 1);
	assert_string_equal(keys.keys[0].fingerprint, "SHA256:1"); /* in the order they were added in */
	assert_string_equal(keys.keys[0].comment, "me");
	assert_int_equal(keys.keys[0].bits, 256);
	assert_true(keys.keys[0].added > 1700000000);
	hxb_keys_clear(&keys);
	assert_ok(hxb_ledger_forget_keys(ledger, "a", &count, &err));
	assert_int_equal(count, HXB_KEYS_MAX - 1);
	assert_ok(hxb_ledger_key_owners(ledger, &ids, &err));
	assert_string_equal(ids[0], "b");
	assert_null(ids[1]);
	free(ids[0]);
	free(ids);
}

static void
no_call_leaves_signals_or_ids_changed(void **state)
{
	struct standing standing = present_standing();

	(void)state;
	assert_ok(put(HXB_ENTRY_USER, "a", "alice", FIRST));
	assert_result(put(HXB_ENTRY_USER, "b", "alice", FIRST), HXB_CONFLICT);
	assert_standing(&standing);
}

#define LEDGER_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LEDGER_TEST(a_new_ledger_is_roots_own),
		LEDGER_TEST(numbers_beyond_31_bits_are_kept),
		LEDGER_TEST(what_is_no_ledger_is_refused),
		LEDGER_TEST(a_newer_ledger_is_refused_and_left_alone),
		LEDGER_TEST(a_newer_ledger_that_only_adds_is_used_as_it_is),
		LEDGER_TEST(an_older_ledger_is_brought_up_to_date),
		LEDGER_TEST(a_ledger_that_others_could_write_is_refused),
		LEDGER_TEST(entries_are_kept_by_kind_and_id),
		LEDGER_TEST(a_name_or_number_has_one_owner),
		LEDGER_TEST(the_first_free_number_is_found),
		LEDGER_TEST(a_former_login_stays_its_owners),
		LEDGER_TEST(an_entry_can_be_buried_and_come_back),
		LEDGER_TEST(what_is_not_committed_has_not_happened),
		LEDGER_TEST(readers_go_on_while_somebody_writes),
		LEDGER_TEST(a_checkpoint_empties_the_log_and_waits_for_nobody),
		LEDGER_TEST(what_is_read_together_is_of_one_moment),
		LEDGER_TEST(holds_give_back_what_they_took),
		LEDGER_TEST(who_cannot_be_looked_up_is_held),
		LEDGER_TEST(events_come_in_their_order),
		LEDGER_TEST(a_transaction_that_can_not_begin_for_the_witness_leaves_none_open),
		LEDGER_TEST(who_changes_things_all_day_fills_no_ledger),
		LEDGER_TEST(keys_belong_to_an_id_and_a_fingerprint),
		LEDGER_TEST(no_call_leaves_signals_or_ids_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
