/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "actor.h"

#define NO_LOGIN_UID UINT32_MAX /* daemons and their children never logged in */

static bool
read_login_uid(uint32_t *uid)
{
	FILE *file = fopen("/proc/self/loginuid", "re");
	char text[16], *end = text;
	unsigned long value = NO_LOGIN_UID;

	if (file == NULL)
		return false;
	errno = 0;
	if (fgets(text, sizeof(text), file) != NULL)
		value = strtoul(text, &end, 10);
	fclose(file);
	if (errno != 0 || end == text || (*end != '\0' && *end != '\n') || value >= NO_LOGIN_UID)
		return false;
	*uid = (uint32_t)value;
	return true;
}

void
hxb_actor_find(struct hxb_actor *actor)
{
	const char *sudo_user = getenv("SUDO_USER");
	const struct passwd *pw = NULL;

	*actor = (struct hxb_actor){ .name = "root" };
	actor->has_login_uid = read_login_uid(&actor->login_uid);
	if (sudo_user != NULL)
		snprintf(actor->sudo_user, sizeof(actor->sudo_user), "%s", sudo_user);
	if (actor->has_login_uid)
		pw = getpwuid(actor->login_uid);
	if (pw != NULL)
		snprintf(actor->name, sizeof(actor->name), "%s", pw->pw_name);
	else if (actor->has_login_uid)
		snprintf(actor->name, sizeof(actor->name), "uid %u", actor->login_uid);
	else if (actor->sudo_user[0] != '\0')
		snprintf(actor->name, sizeof(actor->name), "%s", actor->sudo_user);
}
