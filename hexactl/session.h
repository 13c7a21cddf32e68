/* SPDX-License-Identifier: ISC */
/*
 * What a command works with: configuration, ledger, store, and the changes made so far.
 *
 * Invariants: locks are taken in one order, publisher's lock, ledger, store; a transaction lasts
 * milliseconds, nothing is printed, prompted for or hashed within one; a changing command holds the
 * publisher's lock from its first transaction until it has published; only a hold goes without it rather than
 * wait for whoever has it.
 */
#ifndef HXB_SESSION_H
#define HXB_SESSION_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "actor.h"
#include "changes.h"
#include "endings.h"
#include "libhexabot/config.h"
#include "libhexabot/ledger.h"
#include "libhexabot/publish.h"
#include "libhexabot/result.h"
#include "libhexabot/store.h"
#include "options.h"

struct hxb_session {
	const struct hxb_arguments *arguments;
	struct hxb_config config;
	struct hxb_ledger *ledger;
	struct hxb_store *store;
	struct hxb_actor actor;
	time_t began; /* before the configuration was read */
	long patience; /* milliseconds to wait for the store, or for the publisher */
	struct hxb_changes changes;
	struct hxb_endings endings;
	struct hxb_publish_report report;
	bool published; /* report is set */
	bool keys_failed; /* a file of ssh keys is not as it should be, as has been told */
	int lock; /* -1: not held */
	bool ledger_begun, store_begun;
	unsigned complaints;
	sigset_t signals; /* as they were before the lock was taken */
};

/* Whose word comes first, so that a crash between the two commits leaves the safer half. */
enum hxb_commit_order { HXB_STORE_FIRST, HXB_LEDGER_FIRST };

/* Sets everything to nothing. hxb_session_close() may follow whatever happens next. */
enum hxb_result hxb_session_init(struct hxb_session *, const struct hxb_arguments *, struct hxb_error *error);

/* Reads the configuration. */
enum hxb_result hxb_session_load_config(struct hxb_session *, struct hxb_error *error);

/* The same, opens ledger and store, and checks that the range of uids is still the ledger's. */
enum hxb_result hxb_session_open(struct hxb_session *, struct hxb_error *error);
enum hxb_result hxb_session_check_range(struct hxb_session *, struct hxb_error *error);
void hxb_session_close(struct hxb_session *); /* rolls back what is open */

/*
 * Takes the publisher's lock; needed before the first transaction. Signals that could end hexactl between a
 * commit and its publish wait until it is given back, by unlock or close. Does nothing if it is held.
 */
enum hxb_result hxb_session_lock(struct hxb_session *, struct hxb_error *error);
void hxb_session_unlock(struct hxb_session *); /* once all is published: for what takes its time */

/* Begins a transaction in both, or in the ledger alone and then in the store, too. Whatever follows,
 * hxb_session_rollback() ends what is still open. */
enum hxb_result hxb_session_begin(struct hxb_session *, struct hxb_error *error);
enum hxb_result hxb_session_begin_ledger(struct hxb_session *, struct hxb_error *error);
enum hxb_result hxb_session_begin_store(struct hxb_session *, struct hxb_error *error);

/* Commits what was begun, or one of the two, if it was begun; with --dry-run both are rolled back. */
enum hxb_result hxb_session_commit(struct hxb_session *, enum hxb_commit_order, struct hxb_error *error);
enum hxb_result hxb_session_commit_ledger(struct hxb_session *, struct hxb_error *error);
enum hxb_result hxb_session_commit_store(struct hxb_session *, struct hxb_error *error);
void hxb_session_rollback(struct hxb_session *);

/* Publishes; report and published are set. force: even if most users would be lost. With --dry-run nothing is
 * installed. Tells of files of ssh keys that could not be put right, which is no failure of its own. */
enum hxb_result hxb_session_publish(struct hxb_session *, bool force, struct hxb_error *error);

/* After HXB_BUSY: puts "PATH: busy: PROCESS holds its lock" into `error`. False if no such process is found.
 */
bool hxb_session_name_holder(const struct hxb_session *, struct hxb_error *error);

/* Tells the administrator about a failure: HXB_BUSY with the process that holds the lock. Clears the error.
 */
void hxb_session_complain(struct hxb_session *, enum hxb_result r, struct hxb_error *error);

/*
 * For who was disabled, held or erased, as has been committed: takes the keys from sshd. The publish does so,
 * too; but on the bad night it may be kept waiting for the store. Tells of a failure. entry may be NULL.
 */
void hxb_session_withdraw_keys(struct hxb_session *, const struct hxb_entry *entry);

/* The worse of two results. The enum is in the order of the exit codes, but for a conflict, which is a plain
 * failure. */
enum hxb_result hxb_worse(enum hxb_result a, enum hxb_result b);

#endif
