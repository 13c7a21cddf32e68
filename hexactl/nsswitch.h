/* SPDX-License-Identifier: ISC */
/* The order in which the name service asks: /etc/nsswitch.conf as glibc reads it. */
#ifndef HXB_NSSWITCH_H
#define HXB_NSSWITCH_H

#include <stdbool.h>
#include <stddef.h>

#include "libhexabot/result.h"

#define HXB_NSSWITCH_PATH "/etc/nsswitch.conf"

enum hxb_nss_status {
	HXB_NSS_SUCCESS,
	HXB_NSS_NOTFOUND,
	HXB_NSS_UNAVAIL,
	HXB_NSS_TRYAGAIN,
	HXB_NSS_STATUSES
};
enum hxb_nss_action { HXB_NSS_CONTINUE, HXB_NSS_RETURN, HXB_NSS_MERGE };

struct hxb_nss_service {
	char *name; /* "files", "hexabot" ... */
	enum hxb_nss_action actions[HXB_NSS_STATUSES]; /* what follows its answer */
};

struct hxb_nss_search {
	struct hxb_nss_service *services; /* in the order of the file */
	size_t count; /* 0: the line names none */
	unsigned line; /* of the file; 0: it has none for the database, and glibc's default counts: "files" */
};

/*
 * Reads what the file says of a database: "passwd", "group", "shadow"; "initgroups" is the group's where it
 * has no line of its own, and then goes on after each answer. The last line of a database counts. A missing
 * file is one without lines. HXB_UNREADABLE with file, line and reason; HXB_FAILED: no memory. Whatever it
 * returns, hxb_nsswitch_clear() may follow.
 */
enum hxb_result hxb_nsswitch_read(
    const char *path, const char *database, struct hxb_nss_search *search, struct hxb_error *error);
void hxb_nsswitch_clear(struct hxb_nss_search *);

/* Where the service stands, from 0: the first time that it is named. -1: it is not. */
int hxb_nsswitch_position(const struct hxb_nss_search *, const char *service);

/*
 * The first service before this one that ends the search for somebody whom it does not know (NOTFOUND=return)
 * or, with `broken`, when it does not answer (UNAVAIL or TRYAGAIN=return). -1: none does, or `service` is not
 * named.
 */
int hxb_nsswitch_blocker(const struct hxb_nss_search *, const char *service, bool broken);

#define HXB_NSS_REMEDY_SIZE 320

/*
 * The same for somebody whom it does know (SUCCESS=return, the default). As it should be, but for initgroups:
 * who is in a group of /etc/group has no others then.
 */
int hxb_nsswitch_sated(const struct hxb_nss_search *, const char *service);

/*
 * What to do about the line of a database: let it read with hexabot, behind "files" unless it is named, and
 * nobody before it who ends the search; all others as they are.
 */
void hxb_nsswitch_remedy(const struct hxb_nss_search *, const char *database, char text[HXB_NSS_REMEDY_SIZE]);

#endif
