/* SPDX-License-Identifier: ISC */
/*
 * MUST: a user's own change proves the current password in this very pass, or the code of an invitation in
 * this pass or this handle's auth; row and code are judged again, and written only if they are what was
 * judged, in one transaction; the new password is hashed outside of it.
 */
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <security/pam_ext.h>

#include "libhexabot/password.h"
#include "libhexabot/secret.h"
#include "messages.h"
#include "pam_hexabot.h"

#define FAIL_DELAY 2000000 /* µs */

static enum hxb_answer
answer_of(const struct call *call)
{
	const struct hxb_state_rule *rule = hxb_state_rule(call->state);

	return call->by_root ? rule->change_by_root : rule->change_by_user;
}

static int
prove_current_password(struct call *call, const char **current)
{
	const char *hash = call->user->password;
	int code;

	*current = NULL;
	code = pam_get_authtok(call->pamh, PAM_OLDAUTHTOK, current, MESSAGE_CURRENT_PASSWORD);
	if (code != PAM_SUCCESS || *current == NULL) {
		log_refused(call, "no current password was given");
		return code == PAM_SUCCESS ? PAM_AUTHTOK_RECOVERY_ERR : code;
	}
	if (hxb_password_verify(*current, hash, call->config.password_cost, call->config.password_max_cost))
		return PAM_SUCCESS;
	pam_fail_delay(call->pamh, FAIL_DELAY);
	log_refused(call, "wrong current password");
	return PAM_AUTH_ERR;
}

/* From this handle's auth, else asked for. */
static int
prove_code(struct call *call)
{
	const char *refusal;
	int code;

	call->registers = true;
	if (code_take(call))
		return PAM_SUCCESS;
	code = pam_get_authtok(call->pamh, PAM_OLDAUTHTOK, &call->typed, MESSAGE_CODE);
	if (code != PAM_SUCCESS || call->typed == NULL) {
		log_refused(call, "no code was given");
		return code == PAM_SUCCESS ? PAM_AUTHTOK_RECOVERY_ERR : code;
	}
	call_load(call, call->groups != NULL);
	if (call->state == HXB_STATE_UNREADABLE) {
		log_refused(call, NULL);
		return PAM_TRY_AGAIN;
	}
	if (code_is_right(call) && hxb_state_registers(call->state)) {
		memcpy(call->digest, call->code->digest, sizeof(call->digest));
		return PAM_SUCCESS;
	}
	pam_fail_delay(call->pamh, FAIL_DELAY);
	refusal = code_refusal(call);
	log_refused(call, refusal != NULL ? refusal : "wrong code");
	return PAM_AUTH_ERR;
}

static bool
is_the_code(const struct call *call, const char *password)
{
	unsigned char digest[HXB_CODE_DIGEST_SIZE];
	bool same = call->registers && hxb_code_digest(password, digest) &&
	    hxb_secret_equal(digest, call->digest, sizeof(digest));

	HXB_WIPE(digest);
	return same;
}

static int
ask_new_password(struct call *call, const char *current, const char **password)
{
	struct hxb_error error = { "" };
	int code;

	*password = NULL;
	/* libpam asks twice, or takes the token of the module before us; `use_authtok` is its to read. */
	code = pam_get_authtok(call->pamh, PAM_AUTHTOK, password, NULL);
	if (code != PAM_SUCCESS || *password == NULL)
		return code == PAM_SUCCESS ? PAM_AUTHTOK_ERR : code;
	if (is_the_code(call, *password))
		hxb_fail(&error, HXB_INVALID, "%s", MESSAGE_IS_CODE);
	else if (current != NULL && strcmp(*password, current) == 0)
		hxb_fail(&error, HXB_INVALID, "%s", MESSAGE_UNCHANGED);
	else if (hxb_password_acceptable(*password, call->config.password_min_length, &error) == HXB_OK)
		return PAM_SUCCESS;
	pam_error(call->pamh, "%s", error.text);
	(void)pam_set_item(call->pamh, PAM_AUTHTOK, NULL);
	return PAM_AUTHTOK_ERR;
}

