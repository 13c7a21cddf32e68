/* SPDX-License-Identifier: ISC */
/*
 * The entry points, over a real store and ledger. What has to hold, whatever calls fail:
 *
 * - auth and account answer SUCCESS only to who may log in and has typed the right password or a good code,
 *   as the oracle in pam_world.c says; where nothing fails they do answer it then;
 * - a password changes only if root changes it, or somebody who may has proved the present one or the code;
 * - who is none of ours is USER_UNKNOWN, or IGNORE, unheard;
 * - no descriptor, id, file-system id or blocked signal remains, and none is blocked at a prompt or a hash;
 * - no line of the log has a control character, or anything that was typed;
 * - no memory is lost (LeakSanitizer's to say).
 *
 * The input is text; each line is done as it comes:
 *
 *   login mona | service sshd | rhost NAME | group NAME | uid 1000 (the caller's real one) | euid 1000 |
 * quiet row mona 1 hash b10 pw-mona | state mona 0 | removed mona | roles mona admin | inactive admin | held
 * mona expires mona 190000000 (tens of seconds) | code mona ENDED 190000000 CODE | conf LINE | pam ARGUMENT
 *   poke, cut, mode, own, gone FILE ...: see pam_world.c
 *   say TEXT (the next answer) | typed TEXT (PAM_AUTHTOK) | meanwhile LINE (while the next question is open)
 *   fail KIND FIRST TIMES | chance SEED RATE: see faults.h
 *   each KIND STEP: as often as there are calls of that kind, divided by the step, the whole again, with one
 * of them failing; in replay.c only do auth | account | setcred | open | close | prelim | update | change |
 * expired | again (a new handle)
 */
#include <sys/fsuid.h>
#include <unistd.h>

#include "bcrypt.h"
#include "clock.h"
#include "faults.h"
#include "fuzz.h"
#include "pam_stub.h"
#include "pam_world.h"

#define CALLS_MAX 12 /* of an input */
#define EACH_MAX 16
#define SECRET_MIN 8 /* bytes of an answer that is looked for in the log */

struct sweep {
	char kind[16];
	uint32_t step;
};

struct play {
	pam_handle_t pamh;
	uid_t real, effective;
	int flags;
	unsigned calls;
	char meanwhile[512];
	char harmless[16384]; /* the lines without secrets */
	struct fuzz_standing standing; /* of the present call */
	struct sweep each[EACH_MAX]; /* kinds of calls that are to fail one by one */
	unsigned sweeps;
	bool readable; /* configuration and arguments */
	struct hxb_config config;
};
static struct play play;

/* Somebody does something while the person thinks. */
static void
while_asked(void)
{
	char line[sizeof(play.meanwhile)], *rest = line;
	const char *word;

	/* No prompt with a lock held: nothing is blocked, nothing open. */
	fuzz_same_standing(&play.standing);
	if (play.meanwhile[0] == '\0')
		return;
	memcpy(line, play.meanwhile, sizeof(line));
	play.meanwhile[0] = '\0';
	word = fuzz_word(&rest);
	if (world_is_of_person(word))
		(void)world_take(word, rest);
	world_write();
}

static void
while_hashing(void)
{
	faults_disarm();
	fuzz_same_standing(&play.standing);
	faults_arm();
}

/* What the module would read, read without faults. */
static void
read_configuration(void)
{
	struct hxb_error error = { "" };

	play.readable = hxb_config_init(&play.config, &error) == HXB_OK;
	for (int i = 0; i < world.argc; i++)
		play.readable =
		    play.readable && hxb_config_argument(&play.config, world.argv[i], &error) == HXB_OK;
	play.readable = play.readable && hxb_config_load(&play.config, play.config.conf, 0, &error) == HXB_OK;
}

/* Whether one of the answers given to this handle proves who it is. */
static bool
said_password(const struct row *row)
{
	const char *authtok = play.pamh.authtok;

	for (unsigned i = 0; i < stub_asked; i++) {
		if (is_password(row, stub_answers[i], play.config.password_max_cost))
			return true;
	}
	return authtok != NULL && is_password(row, authtok, play.config.password_max_cost);
}

static bool
said_code(const struct row *row)
{
	for (unsigned i = 0; i < stub_asked; i++) {
		if (is_code(row, stub_answers[i]))
			return true;
	}
	return play.pamh.authtok != NULL && is_code(row, play.pamh.authtok);
}

