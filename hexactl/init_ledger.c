/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "init_ledger.h"
#include "journal.h"
#include "libhexabot/map.h"
#include "libhexabot/paths.h"
#include "libhexabot/trust.h"
#include "print.h"

static bool
exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static enum hxb_result
make_directory(const char *path, mode_t mode, bool dry_run, struct hxb_error *error)
{
	struct stat st;
	enum hxb_result r;

	if (dry_run && !exists(path))
		return HXB_OK;
	if (!dry_run && mkdir(path, mode) == -1 && errno != EEXIST)
		return hxb_fail(error, HXB_FAILED, "%s: %m", path);
	r = hxb_trust_directory(path, 0, error);
	if (r != HXB_OK || dry_run)
		return r;
	/* It is root's, and in root's directories: nobody can swap it now. */
	if (lstat(path, &st) == -1 || ((st.st_mode & 07777) != mode && chmod(path, mode) == -1))
		return hxb_fail(error, HXB_FAILED, "%s: %m", path);
	return HXB_OK;
}

enum hxb_result
hxb_init_directories(bool dry_run, struct hxb_error *error)
{
	enum hxb_result r = make_directory(HXB_STATE_DIR, 0755, dry_run, error);

	return r == HXB_OK ? make_directory(HXB_PRIVATE_DIR, 0700, dry_run, error) : r;
}

static enum hxb_result
open_ledger(struct hxb_session *session, struct hxb_error *error)
{
	enum hxb_result r =
	    hxb_ledger_open(HXB_LEDGER_PATH, 0, hxb_deadline_in(HXB_CTL_DEADLINE), &session->ledger, error);

	if (r == HXB_OK)
		hxb_ledger_set_witness(session->ledger, hxb_journal_event, NULL);
	return r;
}

static enum hxb_result
create(struct hxb_session *session, uid_t store_uid, struct hxb_error *error)
{
	const struct hxb_ledger_meta meta = {
		.store_uid = store_uid, .uid_min = session->config.uid_min, .uid_max = session->config.uid_max
	};
	enum hxb_result r;

	if (session->arguments->dry_run)
		return HXB_OK;
	r = hxb_ledger_create(HXB_LEDGER_PATH, &meta, error);
	return r == HXB_OK ? open_ledger(session, error) : r;
}

/* Keeps a broken ledger for whoever wants to look for parked passwords in it. */
static enum hxb_result
move_aside(struct hxb_error *error)
{
	static const char *const companions[] = { "", "-wal", "-shm" };
	time_t now = time(NULL);
	char stamp[32] = "";
	struct tm parts;

	if (gmtime_r(&now, &parts) == NULL || strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &parts) == 0)
		return hxb_fail(error, HXB_FAILED, "the time is not known");
	for (size_t i = 0; i < sizeof(companions) / sizeof(companions[0]); i++) {
		char from[sizeof(HXB_LEDGER_PATH) + 64], to[sizeof(HXB_LEDGER_PATH) + 64];

		/* SQLite's names: the companions go with the new name, so that it still opens. */
		snprintf(from, sizeof(from), HXB_LEDGER_PATH "%s", companions[i]);
		snprintf(to, sizeof(to), HXB_LEDGER_PATH ".broken-%s%s", stamp, companions[i]);
		if (rename(from, to) == -1 && errno != ENOENT)
			return hxb_fail(error, HXB_FAILED, "%s: %m", from);
	}
	hxb_complain(HXB_LEDGER_PATH ": moved aside, to " HXB_LEDGER_PATH ".broken-%s", stamp);
	return HXB_OK;
}

/* Whether an earlier init or rebuild was cut off: the ledger knows of no publish, but there is a map. */
static enum hxb_result
unfinished(struct hxb_session *session, bool *is, struct hxb_error *error)
{
	struct hxb_ledger_meta meta;
	enum hxb_result r = hxb_ledger_meta(session->ledger, &meta, error);

	*is = r == HXB_OK && meta.generation == 0 && exists(HXB_MAP_PATH);
	return r;
}

