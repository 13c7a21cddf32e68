/* SPDX-License-Identifier: ISC */
/* Invitations: codes, the one test of what has ended them, the ledger's memory, and who writes an end down.
 */
#include <ctype.h>

#include "libhexabot/invitation.h"
#include "libhexabot/jwt.h"
#include "libhexabot/secret.h"
#include "libhexabot/settle.h"
#include "libhexabot/token.h"
#include "libhexabot/verdict.h"
#include "support.h"

#define NOW 1800000000

static char id[] = "e060a724-2411-4258-b51b-4c8349a047dc", marker[] = "$2!invited.0123", actor[] = "lars";

/* ---- codes ---- */

static void
a_code_is_five_groups_of_five(void **state)
{
	char code[HXB_CODE_SIZE], other[HXB_CODE_SIZE];
	unsigned char one[HXB_CODE_DIGEST_SIZE], two[HXB_CODE_DIGEST_SIZE];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_ok(hxb_code_make(code, &err));
		assert_int_equal(strlen(code), 29);
		for (size_t k = 0; k < 29; k++)
			assert_non_null(
			    strchr(k % 6 == 5 ? "-" : "0123456789ABCDEFGHJKMNPQRSTVWXYZ", code[k]));
		assert_ok(hxb_code_make(other, &err));
		assert_string_not_equal(code, other);
		assert_true(hxb_code_digest(code, one));
		assert_true(hxb_code_digest(other, two));
		assert_memory_not_equal(one, two, sizeof(one));
	}
}

static void
what_people_type_is_forgiven(void **state)
{
	static const char *const same[] = {
		"01ABC-DEFGH-JKMNP-QRSTV-WXYZ1",
		"01abc-defgh-jkmnp-qrstv-wxyz1",
		"oIabc defgh jkmnp qrstv wxyzl",
		"OLABCDEFGHJKMNPQRSTVWXYZi",
		" 0-1-A-B-C DEFGHJKMNPQRSTVWXYZ1\t\r\n",
	};
	static const char *const none[] = {
		"",
		"-----",
		"01ABC-DEFGH-JKMNP-QRSTV-WXYZ",
		"01ABC-DEFGH-JKMNP-QRSTV-WXYZ12",
		"U1ABC-DEFGH-JKMNP-QRSTV-WXYZ1",
		"01ABC-DEFGH-JKMNP-QRSTV-WXYZ\xc3\xa9",
		"01ABC-DEFGH-JKMNP-QRSTV-WXYZ!",
		"pw-mona",
	};
	unsigned char first[HXB_CODE_DIGEST_SIZE], digest[HXB_CODE_DIGEST_SIZE];

	(void)state;
	assert_true(hxb_code_digest(same[0], first));
	for (size_t i = 0; i < COUNT(same); i++) {
		assert_true(hxb_code_digest(same[i], digest));
		assert_memory_equal(digest, first, sizeof(first));
	}
	for (size_t i = 0; i < COUNT(none); i++)
		assert_false(hxb_code_digest(none[i], digest));
}

/* ---- the token of the link; other implementations' word on it is in the system tests ---- */

