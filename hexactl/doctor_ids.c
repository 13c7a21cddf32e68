/* SPDX-License-Identifier: ISC */
/* Numbers: whether ours are ours alone. A file belongs to a number, whoever has it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "idmap.h"
#include "libhexabot/names.h"
#include "nsswitch.h"
#include "program.h"
#include "text_file.h"

#define SOURCE_TIME 2000 /* milliseconds for what one other source of the name service is asked */
#define SOURCE_TEXT (1 << 20) /* bytes that it may answer */
#define ASKED 5 /* numbers that it is asked for: it may not tell whom it has */
#define SUBIDS_MAX (1 << 20) /* bytes of /etc/subuid */

/* Where systemd makes numbers up by itself: systemd's UIDS-GIDS.md. */
static const struct range {
	uint32_t min, max;
	const char *what;
} systemd_ranges[] = {
	{ 60001, 60513, "systemd-homed's users" },
	{ 60514, 60577, "users whom systemd-nspawn maps into containers" },
	{ 61184, 65519, "systemd's dynamic users" },
	{ 65534, 65535, "nobody" },
	{ 524288, 1879048191, "systemd-nspawn's containers" },
};

static void
look_at_range(struct hxb_doctor *doctor)
{
	const struct hxb_config *config = &doctor->session->config;
	struct hxb_error error = { "" };
	unsigned found = 0;

	if (hxb_lacks_config(doctor) || hxb_lacks_ledger(doctor))
		return;
	if (hxb_session_check_range(doctor->session, &error) != HXB_OK) {
		hxb_found(doctor, HXB_HEALTH_FAIL, "set uid_min and uid_max back", "%s", error.text);
		return;
	}
	if (!hxb_ids_exist(config->uid_min, config->uid_max)) {
		found++;
		hxb_found(doctor, HXB_HEALTH_WARN, "give the container more uids, see /proc/self/uid_map",
		    "uids %u to %u: this container does not have all of them: files can't belong to the "
		    "others",
		    config->uid_min, config->uid_max);
	}
	for (size_t i = 0; i < sizeof(systemd_ranges) / sizeof(systemd_ranges[0]); i++) {
		const struct range *range = &systemd_ranges[i];

		if (config->uid_min > range->max || config->uid_max < range->min)
			continue;
		found++;
		hxb_found(doctor, HXB_HEALTH_WARN, "keep uid_min and uid_max clear of it on the next host",
		    "uids %u to %u: %u to %u are %s", config->uid_min, config->uid_max, range->min,
		    range->max, range->what);
	}
	if (found == 0)
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "uids %u to %u, as at init", config->uid_min,
		    config->uid_max);
}

struct clashes {
	const struct hxb_host_names *host;
	struct hxb_cases cases;
	uint32_t some[ASKED]; /* of the living */
	unsigned some_count;
};

static enum hxb_result
compare(const struct hxb_entry *entry, void *context, struct hxb_error *error)
{
	struct clashes *clashes = context;
	char who[128];

	(void)error;
	if (entry->number == 0)
		return HXB_OK;
	if (!entry->removed && clashes->some_count < ASKED)
		clashes->some[clashes->some_count++] = entry->number;
	if (!hxb_host_has_id(clashes->host, entry->number))
		return HXB_OK;
	snprintf(who, sizeof(who), "%u of %s%.64s", entry->number, entry->removed ? "the former " : "",
	    entry->kind == HXB_ENTRY_ROLE ? "role's group" : entry->login);
	hxb_case_add(&clashes->cases, who, NULL);
	return HXB_OK;
}

/* Calls for each NAME:x:NUMBER of its answer that is in the range. */
static unsigned
count_in_range(const struct hxb_doctor *doctor, char *text, uint32_t *example)
{
	const struct hxb_config *config = &doctor->session->config;
	unsigned found = 0;

	for (const char *line; (line = hxb_text_line(&text)) != NULL;) {
		const char *field = strchr(line, ':');
		unsigned long number;

		field = field != NULL ? strchr(field + 1, ':') : NULL;
		if (field == NULL)
			continue;
		number = strtoul(field + 1, NULL, 10);
		if (number < config->uid_min || number > config->uid_max)
			continue;
		*example = (uint32_t)number;
		found++;
	}
	return found;
}

/* Whether another source of the name service has one of our numbers: whom it tells of, and some by number. */
static bool
ask_source(const struct hxb_doctor *doctor, const char *source, const char *database,
    const struct clashes *clashes, uint32_t *number)
{
	const struct hxb_deadline deadline = hxb_deadline_in(SOURCE_TIME);
	char program[] = "/usr/bin/getent", dash_s[] = "-s", name[64], what[16], key[16];
	char *all[] = { program, dash_s, name, what, NULL },
	     *one[] = { program, dash_s, name, what, key, NULL };
	char *text = NULL;
	bool found;

	snprintf(name, sizeof(name), "%s", source);
	snprintf(what, sizeof(what), "%s", database);
	found = hxb_program_ask(all, SOURCE_TEXT, hxb_deadline_left(&deadline), &text) &&
	    count_in_range(doctor, text, number) > 0;
	free(text);
	for (unsigned i = 0; i < clashes->some_count && !found && hxb_deadline_left(&deadline) > 0; i++) {
		snprintf(key, sizeof(key), "%u", clashes->some[i]);
		*number = clashes->some[i];
		found = hxb_program_ask(one, SOURCE_TEXT, hxb_deadline_left(&deadline), &text);
		free(text);
	}
	return found;
}