static bool
takes_codes(void)
{
	return hxb_list_has(play.config.invite_services, play.pamh.service);
}

/* Nothing that this handle's caller sees is as it should be. */
static bool
is_broken(void)
{
	return !play.readable || play.effective != 0 ||
	    (stub_group[0] != '\0' &&
	        (strncmp(stub_group, "hexabot.", 8) != 0 || strcmp(stub_group + 8, play.pamh.login) != 0));
}

static bool
may_authenticate(const struct row *row, const char *typed)
{
	if (is_broken() || row->disagrees || typed == NULL || strcmp(typed, "adminadmin") == 0 ||
	    !may_log_in(row, &play.config))
		return false;
	if (is_marked(row))
		return is_code(row, typed) && takes_codes();
	return is_password(row, typed, play.config.password_max_cost);
}

static void
check_auth(int code, const struct row *row)
{
	bool may = may_authenticate(row, play.pamh.authtok);

	MUST(code != PAM_USER_UNKNOWN || faults_happened());
	if (!world.tampered)
		MUST(code != PAM_SUCCESS || may);
	if (!world.tampered && !faults_happened())
		MUST(code == PAM_SUCCESS || !may);
	MUST(code != PAM_SUCCESS || !world.gone || faults_happened());
}

static int
account_code(const struct person *person, const struct row *row, bool with_code)
{
	if (is_broken() || row->disagrees)
		return PAM_AUTHINFO_UNAVAIL;
	if (is_disabled(row))
		return PAM_ACCT_EXPIRED;
	if (!may_log_in(row, &play.config))
		return PAM_PERM_DENIED;
	if (is_marked(row) &&
	    (!row->invited || row->ended != 0 || row->good_until <= CLOCK_NOW || !is_code(row, row->code)))
		return PAM_ACCT_EXPIRED;
	if (is_marked(row) && !takes_codes())
		return PAM_ACCT_EXPIRED;
	if (has_stale_group(person, row))
		return PAM_PERM_DENIED;
	if (is_marked(row))
		return PAM_NEW_AUTHTOK_REQD;
	return with_code ? PAM_AUTH_ERR : PAM_SUCCESS;
}

static void
check_account(int code, const struct person *person, const struct row *row, bool with_code)
{
	int expected = account_code(person, row, with_code);

	MUST(code != PAM_USER_UNKNOWN || faults_happened());
	if (world.tampered)
		return;
	MUST(code != PAM_SUCCESS || expected == PAM_SUCCESS || (faults_happened() && with_code));
	/* A code in the ledger that is no code at all is as open to the verdict as any. */
	if (!faults_happened() && (!is_marked(row) || is_code(row, row->code)))
		MUST(code == expected);
}

/* Whether the user's own change may happen now. */
static bool
may_change(const struct row *row)
{
	if (is_disabled(row))
		return false;
	if (!is_marked(row))
		return said_password(row);
	return may_log_in(row, &play.config) && said_code(row) &&
	    (takes_codes() || strcmp(play.pamh.service, "passwd") == 0);
}

static void
check_change(int code, int flags, const struct row *row)
{
	struct row before[PEOPLE];
	bool forced = ((unsigned)flags & PAM_CHANGE_EXPIRED_AUTHTOK) != 0,
	     by_root = play.real == 0 && !forced;
	unsigned who = (unsigned)(row - world.rows);

	memcpy(before, world.rows, sizeof(before));
	world_read_back();
	if (world.tampered)
		return;
	for (unsigned i = 0; i < PEOPLE; i++) {
		const struct row *now = &world.rows[i];

		if (now->type == before[i].type && now->size == before[i].size &&
		    memcmp(now->password, before[i].password, now->size) == 0)
			continue;
		MUST(i == who && ((unsigned)flags & PAM_PRELIM_CHECK) == 0 && !is_broken());
		MUST(before[i].present && !before[i].held && !before[i].disagrees &&
		    (by_root || may_change(&before[i])));
		MUST(play.pamh.authtok != NULL && is_password(now, play.pamh.authtok, 31));
	}
	if (code == PAM_SUCCESS && ((unsigned)flags & PAM_PRELIM_CHECK) == 0 && !forced && !before[who].held)
		MUST(is_password(row, play.pamh.authtok, 31));
}

