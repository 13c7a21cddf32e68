/* SPDX-License-Identifier: ISC */
/* hexabot.conf and PAM's arguments: one option table serves both. Unknown keys and bad values refuse. */
#ifndef HXB_CONFIG_H
#define HXB_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "result.h"

enum hxb_smtp_tls {
	HXB_SMTP_TLS_REQUIRED,
	HXB_SMTP_TLS_NONE, /* only for a relay on the loopback interface */
};

/* Strings are never NULL ("" is not set); lists end with NULL. Times in seconds. */
struct hxb_config {
	/* hexabot.conf */
	char *store;
	char **login_roles;
	char *group_prefix;
	char *home; /* %u is the login */
	char *shell;
	uint32_t uid_min, uid_max;
	bool enumerate;
	uint32_t password_cost, password_max_cost, password_min_length;
	uint32_t invite_ttl;
	char **invite_services;
	char *web_url;
	char *reset_secret_file;
	char *login_host;
	char *smtp_url, *smtp_user, *smtp_password_file;
	uint32_t smtp_tls; /* enum hxb_smtp_tls */
	char *smtp_ca_file;
	char *mail_from;
	/* PAM's arguments */
	char *conf;
	char **roles; /* narrows login_roles for one service; empty: no narrowing */
	bool try_first_pass, use_first_pass, use_authtok, debug;
};

/* Sets the defaults. Whatever it returns, hxb_config_free() may follow. */
enum hxb_result hxb_config_init(struct hxb_config *config, struct hxb_error *error);
void hxb_config_free(struct hxb_config *config);

/*
 * Reads a configuration file that `owner` (0 in production) owns. HXB_UNREADABLE with "path:line: reason". A
 * file without `store` is refused.
 */
enum hxb_result hxb_config_load(
    struct hxb_config *config, const char *path, uid_t owner, struct hxb_error *error);

/* Takes one PAM argument: "debug", "roles=admin,manager". HXB_INVALID with a reason. */
enum hxb_result hxb_config_argument(struct hxb_config *config, const char *argument, struct hxb_error *error);

/* Takes another invite_ttl: "72h". HXB_INVALID with what is expected. */
enum hxb_result hxb_config_invite_ttl(struct hxb_config *config, const char *text, struct hxb_error *error);

/* Whether a NULL-terminated list holds the name. */
bool hxb_list_has(char *const *list, const char *name);

#endif
