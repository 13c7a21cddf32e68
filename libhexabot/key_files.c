/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "key_files.h"
#include "names.h"
#include "trust.h"

#define DIRECTORY_MODE 0711
#define FILE_MODE 0640
#define TEMPORARY_PREFIX ".new." /* no login begins with a dot */
#define TEMPORARY_DIGITS 16
#define TEMPORARY_SIZE (sizeof(TEMPORARY_PREFIX) + TEMPORARY_DIGITS)
#define SIZE_LIMIT (4 << 20) /* bytes; what is longer was not written by us */

#define SHOWN "%s/" HXB_KEY_FILES_NAME /* the directory, for messages */

/*
 * What was made of it by mistake, or by a restored backup, is undone. Nobody can swap it, since it is in a
 * directory of root's; what somebody put into it meanwhile is judged file by file.
 */
static enum hxb_result
put_right(const struct hxb_key_files *files, struct hxb_error *error)
{
	struct stat st;

	if (fstat(files->directory, &st) == -1 ||
	    ((st.st_uid != 0 || st.st_gid != 0) && fchown(files->directory, 0, 0) == -1) ||
	    ((st.st_mode & 07777) != DIRECTORY_MODE && fchmod(files->directory, DIRECTORY_MODE) == -1))
		return hxb_fail(error, HXB_FAILED, SHOWN ": %m", files->state_dir);
	return HXB_OK;
}

static enum hxb_result
open_directory(struct hxb_key_files *files, int state, bool make, struct hxb_error *error)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

	files->directory = openat(state, HXB_KEY_FILES_NAME, flags);
	if (files->directory == -1 && errno == ENOENT && !make)
		return HXB_NOT_FOUND;
	if (files->directory == -1 && errno == ENOENT) {
		if (mkdirat(state, HXB_KEY_FILES_NAME, DIRECTORY_MODE) == -1 || fsync(state) == -1)
			return hxb_fail(error, HXB_FAILED, SHOWN ": can't be made: %m", files->state_dir);
		files->directory = openat(state, HXB_KEY_FILES_NAME, flags);
	}
	if (files->directory == -1 && (errno == ENOTDIR || errno == ELOOP))
		return hxb_fail(error, HXB_FAILED, SHOWN ": a symbolic link or no directory; remove it",
		    files->state_dir);
	if (files->directory == -1)
		return hxb_fail(error, HXB_FAILED, SHOWN ": %m", files->state_dir);
	return put_right(files, error);
}

