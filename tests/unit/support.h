/* SPDX-License-Identifier: ISC */
/*
 * What the unit tests share: a directory of their own whose ancestors can be trusted, stores and ledgers in
 * it, and the view that another program has of them.
 *
 * Programs run in the project's root. TEST_DIR: where the directories are made; build/test-data if it is not
 * set.
 */
#ifndef HXB_TEST_SUPPORT_H
#define HXB_TEST_SUPPORT_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

#include "libhexabot/config.h"
#include "libhexabot/ledger.h"
#include "libhexabot/result.h"
#include "libhexabot/store.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SOMEBODY 12345 /* a uid and gid that is neither root's nor ours */

/* cmocka's setup and teardown of each test. */
int make_test_dir(void **state);
int remove_test_dir(void **state);
#define TEST(function) cmocka_unit_test_setup_teardown(function, make_test_dir, remove_test_dir)
#define ROOT_ONLY() \
	do { \
		if (geteuid() != 0) \
			skip(); \
	} while (0)

/* The path of a name in this test's directory; good for the next fifteen calls. */
const char *in_dir(const char *name);

/* Whether another user can get into this test's directory: not where the project lies in a private home. */
bool others_can_enter(void);

void write_file(const char *path, const char *text, mode_t mode);
void give_away(const char *path, uid_t uid, mode_t mode); /* chown and chmod */

/* The error of the last call; assert_result() prints it where a result is another one. */
extern struct hxb_error err;
void check_result(
    enum hxb_result found, enum hxb_result expected, const char *call, const char *file, int line);
#define assert_result(call, expected) check_result((call), (expected), #call, __FILE__, __LINE__)
#define assert_ok(call) assert_result(call, HXB_OK)
void check_contains(const char *text, const char *part, const char *file, int line);
#define assert_contains(text, part) check_contains((text), (part), __FILE__, __LINE__)

/* SQL on a file, as Hexabot or somebody else would run it. Formats are sqlite3_mprintf's: %Q quotes. */
void sql(const char *path, const char *format, ...);
int64_t sql_number(const char *path, const char *format, ...);
const char *sql_text(const char *path, const char *format, ...); /* good until the next call; NULL: no row */

/* tests/data/mixed.sql as a database that belongs to us. */
void make_store(const char *path);
struct hxb_store *open_store(const char *path);
const char *user_id(const char *path, const char *username); /* good until the next sql_text() */
struct hxb_user *read_user(struct hxb_store *store, const char *username);

/* A new ledger with the range first..last, open. */
struct hxb_ledger *make_ledger(const char *path, uint32_t first, uint32_t last);

/* A child that holds a lock on the store: SQL that begins a transaction. */
pid_t hold_lock(const char *path, const char *begin);
void end_child(pid_t pid);
int wait_child(pid_t pid); /* its exit status, or 128 and the signal */

/* What no call may leave changed in its caller: ids, file-system ids, signal mask. */
struct standing {
	uid_t uids[4];
	gid_t gids[4];
	sigset_t signals;
};
struct standing present_standing(void);
void assert_standing(const struct standing *before);

long milliseconds(void); /* on a clock that only goes forward */

#endif
