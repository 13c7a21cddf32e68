/* SPDX-License-Identifier: ISC */
/*
 * The NSS module in processes that make it hard: without descriptors, in another root, in a user namespace,
 * older than the map. And what it costs them in system calls: nothing.
 */
#include "nss_fixture.h"

#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* A map is looked for again at the latest when this long has passed; a tick of the coarse clock on top. */
#define CHECKED_AFTER 1.03

static uint32_t
everybodys_number(void)
{
	const uint32_t number = user_number();

	return group_number() == number && initgroups_number() == number ? number : 0;
}

/* Hits and misses of every call, and one pass through each list. */
struct entry_points {
	__typeof__(&_nss_hexabot_getpwnam_r) getpwnam;
	__typeof__(&_nss_hexabot_getpwuid_r) getpwuid;
	__typeof__(&_nss_hexabot_getspnam_r) getspnam;
	__typeof__(&_nss_hexabot_getgrnam_r) getgrnam;
	__typeof__(&_nss_hexabot_getgrgid_r) getgrgid;
	__typeof__(&_nss_hexabot_initgroups_dyn) initgroups;
	__typeof__(&_nss_hexabot_setpwent) setpwent;
	__typeof__(&_nss_hexabot_getpwent_r) getpwent;
	__typeof__(&_nss_hexabot_setgrent) setgrent;
	__typeof__(&_nss_hexabot_getgrent_r) getgrent;
};

static const struct entry_points *
entry_points(void)
{
	static struct entry_points p;

	p.getpwnam = FROM_MODULE(_nss_hexabot_getpwnam_r);
	p.getpwuid = FROM_MODULE(_nss_hexabot_getpwuid_r);
	p.getspnam = FROM_MODULE(_nss_hexabot_getspnam_r);
	p.getgrnam = FROM_MODULE(_nss_hexabot_getgrnam_r);
	p.getgrgid = FROM_MODULE(_nss_hexabot_getgrgid_r);
	p.initgroups = FROM_MODULE(_nss_hexabot_initgroups_dyn);
	p.setpwent = FROM_MODULE(_nss_hexabot_setpwent);
	p.getpwent = FROM_MODULE(_nss_hexabot_getpwent_r);
	p.setgrent = FROM_MODULE(_nss_hexabot_setgrent);
	p.getgrent = FROM_MODULE(_nss_hexabot_getgrent_r);
	return &p;
}

/* The number of lookups that went as they should. */
static uint32_t
look_up_once(const struct entry_points *p, uint32_t n)
{
	static gid_t array[16];
	gid_t *gids = array;
	long int start = 0, size = COUNT(array);
	const struct hxb_map_user *user = &some_users[n % USERS];
	const struct hxb_map_role *role = &some_roles[n % ROLES];
	struct passwd passwd;
	struct group group;
	struct spwd shadow;
	char buffer[512];
	uint32_t right = 0;
	int error;

	right += p->getpwnam(user->login, &passwd, buffer, sizeof(buffer), &error) == NSS_STATUS_SUCCESS;
	right += p->getpwuid(user->uid, &passwd, buffer, sizeof(buffer), &error) == NSS_STATUS_SUCCESS;
	right += p->getspnam(user->login, &shadow, buffer, sizeof(buffer), &error) == NSS_STATUS_SUCCESS;
	right += p->getgrnam(role->group, &group, buffer, sizeof(buffer), &error) == NSS_STATUS_SUCCESS;
	right += p->getgrgid(role->gid, &group, buffer, sizeof(buffer), &error) == NSS_STATUS_SUCCESS;
	right += p->getgrgid(user->uid, &group, buffer, sizeof(buffer), &error) == NSS_STATUS_SUCCESS;
	right += p->initgroups(user->login, 0, &start, &size, &gids, 0, &error) == NSS_STATUS_SUCCESS;
	right += p->getpwnam("root", &passwd, buffer, sizeof(buffer), &error) == NSS_STATUS_NOTFOUND;
	right += p->getpwuid(n, &passwd, buffer, sizeof(buffer), &error) == NSS_STATUS_NOTFOUND;
	right += p->getspnam("root", &shadow, buffer, sizeof(buffer), &error) == NSS_STATUS_NOTFOUND;
	right += p->getgrnam("hexabot.x", &group, buffer, sizeof(buffer), &error) == NSS_STATUS_NOTFOUND;
	right += p->getgrgid(n, &group, buffer, sizeof(buffer), &error) == NSS_STATUS_NOTFOUND;
	right += p->initgroups("root", 0, &start, &size, &gids, 0, &error) == NSS_STATUS_NOTFOUND;
	p->setpwent(0);
	while (p->getpwent(&passwd, buffer, sizeof(buffer), &error) == NSS_STATUS_SUCCESS)
		right++;
	p->setgrent(0);
	while (p->getgrent(&group, buffer, sizeof(buffer), &error) == NSS_STATUS_SUCCESS)
		right++;
	return right;
}

