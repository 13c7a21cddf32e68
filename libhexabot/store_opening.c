/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
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

/* -1 with errno for what is there, but is no file. */
static int
only_a_file(int fd)
{
	struct stat st;

	if (fd == -1 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

static int
careful_open(const char *path, int flags, int mode)
{
	struct hxb_opening *opening = present;
	size_t size = opening != NULL ? strlen(opening->path) : 0;
	int fd;

	/* SQLite opens directories, too. */
	if (opening == NULL || strncmp(path, opening->path, size) != 0)
		return plain_open(path, flags, mode);
	fd = only_a_file(open_patiently(path, flags, mode, opening->deadline));
	if (fd == -1 && errno != ENOENT && errno != EINTR) {
		opening->code = errno;
		snprintf(opening->suffix, sizeof(opening->suffix), "%s", path + size);
		errno = opening->code;
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
