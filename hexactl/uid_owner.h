/* SPDX-License-Identifier: ISC */
/* Whose a uid is, before anything is done to what runs with it. */
#ifndef HXB_UID_OWNER_H
#define HXB_UID_OWNER_H

#include "libhexabot/names.h"
#include "processes.h"
#include "session.h"

/* HXB_OK: the uid is from our range, and neither the host's own files nor another name service have it by
 * another name than `login`. HXB_REFUSED with the reason. */
enum hxb_result hxb_uid_is_ours(const struct hxb_session *, const struct hxb_host_names *host, uid_t uid,
    const char *login, struct hxb_error *error);

/* A number of our range that is nobody's, and no process's: see uid_signal.h. HXB_FAILED: there is none. */
enum hxb_result hxb_uid_spare(struct hxb_session *, const struct hxb_host_names *host,
    const struct hxb_processes *processes, uid_t *spare, struct hxb_error *error);

#endif
