/* SPDX-License-Identifier: ISC */
/*
 * Rules: what Hexabot's database, the ledger and the configuration say of the user. None of them has an
 * opinion of its own: the verdict is asked, then asked again as if what it objected to were not so, and so on
 * until it objects to nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "explain.h"
#include "person_output.h"
#include "times.h"

struct objections {
	bool judged; /* there was a user to judge */
	struct hxb_verdict_input input; /* what the verdict was given */
	bool held, disabled, expired, no_role, not_here, stale;
	enum hxb_state password; /* a state of somebody without password, or HXB_STATE_ENABLED */
};

/* Takes away the reason for a state. False: there is no going on. */
static bool
excuse(struct hxb_verdict_input *input, struct hxb_user *user, struct hxb_role *role, enum hxb_state state,
    struct objections *objections)
{
	static char gift[] = "", usable[] = "x";

	switch (state) {
	case HXB_STATE_HELD:
		objections->held = true;
		input->held = false;
		return true;
	case HXB_STATE_DISABLED:
		objections->disabled = true;
		user->enabled = true;
		return true;
	case HXB_STATE_EXPIRED:
		objections->expired = true;
		input->expires = 0;
		return true;
	case HXB_STATE_NO_ROLE:
		if (input->service_roles != NULL) {
			/* Without the service's own roles it shows whose objection it is. */
			input->service_roles = NULL;
			objections->not_here = hxb_verdict(input) != HXB_STATE_NO_ROLE;
			return true;
		}
		objections->no_role = true;
		*role = (struct hxb_role){ .id = gift, .name = input->login_roles[0], .active = true };
		user->roles = role;
		user->role_count = 1;
		return true;
	case HXB_STATE_LAPSED:
	case HXB_STATE_INVITED_ELSEWHERE:
	case HXB_STATE_INVITED_PASSWD:
	case HXB_STATE_INVITED:
		objections->password = state;
		user->password = usable;
		return true;
	case HXB_STATE_STALE_GROUPS:
		objections->stale = true;
		input->stale_groups = false;
		return true;
	default:
		return false;
	}
}

/* What pam_hexabot gave to the verdict; of somebody whom it does not take for ours, what it would have given.
 */
static bool
input_of(const struct hxb_case *c, const struct hxb_stage *stage, struct hxb_verdict_input *input)
{
	const struct hxb_person *person = &c->person;
	const struct hxb_config *config = &c->session->config;

	if (stage->call.user != NULL) {
		call_input(&stage->call, input);
		return stage->call.state != HXB_STATE_UNREADABLE;
	}
	if (!c->opened || person->user == NULL || stage->owner == OWNER_US)
		return false;
	*input = (struct hxb_verdict_input){
		.user = person->user,
		.held = person->standing.held,
		.expires = person->entry != NULL ? person->entry->expires : 0,
		.login_roles = config->login_roles,
		.invitation = person->standing.invitation,
		.service = c->service,
		.invite_services = config->invite_services,
		.now = time(NULL),
	};
	return true;
}

static struct objections
objections_of(const struct hxb_case *c, const struct hxb_stage *stage)
{
	struct objections objections = { .password = HXB_STATE_ENABLED };
	struct hxb_verdict_input input;
	struct hxb_role role;
	struct hxb_user user;

	if (!input_of(c, stage, &input))
		return objections;
	objections.judged = true;
	objections.input = input;
	user = *input.user;
	input.user = &user;
	while (excuse(&input, &user, &role, hxb_verdict(&input), &objections))
		continue;
	return objections;
}

static struct objections
object(const struct hxb_case *c)
{
	return objections_of(c, hxb_case_judged(c));
}

/* A NO that pam_hexabot says. */
static void
deny(struct hxb_finding *finding, const char *found)
{
	hxb_find(finding, HXB_RULING_NO, "%s", found);
	finding->by_pam = true;
}

