/* SPDX-License-Identifier: ISC */
/* hexactl's reading of PAM stacks is libpam's: stacks of every shape, of pam_debug's lines, run by both. */
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
			fprintf(file, "@include %s\n", file_path(other));
			break;
		default:
			fprintf(file, "-auth\tsubstack\t%s\n", file_path(other));
			break;
		}
		return;
	}
	if (one_of(10) == 0)
		fputs("account required pam_debug.so acct=perm_denied\n  # nothing\n\n", file);
	fputs(one_of(4) == 0 ? "AUTH " : "auth\t", file);
	write_control(file);
	fprintf(file, "pam_debug.so auth=%s [a word [in\\] brackets]\n", codes[one_of(CODES)].name);
}

static void
write_stack(void)
{
	for (int i = 0; i < FILES; i++) {
		FILE *file = fopen(file_path(i), "w");

		assert_non_null(file);
		for (int line = one_of(LINES) + (i == 0); line > 0; line--)
			write_line(file, i);
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

static int
ask_libpam(const char *dir)
{
	const struct pam_conv conversation = { say_nothing, NULL };
	pam_handle_t *pamh = NULL;
	int code;

	assert_int_equal(pam_start_confdir("f0", "mona", &conversation, dir, &pamh), PAM_SUCCESS);
	code = pam_authenticate(pamh, PAM_SILENT);
	pam_end(pamh, code);
	return code;
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
	int seen[HXB_PAM_CODES] = { 0 }, decided = 0, libpam, ours, line;
	struct hxb_pam_stack stack;

	(void)state;
	seed = (unsigned)getpid();
	for (int i = 0; i < STACKS; i++) {
		write_stack();
		libpam = ask_libpam(in_dir("."));
		assert_ok(hxb_pam_stack_read(places(), "f0", HXB_PAM_AUTH, &stack, &err));
		ours = hxb_pam_stack_run(&stack, answer, NULL, &line);
		if (ours != libpam) {
			print_files();
			fail_msg("libpam says %d, pam_run.c %d", libpam, ours);
		}
		decided += line != -1;
		seen[ours]++;
		hxb_pam_stack_clear(&stack);
	}
	/* Not all the same. */
	assert_in_range(seen[PAM_SUCCESS], STACKS / 20, STACKS * 19 / 20);
	assert_true(decided > STACKS / 2);
}

/* What libpam denies for, or gives up over, is told with file and line. */
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
		{ "auth include\n", "/bad:1: there is no file to include" },
		{ "@include bad\n", "/bad:1: files include each other without end" },
		{ "auth required pam_debug.so \\\n", "/bad:1: ends with a backslash" },
	};
	struct hxb_pam_stack stack;
	char line[3000];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		write_file(in_dir("bad"), cases[i].text, 0644);
		assert_result(
		    hxb_pam_stack_read(places(), "bad", HXB_PAM_AUTH, &stack, &err), HXB_UNREADABLE);
		hxb_pam_stack_clear(&stack);
		assert_contains(err.text, cases[i].says);
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
