/* SPDX-License-Identifier: ISC */
/*
 * A change is told in three places: the ledger's events (within the transaction; the ledger's witness, the
 * journal, hears of them at the commit), the line for the administrator, and the JSON at the end.
 */
#ifndef HXB_CHANGES_H
#define HXB_CHANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "libhexabot/result.h"

struct hxb_session;
struct json_t;

struct hxb_change {
	const char *id; /* of the user; NULL: of the whole host */
	const char *name; /* the login, or the username of somebody who has none */
	const char *action; /* "disable" */
	const char *before; /* "enabled" */
	const char *after; /* "disabled" */
	const char *deed; /* completes "mona: ", "mona: would be ": "disabled" */
	const char *remark; /* for the administrator, behind the deed; NULL: none */
};

struct hxb_outcome {
	char *id, *name, *action, *before, *after;
	bool changed;
};

struct hxb_changes {
	struct hxb_outcome *outcomes;
	size_t count;
	size_t published; /* so many of them: what others change after that is theirs */
	bool failed; /* one could not be kept: no memory */
	struct json_t *invitations; /* with --json: an array that invite and resend add to the output; NULL */
};

/* Writes the event, inside the ledger's transaction. */
enum hxb_result hxb_change_record(struct hxb_session *, const struct hxb_change *, struct hxb_error *error);

/* Tells of a change that was committed (or, with --dry-run, would have been). */
void hxb_change_done(struct hxb_session *, const struct hxb_change *);

/* The same, but for the line: the caller has another one for the administrator. */
void hxb_change_keep(struct hxb_session *, const struct hxb_change *);

/* Tells that there was nothing to change: change->deed completes "mona: ", "already disabled". */
void hxb_change_none(struct hxb_session *, const struct hxb_change *);

/* The ids of the changed users that are yet to be published, NULL-terminated, pointing into the changes. NULL
 * if there is no memory; free() it. */
const char **hxb_changes_ids(const struct hxb_changes *);

/* The JSON of a changing command. */
enum hxb_result hxb_changes_print(struct hxb_session *, struct hxb_error *error);

/* The line of a publish. */
void hxb_report_say(const struct hxb_session *);

void hxb_changes_clear(struct hxb_changes *);

#endif
