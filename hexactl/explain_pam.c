/* SPDX-License-Identifier: ISC */
/* Rules: what the service's stacks make of it. */
#include <stdio.h>
#include <string.h>

#include "explain.h"
#include "times.h"

#define ENABLE "pam-auth-update --enable hexabot hexabot-password"

/* "/etc/pam.d/common-auth:17: pam_unix.so" */
static void
place(const struct hxb_stage *stage, int at, char *text, size_t room)
{
	const struct hxb_pam_line *line = at >= 0 ? &stage->stack.lines[at] : NULL;

	if (line == NULL)
		snprintf(text, room, "no line");
	else
		snprintf(text, room, "%.160s:%u: %.64s", line->file, line->line, line->module);
}

/* A line whose module's file is not there. -1: none. */
static int
missing_module(const struct hxb_stage *stage)
{
	for (size_t i = 0; i < stage->stack.count; i++)
		if (stage->stack.lines[i].path != NULL &&
		    strcmp(stage->stack.lines[i].module, "pam_hexabot.so") == 0 &&
		    !hxb_module_exists(&stage->stack.lines[i]))
			return (int)i;
	return -1;
}

/* What is wrong with a line, whatever its module is. NULL: nothing. */
static const char *
fault_of(const struct hxb_stage *stage, int at)
{
	return at >= 0 ? stage->stack.lines[at].fault : NULL;
}

/* What keeps even an enabled user with the right password out. */
static void
judge_closed(const struct hxb_case *c, struct hxb_finding *finding, enum hxb_pam_facility facility)
{
	const struct hxb_stage *stage = &c->stages[facility];
	int missing = missing_module(stage);
	char where[256];

	if (fault_of(stage, stage->good_line) != NULL) {
		hxb_find(finding, HXB_RULING_NO, "%s: that line denies", fault_of(stage, stage->good_line));
		hxb_remedy(finding, "put it right");
	} else if (missing != -1) {
		place(stage, missing, where, sizeof(where));
		hxb_find(finding, HXB_RULING_NO, "%s: its file is not there", where);
		hxb_remedy(finding, "install it again");
	} else if (stage->stack.count == 0) {
		hxb_find(finding, HXB_RULING_NO, "no file in /etc/pam.d has a line for %.64s", c->service);
		hxb_remedy(finding, "is it a service of this host?");
	} else if (stage->hexabot == -1) {
		hxb_find(finding, HXB_RULING_NO, "pam_hexabot is not asked in the %s%s", finding->rule,
		    stage->stack.other ? ": there is no /etc/pam.d file of this service, and 'other' counts"
		                       : "");
		hxb_remedy(finding, ENABLE);
	} else if (facility == HXB_PAM_AUTH && hxb_pam_line_waits(&stage->stack, (size_t)stage->hexabot)) {
		place(stage, stage->hexabot, where, sizeof(where));
		hxb_find(finding, HXB_RULING_NO, "%s: use_first_pass, and no line before asks for a password",
		    where);
		hxb_remedy(finding, "take that option out");
	} else {
		place(stage, stage->good_line, where, sizeof(where));
		hxb_find(finding, HXB_RULING_NO, "%s denies, whatever pam_hexabot says", where);
		hxb_remedy(finding, "look at that stack: README has one");
	}
}

static void
judge_stack(const struct hxb_case *c, struct hxb_finding *finding, enum hxb_pam_facility facility)
{
	const struct hxb_stage *stage = &c->stages[facility];
	int before, fault = hxb_pam_stack_fault(&stage->stack);
	char where[256];

	if (stage->read != HXB_OK) {
		hxb_find(finding, HXB_RULING_NO, "%s", stage->error.text);
		hxb_remedy(finding, "put that line right");
	} else if (stage->good != PAM_SUCCESS) {
		judge_closed(c, finding, facility);
	} else if (stage->hexabot == -1) {
		place(stage, stage->good_line, where, sizeof(where));
		hxb_find(finding, HXB_RULING_NOTE, "pam_hexabot is not asked; %s lets people in without it",
		    where);
		hxb_remedy(finding, ENABLE);
	} else if (fault != -1) {
		hxb_find(finding, HXB_RULING_NOTE, "%s: whoever comes to that line may be denied",
		    fault_of(stage, fault));
		hxb_remedy(finding, "put it right");
	} else {
		place(stage, stage->hexabot, where, sizeof(where));
		before = hxb_pam_stack_find(&stage->stack, "pam_unix.so", 0);
		if (stage->stack.other)
			hxb_find(finding, HXB_RULING_NOTE,
			    "%s: %.64s has no line of its own, and 'other' counts", where, c->service);
		else if (before != -1 && before < stage->hexabot && facility != HXB_PAM_PASSWORD)
			hxb_find(finding, HXB_RULING_NOTE, "%s, behind pam_unix", where);
		else
			hxb_find(finding, HXB_RULING_OK, "%s", where);
	}
}

