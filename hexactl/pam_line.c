/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

#include <security/pam_appl.h>

#include "pam_line.h"

#define BLANKS " \t\n"
#define UNSET INT_MIN
#define JUMP_MAX 1000

/* As a bracketed control names PAM's codes: by their number. */
static const char *const codes[HXB_PAM_CODES] = {
	[PAM_SUCCESS] = "success",
	[PAM_OPEN_ERR] = "open_err",
	[PAM_SYMBOL_ERR] = "symbol_err",
	[PAM_SERVICE_ERR] = "service_err",
	[PAM_SYSTEM_ERR] = "system_err",
	[PAM_BUF_ERR] = "buf_err",
	[PAM_PERM_DENIED] = "perm_denied",
	[PAM_AUTH_ERR] = "auth_err",
	[PAM_CRED_INSUFFICIENT] = "cred_insufficient",
	[PAM_AUTHINFO_UNAVAIL] = "authinfo_unavail",
	[PAM_USER_UNKNOWN] = "user_unknown",
	[PAM_MAXTRIES] = "maxtries",
	[PAM_NEW_AUTHTOK_REQD] = "new_authtok_reqd",
	[PAM_ACCT_EXPIRED] = "acct_expired",
	[PAM_SESSION_ERR] = "session_err",
	[PAM_CRED_UNAVAIL] = "cred_unavail",
	[PAM_CRED_EXPIRED] = "cred_expired",
	[PAM_CRED_ERR] = "cred_err",
	[PAM_NO_MODULE_DATA] = "no_module_data",
	[PAM_CONV_ERR] = "conv_err",
	[PAM_AUTHTOK_ERR] = "authtok_err",
	[PAM_AUTHTOK_RECOVERY_ERR] = "authtok_recover_err",
	[PAM_AUTHTOK_LOCK_BUSY] = "authtok_lock_busy",
	[PAM_AUTHTOK_DISABLE_AGING] = "authtok_disable_aging",
	[PAM_TRY_AGAIN] = "try_again",
	[PAM_IGNORE] = "ignore",
	[PAM_ABORT] = "abort",
	[PAM_AUTHTOK_EXPIRED] = "authtok_expired",
	[PAM_MODULE_UNKNOWN] = "module_unknown",
	[PAM_BAD_ITEM] = "bad_item",
	[PAM_CONV_AGAIN] = "conv_again",
	[PAM_INCOMPLETE] = "incomplete",
};

static const struct {
	const char *word;
	int action;
} verbs[] = {
	{ "ignore", HXB_PAM_IGNORE },
	{ "ok", HXB_PAM_OK },
	{ "done", HXB_PAM_DONE },
	{ "bad", HXB_PAM_BAD },
	{ "die", HXB_PAM_DIE },
	{ "reset", HXB_PAM_RESET },
};

/* The old words, each of which stands for some actions. */
static const struct {
	const char *word;
	int success; /* and new_authtok_reqd */
	int fallback;
} simple[] = {
	{ "required", HXB_PAM_OK, HXB_PAM_BAD },
	{ "requisite", HXB_PAM_OK, HXB_PAM_DIE },
	{ "optional", HXB_PAM_OK, HXB_PAM_IGNORE },
	{ "sufficient", HXB_PAM_DONE, HXB_PAM_IGNORE },
};

char *
hxb_pam_word(char **cursor)
{
	char *word = *cursor + strspn(*cursor, BLANKS), *from, *to;

	if (*word == '\0')
		return NULL;
	if (*word != '[') {
		from = word + strcspn(word, BLANKS);
		*cursor = *from == '\0' ? from : from + 1;
		*from = '\0';
		return word;
	}
	for (from = to = ++word; *from != '\0' && *from != ']'; from++) {
		if (from[0] == '\\' && from[1] == ']')
			from++;
		*to++ = *from;
	}
	*cursor = *from == '\0' ? from : from + 1;
	*to = '\0';
	return word;
}

static void
set_unset(int actions[HXB_PAM_CODES], int action)
{
	for (int i = 0; i < HXB_PAM_CODES; i++)
		if (actions[i] == UNSET)
			actions[i] = action;
}

/* Takes "CODE" or "default" off *text; -1: neither. */
static int
take_code(const char **text)
{
	size_t size = strspn(*text, "abcdefghijklmnopqrstuvwxyz_");
	int code = -1;

	for (int i = 0; i < HXB_PAM_CODES; i++)
		if (strlen(codes[i]) == size && strncmp(codes[i], *text, size) == 0)
			code = i;
	if (size == strlen("default") && strncmp("default", *text, size) == 0)
		code = HXB_PAM_CODES;
	*text += size;
	return code;
}

/* Takes a verb or a number of lines off *text. */
static bool
take_action(const char **text, int *action)
{
	size_t size = strspn(*text, "abcdefghijklmnopqrstuvwxyz");

	*action = 0;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strlen(verbs[i].word) == size && strncmp(verbs[i].word, *text, size) == 0) {
			*action = verbs[i].action;
			*text += size;
			return true;
		}
	}
	for (; **text >= '0' && **text <= '9' && *action <= JUMP_MAX; (*text)++)
		*action = *action * 10 + (**text - '0');
	return *action > 0 && *action <= JUMP_MAX;
}

static const char *
skip_blanks(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

static const char *
bracketed(const char *text, int actions[HXB_PAM_CODES])
{
	int code, action;

	for (text = skip_blanks(text); *text != '\0'; text = skip_blanks(text)) {
		if ((code = take_code(&text)) == -1)
			return "a word in brackets is none of PAM's codes";
		text = skip_blanks(text);
		if (*text++ != '=')
			return "in brackets there is a '=' missing";
		text = skip_blanks(text);
		if (!take_action(&text, &action))
			return "in brackets there is neither an action nor a number of lines behind a '='";
		if (code == HXB_PAM_CODES)
			set_unset(actions, action);
		else
			actions[code] = action;
	}
	return NULL;
}

const char *
hxb_pam_control(const char *control, int actions[HXB_PAM_CODES])
{
	const char *wrong;

	for (int i = 0; i < HXB_PAM_CODES; i++)
		actions[i] = UNSET;
	for (size_t i = 0; i < sizeof(simple) / sizeof(simple[0]); i++) {
		if (strcasecmp(simple[i].word, control) != 0)
			continue;
		actions[PAM_SUCCESS] = actions[PAM_NEW_AUTHTOK_REQD] = simple[i].success;
		actions[PAM_IGNORE] = HXB_PAM_IGNORE;
		set_unset(actions, simple[i].fallback);
		return NULL;
	}
	wrong = bracketed(control, actions);
	for (int i = 0; wrong != NULL && i < HXB_PAM_CODES; i++)
		actions[i] = UNSET;
	/* What is not named is bad. */
	set_unset(actions, HXB_PAM_BAD);
	return wrong;
}
