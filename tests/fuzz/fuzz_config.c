/* SPDX-License-Identifier: ISC */
/*
 * hexabot.conf and PAM's arguments: what is taken lies within the documented bounds, reads the same a second
 * time and can stand in a passwd line; what is refused is refused with file and line. The input is the file;
 * what stands behind "#pam " and "#ttl " in it is an argument as well.
 */
#include <strings.h>

#include "fuzz.h"
#include "libhexabot/config.h"
#include "libhexabot/names.h"
#include "libhexabot/trust.h"

#define PATH "/etc/hexabot/hexabot.conf"

static const uint8_t *file_data;
static size_t file_size;

/* Whose file it is is test_trust.c's subject. */
enum hxb_result __wrap_hxb_trust_open(const char *, int, uid_t, int *, struct hxb_error *);

enum hxb_result
__wrap_hxb_trust_open(const char *path, int flags, uid_t owner, int *fd, struct hxb_error *error)
{
	(void)flags;
	(void)owner;
	(void)error;
	MUST(strcmp(path, PATH) == 0);
	*fd = fuzz_file(file_data, file_size);
	return HXB_OK;
}

static bool
starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static void
check_list(char *const *list)
{
	MUST(list != NULL && list[0] != NULL);
	for (; *list != NULL; list++)
		MUST((*list)[0] != '\0' && fuzz_printable(*list) && strpbrk(*list, ", \t") == NULL);
}

static void
check_path(const char *path, bool may_be_absent)
{
	MUST(fuzz_printable(path) && (path[0] == '/' || (may_be_absent && path[0] == '\0')));
}

/* A field of a passwd line, whoever logs in. */
static void
check_template(const char *format, bool has_login)
{
	static const char login[] = "abcdefghijklmnopqrstuvwxyz012345";
	char *text = hxb_expand_login(format, login);

	MUST(text != NULL);
	MUST(text[0] == '/' && fuzz_printable(text) && strpbrk(text, ":%") == NULL);
	MUST(!has_login || strstr(text, login) != NULL);
	free(text);
}

static void
check_numbers(const struct hxb_config *config)
{
	MUST(config->uid_min >= 1000 && config->uid_max <= 2147483646);
	MUST(config->uid_min + UINT64_C(999) <= config->uid_max);
	MUST(config->password_cost >= 10 && config->password_cost <= 15);
	MUST(config->password_max_cost >= config->password_cost && config->password_max_cost <= 18);
	MUST(config->password_min_length >= 8 && config->password_min_length <= 64);
	MUST(config->invite_ttl >= 60 && config->invite_ttl <= 30 * 86400);
	MUST(config->smtp_tls == HXB_SMTP_TLS_REQUIRED || config->smtp_tls == HXB_SMTP_TLS_NONE);
}

static void
check_config(const struct hxb_config *config)
{
	const char *at = strchr(config->mail_from, '@');

	check_numbers(config);
	check_path(config->store, false);
	check_path(config->reset_secret_file, true);
	check_path(config->smtp_password_file, true);
	check_path(config->smtp_ca_file, true);
	check_template(config->home, true);
	check_template(config->shell, false);
	check_list(config->login_roles);
	check_list(config->invite_services);
	MUST(hxb_login_valid(config->group_prefix) && strlen(config->group_prefix) <= 16);
	MUST(config->group_prefix[0] != '_' && strncasecmp(config->group_prefix, "hexabot.", 8) != 0);
	MUST(config->web_url[0] == '\0' || starts(config->web_url, "http://") ||
	    starts(config->web_url, "https://"));
	MUST(config->smtp_url[0] == '\0' || starts(config->smtp_url, "smtp://") ||
	    starts(config->smtp_url, "smtps://"));
	MUST(fuzz_printable(config->web_url) && fuzz_printable(config->smtp_url));
	MUST(strpbrk(config->login_host, " \t\"'$`;/\\") == NULL && fuzz_printable(config->login_host));
	MUST(fuzz_printable(config->smtp_user) && fuzz_printable(config->mail_from));
	MUST(config->mail_from[0] == '\0' || (at != NULL && strchr(at + 1, '@') == NULL));
}

