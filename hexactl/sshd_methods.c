/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
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

static bool
is_of_password(const char *method, size_t size)
{
	return strncmp(method, "password", size) == 0 || strncmp(method, "keyboard-interactive", 20) == 0;
}

static bool
is_of_key(const char *method, size_t size)
{
	return strncmp(method, "publickey", size) == 0;
}

typedef bool is_of_fn(const char *method, size_t size);

/* One way, such as "publickey,password". */
static enum hxb_sshd_use
judge_way(const struct hxb_sshd *sshd, const char *way, is_of_fn *is_of)
{
	bool used = strcmp(way, "any") == 0, alone = true;

	for (size_t size; *way != '\0'; way += size + (way[size] == ',')) {
		size = strcspn(way, ",");
		if (!is_on(sshd, way, size))
			return HXB_SSHD_OF_NO_USE;
		if (is_of(way, size))
			used = true;
		else if (strncmp(way, "any", size) != 0)
			alone = false;
	}
	if (!used)
		return HXB_SSHD_OF_NO_USE;
	return alone ? HXB_SSHD_ENOUGH : HXB_SSHD_NOT_ENOUGH;
}

static enum hxb_sshd_use
judge_ways(const struct hxb_sshd *sshd, is_of_fn *is_of)
{
	int size;
	const char *ways = hxb_sshd_setting(sshd, "authenticationmethods", 0, &size);
	enum hxb_sshd_use best = HXB_SSHD_OF_NO_USE, one;
	char *text, *rest = NULL;

	if (ways == NULL)
		return HXB_SSHD_ENOUGH;
	if ((text = strndup(ways, (size_t)size)) == NULL)
		return HXB_SSHD_NOT_ENOUGH;
	for (const char *way = strtok_r(text, " ", &rest); way != NULL; way = strtok_r(NULL, " ", &rest))
		if ((one = judge_way(sshd, way, is_of)) > best)
			best = one;
	free(text);
	return best;
}

enum hxb_sshd_use
hxb_sshd_use_of_password(const struct hxb_sshd *sshd)
{
	return judge_ways(sshd, is_of_password);
}

enum hxb_sshd_use
hxb_sshd_use_of_key(const struct hxb_sshd *sshd)
{
	return judge_ways(sshd, is_of_key);
}
