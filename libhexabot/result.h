/* SPDX-License-Identifier: ISC */
/*
 * What every fallible function returns, and the sentence that goes with a failure.
 *
 * A result becomes an answer of pam_hexabot's stages, an exit code in hexactl/main.c, and nothing else
 * anywhere. NSS does not use it (nss_hexabot sees map.h only).
 */
#ifndef HXB_RESULT_H
#define HXB_RESULT_H

enum hxb_result {
	HXB_OK = 0,
	HXB_FAILED, /* out of memory, I/O, or anything without a better name below */
	HXB_INVALID, /* the caller's input: a bad name, value, option */
	HXB_AMBIGUOUS, /* more than one user fits */
	HXB_NOT_FOUND, /* no such user or role */
	HXB_REFUSED, /* a guard says no; --force or another order of things helps */
	HXB_NOT_SENT, /* all is done, but a mail did not get away */
	HXB_BUSY, /* a lock was not had before the deadline */
	HXB_UNREADABLE, /* configuration, store, ledger or map is absent, corrupt or not to be trusted */
	HXB_CONFLICT, /* the row is no longer what the caller had seen: nothing was written */
};

/* One lower-case sentence without full stop: subject, reason, remedy. Never holds a secret. */
struct hxb_error {
	char text[512];
};

/* The general word for a result, for logs where no error text was set. Never NULL. */
const char *hxb_result_text(enum hxb_result r);

/* Sets error->text. error may be NULL. */
void hxb_describe(struct hxb_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline enum hxb_result
hxb_failure(enum hxb_result r)
{
	return r;
}

/* Sets error->text and is r, so that a failure is one statement; a macro, so that checkers see that it is r.
 */
#define hxb_fail(error, r, ...) (hxb_describe((error), __VA_ARGS__), hxb_failure(r))

/* Puts "; more" behind error->text, if there is room. Returns r. error may be NULL. */
enum hxb_result hxb_fail_more(struct hxb_error *error, enum hxb_result r, const char *more);

#endif
