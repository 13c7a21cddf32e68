/* SPDX-License-Identifier: ISC */
/* hexactl: the administrator's tool. The table of commands, and the only place where a result becomes an exit
 * code. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "print.h"
#include "session.h"

static const struct hxb_command *const commands[] = {
	&hxb_cmd_init,
	&hxb_cmd_list,
	&hxb_cmd_show,
	&hxb_cmd_invite,
	&hxb_cmd_resend,
	&hxb_cmd_revoke,
	&hxb_cmd_role_list,
	&hxb_cmd_role_add,
	&hxb_cmd_role_remove,
	&hxb_cmd_role_set,
	&hxb_cmd_enable,
	&hxb_cmd_disable,
	&hxb_cmd_passwd,
	&hxb_cmd_set,
	&hxb_cmd_erase,
	&hxb_cmd_key_list,
	&hxb_cmd_key_add,
	&hxb_cmd_key_remove,
	&hxb_cmd_publish,
	&hxb_cmd_watch,
	&hxb_cmd_explain,
	&hxb_cmd_log,
	&hxb_cmd_doctor,
	&hxb_cmd_completion,
};
enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

const struct hxb_command *
hxb_command_at(size_t index)
{
	return index < COMMAND_COUNT ? commands[index] : NULL;
}

static int
exit_code(enum hxb_result r)
{
	switch (r) {
	case HXB_OK:
		return 0;
	case HXB_INVALID:
	case HXB_AMBIGUOUS:
		return 2;
	case HXB_NOT_FOUND:
		return 3;
	case HXB_REFUSED:
		return 4;
	case HXB_NOT_SENT:
		return 5;
	case HXB_BUSY:
	case HXB_UNREADABLE:
		return 6;
	case HXB_FAILED:
	case HXB_CONFLICT:
		break;
	}
	return 1;
}

/* Whether the command's name is `first`, or "first second", or with second NULL begins with "first ". */
static bool
named(const struct hxb_command *command, const char *first, const char *second)
{
	size_t size = strlen(first);

	if (strncmp(command->name, first, size) != 0)
		return false;
	if (command->name[size] == '\0')
		return true;
	return command->name[size] == ' ' &&
	    (second == NULL || strcmp(command->name + size + 1, second) == 0);
}

/* One line a command, the first sentence of its summary: all, or those of one group ("role"). */
static void
overview(const char *group, FILE *file)
{
	fprintf(file, "usage: hexactl COMMAND [OPTION...] [USER...]\n\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const char *summary = commands[i]->summary;

		if (group == NULL || named(commands[i], group, NULL))
			fprintf(file, "  %-12s %-13s %.*s\n", commands[i]->name, commands[i]->operands,
			    (int)strcspn(summary, "."), summary);
	}
	fprintf(file,
	    "\n'hexactl COMMAND --help' tells more. USER is a login, username, email or id; login:, "
	    "username:, email: or\n"
	    "id: before it says which. Exit codes: 0 done, 1 failed, 2 wrong usage or ambiguous, 3 no such "
	    "user or role,\n"
	    "4 refused by a guard, 5 done but mail not sent, 6 store busy or unreadable.\n");
}

/* Finds the command of these words. *used is how many of them it took. */
static const struct hxb_command *
find(int count, char *const words[], int *used)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const struct hxb_command *command = commands[i];

		*used = strchr(command->name, ' ') != NULL ? 2 : 1;
		if (count >= *used && named(command, words[0], *used == 2 ? words[1] : NULL))
			return command;
	}
	return NULL;
}

static bool
is_group(const char *word)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (named(commands[i], word, NULL))
			return true;
	return false;
}

static bool
asks_for_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static enum hxb_result
help(int count, char *const words[])
{
	const struct hxb_command *command = NULL;
	int used;

	if (count > 0)
		command = find(count, words, &used);
	if (command != NULL)
		hxb_options_usage(command, stdout);
	else
		overview(count > 0 && is_group(words[0]) ? words[0] : NULL, stdout);
	return HXB_OK;
}

