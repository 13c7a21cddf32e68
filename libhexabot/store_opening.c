/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store_opening.h"

#define PAUSE 5 /* milliseconds */

typedef int open_fn(const char *path, int flags, int mode);

static open_fn *plain_open;
static bool installed;
static __thread struct hxb_opening *present;

static int
open_patiently(const char *path, int flags, int mode, const struct hxb_deadline *deadline)
{
	const struct timespec pause = { .tv_nsec = PAUSE * 1000000L };
	int fd;

	while ((fd = plain_open(path, flags | O_NONBLOCK, mode)) == -1 && errno == EWOULDBLOCK &&
	    hxb_deadline_left(deadline) > 0)
		(void)nanosleep(&pause, NULL);
	return fd;
}

/* -1 with errno for a FIFO. SQLite opens directories, too, and devices that are not the owner's to make. */
static int
no_fifo(int fd)
{
	struct stat st;

	if (fd == -1 || (fstat(fd, &st) == 0 && !S_ISFIFO(st.st_mode)))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

static const char *
suffix_of(const char *path)
{
	static const char *const suffixes[] = { "-journal", "-wal", "-shm" };
	size_t size = strlen(path), length;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		length = strlen(suffixes[i]);
		if (size > length && strcmp(path + size - length, suffixes[i]) == 0)
			return suffixes[i];
	}
	return "";
}

static int
careful_open(const char *path, int flags, int mode)
{
	struct hxb_opening *opening = present;
	int fd;

	if (opening == NULL)
		return plain_open(path, flags, mode);
	fd = no_fifo(open_patiently(path, flags, mode, opening->deadline));
	if (fd == -1 && errno != ENOENT && errno != EINTR) {
		opening->code = errno;
		opening->suffix = suffix_of(path);
	}
	return fd;
}

static void
install(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find("unix");

	if (vfs == NULL || vfs->iVersion < 3 || vfs->xGetSystemCall == NULL || vfs->xSetSystemCall == NULL)
		return;
	plain_open = (open_fn *)vfs->xGetSystemCall(vfs, "open");
	installed = plain_open != NULL &&
	    vfs->xSetSystemCall(vfs, "open", (sqlite3_syscall_ptr)careful_open) == SQLITE_OK;
}

bool
hxb_opening_install(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	return pthread_once(&once, install) == 0 && installed;
}

void
hxb_opening_for(struct hxb_opening *opening)
{
	present = opening;
}
