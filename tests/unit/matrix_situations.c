/* SPDX-License-Identifier: ISC */
/* Everything happens to ada, who has the roles admin and manager, the password pw-ada, and is published. */
#include "libhexabot/password.h"
#include "libhexabot/paths.h"
#include "matrix.h"

#define ADA "(SELECT id FROM users WHERE username = 'ada')"
#define ADA_IN_LEDGER "(SELECT id FROM entries WHERE login = 'ada')"
#define DISABLE "UPDATE users SET state = 0 WHERE username = 'ada'"
#define DELETE "DELETE FROM users WHERE username = 'ada'"
#define DROP_ROLES "DELETE FROM user_roles WHERE user_id = " ADA
#define DROP_ADMIN DROP_ROLES " AND role_id = (SELECT id FROM roles WHERE name = 'admin')"
#define GIVE(role) "INSERT INTO user_roles SELECT " ADA ", id FROM roles WHERE name = '" role "'"
#define RENAME "UPDATE users SET username = 'countess', email = 'c@example.org' WHERE username = 'ada'"
#define OTHER_PASSWORD \
	"UPDATE users SET password = (SELECT password FROM users WHERE username = 'mona') WHERE username = " \
	"'ada'"
/* Another id, the same name, password and roles. */
#define RECREATE \
	"UPDATE users SET username = NULL, email = NULL WHERE username = 'ada';" \
	"INSERT INTO users (id, firstName, lastName, type, provider, username, email, state, password)" \
	" SELECT 'another', firstName, lastName, type, provider, 'ada', 'ada@example.org', state, password" \
	" FROM users WHERE firstName = 'Ada';" \
	"UPDATE user_roles SET user_id = 'another' WHERE user_id = (SELECT id FROM users WHERE username IS " \
	"NULL " \
	"AND firstName = 'Ada');" \
	"DELETE FROM users WHERE username IS NULL AND firstName = 'Ada'"
#define HOLD \
	"INSERT INTO holds SELECT id, '', 'root', '$2!held.0123', 'parked' FROM entries WHERE login = 'ada'"
#define HOLD_IN_STORE "UPDATE users SET password = '$2!held.0123' WHERE username = 'ada';" DROP_ROLES
#define EXPIRE "UPDATE entries SET expires = 1000 WHERE login = 'ada'"
#define EXPIRE_CODE "UPDATE invitations SET expires = 1000"
#define END_CODE(end) "UPDATE invitations SET ended = " #end " WHERE ended = 0"
/* Not by the code that was typed any more. */
#define REPLACE_CODE \
	END_CODE(3) \
	";" \
	"INSERT INTO invitations (digest, user_id, marker, actor, created, expires)" \
	" SELECT zeroblob(32), user_id, marker, actor, created, expires FROM invitations"

static void
break_conf(void)
{
	write_conf("pasword_cost = 10\n");
}

static void
remove_store(void)
{
	assert_int_equal(unlink(store_path), 0);
}

static void
remove_ledger(void)
{
	assert_int_equal(unlink(HXB_LEDGER_PATH), 0);
	unlink(HXB_LEDGER_PATH "-wal");
}

static void
have_a_local_ada(void)
{
	other_uid = 1000;
}

static void
let_another_have_the_group(void)
{
	other_group = "sudo";
}