static unsigned
ask_sources(struct hxb_doctor *doctor, const char *database, const struct clashes *clashes)
{
	struct hxb_nss_search search = { .count = 0 };
	struct hxb_error error = { "" };
	unsigned found = 0;
	uint32_t number = 0;

	if (hxb_nsswitch_read(HXB_NSSWITCH_PATH, database, &search, &error) != HXB_OK)
		search.count = 0;
	for (size_t i = 0; i < search.count; i++) {
		const char *name = search.services[i].name;

		if (strcmp(name, "files") == 0 || strcmp(name, "hexabot") == 0 ||
		    !ask_source(doctor, name, database, clashes, &number))
			continue;
		found++;
		hxb_found(doctor, HXB_HEALTH_FAIL, "give it another number there",
		    "%s: '%.64s' has %u, which is in Hexabot's range", database, name, number);
	}
	hxb_nsswitch_clear(&search);
	return found;
}

static void
look_at_clashes(struct hxb_doctor *doctor)
{
	struct clashes clashes = { .some_count = 0 };
	struct hxb_host_names *host = NULL;
	struct hxb_error error = { "" };
	unsigned found;
	enum hxb_result r;

	if (hxb_lacks_ledger(doctor))
		return;
	r = hxb_host_names_load(hxb_host_places.passwd, hxb_host_places.group, &host, &error);
	clashes.host = host;
	if (r == HXB_OK) {
		hxb_ledger_set_deadline(doctor->session->ledger, hxb_deadline_in(HXB_DOCTOR_TIME));
		r = hxb_ledger_entries(doctor->session->ledger, compare, &clashes, &error);
	}
	if (r != HXB_OK)
		hxb_found_error(doctor, HXB_HEALTH_FAIL, &error, "try again");
	for (unsigned i = 0; i < clashes.cases.count && i < HXB_DOCTOR_NAMED; i++)
		hxb_found(doctor, HXB_HEALTH_FAIL, "give the host's user or group another number",
		    "%s is in the host's passwd or group file, too: whose files are whose?",
		    clashes.cases.named[i].name != NULL ? clashes.cases.named[i].name : "?");
	if (clashes.cases.count > HXB_DOCTOR_NAMED)
		hxb_found(doctor, HXB_HEALTH_FAIL, "give the host's users and groups other numbers",
		    "and %u more", clashes.cases.count - HXB_DOCTOR_NAMED);
	found = clashes.cases.count;
	if (r == HXB_OK)
		found += ask_sources(doctor, "passwd", &clashes) + ask_sources(doctor, "group", &clashes);
	if (r == HXB_OK && found == 0)
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "no uid or gid of ours is somebody else's");
	hxb_cases_clear(&clashes.cases);
	hxb_host_names_free(host);
}

/* Lines WHO:FIRST:COUNT. Who has our numbers there can become any of Hexabot's users in a user namespace. */
static unsigned
check_subids(struct hxb_doctor *doctor, const char *path)
{
	const struct hxb_config *config = &doctor->session->config;
	struct hxb_error error = { "" };
	char *text = NULL, *cursor, *end;
	unsigned found = 0;

	if (hxb_text_read(path, SUBIDS_MAX, &text, &error) != HXB_OK)
		return 0;
	cursor = text;
	for (char *line; (line = hxb_text_line(&cursor)) != NULL;) {
		unsigned long long first, count;
		char *field = strchr(line, ':');

		if (line[0] == '#' || field == NULL)
			continue;
		*field = '\0';
		first = strtoull(field + 1, &end, 10);
		if (*end != ':')
			continue;
		count = strtoull(end + 1, NULL, 10);
		if (count == 0 || first > config->uid_max || first + count - 1 < config->uid_min)
			continue;
		if (found++ < HXB_DOCTOR_NAMED)
			hxb_found(doctor, HXB_HEALTH_FAIL, "give them another range there",
			    "%s: %.64s has %llu to %llu, where Hexabot's uids are, and can act as any of "
			    "them",
			    path, line, first, first + count - 1);
	}
	free(text);
	return found;
}

static void
look_at_subids(struct hxb_doctor *doctor)
{
	if (hxb_lacks_config(doctor))
		return;
	if (check_subids(doctor, "/etc/subuid") + check_subids(doctor, "/etc/subgid") == 0)
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "nobody's subordinate ids are in Hexabot's range");
}

const struct hxb_check hxb_checks_ids[] = {
	{ "uid-range", look_at_range },
	{ "id-clash", look_at_clashes },
	{ "subordinate-ids", look_at_subids },
	{ NULL, NULL },
};
