/* SPDX-License-Identifier: ISC */
#include <getopt.h>
#include <string.h>

#include "libhexabot/paths.h"
#include "options.h"

#define OWN 0x100 /* the first of the command's own options, as getopt_long returns them */

static const struct hxb_option common[] = {
	{ "config", "FILE", "the configuration, instead of " HXB_CONFIG_PATH },
	{ "json", NULL, "print JSON" },
	{ "help", NULL, "print this text" },
};
static const struct hxb_option dry_run = { "dry-run", NULL, "say what would change, and change nothing" };
static const struct hxb_option force = { "force", NULL, "go on where a guard would refuse" };

enum { COMMON_COUNT = sizeof(common) / sizeof(common[0]) };
_Static_assert(HXB_OPTIONS_ALL == HXB_OPTIONS_MAX + COMMON_COUNT + 2, "--force and --dry-run are the two");

static size_t
own_count(const struct hxb_command *command)
{
	size_t count = 0;

	while (command->options != NULL && count < HXB_OPTIONS_MAX && command->options[count].name != NULL)
		count++;
	return count;
}

size_t
hxb_options_all(const struct hxb_command *command, const struct hxb_option *all[HXB_OPTIONS_ALL])
{
	size_t own = own_count(command), count = 0;

	for (size_t i = 0; i < own; i++)
		all[count++] = &command->options[i];
	if (command->force)
		all[count++] = &force;
	if (command->changes)
		all[count++] = &dry_run;
	for (size_t i = 0; i < COMMON_COUNT; i++)
		all[count++] = &common[i];
	return count;
}

static bool
store_option(struct hxb_arguments *arguments, const struct hxb_option *option, const char *value)
{
	if (option == &common[0])
		arguments->config = value;
	else if (option == &common[1])
		arguments->json = true;
	else if (option == &common[2])
		arguments->help = true;
	else if (option == &dry_run)
		arguments->dry_run = true;
	else if (option == &force)
		arguments->force = true;
	else if (arguments->given_count == HXB_GIVEN_MAX)
		return false;
	else {
		arguments->given[arguments->given_count].option = option;
		arguments->given[arguments->given_count++].value = value != NULL ? value : "";
	}
	return true;
}

static enum hxb_result
check_operands(const struct hxb_arguments *arguments, struct hxb_error *error)
{
	const struct hxb_command *command = arguments->command;

	if (arguments->operand_count < command->operands_min)
		return hxb_fail(error, HXB_INVALID, "%s: wants %s; see 'hexactl %s --help'", command->name,
		    command->operands, command->name);
	if (command->operands_max >= 0 && arguments->operand_count > command->operands_max)
		return hxb_fail(error, HXB_INVALID,
		    "%s: '%s' is one operand too many; see 'hexactl %s --help'", command->name,
		    arguments->operands[command->operands_max], command->name);
	for (int i = 0; i < arguments->operand_count; i++)
		if (arguments->operands[i][0] == '\0')
			return hxb_fail(error, HXB_INVALID,
			    "%s: '' is no name: an empty operand; see 'hexactl %s --help'", command->name,
			    command->name);
	return HXB_OK;
}

enum hxb_result
hxb_options_parse(const struct hxb_command *command, int argc, char *argv[], struct hxb_arguments *arguments,
    struct hxb_error *error)
{
	const struct hxb_option *all[HXB_OPTIONS_ALL];
	struct option table[HXB_OPTIONS_ALL + 1] = { 0 };
	size_t count = hxb_options_all(command, all);
	int c;

	*arguments = (struct hxb_arguments){ .command = command, .config = HXB_CONFIG_PATH };
	for (size_t i = 0; i < count; i++)
		table[i] = (struct option){ .name = all[i]->name,
			.has_arg = all[i]->value != NULL ? required_argument : no_argument,
			.val = OWN + (int)i };
	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, ":h", table, NULL)) != -1) {
		if (c == 'h')
			arguments->help = true;
		else if (c == ':')
			return hxb_fail(error, HXB_INVALID, "%s: wants a value; see 'hexactl %s --help'",
			    argv[optind - 1], command->name);
		else if (c < OWN && optopt > 0 && optopt < OWN) /* getopt is still at it: "-xyz" */
			return hxb_fail(error, HXB_INVALID, "-%c: no option of '%s'; see 'hexactl %s --help'",
			    optopt, command->name, command->name);
		else if (c < OWN)
			return hxb_fail(error, HXB_INVALID, "%s: no option of '%s'; see 'hexactl %s --help'",
			    argv[optind - 1], command->name, command->name);
		else if (!store_option(arguments, all[c - OWN], optarg))
			return hxb_fail(
			    error, HXB_INVALID, "%s: more than %d options", command->name, HXB_GIVEN_MAX);
	}
	arguments->operand_count = argc - optind;
	arguments->operands = argv + optind;
	return arguments->help ? HXB_OK : check_operands(arguments, error);
}

const char *
hxb_option_at(const struct hxb_arguments *arguments, const char *name, int index)
{
	for (int i = 0; i < arguments->given_count; i++)
		if (strcmp(arguments->given[i].option->name, name) == 0 && index-- == 0)
			return arguments->given[i].value;
	return NULL;
}

const char *
hxb_option(const struct hxb_arguments *arguments, const char *name)
{
	const char *value, *last = NULL;

	for (int i = 0; (value = hxb_option_at(arguments, name, i)) != NULL; i++)
		last = value;
	return last;
}

void
hxb_options_usage(const struct hxb_command *command, FILE *file)
{
	const struct hxb_option *all[HXB_OPTIONS_ALL];
	size_t count = hxb_options_all(command, all);

	fprintf(file, "usage: hexactl %s%s%s [OPTION...]\n\n%s\n\n", command->name,
	    command->operands[0] != '\0' ? " " : "", command->operands, command->summary);
	for (size_t i = 0; i < count; i++) {
		const char *value = all[i]->value != NULL ? all[i]->value : "";
		int room = 24 - (int)strlen(all[i]->name) - (int)strlen(value);

		fprintf(file, "  --%s %s%*s%s\n", all[i]->name, value, room > 1 ? room : 1, "", all[i]->help);
	}
	if (command->notes != NULL)
		command->notes(file);
}