static void
a_token_is_signed_and_begins_with_its_times(void **state)
{
	char *token, *other;

	(void)state;
	/* What RFC 7515 gives for this header. */
	assert_ok(hxb_jwt_make("bob@example.org", NOW, NOW + 3600, "secret", &token, &err));
	assert_contains(
	    token, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE4MDAwMDAwMDAsImV4cCI6MTgwMDAwMzYwMCwi");
	/* bcrypt sees the first 72 bytes: those of another second have to differ. */
	assert_ok(hxb_jwt_make("bob@example.org", NOW + 1, NOW + 3601, "secret", &other, &err));
	assert_int_not_equal(strncmp(token, other, 72), 0);
	hxb_secret_free(other);
	assert_ok(hxb_jwt_make("bob@example.org", NOW, NOW + 3600, "Secret", &other, &err));
	assert_int_equal(strncmp(token, other, strlen(token) - 43), 0);
	assert_string_not_equal(token, other);
	hxb_secret_free(other);
	hxb_secret_free(token);
	assert_result(hxb_jwt_make("a\"b@example.org", NOW, NOW, "k", &token, &err), HXB_INVALID);
	assert_result(hxb_jwt_make("a\\b@example.org", NOW, NOW, "k", &token, &err), HXB_INVALID);
	assert_result(hxb_jwt_make("a\nb@example.org", NOW, NOW, "k", &token, &err), HXB_INVALID);
	assert_null(token);
}

/* ---- what has ended one ---- */

static struct hxb_user user;
static struct hxb_invitation invitation;

static void
begin(void)
{
	user = (struct hxb_user){ .id = id, .password = marker, .enabled = true };
	invitation = (struct hxb_invitation){
		.user_id = id, .marker = marker, .actor = actor, .created = NOW - 60, .expires = NOW + 60
	};
}

static void
an_invitation_ends_in_one_of_these_ways(void **state)
{
	static char hash[] = "$2b$12$lBts50Jx9M08wfz7BaOEL.b4/vJse5pfyJy20rUt.VqqPc0DS8tQu",
	            other[] = "$2!invited.4567", longer[] = "$2!invited.01234";
	char *const passwords[] = { hash, other, longer, NULL };

	(void)state;
	begin();
	assert_int_equal(hxb_invitation_end_of(&invitation, &user, false, NOW), HXB_INVITATION_OPEN);
	assert_int_equal(hxb_invitation_end_of(&invitation, &user, false, NOW + 59), HXB_INVITATION_OPEN);
	assert_int_equal(hxb_invitation_end_of(&invitation, &user, false, NOW + 60), HXB_INVITATION_EXPIRED);
	assert_int_equal(hxb_invitation_end_of(&invitation, &user, true, NOW), HXB_INVITATION_DISABLED);
	assert_int_equal(hxb_invitation_end_of(&invitation, NULL, false, NOW), HXB_INVITATION_REMOVED);
	for (size_t i = 0; i < COUNT(passwords); i++) {
		user.password = passwords[i];
		assert_int_equal(
		    hxb_invitation_end_of(&invitation, &user, false, NOW), HXB_INVITATION_REGISTERED);
	}
	begin();
	user.enabled = false;
	assert_int_equal(hxb_invitation_end_of(&invitation, &user, false, NOW), HXB_INVITATION_DISABLED);
	/* What the ledger has written down stays so, whatever the row says by now. */
	for (int end = HXB_INVITATION_USED; end <= HXB_INVITATION_REMOVED; end++) {
		begin();
		invitation.ended = (enum hxb_invitation_end)end;
		assert_int_equal(hxb_invitation_end_of(&invitation, &user, false, NOW), end);
		for (int before = HXB_INVITATION_OPEN; before < end; before++)
			assert_string_not_equal(hxb_invitation_end_text((enum hxb_invitation_end)end),
			    hxb_invitation_end_text((enum hxb_invitation_end)before));
	}
}

static void
where_a_code_counts(void **state)
{
	static char manager[] = "manager", sshd[] = "sshd", login[] = "login";
	static char *login_roles[] = { manager, NULL }, *services[] = { sshd, login, NULL };
	static struct hxb_role roles[] = { { .id = id, .name = manager, .active = true } };
	static const struct {
		const char *service;
		enum hxb_state state;
	} cases[] = {
		{ NULL, HXB_STATE_INVITED },
		{ "sshd", HXB_STATE_INVITED },
		{ "login", HXB_STATE_INVITED },
		{ "passwd", HXB_STATE_INVITED_PASSWD },
		{ "su", HXB_STATE_INVITED_ELSEWHERE },
		{ "sshd2", HXB_STATE_INVITED_ELSEWHERE },
		{ "", HXB_STATE_INVITED_ELSEWHERE },
	};
	struct hxb_verdict_input input;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		begin();
		user.roles = roles;
		user.role_count = 1;
		input = (struct hxb_verdict_input){ .user = &user,
			.login_roles = login_roles,
			.invitation = &invitation,
			.service = cases[i].service,
			.invite_services = services,
			.now = NOW };
		assert_int_equal(hxb_verdict(&input), cases[i].state);
		assert_int_equal(hxb_state_registers(cases[i].state),
		    cases[i].state == HXB_STATE_INVITED || cases[i].state == HXB_STATE_INVITED_PASSWD);
		/* What is graver wins, everywhere. */
		input.held = true;
		assert_int_equal(hxb_verdict(&input), HXB_STATE_HELD);
		input.held = false;
		user.enabled = false;
		assert_int_equal(hxb_verdict(&input), HXB_STATE_DISABLED);
		user.enabled = true;
		input.expires = 1;
		assert_int_equal(hxb_verdict(&input), HXB_STATE_EXPIRED);
		input.expires = 0;
		user.role_count = 0;
		assert_int_equal(hxb_verdict(&input), HXB_STATE_NO_ROLE);
		user.role_count = 1;
		input.now = NOW + 60;
		assert_int_equal(hxb_verdict(&input), HXB_STATE_LAPSED);
		input.now = NOW;
		invitation.ended = HXB_INVITATION_USED;
		assert_int_equal(hxb_verdict(&input), HXB_STATE_LAPSED);
		input.invitation = NULL;
		assert_int_equal(hxb_verdict(&input), HXB_STATE_LAPSED);
	}
	/* A role that was taken away and is still shown: no session begins with it. */
	begin();
	input = (struct hxb_verdict_input){ .user = &user,
		.login_roles = login_roles,
		.invitation = &invitation,
		.service = "sshd",
		.invite_services = services,
		.stale_groups = true,
		.now = NOW };
	user.roles = roles;
	user.role_count = 1;
	assert_int_equal(hxb_verdict(&input), HXB_STATE_STALE_GROUPS);
}

