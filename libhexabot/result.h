/* SPDX-License-Identifier: ISC */
/*
 * What every fallible function returns, and the sentence that goes with a failure.
 *
 * A result becomes a PAM code in pam_hexabot/pam_hexabot.c, an exit code in hexactl/main.c, and nothing else
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

/* Sets error->text and returns r, so that a failure is one statement. error may be NULL. */
enum hxb_result hxb_fail(struct hxb_error *error, enum hxb_result r, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
