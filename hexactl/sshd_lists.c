/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "sshd.h"

/* What one of the lists says of somebody. */
enum match { UNSET, MATCH, MAYBE, NO_MATCH };

/* As sshd does: '*' and '?', and no brackets. */
static bool
matches(const char *pattern, const char *name)
{
	const char *star = NULL, *from = NULL; /* behind the last '*', and where what it skips ends by now */

	while (*name != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			from = name;
		} else if (*pattern == '?' || *pattern == *name) {
			pattern++;
			name++;
		} else if (star != NULL) {
			pattern = star;
			name = ++from;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

static enum match
match_one(const char *pattern, int size, char *const *names)
{
	char text[256];
	char *at;
	bool here;

	snprintf(text, sizeof(text), "%.*s", size, pattern);
	at = strrchr(text, '@');
	here = at == NULL;
	if (!here)
		*at = '\0';
	for (size_t i = 0; names[i] != NULL; i++)
		if (matches(text, names[i]))
			return here ? MATCH : MAYBE;
	return NO_MATCH;
}

static enum match
match_list(const struct hxb_sshd *sshd, const char *keyword, char *const *names)
{
	enum match result = UNSET, one;
	const char *pattern;
	int size;

	for (unsigned i = 0; (pattern = hxb_sshd_setting(sshd, keyword, i, &size)) != NULL; i++) {
		one = match_one(pattern, size, names);
		if (one == MATCH)
			return one;
		if (result != MAYBE)
			result = one;
	}
	return result;
}

const char *
hxb_sshd_refuses(
    const struct hxb_sshd *sshd, char *const *login, char *const *groups, bool *names, const char **maybe)
{
	const struct {
		const char *keyword, *shown;
		char *const *names;
		bool denies;
	} lists[] = {
		{ "denyusers", "DenyUsers", login, true },
		{ "allowusers", "AllowUsers", login, false },
		{ "denygroups", "DenyGroups", groups, true },
		{ "allowgroups", "AllowGroups", groups, false },
	};

	*maybe = NULL;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		enum match match = match_list(sshd, lists[i].keyword, lists[i].names);

		*names = lists[i].denies;
		if (match == MAYBE)
			*maybe = lists[i].shown;
		else if (match == (lists[i].denies ? MATCH : NO_MATCH))
			return lists[i].shown;
	}
	return NULL;
}
