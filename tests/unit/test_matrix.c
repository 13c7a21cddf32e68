/* SPDX-License-Identifier: ISC */
/*
 * The verdict matrix: tests/data/verdicts, walked cell by cell through libpam and the module: every situation
 * x service x stage x caller. In each cell: the code, and PAM_SUCCESS nowhere else; one line in the log for a
 * decision, and the reason in that of a refusal; what was written, and by a refusal nothing; ids and signals
 * as they were.
 *
 * Root is a real uid of 0. The user and another user have theirs, and 0 as the effective one: passwd(1), su
 * and sudo are called like that.
 */
#include <crypt.h>
#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "libhexabot/password.h"
#include "libhexabot/paths.h"
#include "matrix.h"

#define EXPORTED __attribute__((visibility("default")))

/* What pam_debug.so answers behind the module where only chauthtok's first pass is asked for: the module
 * never does. */
#define FIRST_PASS_SUCCEEDED PAM_CRED_INSUFFICIENT
#define AFTER_FIRST_PASS "password required pam_debug.so prechauthtok=cred_insufficient\n"

/* What is freed is looked at for a while, not for 256 MB: new pages for each cell are half of its time. */
EXPORTED const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "quarantine_size_mb=4";
}

/* Of all situations; shared with the children who walk them. */
static struct {
	unsigned cells, wrong;
} * tally;

/*
 * Hashes are as in real life, but of the lowest cost, and made once: how long one takes is not what the
 * matrix asks. In place of libcrypt's, also for the module.
 */
EXPORTED char *
crypt_r(const char *phrase, const char *setting, struct crypt_data *data)
{
	static struct {
		char phrase[64], hash[HXB_HASH_SIZE];
	} made[8];
	static unsigned next;
	static char *(*real)(const char *, const char *, struct crypt_data *);
	const size_t salt_ends = 29;
	char cheap[HXB_HASH_SIZE];
	unsigned i = 0;

	assert_true(strlen(setting) >= salt_ends && strlen(phrase) < sizeof(made[0].phrase));
	assert_int_equal(strncmp(setting, "$2b$", 4), 0);
	while (i < COUNT(made) &&
	    (strcmp(made[i].phrase, phrase) != 0 || strncmp(made[i].hash, setting, salt_ends) != 0))
		i++;
	if (i == COUNT(made)) {
		if (real == NULL)
			*(void **)&real = dlsym(RTLD_NEXT, "crypt_r");
		assert_non_null(real);
		i = next++ % COUNT(made);
		snprintf(cheap, sizeof(cheap), "$2b$04%s", setting + 6);
		snprintf(made[i].phrase, sizeof(made[i].phrase), "%s", phrase);
		snprintf(made[i].hash, sizeof(made[i].hash), "%s", real(phrase, cheap, data));
		assert_int_equal(strlen(made[i].hash), HXB_HASH_SIZE - 1);
		memcpy(made[i].hash, setting, 6);
	}
	snprintf(data->output, sizeof(data->output), "%s", made[i].hash);
	return data->output;
}

/* What one cell's person types. */
struct talk {
	const struct situation *situation;
	const char *typed, *current;
	bool changed;
};

static const char *
answer_to(const char *prompt, struct talk *talk)
{
	bool is_new = strstr(prompt, "New") != NULL || strstr(prompt, "Retype") != NULL;

	if (!is_new)
		return strstr(prompt, "Current") != NULL ? talk->current : talk->typed;
	if (talk->situation->moment == WHILE_CHOOSING && !talk->changed) {
		talk->changed = true;
		change_situation(talk->situation);
		mark_before();
	}
	return NEW_PASSWORD;
}

static int
converse(int count, const struct pam_message **messages, struct pam_response **responses, void *context)
{
	struct pam_response *replies = calloc((size_t)count, sizeof(*replies));

	assert_non_null(replies);
	for (int i = 0; i < count; i++) {
		if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			replies[i].resp = strdup(answer_to(messages[i]->msg, context));
	}
	*responses = replies;
	return PAM_SUCCESS;
}

static void
begin_talk(struct talk *talk, const struct situation *situation)
{
	talk->situation = situation;
	talk->typed = situation->typed != NULL ? situation->typed
	    : situation->invited               ? CODE
	                                       : RIGHT_PASSWORD;
	talk->current = situation->current != NULL ? situation->current : talk->typed;
	talk->changed = false;
}

