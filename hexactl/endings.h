/* SPDX-License-Identifier: ISC */
/*
 * What becomes of the sessions of those whom a command has changed. Commands add whom they changed; when that
 * is published, and no lock is held any more, the sessions are counted or, with --now or after erase, ended.
 */
#ifndef HXB_ENDINGS_H
#define HXB_ENDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "libhexabot/ledger.h"
#include "libhexabot/result.h"
#include "running.h"

struct hxb_json;
struct hxb_session;
struct json_t;

struct hxb_ending_kind {
	bool end; /* end them; else say how many there are */
	bool roles; /* it is about roles, and what runs keeps its groups */
	bool traces; /* say what else of the user's there is */
	bool erased; /* for good: beside the traces only what files still belong to the uid */
	bool remove_home;
};

struct hxb_ending {
	struct hxb_ending_kind kind;
	char *id, *name, *login, *home;
	uid_t uid;
	bool ours; /* the uid is, as the host sees it now */
	bool lingering; /* it is or was */
	struct hxb_running running; /* what was found */
	struct hxb_processes kin; /* see kin.h */
	struct hxb_processes left; /* the user's own that did not end */
	struct hxb_processes kin_left;
	struct hxb_processes opening; /* of those the ones that may yet open a session */
	char **traces; /* NULL: none */
};

struct hxb_endings {
	struct hxb_ending *list;
	size_t count;
	bool failed; /* one could not be added: no memory */
};

/* Does nothing for whom the host has no number. `name` is what the other lines call the user. */
void hxb_ending_add(struct hxb_session *, const struct hxb_entry *entry, const char *name,
    const struct hxb_ending_kind *kind);

/* Gives the publisher's lock back first. SIGHUP and SIGTERM are ignored from then on: the terminal may be the
 * user's. HXB_FAILED: something is left, or not known; the administrator has been told. */
enum hxb_result hxb_endings_run(struct hxb_session *);

/* The array "sessions", if there is anything in it. */
void hxb_endings_json(const struct hxb_session *, struct hxb_json *json, struct json_t *root);

void hxb_endings_clear(struct hxb_endings *);

#endif