void
hxb_rule_auth(const struct hxb_case *c, struct hxb_finding *finding)
{
	finding->rule = "auth stack";
	if (!c->stages[HXB_PAM_AUTH].runs)
		hxb_find(finding, HXB_RULING_NOTE, "%.64s asks nobody for a password", c->service);
	else
		judge_stack(c, finding, HXB_PAM_AUTH);
}

void
hxb_rule_account(const struct hxb_case *c, struct hxb_finding *finding)
{
	finding->rule = "account stack";
	judge_stack(c, finding, HXB_PAM_ACCOUNT);
}

/* Who comes with a code has to set a password. */
void
hxb_rule_new_password(const struct hxb_case *c, struct hxb_finding *finding)
{
	finding->rule = "password stack";
	if (hxb_case_is_invited(c))
		judge_stack(c, finding, HXB_PAM_PASSWORD);
}

/* Told of only where it is closed. */
void
hxb_rule_session(const struct hxb_case *c, struct hxb_finding *finding)
{
	const struct hxb_stage *stage = &c->stages[HXB_PAM_SESSION];
	enum hxb_ruling bad = hxb_starts_shell(c->service) ? HXB_RULING_NO : HXB_RULING_NOTE;
	char where[256];

	finding->rule = "session stack";
	if (stage->read != HXB_OK) {
		hxb_find(finding, bad, "%s", stage->error.text);
		hxb_remedy(finding, "put that line right");
	} else if (stage->good != PAM_SUCCESS && fault_of(stage, stage->good_line) != NULL) {
		hxb_find(finding, bad, "%s: no session opens", fault_of(stage, stage->good_line));
		hxb_remedy(finding, "put that line right");
	} else if (stage->good != PAM_SUCCESS) {
		place(stage, stage->good_line, where, sizeof(where));
		hxb_find(finding, bad, "%s: %s", where,
		    stage->good_line >= 0 && !hxb_module_exists(&stage->stack.lines[stage->good_line])
		        ? "its file is not there, and no session opens"
		        : "no session opens");
		hxb_remedy(finding, "look at that stack");
	}
}

void
hxb_rule_nologin(const struct hxb_case *c, struct hxb_finding *finding)
{
	finding->rule = "nologin";
	if (!c->nologin)
		return;
	hxb_find(finding, HXB_RULING_NO, "%s is there: the host lets nobody in but root", c->nologin_file);
	finding->by_pam = true;
	hxb_remedy(finding, "rm %s, when the host is ready", c->nologin_file);
}

void
hxb_rule_lockout(const struct hxb_case *c, struct hxb_finding *finding)
{
	const struct hxb_faillock *faillock = &c->faillock;
	char until[HXB_TIME_SIZE] = "root unlocks";

	finding->rule = "lockout";
	if (c->faillock_line == NULL || !c->stages[HXB_PAM_AUTH].runs)
		return;
	if (faillock->broken) {
		hxb_find(finding, HXB_RULING_NO, "%s: pam_faillock refuses", c->faillock_error.text);
		finding->by_pam = true;
		hxb_remedy(finding, "make that a file, or nothing");
		return;
	}
	if (c->faillock_error.text[0] != '\0') {
		hxb_find(finding, HXB_RULING_NOTE, "%s", c->faillock_error.text);
		return;
	}
	hxb_find(finding, HXB_RULING_OK, "%u failure%s of %lld on record", faillock->failures,
	    faillock->failures == 1 ? "" : "s", (long long)faillock->deny);
	if (faillock->spared && faillock->failures > 0)
		hxb_find(finding, HXB_RULING_OK, "%u failure%s on record; admin_group=%.64s spares them",
		    faillock->failures, faillock->failures == 1 ? "" : "s", faillock->admin_group);
	if (!faillock->locked)
		return;
	if (faillock->until != 0)
		hxb_time_local(faillock->until, until);
	hxb_find(finding, HXB_RULING_NO, "locked by pam_faillock after %u failures until %s",
	    faillock->failures, until);
	finding->by_pam = true;
	hxb_remedy(finding, "faillock --dir %s --user %.64s --reset", faillock->dir, c->login);
}

/* PAM says who may ask; sudo itself says for what. */
static bool
is_sudo(const struct hxb_case *c)
{
	return strcmp(c->service, "sudo") == 0 || strcmp(c->service, "sudo-i") == 0;
}

void
hxb_rule_unjudged(const struct hxb_case *c, struct hxb_finding *finding)
{
	const char *modules = c->unjudged, *sudo = is_sudo(c) ? "sudoers(5)" : "";

	finding->rule = "not judged";
	if (modules[0] == '\0' && sudo[0] == '\0')
		return;
	hxb_find(finding, HXB_RULING_NOTE, "%s%s%s may say otherwise", modules,
	    modules[0] != '\0' && sudo[0] != '\0' ? ", " : "", sudo);
	if (sudo[0] != '\0' && c->mapped)
		hxb_remedy(finding, "'sudo -l -U %.64s' shows what that allows", c->login);
}