/* "PATH:LINE: reason", or one of the three reasons that no single line has. */
static void
check_error(const struct hxb_error *error, const char *text)
{
	const char *rest = error->text + strlen(PATH);
	unsigned lines = 1;

	MUST(starts(error->text, PATH) && fuzz_printable(error->text));
	for (; *text != '\0'; text++)
		lines += *text == '\n';
	if (rest[0] == ':' && rest[1] != ' ') {
		MUST(fuzz_number(rest + 1) >= 1 && strstr(rest, ": ") != NULL);
		/* A NUL hides lines from the count. */
		MUST(strlen(text) == 0 || fuzz_number(rest + 1) <= lines);
		return;
	}
	MUST(starts(rest, ": no store is set") || starts(rest, ": uid_min to uid_max") ||
	    starts(rest, ": password_max_cost"));
}

static void
check_same(const struct hxb_config *a, const struct hxb_config *b)
{
	MUST(a->uid_min == b->uid_min && a->uid_max == b->uid_max && a->enumerate == b->enumerate);
	MUST(a->password_cost == b->password_cost && a->password_max_cost == b->password_max_cost);
	MUST(a->invite_ttl == b->invite_ttl && a->smtp_tls == b->smtp_tls);
	MUST(strcmp(a->store, b->store) == 0 && strcmp(a->home, b->home) == 0);
	MUST(strcmp(a->shell, b->shell) == 0 && strcmp(a->group_prefix, b->group_prefix) == 0);
	for (size_t i = 0; a->login_roles[i] != NULL || b->login_roles[i] != NULL; i++)
		MUST(a->login_roles[i] != NULL && hxb_list_has(b->login_roles, a->login_roles[i]));
}

static void
take_argument(struct hxb_config *config, const char *argument)
{
	struct hxb_error error = { "" };
	enum hxb_result r = hxb_config_argument(config, argument, &error);

	MUST(r == HXB_OK || r == HXB_INVALID);
	MUST(r == HXB_OK || (error.text[0] != '\0' && fuzz_printable(error.text)));
	check_path(config->conf, false);
	if (config->roles != NULL)
		check_list(config->roles);
	if (starts(argument, "debug=") || starts(argument, "store="))
		MUST(r == HXB_INVALID);
}

static void
take_ttl(struct hxb_config *config, const char *text)
{
	struct hxb_error error = { "" };
	uint32_t before = config->invite_ttl;

	if (hxb_config_invite_ttl(config, text, &error) == HXB_OK)
		MUST(config->invite_ttl >= 60 && config->invite_ttl <= 30 * 86400);
	else
		MUST(config->invite_ttl == before && error.text[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hxb_config config, other;
	struct hxb_error error = { "" }, again = { "" };
	char *text = fuzz_text(data, size), *rest = text, *line;
	enum hxb_result r;

	file_data = data;
	file_size = size;
	MUST(hxb_config_init(&config, &error) == HXB_OK && hxb_config_init(&other, &error) == HXB_OK);
	r = hxb_config_load(&config, PATH, 0, &error);
	MUST(r == HXB_OK || r == HXB_UNREADABLE);
	if (r == HXB_OK)
		check_config(&config);
	else
		check_error(&error, text);
	MUST(hxb_config_load(&config, PATH, 0, &again) == r && strcmp(error.text, again.text) == 0);
	MUST(hxb_config_load(&other, PATH, 0, &again) == r);
	check_same(&config, &other);
	while ((line = fuzz_line(&rest)) != NULL) {
		if (starts(line, "#pam "))
			take_argument(&config, line + 5);
		if (starts(line, "#ttl "))
			take_ttl(&config, line + 5);
	}
	hxb_config_free(&config);
	hxb_config_free(&other);
	free(text);
	return 0;
}
