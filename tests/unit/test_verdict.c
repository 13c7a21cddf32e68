/* SPDX-License-Identifier: ISC */
/* The state table of DESIGN, row by row and column by column, and which row wins. */
#include "libhexabot/verdict.h"
#include "support.h"

#define NOW 1800000000

static char id[] = "id", name[] = "mona", empty[] = "", manager[] = "manager", admin[] = "admin",
            public_role[] = "public";
static char hash[] = "$2b$12$lBts50Jx9M08wfz7BaOEL.b4/vJse5pfyJy20rUt.VqqPc0DS8tQu",
            marker[] = "$2!held.0123";
static char strange[] = "$2hello";
static char *login_roles[] = { admin, manager, NULL };

static struct hxb_role roles[] = { { id, manager, true, 0 }, { id, public_role, true, 0 } };
static struct hxb_user user;
static struct hxb_verdict_input input;

/* Somebody who gets in. */
static void
begin_with_an_enabled_user(void)
{
	roles[0].name = manager;
	roles[0].active = true;
	user = (struct hxb_user){ .id = id,
		.username = name,
		.email = empty,
		.first_name = empty,
		.last_name = empty,
		.password = hash,
		.created_at = empty,
		.updated_at = empty,
		.enabled = true,
		.roles = roles,
		.role_count = COUNT(roles) };
	input = (struct hxb_verdict_input){ .user = &user, .login_roles = login_roles, .now = NOW };
	assert_int_equal(hxb_verdict(&input), HXB_STATE_ENABLED);
}

static void
the_table_is_designs(void **state)
{
	static const struct {
		enum hxb_state state;
		const char *name;
		enum hxb_map_shadow shadow;
		enum hxb_answer auth, account, by_user, by_root;
	} table[] = {
		{ HXB_STATE_FOREIGN, "foreign", HXB_SHADOW_DENIED, HXB_ANSWER_USER_UNKNOWN,
		    HXB_ANSWER_USER_UNKNOWN, HXB_ANSWER_USER_UNKNOWN, HXB_ANSWER_USER_UNKNOWN },
		{ HXB_STATE_REMOVED, "removed", HXB_SHADOW_DENIED, HXB_ANSWER_AUTH_ERR,
		    HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_ACCT_EXPIRED },
		{ HXB_STATE_HELD, "held", HXB_SHADOW_DENIED, HXB_ANSWER_AUTH_ERR, HXB_ANSWER_ACCT_EXPIRED,
		    HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_SETS },
		{ HXB_STATE_DISABLED, "disabled", HXB_SHADOW_DENIED, HXB_ANSWER_AUTH_ERR,
		    HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_SETS },
		{ HXB_STATE_EXPIRED, "expired", HXB_SHADOW_DENIED, HXB_ANSWER_AUTH_ERR,
		    HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_SETS },
		{ HXB_STATE_NO_ROLE, "no-role", HXB_SHADOW_DENIED, HXB_ANSWER_PERM_DENIED,
		    HXB_ANSWER_PERM_DENIED, HXB_ANSWER_SETS, HXB_ANSWER_SETS },
		{ HXB_STATE_LAPSED, "lapsed", HXB_SHADOW_DENIED, HXB_ANSWER_AUTH_ERR, HXB_ANSWER_ACCT_EXPIRED,
		    HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_SETS },
		{ HXB_STATE_INVITED_ELSEWHERE, "invited-elsewhere", HXB_SHADOW_INVITED, HXB_ANSWER_AUTH_ERR,
		    HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_SETS },
		{ HXB_STATE_INVITED_PASSWD, "invited-passwd", HXB_SHADOW_INVITED, HXB_ANSWER_AUTH_ERR,
		    HXB_ANSWER_ACCT_EXPIRED, HXB_ANSWER_SETS, HXB_ANSWER_SETS },
		{ HXB_STATE_INVITED, "invited", HXB_SHADOW_INVITED, HXB_ANSWER_SUCCESS,
		    HXB_ANSWER_NEW_AUTHTOK, HXB_ANSWER_SETS, HXB_ANSWER_SETS },
		{ HXB_STATE_STALE_GROUPS, "stale-groups", HXB_SHADOW_ENABLED, HXB_ANSWER_SUCCESS,
		    HXB_ANSWER_PERM_DENIED, HXB_ANSWER_SETS, HXB_ANSWER_SETS },
		{ HXB_STATE_ENABLED, "enabled", HXB_SHADOW_ENABLED, HXB_ANSWER_SUCCESS, HXB_ANSWER_SUCCESS,
		    HXB_ANSWER_SETS, HXB_ANSWER_SETS },
		{ HXB_STATE_UNREADABLE, "unreadable", HXB_SHADOW_DENIED, HXB_ANSWER_UNAVAIL,
		    HXB_ANSWER_UNAVAIL, HXB_ANSWER_TRY_AGAIN, HXB_ANSWER_TRY_AGAIN },
	};
	const struct hxb_state_rule *rule;

	(void)state;
	assert_int_equal(COUNT(table), HXB_STATE_ENABLED + 1);
	for (size_t i = 0; i < COUNT(table); i++) {
		rule = hxb_state_rule(table[i].state);
		assert_string_equal(rule->name, table[i].name);
		assert_int_equal(rule->shadow, table[i].shadow);
		assert_int_equal(rule->auth, table[i].auth);
		assert_int_equal(rule->account, table[i].account);
		assert_int_equal(rule->change_by_user, table[i].by_user);
		assert_int_equal(rule->change_by_root, table[i].by_root);
		assert_true(strlen(rule->reason) > 0);
	}
}

