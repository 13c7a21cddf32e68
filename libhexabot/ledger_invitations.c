/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "ledger_private.h"

#define COLUMNS "digest, user_id, marker, actor, created, expires, delivery, ended"

/* For binding: hxb_db_query() only reads it. */
static struct hxb_value
digest_value(const unsigned char *digest)
{
	return (struct hxb_value){
		.type = 'b', .bytes = (unsigned char *)(uintptr_t)digest, .size = HXB_CODE_DIGEST_SIZE
	};
}

static struct hxb_invitation *
read_invitation(sqlite3_stmt *stmt)
{
	struct hxb_invitation *invitation = calloc(1, sizeof(*invitation));

	if (invitation == NULL)
		return NULL;
	if (sqlite3_column_bytes(stmt, 0) == HXB_CODE_DIGEST_SIZE)
		memcpy(invitation->digest, sqlite3_column_blob(stmt, 0), HXB_CODE_DIGEST_SIZE);
	invitation->user_id = hxb_db_text(stmt, 1);
	invitation->marker = hxb_db_text(stmt, 2);
	invitation->actor = hxb_db_text(stmt, 3);
	invitation->created = sqlite3_column_int64(stmt, 4);
	invitation->expires = sqlite3_column_int64(stmt, 5);
	invitation->delivery = (enum hxb_delivery)sqlite3_column_int(stmt, 6);
	invitation->ended = (enum hxb_invitation_end)sqlite3_column_int(stmt, 7);
	if (invitation->user_id == NULL || invitation->marker == NULL || invitation->actor == NULL) {
		hxb_invitation_free(invitation);
		return NULL;
	}
	return invitation;
}

/* Takes the first row of a prepared statement, and finalizes it. */
static enum hxb_result
first_invitation(struct hxb_ledger *ledger, sqlite3_stmt *stmt, struct hxb_invitation **invitationp,
    struct hxb_error *error)
{
	enum hxb_result r = hxb_db_step(&ledger->db, stmt, error);

	if (r == HXB_OK && (*invitationp = read_invitation(stmt)) == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	hxb_db_end(&ledger->db, stmt);
	return r;
}

enum hxb_result
hxb_ledger_put_invitation(
    struct hxb_ledger *ledger, const struct hxb_invitation *invitation, struct hxb_error *error)
{
	const struct hxb_value digest = digest_value(invitation->digest);

	return hxb_db_run(&ledger->db, NULL, error,
	    "INSERT INTO invitations (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", "vtttiiii",
	    &digest, invitation->user_id, invitation->marker, invitation->actor, invitation->created,
	    invitation->expires, (int64_t)invitation->delivery, (int64_t)invitation->ended);
}

enum hxb_result
hxb_ledger_invitation(struct hxb_ledger *ledger, const char *user_id, struct hxb_invitation **invitationp,
    struct hxb_error *error)
{
	sqlite3_stmt *stmt;
	enum hxb_result r;

	*invitationp = NULL;
	r = hxb_db_query(&ledger->db, &stmt, error,
	    "SELECT " COLUMNS
	    " FROM invitations WHERE user_id = ?1 ORDER BY ended = 0 DESC, seq DESC LIMIT 1",
	    "t", user_id);
	return r == HXB_OK ? first_invitation(ledger, stmt, invitationp, error) : r;
}

enum hxb_result
hxb_ledger_invitation_of_code(struct hxb_ledger *ledger, const char *user_id,
    const unsigned char digest[HXB_CODE_DIGEST_SIZE], struct hxb_invitation **invitationp,
    struct hxb_error *error)
{
	const struct hxb_value value = digest_value(digest);
	sqlite3_stmt *stmt;
	enum hxb_result r;

	*invitationp = NULL;
	r = hxb_db_query(&ledger->db, &stmt, error,
	    "SELECT " COLUMNS " FROM invitations WHERE user_id = ?1 AND digest = ?2", "tv", user_id, &value);
	return r == HXB_OK ? first_invitation(ledger, stmt, invitationp, error) : r;
}

enum hxb_result
hxb_ledger_end_invitation(struct hxb_ledger *ledger, const char *user_id, enum hxb_invitation_end end,
    bool *ended, struct hxb_error *error)
{
	unsigned changed = 0;
	enum hxb_result r;

	r = hxb_db_run(&ledger->db, &changed, error,
	    "UPDATE invitations SET ended = ?2 WHERE user_id = ?1 AND ended = 0", "ti", user_id,
	    (int64_t)end);
	if (ended != NULL)
		*ended = changed > 0;
	return r;
}

enum hxb_result
hxb_ledger_revoke_invitations(
    struct hxb_ledger *ledger, const char *user_id, enum hxb_invitation_end end, struct hxb_error *error)
{
	return hxb_db_run(&ledger->db, NULL, error,
	    "UPDATE invitations SET ended = ?2 WHERE user_id = ?1 AND ended IN (?3, ?4, ?5)", "tiiii",
	    user_id, (int64_t)end, (int64_t)HXB_INVITATION_OPEN, (int64_t)HXB_INVITATION_EXPIRED,
	    (int64_t)HXB_INVITATION_DISABLED);
}

enum hxb_result
hxb_ledger_never_registered(
    struct hxb_ledger *ledger, const char *user_id, bool *never, struct hxb_error *error)
{
	int64_t revoked = 0, others = 0;
	enum hxb_result r;

	*never = false;
	r = hxb_db_number(&ledger->db, &revoked, error,
	    "SELECT count(*) FROM invitations WHERE user_id = ?1 AND ended = ?2", "ti", user_id,
	    (int64_t)HXB_INVITATION_REVOKED);
	if (r == HXB_OK)
		r = hxb_db_number(&ledger->db, &others, error,
		    "SELECT count(*) FROM invitations WHERE user_id = ?1 AND ended NOT IN (?2, ?3)", "tii",
		    user_id, (int64_t)HXB_INVITATION_REVOKED, (int64_t)HXB_INVITATION_REPLACED);
	*never = r == HXB_OK && revoked > 0 && others == 0;
	return r;
}

enum hxb_result
hxb_ledger_set_delivery(struct hxb_ledger *ledger, const unsigned char digest[HXB_CODE_DIGEST_SIZE],
    enum hxb_delivery delivery, struct hxb_error *error)
{
	const struct hxb_value value = digest_value(digest);

	return hxb_db_run(&ledger->db, NULL, error, "UPDATE invitations SET delivery = ?2 WHERE digest = ?1",
	    "vi", &value, (int64_t)delivery);
}

enum hxb_result
hxb_ledger_invited_ids(struct hxb_ledger *ledger, char ***idsp, struct hxb_error *error)
{
	return hxb_db_texts(
	    &ledger->db, idsp, error, "SELECT user_id FROM invitations WHERE ended = 0", NULL);
}

enum hxb_result
hxb_ledger_forget_invitations(struct hxb_ledger *ledger, const char *user_id, struct hxb_error *error)
{
	return hxb_db_run(
	    &ledger->db, NULL, error, "DELETE FROM invitations WHERE user_id = ?1", "t", user_id);
}
