/* SPDX-License-Identifier: ISC */
/*
 * Opens what SQLite is about to open, and keeps it until SQLite is done. The owner of a file can put a lease
 * on it, which makes the next open wait for 45 seconds; not this one, and no lease is to be had while a file
 * is open for writing.
 *
 * What must hold: closing any descriptor of a file drops all of this process's locks on it, another thread's
 * among them. So the files that SQLite locks stay open until no thread has a store any more, each once.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_private.h"

struct kept {
	struct kept *next;
	dev_t device;
	ino_t inode;
	int fd;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct kept *kept;
static unsigned stores; /* that are open */

/* Never 0, 1 or 2, which a daemon may have closed: what it says of an error would be written into the file.
 */
static int
probe(const char *path)
{
	int low = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY), fd, saved;

	if (low == -1 || low > STDERR_FILENO)
		return low;
	fd = fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	saved = errno;
	close(low); /* nobody of ours has a lock on it: this is the first to be opened */
	errno = saved;
	return fd;
}

static bool
is_kept(const char *path)
{
	const struct kept *file = kept;
	struct stat st;

	if (file == NULL || lstat(path, &st) == -1)
		return false;
	while (file != NULL && (file->device != st.st_dev || file->inode != st.st_ino))
		file = file->next;
	return file != NULL;
}

/* False: errno. */
static bool
keep(const char *path)
{
	struct kept *file;
	struct stat st = { 0 };

	if (is_kept(path))
		return true;
	if ((file = malloc(sizeof(*file))) == NULL)
		return false;
	file->fd = probe(path);
	if (file->fd == -1) {
		free(file);
		return false;
	}
	(void)fstat(file->fd, &st); /* one that is not known is opened once more */
	file->device = st.st_dev;
	file->inode = st.st_ino;
	file->next = kept;
	kept = file;
	return true;
}

static void
close_unlocked(struct hxb_store *store)
{
	for (size_t i = 0; i < sizeof(store->probes) / sizeof(*store->probes); i++) {
		if (store->probes[i] != -1)
			close(store->probes[i]);
		store->probes[i] = -1;
	}
}

/*
 * What comes of the last attempt to open something. Beside the store SQLite itself judges what its owner may
 * not open, such as a journal of a Hexabot that runs as root, in the moment before it is given to the owner:
 * no lease makes that wait.
 */
static enum hxb_result
judge(bool is_open, bool is_beside, const char *path, struct hxb_error *error)
{
	if (is_open || (is_beside && (errno == ENOENT || errno == EACCES)))
		return HXB_OK;
	if (errno == EWOULDBLOCK)
		return hxb_fail(error, HXB_BUSY, "%s: busy: another process holds a lease on it", path);
	return hxb_fail(error, HXB_UNREADABLE, "%s: %m", path);
}

static enum hxb_result
keep_locked(const struct hxb_store *store, struct hxb_error *error)
{
	char path[PATH_MAX];
	enum hxb_result r = judge(keep(store->path), false, store->path, error);

	snprintf(path, sizeof(path), "%s-shm", store->path);
	return r == HXB_OK ? judge(keep(path), true, path, error) : r;
}

enum hxb_result
hxb_store_probe(struct hxb_store *store, struct hxb_error *error)
{
	static const char *const suffixes[] = { "-journal", "-wal" };
	char path[PATH_MAX];
	enum hxb_result r = HXB_OK;

	close_unlocked(store);
	for (size_t i = 0; r == HXB_OK && i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		snprintf(path, sizeof(path), "%s%s", store->path, suffixes[i]);
		store->probes[i] = probe(path);
		r = judge(store->probes[i] != -1, true, path, error);
	}
	if (r != HXB_OK)
		return r;
	pthread_mutex_lock(&mutex);
	stores += store->probed ? 0 : 1;
	store->probed = true;
	r = keep_locked(store, error);
	pthread_mutex_unlock(&mutex);
	return r;
}

void
hxb_store_end_probes(struct hxb_store *store)
{
	close_unlocked(store);
	if (!store->probed)
		return;
	store->probed = false;
	pthread_mutex_lock(&mutex);
	stores--;
	for (struct kept *file; stores == 0 && (file = kept) != NULL;) {
		kept = file->next;
		close(file->fd);
		free(file);
	}
	pthread_mutex_unlock(&mutex);
}
