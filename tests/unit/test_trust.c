/* SPDX-License-Identifier: ISC */
/* Which files and directories root's decisions may stand on. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "libhexabot/trust.h"
#include "support.h"

static enum hxb_result
open_trusted(const char *path)
{
	enum hxb_result r;
	int fd = -2;

	r = hxb_trust_open(path, O_RDONLY, geteuid(), &fd, &err);
	if (r == HXB_OK) {
		assert_true(fd >= 0);
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		close(fd);
	} else {
		assert_int_equal(fd, -1);
	}
	return r;
}

static enum hxb_result
judge_store(const char *path, uid_t owner)
{
	struct stat st;

	return hxb_trust_store(path, owner, &st, &err);
}

static void
paths_are_walked_without_following_a_link(void **state)
{
	char path[PATH_MAX * 2];

	(void)state;
	mkdir(in_dir("real"), 0755);
	write_file(in_dir("real/file"), "x", 0644);
	assert_int_equal(symlink("real", in_dir("way")), 0);
	assert_int_equal(symlink("file", in_dir("real/link")), 0);

	assert_ok(open_trusted(in_dir("real/file")));
	assert_ok(open_trusted(in_dir("real//file")));
	assert_ok(open_trusted(in_dir("./real/./file")));
	assert_result(open_trusted(in_dir("way/file")), HXB_UNREADABLE);
	assert_contains(err.text, "/way: a symbolic link");
	assert_result(open_trusted(in_dir("real/link")), HXB_UNREADABLE);
	assert_contains(err.text, "/link: a symbolic link");
	assert_result(open_trusted(in_dir("real/../real/file")), HXB_UNREADABLE);
	assert_contains(err.text, "'..' is not allowed");
	assert_result(open_trusted(in_dir("real/file/x")), HXB_UNREADABLE);
	assert_result(open_trusted(in_dir("real/")), HXB_UNREADABLE);
	assert_result(open_trusted(in_dir("real/..")), HXB_UNREADABLE);
	assert_result(open_trusted(in_dir("real")), HXB_UNREADABLE);
	assert_result(open_trusted(in_dir("absent/file")), HXB_UNREADABLE);
	assert_contains(err.text, "/absent: No such file");
	assert_result(open_trusted("real/file"), HXB_UNREADABLE);
	assert_result(open_trusted(""), HXB_UNREADABLE);
	assert_result(open_trusted("/"), HXB_UNREADABLE);
	/* O_PATH opens a link itself: it is no regular file. */
	assert_result(judge_store(in_dir("real/link"), geteuid()), HXB_UNREADABLE);

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_result(open_trusted(path), HXB_UNREADABLE);
	memcpy(path, "/usr/", 5);
	path[NAME_MAX + 20] = '/';
	path[NAME_MAX + 22] = '\0';
	assert_result(open_trusted(path), HXB_UNREADABLE);
	assert_contains(err.text, "name too long");
}

static void
a_trusted_file_is_written_by_its_owner_only(void **state)
{
	static const struct {
		mode_t directory, file;
		enum hxb_result trusted, store;
	} cases[] = {
		{ 0755, 0644, HXB_OK, HXB_OK },
		{ 0700, 0600, HXB_OK, HXB_OK },
		{ 0755, 0666, HXB_UNREADABLE, HXB_UNREADABLE },
		{ 0755, 0602, HXB_UNREADABLE, HXB_UNREADABLE },
		{ 0777, 0644, HXB_UNREADABLE, HXB_UNREADABLE },
		{ 0757, 0644, HXB_UNREADABLE, HXB_UNREADABLE },
		{ 0755, 0664, HXB_UNREADABLE, HXB_OK },
		{ 0775, 0644, HXB_UNREADABLE, HXB_UNREADABLE },
		/* Whoever may make files beside the store may forge its journal: a sticky bit does not help.
		 */
		{ 01777, 0644, HXB_UNREADABLE, HXB_UNREADABLE },
		{ 01775, 0644, HXB_UNREADABLE, HXB_UNREADABLE },
	};

	(void)state;
	ROOT_ONLY();
	mkdir(in_dir("d"), 0755);
	write_file(in_dir("d/f"), "x", 0644);
	for (size_t i = 0; i < COUNT(cases); i++) {
		chmod(in_dir("d"), cases[i].directory);
		chmod(in_dir("d/f"), cases[i].file);
		if (open_trusted(in_dir("d/f")) != cases[i].trusted ||
		    judge_store(in_dir("d/f"), 0) != cases[i].store)
			fail_msg(
			    "%04o %04o: %s", (unsigned)cases[i].directory, (unsigned)cases[i].file, err.text);
	}
}

