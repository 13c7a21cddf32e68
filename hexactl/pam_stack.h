/* SPDX-License-Identifier: ISC */
/*
 * The PAM stack of a service, as libpam reads it: /etc/pam.d/SERVICE or /usr/lib/pam.d/SERVICE, with what
 * they include, as one flat list of lines. A facility for which the service has no line is that of "other".
 * /etc/pam.conf counts only where neither directory is there, and is not read.
 */
#ifndef HXB_PAM_STACK_H
#define HXB_PAM_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "libhexabot/result.h"

enum hxb_pam_facility { HXB_PAM_AUTH, HXB_PAM_ACCOUNT, HXB_PAM_PASSWORD, HXB_PAM_SESSION };

#define HXB_PAM_CODES 32 /* PAM_SUCCESS to PAM_INCOMPLETE of <security/pam_appl.h> */

/* What a line does with its module's answer; a positive number is how many lines it skips. */
enum {
	HXB_PAM_IGNORE = 0,
	HXB_PAM_OK = -1,
	HXB_PAM_DONE = -2,
	HXB_PAM_BAD = -3,
	HXB_PAM_DIE = -4,
	HXB_PAM_RESET = -5,
};

struct hxb_pam_line {
	int actions[HXB_PAM_CODES]; /* by the PAM code that the module returns */
	char *control; /* as it is written: "required", "[success=2 default=ignore]" */
	char *path; /* of the module, as it is written; NULL: the line begins a substack, or must fail */
	const char *module; /* its last part: "pam_unix.so"; "" where path is NULL */
	char *fault; /* what is wrong with it, with file and line; NULL: nothing */
	bool must_fail; /* libpam asks no module: it answers PAM_PERM_DENIED itself */
	char **options; /* NULL-terminated */
	char *file; /* where the line is */
	unsigned line; /* its number there: of the last one where it is continued */
	unsigned depth; /* how many substacks it is in */
	bool quiet; /* -auth: a missing module is nothing to talk about */
};

struct hxb_pam_stack {
	struct hxb_pam_line *lines;
	size_t count; /* 0: nobody has a line: libpam denies */
	bool other; /* the lines are those of "other" */
};

/*
 * Reads the stack of a service, in directories `dirs` (a NULL-terminated list; NULL: libpam's own). The name
 * is put into lower case, as libpam does. HXB_INVALID: no service can be called so. HXB_UNREADABLE with file,
 * line and reason where libpam gives up and denies everything; a bad line alone is one with a fault, and
 * denies whoever comes to it. HXB_FAILED: no memory. Whatever it returns, hxb_pam_stack_clear() may follow.
 */
enum hxb_result hxb_pam_stack_read(const char *const *dirs, const char *service,
    enum hxb_pam_facility facility, struct hxb_pam_stack *stack, struct hxb_error *error);
void hxb_pam_stack_clear(struct hxb_pam_stack *);

/* The first line of this module, "pam_unix.so", from index `from` on. -1: there is none. */
int hxb_pam_stack_find(const struct hxb_pam_stack *, const char *module, size_t from);

/* The first line with a fault. -1: there is none. */
int hxb_pam_stack_fault(const struct hxb_pam_stack *);

/* The value of an option "NAME=VALUE", or "" for one that stands alone; NULL: it is not given. The last one
 * counts. */
const char *hxb_pam_line_option(const struct hxb_pam_line *, const char *name);

/*
 * Whether a line of an auth stack waits for a password that nobody has asked for: use_first_pass, and before
 * it only modules that ask for none.
 */
bool hxb_pam_line_waits(const struct hxb_pam_stack *, size_t at);

/* Whether the module's file is there, where libpam looks for it. */
bool hxb_module_exists(const struct hxb_pam_line *);

/*
 * What a module that nothing is known of is taken to answer: nothing, in the way that its line takes for
 * that. PAM_IGNORE; PAM_USER_UNKNOWN where only that is passed over, as pam_sss's profile has it; else
 * PAM_SUCCESS.
 */
int hxb_pam_line_silence(const struct hxb_pam_line *);

/*
 * What libpam makes of the stack when each module answers as `answer` says: a PAM code. *deciding, where not
 * NULL, is set to the index of the line whose answer it is, -1 if it is none's (nobody spoke).
 */
typedef int hxb_pam_answer_fn(const struct hxb_pam_line *line, void *context);
int hxb_pam_stack_run(const struct hxb_pam_stack *, hxb_pam_answer_fn *answer, void *context, int *deciding);

#endif
