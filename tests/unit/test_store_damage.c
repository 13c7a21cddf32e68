/* SPDX-License-Identifier: ISC */
/*
 * The store on a database that is damaged somewhere: bits flipped all over it, cut at every page. Each call
 * ends soon, with an answer or a reason; what is handed out can be read to its end. An endless loop ends by
 * alarm.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "libhexabot/deadline.h"
#include "support.h"

#define STEP 23 /* bytes: a prime, so that every place of a cell or a page's header is met */
#define TIME 3000 /* milliseconds that all calls on one database may take */
#define SECONDS 200 /* for all of them */

static unsigned char *good;
static size_t good_size, page_size;
static const char *path;
static unsigned answers, refusals; /* neither is to be none: the damage is real, and not all of it deadly */

static void
check(enum hxb_result r, const char *call, size_t offset)
{
	if (r == HXB_OK || r == HXB_NOT_FOUND) {
		answers++;
		return;
	}
	refusals++;
	if ((r != HXB_UNREADABLE && r != HXB_CONFLICT && r != HXB_BUSY) || err.text[0] == '\0')
		fail_msg("%s at %zu: '%s', %s", call, offset, hxb_result_text(r), err.text);
	err.text[0] = '\0';
}

static size_t total; /* what is read is used, so that the sanitizers look at all of it */

static enum hxb_result
use_user(const struct hxb_user *user, void *context, struct hxb_error *error)
{
	(void)context;
	(void)error;
	total += strlen(user->id) + strlen(user->username) + strlen(user->email) + strlen(user->first_name);
	total += strlen(user->last_name) + strlen(user->created_at) + strlen(user->updated_at);
	if (user->password != NULL)
		total += strlen(user->password);
	for (size_t i = 0; i < user->role_count; i++)
		total += strlen(user->roles[i].id) + strlen(user->roles[i].name);
	return HXB_OK;
}

static enum hxb_result
use_role(const struct hxb_role *role, void *context, struct hxb_error *error)
{
	(void)context;
	(void)error;
	total += strlen(role->id) + strlen(role->name);
	return HXB_OK;
}

static enum hxb_result
use_membership(const char *user, const char *role, void *context, struct hxb_error *error)
{
	(void)context;
	(void)error;
	total += strlen(user) + strlen(role);
	return HXB_OK;
}

static void
read_all(struct hxb_store *store, size_t offset)
{
	struct hxb_slice users = { .limit = 500, .more = true }, memberships = users;
	struct hxb_user *user = NULL;
	enum hxb_result r;

	r = hxb_store_user(store, HXB_BY_USERNAME, "mona", &user, &err);
	check(r, "user", offset);
	if (r == HXB_OK)
		use_user(user, NULL, NULL);
	hxb_user_free(user);
	for (r = HXB_OK; r == HXB_OK && users.more;)
		check(r = hxb_store_users(store, &users, use_user, NULL, &err), "users", offset);
	for (r = HXB_OK; r == HXB_OK && memberships.more;)
		check(r = hxb_store_memberships(store, &memberships, use_membership, NULL, &err),
		    "memberships", offset);
	check(hxb_store_roles(store, use_role, NULL, &err), "roles", offset);
}

static void
write_some(struct hxb_store *store, size_t offset)
{
	static const char mona[] = "e060a724-2411-4258-b51b-4c8349a047dc";
	struct hxb_parked parked = { .role_ids = NULL };
	enum hxb_result r = hxb_store_begin(store, &err);

	check(r, "begin", offset);
	if (r == HXB_OK)
		check(r = hxb_store_read_parked(store, mona, &parked, &err), "read parked", offset);
	if (r == HXB_OK)
		check(r = hxb_store_park(store, mona, "$2!held.x", &err), "park", offset);
	if (r == HXB_OK)
		check(r = hxb_store_unpark(store, mona, &parked, &err), "unpark", offset);
	if (r == HXB_OK)
		check(r = hxb_store_set_enabled(store, mona, false, &err), "set enabled", offset);
	if (r == HXB_OK)
		check(hxb_store_commit(store, &err), "commit", offset);
	hxb_store_rollback(store);
	hxb_parked_clear(&parked);
}

static void
write_database(const unsigned char *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	assert_int_equal(close(fd), 0);
}