static void
the_store_is_judged_by_who_owns_what(void **state)
{
	static const struct {
		uid_t directory_owner;
		mode_t directory;
		uid_t file_owner;
		mode_t file;
		uid_t owner; /* recorded at init */
		enum hxb_result r;
	} cases[] = {
		{ 0, 0755, 0, 0640, 0, HXB_OK },
		{ SOMEBODY, 0755, SOMEBODY, 0644, SOMEBODY, HXB_OK },
		{ 0, 0755, SOMEBODY, 0644, SOMEBODY, HXB_OK },
		/* their group may write, as Hexabot's deployments have it: we act as they, not as root */
		{ SOMEBODY, 0775, SOMEBODY, 0664, SOMEBODY, HXB_OK },
		{ SOMEBODY, 0777, SOMEBODY, 0644, SOMEBODY, HXB_UNREADABLE },
		{ SOMEBODY, 0755, SOMEBODY, 0646, SOMEBODY, HXB_UNREADABLE },
		/* another one than was recorded */
		{ SOMEBODY, 0755, SOMEBODY, 0644, 0, HXB_UNREADABLE },
		{ SOMEBODY, 0755, SOMEBODY, 0644, SOMEBODY + 1, HXB_UNREADABLE },
		{ 0, 0755, SOMEBODY, 0644, 0, HXB_UNREADABLE },
		{ SOMEBODY + 1, 0755, SOMEBODY, 0644, SOMEBODY, HXB_UNREADABLE },
		/* root's file is opened as root: nobody else may put a journal beside it */
		{ 0, 0755, 0, 0644, SOMEBODY, HXB_OK },
		{ SOMEBODY, 0755, 0, 0644, SOMEBODY, HXB_UNREADABLE },
		{ 0, 0775, 0, 0644, SOMEBODY, HXB_UNREADABLE },
	};

	(void)state;
	ROOT_ONLY();
	mkdir(in_dir("d"), 0755);
	write_file(in_dir("d/f"), "x", 0644);
	for (size_t i = 0; i < COUNT(cases); i++) {
		give_away(in_dir("d/f"), cases[i].file_owner, cases[i].file);
		give_away(in_dir("d"), cases[i].directory_owner, cases[i].directory);
		if (judge_store(in_dir("d/f"), cases[i].owner) != cases[i].r)
			fail_msg("case %zu: %s", i, err.text);
	}
}

static void
a_sticky_directory_may_be_on_the_way_to_the_store(void **state)
{
	(void)state;
	mkdir(in_dir("tmp"), 0755);
	chmod(in_dir("tmp"), 01777);
	mkdir(in_dir("tmp/own"), 0755);
	write_file(in_dir("tmp/own/f"), "x", 0644);
	assert_ok(judge_store(in_dir("tmp/own/f"), geteuid()));
	assert_result(open_trusted(in_dir("tmp/own/f")), HXB_UNREADABLE);
	chmod(in_dir("tmp"), 0777);
	assert_result(judge_store(in_dir("tmp/own/f"), geteuid()), HXB_UNREADABLE);
}

static void
what_is_no_plain_file_is_not_opened(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	assert_result(open_trusted(in_dir("fifo")), HXB_UNREADABLE);
	assert_result(judge_store(in_dir("fifo"), geteuid()), HXB_UNREADABLE);
	assert_contains(err.text, "not a regular file");
	write_file(in_dir("f"), "x", 0600);
	assert_int_equal(link(in_dir("f"), in_dir("g")), 0);
	assert_result(open_trusted(in_dir("f")), HXB_UNREADABLE);
	assert_result(judge_store(in_dir("f"), geteuid()), HXB_UNREADABLE);
	assert_contains(err.text, "has 2 links");
	assert_result(open_trusted("/dev/null"), HXB_UNREADABLE);
}