static void
what_is_not_judged_is_denied(void **state)
{
	(void)state;
	assert_int_equal(HXB_STATE_UNREADABLE, 0);
	assert_int_equal(HXB_ANSWER_UNAVAIL, 0);
	assert_ptr_equal(
	    hxb_state_rule((enum hxb_state)(HXB_STATE_ENABLED + 1)), hxb_state_rule(HXB_STATE_UNREADABLE));
	assert_ptr_equal(hxb_state_rule((enum hxb_state) - 1), hxb_state_rule(HXB_STATE_UNREADABLE));
}

static void
texts_for_people_are_full_sentences(void **state)
{
	const char *text;

	(void)state;
	for (int i = 0; i <= HXB_STATE_ENABLED; i++) {
		text = hxb_state_rule((enum hxb_state)i)->text;
		if (text != NULL)
			assert_true(text[0] >= 'A' && text[0] <= 'Z' && text[strlen(text) - 1] == '.');
		/* Whoever is refused at the account stage for a reason of ours is told. */
		if (i != HXB_STATE_UNREADABLE && i != HXB_STATE_FOREIGN && i != HXB_STATE_ENABLED)
			assert_non_null(text);
	}
}

/* What may be wrong with somebody, in the order in which it counts. */
static void
make_held(void)
{
	input.held = true;
}

static void
make_disabled(void)
{
	user.enabled = false;
}

static void
make_expired(void)
{
	input.expires = NOW;
}

static void
make_roleless(void)
{
	roles[0].active = false;
}

static void
make_lapsed(void)
{
	user.password = marker;
}

static void
make_stale(void)
{
	input.stale_groups = true;
}

static void
the_gravest_reason_wins(void **state)
{
	static const struct {
		void (*make)(void);
		enum hxb_state state;
	} order[] = {
		{ make_held, HXB_STATE_HELD },
		{ make_disabled, HXB_STATE_DISABLED },
		{ make_expired, HXB_STATE_EXPIRED },
		{ make_roleless, HXB_STATE_NO_ROLE },
		{ make_lapsed, HXB_STATE_LAPSED },
		{ make_stale, HXB_STATE_STALE_GROUPS },
	};
	enum hxb_state expected;

	(void)state;
	/* Every set of reasons. */
	for (unsigned set = 0; set < 1u << COUNT(order); set++) {
		begin_with_an_enabled_user();
		expected = HXB_STATE_ENABLED;
		for (size_t i = COUNT(order); i-- > 0;) {
			if ((set & 1u << i) != 0) {
				order[i].make();
				expected = order[i].state;
			}
		}
		assert_int_equal(hxb_verdict(&input), expected);
		input.user = NULL;
		assert_int_equal(hxb_verdict(&input), HXB_STATE_REMOVED);
	}
}

