/* SPDX-License-Identifier: ISC */
/* sshd's settings, as far as they decide who of Hexabot's users gets in, and how. */
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "libhexabot/paths.h"

#define KEYS_DIR HXB_STATE_DIR "/keys"
#define USERS_TRIED 1000

static void
ask(struct hxb_doctor *doctor)
{
	struct hxb_map_user user = { .login = "nobody" };

	if (doctor->map == NULL || hxb_map_user_at(doctor->map, 0, &user) != HXB_MAP_FOUND)
		user.login = "nobody";
	hxb_sshd_ask(user.login, &doctor->sshd);
}

static void
look_at_sshd(struct hxb_doctor *doctor)
{
	if (faccessat(AT_FDCWD, HXB_SSHD_PROGRAM, X_OK, AT_EACCESS) == -1) {
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, HXB_SSHD_PROGRAM ": not installed");
		return;
	}
	ask(doctor);
	if (!doctor->sshd.known)
		hxb_found(doctor, HXB_HEALTH_WARN, "'sshd -t' says what is wrong with its configuration",
		    "sshd -T has no answer");
	else if (!doctor->sshd.use_pam)
		hxb_found(doctor, HXB_HEALTH_FAIL, "set UsePAM yes in sshd_config, and restart it",
		    "UsePAM no: a key opens also where pam_hexabot would refuse, and passwords never do");
	else
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "UsePAM yes");
}

static bool
lacks_sshd(struct hxb_doctor *doctor)
{
	if (!doctor->sshd.known)
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, "no sshd that answers");
	return !doctor->sshd.known;
}

static void
look_at_passwords(struct hxb_doctor *doctor)
{
	const struct hxb_sshd *sshd = &doctor->sshd;

	if (lacks_sshd(doctor))
		return;
	if (!sshd->password && !sshd->keyboard_interactive)
		hxb_found(doctor, HXB_HEALTH_WARN,
		    "set KbdInteractiveAuthentication yes or PasswordAuthentication yes in sshd_config",
		    "only keys open: nobody can type a password, nor the code of an invitation");
	else
		hxb_found(doctor, HXB_HEALTH_OK, NULL,
		    "PasswordAuthentication %s, KbdInteractiveAuthentication %s%s",
		    sshd->password ? "yes" : "no", sshd->keyboard_interactive ? "yes" : "no",
		    sshd->keyboard_interactive ? "" : ": who is invited logs in twice");
}

/* Whether the name is on one of the lists; *set: whether there is such a list at all. A pattern for users may
 * name a host behind an '@', which is not ours to guess. */
static bool
is_listed(const struct hxb_sshd *sshd, const char *keyword, const char *name, bool *set)
{
	const char *value;
	int size;

	*set = hxb_sshd_setting(sshd, keyword, 0, &size) != NULL;
	for (unsigned i = 0; (value = hxb_sshd_setting(sshd, keyword, i, &size)) != NULL; i++) {
		char *words = strndup(value, (size_t)size), *rest = NULL;
		bool found = false;

		for (char *word = words != NULL ? strtok_r(words, " ", &rest) : NULL; word != NULL && !found;
		     word = strtok_r(NULL, " ", &rest)) {
			word[strcspn(word, "@")] = '\0';
			found = word[0] != '!' && fnmatch(word, name, 0) == 0;
		}
		free(words);
		if (found)
			return true;
	}
	return false;
}

/* How many of the first users of the map AllowUsers and AllowGroups let in. *tried: of how many. */
static unsigned
count_allowed(const struct hxb_doctor *doctor, unsigned *tried)
{
	struct hxb_map_user user;
	struct hxb_map_role role;
	unsigned allowed = 0;
	char group[64];
	bool set;

	*tried = 0;
	for (uint32_t i = 0; i < USERS_TRIED && hxb_map_user_at(doctor->map, i, &user) != HXB_MAP_NOT_FOUND;
	     i++) {
		bool by_name = is_listed(&doctor->sshd, "allowusers", user.login, &set) || !set, by_group;

		snprintf(group, sizeof(group), HXB_PRIVATE_GROUP_PREFIX "%s", user.login);
		by_group = is_listed(&doctor->sshd, "allowgroups", group, &set) || !set;
		for (uint32_t j = 0; j < user.role_count && !by_group; j++)
			by_group = hxb_map_role_head(doctor->map, user.roles[j], &role) == HXB_MAP_FOUND &&
			    is_listed(&doctor->sshd, "allowgroups", role.group, &set);
		++*tried;
		allowed += by_name && by_group;
	}
	return allowed;
}

static void
look_at_allowed(struct hxb_doctor *doctor)
{
	unsigned allowed, tried;
	int size;

	if (lacks_sshd(doctor) || hxb_lacks_map(doctor))
		return;
	if (hxb_sshd_setting(&doctor->sshd, "allowusers", 0, &size) == NULL &&
	    hxb_sshd_setting(&doctor->sshd, "allowgroups", 0, &size) == NULL) {
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "neither AllowUsers nor AllowGroups is set");
		return;
	}
	allowed = count_allowed(doctor, &tried);
	if (allowed == 0 && tried > 0)
		hxb_found(doctor, HXB_HEALTH_WARN,
		    "add the groups of Hexabot's roles, such as hexabot-admin, to AllowGroups",
		    "AllowUsers or AllowGroups let none of Hexabot's users in");
	else
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "AllowUsers and AllowGroups let %u of %u users in",
		    allowed, tried);
}

static bool
has_keys(void)
{
	const struct dirent *entry;
	DIR *dir = opendir(KEYS_DIR);
	bool found = false;

	while (dir != NULL && !found && (entry = readdir(dir)) != NULL)
		found = entry->d_name[0] != '.';
	if (dir != NULL)
		closedir(dir);
	return found;
}

static void
look_at_keys(struct hxb_doctor *doctor)
{
	const char *value;
	int size = 0;
	bool reads = false;

	if (lacks_sshd(doctor))
		return;
	value = hxb_sshd_setting(&doctor->sshd, "authorizedkeysfile", 0, &size);
	if (value != NULL)
		reads = memmem(value, (size_t)size, KEYS_DIR "/%u", strlen(KEYS_DIR "/%u")) != NULL;
	if (!reads && has_keys())
		hxb_found(doctor, HXB_HEALTH_WARN,
		    "add it to AuthorizedKeysFile in sshd_config, and restart it",
		    "AuthorizedKeysFile %.*s: the keys in " KEYS_DIR "/%%u are not read", size,
		    value != NULL ? value : "");
	else
		hxb_found(
		    doctor, HXB_HEALTH_OK, NULL, "AuthorizedKeysFile %.*s", size, value != NULL ? value : "");
}

static void
look_at_startups(struct hxb_doctor *doctor)
{
	const char *value;
	int size = 0;

	if (lacks_sshd(doctor))
		return;
	value = hxb_sshd_setting(&doctor->sshd, "maxstartups", 0, &size);
	if (value == NULL)
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, "MaxStartups is not known");
	else
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "MaxStartups %.*s%s", size, value,
		    strtoul(value, NULL, 10) <= 10 ? ": logins are dropped when many come at once" : "");
}

const struct hxb_check hxb_checks_sshd[] = {
	{ "sshd", look_at_sshd },
	{ "sshd-passwords", look_at_passwords },
	{ "sshd-allowed", look_at_allowed },
	{ "sshd-keys", look_at_keys },
	{ "sshd-startups", look_at_startups },
	{ NULL, NULL },
};
