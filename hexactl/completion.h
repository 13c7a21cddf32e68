/* SPDX-License-Identifier: ISC */
/* What can be completed where, as the table of commands says; and the scripts for shells, made of it. */
#ifndef HXB_COMPLETION_H
#define HXB_COMPLETION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "options.h"

enum hxb_complete {
	HXB_COMPLETE_NOTHING,
	HXB_COMPLETE_FILES,
	HXB_COMPLETE_USERS,
	HXB_COMPLETE_ROLES,
	HXB_COMPLETE_SERVICES, /* PAM's: the files of /etc/pam.d */
	HXB_COMPLETE_WORDS,
};

struct hxb_place {
	enum hxb_complete kind;
	char words[160]; /* HXB_COMPLETE_WORDS: which ones, with blanks between */
	char label[48]; /* as the usage text calls it: "USER" */
	bool repeated; /* an operand: the last one, and may be given again and again */
};

/* What follows this option. */
void hxb_completion_of_option(
    const struct hxb_command *command, const struct hxb_option *option, struct hxb_place *place);

/* The operand number `index`, from 0. false: the command takes no such one. */
bool hxb_completion_of_operand(const struct hxb_command *command, size_t index, struct hxb_place *place);

/* Whether this command is the first one of the table with this first word. */
bool hxb_completion_is_first(size_t index);

/* The length of a command's first word, and what follows it: NULL where it has only one. */
size_t hxb_completion_first(const struct hxb_command *command, const char **second);

/* Prints what a shell's script is made of. */
typedef void hxb_completion_fn(FILE *file);
hxb_completion_fn hxb_completion_bash, hxb_completion_zsh, hxb_completion_fish;

#endif
