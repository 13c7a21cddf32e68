/* SPDX-License-Identifier: ISC */
/* Hexabot's database and our ledger: whether they can be read, whose they are, and who is in the way. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "doctor.h"
#include "holders.h"
#include "libhexabot/paths.h"
#include "libhexabot/trust.h"

#define LOOKS 10 /* how often a lock is looked at, and how far apart */
#define LOOK_PAUSE 50 /* milliseconds: Hexabot's own locks last a few */

static void
look_at_store(struct hxb_doctor *doctor)
{
	const struct hxb_session *session = doctor->session;

	if (hxb_lacks_config(doctor))
		return;
	if (session->store != NULL)
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "%s", session->config.store);
	else if (doctor->store_result == HXB_BUSY)
		hxb_found_error(doctor, HXB_HEALTH_FAIL, &doctor->no_store,
		    "end what holds it: Hexabot's users are refused as long as it does, and Hexabot dies of "
		    "it");
	else
		hxb_found_error(doctor, HXB_HEALTH_FAIL, &doctor->no_store,
		    "put Hexabot's database back, or 'hexactl init --force --store FILE' with where it is "
		    "now");
}

/* hxb_store_open() lets root own it, too, as after a cp(1); Hexabot then can't write it. */
static void
look_at_owner(struct hxb_doctor *doctor)
{
	const char *store = doctor->session->config.store;
	uid_t recorded = doctor->meta.store_uid;
	char remedy[256];
	struct stat st;

	if (hxb_lacks_config(doctor) || hxb_lacks_ledger(doctor))
		return;
	if (lstat(store, &st) == -1) {
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, "no store");
		return;
	}
	snprintf(remedy, sizeof(remedy),
	    "chown %u it, or if Hexabot runs as another user now: 'hexactl init --force --store FILE'",
	    (unsigned)recorded);
	if (st.st_uid == recorded)
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "%s: uid %u, as at init", store, (unsigned)recorded);
	else
		hxb_found(doctor, st.st_uid == 0 ? HXB_HEALTH_WARN : HXB_HEALTH_FAIL, remedy,
		    "%s: belongs to uid %u, and belonged to uid %u at init", store, (unsigned)st.st_uid,
		    (unsigned)recorded);
}

static void
look_at_readers(struct hxb_doctor *doctor)
{
	static const char *const suffixes[] = { "", "-wal", "-journal" };
	char path[4096 + 16];
	struct stat st;
	unsigned found = 0, there = 0;

	if (hxb_lacks_config(doctor))
		return;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", doctor->session->config.store, suffixes[i]);
		if (lstat(path, &st) == -1)
			continue;
		there++;
		if (!hxb_trust_is_exposed(path))
			continue;
		found++;
		hxb_found(doctor, HXB_HEALTH_WARN, "chmod o-r it",
		    "%s: everybody on this host can read the password hashes in it", path);
	}
	if (there == 0)
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, "no store");
	else if (found == 0)
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "not readable by others");
}

static void
look_at_journal(struct hxb_doctor *doctor)
{
	struct hxb_error error = { "" };
	bool log;

	if (hxb_lacks_store(doctor))
		return;
	hxb_store_set_deadline(doctor->session->store, hxb_deadline_in(HXB_DOCTOR_PATIENCE));
	if (hxb_store_has_log(doctor->session->store, &log, &error) != HXB_OK)
		hxb_found_error(doctor, HXB_HEALTH_FAIL, &error, "try again");
	else
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "%s",
		    log ? "a write-ahead log (WAL)" : "rollback journals (Hexabot's default)");
}

/* Whether one process holds the file's lock each time that it is looked at. *now: of the last look. */
static bool
is_held_on(const char *path, enum hxb_lock_kind kind, char now[64])
{
	const struct timespec pause = { .tv_nsec = LOOK_PAUSE * 1000000L };
	char first[64];

	if (!hxb_lock_holder_of(path, kind, first, sizeof(first)))
		return false;
	for (int i = 1; i < LOOKS; i++) {
		(void)nanosleep(&pause, NULL);
		if (!hxb_lock_holder_of(path, kind, now, 64) || strcmp(first, now) != 0)
			return false;
	}
	return true;
}

/* With rollback journals whoever reads keeps Hexabot from writing; with a log whoever has it open holds a
 * lock to read. */
static void
look_at_locks(struct hxb_doctor *doctor)
{
	const struct hxb_session *session = doctor->session;
	struct hxb_error error = { "" };
	char holder[64];
	bool log = false;

	if (hxb_lacks_config(doctor))
		return;
	if (session->store != NULL && hxb_store_has_log(session->store, &log, &error) != HXB_OK)
		log = false;
	if (is_held_on(session->config.store, HXB_LOCK_WRITE, holder) ||
	    (!log && is_held_on(session->config.store, HXB_LOCK_READ, holder)))
		hxb_found(doctor, HXB_HEALTH_WARN,
		    "end it, or let it commit: Hexabot dies of a lock of ten seconds",
		    "%s: %s goes on holding a lock", session->config.store, holder);
	else if (is_held_on(HXB_LEDGER_PATH, HXB_LOCK_WRITE, holder))
		hxb_found(doctor, HXB_HEALTH_WARN, "wait for it, or end it",
		    HXB_LEDGER_PATH ": %s goes on holding a lock", holder);
	else
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "nobody keeps others from the store");
}

static void
look_at_ledger(struct hxb_doctor *doctor)
{
	struct hxb_error error = { "" };
	enum hxb_result r;

	if (!doctor->has_meta) {
		hxb_found_error(doctor, HXB_HEALTH_FAIL, &doctor->no_ledger,
		    doctor->map != NULL ? "'hexactl init --rebuild-ledger --store FILE' keeps names and uids"
		                        : "run 'hexactl init --store FILE'");
		return;
	}
	hxb_ledger_set_deadline(doctor->session->ledger, hxb_deadline_in(HXB_DOCTOR_TIME));
	r = hxb_ledger_verify(doctor->session->ledger, &error);
	if (r == HXB_OK)
		hxb_found(doctor, HXB_HEALTH_OK, NULL, HXB_LEDGER_PATH ": read as a whole");
	else if (r == HXB_BUSY)
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, HXB_LEDGER_PATH ": too much to read in %d seconds",
		    HXB_DOCTOR_TIME / 1000);
	else
		hxb_found_error(doctor, HXB_HEALTH_FAIL, &error,
		    "'hexactl init --rebuild-ledger --force --store FILE' makes it anew from the map");
}

const struct hxb_check hxb_checks_store[] = {
	{ "store", look_at_store },
	{ "store-owner", look_at_owner },
	{ "store-readable", look_at_readers },
	{ "store-journal", look_at_journal },
	{ "locks", look_at_locks },
	{ "ledger", look_at_ledger },
	{ NULL, NULL },
};
