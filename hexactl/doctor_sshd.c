/* SPDX-License-Identifier: ISC */
/* sshd's settings, as far as they decide who of Hexabot's users gets in, and how. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "libhexabot/names.h"
#include "libhexabot/paths.h"

#define KEYS_DIR HXB_STATE_DIR "/keys"
#define USERS_TRIED 1000
#define GROUPS_MAX 64 /* of roles of one of them */

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
	else if (hxb_sshd_closed(&doctor->sshd) != NULL)
		hxb_found(doctor, HXB_HEALTH_FAIL, "take that out of sshd_config, and restart it",
		    "%s 0: nobody gets a session", hxb_sshd_closed(&doctor->sshd));
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
	else if (hxb_sshd_use_of_password(sshd) == HXB_SSHD_OF_NO_USE)
		hxb_found(doctor, HXB_HEALTH_WARN, "add a way with a password to it in sshd_config",
		    "AuthenticationMethods names no way with a password that is on: nobody can type one, nor "
		    "the code of an invitation");
	else
		hxb_found(doctor, HXB_HEALTH_OK, NULL,
		    "PasswordAuthentication %s, KbdInteractiveAuthentication %s%s",
		    sshd->password ? "yes" : "no", sshd->keyboard_interactive ? "yes" : "no",
		    sshd->keyboard_interactive ? "" : ": who is invited logs in twice");
}

/* The list that keeps a user out who comes from anywhere; NULL: none does. */
static const char *
refused_by(const struct hxb_doctor *doctor, const struct hxb_map_user *user)
{
	char login[HXB_LOGIN_MAX + 1], own[sizeof(HXB_PRIVATE_GROUP_PREFIX) + HXB_LOGIN_MAX];
	char *names[] = { login, NULL }, *groups[GROUPS_MAX + 2] = { own };
	struct hxb_map_role role;
	const char *maybe;
	size_t count = 1;
	bool named;

	snprintf(login, sizeof(login), "%s", user->login);
	snprintf(own, sizeof(own), HXB_PRIVATE_GROUP_PREFIX "%s", user->login);
	for (uint32_t i = 0; i < user->role_count && count <= GROUPS_MAX; i++)
		if (hxb_map_role_head(doctor->map, user->roles[i], &role) == HXB_MAP_FOUND)
			groups[count++] = (char *)(uintptr_t)role.group;
	return hxb_sshd_refuses(&doctor->sshd, names, groups, &named, &maybe);
}

static void
look_at_allowed(struct hxb_doctor *doctor)
{
	static const char *const keywords[] = { "allowusers", "denyusers", "allowgroups", "denygroups" };
	const char *list = NULL, *refuses = "";
	unsigned allowed = 0, tried = 0;
	struct hxb_map_user user;
	char remedy[128];
	bool set = false;
	int size;

	if (lacks_sshd(doctor) || hxb_lacks_map(doctor))
		return;
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		set |= hxb_sshd_setting(&doctor->sshd, keywords[i], 0, &size) != NULL;
	for (; set && tried < USERS_TRIED; tried++) {
		enum hxb_map_status found = hxb_map_user_at(doctor->map, tried, &user);

		if (found == HXB_MAP_NOT_FOUND)
			break;
		if (found == HXB_MAP_FOUND && (list = refused_by(doctor, &user)) == NULL)
			allowed++;
		else if (found == HXB_MAP_FOUND)
			refuses = list;
	}
	if (strcmp(refuses, "AllowGroups") == 0)
		snprintf(remedy, sizeof(remedy),
		    "add the groups of Hexabot's roles, such as hexabot-admin, to AllowGroups");
	else
		snprintf(remedy, sizeof(remedy), "change %s in sshd_config", refuses);
	if (!set)
		hxb_found(
		    doctor, HXB_HEALTH_OK, NULL, "no AllowUsers, DenyUsers, AllowGroups, DenyGroups is set");
	else if (allowed == 0 && tried > 0)
		hxb_found(doctor, HXB_HEALTH_WARN, remedy,
		    "AllowUsers, DenyUsers, AllowGroups, DenyGroups let none of Hexabot's users in");
	else
		hxb_found(doctor, HXB_HEALTH_OK, NULL,
		    "AllowUsers, DenyUsers, AllowGroups, DenyGroups let %u of %u users in", allowed, tried);
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

	if (lacks_sshd(doctor))
		return;
	value = hxb_sshd_setting(&doctor->sshd, "authorizedkeysfile", 0, &size);
	if (!doctor->sshd.reads_keys && has_keys())
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