/* Whether what was true when the person began still is. */
static enum hxb_result
check_again(struct call *call)
{
	const struct hxb_invitation *invitation = call->invitation;

	if (answer_of(call) != HXB_ANSWER_SETS || (call->registers && !hxb_state_registers(call->state)))
		return hxb_fail(
		    &call->error, HXB_CONFLICT, "%s meanwhile", hxb_state_rule(call->state)->reason);
	if (call->registers && !hxb_secret_equal(invitation->digest, call->digest, sizeof(call->digest)))
		return hxb_fail(&call->error, HXB_CONFLICT, "code replaced meanwhile");
	return HXB_OK;
}

/* A commit that failed may have come through: then it is the person's password, and is to be told so. */
static enum hxb_result
commit(struct call *call, struct session *session, const char *hash)
{
	struct hxb_user *user = NULL;
	enum hxb_result r = hxb_store_commit(session->store, &call->error);

	if (r == HXB_OK || hxb_store_user(session->store, HXB_BY_ID, call->id, &user, NULL) != HXB_OK)
		return r;
	if (user->password != NULL && strcmp(user->password, hash) == 0) {
		pam_syslog(call->pamh, LOG_ERR, "a new password of %.32s is set, but %.400s", call->login,
		    call->error.text);
		r = HXB_OK;
	}
	hxb_user_free(user);
	return r;
}

static enum hxb_result
replace_in_store(struct call *call, struct session *session, const char *expected, const char *hash)
{
	enum hxb_result r = hxb_store_begin(session->store, &call->error);

	if (r != HXB_OK)
		return r;
	/* The whole verdict again: nobody asks account again after a forced change. */
	r = call_judge(call, session);
	if (r == HXB_OK)
		r = check_again(call);
	if (r == HXB_OK)
		r = hxb_store_set_password(session->store, call->id, expected, hash, &call->error);
	if (r == HXB_OK)
		return commit(call, session, hash);
	hxb_store_rollback(session->store);
	return r;
}

/* Of a held user the parked password is replaced, which only root may do. */
static enum hxb_result
replace(struct call *call, struct session *session, const char *expected, const char *hash)
{
	enum hxb_result r = call_judge(call, session);

	if (r != HXB_OK || !call->held)
		return r == HXB_OK ? replace_in_store(call, session, expected, hash) : r;
	r = check_again(call);
	if (r == HXB_OK)
		r = hxb_ledger_set_parked_password(session->ledger, call->id, hash, &call->error);
	return r;
}

static enum hxb_result
record(struct call *call, struct hxb_ledger *ledger)
{
	const struct hxb_event event = { .actor = call->by_root ? "root" : call->login,
		.action = call->registers ? "register" : "passwd",
		.user_id = call->id,
		.name = call->login,
		.before = call->registers ? "invited" : "",
		.after = call->registers ? "registered" : "" };

	return hxb_ledger_record(ledger, &event, &call->error);
}

/* What the ledger is told of a change that is made. */
static enum hxb_result
close_books(struct call *call, struct hxb_ledger *ledger)
{
	enum hxb_result r = record(call, ledger);

	if (r == HXB_OK && (call->registers || call->by_root))
		r = hxb_ledger_end_invitation(ledger, call->id,
		    call->registers ? HXB_INVITATION_USED : HXB_INVITATION_PASSWORD_SET, NULL, &call->error);
	return r == HXB_OK ? hxb_ledger_commit(ledger, &call->error) : r;
}

/*
 * The store is written before the code counts as used: a crash, or a full disk, between leaves a code whose
 * marker is gone, which is void, too. expected: the password column that was judged; NULL where root sets it.
 */