static void
directories_are_judged_with_their_ancestors(void **state)
{
	(void)state;
	mkdir(in_dir("a"), 0755);
	mkdir(in_dir("a/b"), 0700);
	write_file(in_dir("a/f"), "x", 0600);
	assert_int_equal(symlink("b", in_dir("a/l")), 0);
	assert_ok(hxb_trust_directory(in_dir("a/b"), geteuid(), &err));
	assert_ok(hxb_trust_directory(in_dir("a/b/"), geteuid(), &err));
	assert_ok(hxb_trust_directory("/", geteuid(), &err));
	assert_result(hxb_trust_directory(in_dir("a/f"), geteuid(), &err), HXB_UNREADABLE);
	assert_result(hxb_trust_directory(in_dir("a/l"), geteuid(), &err), HXB_UNREADABLE);
	assert_result(hxb_trust_directory(in_dir("a/.."), geteuid(), &err), HXB_UNREADABLE);
	assert_result(hxb_trust_directory(in_dir("absent"), geteuid(), &err), HXB_UNREADABLE);
	chmod(in_dir("a"), 0775);
	assert_result(hxb_trust_directory(in_dir("a/b"), geteuid(), &err), HXB_UNREADABLE);
	assert_contains(err.text, "chmod go-w");
	chmod(in_dir("a"), 0755);
	chmod(in_dir("a/b"), 01777);
	assert_result(hxb_trust_directory(in_dir("a/b"), geteuid(), &err), HXB_UNREADABLE);
	assert_result(hxb_trust_directory("/tmp", geteuid(), &err), HXB_UNREADABLE);
}

static void
what_everybody_can_read_has_open_directories_above_it(void **state)
{
	(void)state;
	mkdir(in_dir("shut"), 0755);
	mkdir(in_dir("shut/open"), 0755);
	write_file(in_dir("shut/open/f"), "x", 0644);
	assert_int_equal(hxb_trust_is_public(in_dir("shut/open/f")), others_can_enter());
	chmod(in_dir("shut"), 0750);
	assert_false(hxb_trust_is_public(in_dir("shut/open/f")));
	/* A directory's group, not being the file's, are others to it. */
	assert_false(hxb_trust_is_exposed(in_dir("shut/open/f")));
	if (geteuid() == 0) {
		assert_int_equal(chown(in_dir("shut"), 0, 4321), 0);
		assert_false(hxb_trust_is_public(in_dir("shut/open/f")));
		assert_int_equal(hxb_trust_is_exposed(in_dir("shut/open/f")), others_can_enter());
		assert_int_equal(chown(in_dir("shut/open/f"), 0, 4321), 0);
		assert_false(hxb_trust_is_exposed(in_dir("shut/open/f")));
	}
	chmod(in_dir("shut"), 0711);
	assert_int_equal(hxb_trust_is_public(in_dir("shut/open/f")), others_can_enter());
	chmod(in_dir("shut/open/f"), 0640);
	assert_false(hxb_trust_is_public(in_dir("shut/open/f")));
	assert_false(hxb_trust_is_public(in_dir("shut/open/absent")));
}

static void
judging_opens_nothing_for_good(void **state)
{
	int before, after;

	(void)state;
	before = dup(0);
	close(before);
	write_file(in_dir("f"), "x", 0600);
	for (int i = 0; i < 3; i++) {
		(void)open_trusted(in_dir("f"));
		(void)open_trusted(in_dir("."));
		(void)open_trusted(in_dir("absent/f"));
		(void)judge_store(in_dir("f"), geteuid());
		(void)judge_store("/dev/null", geteuid());
		(void)hxb_trust_directory(in_dir("."), geteuid(), &err);
		(void)hxb_trust_directory(in_dir("f"), geteuid(), &err);
	}
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(paths_are_walked_without_following_a_link),
		TEST(a_trusted_file_is_written_by_its_owner_only),
		TEST(the_store_is_judged_by_who_owns_what),
		TEST(a_sticky_directory_may_be_on_the_way_to_the_store),
		TEST(what_is_no_plain_file_is_not_opened),
		TEST(directories_are_judged_with_their_ancestors),
		TEST(what_everybody_can_read_has_open_directories_above_it),
		TEST(judging_opens_nothing_for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