/* ---- the ledger ---- */

static struct hxb_ledger *ledger;
static struct hxb_store *store;
static char store_path[512], ledger_path[512];

static int
set_up(void **state)
{
	if (make_test_dir(state) != 0)
		return -1;
	snprintf(store_path, sizeof(store_path), "%s", in_dir("store.sqlite"));
	snprintf(ledger_path, sizeof(ledger_path), "%s", in_dir("ledger.sqlite"));
	make_store(store_path);
	store = open_store(store_path);
	ledger = make_ledger(ledger_path, 10000, 20000);
	return 0;
}

static int
tear_down(void **state)
{
	hxb_store_close(store);
	hxb_ledger_close(ledger);
	return remove_test_dir(state);
}

/* An invitation of that user's; its digest is all `byte`. The row gets its marker. */
static void
invite(const char *username, unsigned char byte, int64_t expires)
{
	struct hxb_invitation new = { .marker = marker, .actor = actor, .created = 1, .expires = expires };
	char of[64];

	snprintf(of, sizeof(of), "%s", user_id(store_path, username));
	sql(store_path, "UPDATE users SET password = %Q WHERE id = %Q", marker, of);
	memset(new.digest, byte, sizeof(new.digest));
	new.user_id = of;
	assert_ok(hxb_ledger_put_invitation(ledger, &new, &err));
}

static enum hxb_invitation_end
last_end(const char *username)
{
	struct hxb_invitation *found;
	enum hxb_invitation_end end;

	assert_ok(hxb_ledger_invitation(ledger, user_id(store_path, username), &found, &err));
	end = found->ended;
	hxb_invitation_free(found);
	return end;
}