static const struct situation situations[] = {
	{ .name = "root", .user = "root" },
	{ .name = "a local user", .user = "local" },
	{ .name = "a local user with a login of Hexabot's", .make = have_a_local_ada },
	{ .name = "a name that nobody has", .user = "nobody-knows" },
	{ .name = "removed, and published since", .store = DELETE, .published = true },

	{ .name = "enabled" },
	{ .name = "enabled, wrong password", .typed = "wrong" },
	{ .name = "enabled, renamed in Hexabot", .store = RENAME },
	{ .name = "enabled, no hash for a password",
	    .store = "UPDATE users SET password = 'pw-ada' WHERE username = 'ada'" },
	{ .name = "enabled, seed password", .typed = HXB_SEED_PASSWORD },

	{ .name = "held", .store = HOLD_IN_STORE, .ledger = HOLD },
	{ .name = "held, password and roles given back in Hexabot", .ledger = HOLD },
	{ .name = "disabled", .store = DISABLE },
	{ .name = "disabled, wrong password", .store = DISABLE, .typed = "wrong" },
	{ .name = "disabled, state is NULL",
	    .store = "UPDATE users SET state = NULL WHERE username = 'ada'" },
	{ .name = "disabled, expired and without a role", .store = DISABLE ";" DROP_ROLES, .ledger = EXPIRE },
	{ .name = "expired", .ledger = EXPIRE },
	{ .name = "removed", .store = DELETE },
	{ .name = "removed and re-created under the same name", .store = RECREATE },
	{ .name = "no role", .store = DROP_ROLES },
	{ .name = "no role but one that is not among login_roles", .store = DROP_ROLES ";" GIVE("public") },
	{ .name = "no role of the service's roles=", .options = "roles=operators" },
	{ .name = "stale groups", .store = DROP_ADMIN },

	{ .name = "invited (chauthtok without auth)", .invited = true },
	{ .name = "invited, wrong code", .invited = true, .typed = FORMER_CODE },
	{ .name = "invited, the code before the last", .invited = true, .ledger = REPLACE_CODE },
	{ .name = "invited, no role", .invited = true, .store = DROP_ROLES },
	{ .name = "invited and disabled",
	    .invited = true,
	    .store = DISABLE,
	    .settles = HXB_INVITATION_DISABLED },
	{ .name = "invited and held",
	    .invited = true,
	    .store = HOLD_IN_STORE,
	    .ledger = HOLD,
	    .settles = HXB_INVITATION_DISABLED },
	{ .name = "invited, registered in Hexabot",
	    .invited = true,
	    .store = OTHER_PASSWORD,
	    .settles = HXB_INVITATION_REGISTERED },
	{ .name = "invitation expired",
	    .invited = true,
	    .ledger = EXPIRE_CODE,
	    .settles = HXB_INVITATION_EXPIRED },
	{ .name = "invitation revoked", .invited = true, .ledger = END_CODE(9) },
	{ .name = "lapsed: a marker without an invitation",
	    .store = "UPDATE users SET password = '$2!invited.0123' WHERE username = 'ada'" },

	{ .name = "configuration unreadable", .make = break_conf },
	{ .name = "option unknown", .options = "rols=admin" },
	{ .name = "store absent", .make = remove_store },
	{ .name = "ledger absent", .make = remove_ledger },
	{ .name = "primary group of somebody else's", .make = let_another_have_the_group },

	{ .name = "disabled between auth and account",
	    .way = IN_ORDER,
	    .moment = AFTER_AUTH,
	    .then_store = DISABLE },
	{ .name = "held between auth and account",
	    .way = IN_ORDER,
	    .moment = AFTER_AUTH,
	    .then_store = HOLD_IN_STORE,
	    .then_ledger = HOLD },
	{ .name = "role removed between auth and account",
	    .way = IN_ORDER,
	    .moment = AFTER_AUTH,
	    .then_store = DROP_ADMIN },
	{ .name = "role removed and published between auth and account",
	    .way = IN_ORDER,
	    .moment = AFTER_AUTH,
	    .then_store = DROP_ADMIN,
	    .then_published = true },
	{ .name = "last role removed between auth and account",
	    .way = IN_ORDER,
	    .moment = AFTER_AUTH,
	    .then_store = DROP_ROLES },
	{ .name = "re-created between auth and account",
	    .way = IN_ORDER,
	    .moment = AFTER_AUTH,
	    .then_store = RECREATE },
	{ .name = "re-created and published between auth and account",
	    .way = IN_ORDER,
	    .moment = AFTER_AUTH,
	    .then_store = RECREATE,
	    .then_published = true },
	{ .name = "renamed between auth and account",
	    .way = IN_ORDER,
	    .moment = AFTER_AUTH,
	    .then_store = RENAME },
	{ .name = "password changed between auth and account",
	    .way = IN_ORDER,
	    .moment = AFTER_AUTH,
	    .then_store = OTHER_PASSWORD },
	{ .name = "invited, expired between auth and account",
	    .invited = true,
	    .way = IN_ORDER,
	    .moment = AFTER_AUTH,
	    .then_ledger = EXPIRE_CODE,
	    .settles = HXB_INVITATION_EXPIRED },
	{ .name = "invited, registered between auth and account",
	    .invited = true,
	    .way = IN_ORDER,
	    .moment = AFTER_AUTH,
	    .then_store = OTHER_PASSWORD,
	    .settles = HXB_INVITATION_REGISTERED },
	{ .name = "invited, code replaced between auth and account",
	    .invited = true,
	    .current = "wrong",
	    .way = IN_ORDER,
	    .moment = AFTER_AUTH,
	    .then_ledger = REPLACE_CODE },

	{ .name = "disabled between account and chauthtok",
	    .way = IN_ORDER,
	    .moment = AFTER_ACCOUNT,
	    .then_store = DISABLE },
	{ .name = "role removed between account and chauthtok",
	    .way = IN_ORDER,
	    .moment = AFTER_ACCOUNT,
	    .then_store = DROP_ADMIN },
	{ .name = "store gone between account and chauthtok",
	    .way = IN_ORDER,
	    .moment = AFTER_ACCOUNT,
	    .then_make = remove_store },
	{ .name = "invited, expired between account and chauthtok",
	    .invited = true,
	    .way = IN_ORDER,
	    .moment = AFTER_ACCOUNT,
	    .then_ledger = EXPIRE_CODE,
	    .settles = HXB_INVITATION_EXPIRED },
	{ .name = "invited, registered between account and chauthtok",
	    .invited = true,
	    .way = IN_ORDER,
	    .moment = AFTER_ACCOUNT,
	    .then_store = OTHER_PASSWORD,
	    .settles = HXB_INVITATION_REGISTERED },
	{ .name = "invited, code replaced between account and chauthtok",
	    .invited = true,
	    .current = "wrong",
	    .way = IN_ORDER,
	    .moment = AFTER_ACCOUNT,
	    .then_ledger = REPLACE_CODE },

	{ .name = "invited, all in order", .invited = true, .current = "wrong", .way = IN_ORDER },
	{ .name = "account skipped", .way = NO_ACCOUNT },
	{ .name = "account skipped, disabled after auth",
	    .way = NO_ACCOUNT,
	    .moment = AFTER_AUTH,
	    .then_store = DISABLE },
	{ .name = "account skipped, invited", .invited = true, .current = "wrong", .way = NO_ACCOUNT },

	{ .name = "disabled while choosing", .moment = WHILE_CHOOSING, .then_store = DISABLE },
	{ .name = "held while choosing",
	    .moment = WHILE_CHOOSING,
	    .then_store = HOLD_IN_STORE,
	    .then_ledger = HOLD },
	{ .name = "password changed while choosing", .moment = WHILE_CHOOSING, .then_store = OTHER_PASSWORD },
	{ .name = "store gone while choosing", .moment = WHILE_CHOOSING, .then_make = remove_store },
	{ .name = "invited, disabled while choosing",
	    .invited = true,
	    .moment = WHILE_CHOOSING,
	    .then_store = DISABLE },
	{ .name = "invited, last role removed while choosing",
	    .invited = true,
	    .moment = WHILE_CHOOSING,
	    .then_store = DROP_ROLES },
	{ .name = "invited, registered while choosing",
	    .invited = true,
	    .moment = WHILE_CHOOSING,
	    .then_store = OTHER_PASSWORD },
	{ .name = "invited, code replaced while choosing",
	    .invited = true,
	    .moment = WHILE_CHOOSING,
	    .then_ledger = REPLACE_CODE },

	{ .name = "role removed mid-session",
	    .way = IN_SESSION,
	    .moment = AFTER_OPEN,
	    .then_store = DROP_ADMIN },
	{ .name = "disabled mid-session", .way = IN_SESSION, .moment = AFTER_OPEN, .then_store = DISABLE },
};