enum hxb_result
hxb_key_files_open(struct hxb_key_files *files, const char *state_dir, bool make, struct hxb_error *error)
{
	enum hxb_result r;
	int state;

	*files = (struct hxb_key_files){ .state_dir = state_dir, .directory = -1 };
	r = hxb_trust_directory(state_dir, 0, error);
	if (r != HXB_OK)
		return r;
	state = open(state_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (state == -1)
		return hxb_fail(error, HXB_FAILED, "%s: %m", state_dir);
	r = open_directory(files, state, make, error);
	close(state);
	return r;
}

/* A login is a name in this directory and nothing else: neither "..", nor with a slash. */
static enum hxb_result
check_login(const char *login, struct hxb_error *error)
{
	return hxb_login_valid(login) ? HXB_OK : hxb_fail(error, HXB_INVALID, "'%.64s' is no login", login);
}

enum hxb_result
hxb_key_files_remove(struct hxb_key_files *files, const char *login, struct hxb_error *error)
{
	enum hxb_result r = check_login(login, error);

	if (r != HXB_OK)
		return r;
	if (unlinkat(files->directory, login, 0) == 0)
		files->changed = true;
	else if (errno != ENOENT && errno != EISDIR)
		r = hxb_fail(error, HXB_FAILED, SHOWN "/%s: can't be removed: %m", files->state_dir, login);
	return r;
}

static bool
is_temporary(const char *name)
{
	const size_t prefix = sizeof(TEMPORARY_PREFIX) - 1;

	return strncmp(name, TEMPORARY_PREFIX, prefix) == 0 && strlen(name) == prefix + TEMPORARY_DIGITS &&
	    strspn(name + prefix, "0123456789abcdef") == TEMPORARY_DIGITS;
}

static int
compare_names(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static bool
is_kept(const char *name, const char *const *logins, size_t count)
{
	return count > 0 && bsearch(&name, logins, count, sizeof(*logins), compare_names) != NULL;
}

/* The directory's names, from the first one. NULL: errno says why. */
static DIR *
list(const struct hxb_key_files *files)
{
	int fd = openat(files->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd != -1 ? fdopendir(fd) : NULL;

	if (listing == NULL && fd != -1)
		close(fd);
	return listing;
}

enum hxb_result
hxb_key_files_keep_only(
    struct hxb_key_files *files, const char *const *logins, size_t count, struct hxb_error *error)
{
	enum hxb_result r = HXB_OK;
	DIR *listing = list(files);
	struct dirent *entry;

	errno = listing == NULL ? errno : 0;
	while (listing != NULL && (entry = readdir(listing)) != NULL) {
		const char *name = entry->d_name;
		bool ours = is_temporary(name) || (hxb_login_valid(name) && !is_kept(name, logins, count));

		if (ours && unlinkat(files->directory, name, 0) == 0)
			files->changed = true;
		else if (ours && errno != ENOENT && errno != EISDIR)
			r = hxb_fail(
			    error, HXB_FAILED, SHOWN "/%s: can't be removed: %m", files->state_dir, name);
		errno = 0;
	}
	if (errno != 0)
		r = hxb_fail(error, HXB_FAILED, SHOWN ": can't be read: %m", files->state_dir);
	if (listing != NULL)
		closedir(listing);
	return r;
}

/* Of an open file: all of it, or NULL. */
static char *
read_text(int fd, off_t size)
{
	char *text;
	size_t length = 0;
	ssize_t got;

	if (size < 0 || size > SIZE_LIMIT || (text = malloc((size_t)size + 1)) == NULL)
		return NULL;
	while (length < (size_t)size && (got = read(fd, text + length, (size_t)size - length)) > 0)
		length += (size_t)got;
	text[length] = '\0';
	if (length == (size_t)size && strlen(text) == length)
		return text;
	free(text);
	return NULL;
}

/* What a name says. *st: the file's, all zero where there is none to be read. */
static char *
read_file(int directory, const char *name, struct stat *st)
{
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = NULL;

	*st = (struct stat){ 0 };
	if (fd == -1)
		return NULL;
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
		text = read_text(fd, st->st_size);
	close(fd);
	return text;
}

bool
hxb_key_files_has(const struct hxb_key_files *files, const char *login)
{
	struct stat st;

	return hxb_login_valid(login) && fstatat(files->directory, login, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool
is_so(const struct hxb_key_files *files, const char *login, gid_t gid, const char *text)
{
	struct stat st;
	char *found = read_file(files->directory, login, &st);
	bool so = found != NULL && strcmp(found, text) == 0 && st.st_uid == 0 && st.st_gid == gid &&
	    (st.st_mode & 07777) == FILE_MODE && st.st_nlink == 1;

	free(found);
	return so;
}

static bool
write_all(int fd, const char *text)
{
	size_t left = strlen(text);
	ssize_t written;

	for (; left > 0; text += written, left -= (size_t)written) {
		written = write(fd, text, left);
		if (written == -1 && errno == EINTR)
			written = 0;
		if (written == -1)
			return false;
	}
	return true;
}

/* Whole, on disk, and nobody's but theirs: false, with errno, if not. */
static bool
fill(int fd, gid_t gid, const char *text)
{
	return write_all(fd, text) && fchown(fd, 0, gid) == 0 && fchmod(fd, FILE_MODE) == 0 && fsync(fd) == 0;
}

static enum hxb_result
replace(struct hxb_key_files *files, const char *login, gid_t gid, const char *text, struct hxb_error *error)
{
	char temporary[TEMPORARY_SIZE];
	enum hxb_result r = HXB_OK;
	uint64_t random;
	int fd;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return hxb_fail(error, HXB_FAILED, "no source of randomness");
	snprintf(temporary, sizeof(temporary), TEMPORARY_PREFIX "%016" PRIx64, random);
	fd = openat(files->directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return hxb_fail(error, HXB_FAILED, SHOWN ": can't make a file: %m", files->state_dir);
	if (!fill(fd, gid, text))
		r = hxb_fail(error, HXB_FAILED, SHOWN "/%s: can't be written: %m", files->state_dir, login);
	close(fd);
	if (r == HXB_OK && renameat(files->directory, temporary, files->directory, login) == -1)
		r = hxb_fail(error, HXB_FAILED, SHOWN "/%s: can't be replaced: %m; remove what is there",
		    files->state_dir, login);
	if (r == HXB_OK)
		files->changed = true;
	else
		(void)unlinkat(files->directory, temporary, 0);
	return r;
}

enum hxb_result
hxb_key_files_write(
    struct hxb_key_files *files, const char *login, gid_t gid, const char *text, struct hxb_error *error)
{
	enum hxb_result r = check_login(login, error);

	if (r != HXB_OK || is_so(files, login, gid, text))
		return r;
	return replace(files, login, gid, text, error);
}

enum hxb_result
hxb_key_files_close(struct hxb_key_files *files, struct hxb_error *error)
{
	enum hxb_result r = HXB_OK;

	if (files->directory == -1)
		return r;
	if (files->changed && fsync(files->directory) == -1)
		r = hxb_fail(error, HXB_FAILED, SHOWN ": can't be made durable: %m", files->state_dir);
	close(files->directory);
	files->directory = -1;
	files->changed = false;
	return r;
}

enum hxb_result
hxb_key_files_withdraw(const char *state_dir, const char *login, struct hxb_error *error)
{
	struct hxb_key_files files;
	enum hxb_result r = hxb_key_files_open(&files, state_dir, false, error), closed;

	if (r == HXB_OK)
		r = hxb_key_files_remove(&files, login, error);
	closed = hxb_key_files_close(&files, error);
	return r == HXB_NOT_FOUND ? HXB_OK : r != HXB_OK ? r : closed;
}

char *
hxb_key_files_read(const char *state_dir, const char *login)
{
	int state = open(state_dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), directory;
	char *text = NULL;
	struct stat st;

	if (state == -1)
		return NULL;
	directory = openat(state, HXB_KEY_FILES_NAME, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory != -1) {
		if (hxb_login_valid(login))
			text = read_file(directory, login, &st);
		close(directory);
	}
	close(state);
	return text;
}