void
hxb_rule_records(const struct hxb_case *c, struct hxb_finding *finding)
{
	const struct hxb_stage *stage = hxb_case_judged(c);
	const struct call *call = &stage->call;

	finding->rule = "records";
	if (stage->owner != OWNER_US) {
		/* pam_hexabot looks at nothing; the administrator wants to know all the same. */
		if (!c->opened) {
			hxb_find(finding, HXB_RULING_NO, "unreadable: %s", c->not_opened.text);
			hxb_remedy(finding, "put that right, then 'hexactl publish'");
		}
	} else if (call->state == HXB_STATE_UNREADABLE && stage->owner_error.text[0] == '\0') {
		finding->by_pam = true;
		hxb_find(finding, HXB_RULING_NO, "unreadable: %s",
		    call->error.text[0] != '\0' ? call->error.text : c->not_opened.text);
		hxb_remedy(finding, "pam_hexabot refuses all of Hexabot's users until that is put right");
	} else if (!c->opened) {
		hxb_find(finding, HXB_RULING_NOTE, "%s", c->not_opened.text);
	} else if (call->state != HXB_STATE_UNREADABLE) {
		hxb_find(finding, HXB_RULING_OK, "configuration, ledger and store can be read");
	}
}

void
hxb_rule_hold(const struct hxb_case *c, struct hxb_finding *finding)
{
	struct objections objections = object(c);

	finding->rule = "hold";
	if (!objections.judged)
		return;
	hxb_find(finding, HXB_RULING_OK, "not held");
	if (!objections.held)
		return;
	deny(finding, hxb_state_rule(HXB_STATE_HELD)->reason);
	hxb_remedy(finding, "hexactl enable %.128s", c->user);
}

void
hxb_rule_state(const struct hxb_case *c, struct hxb_finding *finding)
{
	struct objections objections = object(c);

	finding->rule = "state";
	if (hxb_case_judged(c)->call.state == HXB_STATE_REMOVED && c->person.user != NULL) {
		deny(finding, "a row that is nobody's: its id or username is no proper text");
		return;
	}
	if (!objections.judged)
		return;
	hxb_find(finding, HXB_RULING_OK, "enabled in Hexabot");
	if (!objections.disabled)
		return;
	deny(finding, "disabled in Hexabot");
	hxb_remedy(finding, "hexactl enable %.128s", c->user);
}

void
hxb_rule_expiry(const struct hxb_case *c, struct hxb_finding *finding)
{
	struct objections objections = object(c);
	int64_t expires = objections.input.expires;
	char when[HXB_TIME_SIZE];

	finding->rule = "expiry";
	if (!objections.judged)
		return;
	hxb_find(finding, HXB_RULING_OK, "never expires");
	if (expires == 0)
		return;
	hxb_time_local(expires, when);
	hxb_find(finding, objections.expired ? HXB_RULING_NO : HXB_RULING_OK, "%s %s",
	    objections.expired ? "expired" : "expires", when);
	if (!objections.expired)
		return;
	finding->by_pam = true;
	hxb_remedy(finding, "hexactl set %.128s --expires never", c->user);
}

/* "admin, manager" */
static void
join(char *const *list, char *text, size_t room)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; list != NULL && list[i] != NULL && used < room; i++)
		used += (size_t)snprintf(text + used, room - used, "%s%s", i > 0 ? ", " : "", list[i]);
}

void
hxb_rule_roles(const struct hxb_case *c, struct hxb_finding *finding)
{
	struct objections objections = object(c);
	char login_roles[256], *roles;

	finding->rule = "roles";
	if (!objections.judged || c->person.user == NULL || (roles = hxb_person_roles(&c->person)) == NULL)
		return;
	join(objections.input.login_roles, login_roles, sizeof(login_roles));
	hxb_find(finding, HXB_RULING_OK, "%.256s; may log in: %s", roles, login_roles);
	if (objections.no_role && objections.held) {
		hxb_find(finding, HXB_RULING_NOTE, "none: the hold keeps them, and gives them back");
	} else if (objections.no_role) {
		finding->by_pam = true;
		hxb_find(finding, HXB_RULING_NO, "no role that may log in (%s): %s%.256s%s", login_roles,
		    roles[0] != '\0' ? "only " : "none", roles,
		    strchr(roles, '(') != NULL ? ", where (...) is inactive" : "");
		hxb_remedy(finding, "hexactl role add %.128s ROLE", c->user);
	}
	free(roles);
}