typedef int entry_point(pam_handle_t *, int, int, const char **);

/* One call of the module, as its caller, with what is to fail failing. */
static int
call(entry_point *entry, int flags)
{
	int code;

	world_write();
	clock_move(10);
	MUST(setresuid(play.real, play.effective, 0) == 0);
	play.standing = fuzz_standing();
	faults_arm();
	code = entry(&play.pamh, flags | play.flags, world.argc, world.argv);
	faults_disarm();
	fuzz_same_standing(&play.standing);
	MUST(setresuid(0, 0, 0) == 0);
	return code;
}

static void
do_auth(const struct person *person, const struct row *row)
{
	int code = call(pam_sm_authenticate, 0);

	read_configuration();
	if (person == NULL)
		MUST(code == PAM_USER_UNKNOWN);
	else
		check_auth(code, row);
}

static void
do_account(const struct person *person, const struct row *row)
{
	bool with_code = play.pamh.data != NULL;
	int code = call(pam_sm_acct_mgmt, 0);

	read_configuration();
	if (person == NULL)
		MUST(code == PAM_USER_UNKNOWN);
	else
		check_account(code, person, row, with_code);
}

static int
do_change(const struct person *person, const struct row *row, int flags)
{
	int code;

	play.pamh.changing = true;
	code = call(pam_sm_chauthtok, flags);
	play.pamh.changing = false;
	read_configuration();
	if (person == NULL)
		MUST(code == PAM_USER_UNKNOWN);
	else
		check_change(code, flags, row);
	return code;
}

static void
do_both(const struct person *person, const struct row *row, int flags)
{
	hxb_config_free(&play.config);
	if (do_change(person, row, flags | PAM_PRELIM_CHECK) != PAM_SUCCESS)
		return;
	hxb_config_free(&play.config);
	/* libpam forgets what was typed between. */
	free(play.pamh.authtok);
	play.pamh.authtok = NULL;
	(void)do_change(person, row, flags | PAM_UPDATE_AUTHTOK);
}

static void
do_call(const char *what)
{
	const struct person *person = person_of(play.pamh.login);
	const struct row *row = row_of(play.pamh.login);
	int code;

	if (play.calls++ >= CALLS_MAX)
		return;
	memset(&play.config, 0, sizeof(play.config));
	if (strcmp(what, "auth") == 0) {
		do_auth(person, row);
	} else if (strcmp(what, "account") == 0) {
		do_account(person, row);
	} else if (strcmp(what, "prelim") == 0) {
		(void)do_change(person, row, PAM_PRELIM_CHECK);
	} else if (strcmp(what, "update") == 0) {
		(void)do_change(person, row, PAM_UPDATE_AUTHTOK);
	} else if (strcmp(what, "change") == 0) {
		do_both(person, row, 0);
	} else if (strcmp(what, "expired") == 0) {
		do_both(person, row, PAM_CHANGE_EXPIRED_AUTHTOK);
	} else if (strcmp(what, "setcred") == 0) {
		code = call(pam_sm_setcred, PAM_ESTABLISH_CRED);
		MUST(code == (person != NULL ? PAM_SUCCESS : PAM_USER_UNKNOWN) || faults_happened());
	} else if (strcmp(what, "open") == 0) {
		code = call(pam_sm_open_session, 0);
		MUST(code == (person != NULL ? PAM_SUCCESS : PAM_IGNORE) || faults_happened());
	} else if (strcmp(what, "close") == 0) {
		MUST(call(pam_sm_close_session, 0) == PAM_SUCCESS);
	} else if (strcmp(what, "again") == 0) {
		stub_end(&play.pamh);
	}
	hxb_config_free(&play.config);
}

static void
say(char *text)
{
	if (stub_answer_count < SAID_MAX)
		stub_answers[stub_answer_count++] = strndup(text, 511);
}

static void
set(char *place, size_t size, const char *text)
{
	snprintf(place, size, "%s", text);
}

