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
static pthread_key_t present; /* each thread's; a variable of a thread's own could abort for lack of memory */
static bool installed;

static const char *const suffixes[] = { "", "-journal", "-wal", "-shm" };

/* NULL: the file is not the database's. */
static const char *
suffix_of(const struct hxb_opening *opening, const char *path)
{
	size_t size = strlen(opening->path);

	for (size_t i = 0;
	     strncmp(path, opening->path, size) == 0 && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (strcmp(path + size, suffixes[i]) == 0)
			return suffixes[i];
	return NULL;
}

/* What SQLite itself needs: to sync what was made or removed, to keep 0, 1 and 2 occupied, to draw lots. */
static bool
is_sqlites(const struct hxb_opening *opening, const char *path)
{
	size_t size = strlen(path);

	return strcmp(path, "/dev/null") == 0 || strcmp(path, "/dev/urandom") == 0 ||
	    (strncmp(path, opening->path, size) == 0 &&
	        strcmp(opening->path + size, strrchr(opening->path, '/')) == 0);
}

static int
refused(struct hxb_opening *opening, const char *suffix, int code)
{
	opening->suffix = suffix;
	opening->code = code;
	errno = code > 0 ? code : EACCES;
	return -1;
}

/* SQLite has all threads wait that open or close any database while it opens a log's shared memory. */
static int
open_patiently(const struct hxb_opening *opening, const char *suffix, const char *path, int flags, int mode)
{
	const struct timespec pause = { .tv_nsec = PAUSE * 1000000L };
	const bool may_wait = strcmp(suffix, "-shm") != 0;
	int fd;

	while ((fd = plain_open(path, flags | O_NONBLOCK | O_NOCTTY, mode)) == -1 && errno == EWOULDBLOCK &&
	    may_wait && hxb_deadline_left(opening->deadline) > 0)
		(void)nanosleep(&pause, NULL);
	return fd;
}

static int
careful_open(const char *path, int flags, int mode)
{
	struct hxb_opening *opening = pthread_getspecific(present);
	const char *suffix;
	struct stat st;
	int fd;

	if (opening == NULL || is_sqlites(opening, path))
		return plain_open(path, flags, mode);
	if ((suffix = suffix_of(opening, path)) == NULL)
		return refused(opening, "", HXB_OPENING_OTHER);
	/* After a refusal SQLite tries to read only, for which no reader's lease is in the way. */
	if ((flags & O_ACCMODE) == O_RDONLY && opening->code == EWOULDBLOCK && opening->suffix == suffix)
		return refused(opening, suffix, EWOULDBLOCK);
	fd = open_patiently(opening, suffix, path, flags, mode);
	if (fd == -1 && errno != ENOENT && errno != EINTR)
		return refused(opening, suffix, errno);
	if (fd != -1 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode)) {
		close(fd);
		return refused(opening, suffix, HXB_OPENING_FIFO);
	}
	if (fd != -1 && opening->suffix == suffix)
		opening->code = 0;
	return fd;
}

static void
install(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find("unix");

	if (vfs == NULL || vfs->iVersion < 3 || vfs->xGetSystemCall == NULL || vfs->xSetSystemCall == NULL ||
	    pthread_key_create(&present, NULL) != 0)
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

bool
hxb_opening_for(struct hxb_opening *opening)
{
	return pthread_setspecific(present, opening) == 0;
}
