/* SPDX-License-Identifier: ISC */
/*
 * The matrix: every situation of tests/data/verdicts, in every service, stage and for every caller, walked
 * through libpam by test_matrix.c. The table of answers is written by hand, never made from the product's
 * own.
 */
#ifndef HXB_TEST_MATRIX_H
#define HXB_TEST_MATRIX_H

#include "pam_fixture.h"

enum stage { AUTH, ACCOUNT, PRELIM, CHANGE, FORCED_PRELIM, FORCED_CHANGE, SETCRED, OPEN, CLOSE, STAGES };
enum caller { ROOT, SELF, ANOTHER, CALLERS };
enum { SERVICES = 7, SITUATIONS_MAX = 160 };
extern const char *const stage_names[STAGES], *const caller_names[CALLERS], *const service_names[SERVICES];

/* One cell. */
struct cell {
	const struct situation *situation;
	int service;
	enum stage stage;
	enum caller caller;
};

/* matrix_table.c: what has to come out. */
struct expected {
	int code; /* as libpam tells it */
	bool sets; /* and the new password is stored */
	char log[128]; /* of a refusal */
};

/* Reads tests/data/verdicts; fails where a line is none, or a service is answered for twice or not at all. */
void read_verdicts(void);
unsigned verdict_count(void); /* of situations */
const char *verdict_name(unsigned number);
struct expected expect(const struct cell *cell);
const char *code_name(int code);

/* matrix_situations.c: how it comes about. */
enum way {
	ALONE, /* each stage in a handle of its own */
	IN_ORDER, /* auth and account before, as far as they come before the stage */
	NO_ACCOUNT, /* auth only */
	IN_SESSION, /* a session was opened in the handle */
};
enum moment { NEVER, AFTER_AUTH, AFTER_ACCOUNT, AFTER_OPEN, WHILE_CHOOSING };

struct situation {
	const char *name; /* as in the table */
	const char *user; /* NULL: ada */
	const char *typed; /* for a password; NULL: ada's, or the code if she is invited */
	const char *current; /* for the current one, or the code; NULL: what was typed */
	const char *options; /* of the module; NULL: none */
	const char *store, *ledger; /* SQL that makes it; NULL: none */
	void (*make)(void); /* and what SQL can't do */
	bool invited; /* ada has no password but an open invitation */
	bool published; /* once more, when all that is done */
	enum way way;
	enum moment moment; /* when this happens: */
	const char *then_store, *then_ledger;
	void (*then_make)(void);
	bool then_published; /* once more, after that */
	enum hxb_invitation_end settles; /* what PAM writes down of an invitation that has ended by itself */
};

const struct situation *find_situation(const char *name); /* fails if there is none */
unsigned situation_count(void);
void make_situation(const struct situation *situation); /* on a store as set_up_pam() leaves it */
void change_situation(const struct situation *situation); /* its moment has come */
bool is_changed_before(const struct cell *cell); /* whether that is before the cell's stage begins */

#define RIGHT_PASSWORD "pw-ada"
#define NEW_PASSWORD "a new password"
#define CODE "01ABC-DEFGH-JKMNP-QRSTV-WXYZ1"
#define FORMER_CODE "01ABC-DEFGH-JKMNP-QRSTV-WXYZ2"

/* matrix_writes.c: what was written. */
void keep_image(void); /* store, ledger and map as they are now are where every cell begins */
void restore_image(void);
void mark_before(void); /* from here on, not from the image on, counts what is written */
/* Whether it is what the cell has to write, and nothing else; *why (good until the next call) if not. */
bool wrote_as_expected(const struct cell *cell, const struct expected *expected, const char **why);

#endif
