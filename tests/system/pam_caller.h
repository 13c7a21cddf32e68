/* SPDX-License-Identifier: ISC */
/*
 * A program that calls PAM as sshd does, many times in one process. crypt_r(3) is its own: what the modules
 * hash is added up. Link with -Wl,--export-dynamic-symbol=crypt_r.
 */
#ifndef HXB_PAM_CALLER_H
#define HXB_PAM_CALLER_H

#include <stdbool.h>

#include <security/pam_appl.h>

extern unsigned long bcrypt_work; /* 2^cost of each bcrypt hash that was asked for, added up */
extern unsigned bcrypt_limit; /* hashes of a higher cost are only counted; 31 to begin with */

/* A new transaction; every prompt is answered with *password. No delay follows a failure. */
pam_handle_t *caller_start(const char *service, const char *user, const char **password);

/* The number, from 1 to 1,000,000; the program ends if it is none. */
unsigned caller_positive(const char *text);

#endif
