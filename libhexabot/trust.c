/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "trust.h"

#define GROUP_OR_OTHERS (S_IWGRP | S_IWOTH)

/* How strictly a path is judged. */
struct policy {
	uid_t owner; /* besides root */
	bool root_only; /* the file itself has to be root's, or `owner`'s where that stands for root in a test
	                 */
	mode_t forbidden; /* mode bits that no directory may have */
	mode_t file_forbidden; /* nor the file */
	bool sticky_helps; /* a sticky directory, like /tmp, may be writable: its entries can't be renamed by
	                      others */
};

static enum hxb_result
judge_directory(const struct policy *policy, const struct stat *st, const char *path, struct hxb_error *error)
{
	if (!S_ISDIR(st->st_mode))
		return hxb_fail(error, HXB_UNREADABLE, "%s: not a directory", path);
	if (st->st_uid != 0 && st->st_uid != policy->owner)
		return hxb_fail(error, HXB_UNREADABLE, "%s: belongs to uid %u, which is not trusted here",
		    path, (unsigned)st->st_uid);
	if ((st->st_mode & policy->forbidden) != 0 && !(policy->sticky_helps && (st->st_mode & S_ISVTX) != 0))
		return hxb_fail(error, HXB_UNREADABLE, "%s: writable by others (mode %04o); chmod %s it",
		    path, (unsigned)st->st_mode & 07777, policy->forbidden == S_IWOTH ? "o-w" : "go-w");
	return HXB_OK;
}

static enum hxb_result
judge_file(const struct policy *policy, const struct stat *st, const char *path, struct hxb_error *error)
{
	if (!S_ISREG(st->st_mode))
		return hxb_fail(error, HXB_UNREADABLE, "%s: not a regular file", path);
	if (st->st_nlink != 1)
		return hxb_fail(error, HXB_UNREADABLE, "%s: has %lu links instead of one", path,
		    (unsigned long)st->st_nlink);
	if (st->st_uid != policy->owner && (policy->root_only || st->st_uid != 0))
		return hxb_fail(error, HXB_UNREADABLE, "%s: belongs to uid %u instead of %u", path,
		    (unsigned)st->st_uid, (unsigned)policy->owner);
	if ((st->st_mode & policy->file_forbidden) != 0)
		return hxb_fail(error, HXB_UNREADABLE, "%s: writable by others (mode %04o); chmod %s it",
		    path, (unsigned)st->st_mode & 07777, policy->file_forbidden == S_IWOTH ? "o-w" : "go-w");
	return HXB_OK;
}

/* Opens one directory of the path and judges it. `length`: of the path up to and with this component. */
static enum hxb_result
enter(const struct policy *policy, const char *path, size_t length, const char *component, int *dir,
    struct hxb_error *error)
{
	char name[NAME_MAX + 1], shown[PATH_MAX];
	struct stat st;
	int next;

	snprintf(shown, sizeof(shown), "%.*s", (int)length, path);
	if ((size_t)(path + length - component) >= sizeof(name))
		return hxb_fail(error, HXB_UNREADABLE, "%s: name too long", shown);
	snprintf(name, sizeof(name), "%.*s", (int)(path + length - component), component);
	if (strcmp(name, "..") == 0)
		return hxb_fail(error, HXB_UNREADABLE, "%s: '..' is not allowed here", shown);
	next = openat(*dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (next == -1 && errno == ENOTDIR)
		return hxb_fail(error, HXB_UNREADABLE, "%s: a symbolic link or no directory", shown);
	if (next == -1 || fstat(next, &st) == -1) {
		hxb_fail(error, HXB_UNREADABLE, "%s: %m", shown);
		if (next != -1)
			close(next);
		return HXB_UNREADABLE;
	}
	close(*dir);
	*dir = next;
	return judge_directory(policy, &st, shown, error);
}

/* Walks from / to the directory of the last component. *dir is its descriptor (O_PATH), *name points into
 * `path`. */
static enum hxb_result
walk(const struct policy *policy, const char *path, int *dir, const char **name, struct hxb_error *error)
{
	const char *component = path;
	size_t length;
	enum hxb_result r = HXB_OK;

	*dir = -1;
	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return hxb_fail(error, HXB_UNREADABLE, "%s: not an absolute path", path);
	*dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*dir == -1)
		return hxb_fail(error, HXB_UNREADABLE, "/: %m");
	for (;;) {
		component += strspn(component, "/");
		length = strcspn(component, "/");
		if (component[length] == '\0')
			break;
		r = enter(policy, path, (size_t)(component - path) + length, component, dir, error);
		if (r != HXB_OK)
			break;
		component += length;
	}
	if (r != HXB_OK) {
		close(*dir);
		*dir = -1;
	}
	*name = component;
	return r;
}

