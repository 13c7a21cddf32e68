/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <security/pam_ext.h>

#include "libhexabot/names.h"
#include "pam_hexabot.h"

/* Role names hold anything; the environment gets those that are words. */
static void
put_roles(const struct call *call)
{
	char *text = NULL;
	size_t size = 0;
	const char *separator = "";
	FILE *stream = open_memstream(&text, &size);

	if (stream == NULL)
		return;
	fputs("HEXABOT_ROLES=", stream);
	for (size_t i = 0; i < call->user->role_count; i++) {
		if (!call->user->roles[i].active || !hxb_login_valid(call->user->roles[i].name))
			continue;
		fprintf(stream, "%s%s", separator, call->user->roles[i].name);
		separator = " ";
	}
	if (fclose(stream) == 0)
		(void)pam_putenv(call->pamh, text);
	free(text);
}

/* Hexabot's ids are UUIDs; what else somebody wrote there does not get into an environment. */
static bool
is_id(const char *id)
{
	return strlen(id) <= 64 && id[strspn(id, "0123456789abcdefABCDEF-")] == '\0';
}

int
stage_open_session(struct call *call)
{
	char *text;

	call_load(call, false);
	if (call->user == NULL)
		return PAM_SUCCESS;
	if (is_id(call->user->id) && asprintf(&text, "HEXABOT_USER_ID=%s", call->user->id) != -1) {
		(void)pam_putenv(call->pamh, text);
		free(text);
	}
	put_roles(call);
	return PAM_SUCCESS;
}
