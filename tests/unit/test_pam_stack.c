/* SPDX-License-Identifier: ISC */
/* hexactl's reading of PAM stacks is libpam's: stacks of every shape, of pam_debug's lines, run by both. */
#include <sys/wait.h>

#include <security/pam_appl.h>

#include "hexactl/pam_stack.h"
#include "support.h"

enum { STACKS = 400, FILES = 4, LINES = 5 };

static const struct {
	const char *name;
	int code;
} codes[] = {
	{ "success", PAM_SUCCESS },
	{ "success", PAM_SUCCESS },
	{ "auth_err", PAM_AUTH_ERR },
	{ "perm_denied", PAM_PERM_DENIED },
	{ "user_unknown", PAM_USER_UNKNOWN },
	{ "ignore", PAM_IGNORE },
	{ "new_authtok_reqd", PAM_NEW_AUTHTOK_REQD },
	{ "acct_expired", PAM_ACCT_EXPIRED },
	{ "authinfo_unavail", PAM_AUTHINFO_UNAVAIL },
	{ "module_unknown", PAM_MODULE_UNKNOWN },
};
enum { CODES = COUNT(codes) };

static unsigned seed;
static bool broken; /* some file of this stack can't be read to its end */

static int
one_of(int count)
{
	return rand_r(&seed) % count;
}

static void
write_control(FILE *file)
{
	static const char *const breaks[] = { "\\\n\t", "\\\n\n", "\\\n # [comment]\n\t\n" };
	static const char *const words[] = { "required", "requisite", "sufficient", "OPTIONAL" };
	static const char *const actions[] = { "ok", "done", "bad", "die", "ignore", "reset", "1", "2", "3" };

	if (one_of(2) == 0) {
		fprintf(file, "%s ", words[one_of(4)]);
		return;
	}
	fputc('[', file);
	for (int i = one_of(4); i >= 0; i--)
		fprintf(file, "%s%s=%s ", one_of(8) == 0 ? breaks[one_of(3)] : "", codes[one_of(CODES)].name,
		    actions[one_of(9)]);
	if (one_of(3) != 0)
		fprintf(file, "default = %s", actions[one_of(9)]);
	fputs("]\t", file);
}

/* The path of one of the files. */
static const char *
file_path(int number)
{
	const char name[] = { 'f', (char)('0' + number), '\0' };

	return in_dir(name);
}

/* One that libpam finds something wrong with, but goes on. */
static void
write_bad_line(FILE *file)
{
	static const char *const controls[] = { "requird", "[success=what]", "[success]", "[deny=ok]",
		"[=ok]", "[success=ok default]", "[success=-1]" };

	switch (one_of(5)) {
	case 0: /* of no facility */
		fputs(one_of(2) == 0 ? "auht " : "-acount ", file);
		write_control(file);
		fprintf(file, "pam_debug.so auth=%s [a word [in\\] brackets]\n", codes[one_of(CODES)].name);
		break;
	case 1: /* without module */
		fputs("auth ", file);
		write_control(file);
		fputc('\n', file);
		break;
	case 2: /* without control */
		fputs("auth\n", file);
		break;
	case 3:
		fprintf(file, "auth %s pam_debug.so auth=%s [a word [in\\] brackets]\n",
		    controls[one_of(COUNT(controls))], codes[one_of(CODES)].name);
		break;
	default:
		fprintf(file, "auth %s /not/there\n", one_of(2) == 0 ? "include" : "substack");
		break;
	}
}

