/* SPDX-License-Identifier: ISC */
/* The map: whether it is whole, everybody's to read, and shows what ledger, store and configuration have. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "doctor.h"
#include "outdated.h"
#include "times.h"

#define PUBLISH "run 'hexactl publish'"
#define TRIES 10 /* somebody may be publishing just now */
#define TRY_PAUSE 250 /* milliseconds; `watch` looks as often */

static void
wait_a_moment(void)
{
	const struct timespec pause = { .tv_nsec = TRY_PAUSE * 1000000L };

	(void)nanosleep(&pause, NULL);
}

static void
reopen(struct hxb_doctor *doctor)
{
	hxb_map_close(doctor->map);
	doctor->map = hxb_map_open(HXB_MAP_PATH, 0, &doctor->no_map);
	doctor->map_errno = doctor->map == NULL ? errno : 0;
}

static void
look_at_map(struct hxb_doctor *doctor)
{
	struct hxb_map_info info;
	const char *why = "";
	struct stat st;

	if (doctor->map == NULL) {
		hxb_found(doctor, HXB_HEALTH_FAIL, PUBLISH,
		    HXB_MAP_PATH ": %s: the host knows none of Hexabot's users",
		    doctor->map_errno == ENOENT  ? "not there"
		        : doctor->no_map != NULL ? doctor->no_map
		                                 : strerror(doctor->map_errno));
		return;
	}
	hxb_map_info(doctor->map, &info);
	if (!hxb_map_verify(doctor->map, &why))
		hxb_found(doctor, HXB_HEALTH_FAIL, PUBLISH, HXB_MAP_PATH ": damaged: %s", why);
	else if (stat(HXB_MAP_PATH, &st) == -1 || (st.st_mode & 0444) != 0444)
		hxb_found(doctor, HXB_HEALTH_FAIL, "chmod 0444 " HXB_MAP_PATH,
		    HXB_MAP_PATH ": not everybody may read it: only root knows Hexabot's users");
	else
		hxb_found(doctor, HXB_HEALTH_OK, NULL,
		    HXB_MAP_PATH ": read as a whole: %" PRIu32 " users, %" PRIu32 " roles", info.user_count,
		    info.role_count);
}

/* The ledger's number comes first in a publish, and then the map. */
static void
look_at_generation(struct hxb_doctor *doctor)
{
	struct hxb_map_info info = { .generation = 0 };
	struct hxb_error error = { "" };
	uint64_t recorded = 0;

	if (hxb_lacks_ledger(doctor) || hxb_lacks_map(doctor))
		return;
	for (int i = 0; i < TRIES && doctor->map != NULL; i++) {
		hxb_map_info(doctor->map, &info);
		if (hxb_ledger_meta(doctor->session->ledger, &doctor->meta, &error) != HXB_OK) {
			hxb_found_error(doctor, HXB_HEALTH_FAIL, &error, "try again");
			return;
		}
		recorded = doctor->meta.generation;
		if (recorded == info.generation)
			break;
		wait_a_moment();
		reopen(doctor);
	}
	if (recorded == info.generation)
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "map and ledger are of publish %" PRIu64, recorded);
	else if (recorded > info.generation)
		hxb_found(doctor, HXB_HEALTH_FAIL, PUBLISH,
		    "the map is of publish %" PRIu64 ", the ledger knows of %" PRIu64
		    ": a publish was cut off, or an old map was put back",
		    info.generation, recorded);
	else
		hxb_found(doctor, HXB_HEALTH_FAIL,
		    "'hexactl init --rebuild-ledger --force --store FILE' takes names and uids from the map",
		    "the map is of publish %" PRIu64 ", the ledger knows of %" PRIu64
		    ": an old ledger was put back, and may give uids a second time",
		    info.generation, recorded);
}

struct comparison {
	const struct hxb_map *map;
	uint32_t found; /* users of the map that the ledger has, too */
	char other[64]; /* somebody of whom the two differ */
};

