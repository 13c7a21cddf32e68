/* SPDX-License-Identifier: ISC */
/* "pam_hexabot(sshd:account): refused max from 192.0.2.7: disabled". Bounded, and nothing in it that a
 * reader's terminal obeys. */
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include <security/pam_ext.h>

#include "pam_hexabot.h"

#define WORD_SIZE 65

/* A host name or a terminal comes from outside. */
static void
printable(const char *text, char word[WORD_SIZE])
{
	size_t length = strnlen(text, WORD_SIZE - 1);

	for (size_t i = 0; i < length; i++)
		word[i] = (char)(text[i] > 0x20 && text[i] < 0x7f ? text[i] : '?');
	word[length] = '\0';
}

static void
origin(const struct call *call, char word[WORD_SIZE])
{
	const void *item = NULL;

	if (pam_get_item(call->pamh, PAM_RHOST, &item) != PAM_SUCCESS || item == NULL ||
	    *(const char *)item == '\0') {
		item = NULL;
		if (pam_get_item(call->pamh, PAM_TTY, &item) != PAM_SUCCESS || item == NULL ||
		    *(const char *)item == '\0')
			item = "local";
	}
	printable(item, word);
}

void
log_allowed(const struct call *call)
{
	char from[WORD_SIZE];

	origin(call, from);
	pam_syslog(call->pamh, LOG_INFO, "allowed %.32s from %s", call->login, from);
}

void
log_pending(const struct call *call)
{
	char from[WORD_SIZE];

	origin(call, from);
	pam_syslog(call->pamh, LOG_INFO, "pending %.32s from %s: %.400s", call->login, from,
	    hxb_state_rule(call->state)->reason);
}

void
log_refused(const struct call *call, const char *reason)
{
	int level = LOG_NOTICE;
	char from[WORD_SIZE];

	origin(call, from);
	if (reason == NULL && call->state == HXB_STATE_UNREADABLE) {
		level = LOG_ERR;
		reason = call->error.text;
	}
	if (reason == NULL)
		reason = hxb_state_rule(call->state)->reason;
	pam_syslog(call->pamh, level, "refused %.32s from %s: %.400s", call->login, from, reason);
}

void
log_debug(const struct call *call, const char *text)
{
	if (call->config.debug)
		pam_syslog(call->pamh, LOG_DEBUG, "%.32s: %.200s", call->login, text);
}
