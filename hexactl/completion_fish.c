/* SPDX-License-Identifier: ISC */
/* fish(1): a `complete` line for each word, each with the place where it may stand. */
#include <string.h>

#include "commands.h"
#include "completion.h"

#define MANY 1000 /* operands: more than anybody gives */

static const char head[] = "# fish completion of hexactl, printed by 'hexactl completion fish'.\n"
                           "\n"
                           "function __hexactl_in # WORD...: whether the command line begins with these\n"
                           "    set -l words (commandline -opc)\n"
                           "    set -e words[1]\n"
                           "    test (count $words) -ge (count $argv)\n"
                           "    and test \"$words[1..$(count $argv)]\" = \"$argv\"\n"
                           "end\n"
                           "\n"
                           "function __hexactl_next # WORD...: the same, and with nothing behind them\n"
                           "    set -l words (commandline -opc)\n"
                           "    set -e words[1]\n"
                           "    test \"$words\" = \"$argv\"\n"
                           "end\n"
                           "\n"
                           "# Whether the next operand is number FROM to TO; these options take a value.\n"
                           "function __hexactl_operand # COMMAND FROM TO OPTION...\n"
                           "    set -l command (string split ' ' -- $argv[1])\n"
                           "    set -l valued $argv[4..]\n"
                           "    __hexactl_in $command\n"
                           "    or return 1\n"
                           "    set -l words (commandline -opc)\n"
                           "    set -l seen 0\n"
                           "    set -l value no\n"
                           "    for i in (seq (math 2 + (count $command)) (count $words))\n"
                           "        if test $value = yes\n"
                           "            set value no\n"
                           "        else if contains -- $words[$i] $valued\n"
                           "            set value yes\n"
                           "        else if not string match -q -- '-*' $words[$i]\n"
                           "            set seen (math $seen + 1)\n"
                           "        end\n"
                           "    end\n"
                           "    test $value = no -a $seen -ge $argv[2] -a $seen -le $argv[3]\n"
                           "end\n"
                           "\n"
                           "complete -c hexactl -f\n"
                           "complete -c hexactl -n __hexactl_next -l help -d 'Print the commands'\n";

/* Within single quotes. */
static void
quote(FILE *file, const char *text, size_t size)
{
	for (size_t i = 0; i < size && text[i] != '\0'; i++) {
		if (text[i] == '\'' || text[i] == '\\')
			putc('\\', file);
		putc(text[i], file);
	}
}

static void
values(FILE *file, const struct hxb_place *place)
{
	switch (place->kind) {
	case HXB_COMPLETE_NOTHING:
		break;
	case HXB_COMPLETE_FILES:
		fputs(" -F", file);
		break;
	case HXB_COMPLETE_USERS:
		fputs(" -a '(hexactl completion users 2>/dev/null)'", file);
		break;
	case HXB_COMPLETE_ROLES:
		fputs(" -a '(hexactl completion roles 2>/dev/null)'", file);
		break;
	case HXB_COMPLETE_SERVICES:
		fputs(" -a '(command ls /etc/pam.d)'", file);
		break;
	case HXB_COMPLETE_WORDS:
		fprintf(file, " -a '%s'", place->words);
		break;
	}
}

static void
name_line(FILE *file, size_t index)
{
	const struct hxb_command *command = hxb_command_at(index);
	const char *second, *summary = command->summary;
	int size = (int)hxb_completion_first(command, &second);

	if (hxb_completion_is_first(index)) {
		fprintf(file, "complete -c hexactl -n __hexactl_next -a %.*s", size, command->name);
		if (second == NULL) {
			fputs(" -d '", file);
			quote(file, summary, strcspn(summary, "."));
			putc('\'', file);
		}
		putc('\n', file);
	}
	if (second != NULL) {
		fprintf(file, "complete -c hexactl -n '__hexactl_next %.*s' -a %s -d '", size, command->name,
		    second);
		quote(file, summary, strcspn(summary, "."));
		fputs("'\n", file);
	}
}

static void
option_lines(FILE *file, const struct hxb_command *command)
{
	const struct hxb_option *all[HXB_OPTIONS_ALL];
	size_t count = hxb_options_all(command, all);
	struct hxb_place place;

	for (size_t i = 0; i < count; i++) {
		fprintf(file, "complete -c hexactl -n '__hexactl_in %s' -l %s", command->name, all[i]->name);
		if (all[i]->value != NULL) {
			hxb_completion_of_option(command, all[i], &place);
			fputs(place.kind == HXB_COMPLETE_FILES ? " -r" : " -x", file);
			values(file, &place);
		}
		fputs(" -d '", file);
		quote(file, all[i]->help, strlen(all[i]->help));
		fputs("'\n", file);
	}
}

static void
operand_lines(FILE *file, const struct hxb_command *command)
{
	const struct hxb_option *all[HXB_OPTIONS_ALL];
	size_t count = hxb_options_all(command, all);
	struct hxb_place place;

	for (size_t i = 0; hxb_completion_of_operand(command, i, &place); i++) {
		if (place.kind == HXB_COMPLETE_NOTHING)
			continue;
		fprintf(file, "complete -c hexactl -n '__hexactl_operand \"%s\" %zu %zu", command->name, i,
		    place.repeated ? (size_t)MANY : i);
		for (size_t k = 0; k < count; k++)
			if (all[k]->value != NULL)
				fprintf(file, " --%s", all[k]->name);
		putc('\'', file);
		values(file, &place);
		putc('\n', file);
	}
}

void
hxb_completion_fish(FILE *file)
{
	const struct hxb_command *command;

	fputs(head, file);
	for (size_t i = 0; hxb_command_at(i) != NULL; i++)
		name_line(file, i);
	for (size_t i = 0; (command = hxb_command_at(i)) != NULL; i++) {
		option_lines(file, command);
		operand_lines(file, command);
	}
}