static void
one_of_a_user_is_open(void **state)
{
	struct hxb_invitation *found;
	unsigned char digest[HXB_CODE_DIGEST_SIZE];
	char mona[64], **ids;
	bool ended;

	(void)state;
	snprintf(mona, sizeof(mona), "%s", user_id(store_path, "mona"));
	assert_result(hxb_ledger_invitation(ledger, mona, &found, &err), HXB_NOT_FOUND);
	assert_null(found);
	invite("mona", 1, NOW);
	assert_result(hxb_ledger_put_invitation(ledger,
	                  &(struct hxb_invitation){
	                      .digest = { 2 }, .user_id = mona, .marker = marker, .actor = actor },
	                  &err),
	    HXB_CONFLICT);
	assert_ok(hxb_ledger_end_invitation(ledger, mona, HXB_INVITATION_REPLACED, &ended, &err));
	assert_true(ended);
	assert_ok(hxb_ledger_end_invitation(ledger, mona, HXB_INVITATION_DISABLED, &ended, &err));
	assert_false(ended);
	assert_int_equal(last_end("mona"), HXB_INVITATION_REPLACED);
	invite("mona", 2, NOW + 1);
	assert_int_equal(last_end("mona"), HXB_INVITATION_OPEN);
	assert_ok(hxb_ledger_invited_ids(ledger, &ids, &err));
	assert_string_equal(ids[0], mona);
	assert_null(ids[1]);
	free(ids[0]);
	free(ids);
	/* Codes are found among the user's own. */
	memset(digest, 1, sizeof(digest));
	assert_ok(hxb_ledger_invitation_of_code(ledger, mona, digest, &found, &err));
	assert_int_equal(found->ended, HXB_INVITATION_REPLACED);
	assert_string_equal(found->marker, marker);
	assert_string_equal(found->actor, actor);
	assert_int_equal(found->expires, NOW);
	hxb_invitation_free(found);
	assert_result(hxb_ledger_invitation_of_code(ledger, "another", digest, &found, &err), HXB_NOT_FOUND);
	memset(digest, 2, sizeof(digest));
	assert_ok(hxb_ledger_set_delivery(ledger, digest, HXB_MAILED, &err));
	assert_ok(hxb_ledger_invitation(ledger, mona, &found, &err));
	assert_int_equal(found->delivery, HXB_MAILED);
	hxb_invitation_free(found);
	assert_ok(hxb_ledger_forget_invitations(ledger, mona, &err));
	assert_result(hxb_ledger_invitation(ledger, mona, &found, &err), HXB_NOT_FOUND);
}

static void
what_was_not_used_is_revoked(void **state)
{
	char mona[64];
	bool never;

	(void)state;
	snprintf(mona, sizeof(mona), "%s", user_id(store_path, "mona"));
	invite("mona", 1, NOW);
	assert_ok(hxb_ledger_end_invitation(ledger, mona, HXB_INVITATION_EXPIRED, NULL, &err));
	assert_ok(hxb_ledger_revoke_invitations(ledger, mona, HXB_INVITATION_REVOKED, &err));
	assert_int_equal(last_end("mona"), HXB_INVITATION_REVOKED);
	assert_ok(hxb_ledger_never_registered(ledger, mona, &never, &err));
	assert_true(never);
	invite("mona", 2, NOW);
	assert_ok(hxb_ledger_end_invitation(ledger, mona, HXB_INVITATION_USED, NULL, &err));
	assert_ok(hxb_ledger_revoke_invitations(ledger, mona, HXB_INVITATION_REVOKED, &err));
	assert_int_equal(last_end("mona"), HXB_INVITATION_USED);
	assert_ok(hxb_ledger_never_registered(ledger, mona, &never, &err));
	assert_false(never);
	assert_ok(hxb_ledger_forget_invitations(ledger, mona, &err));
	assert_ok(hxb_ledger_never_registered(ledger, mona, &never, &err));
	assert_false(never);
	invite("mona", 3, NOW);
	assert_ok(hxb_ledger_revoke_invitations(ledger, mona, HXB_INVITATION_WITHDRAWN, &err));
	assert_ok(hxb_ledger_never_registered(ledger, mona, &never, &err));
	assert_false(never);
}

/* As the publisher does it: the store is read before the ledger's transaction. */
static void
settle_all(void)
{
	struct hxb_invited *invited;

	assert_ok(hxb_invited_read(ledger, store, &invited, &err));
	assert_ok(hxb_ledger_begin(ledger, &err));
	assert_ok(hxb_invited_settle(ledger, invited, &err));
	assert_ok(hxb_ledger_commit(ledger, &err));
	hxb_invited_free(invited);
}