/* Files include those behind them only, by their path: libpam looks for a name in /etc/pam.d. */
static void
write_line(FILE *file, int number)
{
	if (number + 1 < FILES && one_of(4) == 0) {
		int other = number + 1 + one_of(FILES - number - 1);

		switch (one_of(4)) {
		case 0:
			fprintf(file, "auth include %s\n", file_path(other));
			break;
		case 1:
			fprintf(file, "auth substack %s # more\n", file_path(other));
			break;
		case 2:
			/* What libpam 1.5 makes of one that breaks in a facility's file hangs on what its
			 * stack has at that place. */
			fprintf(file, "%s %s\n", broken && number > 0 ? "auth include" : "@include",
			    file_path(other));
			break;
		default:
			fprintf(file, "-auth\tsubstack\t%s\n", file_path(other));
			break;
		}
		return;
	}
	if (one_of(10) == 0)
		fputs("account required pam_debug.so acct=perm_denied\n  # nothing\n\n", file);
	if (one_of(12) == 0) {
		write_bad_line(file);
		return;
	}
	fputs(one_of(4) == 0 ? "AUTH " : "auth\t", file);
	write_control(file);
	fprintf(file, "pam_debug.so auth=%s [a word [in\\] brackets]\n", codes[one_of(CODES)].name);
}

static void
write_stack(void)
{
	broken = one_of(4) == 0;
	for (int i = 0; i < FILES; i++) {
		FILE *file = fopen(file_path(i), "w");

		assert_non_null(file);
		for (int line = one_of(LINES) + (i == 0); line > 0; line--)
			write_line(file, i);
		if (broken && one_of(4) == 0)
			fputs(
			    i == 0 && one_of(2) == 0 ? "@include /not/there\n" : "auth required \\\n", file);
		assert_int_equal(fclose(file), 0);
	}
}

static int
say_nothing(int count, const struct pam_message **messages, struct pam_response **responses, void *data)
{
	(void)messages;
	(void)data;
	*responses = calloc((size_t)count, sizeof(**responses));
	return PAM_SUCCESS;
}

