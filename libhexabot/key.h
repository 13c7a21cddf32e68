/* SPDX-License-Identifier: ISC */
/* The public half of a person's ssh key, as a line of sshd's AuthorizedKeysFile has it. */
#ifndef HXB_KEY_H
#define HXB_KEY_H

#include <stddef.h>
#include <stdint.h>

#define HXB_KEYS_MAX 64 /* that a user may have */

/* The strings are never NULL, and hold no control characters. */
struct hxb_key {
	char *fingerprint; /* "SHA256:...": what tells it from the user's other ones */
	char *options; /* "from=\"192.0.2.0/24\",no-pty"; "" : none */
	char *type; /* "ssh-ed25519" */
	char *body; /* in base64 */
	char *comment; /* "" : none */
	unsigned bits;
	char *actor; /* who added it */
	int64_t added; /* seconds since the epoch */
};

struct hxb_keys {
	struct hxb_key *keys;
	size_t count;
};

void hxb_key_clear(struct hxb_key *);
void hxb_keys_clear(struct hxb_keys *);

/* Adds a key without strings, to be filled in. NULL: no memory. */
struct hxb_key *hxb_keys_grow(struct hxb_keys *);

/* The file that sshd reads. NULL: no memory. The caller frees. */
char *hxb_keys_text(const struct hxb_keys *);

/* One line of it, without its end. NULL: no memory. The caller frees. */
char *hxb_key_line(const struct hxb_key *);

#endif