/* Whoever keeps the store's lock keeps nobody from the ledger: not even while somebody waits for it. */
static void
who_locks_the_store_keeps_nobody_from_the_ledger(void **state)
{
	struct hxb_invited *invited;
	pid_t holder;

	(void)state;
	invite("ada", 2, 9000000000);
	holder = hold_lock(store_path, "BEGIN EXCLUSIVE");
	assert_result(hxb_invited_read(ledger, store, &invited, &err), HXB_BUSY);
	assert_null(invited);
	assert_ok(hxb_ledger_begin(ledger, &err));
	hxb_ledger_rollback(ledger);
	end_child(holder);
}

static void
the_publisher_writes_down_what_others_have_ended(void **state)
{
	(void)state;
	invite("mona", 1, 9000000000);
	invite("ada", 2, 9000000000);
	invite("zoe", 3, 9000000000);
	invite("pia", 4, 1000);
	invite("norole", 5, 9000000000);
	sql(store_path,
	    "UPDATE users SET password = 'x' WHERE username = 'ada'; UPDATE users SET state = 0 WHERE "
	    "username = 'zoe'; DELETE FROM users WHERE username = 'norole'");
	settle_all();
	assert_int_equal(last_end("mona"), HXB_INVITATION_OPEN);
	assert_int_equal(last_end("ada"), HXB_INVITATION_REGISTERED);
	assert_int_equal(last_end("zoe"), HXB_INVITATION_DISABLED);
	assert_int_equal(last_end("pia"), HXB_INVITATION_EXPIRED);
	assert_int_equal(sql_number(ledger_path, "SELECT count(*) FROM invitations WHERE ended = %d",
	                     HXB_INVITATION_REMOVED),
	    1);
	assert_int_equal(sql_number(ledger_path, "SELECT count(*) FROM events"), 2);
	assert_int_equal(sql_number(ledger_path,
	                     "SELECT count(*) FROM events WHERE (actor, action, name) IN"
	                     " (VALUES ('hexabot', 'register', 'ada'), ('hexactl', 'lapse', 'pia'))"),
	    2);
	/* For good: what comes later changes nothing. */
	sql(store_path, "UPDATE users SET state = 1 WHERE username = 'zoe'");
	settle_all();
	assert_int_equal(last_end("zoe"), HXB_INVITATION_DISABLED);
	assert_int_equal(sql_number(ledger_path, "SELECT count(*) FROM events"), 2);
}

static void
a_long_publish_leaves_time_to_write_them_down(void **state)
{
	(void)state;
	invite("ada", 2, 9000000000);
	sql(store_path, "UPDATE users SET password = 'x' WHERE username = 'ada'");
	sql(ledger_path,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
	    " INSERT INTO invitations (digest, user_id, marker, actor, created, expires)"
	    " SELECT randomblob(32), 'nobody ' || i, 'x', 'x', 1, 9000000000 FROM n");
	hxb_ledger_set_deadline(ledger, hxb_deadline_in(0));
	hxb_store_set_deadline(store, hxb_deadline_in(0));
	settle_all();
	assert_int_equal(last_end("ada"), HXB_INVITATION_REGISTERED);
	assert_int_equal(sql_number(ledger_path, "SELECT count(*) FROM invitations WHERE ended = 0"), 0);
}

#define LEDGER_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_code_is_five_groups_of_five),
		cmocka_unit_test(what_people_type_is_forgiven),
		cmocka_unit_test(a_token_is_signed_and_begins_with_its_times),
		cmocka_unit_test(an_invitation_ends_in_one_of_these_ways),
		cmocka_unit_test(where_a_code_counts),
		LEDGER_TEST(one_of_a_user_is_open),
		LEDGER_TEST(what_was_not_used_is_revoked),
		LEDGER_TEST(a_long_publish_leaves_time_to_write_them_down),
		LEDGER_TEST(the_publisher_writes_down_what_others_have_ended),
		LEDGER_TEST(who_locks_the_store_keeps_nobody_from_the_ledger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