/* As PAM and hexactl would use it. */
static void
try_all(size_t offset)
{
	const struct hxb_deadline deadline = hxb_deadline_in(TIME);
	struct hxb_store *store = NULL;
	enum hxb_result r;

	r = hxb_store_open(path, geteuid(), deadline, &store, &err);
	check(r, "open", offset);
	if (r == HXB_OK) {
		read_all(store, offset);
		write_some(store, offset);
	}
	hxb_store_close(store);
	if (hxb_deadline_left(&deadline) == 0)
		fail_msg("at %zu: not done within %d ms", offset, TIME);
}

/* Many small pages, so that there are inner ones, overflow and free ones. */
static void
make_good(void)
{
	struct stat st;
	int fd;

	path = in_dir("store.sqlite");
	sql(path, "PRAGMA page_size = 512; VACUUM");
	make_store(path);
	sql(path, "CREATE TABLE gone AS SELECT hex(zeroblob(3000)) FROM users; DROP TABLE gone");
	assert_true(sql_number(path, "PRAGMA freelist_count") > 100);
	page_size = (size_t)sql_number(path, "PRAGMA page_size");
	assert_int_equal(page_size, 512);
	assert_int_equal(stat(path, &st), 0);
	good_size = (size_t)st.st_size;
	good = malloc(good_size);
	assert_non_null(good);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, good, good_size), (ssize_t)good_size);
	close(fd);
	answers = refusals = 0;
	try_all(0);
	assert_int_equal(refusals, 0);
	answers = 0;
	alarm(SECONDS);
}

/* The free pages are many and alike: a few of them will do. */
static size_t
interesting_size(void)
{
	return good_size - 100 * page_size;
}

static void
flipped_bits_do_no_harm(void **state)
{
	(void)state;
	make_good();
	for (size_t offset = 0; offset < interesting_size(); offset += offset < 100 ? 1 : STEP) {
		good[offset] ^= (unsigned char)(1 << offset % 8);
		write_database(good, good_size);
		good[offset] ^= (unsigned char)(1 << offset % 8);
		try_all(offset);
	}
	assert_true(answers > 100);
	assert_true(refusals > 100);
	free(good);
}

/* 0xff and 0: lengths and offsets beyond all, or none at all. */
static void
pages_of_nonsense_do_no_harm(void **state)
{
	static const int fillings[] = { 0, 0xff };

	(void)state;
	make_good();
	for (size_t i = 0; i < COUNT(fillings); i++) {
		for (size_t page = 1; page < interesting_size() / page_size; page++) {
			unsigned char saved[512];

			memcpy(saved, good + page * page_size, page_size);
			/* The kind of page stays: what says where its cells are does not. */
			memset(good + page * page_size + 1, fillings[i], page_size / 4);
			write_database(good, good_size);
			memcpy(good + page * page_size, saved, page_size);
			try_all(page * page_size);
		}
	}
	assert_true(answers > 10);
	assert_true(refusals > 10);
	free(good);
}

static void
a_page_that_leads_to_itself_ends(void **state)
{
	(void)state;
	make_good();
	/* Every inner page's rightmost child, at 8: the page itself. */
	for (size_t page = 1; page < interesting_size() / page_size; page++) {
		unsigned char *start = good + page * page_size, saved[12];

		if (*start != 2 && *start != 5)
			continue;
		memcpy(saved, start, sizeof(saved));
		start[8] = start[9] = 0;
		start[10] = (unsigned char)((page + 1) >> 8);
		start[11] = (unsigned char)(page + 1);
		write_database(good, good_size);
		memcpy(start, saved, sizeof(saved));
		try_all(page * page_size);
		answers++;
	}
	assert_true(answers > 5); /* there are inner pages */
	free(good);
}

static void
a_cut_database_does_no_harm(void **state)
{
	(void)state;
	make_good();
	for (size_t size = 0; size < interesting_size(); size += size < 4096 ? 97 : 512 + 61) {
		write_database(good, size);
		try_all(size);
	}
	assert_true(refusals > 10);
	free(good);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(flipped_bits_do_no_harm),
		TEST(pages_of_nonsense_do_no_harm),
		TEST(a_page_that_leads_to_itself_ends),
		TEST(a_cut_database_does_no_harm),
	};

	return cmocka_run_group_tests_name("damaged stores", tests, NULL, NULL);
}
