/* SPDX-License-Identifier: ISC */
/* zsh(1): an _arguments call for each command. */
#include <string.h>

#include "commands.h"
#include "completion.h"

static const char head[] = "#compdef hexactl\n"
                           "# zsh completion of hexactl, printed by 'hexactl completion zsh'.\n"
                           "\n"
                           "_hexactl_names() # users|roles\n"
                           "{\n"
                           "\tlocal -a names\n"
                           "\tnames=(${(f)\"$(hexactl completion $1 2>/dev/null)\"})\n"
                           "\tcompadd \"${@:2}\" -a names\n"
                           "}\n"
                           "\n"
                           "_hexactl_users()\n{\n\t_hexactl_names users \"$@\"\n}\n"
                           "\n"
                           "_hexactl_roles()\n{\n\t_hexactl_names roles \"$@\"\n}\n"
                           "\n";

static const char engine[] = "_hexactl()\n"
                             "{\n"
                             "\tlocal command=$words[2]\n"
                             "\tif ((CURRENT == 2)); then\n"
                             "\t\t_hexactl_firsts\n"
                             "\t\treturn\n"
                             "\tfi\n"
                             "\tshift words\n"
                             "\t((CURRENT -= 1))\n"
                             "\tif _hexactl_is_group $command; then\n"
                             "\t\tif ((CURRENT == 2)); then\n"
                             "\t\t\t_hexactl_seconds $command\n"
                             "\t\t\treturn\n"
                             "\t\tfi\n"
                             "\t\tcommand+=\" $words[2]\"\n"
                             "\t\tshift words\n"
                             "\t\t((CURRENT -= 1))\n"
                             "\tfi\n"
                             "\t_hexactl_arguments $command\n"
                             "}\n"
                             "\n"
                             "_hexactl \"$@\"\n";

/* Text within single quotes, with a backslash before what _arguments and _describe read. */
static void
quote(FILE *file, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			fputs("'\\''", file);
		else if (*text == '[' || *text == ']' || *text == ':' || *text == '\\')
			fprintf(file, "\\%c", *text);
		else
			putc(*text, file);
	}
}

static void
action(FILE *file, const struct hxb_place *place)
{
	static const char *const actions[] = {
		[HXB_COMPLETE_NOTHING] = " ",
		[HXB_COMPLETE_FILES] = "_files",
		[HXB_COMPLETE_USERS] = "_hexactl_users",
		[HXB_COMPLETE_ROLES] = "_hexactl_roles",
		[HXB_COMPLETE_SERVICES] = "_files -W /etc/pam.d",
	};

	quote(file, place->label);
	if (place->kind == HXB_COMPLETE_WORDS)
		fprintf(file, ":(%s)", place->words);
	else
		fprintf(file, ":%s", actions[place->kind]);
}

static void
arguments(FILE *file, const struct hxb_command *command)
{
	const struct hxb_option *all[HXB_OPTIONS_ALL];
	size_t count = hxb_options_all(command, all);
	struct hxb_place place;

	fprintf(file, "\t'%s')\n\t\t_arguments", command->name);
	for (size_t i = 0; i < count; i++) {
		bool valued = all[i]->value != NULL;

		fprintf(file, " \\\n\t\t\t'%s--%s%s[", valued ? "*" : "", all[i]->name, valued ? "=" : "");
		quote(file, all[i]->help);
		putc(']', file);
		if (valued) {
			hxb_completion_of_option(command, all[i], &place);
			putc(':', file);
			action(file, &place);
		}
		putc('\'', file);
	}
	for (size_t i = 0; hxb_completion_of_operand(command, i, &place); i++) {
		fprintf(file, " \\\n\t\t\t'%s:", place.repeated ? "*" : "");
		action(file, &place);
		putc('\'', file);
	}
	fputs("\n\t\t;;\n", file);
}

static void
described(FILE *file, const char *word, int size, const char *summary)
{
	char first[256];

	snprintf(first, sizeof(first), "%.*s", (int)strcspn(summary, "."), summary);
	fprintf(file, " \\\n\t\t'%.*s:", size, word);
	quote(file, first);
	putc('\'', file);
}

static void
firsts(FILE *file)
{
	const struct hxb_command *command;
	const char *second;

	fputs("_hexactl_firsts()\n{\n\tlocal -a words=(", file);
	for (size_t i = 0; (command = hxb_command_at(i)) != NULL; i++) {
		int size = (int)hxb_completion_first(command, &second);

		if (hxb_completion_is_first(i))
			described(file, command->name, size, second == NULL ? command->summary : "");
	}
	fputs(" \\\n\t\t'--help:')\n\t_describe command words\n}\n\n_hexactl_is_group()\n{\n\t[[ $1 == (",
	    file);
	for (size_t i = 0; (command = hxb_command_at(i)) != NULL; i++) {
		int size = (int)hxb_completion_first(command, &second);

		if (hxb_completion_is_first(i) && second != NULL)
			fprintf(file, "%.*s|", size, command->name);
	}
	fputs(") && -n $1 ]]\n}\n\n", file);
}

static void
seconds(FILE *file)
{
	const struct hxb_command *command;
	const char *second;

	fputs("_hexactl_seconds() # WORD: what may follow it\n{\n\tlocal -a words\n\tcase $1 in\n", file);
	for (size_t i = 0; (command = hxb_command_at(i)) != NULL; i++) {
		int size = (int)hxb_completion_first(command, &second);

		if (second == NULL)
			continue;
		/* What a group has is added to it, wherever in the table it stands. */
		fprintf(file, "\t%.*s)\n\t\twords+=(", size, command->name);
		described(file, second, (int)strlen(second), command->summary);
		fputs(")\n\t\t;|\n", file);
	}
	fputs("\tesac\n\t_describe command words\n}\n\n", file);
}

void
hxb_completion_zsh(FILE *file)
{
	const struct hxb_command *command;

	fputs(head, file);
	firsts(file);
	seconds(file);
	fputs("_hexactl_arguments() # COMMAND\n{\n\tcase $1 in\n", file);
	for (size_t i = 0; (command = hxb_command_at(i)) != NULL; i++)
		arguments(file, command);
	fputs("\tesac\n}\n\n", file);
	fputs(engine, file);
}