static int
run_stage(pam_handle_t *pamh, enum stage stage)
{
	int code;

	switch (stage) {
	case AUTH:
		return pam_authenticate(pamh, 0);
	case ACCOUNT:
		return pam_acct_mgmt(pamh, 0);
	case SETCRED:
		return pam_setcred(pamh, PAM_ESTABLISH_CRED);
	case OPEN:
		return pam_open_session(pamh, 0);
	case CLOSE:
		return pam_close_session(pamh, 0);
	case CHANGE:
		return pam_chauthtok(pamh, 0);
	case FORCED_CHANGE:
		return pam_chauthtok(pamh, PAM_CHANGE_EXPIRED_AUTHTOK);
	case PRELIM:
	case FORCED_PRELIM:
		code = pam_chauthtok(pamh, stage == PRELIM ? 0 : PAM_CHANGE_EXPIRED_AUTHTOK);
		return code == FIRST_PASS_SUCCEEDED ? PAM_SUCCESS : code;
	default:
		return -1;
	}
}

/* What comes before the cell's stage in its handle. What is written there is not the stage's. */
static void
lead_up(pam_handle_t *pamh, const struct cell *cell)
{
	const struct situation *situation = cell->situation;

	if (situation->way == ALONE || (situation->way != IN_SESSION && cell->stage == AUTH))
		return;
	if (situation->way == IN_SESSION)
		assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
	if (situation->way != IN_SESSION) {
		(void)pam_authenticate(pamh, 0);
		if (situation->moment == AFTER_AUTH)
			change_situation(situation);
		if (situation->way == IN_ORDER && cell->stage != ACCOUNT) {
			(void)pam_acct_mgmt(pamh, 0);
			if (situation->moment == AFTER_ACCOUNT)
				change_situation(situation);
		}
	}
	if (situation->moment == AFTER_OPEN)
		change_situation(situation);
	mark_before();
}

static unsigned
lines_logged(void)
{
	unsigned lines = 0;

	for (const char *p = logged; (p = strchr(p, '<')) != NULL; p++)
		lines += p[1] >= '0' && p[1] <= '7' && p[2] == '>';
	return lines;
}

/* The line that the log has to have, or part of it; "" for none. */
static const char *
line_of(const struct cell *cell, const struct expected *expected)
{
	static char line[192];

	if (expected->sets)
		return "<6>password of ada ";
	switch (expected->code) {
	case PAM_SUCCESS:
		return cell->stage == AUTH || cell->stage == ACCOUNT ? "<6>allowed ada from 192.0.2.7" : "";
	case PAM_NEW_AUTHTOK_REQD:
		return "<6>pending ada from 192.0.2.7: ";
	case PAM_USER_UNKNOWN:
		return "";
	default:
		break;
	}
	if (cell->stage == OPEN || cell->stage == SETCRED) /* these refuse nobody: libpam does */
		return "";
	snprintf(line, sizeof(line), "%s", expected->log);
	return line;
}

static bool
logged_as_expected(const struct cell *cell, const struct expected *expected)
{
	const char *line = line_of(cell, expected);

	if (line[0] == '\0')
		return logged[0] == '\0';
	if (line[0] != '<' && strstr(logged, "refused ada from 192.0.2.7: ") == NULL)
		return false;
	return lines_logged() == 1 && strstr(logged, line) != NULL;
}

static void
complain(const struct cell *cell, const char *what, const char *found, const char *wanted)
{
	tally->wrong++;
	print_message("# %s | %s | %s | %s: %s: %s, not %s\n", cell->situation->name,
	    service_names[cell->service], stage_names[cell->stage], caller_names[cell->caller], what, found,
	    wanted);
}

