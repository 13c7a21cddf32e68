/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "doctor.h"
#include "libhexabot/paths.h"
#include "print.h"

static const struct hxb_check *const topics[] = {
	hxb_checks_files,
	hxb_checks_store,
	hxb_checks_people,
	hxb_checks_service, /* says whether somebody else publishes */
	hxb_checks_map,
	hxb_checks_host,
	hxb_checks_ids,
	hxb_checks_pam,
	hxb_checks_sshd,
	hxb_checks_mail,
};

static const char *const names[HXB_HEALTHS] = { "ok", "skip", "warn", "fail" };

static void
tell(struct hxb_doctor *doctor, enum hxb_health health, const char *text, const char *remedy)
{
	static const enum hxb_colour colours[HXB_HEALTHS] = { HXB_GREEN, HXB_PLAIN, HXB_YELLOW, HXB_RED };
	struct json_t *object;
	char line[2048];

	doctor->counts[health]++;
	if (doctor->table != NULL) {
		const char *const cells[] = { names[health], doctor->check, line };

		snprintf(line, sizeof(line), "%s%s%s", text, remedy != NULL ? "; " : "",
		    remedy != NULL ? remedy : "");
		hxb_table_row(doctor->table, cells, 0, colours[health]);
		return;
	}
	object = hxb_json_object(&doctor->json, doctor->list, NULL);
	hxb_json_text(&doctor->json, object, "check", doctor->check);
	hxb_json_text(&doctor->json, object, "status", names[health]);
	hxb_json_text(&doctor->json, object, "text", text);
	hxb_json_text(&doctor->json, object, "remedy", remedy);
}

void
hxb_found(struct hxb_doctor *doctor, enum hxb_health health, const char *remedy, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	tell(doctor, health, text, remedy);
}

void
hxb_found_error(
    struct hxb_doctor *doctor, enum hxb_health health, const struct hxb_error *error, const char *remedy)
{
	struct hxb_error copy = *error;
	char *cut = NULL;

	for (char *next = strstr(copy.text, "; "); next != NULL; next = strstr(next + 1, "; "))
		cut = next;
	if (cut != NULL) {
		*cut = '\0';
		remedy = cut + 2;
	}
	tell(doctor, health, copy.text, remedy);
}

bool
hxb_lacks_config(struct hxb_doctor *doctor)
{
	if (!doctor->configured)
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, "no configuration");
	return !doctor->configured;
}

bool
hxb_lacks_ledger(struct hxb_doctor *doctor)
{
	if (!doctor->has_meta)
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, "no ledger");
	return !doctor->has_meta;
}

bool
hxb_lacks_store(struct hxb_doctor *doctor)
{
	if (doctor->session->store == NULL)
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, "no store");
	return doctor->session->store == NULL;
}

bool
hxb_lacks_map(struct hxb_doctor *doctor)
{
	if (doctor->map == NULL)
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, "no map");
	return doctor->map == NULL;
}

void
hxb_case_add(struct hxb_cases *cases, const char *name, const char *reason)
{
	if (cases->count < HXB_DOCTOR_NAMED)
		cases->named[cases->count] =
		    (struct hxb_case){ strdup(name), reason != NULL ? strdup(reason) : NULL };
	cases->count++;
}

void
hxb_cases_clear(struct hxb_cases *cases)
{
	for (unsigned i = 0; i < HXB_DOCTOR_NAMED; i++) {
		free(cases->named[i].name);
		free(cases->named[i].reason);
	}
	*cases = (struct hxb_cases){ .count = 0 };
}

/* As `session` does, but what fails does not keep the rest from being opened. */
static void
open_all(struct hxb_doctor *doctor)
{
	struct hxb_session *session = doctor->session;
	struct stat st = { .st_uid = 0 };
	uid_t owner;

	session->patience = HXB_DOCTOR_PATIENCE;
	doctor->configured = hxb_session_load_config(session, &doctor->no_config) == HXB_OK;
	if (hxb_ledger_open(HXB_LEDGER_PATH, 0, hxb_deadline_in(HXB_DOCTOR_PATIENCE), &session->ledger,
	        &doctor->no_ledger) == HXB_OK)
		doctor->has_meta =
		    hxb_ledger_meta(session->ledger, &doctor->meta, &doctor->no_ledger) == HXB_OK;
	doctor->map = hxb_map_open(HXB_MAP_PATH, 0, &doctor->no_map);
	doctor->map_errno = doctor->map == NULL ? errno : 0;
	if (!doctor->configured)
		return;
	/* Without a ledger nobody has said whose it is to be: its owner's, as `init` would record. */
	owner =
	    doctor->has_meta || lstat(session->config.store, &st) == -1 ? doctor->meta.store_uid : st.st_uid;
	doctor->store_result = hxb_store_open(session->config.store, owner,
	    hxb_deadline_in(HXB_DOCTOR_PATIENCE), &session->store, &doctor->no_store);
	if (doctor->store_result == HXB_BUSY)
		(void)hxb_session_name_holder(session, &doctor->no_store);
}

