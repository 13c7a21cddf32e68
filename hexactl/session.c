/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "holders.h"
#include "journal.h"
#include "libhexabot/key_files.h"
#include "libhexabot/map.h"
#include "libhexabot/paths.h"
#include "print.h"
#include "session.h"

enum hxb_result
hxb_session_init(struct hxb_session *session, const struct hxb_arguments *arguments, struct hxb_error *error)
{
	*session = (struct hxb_session){
		.arguments = arguments, .began = time(NULL), .patience = HXB_CTL_DEADLINE, .lock = -1
	};
	hxb_actor_find(&session->actor);
	return hxb_config_init(&session->config, error);
}

enum hxb_result
hxb_session_load_config(struct hxb_session *session, struct hxb_error *error)
{
	const char *path = session->arguments->config;
	char *resolved;
	enum hxb_result r;

	/* The library wants an absolute path without symbolic links; people may type another. */
	if ((resolved = realpath(path, NULL)) == NULL && errno == ENOENT)
		return hxb_fail(error, HXB_UNREADABLE,
		    "%s: not there; run 'hexactl init --store FILE' first, with Hexabot's database", path);
	if (resolved == NULL)
		return hxb_fail(error, HXB_UNREADABLE, "%s: %m", path);
	r = hxb_config_load(&session->config, resolved, 0, error);
	free(resolved);
	return r;
}

enum hxb_result
hxb_session_check_range(struct hxb_session *session, struct hxb_error *error)
{
	struct hxb_ledger_meta meta;
	enum hxb_result r = hxb_ledger_meta(session->ledger, &meta, error);

	if (r != HXB_OK)
		return r;
	if (meta.uid_min != session->config.uid_min || meta.uid_max != session->config.uid_max)
		return hxb_fail(error, HXB_UNREADABLE,
		    "uid_min, uid_max: the ledger was made with %u to %u, and files on this host belong to "
		    "those uids: "
		    "set them back in %s",
		    meta.uid_min, meta.uid_max, session->arguments->config);
	return HXB_OK;
}

static enum hxb_result
open_store(struct hxb_session *session, struct hxb_error *error)
{
	struct hxb_ledger_meta meta;
	enum hxb_result r = hxb_ledger_meta(session->ledger, &meta, error);

	if (r != HXB_OK)
		return r;
	return hxb_store_open(session->config.store, meta.store_uid, hxb_deadline_in(session->patience),
	    &session->store, error);
}

enum hxb_result
hxb_session_open(struct hxb_session *session, struct hxb_error *error)
{
	enum hxb_result r;

	r = hxb_session_load_config(session, error);
	if (r != HXB_OK)
		return r;
	if (faccessat(AT_FDCWD, HXB_LEDGER_PATH, F_OK, AT_EACCESS) == -1 && errno == ENOENT)
		return hxb_fail(error, HXB_UNREADABLE, "%s: not there: run 'hexactl init --store %s'%s",
		    HXB_LEDGER_PATH, session->config.store,
		    faccessat(AT_FDCWD, HXB_MAP_PATH, F_OK, AT_EACCESS) == 0
		        ? ", with --rebuild-ledger to keep names and uids"
		        : "");
	r = hxb_ledger_open(HXB_LEDGER_PATH, 0, hxb_deadline_in(HXB_CTL_DEADLINE), &session->ledger, error);
	if (r != HXB_OK)
		return r;
	hxb_ledger_set_witness(session->ledger, hxb_journal_event, NULL);
	r = hxb_session_check_range(session, error);
	return r == HXB_OK ? open_store(session, error) : r;
}

void
hxb_session_close(struct hxb_session *session)
{
	hxb_session_rollback(session);
	hxb_store_close(session->store);
	hxb_ledger_checkpoint(session->ledger);
	hxb_ledger_close(session->ledger);
	hxb_changes_clear(&session->changes);
	hxb_endings_clear(&session->endings);
	hxb_config_free(&session->config);
	hxb_session_unlock(session);
	*session = (struct hxb_session){ .lock = -1 };
}

enum hxb_result
hxb_session_lock(struct hxb_session *session, struct hxb_error *error)
{
	static const int waiting[] = { SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGTTOU };
	enum hxb_result r;
	sigset_t set;

	if (session->lock != -1)
		return HXB_OK;
	r = hxb_publish_lock(HXB_LOCK_PATH, hxb_deadline_in(session->patience), &session->lock, error);
	if (r != HXB_OK)
		return r;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(waiting) / sizeof(waiting[0]); i++)
		sigaddset(&set, waiting[i]);
	sigprocmask(SIG_BLOCK, &set, &session->signals);
	return HXB_OK;
}

void
hxb_session_unlock(struct hxb_session *session)
{
	if (session->lock == -1)
		return;
	close(session->lock);
	session->lock = -1;
	sigprocmask(SIG_SETMASK, &session->signals, NULL);
}

/* Each transaction has its time: twenty users are not to share one deadline. */
static void
renew_deadlines(struct hxb_session *session)
{
	hxb_ledger_set_deadline(session->ledger, hxb_deadline_in(HXB_CTL_DEADLINE));
	if (session->store != NULL)
		hxb_store_set_deadline(session->store, hxb_deadline_in(session->patience));
}

enum hxb_result
hxb_session_begin_ledger(struct hxb_session *session, struct hxb_error *error)
{
	enum hxb_result r;

	renew_deadlines(session);
	r = hxb_ledger_begin(session->ledger, error);
	session->ledger_begun = r == HXB_OK;
	return r;
}