static void
walk_cell(const struct cell *cell)
{
	bool first_pass = cell->stage == PRELIM || cell->stage == FORCED_PRELIM;
	const char *user = cell->situation->user != NULL ? cell->situation->user : "ada", *why;
	struct expected expected = expect(cell);
	struct talk talk;
	struct pam_conv conversation = { converse, &talk };
	struct standing standing;
	pam_handle_t *pamh;
	int code;

	restore_image();
	begin_talk(&talk, cell->situation);
	pamh = open_handle(
	    service_names[cell->service], user, in_dir(first_pass ? "first-pass.d" : "pam.d"), &conversation);
	lead_up(pamh, cell);
	logged[0] = '\0';
	standing = present_standing();
	code = run_stage(pamh, cell->stage);
	assert_standing(&standing);
	pam_end(pamh, code);
	if (code != expected.code)
		complain(cell, "answer", code_name(code), code_name(expected.code));
	if (!logged_as_expected(cell, &expected))
		complain(cell, "log", logged, line_of(cell, &expected));
	if (!wrote_as_expected(cell, &expected, &why))
		complain(cell, "written", why, "what belongs there");
	tally->cells++;
}

static void
walk_services(struct cell cell)
{
	for (cell.service = 0; cell.service < SERVICES; cell.service++) {
		for (int stage = 0; stage < STAGES; stage++) {
			cell.stage = (enum stage)stage;
			walk_cell(&cell);
		}
	}
}

/* In a child, so that nothing of a caller stays with the next. */
static void
walk_as(enum caller caller, const struct situation *situation, uid_t ada)
{
	uid_t uid = caller == ROOT ? 0 : caller == SELF ? ada : SOMEBODY;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		/* A failed assertion ends the child: the test that it is a copy of is the parent's. */
		setenv("CMOCKA_TEST_ABORT", "1", 1);
		assert_int_equal(setresuid(uid, 0, 0), 0);
		walk_services((struct cell){ .situation = situation, .caller = caller });
		_exit(0);
	}
	assert_int_equal(wait_child(pid), 0);
}

static void
write_stacks(const char *options)
{
	char path[PATH_MAX];

	for (int i = 0; i < SERVICES; i++) {
		const char *name = i < SERVICES - 1 ? service_names[i] : "other";

		snprintf(path, sizeof(path), "%s/%s", in_dir("pam.d"), name);
		write_stack(path, options, "");
		snprintf(path, sizeof(path), "%s/%s", in_dir("first-pass.d"), name);
		write_stack(path, options, AFTER_FIRST_PASS);
	}
}

static void
every_cell_is_as_the_table_says(void **state)
{
	const struct situation *situation = find_situation(*state);
	unsigned cells, wrong;
	uid_t ada;

	NEEDS_ROOT_AND_A_STATE_DIR();
	cells = tally->cells;
	wrong = tally->wrong;
	ada = (uid_t)sql_number(HXB_LEDGER_PATH, "SELECT number FROM entries WHERE login = 'ada'");
	mkdir(in_dir("first-pass.d"), 0755);
	write_stacks(situation->options != NULL ? situation->options : "");
	make_situation(situation);
	keep_image();
	for (int caller = 0; caller < CALLERS; caller++)
		walk_as((enum caller)caller, situation, ada);
	assert_int_equal(tally->wrong, wrong);
	assert_int_equal(tally->cells - cells, SERVICES * STAGES * CALLERS);
}

static void
no_cell_is_left_out(void **state)
{
	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	print_message("# %u cells: %u situations x %d services x %d stages x %d callers\n", tally->cells,
	    verdict_count(), SERVICES, STAGES, CALLERS);
	assert_int_equal(verdict_count(), situation_count());
	assert_int_equal(tally->cells, verdict_count() * SERVICES * STAGES * CALLERS);
}

/* The situation's name is the test's. */
static int
set_up(void **state)
{
	void *name = *state;
	int r = set_up_pam(state);

	*state = name;
	return r;
}

int
main(void)
{
	static struct CMUnitTest tests[SITUATIONS_MAX + 1];
	unsigned count;

	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED)
		return 1;
	read_verdicts();
	count = verdict_count();
	for (unsigned i = 0; i < count; i++) {
		tests[i] = (struct CMUnitTest){ verdict_name(i), every_cell_is_as_the_table_says, set_up,
			tear_down_pam, (void *)(uintptr_t)verdict_name(i) };
	}
	tests[count] = (struct CMUnitTest){ "no_cell_is_left_out", no_cell_is_left_out, NULL, NULL, NULL };
	return _cmocka_run_group_tests("matrix", tests, count + 1, NULL, NULL);
}
