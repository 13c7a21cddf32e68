/* SPDX-License-Identifier: ISC */
/*
 * The files that sshd reads keys from, one a login, by "AuthorizedKeysFile .../keys/%u". sshd opens them with
 * the user's own rights, and asks that they and all directories above are root's and nobody else's to write.
 *
 * Invariants: a file is root's, mode 0640, of the group that has the user's own number, so that nobody else
 * reads who comes from where, and a local user who takes the login finds nothing that opens for them. It is
 * whole and on disk before it gets its name. The directory can't be listed by others. No link is followed.
 */
#ifndef HXB_KEY_FILES_H
#define HXB_KEY_FILES_H

#include <stdbool.h>
#include <sys/types.h>

#include "paths.h"
#include "result.h"

#define HXB_KEY_FILES_NAME "keys" /* in the state directory */
#define HXB_KEY_FILES_DIR HXB_STATE_DIR "/" HXB_KEY_FILES_NAME
#define HXB_KEY_FILES_SETTING HXB_KEY_FILES_DIR "/%u" /* sshd's word for them */

struct hxb_key_files {
	const char *state_dir;
	int directory;
	bool changed; /* since it was made durable */
};

/*
 * Opens the directory of keys, and puts its owner and mode right. HXB_NOT_FOUND: there is none, and make is
 * false. state_dir has to outlive it. hxb_key_files_close() may follow whatever this returns.
 */
enum hxb_result hxb_key_files_open(
    struct hxb_key_files *, const char *state_dir, bool make, struct hxb_error *error);

/* Takes one away; HXB_OK where there is none. */
enum hxb_result hxb_key_files_remove(struct hxb_key_files *, const char *login, struct hxb_error *error);

/*
 * Takes away whatever has a login's name and none of these (sorted as strcmp(3) does), be it a link or a
 * pipe, and what writers that were cut off left behind. Directories, and what has no login's name, stay.
 * Goes on after a failure.
 */
enum hxb_result hxb_key_files_keep_only(
    struct hxb_key_files *, const char *const *logins, size_t count, struct hxb_error *error);

/* Makes one say `text`. Does nothing if it does already, with owner, group and mode. */
enum hxb_result hxb_key_files_write(
    struct hxb_key_files *, const char *login, gid_t gid, const char *text, struct hxb_error *error);

bool hxb_key_files_has(const struct hxb_key_files *, const char *login);

/* Makes the changes durable, and closes. */
enum hxb_result hxb_key_files_close(struct hxb_key_files *, struct hxb_error *error);

/* All in one: takes a login's file away, for good. HXB_OK where there is none. */
enum hxb_result hxb_key_files_withdraw(const char *state_dir, const char *login, struct hxb_error *error);

/* What a login's file says. NULL: there is none that can be read. The caller frees. */
char *hxb_key_files_read(const char *state_dir, const char *login);

#endif
