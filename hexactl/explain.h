/* SPDX-License-Identifier: ISC */
/*
 * Why a user would or would not get in by a PAM service: rules, in the order in which the host asks. The
 * state is pam_hexabot's own word (pam_hexabot/context.c), what a stack makes of it is pam_run.c's.
 */
#ifndef HXB_EXPLAIN_H
#define HXB_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "faillock.h"
#include "libhexabot/map.h"
#include "libhexabot/names.h"
#include "nsswitch.h"
#include "pam_hexabot/pam_hexabot.h"
#include "pam_stack.h"
#include "person.h"
#include "sshd.h"

/* Whether there is a password, or a code, that can be the right one. */
enum hxb_password {
	HXB_PASSWORD_GOOD,
	HXB_PASSWORD_NONE, /* what the store has is no hash that would be looked at */
	HXB_PASSWORD_SEED, /* Hexabot's own, which opens nothing */
};
/* What one of the service's stacks makes of the user. */
struct hxb_stage {
	struct hxb_pam_stack stack;
	enum hxb_result read; /* HXB_OK, or `error` says why there is no stack */
	struct hxb_error error;
	bool runs; /* the service asks this stack at all */
	int hexabot; /* index of the line of pam_hexabot that is asked; -1: none is */
	struct call call; /* pam_hexabot's judgement with the options of that line */
	enum owner owner;
	struct hxb_error owner_error;
	int good,
	    good_line; /* PAM code if pam_hexabot and all that hangs on the user said yes; who decides */
	int code, line; /* as it is */
};

enum { HXB_NSS_PASSWD, HXB_NSS_GROUP, HXB_NSS_SHADOW, HXB_NSS_INITGROUPS, HXB_NSS_DATABASES };

/* What is known; gathered before the first rule is asked. */
struct hxb_case {
	struct hxb_session *session;
	char service[64]; /* in lower case, as pam_start(3) has it */
	char login[256]; /* by which the user would log in, mapped or not */
	const char *user; /* what to call the user in a command */
	bool opened; /* configuration, ledger and store could be opened */
	struct hxb_error not_opened;
	struct hxb_person person; /* .user NULL: not in the store, or that can't be read */
	struct hxb_entry *entry; /* the ledger's of somebody who is no longer in the store */
	char unmapped[256]; /* why there is no login; "" if there is one */
	const struct hxb_map *map; /* pinned; NULL: none */
	const char *no_map; /* then: why */
	bool mapped;
	struct hxb_map_user entry_of_map;
	struct hxb_nss_search search[HXB_NSS_DATABASES];
	struct hxb_error search_error; /* "" : they could be read */
	struct hxb_sshd sshd; /* asked for the service sshd only */
	struct hxb_stage stages[4]; /* by enum hxb_pam_facility */
	struct hxb_faillock faillock; /* of the line of the auth stack that refuses who is locked */
	const struct hxb_pam_line *faillock_line; /* NULL: there is none */
	struct hxb_error faillock_error;
	char shell[1024];
	enum hxb_password password;
	char unjudged[384]; /* modules whose answer is not known */
	bool nologin; /* pam_nologin is asked, and its file is there: nologin_file */
	char nologin_file[128];
	bool shell_unlisted; /* pam_shells is asked, and does not know the shell */
};

enum hxb_ruling {
	HXB_RULING_NONE, /* nothing to say here */
	HXB_RULING_OK,
	HXB_RULING_NOTE,
	HXB_RULING_NO,
};

struct hxb_finding {
	const char *rule;
	enum hxb_ruling ruling;
	bool by_pam; /* a NO that counts only if the stack heeds it */
	bool decides; /* the first NO */
	char found[640]; /* what is so */
	char remedy[320]; /* "" : none is needed, or known */
};

#define HXB_FINDINGS_MAX 40

struct hxb_explanation {
	struct hxb_finding findings[HXB_FINDINGS_MAX];
	size_t count;
	bool gets_in;
	const struct hxb_finding *deciding; /* NULL: none */
};

/* Sets a finding's words. */
void hxb_find(struct hxb_finding *, enum hxb_ruling, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void hxb_remedy(struct hxb_finding *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * explain_case.c: gathers. HXB_NOT_FOUND: no such user, or one of the host's own; HXB_AMBIGUOUS, HXB_INVALID.
 * Whatever it returns, hxb_case_clear() may follow. Opens the session; that it can't be opened is for a rule
 * to say.
 */
enum hxb_result hxb_case_open(
    struct hxb_session *, const char *operand, const char *service, struct hxb_case *, struct hxb_error *);
void hxb_case_clear(struct hxb_case *);

/* explain_stage.c: reads the stacks, lets pam_hexabot judge, and runs them. */
enum hxb_result hxb_stages_run(struct hxb_case *, struct hxb_error *);
void hxb_stages_clear(struct hxb_case *);

/* explain_modules.c: what a module would answer; `good`: if all that hangs on the user were as it should be.
 */
int hxb_module_answer(struct hxb_case *, enum hxb_pam_facility, const struct hxb_pam_line *, bool good);

/* explain.c: asks every rule. */
void hxb_explain(struct hxb_case *, struct hxb_explanation *);

/* The rules, in explain_names.c, explain_sshd.c, explain_state.c and explain_pam.c. */
typedef void hxb_rule_fn(const struct hxb_case *, struct hxb_finding *);
hxb_rule_fn hxb_rule_user, hxb_rule_passwd, hxb_rule_group, hxb_rule_shadow, hxb_rule_map, hxb_rule_name;
hxb_rule_fn hxb_rule_sshd, hxb_rule_sshd_users, hxb_rule_sshd_keys, hxb_rule_chroot, hxb_rule_shell;
hxb_rule_fn hxb_rule_auth, hxb_rule_nologin, hxb_rule_lockout, hxb_rule_account, hxb_rule_new_password,
    hxb_rule_session, hxb_rule_unjudged;
hxb_rule_fn hxb_rule_records, hxb_rule_hold, hxb_rule_state, hxb_rule_expiry, hxb_rule_roles,
    hxb_rule_service_roles, hxb_rule_password, hxb_rule_groups;

/* Whether the service starts the user's shell: without one, or without a session, nobody is in. */
bool hxb_starts_shell(const char *service);

/* Whether an open registration waits: the code is the password. */
bool hxb_case_is_invited(const struct hxb_case *);

/* The stage whose judgement of the state is told: auth's where that is asked, else account's. */
const struct hxb_stage *hxb_case_judged(const struct hxb_case *);

#endif