static void
an_account_ends_with_its_second(void **state)
{
	static const struct {
		int64_t expires;
		enum hxb_state state;
	} cases[] = {
		{ 0, HXB_STATE_ENABLED },
		{ NOW + 1, HXB_STATE_ENABLED },
		{ NOW, HXB_STATE_EXPIRED },
		{ NOW - 1, HXB_STATE_EXPIRED },
		{ 1, HXB_STATE_EXPIRED },
		{ -1, HXB_STATE_EXPIRED },
		{ INT64_MAX, HXB_STATE_ENABLED },
		{ INT64_MIN, HXB_STATE_EXPIRED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		begin_with_an_enabled_user();
		input.expires = cases[i].expires;
		assert_int_equal(hxb_verdict(&input), cases[i].state);
	}
}

static void
one_role_has_to_pass_both_lists(void **state)
{
	static char other[] = "operators", upper[] = "Manager", longer[] = "manager ";
	static char *only_admin[] = { admin, NULL }, *only_public[] = { public_role, NULL },
	            *both[] = { admin, manager, NULL }, *none[] = { NULL };
	static const struct {
		char *role;
		char **service;
		enum hxb_state state;
	} cases[] = {
		{ manager, NULL, HXB_STATE_ENABLED },
		{ manager, none, HXB_STATE_ENABLED },
		{ manager, both, HXB_STATE_ENABLED },
		{ manager, only_admin, HXB_STATE_NO_ROLE },
		{ admin, only_admin, HXB_STATE_ENABLED },
		/* roles= narrows, it does not add: the user has `public`, too, which is no login role */
		{ manager, only_public, HXB_STATE_NO_ROLE },
		{ other, NULL, HXB_STATE_NO_ROLE },
		{ upper, NULL, HXB_STATE_NO_ROLE },
		{ longer, NULL, HXB_STATE_NO_ROLE },
		{ empty, NULL, HXB_STATE_NO_ROLE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		begin_with_an_enabled_user();
		roles[0].name = cases[i].role;
		input.service_roles = cases[i].service;
		assert_int_equal(hxb_verdict(&input), cases[i].state);
	}
	begin_with_an_enabled_user();
	user.role_count = 0;
	user.roles = NULL;
	assert_int_equal(hxb_verdict(&input), HXB_STATE_NO_ROLE);
	begin_with_an_enabled_user();
	input.login_roles = none;
	assert_int_equal(hxb_verdict(&input), HXB_STATE_NO_ROLE);
	input.login_roles = NULL;
	assert_int_equal(hxb_verdict(&input), HXB_STATE_NO_ROLE);
}

static void
a_marker_that_nothing_explains_is_lapsed(void **state)
{
	static char invited[] = "$2!invited.x", short_marker[] = "$2!";
	static const struct {
		char *password;
		enum hxb_state state;
	} cases[] = {
		{ marker, HXB_STATE_LAPSED },
		{ invited, HXB_STATE_LAPSED },
		{ short_marker, HXB_STATE_LAPSED },
		/* no password matches these; a key may be used */
		{ strange, HXB_STATE_ENABLED },
		{ empty, HXB_STATE_ENABLED },
		{ NULL, HXB_STATE_ENABLED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		begin_with_an_enabled_user();
		user.password = cases[i].password;
		assert_int_equal(hxb_verdict(&input), cases[i].state);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_designs),
		cmocka_unit_test(what_is_not_judged_is_denied),
		cmocka_unit_test(texts_for_people_are_full_sentences),
		cmocka_unit_test(the_gravest_reason_wins),
		cmocka_unit_test(an_account_ends_with_its_second),
		cmocka_unit_test(one_role_has_to_pass_both_lists),
		cmocka_unit_test(a_marker_that_nothing_explains_is_lapsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
