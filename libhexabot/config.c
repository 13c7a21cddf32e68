/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <ini.h>

#include "config.h"
#include "map.h"
#include "names.h"
#include "paths.h"
#include "trust.h"

#define EXPECTED_TTL "a time such as 72h or 3d, from 1m to 30d"

enum scope { IN_FILE = 1, IN_PAM = 2 };

/* One key: how its text becomes a value. `parse` writes to the field at `offset`. */
struct option {
	const char *name;
	enum scope scope;
	const char *fallback; /* the default, as text; NULL: zero or "" */
	bool (*parse)(const struct option *option, const char *text, void *field);
	size_t offset;
	uint32_t min, max; /* numbers */
	bool (*valid)(const char *text); /* strings, and each member of a list; NULL: anything printable */
	const char *expected; /* completes "NAME: expected ..." */
};

static bool
replace_string(char **field, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return false;
	free(*field);
	*field = copy;
	return true;
}

static bool
printable(const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	}
	return true;
}

static bool
parse_string(const struct option *option, const char *text, void *field)
{
	if (!printable(text) || text[0] == '\0' || (option->valid != NULL && !option->valid(text)))
		return false;
	return replace_string(field, text);
}

static void
free_list(char **list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

/* Members are separated by commas or blanks. */
static bool
parse_list(const struct option *option, const char *text, void *field)
{
	char ***listp = field, **list, *member;
	size_t count = 0, length;

	list = calloc(strlen(text) / 2 + 2, sizeof(*list));
	if (list == NULL)
		return false;
	for (const char *p = text + strspn(text, ", \t"); *p != '\0'; p += strspn(p, ", \t")) {
		length = strcspn(p, ", \t");
		member = strndup(p, length);
		list[count] = member;
		if (member == NULL || !printable(member) ||
		    (option->valid != NULL && !option->valid(member))) {
			free_list(list);
			return false;
		}
		count++;
		p += length;
	}
	if (count == 0) {
		free_list(list);
		return false;
	}
	free_list(*listp);
	*listp = list;
	return true;
}

/* Digits only; the number has to lie between min and max. */
static bool
parse_digits(const char *text, size_t length, uint32_t min, uint32_t max, uint32_t *number)
{
	uint64_t value = 0;

	if (length == 0 || length > 10)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	if (value < min || value > max)
		return false;
	*number = (uint32_t)value;
	return true;
}

static bool
parse_number(const struct option *option, const char *text, void *field)
{
	return parse_digits(text, strlen(text), option->min, option->max, field);
}

/* A number with s, m, h or d behind it; stored in seconds. */
static bool
parse_duration(const struct option *option, const char *text, void *field)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t length = strlen(text);
	uint32_t number, *seconds = field;

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (length > 1 && text[length - 1] == units[i].unit &&
		    parse_digits(text, length - 1, 1, option->max / units[i].seconds, &number) &&
		    number * units[i].seconds >= option->min) {
			*seconds = number * units[i].seconds;
			return true;
		}
	}
	return false;
}

static bool
parse_yes_no(const struct option *option, const char *text, void *field)
{
	bool *value = field;

	(void)option;
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		return false;
	*value = text[0] == 'y';
	return true;
}

static bool
parse_tls(const struct option *option, const char *text, void *field)
{
	uint32_t *value = field;

	(void)option;
	if (strcmp(text, "required") != 0 && strcmp(text, "none") != 0)
		return false;
	*value = text[0] == 'r' ? HXB_SMTP_TLS_REQUIRED : HXB_SMTP_TLS_NONE;
	return true;
}

/* A PAM argument without a value. */
static bool
parse_flag(const struct option *option, const char *text, void *field)
{
	bool *value = field;

	(void)option;
	*value = true;
	return text[0] == '\0';
}

static bool
valid_path(const char *text)
{
	return text[0] == '/' && strlen(text) < PATH_MAX;
}

static bool
valid_group_prefix(const char *text)
{
	size_t length = strlen(text), other = strlen(HXB_PRIVATE_GROUP_PREFIX);

	/* Role groups and private groups (hexabot.LOGIN) must never share a name, whatever a role is called.
	 */
	return length <= 16 && hxb_login_valid(text) && !hxb_name_reserved(text) &&
	    strncasecmp(text, HXB_PRIVATE_GROUP_PREFIX, length < other ? length : other) != 0;
}

/* A path for a passwd line; in it, %u is the only use of %. */
static bool
valid_template(const char *text)
{
	if (!valid_path(text) || strlen(text) > 512 || strchr(text, ':') != NULL)
		return false;
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '%' && *++p != 'u')
			return false;
	}
	return true;
}

static bool
valid_home(const char *text)
{
	return valid_template(text) && strstr(text, "%u") != NULL;
}

static bool
valid_url(const char *text)
{
	return strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0;
}

static bool
valid_smtp_url(const char *text)
{
	return strncmp(text, "smtp://", 7) == 0 || strncmp(text, "smtps://", 8) == 0;
}

