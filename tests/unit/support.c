/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <sqlite3.h>

#include "support.h"

struct hxb_error err;
static char test_dir[PATH_MAX];

static void
make_directories(const char *path)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(copy, 0755);
		*slash = '/';
	}
	if (mkdir(copy, 0755) == -1 && errno != EEXIST)
		fail_msg("%s: %s", copy, strerror(errno));
}

int
make_test_dir(void **state)
{
	const char *base = getenv("TEST_DIR");
	char here[PATH_MAX / 2], fallback[PATH_MAX];

	(void)state;
	umask(022);
	err.text[0] = '\0';
	if (base == NULL) {
		assert_non_null(getcwd(here, sizeof(here)));
		snprintf(fallback, sizeof(fallback), "%s/build/test-data", here);
		base = fallback;
	}
	make_directories(base);
	assert_true(snprintf(test_dir, sizeof(test_dir), "%s/XXXXXX", base) < (int)sizeof(test_dir));
	if (mkdtemp(test_dir) == NULL || chmod(test_dir, 0755) == -1)
		fail_msg("%s: %s", test_dir, strerror(errno));
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	(void)walk;
	return remove(path);
}

int
remove_test_dir(void **state)
{
	(void)state;
	nftw(test_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

const char *
in_dir(const char *name)
{
	static char paths[16][PATH_MAX + 256];
	static unsigned next;
	char *path = paths[next++ % COUNT(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", test_dir, name);
	return path;
}

bool
others_can_enter(void)
{
	struct stat st;
	bool can;

	setfsuid(SOMEBODY);
	can = stat(in_dir("."), &st) == 0;
	setfsuid(geteuid());
	return can;
}

void
write_file(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

void
give_away(const char *path, uid_t uid, mode_t mode)
{
	assert_int_equal(lchown(path, uid, uid), 0);
	assert_int_equal(chmod(path, mode), 0);
}

void
check_result(enum hxb_result found, enum hxb_result expected, const char *call, const char *file, int line)
{
	if (found == expected)
		return;
	print_error("%s\n  is '%s' instead of '%s': %s\n", call, hxb_result_text(found),
	    hxb_result_text(expected), err.text);
	_fail(file, line);
}

void
check_contains(const char *text, const char *part, const char *file, int line)
{
	if (strstr(text, part) != NULL)
		return;
	print_error("'%s' is not in '%s'\n", part, text);
	_fail(file, line);
}

static sqlite3 *
open_database(const char *path)
{
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
		fail_msg("%s: %s", path, sqlite3_errmsg(db));
	sqlite3_busy_timeout(db, 5000);
	return db;
}

static void
execute(sqlite3 *db, const char *text)
{
	char *message = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %.400s", message, text);
}

void
sql(const char *path, const char *format, ...)
{
	sqlite3 *db = open_database(path);
	va_list args;
	char *text;

	va_start(args, format);
	text = sqlite3_vmprintf(format, args);
	va_end(args);
	execute(db, text);
	sqlite3_free(text);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static const char *
first_value(const char *path, const char *format, va_list args)
{
	static char answer[4096];
	sqlite3 *db = open_database(path);
	char *text = sqlite3_vmprintf(format, args);
	sqlite3_stmt *stmt = NULL;
	bool row;
	int code;

	if (sqlite3_prepare_v2(db, text, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sqlite3_errmsg(db), text);
	code = sqlite3_step(stmt);
	row = code == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL;
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		fail_msg("%s: %s", sqlite3_errmsg(db), text);
	if (row)
		snprintf(answer, sizeof(answer), "%s", (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	sqlite3_free(text);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return row ? answer : NULL;
}

const char *
sql_text(const char *path, const char *format, ...)
{
	const char *value;
	va_list args;

	va_start(args, format);
	value = first_value(path, format, args);
	va_end(args);
	return value;
}

int64_t
sql_number(const char *path, const char *format, ...)
{
	const char *value;
	va_list args;

	va_start(args, format);
	value = first_value(path, format, args);
	va_end(args);
	assert_non_null(value);
	return strtoll(value, NULL, 10);
}

void
make_store(const char *path)
{
	static char text[65536];
	sqlite3 *db = open_database(path);
	FILE *file = fopen("tests/data/mixed.sql", "re");
	size_t size;

	assert_non_null(file);
	size = fread(text, 1, sizeof(text) - 1, file);
	assert_true(size > 0 && size < sizeof(text) - 1);
	text[size] = '\0';
	fclose(file);
	execute(db, text);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(chmod(path, 0640), 0);
}

struct hxb_store *
open_store(const char *path)
{
	struct hxb_store *store;

	assert_ok(hxb_store_open(path, geteuid(), hxb_deadline_in(HXB_CTL_DEADLINE), &store, &err));
	assert_non_null(store);
	return store;
}

const char *
user_id(const char *path, const char *username)
{
	const char *id =
	    sql_text(path, "SELECT id FROM users WHERE username = %Q AND type = 'UserOrmEntity'", username);

	assert_non_null(id);
	return id;
}

struct hxb_user *
read_user(struct hxb_store *store, const char *username)
{
	struct hxb_user *user;

	assert_ok(hxb_store_user(store, HXB_BY_USERNAME, username, &user, &err));
	return user;
}

struct hxb_ledger *
make_ledger(const char *path, uint32_t first, uint32_t last)
{
	const struct hxb_ledger_meta meta = { .store_uid = geteuid(), .uid_min = first, .uid_max = last };
	struct hxb_ledger *ledger;

	assert_ok(hxb_ledger_create(path, &meta, &err));
	assert_ok(hxb_ledger_open(path, geteuid(), hxb_deadline_in(HXB_CTL_DEADLINE), &ledger, &err));
	return ledger;
}

pid_t
hold_lock(const char *path, const char *begin)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		sqlite3 *db = NULL;

		/* A test that fails leaves us behind: end with it. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (sqlite3_open(path, &db) != SQLITE_OK ||
		    sqlite3_exec(db, begin, NULL, NULL, NULL) != SQLITE_OK || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

void
end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	wait_child(pid);
}

int
wait_child(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct standing
present_standing(void)
{
	struct standing standing;

	memset(&standing, 0, sizeof(standing));
	getresuid(&standing.uids[0], &standing.uids[1], &standing.uids[2]);
	getresgid(&standing.gids[0], &standing.gids[1], &standing.gids[2]);
	standing.uids[3] = (uid_t)setfsuid((uid_t)-1);
	standing.gids[3] = (gid_t)setfsgid((gid_t)-1);
	sigprocmask(SIG_BLOCK, NULL, &standing.signals);
	return standing;
}

void
assert_standing(const struct standing *before)
{
	struct standing now = present_standing();

	assert_memory_equal(now.uids, before->uids, sizeof(now.uids));
	assert_memory_equal(now.gids, before->gids, sizeof(now.gids));
	for (int number = 1; number < NSIG; number++)
		assert_int_equal(sigismember(&now.signals, number), sigismember(&before->signals, number));
}

long
milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
