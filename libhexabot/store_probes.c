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

static int
probe(const char *path)
{
	return open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
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

static enum hxb_result
open_one(struct hxb_store *store, size_t i, const char *path, struct hxb_error *error)
{
	bool is_open;

	if (i < HXB_STORE_LOCKED) {
		is_open = keep(path);
	} else {
		store->probes[i - HXB_STORE_LOCKED] = probe(path);
		is_open = store->probes[i - HXB_STORE_LOCKED] != -1;
	}
	if (is_open || (errno == ENOENT && i > 0))
		return HXB_OK;
	if (errno == EWOULDBLOCK)
		return hxb_fail(error, HXB_BUSY, "%s: busy: another process holds a lease on it", path);
	return hxb_fail(error, HXB_UNREADABLE, "%s: %m", path);
}

enum hxb_result
hxb_store_open_probes(struct hxb_store *store, struct hxb_error *error)
{
	static const char *const suffixes[] = { "", "-shm", "-journal", "-wal" };
	char path[PATH_MAX];
	enum hxb_result r = HXB_OK;

	pthread_mutex_lock(&mutex);
	stores++;
	store->probed = true;
	for (size_t i = 0; r == HXB_OK && i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		snprintf(path, sizeof(path), "%s%s", store->path, suffixes[i]);
		r = open_one(store, i, path, error);
	}
	pthread_mutex_unlock(&mutex);
	return r;
}

void
hxb_store_close_probes(struct hxb_store *store)
{
	for (size_t i = 0; i < sizeof(store->probes) / sizeof(*store->probes); i++) {
		if (store->probes[i] != -1)
			close(store->probes[i]);
		store->probes[i] = -1;
	}
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
