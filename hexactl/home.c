/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fts.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "home.h"

/* Depth first: a directory goes after what is in it. Never follows a link. */
static enum hxb_result
remove_contents(char *path, struct hxb_error *error)
{
	char *const paths[] = { path, NULL };
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	enum hxb_result r = HXB_OK;
	FTSENT *entry;

	if (walk == NULL)
		return hxb_fail(error, HXB_FAILED, "%.256s: %m", path);
	while ((entry = fts_read(walk)) != NULL) {
		int failed = 0;

		if (entry->fts_info == FTS_D || entry->fts_level == FTS_ROOTLEVEL)
			continue;
		if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
			failed = -1;
		else
			failed = entry->fts_info == FTS_DP ? rmdir(entry->fts_accpath)
			                                   : unlink(entry->fts_accpath);
		if (failed == -1 && r == HXB_OK)
			r = hxb_fail(error, HXB_FAILED, "%.384s: %s", entry->fts_path,
			    strerror(entry->fts_errno != 0 ? entry->fts_errno : errno));
	}
	fts_close(walk);
	return r;
}

enum hxb_result
hxb_home_remove(const char *path, uid_t owner, struct hxb_error *error)
{
	char copy[1024];
	struct stat st;
	enum hxb_result r;

	if (lstat(path, &st) == -1)
		return errno == ENOENT ? HXB_OK : hxb_fail(error, HXB_FAILED, "%.256s: %m", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != owner || owner == 0)
		return hxb_fail(
		    error, HXB_FAILED, "%.256s: not removed: no directory of uid %u", path, (unsigned)owner);
	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return hxb_fail(error, HXB_FAILED, "%.256s: not removed: the path is too long", path);
	/* Root's groups could remove more than the owner can. */
	if (setgroups(0, NULL) == -1)
		return hxb_fail(error, HXB_FAILED, "%.256s: not removed: %m", path);
	setfsgid(owner);
	setfsuid(owner);
	if ((uid_t)setfsuid((uid_t)-1) != owner)
		r = hxb_fail(
		    error, HXB_FAILED, "%.256s: not removed: can't act as uid %u", path, (unsigned)owner);
	else
		r = remove_contents(copy, error);
	setfsuid(0);
	setfsgid(0);
	if (r == HXB_OK && rmdir(path) == -1)
		r = hxb_fail(error, HXB_FAILED, "%.256s: %m", path);
	return r;
}
