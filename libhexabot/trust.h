/* SPDX-License-Identifier: ISC */
/*
 * Opens files that root's decisions stand on: configuration, secrets, ledger.
 *
 * Invariants: no symbolic link is followed in any component; what is judged is the descriptor, not the name;
 * regular, one link, owned by `owner`, not writable by group or others; every ancestor directory
 * owned by root or `owner` and not writable by group or others.
 */
#ifndef HXB_TRUST_H
#define HXB_TRUST_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "result.h"

/*
 * Opens absolute `path` with open(2)'s `flags` (O_PATH is allowed: it never drops this process's POSIX locks
 * on the file). *fd is -1 unless HXB_OK. HXB_UNREADABLE names the component and what is wrong with it.
 */
enum hxb_result hxb_trust_open(const char *path, int flags, uid_t owner, int *fd, struct hxb_error *error);

/* The same for a directory that files are to be made in. */
enum hxb_result hxb_trust_directory(const char *path, uid_t owner, struct hxb_error *error);

/*
 * Judges the store: a regular file with one link whose owner is root or `owner`, not writable by others, in
 * directories of root's or `owner`'s where others can't make or rename files. The group may write (Hexabot's
 * deployments do that) unless the store is root's: then every directory has to be root's alone. *st is the
 * file's. HXB_UNREADABLE with a reason otherwise.
 */
enum hxb_result hxb_trust_store(const char *path, uid_t owner, struct stat *st, struct hxb_error *error);

/* Whether everybody on the host can read the file at an absolute path: it and each directory above let them.
 */
bool hxb_trust_is_public(const char *path);

/* Whether anybody can but root, its owner and its group. */
bool hxb_trust_is_exposed(const char *path);

#endif
