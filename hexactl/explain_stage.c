/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <time.h>

#include "explain.h"
#include "libhexabot/password.h"

/* Services that ask nobody for a password: the job's owner is known. */
static const char *const without_auth[] = { "cron", "crond", "atd", "systemd-user", NULL };

/* One run of a stack. */
struct running {
	struct hxb_case *c;
	struct hxb_stage *stage;
	enum hxb_pam_facility facility;
	bool good;
};

static bool
asks_for_password(const char *service)
{
	for (size_t i = 0; without_auth[i] != NULL; i++)
		if (strcmp(without_auth[i], service) == 0)
			return false;
	return true;
}

/* What pam_hexabot would answer: with the right password, or a good code. */
static int
answer_of_hexabot(const struct running *running)
{
	const struct hxb_stage *stage = running->stage;
	const struct hxb_state_rule *rule = hxb_state_rule(stage->call.state);
	enum hxb_answer answer = running->facility == HXB_PAM_AUTH ? rule->auth : rule->account;

	if (running->good || running->facility == HXB_PAM_SESSION)
		return PAM_SUCCESS;
	if (stage->owner != OWNER_US)
		return PAM_USER_UNKNOWN;
	if (running->facility == HXB_PAM_PASSWORD)
		answer = rule->change_by_user == HXB_ANSWER_SETS ? HXB_ANSWER_SUCCESS : rule->change_by_user;
	if (running->facility == HXB_PAM_AUTH && answer == HXB_ANSWER_SUCCESS &&
	    running->c->password != HXB_PASSWORD_GOOD)
		answer = HXB_ANSWER_AUTH_ERR;
	return pam_code(answer);
}

static int
answer(const struct hxb_pam_line *line, void *context)
{
	const struct running *running = context;
	struct hxb_stage *stage = running->stage;

	if (!hxb_module_exists(line))
		return PAM_MODULE_UNKNOWN;
	if (strcmp(line->module, "pam_hexabot.so") != 0)
		return hxb_module_answer(running->c, running->facility, line, running->good);
	if (running->good && stage->hexabot == -1)
		stage->hexabot = (int)(line - stage->stack.lines);
	if (running->facility == HXB_PAM_AUTH &&
	    hxb_pam_line_waits(&stage->stack, (size_t)(line - stage->stack.lines)))
		return PAM_AUTH_ERR;
	return answer_of_hexabot(running);
}

/* What the module does for one who calls it, up to the verdict: see run() in pam_hexabot.c. */
static void
judge(struct hxb_case *c, struct hxb_stage *stage)
{
	static char *const none[] = { NULL };
	char *const *options = stage->hexabot != -1 ? stage->stack.lines[stage->hexabot].options : none;
	struct call *call = &stage->call;
	int count = 0;

	*call = (struct call){ .login = c->login, .service = c->service, .state = HXB_STATE_UNREADABLE };
	stage->owner = owner_of(call);
	stage->owner_error = call->error;
	while (options[count] != NULL)
		count++;
	if (stage->owner == OWNER_US && call_arguments(call, count, (const char **)(uintptr_t)options))
		call_look(call);
}

static void
read_stage(struct hxb_case *c, enum hxb_pam_facility facility)
{
	struct hxb_stage *stage = &c->stages[facility];
	struct running running = { c, stage, facility, true };

	stage->hexabot = -1;
	stage->read = hxb_pam_stack_read(NULL, c->service, facility, &stage->stack, &stage->error);
	stage->runs = facility != HXB_PAM_AUTH || asks_for_password(c->service);
	stage->good = PAM_PERM_DENIED;
	if (stage->read == HXB_OK)
		stage->good = hxb_pam_stack_run(&stage->stack, answer, &running, &stage->good_line);
	if (facility != HXB_PAM_SESSION) /* it denies nobody there */
		judge(c, stage);
}

static void
run_stage(struct hxb_case *c, enum hxb_pam_facility facility)
{
	struct hxb_stage *stage = &c->stages[facility];
	struct running running = { c, stage, facility, false };

	stage->code = PAM_PERM_DENIED;
	if (stage->read == HXB_OK)
		stage->code = hxb_pam_stack_run(&stage->stack, answer, &running, &stage->line);
}

/* The line that refuses who is locked: one with authfail only counts. */
static void
read_lockout(struct hxb_case *c)
{
	const struct hxb_pam_stack *stack = &c->stages[HXB_PAM_AUTH].stack;

	for (size_t i = 0; i < stack->count && c->faillock_line == NULL; i++)
		if (strcmp(stack->lines[i].module, "pam_faillock.so") == 0 &&
		    hxb_pam_line_option(&stack->lines[i], "authfail") == NULL)
			c->faillock_line = &stack->lines[i];
	if (c->faillock_line != NULL &&
	    hxb_faillock_settings(c->faillock_line, &c->faillock, &c->faillock_error) == HXB_OK)
		(void)hxb_faillock_count(&c->faillock, c->login, time(NULL), &c->faillock_error);
}

/* Whether what the store has in the password's place can be typed. */
static void
judge_password(struct hxb_case *c)
{
	const struct call *call = &hxb_case_judged(c)->call;
	const char *hash = call->user != NULL ? call->user->password : NULL;
	const struct hxb_config *config = &call->config;
	unsigned cost;

	if (call->user == NULL || call->state == HXB_STATE_INVITED ||
	    (hash != NULL && strncmp(hash, "$2!", 3) == 0)) /* the state tells */
		return;
	if (hash == NULL || !hxb_hash_valid(hash, config->password_max_cost, &cost))
		c->password = HXB_PASSWORD_NONE;
	else if (hxb_password_verify(HXB_SEED_PASSWORD, hash, cost, config->password_max_cost))
		c->password = HXB_PASSWORD_SEED;
}

enum hxb_result
hxb_stages_run(struct hxb_case *c, struct hxb_error *error)
{
	for (int i = HXB_PAM_AUTH; i <= HXB_PAM_SESSION; i++) {
		read_stage(c, (enum hxb_pam_facility)i);
		if (c->stages[i].read == HXB_INVALID || c->stages[i].read == HXB_FAILED) {
			*error = c->stages[i].error;
			return c->stages[i].read;
		}
	}
	read_lockout(c);
	judge_password(c);
	for (int i = HXB_PAM_AUTH; i <= HXB_PAM_SESSION; i++)
		run_stage(c, (enum hxb_pam_facility)i);
	return HXB_OK;
}

void
hxb_stages_clear(struct hxb_case *c)
{
	for (int i = HXB_PAM_AUTH; i <= HXB_PAM_SESSION; i++) {
		hxb_pam_stack_clear(&c->stages[i].stack);
		call_free(&c->stages[i].call);
	}
}

const struct hxb_stage *
hxb_case_judged(const struct hxb_case *c)
{
	const struct hxb_stage *auth = &c->stages[HXB_PAM_AUTH], *account = &c->stages[HXB_PAM_ACCOUNT];

	return auth->runs && auth->hexabot != -1 ? auth : account;
}