/* What hxb_ledger_rebuild() asks for. */
static enum hxb_result
check_map(struct hxb_error *error)
{
	const char *why = "";
	struct hxb_map *map = hxb_map_open(HXB_MAP_PATH, 0, &why);
	bool good = map != NULL && hxb_map_verify(map, &why);

	hxb_map_close(map);
	return good ? HXB_OK
	            : hxb_fail(error, HXB_UNREADABLE,
	                  HXB_MAP_PATH ": %s: without a map, names and numbers can't be restored", why);
}

static enum hxb_result
rebuild(struct hxb_session *session, uid_t store_uid, struct hxb_error *error)
{
	const struct hxb_arguments *arguments = session->arguments;
	bool half = false;
	enum hxb_result r = HXB_UNREADABLE;

	if (exists(HXB_LEDGER_PATH)) {
		r = open_ledger(session, error);
		if (r == HXB_BUSY)
			return r;
		if (r == HXB_OK)
			r = unfinished(session, &half, error);
		if (r == HXB_OK && !half && !arguments->force)
			return hxb_fail(error, HXB_REFUSED,
			    HXB_LEDGER_PATH
			    ": is there and in order; --force rebuilds it all the same, which loses holds "
			    "with the passwords they parked, invitations, ssh keys, expiry dates and events");
		hxb_ledger_close(session->ledger);
		session->ledger = NULL;
		r = arguments->dry_run ? HXB_OK : move_aside(error);
		if (r != HXB_OK)
			return r;
	}
	if (arguments->dry_run)
		return check_map(error);
	r = create(session, store_uid, error);
	if (r == HXB_OK)
		r = hxb_ledger_rebuild(
		    &session->config, &hxb_host_places, session->ledger, session->store, error);
	return r;
}

/* The store's owner is who may write to it: a change of that is the administrator's to approve. */
static enum hxb_result
check_owner(struct hxb_session *session, uid_t store_uid, bool *changed, struct hxb_error *error)
{
	struct hxb_ledger_meta meta;
	enum hxb_result r = hxb_ledger_meta(session->ledger, &meta, error);

	if (r != HXB_OK || meta.store_uid == store_uid)
		return r;
	if (!session->arguments->force)
		return hxb_fail(error, HXB_REFUSED,
		    "%s: belongs to uid %u, and belonged to uid %u at init; --force accepts the new owner",
		    session->config.store, (unsigned)store_uid, (unsigned)meta.store_uid);
	*changed = true;
	if (session->arguments->dry_run)
		return HXB_OK;
	meta.store_uid = store_uid;
	return hxb_ledger_set_meta(session->ledger, &meta, error);
}

static enum hxb_result
keep(struct hxb_session *session, uid_t store_uid, bool *changed, struct hxb_error *error)
{
	bool half = false;
	enum hxb_result r = open_ledger(session, error);

	if (r == HXB_UNREADABLE) {
		hxb_complain("%s", error->text);
		return hxb_fail(
		    error, r, HXB_LEDGER_PATH ": can't be used; --rebuild-ledger makes it anew from the map");
	}
	if (r == HXB_OK)
		r = unfinished(session, &half, error);
	if (r == HXB_OK && half && !session->arguments->force)
		r = hxb_fail(error, HXB_REFUSED,
		    HXB_LEDGER_PATH ": is empty beside a map that is not: --rebuild-ledger takes names and "
		                    "uids from the map, "
		                    "--force gives them anew");
	if (r == HXB_OK)
		r = hxb_session_check_range(session, error);
	return r == HXB_OK ? check_owner(session, store_uid, changed, error) : r;
}

enum hxb_result
hxb_init_ledger(
    struct hxb_session *session, uid_t store_uid, bool rebuilds, bool *changed, struct hxb_error *error)
{
	*changed = rebuilds;
	if (rebuilds)
		return rebuild(session, store_uid, error);
	if (exists(HXB_LEDGER_PATH))
		return keep(session, store_uid, changed, error);
	if (exists(HXB_MAP_PATH) && !session->arguments->force)
		return hxb_fail(error, HXB_REFUSED,
		    HXB_LEDGER_PATH ": is gone, and its map is still there: --rebuild-ledger takes names and "
		                    "uids from the map, "
		                    "--force gives them anew");
	*changed = true;
	return create(session, store_uid, error);
}