/* *parent, unless NULL, is of the directory that the file is in. */
static enum hxb_result
open_judged(const struct policy *policy, const char *path, int flags, int *fd, struct stat *st,
    struct stat *parent, struct hxb_error *error)
{
	const char *name;
	enum hxb_result r;
	int dir;

	*fd = -1;
	r = walk(policy, path, &dir, &name, error);
	if (r != HXB_OK)
		return r;
	/* O_NONBLOCK: a FIFO must not make us wait before it is judged. */
	*fd = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (*fd == -1 || fstat(*fd, st) == -1 || (parent != NULL && fstat(dir, parent) == -1))
		r = hxb_fail(error, HXB_UNREADABLE, "%s: %s", path,
		    errno == ELOOP ? "a symbolic link" : strerror(errno));
	else
		r = judge_file(policy, st, path, error);
	close(dir);
	if (r != HXB_OK && *fd != -1) {
		close(*fd);
		*fd = -1;
	}
	return r;
}

enum hxb_result
hxb_trust_open(const char *path, int flags, uid_t owner, int *fd, struct hxb_error *error)
{
	const struct policy policy = { .owner = owner,
		.root_only = true,
		.forbidden = GROUP_OR_OTHERS,
		.file_forbidden = GROUP_OR_OTHERS };
	struct stat st;

	return open_judged(&policy, path, flags, fd, &st, NULL, error);
}

enum hxb_result
hxb_trust_directory(const char *path, uid_t owner, struct hxb_error *error)
{
	const struct policy policy = { .owner = owner, .root_only = true, .forbidden = GROUP_OR_OTHERS };
	const char *name;
	enum hxb_result r;
	int dir;

	r = walk(&policy, path, &dir, &name, error);
	if (r == HXB_OK && *name != '\0')
		r = enter(&policy, path, strlen(path), name, &dir, error);
	if (dir != -1)
		close(dir);
	return r;
}

/* A sticky bit on the directory of the store itself helps nobody: see below. */
static enum hxb_result
judge_parent(
    const struct policy *policy, const struct stat *parent, const char *path, struct hxb_error *error)
{
	struct policy strict = *policy;
	char shown[PATH_MAX];

	strict.sticky_helps = false;
	snprintf(shown, sizeof(shown), "%.*s", (int)(strrchr(path, '/') - path), path);
	return judge_directory(&strict, parent, shown, error);
}

/*
 * Who may make files beside the store can forge its journal, and SQLite obeys a journal with the ids that we
 * act under: so where those are root's, every directory has to be root's alone. Whose ids they will be is
 * looked up first, so that one walk does; what is there in the end has to be what was looked up.
 */
enum hxb_result
hxb_trust_store(const char *path, uid_t owner, struct stat *st, struct hxb_error *error)
{
	struct policy policy = {
		.owner = owner, .forbidden = S_IWOTH, .file_forbidden = S_IWOTH, .sticky_helps = true
	};
	struct stat parent;
	enum hxb_result r;
	bool roots;
	int fd;

	roots = lstat(path, st) == 0 && S_ISREG(st->st_mode) && st->st_uid == 0;
	if (roots) {
		policy.owner = 0;
		policy.forbidden = GROUP_OR_OTHERS;
	}
	r = open_judged(&policy, path, O_PATH, &fd, st, &parent, error);
	if (r != HXB_OK)
		return r;
	close(fd);
	if (roots != (st->st_uid == 0))
		return hxb_fail(error, HXB_UNREADABLE, "%s: replaced while it was looked at", path);
	return judge_parent(&policy, &parent, path, error);
}

/* Whether a directory on the way to the file keeps others out; with group_counts, unless it lets in a group
 * that is another than the file's: to the file those are others. */
static bool
is_shut(const char *path, const struct stat *file, bool group_counts)
{
	char above[PATH_MAX];
	struct stat st;
	char *slash;

	snprintf(above, sizeof(above), "%s", path);
	while ((slash = strrchr(above, '/')) != NULL && slash != above) {
		*slash = '\0';
		if (stat(above, &st) == 0 && (st.st_mode & S_IXOTH) == 0 &&
		    (!group_counts || (st.st_mode & S_IXGRP) == 0 || st.st_gid == file->st_gid ||
		        st.st_gid == 0))
			return true;
	}
	return false;
}

bool
hxb_trust_is_public(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && (st.st_mode & S_IROTH) != 0 && !is_shut(path, &st, false);
}

bool
hxb_trust_is_exposed(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && (st.st_mode & S_IROTH) != 0 && !is_shut(path, &st, true);
}
