/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "address.h"
#include "csv.h"
#include "guests.h"
#include "print.h"

enum column { EMAIL, ROLE, USERNAME, FIRST, LAST, COLUMNS };

static void
guest_clear(struct hxb_guest *guest)
{
	free(guest->email);
	free(guest->username);
	free(guest->first);
	free(guest->last);
	hxb_role_ids_free(guest->role_names);
	hxb_role_ids_free(guest->role_ids);
	free(guest->roles_text);
	free(guest->id);
}

void
hxb_guests_clear(struct hxb_guests *guests)
{
	for (size_t i = 0; i < guests->count; i++)
		guest_clear(&guests->guests[i]);
	free(guests->guests);
	*guests = (struct hxb_guests){ 0 };
}

/* Adds a guest; `values` are those of the columns, NULL for what was not given. */
static enum hxb_result
add(struct hxb_guests *guests, const char *const values[COLUMNS], unsigned line, struct hxb_guest **guestp,
    struct hxb_error *error)
{
	struct hxb_guest *grown = reallocarray(guests->guests, guests->count + 1, sizeof(*grown)), *guest;
	enum hxb_result r = HXB_OK;

	if (grown == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	guests->guests = grown;
	guest = *guestp = &grown[guests->count++];
	*guest = (struct hxb_guest){ .line = line };
	guest->email = strdup(values[EMAIL]);
	guest->username = strdup(values[USERNAME] != NULL ? values[USERNAME] : "");
	guest->first = strdup(values[FIRST] != NULL ? values[FIRST] : "");
	guest->last = strdup(values[LAST] != NULL ? values[LAST] : "");
	if (guest->email == NULL || guest->username == NULL || guest->first == NULL || guest->last == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	if (r == HXB_OK && values[ROLE] != NULL)
		r = hxb_role_ids_add(&guest->role_names, values[ROLE], error);
	return r;
}

static enum hxb_result
read_arguments(const struct hxb_arguments *arguments, struct hxb_guests *guests, struct hxb_error *error)
{
	const char *const values[COLUMNS] = { [EMAIL] = arguments->operands[0],
		[USERNAME] = hxb_option(arguments, "username"),
		[FIRST] = hxb_option(arguments, "first"),
		[LAST] = hxb_option(arguments, "last") };
	struct hxb_guest *guest = NULL;
	const char *role;
	enum hxb_result r;

	if (hxb_option(arguments, "role") == NULL)
		return hxb_fail(error, HXB_INVALID, "invite: wants --role ROLE; see 'hexactl role list'");
	r = add(guests, values, 0, &guest, error);
	for (int i = 0; r == HXB_OK && (role = hxb_option_at(arguments, "role", i)) != NULL; i++)
		r = hxb_role_ids_add(&guest->role_names, role, error);
	return r;
}

static enum hxb_result
read_record(const struct hxb_csv *csv, struct hxb_guests *guests, struct hxb_error *error)
{
	const char *values[COLUMNS] = { NULL };
	struct hxb_guest *guest;

	if (csv->count < 2 || csv->count > COLUMNS)
		return hxb_fail(
		    error, HXB_INVALID, "%u fields: expected email,role[,username,first,last]", csv->count);
	for (unsigned i = 0; i < csv->count; i++)
		values[i] = csv->fields[i];
	return add(guests, values, csv->line, &guest, error);
}

static enum hxb_result
read_file(struct hxb_guests *guests, FILE *file, struct hxb_error *error)
{
	struct hxb_csv csv;
	bool first = true;
	enum hxb_result r;

	hxb_csv_open(&csv, file);
	for (;; first = false) {
		r = hxb_csv_read(&csv, error);
		if (r == HXB_NOT_FOUND)
			return HXB_OK;
		if (r == HXB_OK && first && csv.count > 0 && strcasecmp(csv.fields[0], "email") == 0)
			continue; /* a heading */
		if (r == HXB_OK)
			r = read_record(&csv, guests, error);
		if (r != HXB_OK && r != HXB_INVALID)
			return r;
		if (r == HXB_INVALID) {
			hxb_complain("%s:%u: %s", guests->path, csv.line, error->text);
			guests->unusable++;
		}
	}
}

enum hxb_result
hxb_guests_read(struct hxb_session *session, struct hxb_guests *guests, struct hxb_error *error)
{
	static const char *const others[] = { "role", "username", "first", "last" };
	const struct hxb_arguments *arguments = session->arguments;
	const char *path = hxb_option(arguments, "from");
	FILE *file;
	enum hxb_result r;

	*guests = (struct hxb_guests){ .path = path };
	if (path == NULL && arguments->operand_count == 0)
		return hxb_fail(
		    error, HXB_INVALID, "invite: wants EMAIL, or --from FILE; see 'hexactl invite --help'");
	if (path == NULL)
		return read_arguments(arguments, guests, error);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (hxb_option(arguments, others[i]) != NULL)
			return hxb_fail(error, HXB_INVALID,
			    "invite: --%s goes with EMAIL; the file has its own", others[i]);
	if (arguments->operand_count > 0)
		return hxb_fail(error, HXB_INVALID, "invite: EMAIL or --from, not both");
	file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	if (file == NULL)
		return hxb_fail(error, HXB_FAILED, "%s: %m", path);
	r = read_file(guests, file, error);
	if (file != stdin)
		fclose(file);
	return r;
}
