/* SPDX-License-Identifier: ISC */
/*
 * The entry points that glibc looks for, and what they share. Each pins the map, looks up, copies into the
 * caller's buffer, unpins. Signatures, status and errno are glibc's (nss.h, "System Databases and Name
 * Service Switch").
 *
 * What must hold: nothing that is handed out points outside the caller's buffer; TRYAGAIN with ERANGE if and
 * only if it does not fit; absent, corrupt or untrusted: UNAVAIL. errno is ENOENT then, because programs take
 * that, and only that, for "no such user", and with a broken map strangers must be no worse off than without
 * one. Only a process that has no descriptor or memory left is told so (EMFILE, ENFILE, ENOMEM): for it the
 * files' users are as unknown as ours, and nobody may take that for an answer.
 */
#ifndef HXB_NSS_HEXABOT_H
#define HXB_NSS_HEXABOT_H

#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <shadow.h>

#include "libhexabot/map.h"

#pragma GCC visibility push(default)
enum nss_status _nss_hexabot_getpwnam_r(const char *, struct passwd *, char *, size_t, int *);
enum nss_status _nss_hexabot_getpwuid_r(uid_t, struct passwd *, char *, size_t, int *);
enum nss_status _nss_hexabot_setpwent(int);
enum nss_status _nss_hexabot_getpwent_r(struct passwd *, char *, size_t, int *);
enum nss_status _nss_hexabot_endpwent(void);

enum nss_status _nss_hexabot_getgrnam_r(const char *, struct group *, char *, size_t, int *);
enum nss_status _nss_hexabot_getgrgid_r(gid_t, struct group *, char *, size_t, int *);
enum nss_status _nss_hexabot_setgrent(int);
enum nss_status _nss_hexabot_getgrent_r(struct group *, char *, size_t, int *);
enum nss_status _nss_hexabot_endgrent(void);
enum nss_status _nss_hexabot_initgroups_dyn(
    const char *, gid_t, long int *, long int *, gid_t **, long int, int *);

enum nss_status _nss_hexabot_getspnam_r(const char *, struct spwd *, char *, size_t, int *);
enum nss_status _nss_hexabot_setspent(int);
enum nss_status _nss_hexabot_getspent_r(struct spwd *, char *, size_t, int *);
enum nss_status _nss_hexabot_endspent(void);
#pragma GCC visibility pop

/* What is left of the caller's buffer. */
struct hxb_nss_buffer {
	char *next;
	size_t left;
};

/* Copies a string of that length. NULL if it does not fit. */
char *hxb_nss_copy(struct hxb_nss_buffer *buffer, const char *text, size_t length);

/* Room for `count` pointers and the NULL behind them, aligned. NULL if it does not fit. */
char **hxb_nss_pointers(struct hxb_nss_buffer *buffer, uint32_t count);

/* Where an enumeration stands: it goes on in the map that it began in. glibc calls one at a time for each
 * database. */
struct hxb_nss_list {
	const struct hxb_map *map;
	uint32_t next;
	bool enumerate; /* the map says that users are to be listed */
};

/* Pins a map if the list has none. FOUND; NOT_FOUND if users are not to be listed; UNAVAILABLE. */
enum hxb_map_status hxb_nss_list_open(struct hxb_nss_list *list);

/* Back to before the first; unpins. */
void hxb_nss_list_close(struct hxb_nss_list *list);

/* Turns the list's next user into `user`, passing over bad records. next++ is the caller's, once it is handed
 * out. */
enum hxb_map_status hxb_nss_list_user(struct hxb_nss_list *list, struct hxb_map_user *user);

/* The one place that turns a lookup's result into glibc's, and into an errno. */
enum nss_status hxb_nss_status(enum hxb_map_status status, int *errnop);

/* UNAVAIL, right after hxb_map_pin() gave NULL. */
enum nss_status hxb_nss_no_map(int *errnop);

enum nss_status hxb_nss_too_small(int *errnop);

#endif