unsigned
situation_count(void)
{
	return COUNT(situations);
}

const struct situation *
find_situation(const char *name)
{
	for (size_t i = 0; i < COUNT(situations); i++) {
		if (strcmp(situations[i].name, name) == 0)
			return &situations[i];
	}
	fail_msg("%s: no such situation", name);
	return NULL;
}

static void
give_password(const char *password)
{
	char hash[HXB_HASH_SIZE];

	assert_ok(hxb_password_hash(password, 10, hash, &err));
	sql(store_path, "UPDATE users SET password = %Q WHERE username = 'ada'", hash);
}

static void
run_sql(const char *in_store, const char *in_ledger)
{
	if (in_store != NULL)
		sql(store_path, "%s", in_store);
	if (in_ledger != NULL)
		sql(HXB_LEDGER_PATH, "%s", in_ledger);
}

static void
close_databases(void)
{
	hxb_store_close(store);
	hxb_ledger_close(ledger);
	store = NULL;
	ledger = NULL;
}

static void
publish_anew(void)
{
	assert_ok(hxb_ledger_open(HXB_LEDGER_PATH, 0, hxb_deadline_in(HXB_CTL_DEADLINE), &ledger, &err));
	store = open_store(store_path);
	publish();
	close_databases();
}

/* The handles are closed when that is done: a child may not have them, and nobody else is to be in the way.
 */
void
make_situation(const struct situation *situation)
{
	bool seed = situation->typed != NULL && strcmp(situation->typed, HXB_SEED_PASSWORD) == 0;

	if (situation->invited)
		invite(CODE);
	else
		give_password(seed ? HXB_SEED_PASSWORD : RIGHT_PASSWORD);
	close_databases();
	run_sql(situation->store, situation->ledger);
	if (situation->published)
		publish_anew();
	if (situation->make != NULL)
		situation->make();
}

void
change_situation(const struct situation *situation)
{
	run_sql(situation->then_store, situation->then_ledger);
	if (situation->then_make != NULL)
		situation->then_make();
	if (situation->then_published)
		publish_anew();
}

bool
is_changed_before(const struct cell *cell)
{
	switch (cell->situation->moment) {
	case AFTER_OPEN:
		return true;
	case AFTER_AUTH:
		return cell->stage != AUTH;
	case AFTER_ACCOUNT:
		return cell->stage != AUTH && cell->stage != ACCOUNT;
	default:
		return false;
	}
}