enum hxb_result
hxb_session_begin_store(struct hxb_session *session, struct hxb_error *error)
{
	enum hxb_result r = hxb_store_begin(session->store, error);

	session->store_begun = r == HXB_OK;
	return r;
}

enum hxb_result
hxb_session_begin(struct hxb_session *session, struct hxb_error *error)
{
	enum hxb_result r = hxb_session_begin_ledger(session, error);

	return r == HXB_OK ? hxb_session_begin_store(session, error) : r;
}

enum hxb_result
hxb_session_commit_ledger(struct hxb_session *session, struct hxb_error *error)
{
	if (session->arguments->dry_run)
		hxb_session_rollback(session);
	if (!session->ledger_begun)
		return HXB_OK;
	session->ledger_begun = false;
	return hxb_ledger_commit(session->ledger, error);
}

enum hxb_result
hxb_session_commit_store(struct hxb_session *session, struct hxb_error *error)
{
	if (session->arguments->dry_run)
		hxb_session_rollback(session);
	if (!session->store_begun)
		return HXB_OK;
	session->store_begun = false;
	return hxb_store_commit(session->store, error);
}

enum hxb_result
hxb_session_commit(struct hxb_session *session, enum hxb_commit_order order, struct hxb_error *error)
{
	bool store_first = order == HXB_STORE_FIRST;
	enum hxb_result r = HXB_OK;

	/* A full disk is to be found before the row is changed. */
	if (store_first && session->ledger_begun && !session->arguments->dry_run)
		r = hxb_ledger_reserve(session->ledger, error);
	if (r == HXB_OK)
		r = store_first ? hxb_session_commit_store(session, error)
		                : hxb_session_commit_ledger(session, error);
	if (r != HXB_OK) {
		hxb_session_rollback(session);
		return r;
	}
	r = store_first ? hxb_session_commit_ledger(session, error)
	                : hxb_session_commit_store(session, error);
	if (r == HXB_OK)
		return HXB_OK;
	hxb_session_rollback(session);
	return hxb_fail_more(error, r,
	    store_first ? "Hexabot's row is changed: run this again, for the ledger"
	                : "the ledger is changed: run this again, for Hexabot's row");
}

void
hxb_session_rollback(struct hxb_session *session)
{
	if (session->store_begun)
		hxb_store_rollback(session->store);
	if (session->ledger_begun)
		hxb_ledger_rollback(session->ledger);
	session->store_begun = false;
	session->ledger_begun = false;
}

static void
complain_of_keys(struct hxb_session *session, const struct hxb_error *why)
{
	hxb_complain("%s; 'hexactl publish' or, in a minute, 'hexactl watch' tries again", why->text);
	session->keys_failed = true;
}

enum hxb_result
hxb_session_publish(struct hxb_session *session, bool force, struct hxb_error *error)
{
	const struct hxb_arguments *arguments = session->arguments;
	const char **ids = hxb_changes_ids(&session->changes);
	const struct hxb_publish_options options = {
		.force = force,
		.dry_run = arguments->dry_run,
		.own_ids = ids,
		.as_of = session->began,
	};
	enum hxb_result r = HXB_OK;

	if (ids == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	if (session->store == NULL) /* a hold goes without */
		r = open_store(session, error);
	if (r != HXB_OK)
		goto out;
	renew_deadlines(session);
	r = hxb_publish(&session->config, &hxb_host_places, session->ledger, session->store, &options,
	    &session->report, error);
	session->published = r == HXB_OK;
	if (r == HXB_OK && !arguments->dry_run)
		session->changes.published = session->changes.count;
	if (r == HXB_OK && session->report.keys.text[0] != '\0')
		complain_of_keys(session, &session->report.keys);
out:
	free(ids);
	return r;
}

bool
hxb_session_name_holder(const struct hxb_session *session, struct hxb_error *error)
{
	const char *const paths[] = { session->config.store, HXB_LEDGER_PATH, HXB_LOCK_PATH };
	char holder[64];

	if (strstr(error->text, "holds a lease on it") != NULL) /* no lock is in the way, whoever holds one */
		return false;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (paths[i] == NULL || paths[i][0] == '\0' ||
		    !hxb_lock_holder(paths[i], holder, sizeof(holder)))
			continue;
		hxb_fail(error, HXB_BUSY, "%s: busy: %s holds its lock", paths[i], holder);
		return true;
	}
	return false;
}

void
hxb_session_complain(struct hxb_session *session, enum hxb_result r, struct hxb_error *error)
{
	bool named;

	/* Told already, user by user. */
	if (error->text[0] == '\0' && session->complaints > 0)
		return;
	named = r == HXB_BUSY && hxb_session_name_holder(session, error);
	hxb_complain("%s%s", error->text[0] != '\0' ? error->text : hxb_result_text(r),
	    named ? "; try again when it is done" : "");
	session->complaints++;
	error->text[0] = '\0';
}

void
hxb_session_withdraw_keys(struct hxb_session *session, const struct hxb_entry *entry)
{
	struct hxb_error error;

	if (session->arguments->dry_run || entry == NULL || entry->login[0] == '\0' || entry->number == 0)
		return;
	if (hxb_key_files_withdraw(hxb_host_places.state_dir, entry->login, &error) != HXB_OK)
		complain_of_keys(session, &error);
}

enum hxb_result
hxb_worse(enum hxb_result a, enum hxb_result b)
{
	a = a == HXB_CONFLICT ? HXB_FAILED : a;
	b = b == HXB_CONFLICT ? HXB_FAILED : b;
	return a > b ? a : b;
}
