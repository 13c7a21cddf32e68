/* SPDX-License-Identifier: ISC */
/* Hexabot's users: who has no login and why, who still has the seed password, whose hold is half made. */
#include <stdio.h>

#include "doctor.h"
#include "hold.h"
#include "print.h"

struct pass {
	struct hxb_doctor *doctor;
	struct hxb_deadline deadline;
};

static enum hxb_result
take(const struct hxb_person *person, void *context, struct hxb_error *error)
{
	const struct pass *pass = context;
	struct hxb_doctor *doctor = pass->doctor;
	struct hxb_session *session = doctor->session;
	char reason[HXB_REASON_SIZE] = "";
	bool whole = true;
	enum hxb_result r;

	if (hxb_deadline_left(&pass->deadline) == 0) {
		doctor->people_cut = true;
		return HXB_REFUSED; /* ends the pass */
	}
	doctor->people_seen++;
	r = hxb_admins_add(&doctor->admins, person, error);
	if (r == HXB_OK && person->standing.held)
		r = hxb_hold_is_whole(session, person, &whole, error);
	if (r == HXB_OK && !whole)
		hxb_case_add(&doctor->unparked, person->name, NULL);
	if (r != HXB_OK || person->login != NULL)
		return r;
	/* Reasons take time, and only the first are shown. */
	if (doctor->unmapped.count < HXB_DOCTOR_NAMED)
		r = hxb_unmapped_reason(
		    &session->config, &hxb_host_places, session->ledger, person->user, reason, error);
	if (r == HXB_OK)
		hxb_case_add(&doctor->unmapped, person->user->username, reason[0] != '\0' ? reason : NULL);
	return r;
}

/* Once, for all the checks below. */
static void
look_at_people(struct hxb_doctor *doctor)
{
	struct pass pass = { doctor, hxb_deadline_in(HXB_DOCTOR_TIME) };
	struct hxb_error error = { "" };
	enum hxb_result r;

	if (hxb_lacks_store(doctor) || hxb_lacks_ledger(doctor))
		return;
	r = hxb_people(doctor->session, take, &pass, &error);
	doctor->people_read = r == HXB_OK || doctor->people_cut;
	if (!doctor->people_read)
		hxb_found_error(doctor, HXB_HEALTH_FAIL, &error, "try again");
	if (r == HXB_BUSY) { /* the others are not to wait for it, too */
		hxb_store_close(doctor->session->store);
		doctor->session->store = NULL;
	}
	if (doctor->people_read)
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "%s%u user%s looked at",
		    doctor->people_cut ? "only the first " : "", doctor->people_seen,
		    hxb_plural(doctor->people_seen));
}

static bool
lacks_people(struct hxb_doctor *doctor)
{
	if (!doctor->people_read)
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, "no users could be read");
	return !doctor->people_read;
}

static void
count_the_others(struct hxb_doctor *doctor, const struct hxb_cases *cases, const char *remedy)
{
	if (cases->count > HXB_DOCTOR_NAMED)
		hxb_found(doctor, HXB_HEALTH_WARN, remedy, "and %u more", cases->count - HXB_DOCTOR_NAMED);
}

static void
name_unmapped(struct hxb_doctor *doctor, const struct hxb_case *one)
{
	const char *name = one->name != NULL ? one->name : "?";

	if (one->reason == NULL)
		hxb_found(doctor, HXB_HEALTH_WARN, "run 'hexactl publish'",
		    "%.128s has no login: not yet published", name);
	else
		hxb_found(doctor, HXB_HEALTH_WARN, "'hexactl set USER --login NAME' gives another name",
		    "%.128s has no login: %s", name, one->reason);
}

/* Without a map it is everybody, and the map's check says so. */
static void
look_at_unmapped(struct hxb_doctor *doctor)
{
	const struct hxb_cases *cases = &doctor->unmapped;

	if (lacks_people(doctor) || hxb_lacks_map(doctor))
		return;
	if (cases->count == 0)
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "every user that was looked at has a login");
	for (unsigned i = 0; i < cases->count && i < HXB_DOCTOR_NAMED; i++)
		name_unmapped(doctor, &cases->named[i]);
	count_the_others(doctor, cases, "'hexactl list --unmapped' shows all");
}

static void
look_at_holds(struct hxb_doctor *doctor)
{
	const struct hxb_cases *cases = &doctor->unparked;

	if (lacks_people(doctor))
		return;
	if (cases->count == 0)
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "no hold that was looked at is half made");
	for (unsigned i = 0; i < cases->count && i < HXB_DOCTOR_NAMED; i++)
		hxb_found(doctor, HXB_HEALTH_WARN, "'hexactl disable --hold USER' again takes them away",
		    "%.128s is held on this host, and still has password, roles or state in Hexabot",
		    cases->named[i].name != NULL ? cases->named[i].name : "?");
	count_the_others(doctor, cases, "'hexactl list --state held' shows all who are held");
}

/* Half a second an admin, at the usual cost. */
static void
look_at_seed_password(struct hxb_doctor *doctor)
{
	const struct hxb_deadline deadline = hxb_deadline_in(HXB_DOCTOR_TIME);
	const struct hxb_admins *all = &doctor->admins;
	size_t tried;
	unsigned found = 0;

	if (lacks_people(doctor))
		return;
	for (tried = 0; tried < all->count && hxb_deadline_left(&deadline) > 0; tried++) {
		if (!hxb_admin_is_seeded(&all->admins[tried], &doctor->session->config))
			continue;
		if (found++ < HXB_DOCTOR_NAMED)
			hxb_found(doctor, HXB_HEALTH_FAIL, "'hexactl passwd USER' sets another",
			    "%.128s: an admin with Hexabot's seed password: anybody can take over Hexabot "
			    "with "
			    "it, and with that every login here",
			    all->admins[tried].name);
	}
	if (found > HXB_DOCTOR_NAMED)
		hxb_found(doctor, HXB_HEALTH_FAIL, "'hexactl passwd USER' sets another", "and %u more",
		    found - HXB_DOCTOR_NAMED);
	if (tried < all->count)
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, "%zu of %zu enabled admins were not tried",
		    all->count - tried, all->count);
	else if (found == 0)
		hxb_found(doctor, HXB_HEALTH_OK, NULL,
		    "no enabled admin that was looked at has Hexabot's seed password");
}

const struct hxb_check hxb_checks_people[] = {
	{ "users", look_at_people },
	{ "unmapped", look_at_unmapped },
	{ "holds", look_at_holds },
	{ "seed-password", look_at_seed_password },
	{ NULL, NULL },
};
