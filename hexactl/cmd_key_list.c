/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "libhexabot/key_files.h"
#include "output.h"
#include "print.h"
#include "sshd.h"
#include "table.h"
#include "times.h"
#include "users.h"

struct listing {
	struct hxb_person person;
	struct hxb_keys keys;
	struct hxb_sshd sshd;
	char *published; /* what sshd's file says; NULL: there is none */
	char withheld[320]; /* why no key is published; "" : they are, or there is none */
};

/* Whether sshd's file has this line. */
static bool
is_published(const struct listing *listing, const struct hxb_key *key)
{
	char *line = hxb_key_line(key);
	size_t length = line != NULL ? strlen(line) : 0;
	bool found = false;

	for (const char *at = listing->published; line != NULL && at != NULL; at = strchr(at, '\n')) {
		at += at[0] == '\n';
		found = found || (strncmp(at, line, length) == 0 && at[length] == '\n');
	}
	free(line);
	return found;
}

static enum hxb_result
find_reason(struct hxb_session *session, struct listing *listing, struct hxb_error *error)
{
	const struct hxb_person *person = &listing->person;
	char reason[HXB_REASON_SIZE] = "";
	bool all = true;
	enum hxb_result r = HXB_OK;

	for (size_t i = 0; i < listing->keys.count; i++)
		all = all && is_published(listing, &listing->keys.keys[i]);
	if (person->login == NULL)
		r = hxb_unmapped_reason(
		    &session->config, &hxb_host_places, session->ledger, person->user, reason, error);
	if (person->login == NULL && reason[0] != '\0')
		snprintf(listing->withheld, sizeof(listing->withheld), "no login: %s", reason);
	else if (person->standing.state != HXB_STATE_ENABLED)
		snprintf(listing->withheld, sizeof(listing->withheld), "%s",
		    hxb_state_rule(person->standing.state)->reason);
	else if (!all)
		snprintf(
		    listing->withheld, sizeof(listing->withheld), "not yet published: run 'hexactl publish'");
	return r;
}

static enum hxb_result
gather(struct hxb_session *session, struct listing *listing, struct hxb_error *error)
{
	const struct hxb_person *person = &listing->person;
	char *id = NULL;
	enum hxb_result r;

	r = hxb_user_find(session, session->arguments->operands[0], &id, error);
	if (r == HXB_OK)
		r = hxb_person_load(session, id, &listing->person, error);
	if (r == HXB_OK)
		r = hxb_ledger_keys(session->ledger, id, &listing->keys, error);
	free(id);
	if (r != HXB_OK)
		return r;
	if (person->login != NULL) {
		listing->published = hxb_key_files_read(hxb_host_places.state_dir, person->login);
		hxb_sshd_ask(person->login, &listing->sshd);
	}
	return find_reason(session, listing, error);
}

static void
add_row(struct hxb_table *table, const struct listing *listing, const struct hxb_key *key)
{
	bool published = is_published(listing, key);
	char bits[16], added[HXB_TIME_SIZE];
	const char *const cells[] = { key->fingerprint, key->type, bits, published ? "yes" : "no", added,
		key->actor, key->comment[0] != '\0' ? key->comment : "-",
		key->options[0] != '\0' ? key->options : "-" };

	snprintf(bits, sizeof(bits), "%u", key->bits);
	hxb_time_local(key->added, added);
	hxb_table_row(table, cells, 3, published ? HXB_GREEN : HXB_YELLOW);
}

static enum hxb_result
print_text(const struct listing *listing, struct hxb_error *error)
{
	static const char *const headings[] = { "FINGERPRINT", "TYPE", "BITS", "PUBLISHED", "ADDED", "BY",
		"COMMENT", "OPTIONS" };
	struct hxb_table *table;
	enum hxb_result r;

	if (listing->keys.count == 0) {
		hxb_say("%s: no keys", listing->person.name);
		return HXB_OK;
	}
	table = hxb_table_new(8, headings);
	if (table == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	for (size_t i = 0; i < listing->keys.count; i++)
		add_row(table, listing, &listing->keys.keys[i]);
	r = hxb_table_print(table, error);
	hxb_table_free(table);
	if (r == HXB_OK && listing->withheld[0] != '\0')
		hxb_say("%s: kept from sshd: %s", listing->person.name, listing->withheld);
	if (r == HXB_OK && listing->sshd.known && !listing->sshd.reads_keys)
		hxb_say("sshd does not read published keys: see 'hexactl key add --help'");
	return r;
}

static enum hxb_result
print_json(const struct listing *listing, struct hxb_error *error)
{
	struct hxb_json json = { 0 };
	struct json_t *root = hxb_json_object(&json, NULL, NULL), *list, *object;
	char added[HXB_TIME_SIZE];

	hxb_json_text(&json, root, "user", listing->person.name);
	hxb_json_text(&json, root, "id", listing->person.user->id);
	hxb_json_text(&json, root, "withheld", listing->withheld[0] != '\0' ? listing->withheld : NULL);
	if (listing->sshd.known)
		hxb_json_flag(&json, root, "read_by_sshd", listing->sshd.reads_keys);
	else
		hxb_json_text(&json, root, "read_by_sshd", NULL);
	list = hxb_json_array(&json, root, "keys");
	for (size_t i = 0; i < listing->keys.count; i++) {
		const struct hxb_key *key = &listing->keys.keys[i];

		object = hxb_json_object(&json, list, NULL);
		hxb_json_text(&json, object, "fingerprint", key->fingerprint);
		hxb_json_text(&json, object, "type", key->type);
		hxb_json_number(&json, object, "bits", key->bits);
		hxb_json_text(&json, object, "comment", key->comment);
		hxb_json_text(&json, object, "options", key->options);
		hxb_json_flag(&json, object, "published", is_published(listing, key));
		hxb_time_utc(key->added, added);
		hxb_json_text(&json, object, "added", added);
		hxb_json_text(&json, object, "by", key->actor);
	}
	return hxb_json_print(&json, root, error);
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	struct listing listing = { .published = NULL };
	enum hxb_result r = gather(session, &listing, error);

	if (r == HXB_OK)
		r = session->arguments->json ? print_json(&listing, error) : print_text(&listing, error);
	free(listing.published);
	hxb_keys_clear(&listing.keys);
	hxb_person_clear(&listing.person);
	return r;
}

const struct hxb_command hxb_cmd_key_list = {
	.name = "key list",
	.operands = "USER",
	.summary = "Shows a user's ssh keys, and whether sshd sees them.",
	.operands_min = 1,
	.operands_max = 1,
	.run = run,
};
