/* SPDX-License-Identifier: ISC */
/*
 * MUST: a user's own change proves the current password in this very pass; the row is judged again, and
 * written only if it is what was judged, in one transaction; the new password is hashed outside of it.
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
	if (current != NULL && strcmp(*password, current) == 0)
		hxb_fail(&error, HXB_INVALID, "%s", MESSAGE_UNCHANGED);
	else if (hxb_password_acceptable(*password, call->config.password_min_length, &error) == HXB_OK)
		return PAM_SUCCESS;
	pam_error(call->pamh, "%s", error.text);
	(void)pam_set_item(call->pamh, PAM_AUTHTOK, NULL);
	return PAM_AUTHTOK_ERR;
}

static enum hxb_result
replace_in_store(struct call *call, struct session *session, const char *expected, const char *hash)
{
	enum hxb_result r = hxb_store_begin(session->store, &call->error);

	if (r != HXB_OK)
		return r;
	/* The whole verdict again: nobody asks account again after a forced change. */
	r = call_judge(call, session);
	if (r == HXB_OK && answer_of(call) != HXB_ANSWER_SETS)
		r = hxb_fail(&call->error, HXB_CONFLICT, "%s meanwhile", hxb_state_rule(call->state)->reason);
	if (r == HXB_OK)
		r = hxb_store_set_password(session->store, call->id, expected, hash, &call->error);
	if (r == HXB_OK)
		return hxb_store_commit(session->store, &call->error);
	hxb_store_rollback(session->store);
	return r;
}

/* expected: the hash that the current password was proved against; NULL where root sets it. */
static enum hxb_result
write_hash(struct call *call, const char *expected, const char *hash)
{
	const char *actor = call->by_root ? "root" : call->login;
	struct session session;
	enum hxb_result r;

	call->deadline = hxb_deadline_in(HXB_PAM_DEADLINE);
	r = call_enter(call, &session);
	if (r != HXB_OK)
		return r;
	r = hxb_ledger_begin(session.ledger, &call->error);
	if (r == HXB_OK)
		r = hxb_ledger_record(session.ledger,
		    &(struct hxb_event){ .actor = actor,
		        .action = "passwd",
		        .user_id = call->id,
		        .name = call->login,
		        .before = "",
		        .after = "" },
		    &call->error);
	if (r == HXB_OK)
		r = call_judge(call, &session);
	if (r == HXB_OK && call->held)
		r = answer_of(call) == HXB_ANSWER_SETS
		    ? hxb_ledger_set_parked_password(session.ledger, call->id, hash, &call->error)
		    : hxb_fail(
		          &call->error, HXB_CONFLICT, "%s meanwhile", hxb_state_rule(call->state)->reason);
	else if (r == HXB_OK)
		r = replace_in_store(call, &session, expected, hash);
	if (r == HXB_OK)
		r = hxb_ledger_commit(session.ledger, &call->error);
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
	if (current != NULL && (expected = strdup(call->user->password)) == NULL)
		return PAM_BUF_ERR;
	r = hxb_password_hash(password, call->config.password_cost, hash, &call->error);
	if (r == HXB_OK)
		r = write_hash(call, expected, hash);
	hxb_secret_free(expected);
	HXB_WIPE(hash);
	if (r == HXB_OK) {
		pam_syslog(call->pamh, LOG_INFO, "password of %.32s changed by %s", call->login,
		    current == NULL ? "root" : "the user");
		return PAM_SUCCESS;
	}
	log_refused(call, call->error.text);
	pam_error(call->pamh, "%s", r == HXB_CONFLICT ? MESSAGE_CHANGED_MEANWHILE : MESSAGE_NOT_NOW);
	return r == HXB_BUSY ? PAM_AUTHTOK_LOCK_BUSY : PAM_AUTHTOK_ERR;
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
	answer = forced ? hxb_state_rule(call->state)->account : answer_of(call);
	if (forced && answer == HXB_ANSWER_SUCCESS) /* Hexabot's passwords do not expire: nothing is due */
		return PAM_SUCCESS;
	if (answer != HXB_ANSWER_SETS) {
		log_refused(call, NULL);
		return pam_code(answer);
	}
	if (!call->by_root)
		code = prove_current_password(call, &current);
	if (code != PAM_SUCCESS || (call->flags & PAM_PRELIM_CHECK) != 0)
		return code;
	return set_password(call, current);
}