#define ONCE (13 + USERS + ROLES + USERS)
#define LOOKUPS 200000
#define MARK SYS_getppid /* the traced child makes it before and after what is counted */

static void
look_up_between_marks(const struct entry_points *p)
{
	double end = 0;
	uint32_t n;

	alarm(CHILD_SECONDS);
	MUST(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
	MUST(look_up_once(p, 1) == ONCE);
	MUST(raise(SIGSTOP) == 0);
	(void)syscall(MARK);
	end = seconds() + 1.2; /* long enough for one more stat */
	for (n = 1; n < LOOKUPS / ONCE || seconds() < end; n++)
		MUST(look_up_once(p, n) == ONCE);
	(void)syscall(MARK);
	_exit(0);
}

struct calls {
	unsigned int stats, others;
	uint64_t last_other;
	double duration;
};

/* Runs the child up to its next system call. False when it has ended. */
static bool
next_call(pid_t child, uint64_t *number)
{
	struct __ptrace_syscall_info info;
	int status;

	for (;;) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFSTOPPED(status)) {
			assert_int_equal(status, 0);
			return false;
		}
		assert_int_equal(WSTOPSIG(status), SIGTRAP | 0x80);
		assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) > 0);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
			*number = info.entry.nr;
			return true;
		}
	}
}

