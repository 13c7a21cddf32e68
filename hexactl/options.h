/* SPDX-License-Identifier: ISC */
/* A command is a table: its name, operands and options serve getopt_long(3) and the usage text alike. */
#ifndef HXB_OPTIONS_H
#define HXB_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "libhexabot/result.h"

#define HXB_OPTIONS_MAX 8 /* of a command's own */
#define HXB_OPTIONS_ALL (HXB_OPTIONS_MAX + 5) /* with those that it shares with others */
#define HXB_GIVEN_MAX 32 /* in one call */

struct hxb_session;

struct hxb_option {
	const char *name; /* without the dashes */
	const char *value; /* what the usage text calls its value; NULL: it takes none */
	const char *help;
};

/* The words that a value can be one of, for who completes it. */
struct hxb_words {
	const char *option; /* whose value; NULL: the operand */
	const char *words; /* with blanks between */
};

struct hxb_command {
	const char *name; /* "list", "role add" */
	const char *operands; /* for the usage text; "" : none */
	const char *summary;
	int operands_min;
	int operands_max; /* -1: any number */
	bool adopts; /* opens configuration, ledger and store itself, or none: init, watch, disable,
	                completion */
	bool changes; /* has --dry-run, and publishes what it changed */
	bool force; /* has --force */
	bool anybody; /* may be run by who is not root */
	const struct hxb_option *options; /* its own: ends with a NULL name; NULL: none */
	const struct hxb_words *words; /* ends with NULL words; NULL: none */
	void (*notes)(FILE *file); /* prints what the usage text ends with; NULL: nothing */
	enum hxb_result (*run)(struct hxb_session *session, struct hxb_error *error);
};

struct hxb_arguments {
	const struct hxb_command *command;
	const char *config; /* --config FILE, or the usual one */
	bool json, dry_run, force, help;
	struct {
		const struct hxb_option *option; /* one of the command's own */
		const char *value; /* "" for one without value */
	} given[HXB_GIVEN_MAX];
	int given_count;
	int operand_count;
	char **operands;
};

/* Takes what follows the command's name; argv[0] is ignored. HXB_INVALID with the reason. */
enum hxb_result hxb_options_parse(const struct hxb_command *command, int argc, char *argv[],
    struct hxb_arguments *arguments, struct hxb_error *error);

/* The value of one of the command's own options, by name: the last one given; NULL if it was not. */
const char *hxb_option(const struct hxb_arguments *arguments, const char *name);

/* The same for an option that may be given more than once: the value number `index`, from 0. */
const char *hxb_option_at(const struct hxb_arguments *arguments, const char *name, int index);

/* Every option of the command, its own ones first; returns how many. */
size_t hxb_options_all(const struct hxb_command *command, const struct hxb_option *all[HXB_OPTIONS_ALL]);

void hxb_options_usage(const struct hxb_command *command, FILE *file);

#endif
