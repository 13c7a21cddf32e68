/* SPDX-License-Identifier: ISC */
/* What sshd(8) says of its settings for a user: `sshd -T -C user=LOGIN`. */
#ifndef HXB_SSHD_H
#define HXB_SSHD_H

#include <stdbool.h>

struct hxb_sshd {
	bool known; /* there is an sshd, and it answered; all else counts only then */
	bool use_pam, password, keyboard_interactive;
	bool public_key;
	bool reads_keys; /* those that hexactl publishes */
	char key_algorithms[2048]; /* with commas: those it takes from users */
	unsigned rsa_bits; /* an RSA key has to have */
	unsigned port; /* the first one */
};

void hxb_sshd_ask(const char *login, struct hxb_sshd *sshd);

/* Whether it takes a key of this type and size from a user; yes where it isn't known. */
bool hxb_sshd_takes_key(const struct hxb_sshd *sshd, const char *type, unsigned bits);

/* Whether a code can be typed at its prompt. */
bool hxb_sshd_takes_codes(const struct hxb_sshd *sshd);

#endif
