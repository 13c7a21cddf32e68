/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "nsswitch.h"
#include "text_file.h"

#define FILE_MAX 65536 /* bytes */
#define SERVICES_MAX 32 /* of a line */
#define BLANKS " \t\r\v\f"

/* Where an error is. */
struct place {
	const char *path;
	unsigned line;
};

static const char *const statuses[HXB_NSS_STATUSES] = {
	[HXB_NSS_SUCCESS] = "SUCCESS",
	[HXB_NSS_NOTFOUND] = "NOTFOUND",
	[HXB_NSS_UNAVAIL] = "UNAVAIL",
	[HXB_NSS_TRYAGAIN] = "TRYAGAIN",
};
static const char *const actions[] = {
	[HXB_NSS_CONTINUE] = "continue",
	[HXB_NSS_RETURN] = "return",
	[HXB_NSS_MERGE] = "merge",
};

static int
index_of(const char *const *words, size_t count, const char *text, size_t size)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(words[i]) == size && strncasecmp(words[i], text, size) == 0)
			return (int)i;
	return -1;
}

static enum hxb_result
add_service(struct hxb_nss_search *search, const char *name, size_t size, const struct place *place,
    struct hxb_error *error)
{
	struct hxb_nss_service *service;

	if (search->count == SERVICES_MAX)
		return hxb_fail(error, HXB_UNREADABLE, "%.128s:%u: more than %d services", place->path,
		    place->line, SERVICES_MAX);
	if (search->services == NULL &&
	    (search->services = calloc(SERVICES_MAX, sizeof(*search->services))) == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	service = &search->services[search->count];
	*service = (struct hxb_nss_service){ .actions = { [HXB_NSS_SUCCESS] = HXB_NSS_RETURN } };
	if ((service->name = strndup(name, size)) == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	search->count++;
	return HXB_OK;
}

/* One STATUS=action, or !STATUS=action: of all the others. */
static bool
take_item(struct hxb_nss_service *service, const char *item, size_t size)
{
	bool others = size > 0 && item[0] == '!';
	const char *equals = memchr(item, '=', size);
	int status, action;

	if (equals == NULL)
		return false;
	item += others;
	size -= others;
	status = index_of(statuses, HXB_NSS_STATUSES, item, (size_t)(equals - item));
	action = index_of(
	    actions, sizeof(actions) / sizeof(actions[0]), equals + 1, size - (size_t)(equals - item) - 1);
	/* glibc merges what was found, and nothing else. */
	if (status == -1 || action == -1 ||
	    (action == HXB_NSS_MERGE && (status != HXB_NSS_SUCCESS || others)))
		return false;
	for (int i = 0; i < HXB_NSS_STATUSES; i++)
		if ((i == status) != others)
			service->actions[i] = (enum hxb_nss_action)action;
	return true;
}

/* What stands in brackets behind a service. Returns what follows it; NULL: it is wrong. */
static const char *
take_items(struct hxb_nss_service *service, const char *text)
{
	const char *end = strchr(text, ']');

	if (end == NULL || service == NULL)
		return NULL;
	for (;;) {
		size_t size;

		text += strspn(text, BLANKS);
		if (text >= end)
			return end + 1;
		size = strcspn(text, BLANKS "]");
		if (!take_item(service, text, size))
			return NULL;
		text += size;
	}
}

static enum hxb_result
take_services(
    struct hxb_nss_search *search, const char *text, const struct place *place, struct hxb_error *error)
{
	enum hxb_result r = HXB_OK;

	hxb_nsswitch_clear(search);
	search->line = place->line;
	while (r == HXB_OK && *(text += strspn(text, BLANKS)) != '\0') {
		if (*text == '[') {
			text = take_items(
			    search->count > 0 ? &search->services[search->count - 1] : NULL, text + 1);
			if (text == NULL)
				return hxb_fail(error, HXB_UNREADABLE,
				    "%.128s:%u: what stands in brackets is not [STATUS=action] behind a "
				    "service",
				    place->path, place->line);
		} else {
			size_t size = strcspn(text, BLANKS "[");

			r = add_service(search, text, size, place, error);
			text += size;
		}
	}
	return r;
}

/* The line's services, if it is the database's. NULL: it is not. */
static char *
services_of(char *line, const char *database)
{
	size_t size = strlen(database);

	line[strcspn(line, "#")] = '\0';
	line += strspn(line, BLANKS);
	if (strncmp(line, database, size) != 0)
		return NULL;
	line += size;
	line += strspn(line, BLANKS);
	return *line == ':' ? line + 1 : NULL;
}

static enum hxb_result
read_database(const char *path, const char *text, const char *database, struct hxb_nss_search *search,
    struct hxb_error *error)
{
	struct place place = { .path = path };
	char *copy = strdup(text), *cursor = copy, *line, *services;
	enum hxb_result r = HXB_OK;

	if (copy == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	while (r == HXB_OK && (line = hxb_text_line(&cursor)) != NULL) {
		place.line++;
		if ((services = services_of(line, database)) != NULL)
			r = take_services(search, services, &place, error);
	}
	free(copy);
	return r;
}

enum hxb_result
hxb_nsswitch_read(
    const char *path, const char *database, struct hxb_nss_search *search, struct hxb_error *error)
{
	const struct place nowhere = { .path = path };
	char *text = NULL;
	enum hxb_result r;

	*search = (struct hxb_nss_search){ 0 };
	r = hxb_text_read(path, FILE_MAX, &text, error);
	if (r == HXB_OK)
		r = read_database(path, text, database, search, error);
	if (r == HXB_OK && search->line == 0 && strcmp(database, "initgroups") == 0) {
		r = read_database(path, text, "group", search, error);
		for (size_t i = 0; i < search->count; i++)
			search->services[i].actions[HXB_NSS_SUCCESS] = HXB_NSS_CONTINUE;
	}
	free(text);
	if (r == HXB_NOT_FOUND || (r == HXB_OK && search->line == 0))
		r = add_service(search, "files", strlen("files"), &nowhere, error);
	return r;
}

void
hxb_nsswitch_clear(struct hxb_nss_search *search)
{
	for (size_t i = 0; i < search->count; i++)
		free(search->services[i].name);
	free(search->services);
	*search = (struct hxb_nss_search){ 0 };
}

int
hxb_nsswitch_position(const struct hxb_nss_search *search, const char *service)
{
	for (size_t i = 0; i < search->count; i++)
		if (strcmp(search->services[i].name, service) == 0)
			return (int)i;
	return -1;
}

int
hxb_nsswitch_blocker(const struct hxb_nss_search *search, const char *service, bool broken)
{
	int end = hxb_nsswitch_position(search, service);

	for (int i = 0; i < end; i++) {
		const enum hxb_nss_action *after = search->services[i].actions;

		if (!broken && after[HXB_NSS_NOTFOUND] == HXB_NSS_RETURN)
			return i;
		if (broken &&
		    (after[HXB_NSS_UNAVAIL] == HXB_NSS_RETURN || after[HXB_NSS_TRYAGAIN] == HXB_NSS_RETURN))
			return i;
	}
	return -1;
}

int
hxb_nsswitch_sated(const struct hxb_nss_search *search, const char *service)
{
	int end = hxb_nsswitch_position(search, service);

	for (int i = 0; i < end; i++)
		if (search->services[i].actions[HXB_NSS_SUCCESS] == HXB_NSS_RETURN)
			return i;
	return -1;
}

/* "files", "files [SUCCESS=continue]": what is glibc's default is left out. As snprintf(3). */
static size_t
print_service(const struct hxb_nss_service *service, char *text, size_t room)
{
	size_t used = (size_t)snprintf(text, room, " %s", service->name);

	for (int i = 0; i < HXB_NSS_STATUSES && used < room; i++)
		if (service->actions[i] != (i == HXB_NSS_SUCCESS ? HXB_NSS_RETURN : HXB_NSS_CONTINUE))
			used += (size_t)snprintf(
			    text + used, room - used, " [%s=%s]", statuses[i], actions[service->actions[i]]);
	return used;
}

void
hxb_nsswitch_remedy(const struct hxb_nss_search *search, const char *database, char text[HXB_NSS_REMEDY_SIZE])
{
	int ours = hxb_nsswitch_position(search, "hexabot"), behind = hxb_nsswitch_position(search, "files");
	size_t used = (size_t)snprintf(text, HXB_NSS_REMEDY_SIZE, "let the line read '%s:%s", database,
	    search->count == 0 ? " files hexabot" : "");

	if (behind == -1)
		behind = (int)search->count - 1;
	for (int i = 0; i < (int)search->count && used < HXB_NSS_REMEDY_SIZE; i++) {
		struct hxb_nss_service service = search->services[i];

		if (i <= (ours != -1 ? ours - 1 : behind)) {
			service.actions[HXB_NSS_NOTFOUND] = HXB_NSS_CONTINUE;
			if (strcmp(database, "initgroups") == 0)
				service.actions[HXB_NSS_SUCCESS] = HXB_NSS_CONTINUE;
		}
		used += print_service(&service, text + used, HXB_NSS_REMEDY_SIZE - used);
		if (ours == -1 && i == behind && used < HXB_NSS_REMEDY_SIZE)
			used += (size_t)snprintf(text + used, HXB_NSS_REMEDY_SIZE - used, " hexabot");
	}
	if (used + 1 < HXB_NSS_REMEDY_SIZE)
		snprintf(text + used, HXB_NSS_REMEDY_SIZE - used, "'");
	else
		snprintf(text, HXB_NSS_REMEDY_SIZE,
		    "put hexabot behind files in the line '%s:', and let nobody before it end the search",
		    database);
}
