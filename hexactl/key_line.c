/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "key_line.h"

#define BLANKS " \t"
#define NAME_MAX_SHOWN 32
#define BODY "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="

/* Of sshd(8), OpenSSH 9.2. One that sshd does not know makes it pass over the line. */
static const struct option {
	const char *name;
	bool value; /* ="VALUE" */
	bool negated; /* may have "no-" before it */
	bool once;
	const char *refused; /* why not here; NULL: it may be */
} options[] = {
	{ "restrict", false, false, false, NULL },
	{ "agent-forwarding", false, true, false, NULL },
	{ "port-forwarding", false, true, false, NULL },
	{ "pty", false, true, false, NULL },
	{ "user-rc", false, true, false, NULL },
	{ "X11-forwarding", false, true, false, NULL },
	{ "touch-required", false, true, false, NULL },
	{ "verify-required", false, true, false, NULL },
	{ "command", true, false, true, NULL },
	{ "from", true, false, true, NULL },
	{ "environment", true, false, false, NULL },
	{ "expiry-time", true, false, false, NULL },
	{ "permitopen", true, false, false, NULL },
	{ "permitlisten", true, false, false, NULL },
	{ "tunnel", true, false, false, NULL },
	{ "cert-authority", false, false, false, "whoever holds that key could make any number of others" },
	{ "principals", true, false, false, "it is for certificates" },
};
enum { OPTION_COUNT = sizeof(options) / sizeof(options[0]) };

static const char *const types[] = { "ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
	"ecdsa-sha2-nistp521", "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com" };

static bool
is_type(const char *word, size_t length)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strlen(types[i]) == length && strncmp(word, types[i], length) == 0)
			return true;
	return false;
}

static bool
ends_with(const char *word, size_t length, const char *end)
{
	size_t size = strlen(end);

	return length >= size && strncmp(word + length - size, end, size) == 0;
}

static const char *
skip_blanks(const char *at)
{
	return at + strspn(at, BLANKS);
}

/* The option whose name is at *at, which is moved behind it. NULL: none of ours. */
static const struct option *
find_option(const char **at)
{
	size_t length = strcspn(*at, "=,\"" BLANKS);
	bool negated = length > 3 && strncasecmp(*at, "no-", 3) == 0;
	const char *name = negated ? *at + 3 : *at;
	size_t size = negated ? length - 3 : length;

	for (size_t i = 0; i < OPTION_COUNT; i++) {
		if (strlen(options[i].name) != size || strncasecmp(name, options[i].name, size) != 0 ||
		    (negated && !options[i].negated) || ((*at)[length] == '=') != options[i].value)
			continue;
		*at += length;
		return &options[i];
	}
	return NULL;
}

/* ="VALUE", in which \" stands for a quote. False: it has no end. */
static bool
skip_value(const char **at)
{
	const char *c = *at + 1;

	if (*c++ != '"')
		return false;
	for (; *c != '\0' && *c != '"'; c++)
		if (c[0] == '\\' && c[1] == '"')
			c++;
	if (*c == '\0')
		return false;
	*at = c + 1;
	return true;
}

/* How much of a word may be shown: what looks like a name, and is no piece of a private key. */
static int
shown_length(const char *word)
{
	size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-@.");

	return length > NAME_MAX_SHOWN || strchr("=,\"" BLANKS, word[length]) == NULL ? 0 : (int)length;
}

/* One option; *at is moved behind it. seen: how often each has been. */
static enum hxb_result
take_option(const char **at, unsigned seen[OPTION_COUNT], struct hxb_error *error)
{
	const char *name = *at;
	const struct option *option = find_option(at);

	if (option == NULL && shown_length(name) == 0)
		return hxb_fail(error, HXB_INVALID,
		    "begins with neither a type of key that is taken here nor an option that sshd knows");
	if (option == NULL)
		return hxb_fail(error, HXB_INVALID,
		    "'%.*s' is neither a type of key that is taken here nor an option that sshd knows",
		    shown_length(name), name);
	if (option->refused != NULL)
		return hxb_fail(
		    error, HXB_INVALID, "the option %s is not taken: %s", option->name, option->refused);
	if (option->once && seen[option - options]++ > 0)
		return hxb_fail(error, HXB_INVALID, "the option %s stands there twice", option->name);
	if (option->value && !skip_value(at))
		return hxb_fail(
		    error, HXB_INVALID, "the option %s wants its value between quotes", option->name);
	return HXB_OK;
}

