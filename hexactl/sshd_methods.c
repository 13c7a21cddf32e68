/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "sshd.h"

/* Whether its own setting leaves a method on: sshd passes over a way with one that is off. */
static bool
is_on(const struct hxb_sshd *sshd, const char *method, size_t size)
{
	static const struct {
		const char *method, *keyword;
	} settings[] = {
		{ "password", "passwordauthentication" },
		{ "keyboard-interactive", "kbdinteractiveauthentication" },
		{ "publickey", "pubkeyauthentication" },
		{ "hostbased", "hostbasedauthentication" },
		{ "gssapi-with-mic", "gssapiauthentication" },
	};
	size_t name = strcspn(method, ":,"); /* "keyboard-interactive:pam" */
	const char *value = NULL;
	int length = 0;

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (name <= size && strlen(settings[i].method) == name &&
		    strncmp(settings[i].method, method, name) == 0)
			value = hxb_sshd_setting(sshd, settings[i].keyword, 0, &length);
	return value == NULL || length != 2 || strncmp(value, "no", 2) != 0;
}

/* One way, such as "publickey,password". */
static enum hxb_sshd_password
judge_way(const struct hxb_sshd *sshd, const char *way)
{
	bool password = strcmp(way, "any") == 0, alone = true;

	for (size_t size; *way != '\0'; way += size + (way[size] == ',')) {
		size = strcspn(way, ",");
		if (!is_on(sshd, way, size))
			return HXB_SSHD_NO_PASSWORD;
		if (strncmp(way, "password", size) == 0 || strncmp(way, "keyboard-interactive", 20) == 0)
			password = true;
		else if (strncmp(way, "any", size) != 0)
			alone = false;
	}
	if (!password)
		return HXB_SSHD_NO_PASSWORD;
	return alone ? HXB_SSHD_PASSWORD : HXB_SSHD_PASSWORD_AND_MORE;
}

enum hxb_sshd_password
hxb_sshd_methods(const struct hxb_sshd *sshd)
{
	int size;
	const char *ways = hxb_sshd_setting(sshd, "authenticationmethods", 0, &size);
	enum hxb_sshd_password best = HXB_SSHD_NO_PASSWORD, one;
	char text[512], *rest = NULL;

	if (ways == NULL)
		return HXB_SSHD_PASSWORD;
	snprintf(text, sizeof(text), "%.*s", size, ways);
	for (const char *way = strtok_r(text, " ", &rest); way != NULL; way = strtok_r(NULL, " ", &rest))
		if ((one = judge_way(sshd, way)) > best)
			best = one;
	return best;
}
