/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>

#include "explain.h"

/* In the order in which the host asks. */
static hxb_rule_fn *const rules[] = {
	hxb_rule_user,
	hxb_rule_passwd,
	hxb_rule_group,
	hxb_rule_shadow,
	hxb_rule_map,
	hxb_rule_name,
	hxb_rule_sshd,
	hxb_rule_sshd_users,
	hxb_rule_sshd_keys,
	hxb_rule_chroot,
	hxb_rule_shell,
	hxb_rule_auth,
	hxb_rule_account,
	hxb_rule_nologin,
	hxb_rule_records,
	hxb_rule_hold,
	hxb_rule_state,
	hxb_rule_expiry,
	hxb_rule_roles,
	hxb_rule_service_roles,
	hxb_rule_password,
	hxb_rule_lockout,
	hxb_rule_groups,
	hxb_rule_new_password,
	hxb_rule_session,
	hxb_rule_unjudged,
};
enum { RULE_COUNT = sizeof(rules) / sizeof(rules[0]) };
_Static_assert(RULE_COUNT < HXB_FINDINGS_MAX, "room for each rule, and the last word");

void
hxb_find(struct hxb_finding *finding, enum hxb_ruling ruling, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(finding->found, sizeof(finding->found), format, args);
	va_end(args);
	finding->ruling = ruling;
}

void
hxb_remedy(struct hxb_finding *finding, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(finding->remedy, sizeof(finding->remedy), format, args);
	va_end(args);
}

/* What the stacks come to, with every answer as it is. */
static bool
pam_lets_in(const struct hxb_case *c)
{
	const struct hxb_stage *auth = &c->stages[HXB_PAM_AUTH], *account = &c->stages[HXB_PAM_ACCOUNT],
	                       *password = &c->stages[HXB_PAM_PASSWORD];

	if (auth->runs && auth->code != PAM_SUCCESS)
		return false;
	if (account->code == PAM_NEW_AUTHTOK_REQD)
		return auth->runs && password->code == PAM_SUCCESS;
	return account->code == PAM_SUCCESS;
}

/* A NO of pam_hexabot's, say, that the stack goes over: it decides nothing. */
static void
overrule(struct hxb_explanation *explanation)
{
	struct hxb_finding *last = &explanation->findings[explanation->count++];
	bool overruled = false;

	for (size_t i = 0; i + 1 < explanation->count; i++) {
		if (explanation->findings[i].ruling == HXB_RULING_NO) {
			explanation->findings[i].ruling = HXB_RULING_NOTE;
			overruled = true;
		}
	}
	if (!overruled) {
		explanation->count--;
		return;
	}
	*last = (struct hxb_finding){ .rule = "stacks" };
	hxb_find(last, HXB_RULING_NOTE, "they let people in all the same: what is said above is not heeded");
	hxb_remedy(last, "look at them: README has some");
}

/* Nothing in particular is wrong, and yet. */
static void
object(const struct hxb_case *c, struct hxb_explanation *explanation)
{
	const struct hxb_stage *auth = &c->stages[HXB_PAM_AUTH], *account = &c->stages[HXB_PAM_ACCOUNT];
	const struct hxb_stage *stage = auth->runs && auth->code != PAM_SUCCESS ? auth : account;
	struct hxb_finding *last = &explanation->findings[explanation->count++];

	*last = (struct hxb_finding){ .rule = "stacks" };
	if (stage->line >= 0)
		hxb_find(last, HXB_RULING_NO, "%.160s:%u: %.64s denies", stage->stack.lines[stage->line].file,
		    stage->stack.lines[stage->line].line,
		    stage->stack.lines[stage->line].path != NULL ? stage->stack.lines[stage->line].module
		                                                 : "a bad line");
	else
		hxb_find(last, HXB_RULING_NO, "nobody says yes");
	hxb_remedy(last, "look at them: README has some");
}

void
hxb_explain(struct hxb_case *c, struct hxb_explanation *explanation)
{
	bool by_pam = false, else_where = false, lets_in = pam_lets_in(c);

	*explanation = (struct hxb_explanation){ 0 };
	for (size_t i = 0; i < RULE_COUNT; i++) {
		struct hxb_finding *finding = &explanation->findings[explanation->count];

		rules[i](c, finding);
		if (finding->ruling == HXB_RULING_NONE) {
			*finding = (struct hxb_finding){ 0 };
			continue;
		}
		explanation->count++;
		if (finding->ruling != HXB_RULING_NO)
			continue;
		by_pam |= finding->by_pam;
		else_where |= !finding->by_pam;
	}
	explanation->gets_in = lets_in && !else_where;
	if (explanation->gets_in)
		overrule(explanation);
	else if (!by_pam && !else_where)
		object(c, explanation);
	for (size_t i = 0; i < explanation->count && explanation->deciding == NULL; i++) {
		if (explanation->findings[i].ruling == HXB_RULING_NO) {
			explanation->findings[i].decides = true;
			explanation->deciding = &explanation->findings[i];
		}
	}
}