/* roles= of the line that is asked. */
void
hxb_rule_service_roles(const struct hxb_case *c, struct hxb_finding *finding)
{
	finding->rule = "service roles";
	for (int i = HXB_PAM_AUTH; i <= HXB_PAM_ACCOUNT; i++) {
		const struct hxb_stage *stage = &c->stages[i];
		const struct hxb_pam_line *line;
		struct objections objections;
		char roles[256];

		if (!stage->runs || stage->hexabot == -1 || stage->call.config.roles == NULL)
			continue;
		objections = objections_of(c, stage);
		line = &stage->stack.lines[stage->hexabot];
		join(stage->call.config.roles, roles, sizeof(roles));
		if (!objections.judged || objections.no_role || finding->ruling == HXB_RULING_NO)
			continue;
		hxb_find(finding, objections.not_here ? HXB_RULING_NO : HXB_RULING_OK,
		    "%.128s:%u lets in only: %s", line->file, line->line, roles);
		finding->by_pam = true;
		if (objections.not_here)
			hxb_remedy(finding, "hexactl role add %.128s %.64s, or change roles= there", c->user,
			    stage->call.config.roles[0]);
	}
}

static void
judge_marked(const struct hxb_case *c, struct hxb_finding *finding, const struct objections *objections)
{
	const struct hxb_verdict_input *input = &objections->input;
	const struct hxb_invitation *invitation = input->invitation;
	enum hxb_invitation_end end = HXB_INVITATION_OPEN;
	char until[HXB_TIME_SIZE] = "?", services[256];

	if (invitation != NULL) {
		hxb_time_local(invitation->expires, until);
		/* Of the user as they are: to disable somebody voids the code for good. */
		end = hxb_invitation_end_of(invitation, input->user, input->held, input->now);
	}
	if (objections->held) {
		hxb_find(finding, HXB_RULING_NOTE, "the hold keeps it, and gives it back");
	} else if (objections->password == HXB_STATE_INVITED && end == HXB_INVITATION_OPEN) {
		hxb_find(finding, HXB_RULING_OK,
		    "invited: the code from the mail is the password, once, until %s", until);
	} else if (objections->password == HXB_STATE_LAPSED || end != HXB_INVITATION_OPEN) {
		finding->by_pam = true;
		hxb_find(finding, HXB_RULING_NO, "none, and no invitation is open%s%s",
		    invitation != NULL ? ": " : "", invitation != NULL ? hxb_invitation_end_text(end) : "");
		hxb_remedy(
		    finding, invitation != NULL ? "hexactl resend %.128s" : "hexactl passwd %.128s", c->user);
	} else {
		join(input->invite_services, services, sizeof(services));
		finding->by_pam = true;
		hxb_find(finding, HXB_RULING_NO, "invited until %s, and %.64s opens nothing to a code", until,
		    c->service);
		hxb_remedy(finding, "the first login has to be by: %s", services);
	}
}

void
hxb_rule_password(const struct hxb_case *c, struct hxb_finding *finding)
{
	struct objections objections = object(c);

	finding->rule = "password";
	if (!objections.judged)
		return;
	if (objections.password != HXB_STATE_ENABLED) {
		judge_marked(c, finding, &objections);
		return;
	}
	if (!c->stages[HXB_PAM_AUTH].runs)
		return;
	hxb_find(finding, HXB_RULING_OK, "there is one: Hexabot's");
	if (c->password == HXB_PASSWORD_GOOD)
		return;
	deny(finding,
	    c->password == HXB_PASSWORD_SEED
	        ? "it is the one that every new Hexabot has, and opens nothing"
	        : "none: what Hexabot has in its place is no bcrypt hash that is taken");
	hxb_remedy(finding, "hexactl passwd %.128s", c->user);
}

void
hxb_rule_groups(const struct hxb_case *c, struct hxb_finding *finding)
{
	struct objections objections = object(c);

	finding->rule = "groups";
	if (!objections.judged)
		return;
	hxb_find(finding, HXB_RULING_OK, "the host shows no role that Hexabot has taken away");
	if (!objections.stale)
		return;
	deny(finding, hxb_state_rule(HXB_STATE_STALE_GROUPS)->reason);
	hxb_remedy(finding, "hexactl publish; is the service hexabot-publish running?");
}
