/* SPDX-License-Identifier: ISC */
/*
 * Opens what SQLite is about to open, and keeps it until SQLite is done. The owner of a file can put a lease
 * on it, which makes the next open wait for 45 seconds, and of a FIFO for ever; not this one, and no lease is
 * to be had while a file is open for writing.
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
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_private.h"

#define KEPT_MAX 32 /* files; there are two a store, unless they are replaced all the time */
#define PAUSE 5 /* milliseconds */

struct kept {
	struct kept *next;
	dev_t device;
	ino_t inode;
	int fd;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct kept *kept;
static unsigned kept_count;
static unsigned stores; /* that are open */

/* Occupies 0, 1 and 2, which a daemon may have closed: what it says of an error would be written into the
 * file that is opened there. Such a file can't be moved: see above. */
static void
fill_standard(struct hxb_store *store)
{
	int fd;

	while ((fd = open("/dev/null", O_PATH | O_CLOEXEC)) >= 0 && fd <= STDERR_FILENO)
		store->fillers[store->filled++] = fd;
	if (fd != -1)
		close(fd);
}

/* -1: errno. */
static int
probe(const char *path)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	/* Nothing of ours is locked in what is no file. */
	if (fd != -1 && (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
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
	if (kept_count == KEPT_MAX) {
		errno = EMFILE;
		return false;
	}
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
	kept_count++;
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
 * What comes of the last attempt to open something. *passing: it may be another soon. So it is with a lease,
 * and beside the store with what a Hexabot that runs as root makes as its own, and then gives to the owner.
 */
static enum hxb_result
judge(const struct hxb_store *store, bool is_open, const char *path, bool *passing, struct hxb_error *error)
{
	const bool is_beside = strcmp(path, store->path) != 0;
	const int code = errno;

	if (is_open || (code == ENOENT && is_beside))
		return HXB_OK;
	*passing = code == EWOULDBLOCK || (code == EACCES && is_beside);
	if (code == EWOULDBLOCK)
		return hxb_fail(error, HXB_BUSY, "%s: busy: another process holds a lease on it", path);
	return hxb_fail(error, HXB_UNREADABLE, "%s: %s", path,
	    code == EINVAL       ? "not a file"
	        : code == EMFILE ? "too many open files, or it is replaced all the time"
	                         : strerror(code));
}

static enum hxb_result
probe_unlocked(struct hxb_store *store, bool *passing, struct hxb_error *error)
{
	static const char *const suffixes[] = { "-journal", "-wal" };
	char path[PATH_MAX];
	enum hxb_result r = HXB_OK;

	close_unlocked(store);
	for (size_t i = 0; r == HXB_OK && i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		snprintf(path, sizeof(path), "%s%s", store->path, suffixes[i]);
		store->probes[i] = probe(path);
		r = judge(store, store->probes[i] != -1, path, passing, error);
	}
	return r;
}

static enum hxb_result
keep_locked(struct hxb_store *store, bool *passing, struct hxb_error *error)
{
	char path[PATH_MAX];
	enum hxb_result r;

	snprintf(path, sizeof(path), "%s-shm", store->path);
	pthread_mutex_lock(&mutex);
	r = judge(store, keep(store->path), store->path, passing, error);
	if (r == HXB_OK)
		r = judge(store, keep(path), path, passing, error);
	pthread_mutex_unlock(&mutex);
	return r;
}

static enum hxb_result
probe_all(struct hxb_store *store, bool *passing, struct hxb_error *error)
{
	enum hxb_result r = probe_unlocked(store, passing, error);

	return r == HXB_OK ? keep_locked(store, passing, error) : r;
}

static void
begin_probes(struct hxb_store *store)
{
	fill_standard(store);
	store->probed = true;
	pthread_mutex_lock(&mutex);
	stores++;
	pthread_mutex_unlock(&mutex);
}

enum hxb_result
hxb_store_probe(struct hxb_store *store, struct hxb_error *error)
{
	const struct timespec pause = { .tv_nsec = PAUSE * 1000000L };
	struct hxb_error why = { "" };
	bool passing = false;
	enum hxb_result r;

	if (!store->probed)
		begin_probes(store);
	while ((r = probe_all(store, &passing, &why)) != HXB_OK && passing &&
	    hxb_deadline_left(&store->db.deadline) > 0) {
		passing = false;
		(void)nanosleep(&pause, NULL);
	}
	return r == HXB_OK ? HXB_OK : hxb_fail(error, r, "%s", why.text);
}

void
hxb_store_end_probes(struct hxb_store *store)
{
	int cancel;

	close_unlocked(store);
	if (!store->probed)
		return;
	store->probed = false;
	while (store->filled > 0)
		close(store->fillers[--store->filled]);
	/* close(2) is a moment in which a thread may be cancelled, and the lock would stay. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	pthread_mutex_lock(&mutex);
	stores--;
	for (struct kept *file; stores == 0 && (file = kept) != NULL; kept_count--) {
		kept = file->next;
		close(file->fd);
		free(file);
	}
	pthread_mutex_unlock(&mutex);
	pthread_setcancelstate(cancel, NULL);
}
