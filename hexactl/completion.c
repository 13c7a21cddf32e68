/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "commands.h"
#include "completion.h"

/* The kind is told by what the usage text calls the thing; option NULL: an operand. */
static void
classify(const struct hxb_command *command, const char *option, const char *label, struct hxb_place *place)
{
	static const struct {
		const char *label;
		enum hxb_complete kind;
	} kinds[] = {
		{ "FILE", HXB_COMPLETE_FILES },
		{ "PATH", HXB_COMPLETE_FILES },
		{ "USER", HXB_COMPLETE_USERS },
		{ "R", HXB_COMPLETE_ROLES },
		{ "ROLE", HXB_COMPLETE_ROLES },
		{ "SERVICE", HXB_COMPLETE_SERVICES },
	};

	snprintf(place->label, sizeof(place->label), "%s", label);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(label, kinds[i].label) == 0)
			place->kind = kinds[i].kind;
	for (const struct hxb_words *words = command->words; words != NULL && words->words != NULL; words++)
		if ((words->option == NULL) == (option == NULL) &&
		    (option == NULL || strcmp(words->option, option) == 0)) {
			place->kind = HXB_COMPLETE_WORDS;
			snprintf(place->words, sizeof(place->words), "%s", words->words);
		}
}

void
hxb_completion_of_option(
    const struct hxb_command *command, const struct hxb_option *option, struct hxb_place *place)
{
	*place = (struct hxb_place){ .kind = HXB_COMPLETE_NOTHING };
	classify(command, option->name, option->value, place);
}

bool
hxb_completion_of_operand(const struct hxb_command *command, size_t index, struct hxb_place *place)
{
	const char *word = command->operands;
	char label[sizeof(place->label)];
	size_t size;

	for (word += strspn(word, " "); index > 0 && *word != '\0'; index--) {
		word += strcspn(word, " ");
		word += strspn(word, " ");
	}
	*place = (struct hxb_place){ .kind = HXB_COMPLETE_NOTHING };
	size = strcspn(word, " ");
	if (size == 0)
		return false;
	place->repeated = size > 3 && strncmp(word + size - 3, "...", 3) == 0;
	if (place->repeated)
		size -= 3;
	if (word[0] == '[') { /* [USER] */
		word++;
		size -= 2;
	}
	snprintf(label, sizeof(label), "%.*s", (int)size, word);
	classify(command, NULL, label, place);
	return true;
}

size_t
hxb_completion_first(const struct hxb_command *command, const char **second)
{
	size_t size = strcspn(command->name, " ");

	*second = command->name[size] == ' ' ? command->name + size + 1 : NULL;
	return size;
}

bool
hxb_completion_is_first(size_t index)
{
	const char *second;
	size_t size = hxb_completion_first(hxb_command_at(index), &second);

	for (size_t i = 0; i < index; i++) {
		const struct hxb_command *earlier = hxb_command_at(i);

		if (hxb_completion_first(earlier, &second) == size &&
		    strncmp(earlier->name, hxb_command_at(index)->name, size) == 0)
			return false;
	}
	return true;
}
