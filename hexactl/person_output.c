/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "person_output.h"
#include "times.h"

static void
add_roles(
    struct hxb_json *json, struct json_t *object, const char *key, const struct hxb_user *user, bool active)
{
	struct json_t *list = hxb_json_array(json, object, key);

	for (size_t i = 0; i < user->role_count; i++)
		if (user->roles[i].active == active)
			hxb_json_text(json, list, NULL, user->roles[i].name);
}

/* Null where the store's text is no time. */
static void
add_time(struct hxb_json *json, struct json_t *object, const char *key, const char *text)
{
	char utc[HXB_TIME_SIZE];
	int64_t seconds;
	bool good = hxb_time_read(text, &seconds) == HXB_OK;

	if (good)
		hxb_time_utc(seconds, utc);
	hxb_json_text(json, object, key, good ? utc : NULL);
}

const char *
hxb_person_delivery(const struct hxb_invitation *invitation)
{
	switch (invitation->delivery) {
	case HXB_MAILED:
		return "mailed";
	case HXB_PRINTED:
		return "printed";
	case HXB_NOT_DELIVERED:
		break;
	}
	return "not sent";
}

static void
add_invitation(struct hxb_json *json, struct json_t *parent, const struct hxb_person *person)
{
	const struct hxb_invitation *invitation = person->standing.invitation;
	char created[HXB_TIME_SIZE], expires[HXB_TIME_SIZE];
	struct json_t *object;

	if (invitation == NULL) {
		hxb_json_text(json, parent, "invitation", NULL);
		return;
	}
	hxb_time_utc(invitation->created, created);
	hxb_time_utc(invitation->expires, expires);
	object = hxb_json_object(json, parent, "invitation");
	hxb_json_flag(json, object, "open", hxb_person_is_invited(person));
	hxb_json_text(json, object, "by", invitation->actor);
	hxb_json_text(json, object, "created", created);
	hxb_json_text(json, object, "expires", expires);
	hxb_json_text(json, object, "delivery", hxb_person_delivery(invitation));
}

void
hxb_person_json(
    struct hxb_json *json, struct json_t *object, const struct hxb_person *person, const char *unmapped)
{
	const struct hxb_user *user = person->user;
	const struct hxb_state_rule *rule = hxb_state_rule(person->standing.state);

	hxb_json_text(json, object, "id", user->id);
	hxb_json_text(json, object, "username", user->username);
	hxb_json_text(json, object, "login", person->login);
	if (person->login != NULL && person->entry->number != 0)
		hxb_json_number(json, object, "uid", person->entry->number);
	else
		hxb_json_text(json, object, "uid", NULL);
	hxb_json_text(json, object, "email", user->email);
	hxb_json_text(json, object, "first_name", user->first_name);
	hxb_json_text(json, object, "last_name", user->last_name);
	hxb_json_text(json, object, "state", rule->name);
	hxb_json_text(json, object, "reason", rule->reason);
	hxb_json_text(json, object, "unmapped", unmapped[0] != '\0' ? unmapped : NULL);
	add_roles(json, object, "roles", user, true);
	add_roles(json, object, "inactive_roles", user, false);
	hxb_json_flag(json, object, "enabled", user->enabled);
	hxb_json_flag(json, object, "held", person->standing.held);
	add_invitation(json, object, person);
	add_time(json, object, "created_at", user->created_at);
	add_time(json, object, "updated_at", user->updated_at);
}

char *
hxb_person_roles(const struct hxb_person *person)
{
	const struct hxb_user *user = person->user;
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	if (stream == NULL)
		return NULL;
	for (size_t i = 0; i < user->role_count; i++)
		fprintf(
		    stream, user->roles[i].active ? "%s%s" : "%s(%s)", i > 0 ? " " : "", user->roles[i].name);
	if (fclose(stream) == EOF) {
		free(text);
		return NULL;
	}
	return text;
}

char *
hxb_person_full_name(const struct hxb_person *person)
{
	const struct hxb_user *user = person->user;
	bool both = user->first_name[0] != '\0' && user->last_name[0] != '\0';
	char *text;

	if (asprintf(&text, "%s%s%s", user->first_name, both ? " " : "", user->last_name) == -1)
		return NULL;
	return text;
}

enum hxb_colour
hxb_person_colour(const struct hxb_person *person)
{
	switch (person->standing.state) {
	case HXB_STATE_ENABLED:
		return HXB_GREEN;
	case HXB_STATE_HELD:
	case HXB_STATE_DISABLED:
		return HXB_RED;
	default:
		return HXB_YELLOW;
	}
}
