/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "map.h"
#include "naming.h"
#include "token.h"

/* To whom systemd gives the files of containers' images, from version 257 on: UIDS-GIDS.md, "foreign". */
#define FOREIGN_MIN UINT32_C(2147352576)
#define FOREIGN_MAX UINT32_C(2147418111)

enum hxb_result
hxb_naming_open(struct hxb_naming *naming, const struct hxb_config *config, const struct hxb_places *places,
    struct hxb_ledger *ledger, struct hxb_error *error)
{
	enum hxb_result r;

	naming->config = config;
	naming->ledger = ledger;
	naming->host = NULL;
	naming->full = false;
	r = hxb_ledger_meta(ledger, &naming->meta, error);
	if (r == HXB_OK)
		r = hxb_host_names_load(places->passwd, places->group, &naming->host, error);
	return r;
}

void
hxb_naming_close(struct hxb_naming *naming)
{
	hxb_host_names_free(naming->host);
	naming->host = NULL;
}

/* What the host itself says against a login: it may come later than the login did. */
static void
host_clash(const struct hxb_naming *naming, const char *login, char reason[HXB_REASON_SIZE])
{
	char group[sizeof(HXB_PRIVATE_GROUP_PREFIX) + HXB_LOGIN_MAX];

	reason[0] = '\0';
	snprintf(group, sizeof(group), "%s%s", HXB_PRIVATE_GROUP_PREFIX, login);
	if (hxb_name_reserved(login))
		snprintf(reason, HXB_REASON_SIZE, "'%s' is a reserved name", login);
	else if (hxb_host_has_name(naming->host, login))
		snprintf(reason, HXB_REASON_SIZE, "'%s' is a user or group of this host", login);
	else if (hxb_host_has_name(naming->host, group))
		snprintf(reason, HXB_REASON_SIZE, "'%s' is a user or group of this host", group);
}

void
hxb_naming_clash(const struct hxb_naming *naming, const struct hxb_entry *entry, char reason[HXB_REASON_SIZE])
{
	host_clash(naming, entry->login, reason);
	if (reason[0] == '\0' && hxb_host_has_id(naming->host, entry->number))
		snprintf(reason, HXB_REASON_SIZE, "uid %u is in this host's passwd or group file",
		    (unsigned)entry->number);
}

enum hxb_result
hxb_naming_obstacle(const struct hxb_naming *naming, const char *user_id, const char *login,
    char reason[HXB_REASON_SIZE], struct hxb_error *error)
{
	char *owner = NULL;
	enum hxb_result r;

	if (!hxb_login_valid(login)) {
		snprintf(reason, HXB_REASON_SIZE,
		    "the name is no login: a letter or _, then letters, digits, '_', '.', '-', %d at most",
		    HXB_LOGIN_MAX);
		return HXB_OK;
	}
	if (hxb_login_reserved(login))
		snprintf(reason, HXB_REASON_SIZE, "'%s' is a reserved name", login);
	else
		host_clash(naming, login, reason);
	if (reason[0] != '\0')
		return HXB_OK;
	r = hxb_ledger_login_owner(naming->ledger, login, &owner, error);
	if (r == HXB_OK && strcmp(owner, user_id) != 0)
		snprintf(reason, HXB_REASON_SIZE, "the login '%s' is or was another user's (id %.64s)", login,
		    owner);
	free(owner);
	return r == HXB_NOT_FOUND ? HXB_OK : r;
}

static bool
is_foreign(uint32_t number)
{
	return number >= FOREIGN_MIN && number <= FOREIGN_MAX;
}

static enum hxb_result
first_free(
    const struct hxb_naming *naming, uint32_t from, uint32_t to, uint32_t *number, struct hxb_error *error)
{
	enum hxb_result r;

	for (uint64_t next = from; next <= to; next = is_foreign(*number) ? FOREIGN_MAX + 1 : *number + 1) {
		r = hxb_ledger_free_number(naming->ledger, (uint32_t)next, to, number, error);
		if (r != HXB_OK || (!is_foreign(*number) && !hxb_host_has_id(naming->host, *number)))
			return r;
	}
	return HXB_NOT_FOUND;
}

