/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "roles.h"
#include "traces.h"

#define AT_JOBS "/var/spool/cron/atjobs"

static enum hxb_result
add(char ***paths, const char *before, const char *name, struct hxb_error *error)
{
	struct stat st;
	char *path;
	enum hxb_result r = HXB_OK;

	if (asprintf(&path, "%s%s", before, name) == -1)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	if (lstat(path, &st) == 0)
		r = hxb_role_ids_add(paths, path, error);
	free(path);
	return r;
}

/* at(1) gives them numbers: they are told by their owner. */
static enum hxb_result
add_jobs(char ***paths, uid_t uid, struct hxb_error *error)
{
	DIR *jobs = opendir(AT_JOBS);
	const struct dirent *entry;
	enum hxb_result r = HXB_OK;
	struct stat st;

	while (r == HXB_OK && jobs != NULL && (entry = readdir(jobs)) != NULL)
		if (fstatat(dirfd(jobs), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_uid == uid)
			r = add(paths, AT_JOBS "/", entry->d_name, error);
	if (jobs != NULL)
		closedir(jobs);
	return r;
}

enum hxb_result
hxb_traces_find(const char *login, const char *home, uid_t uid, char ***pathsp, struct hxb_error *error)
{
	static const char *const spools[] = { "/var/spool/cron/crontabs/", "/var/mail/" };
	char **paths = NULL;
	enum hxb_result r;

	*pathsp = NULL;
	r = add(&paths, home, "", error);
	if (r == HXB_OK)
		r = add(&paths, home, "/.ssh/authorized_keys", error);
	for (size_t i = 0; r == HXB_OK && i < sizeof(spools) / sizeof(spools[0]); i++)
		r = add(&paths, spools[i], login, error);
	if (r == HXB_OK)
		r = add_jobs(&paths, uid, error);
	if (r == HXB_OK)
		*pathsp = paths;
	else
		hxb_traces_free(paths);
	return r;
}

void
hxb_traces_free(char **paths)
{
	hxb_role_ids_free(paths);
}