static bool
valid_host(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]_") ==
	    strlen(text);
}

static bool
valid_address(const char *text)
{
	const char *at = strchr(text, '@');

	return at != NULL && at != text && at[1] != '\0' && strchr(at + 1, '@') == NULL &&
	    strchr(text, ' ') == NULL;
}

/* clang-format off */
#define FIELD(member) offsetof(struct hxb_config, member)
#define STRING(key, fallback, valid, expected)                                                               \
	{ #key, IN_FILE, fallback, parse_string, FIELD(key), 0, 0, valid, expected }
#define LIST(key, where, fallback, valid, expected)                                                          \
	{ #key, where, fallback, parse_list, FIELD(key), 0, 0, valid, expected }
#define NUMBER(key, fallback, min, max, expected)                                                            \
	{ #key, IN_FILE, fallback, parse_number, FIELD(key), min, max, NULL, expected }
#define FLAG(key)                                                                                            \
	{ #key, IN_PAM, NULL, parse_flag, FIELD(key), 0, 0, NULL, "no value" }
/* clang-format on */

static const struct option options[] = {
	STRING(store, NULL, valid_path, "the absolute path of Hexabot's database"),
	LIST(login_roles, IN_FILE, "admin manager", NULL, "names of roles"),
	STRING(group_prefix, "hexabot-", valid_group_prefix,
	    "1 to 16 letters, digits, '_', '.', '-', no reserved name and no start of hexabot."),
	STRING(home, "/home/%u", valid_home, "an absolute path with %u for the login, without ':'"),
	STRING(shell, "/bin/bash", valid_template, "an absolute path without ':'"),
	NUMBER(uid_min, "1879048192", 1000, 2147483646, "a number from 1000 to 2147483646"),
	NUMBER(uid_max, "2147483646", 1000, 2147483646, "a number from 1000 to 2147483646"),
	{ "enumerate", IN_FILE, "yes", parse_yes_no, FIELD(enumerate), 0, 0, NULL, "yes or no" },
	NUMBER(password_cost, "12", 10, 15, "a number from 10 to 15"),
	NUMBER(password_max_cost, "15", 10, 18, "a number from 10 to 18"),
	NUMBER(password_min_length, "8", 8, 64, "a number from 8 to 64"),
	{ "invite_ttl", IN_FILE, "72h", parse_duration, FIELD(invite_ttl), 60, 86400 * 30, NULL,
	    EXPECTED_TTL },
	LIST(invite_services, IN_FILE, "sshd login", NULL, "names of PAM services"),
	STRING(web_url, NULL, valid_url, "an http:// or https:// URL"),
	STRING(reset_secret_file, NULL, valid_path, "an absolute path"),
	STRING(login_host, NULL, valid_host, "a host name"),
	STRING(smtp_url, NULL, valid_smtp_url, "an smtp:// or smtps:// URL"),
	STRING(smtp_user, NULL, NULL, "a user name"),
	STRING(smtp_password_file, NULL, valid_path, "an absolute path"),
	{ "smtp_tls", IN_FILE, "required", parse_tls, FIELD(smtp_tls), 0, 0, NULL, "required or none" },
	STRING(smtp_ca_file, NULL, valid_path, "an absolute path"),
	STRING(mail_from, NULL, valid_address, "one mail address"),
	{ "conf", IN_PAM, HXB_SYSCONF_DIR "/hexabot/hexabot.conf", parse_string, FIELD(conf), 0, 0,
	    valid_path, "an absolute path" },
	LIST(roles, IN_PAM, NULL, NULL, "names of roles"),
	FLAG(try_first_pass),
	FLAG(use_first_pass),
	FLAG(use_authtok),
	FLAG(debug),
};
#define OPTION_COUNT (sizeof(options) / sizeof(*options))

static void *
field_of(struct hxb_config *config, const struct option *option)
{
	return (char *)config + option->offset;
}

static const struct option *
find_option(const char *name, size_t length, enum scope scope)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		if (options[i].scope == scope && strlen(options[i].name) == length &&
		    strncmp(options[i].name, name, length) == 0)
			return &options[i];
	}
	return NULL;
}

enum hxb_result
hxb_config_init(struct hxb_config *config, struct hxb_error *error)
{
	const struct option *option;

	memset(config, 0, sizeof(*config));
	for (option = options; option < options + OPTION_COUNT; option++) {
		if (option->fallback != NULL) {
			if (!option->parse(option, option->fallback, field_of(config, option)))
				return hxb_fail(error, HXB_FAILED, "out of memory");
		} else if (option->parse == parse_string) {
			if (!replace_string(field_of(config, option), ""))
				return hxb_fail(error, HXB_FAILED, "out of memory");
		}
	}
	return HXB_OK;
}

void
hxb_config_free(struct hxb_config *config)
{
	for (const struct option *option = options; option < options + OPTION_COUNT; option++) {
		if (option->parse == parse_string)
			free(*(char **)field_of(config, option));
		else if (option->parse == parse_list)
			free_list(*(char ***)field_of(config, option));
	}
	memset(config, 0, sizeof(*config));
}

/* What the callback of inih needs; it tells the line of the first failure by its return value. */
struct reading {
	struct hxb_config *config;
	bool given[OPTION_COUNT];
	struct hxb_error first; /* of the first line that was refused */
	bool failed;
};

static int
refuse(struct reading *reading, const char *key, const char *reason)
{
	if (!reading->failed)
		hxb_fail(&reading->first, HXB_UNREADABLE, "%.64s: %s", key, reason);
	reading->failed = true;
	return 0;
}

static int
take_line(void *context, const char *section, const char *name, const char *value)
{
	struct reading *reading = context;
	const struct option *option = find_option(name, strlen(name), IN_FILE);
	char reason[256];

	if (section[0] != '\0')
		return refuse(reading, section, "sections are not used here");
	if (option == NULL)
		return refuse(reading, name, "unknown key");
	if (reading->given[option - options])
		return refuse(reading, name, "given twice");
	reading->given[option - options] = true;
	if (!option->parse(option, value, field_of(reading->config, option))) {
		snprintf(reason, sizeof(reason), "expected %s", option->expected);
		return refuse(reading, name, reason);
	}
	return 1;
}

/* The file, as inih reads it. */
struct source {
	FILE *file;
	int line;
	bool too_long;
};

/* fgets(3) for inih, which would take what does not fit for a line of its own. */
static char *
read_line(char *text, int size, void *stream)
{
	struct source *source = stream;

	if (fgets(text, size, source->file) == NULL)
		return NULL;
	source->line++;
	source->too_long = strchr(text, '\n') == NULL && feof(source->file) == 0;
	return source->too_long ? NULL : text;
}

/* What no single line can tell. */
static enum hxb_result
check_whole(const struct hxb_config *config, const char *path, struct hxb_error *error)
{
	if (config->store[0] == '\0')
		return hxb_fail(error, HXB_UNREADABLE, "%s: no store is set; run hexactl init", path);
	if (config->uid_max < config->uid_min || config->uid_max - config->uid_min < 999)
		return hxb_fail(
		    error, HXB_UNREADABLE, "%s: uid_min to uid_max has to span 1000 numbers or more", path);
	if (config->password_max_cost < config->password_cost)
		return hxb_fail(error, HXB_UNREADABLE, "%s: password_max_cost is below password_cost", path);
	return HXB_OK;
}

enum hxb_result
hxb_config_load(struct hxb_config *config, const char *path, uid_t owner, struct hxb_error *error)
{
	struct reading reading = { .config = config };
	struct source source = { .file = NULL };
	enum hxb_result r;
	int fd, line;

	r = hxb_trust_open(path, O_RDONLY, owner, &fd, error);
	if (r != HXB_OK)
		return r;
	source.file = fdopen(fd, "r");
	if (source.file == NULL) {
		close(fd);
		return hxb_fail(error, HXB_FAILED, "%s: %m", path);
	}
	line = ini_parse_stream(read_line, &source, take_line, &reading);
	if (ferror(source.file))
		r = hxb_fail(error, HXB_UNREADABLE, "%s: %m", path);
	else if (line != 0)
		r = hxb_fail(error, HXB_UNREADABLE, "%s:%d: %s", path, line,
		    reading.failed ? reading.first.text : "expected key = value");
	else if (source.too_long)
		r = hxb_fail(error, HXB_UNREADABLE, "%s:%d: the line is too long", path, source.line);
	else
		r = check_whole(config, path, error);
	fclose(source.file);
	return r;
}

enum hxb_result
hxb_config_argument(struct hxb_config *config, const char *argument, struct hxb_error *error)
{
	size_t length = strcspn(argument, "=");
	const struct option *option = find_option(argument, length, IN_PAM);

	if (option == NULL)
		return hxb_fail(error, HXB_INVALID, "unknown option '%.64s'", argument);
	if ((argument[length] == '=') == (option->parse == parse_flag) ||
	    !option->parse(option, argument + length + (argument[length] == '='), field_of(config, option)))
		return hxb_fail(
		    error, HXB_INVALID, "option '%s': expected %s", option->name, option->expected);
	return HXB_OK;
}

enum hxb_result
hxb_config_invite_ttl(struct hxb_config *config, const char *text, struct hxb_error *error)
{
	const struct option *option = find_option("invite_ttl", strlen("invite_ttl"), IN_FILE);

	if (option != NULL && option->parse(option, text, field_of(config, option)))
		return HXB_OK;
	return hxb_fail(error, HXB_INVALID, "'%.64s': expected %s", text, EXPECTED_TTL);
}

bool
hxb_list_has(char *const *list, const char *name)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
		if (strcmp(list[i], name) == 0)
			return true;
	}
	return false;
}
