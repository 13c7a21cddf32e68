/* SPDX-License-Identifier: ISC */
/* The words of an invitation, as plain text and as HTML: the same ones, in the same order. */
#ifndef HXB_LETTER_H
#define HXB_LETTER_H

#include <stdint.h>

/*
 * All is put into the text as it is safe there: control characters and such as reorder or hide text are left
 * out, what is too long is cut, and in HTML everything is escaped.
 */
struct hxb_letter {
	const char *name; /* of the person: "Mona Lind"; "" : not known */
	const char *actor; /* who invites */
	const char *host; /* where one logs in */
	const char *login; /* NULL: there is no way in at the host; ssh is not used then */
	const char *ssh; /* the command: "ssh mona@host" */
	const char *code; /* used along with login */
	const char *link; /* NULL: there is none */
	int64_t expires; /* seconds since the epoch; shown in the host's time zone */
};

/* Lines end with CRLF. NULL if there is no memory. The caller frees: hxb_secret_free(). */
char *hxb_letter_text(const struct hxb_letter *);
char *hxb_letter_html(const struct hxb_letter *);

/* "Your account on HOST", ASCII, without control characters. NULL if there is no memory. The caller frees. */
char *hxb_letter_subject(const struct hxb_letter *);

/* One with made-up values, for the help text. */
extern const struct hxb_letter hxb_letter_sample;

#endif