/* In a process of its own: where libpam gives up it leaves memory behind. */
static int
ask_libpam(const char *dir)
{
	const struct pam_conv conversation = { say_nothing, NULL };
	pam_handle_t *pamh = NULL;
	int code, status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		code = pam_start_confdir("f0", "mona", &conversation, dir, &pamh);
		_exit(code == PAM_SUCCESS ? pam_authenticate(pamh, PAM_SILENT) : code);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
answer(const struct hxb_pam_line *line, void *context)
{
	const char *name = hxb_pam_line_option(line, "auth");

	(void)context;
	assert_string_equal(line->module, "pam_debug.so");
	assert_string_equal(line->options[1], "a word [in] brackets");
	for (int i = 0; i < CODES; i++)
		if (strcmp(codes[i].name, name) == 0)
			return codes[i].code;
	fail_msg("%s", name);
	return PAM_ABORT;
}

static void
print_files(void)
{
	for (int i = 0; i < FILES; i++) {
		FILE *file = fopen(file_path(i), "r");
		char line[512];

		while (file != NULL && fgets(line, sizeof(line), file) != NULL)
			print_message("f%d: %s", i, line);
		if (file != NULL)
			fclose(file);
	}
}

/* Where the files are, for hxb_pam_stack_read(). */
static const char *const *
places(void)
{
	static const char *dirs[2];

	dirs[0] = in_dir(".");
	return dirs;
}

static void
every_stack_comes_to_what_libpam_says(void **state)
{
	int seen[HXB_PAM_CODES] = { 0 }, decided = 0, faults = 0, given_up = 0, libpam, ours, line;
	enum hxb_result r;
	struct hxb_pam_stack stack;

	(void)state;
	seed = (unsigned)getpid();
	for (int i = 0; i < STACKS; i++) {
		write_stack();
		libpam = ask_libpam(in_dir("."));
		r = hxb_pam_stack_read(places(), "f0", HXB_PAM_AUTH, &stack, &err);
		if (r != HXB_OK)
			assert_result(r, HXB_UNREADABLE);
		ours = r == HXB_OK ? hxb_pam_stack_run(&stack, answer, NULL, &line) : PAM_ABORT;
		if (ours != libpam) {
			print_files();
			fail_msg("libpam says %d, pam_run.c %d", libpam, ours);
		}
		decided += r == HXB_OK && line != -1;
		given_up += r != HXB_OK;
		faults += r == HXB_OK && hxb_pam_stack_fault(&stack) != -1;
		seen[ours]++;
		hxb_pam_stack_clear(&stack);
	}
	/* Not all the same. */
	assert_in_range(seen[PAM_SUCCESS], STACKS / 20, STACKS * 19 / 20);
	assert_true(decided > STACKS / 2);
	assert_in_range(given_up, 1, STACKS / 4);
	assert_true(faults > STACKS / 20);
}

/* What libpam gives up over, or denies whoever comes to it for, is told with file and line. */
static void
bad_files_are_told_with_their_line(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "auth required\n", "/bad:1: there is no module" },
		{ "\n# auth\nauth\n", "/bad:3: there is no control" },
		{ "auth optional pam_debug.so\nauht required pam_debug.so\n", "/bad:2: begins with none of" },
		{ "auth [success=ok deny=bad] pam_debug.so\n", "/bad:1: a word in brackets" },
		{ "auth [success] pam_debug.so\n", "/bad:1: in brackets there is a '=' missing" },
		{ "auth [success=0] pam_debug.so\n", "/bad:1: in brackets there is neither" },
		{ "auth [success=99999999999] pam_debug.so\n", "/bad:1: in brackets there is neither" },
		{ "auth include nothing-here\n", "/bad:1: includes nothing-here, which is not there" },
		/* From here on it gives up, or crashes. */
		{ "@include not-there\n", "/bad:1: includes not-there, which is not there" },
		{ "auth include\n", "/bad:1: there is no file to include" },
		{ "@include bad\n", "/bad:1: files include each other without end" },
		{ "auth required pam_debug.so \\\n", "/bad:1: ends with a backslash" },
	};
	struct hxb_pam_stack stack;
	bool gives_up = false;
	char line[3000];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		gives_up = gives_up || strncmp(cases[i].text, "@include", 8) == 0;
		write_file(in_dir("bad"), cases[i].text, 0644);
		assert_result(hxb_pam_stack_read(places(), "bad", HXB_PAM_AUTH, &stack, &err),
		    gives_up ? HXB_UNREADABLE : HXB_OK);
		if (gives_up)
			assert_contains(err.text, cases[i].says);
		else
			assert_contains(stack.lines[hxb_pam_stack_fault(&stack)].fault, cases[i].says);
		hxb_pam_stack_clear(&stack);
	}
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	write_file(in_dir("bad"), line, 0644);
	assert_result(hxb_pam_stack_read(places(), "bad", HXB_PAM_AUTH, &stack, &err), HXB_UNREADABLE);
	hxb_pam_stack_clear(&stack);
	assert_contains(err.text, "longer than libpam takes");
	assert_result(hxb_pam_stack_read(places(), "../bad", HXB_PAM_AUTH, &stack, &err), HXB_INVALID);
	hxb_pam_stack_clear(&stack);
}

static void
other_stands_in_for_what_a_service_leaves_out(void **state)
{
	struct hxb_pam_stack stack;

	(void)state;
	write_file(in_dir("other"), "auth required pam_deny.so\naccount required pam_warn.so\n", 0644);
	write_file(in_dir("half"), "auth required pam_debug.so", 0644);
	assert_ok(hxb_pam_stack_read(places(), "HALF", HXB_PAM_AUTH, &stack, &err));
	assert_false(stack.other);
	assert_string_equal(stack.lines[0].module, "pam_debug.so");
	hxb_pam_stack_clear(&stack);
	assert_ok(hxb_pam_stack_read(places(), "half", HXB_PAM_ACCOUNT, &stack, &err));
	assert_true(stack.other);
	assert_int_equal(hxb_pam_stack_find(&stack, "pam_warn.so", 0), 0);
	hxb_pam_stack_clear(&stack);
	assert_ok(hxb_pam_stack_read(places(), "none", HXB_PAM_SESSION, &stack, &err));
	assert_int_equal(stack.count, 0);
	assert_int_equal(hxb_pam_stack_run(&stack, answer, NULL, NULL), PAM_PERM_DENIED);
	hxb_pam_stack_clear(&stack);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_stack_comes_to_what_libpam_says),
		TEST(bad_files_are_told_with_their_line),
		TEST(other_stands_in_for_what_a_service_leaves_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