/* All of them, up to the blank behind the last one. */
static enum hxb_result
take_options(const char **at, struct hxb_key *key, struct hxb_error *error)
{
	unsigned seen[OPTION_COUNT] = { 0 };
	const char *begin = *at;
	enum hxb_result r;

	do {
		r = take_option(at, seen, error);
	} while (r == HXB_OK && **at == ',' && *++*at != '\0');
	if (r != HXB_OK)
		return r;
	if (**at != ' ' && **at != '\t')
		return hxb_fail(error, HXB_INVALID, "there is no key behind the options");
	key->options = strndup(begin, (size_t)(*at - begin));
	*at = skip_blanks(*at);
	return key->options != NULL ? HXB_OK : hxb_fail(error, HXB_FAILED, "out of memory");
}

static enum hxb_result
take_type(const char **at, struct hxb_key *key, struct hxb_error *error)
{
	size_t length = strcspn(*at, BLANKS);

	if (!is_type(*at, length))
		return hxb_fail(error, HXB_INVALID, "there is no type of key behind the options");
	key->type = strndup(*at, length);
	*at = skip_blanks(*at + length);
	return key->type != NULL ? HXB_OK : hxb_fail(error, HXB_FAILED, "out of memory");
}

static enum hxb_result
take_rest(const char *at, struct hxb_key *key, struct hxb_error *error)
{
	size_t length = strspn(at, BODY), end;

	if (length == 0 || (at[length] != '\0' && strchr(BLANKS, at[length]) == NULL))
		return hxb_fail(error, HXB_INVALID, "what stands behind the type %s is no key", key->type);
	key->body = strndup(at, length);
	at = skip_blanks(at + length);
	for (end = strlen(at); end > 0 && strchr(BLANKS, at[end - 1]) != NULL; end--)
		continue;
	key->comment = strndup(at, end);
	return key->body != NULL && key->comment != NULL ? HXB_OK
	                                                 : hxb_fail(error, HXB_FAILED, "out of memory");
}

/* What people have in files beside public keys. */
static enum hxb_result
refuse_others(const char *at, struct hxb_error *error)
{
	size_t length = strcspn(at, BLANKS);

	if (strncmp(at, "----", 4) == 0)
		return hxb_fail(error, HXB_INVALID,
		    "not in the form that OpenSSH has; 'ssh-keygen -i -f FILE' converts it");
	if (ends_with(at, length, "-cert-v01@openssh.com"))
		return hxb_fail(
		    error, HXB_INVALID, "a certificate; sshd takes the key itself here, without it");
	if (length == strlen("ssh-dss") && strncmp(at, "ssh-dss", length) == 0)
		return hxb_fail(error, HXB_INVALID, "a DSA key, which sshd takes no more");
	return HXB_OK;
}

enum hxb_result
hxb_key_line_read(const char *line, struct hxb_key *key, struct hxb_error *error)
{
	const char *at = skip_blanks(line);
	enum hxb_result r;

	*key = (struct hxb_key){ 0 };
	if (strlen(line) > HXB_KEY_LINE_MAX)
		return hxb_fail(error, HXB_INVALID, "longer than %d bytes", HXB_KEY_LINE_MAX);
	for (const char *c = line; *c != '\0'; c++)
		if (iscntrl((unsigned char)*c) && *c != '\t')
			return hxb_fail(error, HXB_INVALID, "holds a control character");
	r = refuse_others(at, error);
	if (r == HXB_OK && !is_type(at, strcspn(at, BLANKS)))
		r = take_options(&at, key, error);
	else if (r == HXB_OK && (key->options = strdup("")) == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	if (r == HXB_OK)
		r = refuse_others(at, error);
	if (r == HXB_OK)
		r = take_type(&at, key, error);
	return r == HXB_OK ? take_rest(at, key, error) : r;
}