static struct calls
count_calls(pid_t child)
{
	struct calls calls = { 0 };
	uint64_t number = 0;
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	assert_int_equal(
	    ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
	do
		assert_true(next_call(child, &number));
	while (number != MARK);
	calls.duration = -seconds();
	for (assert_true(next_call(child, &number)); number != MARK; assert_true(next_call(child, &number))) {
		if (number == SYS_newfstatat || number == SYS_lstat) {
			calls.stats++;
		} else {
			calls.others++;
			calls.last_other = number;
		}
	}
	calls.duration += seconds();
	while (next_call(child, &number))
		;
	return calls;
}

static void
lookups_make_no_system_call_but_one_stat_a_second(void **state)
{
	const struct entry_points *p = entry_points();
	struct calls calls;
	pid_t child;

	(void)state;
	install(some_writer(true), 1);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		look_up_between_marks(p);
	calls = count_calls(child);
	if (calls.others > 0)
		fail_msg("%u system calls, the last one number %lu", calls.others, calls.last_other);
	assert_in_range(calls.stats, 1, (uintmax_t)calls.duration + 1);
}

/* Files of the caller's own under numbers that a forgotten descriptor of ours would have. */
#define THEIRS 40

struct theirs {
	int fd[THEIRS];
	ino_t inode[THEIRS];
};

static void
open_theirs(struct theirs *theirs, int first)
{
	struct stat st;
	char path[4096];
	int i;

	for (i = 0; i < THEIRS; i++) {
		snprintf(path, sizeof(path), HXB_STATE_DIR "/theirs.%d", i);
		theirs->fd[i] = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
		MUST(theirs->fd[i] == first + i);
		MUST(write(theirs->fd[i], "theirs", 6) == 6);
		MUST(fstat(theirs->fd[i], &st) == 0);
		theirs->inode[i] = st.st_ino;
	}
}

static void
check_theirs(const struct theirs *theirs)
{
	struct stat st;
	int i;

	for (i = 0; i < THEIRS; i++) {
		MUST(fstat(theirs->fd[i], &st) == 0);
		MUST(st.st_ino == theirs->inode[i] && st.st_size == 6);
		MUST(lseek(theirs->fd[i], 0, SEEK_CUR) == 6);
		MUST(fcntl(theirs->fd[i], F_GETFD) == 0);
	}
}

static const char *next_map;

static void
close_and_reuse_descriptors(void)
{
	struct theirs theirs;
	struct passwd *listed;

	MUST(everybodys_number() == 1);
	setpwent();
	MUST(getpwent() != NULL);
	closefrom(3);
	open_theirs(&theirs, 3);
	MUST(everybodys_number() == 1);
	MUST(put_in_place(next_map));
	MUST(everybodys_number() == 2);
	do
		listed = getpwent();
	while (listed != NULL && strcmp(listed->pw_name, "alice") != 0);
	endpwent();
	check_theirs(&theirs);
	closefrom(0);
	open_theirs(&theirs, 0);
	MUST(everybodys_number() == 2);
	check_theirs(&theirs);
}

static void
closed_descriptors_do_no_harm_and_the_callers_are_left_alone(void **state)
{
	(void)state;
	next_map = prepare_numbered(2);
	install_numbered_in(HXB_STATE_DIR, 1);
	in_child(close_and_reuse_descriptors);
}

/* The last one that could be had. */
static int
use_up_descriptors(void)
{
	const struct rlimit limit = { 32, 32 };
	int fd, last = -1;

	MUST(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		last = fd;
	MUST(errno == EMFILE && last >= 0);
	return last;
}

/* `old` is needed to mark the map without a descriptor more. */
static void
replace_through(int old)
{
	const uint32_t one = 1;

	MUST(rename(next_map, HXB_MAP_PATH) == 0);
	MUST(pwrite(old, &one, sizeof(one), offsetof(struct hxb_map_header, superseded)) == sizeof(one));
}

static void
look_up_without_descriptors(void)
{
	double until;
	int old, last;

	MUST(everybodys_number() == 1);
	old = open(HXB_MAP_PATH, O_WRONLY);
	last = use_up_descriptors();
	for (until = seconds() + CHECKED_AFTER; seconds() < until;)
		MUST(everybodys_number() == 1);
	replace_through(old);
	MUST(user_number() == 0 && errno == EMFILE);
	MUST(group_number() == 0 && errno == EMFILE);
	MUST(initgroups_number() == 0);
	MUST(getpwuid(FIRST_UID + 1) == NULL && getgrgid(FIRST_GID + 1) == NULL && getspnam("alice") == NULL);
	close(last);
	MUST(everybodys_number() == 2);
	MUST(open("/dev/null", O_RDONLY) == last);
	MUST(everybodys_number() == 2);
}

/* Neither the old answer nor "no such user": both would be wrong. */
static void
with_descriptors_used_up_lookups_go_on_or_say_so(void **state)
{
	(void)state;
	next_map = prepare_numbered(2);
	install_numbered_in(HXB_STATE_DIR, 1);
	in_child(look_up_without_descriptors);
}

static void
look_up_first_without_descriptors(void)
{
	int last = use_up_descriptors();

	MUST(user_number() == 0 && errno == EMFILE);
	close(last);
	MUST(everybodys_number() == 1);
}

static void
a_first_lookup_without_descriptors_says_so(void **state)
{
	(void)state;
	install_numbered_in(HXB_STATE_DIR, 1); /* not looked up yet: the child's is the first */
	in_child(look_up_first_without_descriptors);
}

static void
expect_no_map(void)
{
	struct passwd passwd;
	struct group group;
	char buffer[512];
	int error = 0;

	MUST(FROM_MODULE(_nss_hexabot_getpwnam_r)("alice", &passwd, buffer, sizeof(buffer), &error) ==
	    NSS_STATUS_UNAVAIL);
	MUST(error == ENOENT);
	MUST(FROM_MODULE(_nss_hexabot_getgrgid_r)(FIRST_GID + 1, &group, buffer, sizeof(buffer), &error) ==
	    NSS_STATUS_UNAVAIL);
	MUST(error == ENOENT);
	MUST(FROM_MODULE(_nss_hexabot_setpwent)(0) == NSS_STATUS_UNAVAIL);
}

static void
look_up_in_another_root(void)
{
	uint32_t number;
	double end;

	MUST(everybodys_number() == 1);
	MUST(chroot(HXB_STATE_DIR "/empty") == 0 && chdir("/") == 0);
	end = seconds() + CHECKED_AFTER;
	do {
		const double begun = seconds();

		number = user_number();
		MUST(number == 1 || number == 0);
		MUST(number == 0 || begun < end);
	} while (number != 0);
	expect_no_map();
}

static void
look_up_first_in_another_root(void)
{
	MUST(chroot(HXB_STATE_DIR "/empty") == 0 && chdir("/") == 0);
	expect_no_map();
}

static void
a_root_without_a_map_has_none(void **state)
{
	(void)state;
	make_directory(HXB_STATE_DIR "/empty");
	install_numbered_in(HXB_STATE_DIR, 1);
	in_child(look_up_first_in_another_root);
	in_child(look_up_in_another_root);
}

static void
look_up_in_a_user_namespace(void)
{
	struct stat st;

	if (unshare(CLONE_NEWUSER) != 0)
		_exit(errno == EPERM || errno == ENOSPC ? 77 : 1);
	MUST(stat(HXB_MAP_PATH, &st) == 0 && st.st_uid == 65534 && getuid() == 65534);
	MUST(everybodys_number() == 1);
}

static void
a_user_namespace_without_root_reads_the_map(void **state)
{
	int status;
	pid_t child;

	(void)state;
	install_numbered_in(HXB_STATE_DIR, 1);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		alarm(CHILD_SECONDS);
		look_up_in_a_user_namespace();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

#define NEXT_MAJOR HXB_STATE_DIR "/map.2"

/* A next release publishes both: this module knows one of them. */
static void
a_next_major_version_beside_it_changes_nothing(void **state)
{
	_Alignas(8) unsigned char bytes[65536];
	struct hxb_map_header *header = (struct hxb_map_header *)(void *)bytes;
	size_t size;

	(void)state;
	install_numbered_in(HXB_STATE_DIR, 1);
	assert_int_equal(everybodys_number(), 1);
	size = read_file(HXB_MAP_PATH, bytes, sizeof(bytes));
	header->major = 2;
	header->checksum = hxb_map_header_sum(header, header->header_size);
	write_file(NEXT_MAJOR, bytes, size);
	assert_int_equal(everybodys_number(), 1);
	install_numbered_in(HXB_STATE_DIR, 2);
	assert_int_equal(everybodys_number(), 2);
	write_file(NEXT_MAJOR, "what nobody knows", 17);
	install_numbered_in(HXB_STATE_DIR, 3);
	assert_int_equal(everybodys_number(), 3);
	assert_int_equal(unlink(NEXT_MAJOR), 0);
	assert_int_equal(everybodys_number(), 3);
}

static void
running_processes_read_a_later_minor_version(void **state)
{
	_Alignas(8) unsigned char bytes[65536];
	size_t size;

	(void)state;
	install_numbered_in(HXB_STATE_DIR, 1);
	assert_int_equal(everybodys_number(), 1);
	size = read_file(prepare_numbered(2), bytes, sizeof(bytes));
	size = make_later_minor(bytes, size);
	write_file(HXB_STATE_DIR "/later", bytes, size);
	assert_true(put_in_place(HXB_STATE_DIR "/later"));
	assert_int_equal(everybodys_number(), 2);
	install_numbered_in(HXB_STATE_DIR, 3);
	assert_int_equal(everybodys_number(), 3);
}

/* Whatever begins a second after the rename has the new answer; before, the old one is right too. */
static void
see_it_within_a_second(void)
{
	const double renamed = seconds();
	uint32_t number;
	double begun;

	do {
		begun = seconds();
		number = user_number();
		MUST(number == 2 || (number == 1 && begun < renamed + CHECKED_AFTER));
	} while (number != 2);
	MUST(everybodys_number() == 2);
}

static void
what_a_dead_publisher_replaced_is_seen_within_a_second_after_a_fork_too(void **state)
{
	int status, i;
	pid_t children[2];

	(void)state;
	next_map = prepare_numbered(2);
	install_numbered_in(HXB_STATE_DIR, 1);
	assert_int_equal(everybodys_number(), 1); /* mapped: the children inherit it */
	assert_int_equal(rename(next_map, HXB_MAP_PATH), 0);
	for (i = 0; i < 2; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0) {
			alarm(CHILD_SECONDS);
			see_it_within_a_second();
			_exit(0);
		}
	}
	for (i = 0; i < 2; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(everybodys_number(), 2); /* and here, where nothing looked meanwhile */
}

int
main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(lookups_make_no_system_call_but_one_stat_a_second),
		cmocka_unit_test(closed_descriptors_do_no_harm_and_the_callers_are_left_alone),
		cmocka_unit_test(with_descriptors_used_up_lookups_go_on_or_say_so),
		cmocka_unit_test(a_first_lookup_without_descriptors_says_so),
		cmocka_unit_test(a_root_without_a_map_has_none),
		cmocka_unit_test(a_user_namespace_without_root_reads_the_map),
		cmocka_unit_test(a_next_major_version_beside_it_changes_nothing),
		cmocka_unit_test(running_processes_read_a_later_minor_version),
		cmocka_unit_test(what_a_dead_publisher_replaced_is_seen_within_a_second_after_a_fork_too),
	};

	return run_as_root(tests, COUNT(tests), load_module);
}