static enum hxb_result
write_hash(struct call *call, const char *expected, const char *hash)
{
	struct session session;
	enum hxb_result r, booked;

	call->deadline = hxb_deadline_in(HXB_PAM_DEADLINE);
	r = call_enter(call, &session);
	if (r != HXB_OK)
		return r;
	r = hxb_ledger_begin(session.ledger, &call->error);
	if (r == HXB_OK)
		r = replace(call, &session, expected, hash);
	if (r == HXB_OK) {
		booked = close_books(call, session.ledger);
		if (booked != HXB_OK && call->held)
			r = booked;
		else if (booked != HXB_OK)
			pam_syslog(call->pamh, LOG_ERR,
			    "a new password of %.32s is not in the ledger: %.400s", call->login,
			    call->error.text);
	}
	call_leave(&session);
	return r;
}

static int
set_password(struct call *call, const char *current)
{
	char hash[HXB_HASH_SIZE], *expected = NULL;
	const char *password;
	enum hxb_result r;
	int code;

	code = ask_new_password(call, current, &password);
	if (code != PAM_SUCCESS)
		return code;
	if (!call->by_root && (expected = strdup(call->user->password)) == NULL)
		return PAM_BUF_ERR;
	r = hxb_password_hash(password, call->config.password_cost, hash, &call->error);
	if (r == HXB_OK)
		r = write_hash(call, expected, hash);
	hxb_secret_free(expected);
	HXB_WIPE(hash);
	if (r == HXB_OK) {
		code_forget(call);
		pam_syslog(call->pamh, LOG_INFO, "password of %.32s %s by %s", call->login,
		    call->registers ? "set for the first time" : "changed",
		    call->by_root ? "root" : "the user");
		return PAM_SUCCESS;
	}
	log_refused(call, call->error.text);
	pam_error(call->pamh, "%s", r == HXB_CONFLICT ? MESSAGE_CHANGED_MEANWHILE : MESSAGE_NOT_NOW);
	return r == HXB_BUSY ? PAM_AUTHTOK_LOCK_BUSY : PAM_AUTHTOK_ERR;
}

/* A forced change is one that account asked for; of somebody who has a password none is due. What can't be
 * read is chauthtok's own to answer. */
static enum hxb_answer
answer_to(const struct call *call, bool forced)
{
	enum hxb_answer account = hxb_state_rule(call->state)->account;

	if (!forced || call->state == HXB_STATE_UNREADABLE)
		return answer_of(call);
	return account == HXB_ANSWER_NEW_AUTHTOK ? answer_of(call) : account;
}

int
stage_chauthtok(struct call *call)
{
	bool forced = (call->flags & PAM_CHANGE_EXPIRED_AUTHTOK) != 0;
	const char *current = NULL;
	enum hxb_answer answer;
	int code = PAM_SUCCESS;

	/*
	 * sshd and su run a forced change with uid 0: that is the user's doing, not root's. Asked once, and
	 * before any bracket: in there everybody's real uid is root's.
	 */
	call->by_root = getuid() == 0 && !forced;
	call_load(call, forced);
	answer = answer_to(call, forced);
	if (forced && answer == HXB_ANSWER_SUCCESS && code_take(call)) {
		log_refused(call, REASON_ONLY_CODE);
		pam_error(call->pamh, "%s", MESSAGE_CHANGED_MEANWHILE);
		return PAM_AUTHTOK_ERR;
	}
	if (forced && answer == HXB_ANSWER_SUCCESS) /* Hexabot's passwords do not expire: nothing is due */
		return PAM_SUCCESS;
	if (answer != HXB_ANSWER_SETS) {
		log_refused(call, NULL);
		return pam_code(answer);
	}
	if (!call->by_root)
		code = hxb_state_registers(call->state) ? prove_code(call)
		                                        : prove_current_password(call, &current);
	if (code != PAM_SUCCESS || (call->flags & PAM_PRELIM_CHECK) != 0)
		return code;
	return set_password(call, current);
}
