/* SPDX-License-Identifier: ISC */
/*
 * Which names and numbers Hexabot's people may have on this host. DESIGN: "Names and numbers", rule 4.
 *
 * Names are compared without regard to case where they could be taken for a name of the host: sudo matches
 * users and groups that way, so a chatbot user "Root" would be root's line in sudoers.
 */
#ifndef HXB_NAMES_H
#define HXB_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "result.h"

#define HXB_LOGIN_MAX 32 /* bytes */
#define HXB_GECOS_MAX 255 /* bytes */

/* [A-Za-z_][A-Za-z0-9_.-]{0,31} */
bool hxb_login_valid(const char *name);

/* Whether the name means something on Debian hosts even where it is in no file: root, sudo, docker ... */
bool hxb_name_reserved(const char *name);

/*
 * The same, and whether the name looks like one of our groups: a user hexabot-admin would be taken for the
 * role's. That is for new logins: who has had such a name keeps it.
 */
bool hxb_login_reserved(const char *name);

/* "First Last" without `:`, `,` and control characters, at most HXB_GECOS_MAX bytes, cut between characters.
 */
void hxb_gecos(const char *first, const char *last, char gecos[HXB_GECOS_MAX + 1]);

/* Replaces each %u of a template from the configuration. NULL if there is no memory. The caller frees. */
char *hxb_expand_login(const char *format, const char *login);

/* The host's own names and numbers, from its passwd and group files. */
struct hxb_host_names;

enum hxb_result hxb_host_names_load(
    const char *passwd, const char *group, struct hxb_host_names **names, struct hxb_error *error);
void hxb_host_names_free(struct hxb_host_names *); /* takes NULL */
bool hxb_host_has_name(const struct hxb_host_names *, const char *name); /* a user's or a group's; any case */
bool hxb_host_has_id(const struct hxb_host_names *, uint32_t id); /* a uid or a gid */

#endif