static enum hxb_result
compare(const struct hxb_entry *entry, void *context, struct hxb_error *error)
{
	struct comparison *comparison = context;
	struct hxb_map_user user;

	(void)error;
	if (entry->kind != HXB_ENTRY_USER || entry->login[0] == '\0' ||
	    hxb_map_user_by_login(comparison->map, entry->login, &user) != HXB_MAP_FOUND)
		return HXB_OK;
	if (user.uid == entry->number && user.id_digest == hxb_id_digest(entry->id))
		comparison->found++;
	else
		snprintf(comparison->other, sizeof(comparison->other), "%s", entry->login);
	return HXB_OK;
}

static void
look_at_names(struct hxb_doctor *doctor)
{
	struct comparison comparison = { .map = NULL };
	struct hxb_map_info info = { .user_count = 0 };
	struct hxb_error error = { "" };
	enum hxb_result r = HXB_OK;

	if (hxb_lacks_ledger(doctor) || hxb_lacks_map(doctor))
		return;
	for (int i = 0; i < TRIES && doctor->map != NULL; i++) {
		comparison = (struct comparison){ .map = doctor->map };
		hxb_map_info(doctor->map, &info);
		hxb_ledger_set_deadline(doctor->session->ledger, hxb_deadline_in(HXB_DOCTOR_TIME));
		r = hxb_ledger_entries(doctor->session->ledger, compare, &comparison, &error);
		if (r != HXB_OK || comparison.found == info.user_count || doctor->watched == 0)
			break;
		wait_a_moment();
		reopen(doctor);
	}
	if (r != HXB_OK)
		hxb_found_error(doctor, HXB_HEALTH_FAIL, &error, "try again");
	else if (comparison.found == info.user_count)
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "every login and uid of the map is the ledger's");
	else
		hxb_found(doctor, HXB_HEALTH_FAIL, PUBLISH,
		    "%" PRIu32 " of the map's %" PRIu32 " users are not the ledger's%s%s: they are refused",
		    info.user_count - comparison.found, info.user_count,
		    comparison.other[0] != '\0' ? ", such as " : "", comparison.other);
}

/* `watch` gets the time to publish it by itself. */
static void
look_at_freshness(struct hxb_doctor *doctor)
{
	struct hxb_seen seen = { .settled = false };
	struct hxb_error error = { "" };
	char when[HXB_TIME_SIZE];
	struct hxb_map_info info;
	bool outdated = true;
	enum hxb_result r = HXB_OK;

	if (hxb_lacks_store(doctor) || hxb_lacks_map(doctor))
		return;
	for (int i = 0; i < (doctor->watched != 0 ? TRIES : 1) && r == HXB_OK && outdated; i++) {
		if (i > 0)
			wait_a_moment();
		r = hxb_is_outdated(doctor->session, &seen, &outdated, &error);
	}
	reopen(doctor);
	if (hxb_lacks_map(doctor))
		return;
	hxb_map_info(doctor->map, &info);
	hxb_time_local(info.published, when);
	if (r != HXB_OK)
		hxb_found_error(doctor, HXB_HEALTH_FAIL, &error, "try again");
	else if (outdated)
		hxb_found(doctor, HXB_HEALTH_WARN, PUBLISH,
		    "published %s; Hexabot's users, the configuration or the host's own users have changed "
		    "since",
		    when);
	else
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "published %s, and nothing has changed since", when);
}

/* States that end by the clock (expiry, invitations) go by it. */
static void
look_at_clock(struct hxb_doctor *doctor)
{
	const time_t now = time(NULL);
	struct hxb_map_info info;
	char when[HXB_TIME_SIZE];

	if (hxb_lacks_map(doctor))
		return;
	hxb_map_info(doctor->map, &info);
	hxb_time_local(info.as_of > info.published ? info.as_of : info.published, when);
	if (info.as_of > now + 1 || info.published > now + 1)
		hxb_found(doctor, HXB_HEALTH_WARN, "set the clock, then 'hexactl publish'",
		    "the map was published in the future, %s", when);
	else
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "not behind the last publish");
}

const struct hxb_check hxb_checks_map[] = {
	{ "map", look_at_map },
	{ "map-generation", look_at_generation },
	{ "map-ledger", look_at_names },
	{ "map-fresh", look_at_freshness },
	{ "clock", look_at_clock },
	{ NULL, NULL },
};
