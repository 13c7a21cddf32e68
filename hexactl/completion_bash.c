/* SPDX-License-Identifier: ISC */
/* bash(1): a function with two tables, of commands and of options that take a value. */
#include "commands.h"
#include "completion.h"

static const char head[] = "# bash completion of hexactl, printed by 'hexactl completion bash'.\n"
                           "\n"
                           "_hexactl_command() # COMMAND: sets options, and operands: what each of them is\n"
                           "{\n"
                           "\tcase $1 in\n";

static const char middle[] = "\t*) return 1 ;;\n"
                             "\tesac\n"
                             "}\n"
                             "\n"
                             "_hexactl_option() # COMMAND OPTION: sets kind, if it takes a value\n"
                             "{\n"
                             "\tcase \"$1 $2\" in\n";

static const char names[] = "\t*) return 1 ;;\n"
                            "\tesac\n"
                            "}\n"
                            "\n"
                            "_hexactl_complete() # KIND WORD\n"
                            "{\n"
                            "\tlocal words=\n"
                            "\tcase $1 in\n"
                            "\tfiles)\n"
                            "\t\tcompopt -o filenames 2>/dev/null\n"
                            "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$2\")\n"
                            "\t\treturn\n"
                            "\t\t;;\n"
                            "\tservices)\n"
                            "\t\tmapfile -t COMPREPLY < <(cd /etc/pam.d && compgen -f -- \"$2\")\n"
                            "\t\treturn\n"
                            "\t\t;;\n"
                            "\tusers | roles) words=$(hexactl completion \"$1\" 2>/dev/null) ;;\n"
                            "\twords*) words=${1#words } ;;\n"
                            "\tesac\n"
                            "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$2\")\n"
                            "}\n"
                            "\n";

static const char engine[] =
    "_hexactl()\n"
    "{\n"
    "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "\tlocal command=${COMP_WORDS[1]} options kind='' seen=0 i=2\n"
    "\tlocal -a operands\n"
    "\tCOMPREPLY=()\n"
    "\t# bash makes three words of --role=admin.\n"
    "\tif [[ $word == '=' ]]; then\n"
    "\t\tword=\n"
    "\telif [[ $before == '=' ]]; then\n"
    "\t\tbefore=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "\tfi\n"
    "\tif ((COMP_CWORD == 1)); then\n"
    "\t\t_hexactl_complete \"words $(_hexactl_firsts) --help\" \"$word\"\n"
    "\t\treturn\n"
    "\tfi\n"
    "\tif ! _hexactl_command \"$command\"; then\n"
    "\t\tif ((COMP_CWORD == 2)); then\n"
    "\t\t\t_hexactl_complete \"words $(_hexactl_seconds \"$command\")\" \"$word\"\n"
    "\t\t\treturn\n"
    "\t\tfi\n"
    "\t\tcommand+=\" ${COMP_WORDS[2]}\" i=3\n"
    "\t\t_hexactl_command \"$command\" || return\n"
    "\tfi\n"
    "\tif _hexactl_option \"$command\" \"$before\"; then\n"
    "\t\t_hexactl_complete \"$kind\" \"$word\"\n"
    "\t\treturn\n"
    "\tfi\n"
    "\tif [[ $word == -* ]]; then\n"
    "\t\t_hexactl_complete \"words $options\" \"$word\"\n"
    "\t\treturn\n"
    "\tfi\n"
    "\tfor (( ; i < COMP_CWORD; i++)); do\n"
    "\t\tif _hexactl_option \"$command\" \"${COMP_WORDS[i]}\"; then\n"
    "\t\t\t((i += 1))\n"
    "\t\t\t[[ ${COMP_WORDS[i]} != '=' ]] || ((i += 1))\n"
    "\t\telif [[ ${COMP_WORDS[i]} != -* ]]; then\n"
    "\t\t\t((seen += 1))\n"
    "\t\tfi\n"
    "\tdone\n"
    "\tif ((${#operands[@]} > 0 && seen >= ${#operands[@]})) && [[ ${operands[-1]} == *... ]]; then\n"
    "\t\tseen=$((${#operands[@]} - 1))\n"
    "\tfi\n"
    "\tkind=${operands[seen]-}\n"
    "\t_hexactl_complete \"${kind%...}\" \"$word\"\n"
    "}\n"
    "\n"
    "complete -F _hexactl hexactl\n";

static void
kind(FILE *file, const struct hxb_place *place)
{
	static const char *const kinds[] = {
		[HXB_COMPLETE_NOTHING] = "nothing",
		[HXB_COMPLETE_FILES] = "files",
		[HXB_COMPLETE_USERS] = "users",
		[HXB_COMPLETE_ROLES] = "roles",
		[HXB_COMPLETE_SERVICES] = "services",
	};

	if (place->kind == HXB_COMPLETE_WORDS)
		fprintf(file, "'words %s", place->words);
	else
		fprintf(file, "'%s", kinds[place->kind]);
	fprintf(file, "%s'", place->repeated ? "..." : "");
}

static void
command_line(FILE *file, const struct hxb_command *command)
{
	const struct hxb_option *all[HXB_OPTIONS_ALL];
	size_t count = hxb_options_all(command, all);
	struct hxb_place place;

	fprintf(file, "\t'%s')\n\t\toptions='", command->name);
	for (size_t i = 0; i < count; i++)
		fprintf(file, "%s--%s", i > 0 ? " " : "", all[i]->name);
	fputs("'\n\t\toperands=(", file);
	for (size_t i = 0; hxb_completion_of_operand(command, i, &place); i++) {
		fputs(i > 0 ? " " : "", file);
		kind(file, &place);
	}
	fputs(")\n\t\t;;\n", file);
}

static void
option_lines(FILE *file, const struct hxb_command *command)
{
	const struct hxb_option *all[HXB_OPTIONS_ALL];
	size_t count = hxb_options_all(command, all);
	struct hxb_place place;

	for (size_t i = 0; i < count; i++) {
		if (all[i]->value == NULL)
			continue;
		hxb_completion_of_option(command, all[i], &place);
		fprintf(file, "\t'%s --%s') kind=", command->name, all[i]->name);
		kind(file, &place);
		fputs(" ;;\n", file);
	}
}

static void
words(FILE *file)
{
	const struct hxb_command *command;
	const char *second;

	fputs("_hexactl_firsts()\n{\n\techo", file);
	for (size_t i = 0; (command = hxb_command_at(i)) != NULL; i++)
		if (hxb_completion_is_first(i))
			fprintf(file, " %.*s", (int)hxb_completion_first(command, &second), command->name);
	fputs("\n}\n\n_hexactl_seconds() # WORD: what may follow it\n{\n\tcase $1 in\n", file);
	for (size_t i = 0; (command = hxb_command_at(i)) != NULL; i++) {
		int size = (int)hxb_completion_first(command, &second);

		if (second != NULL)
			fprintf(file, "\t%.*s) echo '%s' ;;&\n", size, command->name, second);
	}
	fputs("\tesac\n}\n\n", file);
}

void
hxb_completion_bash(FILE *file)
{
	const struct hxb_command *command;

	fputs(head, file);
	for (size_t i = 0; (command = hxb_command_at(i)) != NULL; i++)
		command_line(file, command);
	fputs(middle, file);
	for (size_t i = 0; (command = hxb_command_at(i)) != NULL; i++)
		option_lines(file, command);
	fputs(names, file);
	words(file);
	fputs(engine, file);
}
