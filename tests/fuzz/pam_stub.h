/* SPDX-License-Identifier: ISC */
/* The few functions of libpam and of the name service that the module calls, and what they have seen. */
#ifndef HXB_FUZZ_PAM_STUB_H
#define HXB_FUZZ_PAM_STUB_H

#include <stdbool.h>

#include <security/pam_modules.h>

#define SAID_MAX 16

struct pam_handle {
	char login[64], service[64], host[128];
	char *authtok, *oldauthtok; /* NULL: not set */
	bool changing; /* in chauthtok: the new password is asked for twice */
	void *data;
	void (*cleanup)(pam_handle_t *, void *, int);
};

/* Answers to come, and those that were given to this handle. */
extern char *stub_answers[SAID_MAX];
extern unsigned stub_answer_count, stub_asked;

/* What is called while a question is open. */
extern void (*stub_meanwhile)(void);

extern char stub_logged[16384]; /* every line, NUL-terminated as a whole */

/* What the name service says of the group of everybody; "" : the private group. */
extern char stub_group[64];

void stub_forget(void); /* answers, logs */
void stub_end(pam_handle_t *pamh); /* clears the handle as pam_end(3) does */

#endif
