/* SPDX-License-Identifier: ISC */
/*
 * /proc/locks knows locks by inode; its device is not always the one that stat(2) shows (overlayfs, btrfs).
 * So a process found there counts only if it has that very file open. No file is opened here: closing it
 * would drop our own locks.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "holders.h"

/* As the kernel has it in mind: a user's own file system, or a server that is gone, is not waited for. */
static bool
is_file(int dir, const char *name, const struct stat *wanted)
{
	struct statx st;

	return statx(dir, name, AT_STATX_DONT_SYNC, STATX_INO, &st) == 0 && st.stx_ino == wanted->st_ino &&
	    makedev(st.stx_dev_major, st.stx_dev_minor) == wanted->st_dev;
}

static bool
has_open(int pid, const struct stat *wanted)
{
	const struct dirent *entry;
	bool found = false;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	if ((dir = opendir(path)) == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL)
		found = is_file(dirfd(dir), entry->d_name, wanted);
	closedir(dir);
	return found;
}

static void
describe(int pid, char *holder, size_t size)
{
	char path[64], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if ((file = fopen(path, "re")) != NULL) {
		if (fgets(name, sizeof(name), file) != NULL)
			name[strcspn(name, "\n")] = '\0';
		fclose(file);
	}
	snprintf(holder, size, "%s (process %d)", name[0] != '\0' ? name : "a program", pid);
}

/* The process of one line: "1: POSIX  ADVISORY  WRITE 1234 fd:00:5678 0 EOF". A waiting one has "->" behind
 * its number. */
static bool
parse(char *line, const char *kind, ino_t inode, int *pid)
{
	char *fields[7] = { NULL }, *rest = NULL, *end;
	unsigned long found;
	long number;
	size_t count = 0;

	for (char *field = strtok_r(line, " ", &rest); field != NULL && count < 7;
	     field = strtok_r(NULL, " ", &rest))
		fields[count++] = field;
	if (count < 7 || strcmp(fields[3], kind) != 0 || (end = strrchr(fields[5], ':')) == NULL)
		return false;
	found = strtoul(end + 1, &end, 10);
	if (*end != '\0' || found != inode)
		return false;
	number = strtol(fields[4], &end, 10);
	*pid = (int)number;
	return *end == '\0' && number > 0 && number <= INT32_MAX && *pid != (int)getpid();
}

static bool
holder_of(const char *kind, const struct stat *st, char *holder, size_t size)
{
	FILE *file = fopen("/proc/locks", "re");
	char line[256];
	bool found = false;
	int pid;

	if (file == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), file) != NULL)
		found = parse(line, kind, st->st_ino, &pid) && has_open(pid, st);
	fclose(file);
	if (found)
		describe(pid, holder, size);
	return found;
}

bool
hxb_lock_holder_of(const char *path, enum hxb_lock_kind kind, char *holder, size_t size)
{
	static const char *const companions[] = { "", "-shm", "-wal" };
	bool found = false;
	struct stat st;

	for (size_t i = 0; !found && i < sizeof(companions) / sizeof(companions[0]); i++) {
		char *name;

		if (asprintf(&name, "%s%s", path, companions[i]) == -1)
			return false;
		found = stat(name, &st) == 0 &&
		    holder_of(kind == HXB_LOCK_WRITE ? "WRITE" : "READ", &st, holder, size);
		free(name);
	}
	return found;
}

/* Writers first. */
bool
hxb_lock_holder(const char *path, char *holder, size_t size)
{
	return hxb_lock_holder_of(path, HXB_LOCK_WRITE, holder, size) ||
	    hxb_lock_holder_of(path, HXB_LOCK_READ, holder, size);
}