static enum hxb_result
begin_report(struct hxb_doctor *doctor, struct hxb_error *error)
{
	static const char *const headings[] = { "STATUS", "CHECK", "FOUND" };

	if (doctor->session->arguments->json) {
		doctor->root = hxb_json_object(&doctor->json, NULL, NULL);
		doctor->list = hxb_json_array(&doctor->json, doctor->root, "checks");
	} else if ((doctor->table = hxb_table_new(3, headings)) == NULL) {
		return hxb_fail(error, HXB_FAILED, "out of memory");
	}
	return HXB_OK;
}

static enum hxb_result
end_report(struct hxb_doctor *doctor, enum hxb_health health, struct hxb_error *error)
{
	const unsigned *counts = doctor->counts;
	enum hxb_result r;

	if (doctor->table == NULL) {
		hxb_json_text(&doctor->json, doctor->root, "status", names[health]);
		for (int i = 0; i < HXB_HEALTHS; i++)
			hxb_json_number(&doctor->json, doctor->root, names[i], counts[i]);
		return hxb_json_print(&doctor->json, doctor->root, error);
	}
	r = hxb_table_print(doctor->table, error);
	if (r == HXB_OK)
		hxb_say("%u ok, %u skipped, %u warning%s, %u failure%s", counts[HXB_HEALTH_OK],
		    counts[HXB_HEALTH_SKIP], counts[HXB_HEALTH_WARN], hxb_plural(counts[HXB_HEALTH_WARN]),
		    counts[HXB_HEALTH_FAIL], hxb_plural(counts[HXB_HEALTH_FAIL]));
	return r;
}

static void
clear(struct hxb_doctor *doctor)
{
	hxb_cases_clear(&doctor->unmapped);
	hxb_cases_clear(&doctor->unparked);
	hxb_admins_clear(&doctor->admins);
	hxb_sshd_clear(&doctor->sshd);
	hxb_map_close(doctor->map);
	hxb_table_free(doctor->table);
}

static enum hxb_health
judge(const struct hxb_doctor *doctor)
{
	if (doctor->counts[HXB_HEALTH_FAIL] > 0)
		return HXB_HEALTH_FAIL;
	return doctor->counts[HXB_HEALTH_WARN] > 0 ? HXB_HEALTH_WARN : HXB_HEALTH_OK;
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	struct hxb_doctor doctor = { .session = session };
	const bool strict = hxb_option(session->arguments, "strict") != NULL;
	enum hxb_health health;
	enum hxb_result r = begin_report(&doctor, error);

	if (r != HXB_OK)
		return r;
	open_all(&doctor);
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++)
		for (const struct hxb_check *check = topics[i]; check->name != NULL; check++) {
			doctor.check = check->name;
			check->look(&doctor);
		}
	health = judge(&doctor);
	r = end_report(&doctor, health, error);
	clear(&doctor);
	if (r == HXB_OK && (health == HXB_HEALTH_FAIL || (strict && health == HXB_HEALTH_WARN))) {
		session->complaints++; /* told already */
		r = HXB_FAILED;
	}
	return r;
}

static const struct hxb_option options[] = {
	{ "mail", "ADDRESS", "also send a test mail there" },
	{ "strict", NULL, "a warning is a failure, too" },
	{ NULL, NULL, NULL },
};

static void
notes(FILE *file)
{
	fputs("\nIt changes nothing. ok: as it should be; skip: not in use here, or not to be known while "
	      "something "
	      "else is broken;\nwarn: works, but look at it; fail: does not work, or is not safe. Exit code: "
	      "1 with "
	      "a failure, else 0.\n",
	    file);
}

const struct hxb_command hxb_cmd_doctor = {
	.name = "doctor",
	.operands = "",
	.summary = "Looks at everything that a login stands on, and says what is wrong and what helps.",
	.adopts = true,
	.options = options,
	.notes = notes,
	.run = run,
};
