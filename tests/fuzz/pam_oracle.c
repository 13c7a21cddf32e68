/* SPDX-License-Identifier: ISC */
#include "bcrypt.h"
#include "clock.h"
#include "fuzz.h"
#include "libhexabot/token.h"
#include "pam_world.h"

const struct person *
person_of(const char *login)
{
	for (size_t i = 0; i < PEOPLE; i++) {
		if (strcmp(people[i].login, login) == 0)
			return &people[i];
	}
	return NULL;
}

struct row *
row_of(const char *login)
{
	const struct person *person = person_of(login);

	return person != NULL ? &world.rows[person - people] : NULL;
}

bool
is_disabled(const struct row *row)
{
	return !row->present || row->held || row->state != '1' ||
	    (row->expires != 0 && row->expires <= CLOCK_NOW);
}

bool
may_log_in(const struct row *row, const struct hxb_config *config)
{
	if (is_disabled(row))
		return false;
	for (size_t i = 0; i < ROLES; i++) {
		if ((row->roles & 1u << i) != 0 && world.role_active[i] &&
		    hxb_list_has(config->login_roles, role_names[i]) &&
		    (config->roles == NULL || hxb_list_has(config->roles, role_names[i])))
			return true;
	}
	return false;
}

/* Text without a NUL, and not too long for any hash. */
static bool
is_text(const struct row *row)
{
	return row->type == 't' && strlen(row->password) == row->size && row->size < 122;
}

bool
is_marked(const struct row *row)
{
	return is_text(row) && strncmp(row->password, "$2!", 3) == 0;
}

bool
is_password(const struct row *row, const char *typed, unsigned max_cost)
{
	unsigned cost;

	return typed[0] != '\0' && is_text(row) && bcrypt_is_hash(row->password, max_cost, &cost) &&
	    bcrypt_fits(typed, row->password);
}

bool
is_code(const struct row *row, const char *typed)
{
	unsigned char digest[HXB_CODE_DIGEST_SIZE], good[HXB_CODE_DIGEST_SIZE];

	return row->invited && row->ended == 0 && row->good_until > CLOCK_NOW && row->type == 't' &&
	    row->size == strlen(WORLD_MARKER) && strcmp(row->password, WORLD_MARKER) == 0 &&
	    hxb_code_digest(typed, digest) && hxb_code_digest(row->code, good) &&
	    memcmp(digest, good, sizeof(good)) == 0;
}

bool
has_stale_group(const struct person *person, const struct row *row)
{
	for (size_t i = 0; i < ROLES; i++) {
		if ((person->roles & 1u << i) != 0 && ((row->roles & 1u << i) == 0 || !world.role_active[i]))
			return true;
	}
	return false;
}
