/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "faults.h"
#include "fuzz.h"

static const char *const names[FAULTS] = {
	[FAULT_MEMORY] = "memory",
	[FAULT_OPEN] = "open",
	[FAULT_STAT] = "stat",
	[FAULT_READ] = "read",
	[FAULT_WRITE] = "write",
	[FAULT_SYNC] = "sync",
	[FAULT_LOCK] = "lock",
	[FAULT_MAP] = "map",
	[FAULT_CLOSE] = "close",
	[FAULT_UNLINK] = "unlink",
	[FAULT_STREAM] = "stream",
	[FAULT_CRYPT] = "crypt",
	[FAULT_IDS] = "ids",
	[FAULT_NAMES] = "names",
	[FAULT_PAM] = "pam",
};

/* Each kind has a window of calls that fail. */
static struct {
	uint32_t calls, first, times;
} schedule[FAULTS];
static uint32_t state, rate;
static bool armed, happened;

void
faults_clear(void)
{
	memset(schedule, 0, sizeof(schedule));
	rate = 0;
	armed = happened = false;
}

void
faults_add(const char *kind, uint32_t count, uint32_t times)
{
	for (size_t i = 0; i < FAULTS; i++) {
		if (strcmp(kind, names[i]) != 0)
			continue;
		schedule[i].first = schedule[i].calls + count;
		schedule[i].times = times != 0 ? times : UINT32_MAX;
	}
}

void
faults_chance(uint32_t seed, uint32_t average)
{
	state = seed | 1;
	rate = average;
}

void
faults_arm(void)
{
	armed = true;
}

void
faults_disarm(void)
{
	armed = false;
}

bool
faults_happened(void)
{
	return happened;
}

/* xorshift32 */
static bool
by_chance(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % rate == 0;
}

bool
fault(enum fault kind, int error)
{
	uint32_t call;
	bool fails;

	if (!armed)
		return false;
	call = ++schedule[kind].calls;
	fails = schedule[kind].times != 0 && call >= schedule[kind].first &&
	    call - schedule[kind].first < schedule[kind].times;
	fails = (rate != 0 && by_chance()) || fails;
	if (fails) {
		happened = true;
		errno = error;
	}
	return fails;
}

/* What is linked in place of f(): ours, which goes on to the real one. */
#define WRAP(type, name, ...) \
	type __real_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

/* clang-format off */
WRAP(void *, malloc, size_t size)
{
	return fault(FAULT_MEMORY, ENOMEM) ? NULL : __real_malloc(size);
}

WRAP(void *, calloc, size_t count, size_t size)
{
	return fault(FAULT_MEMORY, ENOMEM) ? NULL : __real_calloc(count, size);
}

WRAP(void *, realloc, void *old, size_t size)
{
	return fault(FAULT_MEMORY, ENOMEM) ? NULL : __real_realloc(old, size);
}

WRAP(void *, reallocarray, void *old, size_t count, size_t size)
{
	return fault(FAULT_MEMORY, ENOMEM) ? NULL : __real_reallocarray(old, count, size);
}

WRAP(char *, strdup, const char *text)
{
	return fault(FAULT_MEMORY, ENOMEM) ? NULL : __real_strdup(text);
}

WRAP(char *, strndup, const char *text, size_t size)
{
	return fault(FAULT_MEMORY, ENOMEM) ? NULL : __real_strndup(text, size);
}

static mode_t
mode_of(int flags, va_list args)
{
	return (flags & (O_CREAT | O_TMPFILE)) != 0 ? (mode_t)va_arg(args, unsigned) : 0;
}

WRAP(int, open64, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return fault(FAULT_OPEN, EMFILE) ? -1 : __real_open64(path, flags, mode);
}

WRAP(int, openat64, int dir, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return fault(FAULT_OPEN, EACCES) ? -1 : __real_openat64(dir, path, flags, mode);
}

WRAP(int, __openat64_2, int dir, const char *path, int flags)
{
	return fault(FAULT_OPEN, EACCES) ? -1 : __real___openat64_2(dir, path, flags);
}

WRAP(int, fstat64, int fd, struct stat *st)
{
	return fault(FAULT_STAT, EIO) ? -1 : __real_fstat64(fd, st);
}

WRAP(int, lstat64, const char *path, struct stat *st)
{
	return fault(FAULT_STAT, EACCES) ? -1 : __real_lstat64(path, st);
}

WRAP(int, stat64, const char *path, struct stat *st)
{
	return fault(FAULT_STAT, EACCES) ? -1 : __real_stat64(path, st);
}

