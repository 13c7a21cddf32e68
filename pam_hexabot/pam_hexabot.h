/* SPDX-License-Identifier: ISC */
/*
 * What the stages share. Rules of every stage (DESIGN):
 * - a user of the host's, or of another name service, gets USER_UNKNOWN before options, configuration or a
 * database are looked at; a name that nobody has gets it after the same work as our own users';
 * - for our own users, anything that can't be read denies;
 * - SUCCESS is the table's answer to a state, never a default.
 */
#ifndef HXB_PAM_H
#define HXB_PAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* All else is hidden: -fvisibility. */
#pragma GCC visibility push(default)
#include <security/pam_modules.h>
#pragma GCC visibility pop

#include "libhexabot/bracket.h"
#include "libhexabot/config.h"
#include "libhexabot/deadline.h"
#include "libhexabot/ledger.h"
#include "libhexabot/store.h"
#include "libhexabot/verdict.h"

enum owner {
	OWNER_NOBODY, /* no name service knows the name */
	OWNER_HOST, /* a local user, or another name service's */
	OWNER_US,
};

/* One entry point's call. */
struct call {
	pam_handle_t *pamh;
	unsigned flags;
	const char *service;
	const char *login;
	uid_t uid;
	struct hxb_config config;
	struct hxb_deadline deadline;
	char *id;
	uint64_t id_digest;
	struct hxb_user *user; /* NULL: no row, or not loaded */
	bool held;
	int64_t expires;
	gid_t *groups; /* the user's on the host, to be compared with the roles; NULL: they are not */
	int group_count;
	const char *typed; /* that may be a code; NULL: nothing was */
	struct hxb_invitation *invitation; /* the user's open or last one; NULL: never invited */
	struct hxb_invitation *code; /* the one whose code was typed, open or not; NULL: none of the user's */
	bool by_root; /* chauthtok: root changes it, not the user */
	bool registers; /* chauthtok: with the code of this digest */
	unsigned char digest[HXB_CODE_DIGEST_SIZE];
	enum hxb_state state;
	struct hxb_error error; /* why it is HXB_STATE_UNREADABLE */
	const char *refusal; /* for the log; NULL: the state's reason */
	char refusal_text[192];
};

/*
 * What the module shares with hexabot_chkpwd and 'hexactl explain': no PAM handle in owner.c, context.c,
 * code.c, proof.c and answer.c.
 */

/* owner.c: whose user call->login is. Looks at nothing but the name service and the map. */
enum owner owner_of(struct call *call);

/* context.c */

/* Takes the module's arguments. false: call->error says which one is wrong. */
bool call_arguments(struct call *call, int argc, const char **argv);

/*
 * Reads configuration, ledger and store, and sets call->state. compare_groups: whether the user's groups on
 * the host are to be compared with the roles. No descriptor and no lock remain.
 */
void call_load(struct call *call, bool compare_groups);
/* The same for who only wants to know: compares the groups, and writes nothing down. */
void call_look(struct call *call);
void call_free(struct call *call);

/* Opens ledger and store, in a bracket that call_leave() ends: no prompt and no hash in between. */
struct session {
	struct hxb_bracket bracket; /* root's: nobody stops us while the ledger is open either */
	struct hxb_ledger *ledger;
	struct hxb_store *store;
};
enum hxb_result call_enter(struct call *call, struct session *session);
void call_leave(struct session *session);

/* Reads the user's row, hold, invitation and expiry in an open session, and sets call->state: the whole
 * verdict. */
enum hxb_result call_judge(struct call *call, struct session *session);
/* What the verdict was given, once it is judged; good as long as the call. */
void call_input(const struct call *call, struct hxb_verdict_input *input);

/* proof.c: loads, and says what auth answers to the password; sets call->refusal. */
enum hxb_answer prove(struct call *call, const char *password);

/* code.c: an invitation's code. */

/* Looks up call->invitation, and call->code if something was typed. */
enum hxb_result code_look_up(struct call *call, struct hxb_ledger *ledger);

/* Writes down that the invitation has ended, if that is so and the ledger is free: else somebody else will.
 */
void code_settle(const struct call *call, struct hxb_ledger *ledger);

/* Whether what was typed is the user's good code. */
bool code_is_right(const struct call *call);

/* Why the code that was typed is refused; NULL if it was none of the user's. */
const char *code_refusal(const struct call *call);

/* code_kept.c */

/* Keeps a code that was proved for this handle's chauthtok / takes it from there: false if there is none. */
int code_keep(const struct call *call);
bool code_take(struct call *call);
void code_forget(const struct call *call);

/* log.c: one line for one decision. reason NULL: the state's own. */
void log_allowed(const struct call *call);
void log_refused(const struct call *call, const char *reason);
void log_pending(const struct call *call); /* neither: something is to be done first */
void log_debug(const struct call *call, const char *text);

/* answer.c: the only place where an answer becomes a PAM code. */
int pam_code(enum hxb_answer answer);

/* The stages. Each is called for our own users only. */
int stage_authenticate(struct call *call);
int stage_unknown_user(struct call *call); /* the same work, for a name that nobody knows */
int stage_account(struct call *call);
int stage_chauthtok(struct call *call);
int stage_open_session(struct call *call);

/* The password from the module before us, or from a prompt. It stays PAM's, which clears it. */
int ask_password(struct call *call, const char **password);

/* helper.c: the same stages for a program that does not run as root. */
int helper_authenticate(struct call *call);
int helper_account(struct call *call);

#endif
