/* SPDX-License-Identifier: ISC */
/* What sshd(8) says of its settings for a user: `sshd -T -C user=LOGIN`. */
#ifndef HXB_SSHD_H
#define HXB_SSHD_H

#include <stdbool.h>

#define HXB_SSHD_PROGRAM "/usr/sbin/sshd"

struct hxb_sshd {
	bool known; /* there is an sshd, and it answered within five seconds; all else counts only then */
	bool use_pam, password, keyboard_interactive;
	bool public_key;
	bool reads_keys; /* those that hexactl publishes */
	unsigned port; /* the first one */
	char *text; /* all that it said, for hxb_sshd_setting(); NULL unless known */
};

/* As of a connection from this host: what a Match by another address changes is not seen. hxb_sshd_clear()
 * frees. */
void hxb_sshd_ask(const char *login, struct hxb_sshd *sshd);
void hxb_sshd_clear(struct hxb_sshd *);

/*
 * The value of a keyword in lower case, such as "allowusers": of the line number `index`, from 0, since some
 * keywords have a line for each of their words. NULL: there is no such line. *size is its length: no NUL ends
 * it.
 */
const char *hxb_sshd_setting(const struct hxb_sshd *, const char *keyword, unsigned index, int *size);

/* The keyword, as sshd_config(5) writes it, that by its 0 keeps everybody out, or every session. NULL: none.
 */
const char *hxb_sshd_closed(const struct hxb_sshd *sshd);

/* Whether it takes a key of this type and size from a user; yes where it isn't known. */
bool hxb_sshd_takes_key(const struct hxb_sshd *sshd, const char *type, unsigned bits);

/*
 * Which of AllowUsers, DenyUsers, AllowGroups, DenyGroups keeps somebody out, NULL if none does; login and
 * groups are NULL-terminated lists of names. *names: because they are on it, rather than not. *maybe: a list
 * on which it hangs where they come from (USER@HOST), or NULL.
 */
const char *hxb_sshd_refuses(
    const struct hxb_sshd *, char *const *login, char *const *groups, bool *names, const char **maybe);

/* What AuthenticationMethods makes of a password, and of a key, by the best of the ways that it names and
 * that are on. */
enum hxb_sshd_use { HXB_SSHD_OF_NO_USE, HXB_SSHD_NOT_ENOUGH, HXB_SSHD_ENOUGH };
enum hxb_sshd_use hxb_sshd_use_of_password(const struct hxb_sshd *);
enum hxb_sshd_use hxb_sshd_use_of_key(const struct hxb_sshd *);

/* Whether a code can be typed at its prompt. */
bool hxb_sshd_takes_codes(const struct hxb_sshd *sshd);

#endif