/* The lines of the changes are out already: what is left is to publish them, to end the sessions of those
 * whom they shut out, and the JSON. */
static enum hxb_result
finish(struct hxb_session *session, struct hxb_error *error)
{
	const struct hxb_arguments *arguments = session->arguments;
	enum hxb_result r = HXB_OK, ended, printed = HXB_OK;

	if (session->changes.count > 0 && !session->published && !arguments->dry_run) {
		r = hxb_session_lock(session, error); /* invite and resend gave it back */
		if (r == HXB_OK)
			r = hxb_session_publish(session, false, error);
		if (r != HXB_OK) {
			hxb_session_complain(session, r, error);
			hxb_complain("publish: the changes are made, and count at each login, but 'id' and "
			             "'getent' show them "
			             "only after 'hexactl publish'");
		}
	}
	ended = hxb_endings_run(session);
	if (arguments->json)
		printed = hxb_changes_print(session, error);
	if (printed != HXB_OK)
		hxb_session_complain(session, printed, error);
	return hxb_worse(r, hxb_worse(ended, printed));
}

static enum hxb_result
dispatch(const struct hxb_arguments *arguments, struct hxb_error *error)
{
	const struct hxb_command *command = arguments->command;
	struct hxb_session session;
	enum hxb_result r;

	r = hxb_session_init(&session, arguments, error);
	if (r == HXB_OK && !command->adopts)
		r = hxb_session_open(&session, error);
	if (r != HXB_OK) {
		hxb_session_complain(&session, r, error);
		goto out;
	}
	r = command->run(&session, error);
	if (r != HXB_OK)
		hxb_session_complain(&session, r, error);
	if (command->changes)
		r = hxb_worse(r, finish(&session, error));
	if (session.keys_failed)
		r = hxb_worse(r, HXB_FAILED);
out:
	hxb_session_close(&session);
	return r;
}

static enum hxb_result
run(int argc, char *argv[])
{
	const struct hxb_command *command;
	struct hxb_arguments arguments;
	struct hxb_error error = { "" };
	int used;
	enum hxb_result r;

	if (argc < 2) {
		overview(NULL, stderr);
		return HXB_INVALID;
	}
	if (asks_for_help(argv[1]) || strcmp(argv[1], "help") == 0)
		return help(argc - 2, argv + 2);
	command = find(argc - 1, argv + 1, &used);
	if (command == NULL && argc > 2 && asks_for_help(argv[2]) && is_group(argv[1]))
		return help(1, argv + 1);
	if (command == NULL) {
		if (is_group(argv[1]))
			hxb_complain("%s: which of its commands? see 'hexactl %s --help'", argv[1], argv[1]);
		else
			hxb_complain("%s: no such command; see 'hexactl --help'", argv[1]);
		return HXB_INVALID;
	}
	r = hxb_options_parse(command, argc - used, argv + used, &arguments, &error);
	if (r != HXB_OK) {
		hxb_complain("%s", error.text);
		return r;
	}
	if (arguments.help)
		return help(used, argv + 1);
	if (geteuid() != 0 && !command->anybody) {
		hxb_complain("must be run as root");
		return HXB_FAILED;
	}
	return dispatch(&arguments, &error);
}

static void
prepare(void)
{
	int fd;

	/* Codes, links and hashes are for no core file. */
	prctl(PR_SET_DUMPABLE, 0);
	/* A database must never be opened as descriptor 0, 1 or 2. */
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd != -1)
		close(fd);
	/* 'hexactl disable ... | head' has to get to its publish. */
	signal(SIGPIPE, SIG_IGN);
	/* A limit of the caller's (ulimit -f) is an error of write(2), and not the end. */
	signal(SIGXFSZ, SIG_IGN);
	umask(022);
	hxb_print_prepare();
}

int
main(int argc, char *argv[])
{
	enum hxb_result r;

	prepare();
	r = run(argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		hxb_complain("standard output: %m");
		r = hxb_worse(r, HXB_FAILED);
	}
	return exit_code(r);
}