/* What lines say of the caller and the person at the prompt. */
static bool
take_caller(const char *word, char *rest)
{
	if (strcmp(word, "login") == 0)
		set(play.pamh.login, sizeof(play.pamh.login), rest);
	else if (strcmp(word, "service") == 0)
		set(play.pamh.service, sizeof(play.pamh.service), rest);
	else if (strcmp(word, "rhost") == 0)
		set(play.pamh.host, sizeof(play.pamh.host), rest);
	else if (strcmp(word, "group") == 0)
		set(stub_group, sizeof(stub_group), rest);
	else if (strcmp(word, "meanwhile") == 0)
		set(play.meanwhile, sizeof(play.meanwhile), rest);
	else if (strcmp(word, "uid") == 0)
		play.real = fuzz_number(rest);
	else if (strcmp(word, "euid") == 0)
		play.effective = play.real = fuzz_number(rest);
	else if (strcmp(word, "quiet") == 0)
		play.flags = PAM_SILENT;
	else if (strcmp(word, "say") == 0)
		say(rest);
	else
		return false;
	return true;
}

static bool
has_secret(const char *word)
{
	static const char *const words[] = { "say", "typed", "row", "code", "meanwhile" };

	for (size_t i = 0; i < COUNT(words); i++) {
		if (strcmp(word, words[i]) == 0)
			return true;
	}
	return false;
}

static void
take_line(char *line)
{
	const char *word = fuzz_word(&line);
	size_t used = strlen(play.harmless);

	if (!has_secret(word))
		snprintf(play.harmless + used, sizeof(play.harmless) - used, "%s\n", line);
	if (take_caller(word, line))
		return;
	if (strcmp(word, "do") == 0) {
		do_call(line);
	} else if (strcmp(word, "each") == 0 && play.sweeps < EACH_MAX) {
		struct sweep *sweep = &play.each[play.sweeps++];

		set(sweep->kind, sizeof(sweep->kind), fuzz_word(&line));
		sweep->step = fuzz_number(line) + (line[0] == '\0');
	} else if (strcmp(word, "typed") == 0) {
		free(play.pamh.authtok);
		play.pamh.authtok = strndup(line, 511);
	} else if (strcmp(word, "fail") == 0) {
		const char *kind = fuzz_word(&line);
		uint32_t first = fuzz_number(fuzz_word(&line));

		faults_add(kind, first, fuzz_number(line));
	} else if (strcmp(word, "chance") == 0) {
		uint32_t seed = fuzz_number(fuzz_word(&line));

		faults_chance(seed, fuzz_number(line));
	} else {
		(void)world_take(word, line);
	}
}

/* What was typed is in no line of the log, unless a line says it that is no secret. */
static void
check_log(void)
{
	for (unsigned i = 0; i < stub_answer_count; i++) {
		const char *secret = stub_answers[i];

		if (strlen(secret) >= SECRET_MIN && strncmp(secret, "pw-", 3) == 0)
			MUST(strstr(stub_logged, secret) == NULL || strstr(play.harmless, secret) != NULL);
	}
	MUST(strstr(stub_logged, "$2b$") == NULL || strstr(play.harmless, "$2b$") != NULL);
}

/* The whole input. first: of the calls of a kind that fails; 0: none but those that lines name. */
static void
play_once(const uint8_t *data, size_t size, const char *kind, uint32_t first)
{
	char *text = fuzz_text(data, size), *rest = text, *line;

	faults_clear();
	stub_forget();
	world_reset();
	memset(&play, 0, sizeof(play));
	set(play.pamh.login, sizeof(play.pamh.login), "mona");
	set(play.pamh.service, sizeof(play.pamh.service), "sshd");
	stub_meanwhile = while_asked;
	bcrypt_called = while_hashing;
	bcrypt_max_cost = 18;
	if (first != 0)
		faults_add(kind, first, 1);
	while ((line = fuzz_line(&rest)) != NULL)
		take_line(line);
	check_log();
	stub_end(&play.pamh);
	stub_forget();
	free(text);
}

/* Until there are no more calls that could fail. */
static void
play_sweep(const uint8_t *data, size_t size, const struct sweep *sweep)
{
	uint32_t first = 1;

	do {
		play_once(data, size, sweep->kind, first);
		first += sweep->step;
	} while (faults_happened() && sweep->step != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sweep each[EACH_MAX];
	unsigned sweeps;

	if (!world_possible())
		return 0;
	play_once(data, size, "", 0);
	memcpy(each, play.each, sizeof(each));
	sweeps = fuzz_replaying ? play.sweeps : 0;
	for (unsigned i = 0; i < sweeps; i++)
		play_sweep(data, size, &each[i]);
	return 0;
}