enum hxb_result
hxb_naming_number(struct hxb_naming *naming, const char *id, uint32_t *number, struct hxb_error *error)
{
	const uint32_t min = naming->meta.uid_min, max = naming->meta.uid_max;
	const uint32_t wanted = min + (uint32_t)(hxb_id_digest(id) % (max - min + 1));
	enum hxb_result r = HXB_NOT_FOUND;

	if (!naming->full)
		r = first_free(naming, wanted, max, number, error);
	if (!naming->full && r == HXB_NOT_FOUND && wanted > min)
		r = first_free(naming, min, wanted - 1, number, error);
	if (r != HXB_NOT_FOUND)
		return r;
	naming->full = true;
	return hxb_fail(error, HXB_REFUSED, "no number is left between %u and %u%s", (unsigned)min,
	    (unsigned)max,
	    min <= FOREIGN_MAX && max >= FOREIGN_MIN ? "; 2147352576 to 2147418111 are systemd's" : "");
}

char *
hxb_naming_home(const struct hxb_naming *naming, const struct hxb_entry *entry)
{
	return entry->home[0] != '\0' ? strdup(entry->home)
	                              : hxb_expand_login(naming->config->home, entry->login);
}

char *
hxb_naming_shell(const struct hxb_naming *naming, const struct hxb_entry *entry)
{
	return entry->shell[0] != '\0' ? strdup(entry->shell)
	                               : hxb_expand_login(naming->config->shell, entry->login);
}

/* A home that is there already must be the user's own: it may be a former colleague's. */
bool
hxb_naming_home_is_taken(
    const struct hxb_naming *naming, const struct hxb_entry *entry, char reason[HXB_REASON_SIZE])
{
	char *home = hxb_naming_home(naming, entry);
	struct stat st;
	bool theirs = true;

	reason[0] = '\0';
	if (home == NULL)
		snprintf(reason, HXB_REASON_SIZE, "out of memory");
	else if (lstat(home, &st) == -1)
		theirs = errno != ENOENT && errno != ENOTDIR;
	else
		theirs = st.st_uid != entry->number;
	if (theirs && home != NULL)
		snprintf(reason, HXB_REASON_SIZE, "%.128s is there already and not theirs (uid %u)", home,
		    (unsigned)entry->number);
	free(home);
	return theirs;
}

/* The entry as it is, or a new one with the username as login. */
static enum hxb_result
draft(const struct hxb_naming *naming, const char *user_id, const char *username, struct hxb_entry **entryp,
    struct hxb_error *error)
{
	struct hxb_entry *entry;
	enum hxb_result r;

	r = hxb_ledger_entry(naming->ledger, HXB_ENTRY_USER, user_id, entryp, error);
	if (r != HXB_NOT_FOUND)
		return r;
	entry = calloc(1, sizeof(*entry));
	if (entry == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	entry->kind = HXB_ENTRY_USER;
	entry->id = strdup(user_id);
	entry->login = strdup(username);
	entry->shell = strdup("");
	entry->home = strdup("");
	if (entry->id == NULL || entry->login == NULL || entry->shell == NULL || entry->home == NULL) {
		hxb_entry_free(entry);
		return hxb_fail(error, HXB_FAILED, "out of memory");
	}
	*entryp = entry;
	return HXB_OK;
}

enum hxb_result
hxb_naming_give(struct hxb_naming *naming, const char *user_id, const char *username,
    struct hxb_entry **entryp, char reason[HXB_REASON_SIZE], struct hxb_error *error)
{
	struct hxb_error why = { "" };
	struct hxb_entry *entry = NULL;
	enum hxb_result r;

	*entryp = NULL;
	reason[0] = '\0';
	r = draft(naming, user_id, username, &entry, error);
	if (r == HXB_OK && entry->login[0] == '\0') {
		/* Only its shell, home or expiry was set so far. */
		free(entry->login);
		entry->login = strdup(username);
		if (entry->login == NULL)
			r = hxb_fail(error, HXB_FAILED, "out of memory");
	}
	if (r == HXB_OK)
		r = hxb_naming_obstacle(naming, user_id, entry->login, reason, error);
	if (r != HXB_OK || reason[0] != '\0')
		goto out;
	r = hxb_naming_number(naming, user_id, &entry->number, &why);
	if (r == HXB_REFUSED) {
		/* One who is too many must not stop everybody else's publish. */
		snprintf(reason, HXB_REASON_SIZE, "%.*s", HXB_REASON_SIZE - 1, why.text);
		r = HXB_OK;
		goto out;
	}
	if (r != HXB_OK) {
		hxb_fail(error, r, "%s", why.text);
		goto out;
	}
	if (hxb_naming_home_is_taken(naming, entry, reason))
		goto out;
	r = hxb_ledger_put(naming->ledger, entry, error);
	if (r == HXB_OK) {
		*entryp = entry;
		entry = NULL;
	}
out:
	hxb_entry_free(entry);
	return r;
}