WRAP(ssize_t, pread64, int fd, void *bytes, size_t size, off_t offset)
{
	return fault(FAULT_READ, EIO) ? -1 : __real_pread64(fd, bytes, size, offset);
}

WRAP(ssize_t, read, int fd, void *bytes, size_t size)
{
	return fault(FAULT_READ, EIO) ? -1 : __real_read(fd, bytes, size);
}

/* A disk that is full takes some of it first. */
WRAP(ssize_t, pwrite64, int fd, const void *bytes, size_t size, off_t offset)
{
	if (!fault(FAULT_WRITE, ENOSPC))
		return __real_pwrite64(fd, bytes, size, offset);
	return size > 1 ? __real_pwrite64(fd, bytes, size / 2, offset) : -1;
}

WRAP(ssize_t, write, int fd, const void *bytes, size_t size)
{
	return fault(FAULT_WRITE, EIO) ? -1 : __real_write(fd, bytes, size);
}

WRAP(int, ftruncate64, int fd, off_t size)
{
	return fault(FAULT_WRITE, EIO) ? -1 : __real_ftruncate64(fd, size);
}

WRAP(int, fsync, int fd)
{
	return fault(FAULT_SYNC, EIO) ? -1 : __real_fsync(fd);
}

WRAP(int, fdatasync, int fd)
{
	return fault(FAULT_SYNC, EIO) ? -1 : __real_fdatasync(fd);
}

WRAP(int, fcntl64, int fd, int command, ...)
{
	va_list args;
	void *argument;

	va_start(args, command);
	argument = va_arg(args, void *);
	va_end(args);
	if (command == F_SETLK && fault(FAULT_LOCK, EAGAIN))
		return -1;
	return __real_fcntl64(fd, command, argument);
}

WRAP(void *, mmap64, void *where, size_t size, int rights, int flags, int fd, off_t offset)
{
	return fault(FAULT_MAP, ENOMEM) ? MAP_FAILED : __real_mmap64(where, size, rights, flags, fd, offset);
}

/* The descriptor is gone all the same. */
WRAP(int, close, int fd)
{
	int code = __real_close(fd);

	return fault(FAULT_CLOSE, EINTR) ? -1 : code;
}

WRAP(int, unlink, const char *path)
{
	return fault(FAULT_UNLINK, EACCES) ? -1 : __real_unlink(path);
}

WRAP(FILE *, fdopen, int fd, const char *mode)
{
	return fault(FAULT_STREAM, ENOMEM) ? NULL : __real_fdopen(fd, mode);
}

WRAP(FILE *, open_memstream, char **text, size_t *size)
{
	return fault(FAULT_STREAM, ENOMEM) ? NULL : __real_open_memstream(text, size);
}

WRAP(char *, fgets, char *text, int size, FILE *file)
{
	return fault(FAULT_STREAM, EIO) ? NULL : __real_fgets(text, size, file);
}

/* Of the way back the product says that it ends the process: bracket.c. */
WRAP(int, setresuid, uid_t real, uid_t effective, uid_t saved)
{
	if (real == 0 && fault(FAULT_IDS, EAGAIN))
		return -1;
	/* Of this thread: libFuzzer's others need not be asked. */
	return (int)syscall(SYS_setresuid, real, effective, saved);
}

/* In a user namespace that does not know the number nothing changes, and nobody says so. */
WRAP(int, setfsuid, uid_t uid)
{
	if (uid != 0 && uid != (uid_t)-1 && fault(FAULT_IDS, EPERM))
		uid = (uid_t)-1;
	return __real_setfsuid(uid);
}

/* A clock of our own: who waits for a deadline has it at once. */
static int64_t elapsed; /* ns */

WRAP(int, clock_gettime, clockid_t id, struct timespec *now)
{
	(void)id;
	elapsed += 20000; /* statements over a spoilt database end soon */
	now->tv_sec = CLOCK_BEGINS + elapsed / 1000000000;
	now->tv_nsec = elapsed % 1000000000;
	return 0;
}

WRAP(time_t, time, time_t *now)
{
	if (now != NULL)
		*now = CLOCK_NOW;
	return CLOCK_NOW;
}

WRAP(int, nanosleep, const struct timespec *wish, struct timespec *left)
{
	(void)left;
	elapsed += wish->tv_sec * INT64_C(1000000000) + wish->tv_nsec;
	return 0;
}

WRAP(int, usleep, useconds_t wish)
{
	elapsed += wish * INT64_C(1000);
	return 0;
}
/* clang-format on */

void
clock_move(uint32_t seconds)
{
	elapsed += seconds * INT64_C(1000000000);
}
