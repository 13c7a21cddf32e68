/* SPDX-License-Identifier: ISC */
/* What sshd(8) says of its settings for a user: `sshd -T -C user=LOGIN`. */
#ifndef HXB_SSHD_H
#define HXB_SSHD_H

#include <stdbool.h>

struct hxb_sshd {
	bool known; /* there is an sshd, and it answered; all else counts only then */
	bool use_pam, password, keyboard_interactive;
	unsigned port; /* the first one */
};

void hxb_sshd_ask(const char *login, struct hxb_sshd *sshd);

/* Whether a code can be typed at its prompt. */
bool hxb_sshd_takes_codes(const struct hxb_sshd *sshd);

#endif
