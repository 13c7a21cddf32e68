/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pam_line.h"
#include "text_file.h"

#define FILE_MAX 65536 /* bytes */
#define LINE_MAX_BYTES 1024 /* libpam's, of a line with what continues it */
#define LINES_MAX 512 /* of a whole stack */
#define OPTIONS_MAX 64 /* of a line */
#define LEVELS_MAX 16 /* of files that include each other: libpam 1.5 crashes at some depth */
#define FILES_MAX 128 /* read for one stack */
#define NAME_MAX_BYTES 64 /* of a service */

static const char *const own_dirs[] = { "/etc/pam.d", "/usr/lib/pam.d", NULL };

static const char *const facilities[] = {
	[HXB_PAM_AUTH] = "auth",
	[HXB_PAM_ACCOUNT] = "account",
	[HXB_PAM_PASSWORD] = "password",
	[HXB_PAM_SESSION] = "session",
};

/* A file that is being read. */
struct source {
	char *path, *text;
	char *cursor; /* where in its text */
	unsigned line;
	unsigned depth; /* how many substacks it is in */
	bool by_facility; /* it is there by "auth include", say: its lines are read for that one alone */
};

/* One reading of a stack. */
struct reading {
	const char *const *dirs;
	enum hxb_pam_facility facility;
	struct hxb_pam_stack *stack;
	struct source sources[LEVELS_MAX]; /* each includes the next one; the last one is read */
	unsigned levels, files;
	bool hopeless; /* too much for us, or for libpam: it is not one line that fails */
	struct hxb_error *error;
};

static enum hxb_result
wrong(struct reading *reading, const struct source *source, const char *what)
{
	return hxb_fail(reading->error, HXB_UNREADABLE, "%.192s:%u: %s", source->path, source->line, what);
}

static enum hxb_result
hopeless(struct reading *reading, const struct source *source, const char *what)
{
	reading->hopeless = true;
	return wrong(reading, source, what);
}

static void
free_line(struct hxb_pam_line *line)
{
	for (size_t i = 0; line->options != NULL && line->options[i] != NULL; i++)
		free(line->options[i]);
	free(line->options);
	free(line->control);
	free(line->path);
	free(line->fault);
	free(line->file);
}

/* What follows the module. */
static enum hxb_result
take_options(struct reading *reading, const struct source *source, char **cursor, struct hxb_pam_line *line)
{
	size_t count = 0;
	char *word;

	if ((line->options = calloc(OPTIONS_MAX + 1, sizeof(*line->options))) == NULL)
		return hxb_fail(reading->error, HXB_FAILED, "out of memory");
	while ((word = hxb_pam_word(cursor)) != NULL) {
		if (count == OPTIONS_MAX)
			return hopeless(reading, source, "more options than anybody needs");
		if ((line->options[count++] = strdup(word)) == NULL)
			return hxb_fail(reading->error, HXB_FAILED, "out of memory");
	}
	return HXB_OK;
}

/* A new line at the stack's end, without module and options. NULL: the error says why. */
static struct hxb_pam_line *
add_line(struct reading *reading, const struct source *source, const char *control, bool bracketed)
{
	struct hxb_pam_stack *stack = reading->stack;
	struct hxb_pam_line *line;

	if (stack->count == LINES_MAX) {
		hopeless(reading, source, "the stack has more lines than anybody needs");
		return NULL;
	}
	if (stack->lines == NULL)
		stack->lines = calloc(LINES_MAX, sizeof(*stack->lines));
	if (stack->lines == NULL)
		goto no_memory;
	line = &stack->lines[stack->count];
	*line = (struct hxb_pam_line){ .module = "", .line = source->line, .depth = source->depth };
	if (asprintf(&line->control, bracketed ? "[%s]" : "%s", control) == -1)
		line->control = NULL;
	line->file = strdup(source->path);
	if (line->control == NULL || line->file == NULL) {
		free_line(line);
		goto no_memory;
	}
	stack->count++;
	return line;
no_memory:
	hxb_fail(reading->error, HXB_FAILED, "out of memory");
	return NULL;
}

/* The result of an error that add_line() has described. */
static enum hxb_result
not_added(const struct reading *reading)
{
	return reading->stack->count == LINES_MAX ? HXB_UNREADABLE : HXB_FAILED;
}

/* The error is the line's own, and nobody else's. */
static enum hxb_result
blame(struct reading *reading, struct hxb_pam_line *line)
{
	if ((line->fault = strdup(reading->error->text)) == NULL)
		return hxb_fail(reading->error, HXB_FAILED, "out of memory");
	reading->error->text[0] = '\0';
	return HXB_OK;
}

/* A line that must fail, whatever the error says is wrong with it, in place of one that can't be had. */
static enum hxb_result
add_failure(struct reading *reading, const struct source *source)
{
	struct hxb_pam_line *line = add_line(reading, source, "", false);

	if (line == NULL)
		return not_added(reading);
	line->must_fail = true;
	for (int i = 0; i < HXB_PAM_CODES; i++)
		line->actions[i] = HXB_PAM_BAD;
	return blame(reading, line);
}

/* fault: what is wrong with the line so far, or NULL. */
static enum hxb_result
take_module(struct reading *reading, const struct source *source, const char *control, bool bracketed,
    bool quiet, const char *fault, char **cursor)
{
	struct hxb_pam_line *line = add_line(reading, source, control, bracketed);
	const char *word = hxb_pam_word(cursor), *slash, *problem;

	if (line == NULL)
		return not_added(reading);
	problem = hxb_pam_control(control, line->actions);
	line->must_fail = fault != NULL || word == NULL;
	if (line->must_fail || problem != NULL) {
		wrong(reading, source,
		    fault != NULL         ? fault
		        : problem != NULL ? problem
		                          : "there is no module");
		if (blame(reading, line) != HXB_OK)
			return HXB_FAILED;
	}
	if (fault != NULL || word == NULL)
		return HXB_OK;
	if ((line->path = strdup(word)) == NULL)
		return hxb_fail(reading->error, HXB_FAILED, "out of memory");
	slash = strrchr(line->path, '/');
	line->module = slash != NULL ? slash + 1 : line->path;
	line->quiet = quiet;
	return take_options(reading, source, cursor, line);
}

/* Begins to read a file. HXB_NOT_FOUND: no directory has it. */
static enum hxb_result
open_file(struct reading *reading, const char *name, unsigned depth)
{
	struct source source = { .depth = depth };
	enum hxb_result r = HXB_NOT_FOUND;

	if (++reading->files > FILES_MAX) {
		reading->hopeless = true;
		return hxb_fail(reading->error, HXB_UNREADABLE,
		    "%.128s: too many files: they may include each other without end", name);
	}
	/* What is included is looked for in the first directory only: so does Debian's libpam. */
	for (size_t i = 0; r == HXB_NOT_FOUND && reading->dirs[i] != NULL && (i == 0 || reading->levels == 0);
	     i++) {
		free(source.path);
		if ((name[0] == '/' ? asprintf(&source.path, "%s", name)
		                    : asprintf(&source.path, "%s/%s", reading->dirs[i], name)) == -1)
			return hxb_fail(reading->error, HXB_FAILED, "out of memory");
		r = hxb_text_read(source.path, FILE_MAX, &source.text, reading->error);
	}
	if (r != HXB_OK) {
		free(source.path);
		return r;
	}
	source.cursor = source.text;
	reading->sources[reading->levels++] = source;
	return HXB_OK;
}

static void
close_file(struct reading *reading)
{
	const struct source *source = &reading->sources[--reading->levels];

	free(source->path);
	free(source->text);
}

static enum hxb_result
take_file(struct reading *reading, const struct source *source, bool substack, char **cursor)
{
	const char *name = hxb_pam_word(cursor);
	enum hxb_result r;

	if (name == NULL)
		return hopeless(reading, source, "there is no file to include: libpam 1.5 crashes");
	if (reading->levels == LEVELS_MAX)
		return hopeless(reading, source, "files include each other without end");
	if (substack && add_line(reading, source, "substack", false) == NULL)
		return not_added(reading);
	r = open_file(reading, name, source->depth + substack);
	if (r == HXB_NOT_FOUND)
		return hxb_fail(reading->error, HXB_UNREADABLE,
		    "%.192s:%u: includes %.128s, which is not there", source->path, source->line, name);
	return r;
}

/* Whether the lines of the file that is read are for one facility alone. */
static bool
for_facility(const struct reading *reading)
{
	for (unsigned i = 0; i < reading->levels; i++)
		if (reading->sources[i].by_facility)
			return true;
	return false;
}

/* by_facility: "auth include FILE", say, and not "@include FILE". Without the file it is a line that must
 * fail, and the end of everything where that would be one of every facility. */
static enum hxb_result
take_include(
    struct reading *reading, const struct source *source, bool substack, bool by_facility, char **cursor)
{
	bool one = by_facility || for_facility(reading);
	enum hxb_result r = take_file(reading, source, substack, cursor);

	if (r == HXB_OK)
		reading->sources[reading->levels - 1].by_facility = by_facility;
	return r == HXB_UNREADABLE && one && !reading->hopeless ? add_failure(reading, source) : r;
}

/* The same for a file that can't be read to its end: what was read of it stays. */
static enum hxb_result
give_up(struct reading *reading)
{
	if (reading->hopeless || !for_facility(reading))
		return HXB_UNREADABLE;
	close_file(reading);
	return add_failure(reading, &reading->sources[reading->levels - 1]);
}

/* Sets *fault if it is none's: then it is that of the file, or auth's. */
static enum hxb_pam_facility
facility_of(const struct reading *reading, const char *word, const char **fault)
{
	for (int i = 0; i <= HXB_PAM_SESSION; i++)
		if (strcasecmp(word, facilities[i]) == 0)
			return (enum hxb_pam_facility)i;
	*fault = "begins with none of auth, account, password, session, @include";
	return for_facility(reading) ? reading->facility : HXB_PAM_AUTH;
}

/* One line, put together and without comment. */
static enum hxb_result
take_line(struct reading *reading, const struct source *source, char *text)
{
	char *cursor = text, *word = hxb_pam_word(&cursor);
	const char *fault = NULL;
	bool quiet, bracketed;

	if (word == NULL)
		return HXB_OK;
	if (strcasecmp(word, "@include") == 0)
		return take_include(reading, source, false, false, &cursor);
	quiet = word[0] == '-';
	if (facility_of(reading, word + quiet, &fault) != reading->facility)
		return HXB_OK;
	bracketed = cursor[strspn(cursor, " \t")] == '[';
	if ((word = hxb_pam_word(&cursor)) == NULL) {
		wrong(reading, source, fault != NULL ? fault : "there is no control");
		return add_failure(reading, source);
	}
	if (strcasecmp(word, "include") == 0 || strcasecmp(word, "substack") == 0)
		return take_include(reading, source, strcasecmp(word, "substack") == 0, true, &cursor);
	return take_module(reading, source, word, bracketed, quiet, fault, &cursor);
}

/* Takes comment and blanks off the end. Whether the next line goes on with it: then the backslash is gone. */
static bool
trim(char *line)
{
	size_t size = strcspn(line, "#");
	bool commented = line[size] == '#';

	while (size > 0 && isspace((unsigned char)line[size - 1]))
		size--;
	line[size] = '\0';
	if (commented || size == 0 || line[size - 1] != '\\')
		return false;
	line[size - 1] = '\0';
	return true;
}

/* Puts the next line together, with what continues it. *got: there is one. */
static enum hxb_result
next_line(struct reading *reading, struct source *source, char whole[LINE_MAX_BYTES], bool *got)
{
	bool goes_on = false;
	size_t used = 0;
	char *line;

	for (*got = false; !*got && (line = hxb_text_line(&source->cursor)) != NULL; *got = !goes_on) {
		source->line++;
		line += strspn(line, " \t");
		if (*line == '#')
			*line = '\0';
		/* An empty line or a comment does not end a line that goes on. */
		goes_on = *line == '\0' ? used > 0 : trim(line);
		if (used + strlen(line) + 2 > LINE_MAX_BYTES)
			return wrong(reading, source, "longer than libpam takes");
		used += (size_t)snprintf(whole + used, LINE_MAX_BYTES - used, "%s ", line);
	}
	return goes_on ? wrong(reading, source, "ends with a backslash, and nothing follows") : HXB_OK;
}

/* Reads a file with all that it includes. HXB_NOT_FOUND: no directory has it. */
static enum hxb_result
read_files(struct reading *reading, const char *name)
{
	char whole[LINE_MAX_BYTES];
	enum hxb_result r = open_file(reading, name, 0);
	bool got;

	while (r == HXB_OK && reading->levels > 0) {
		struct source *source = &reading->sources[reading->levels - 1];

		r = next_line(reading, source, whole, &got);
		if (r == HXB_OK && got)
			r = take_line(reading, source, whole);
		else if (r == HXB_OK)
			close_file(reading);
		if (r == HXB_UNREADABLE)
			r = give_up(reading);
	}
	while (reading->levels > 0)
		close_file(reading);
	return r;
}

/* What pam_start(3) makes of a name: its last part, in lower case. */
static enum hxb_result
service_name(const char *service, char name[NAME_MAX_BYTES], struct hxb_error *error)
{
	size_t size = strlen(service);

	if (size == 0 || size >= NAME_MAX_BYTES || strchr(service, '/') != NULL || service[0] == '.')
		return hxb_fail(error, HXB_INVALID, "'%.64s': no name of a PAM service", service);
	for (size_t i = 0; i <= size; i++)
		name[i] = (char)tolower((unsigned char)service[i]);
	return HXB_OK;
}

/* libpam reads "other" for every service, and where it gives that up no service gets anybody in. */
static enum hxb_result
try_other(const struct reading *service)
{
	struct hxb_pam_stack unused = { 0 };
	struct hxb_error error = { "" };
	struct reading reading = {
		.dirs = service->dirs, .facility = service->facility, .stack = &unused, .error = &error
	};
	enum hxb_result r = read_files(&reading, "other");

	hxb_pam_stack_clear(&unused);
	if (r != HXB_FAILED && r != HXB_UNREADABLE)
		return HXB_OK;
	*service->error = error;
	return r;
}

enum hxb_result
hxb_pam_stack_read(const char *const *dirs, const char *service, enum hxb_pam_facility facility,
    struct hxb_pam_stack *stack, struct hxb_error *error)
{
	struct reading reading = {
		.dirs = dirs != NULL ? dirs : own_dirs, .facility = facility, .stack = stack, .error = error
	};
	char name[NAME_MAX_BYTES];
	enum hxb_result r;

	*stack = (struct hxb_pam_stack){ 0 };
	r = service_name(service, name, error);
	if (r == HXB_OK)
		r = read_files(&reading, name);
	if (r != HXB_OK && r != HXB_NOT_FOUND)
		return r;
	if (stack->count > 0)
		return try_other(&reading);
	stack->other = true;
	r = read_files(&reading, "other");
	return r == HXB_NOT_FOUND ? HXB_OK : r;
}

void
hxb_pam_stack_clear(struct hxb_pam_stack *stack)
{
	for (size_t i = 0; i < stack->count; i++)
		free_line(&stack->lines[i]);
	free(stack->lines);
	*stack = (struct hxb_pam_stack){ 0 };
}

int
hxb_pam_stack_find(const struct hxb_pam_stack *stack, const char *module, size_t from)
{
	for (size_t i = from; i < stack->count; i++)
		if (strcmp(stack->lines[i].module, module) == 0)
			return (int)i;
	return -1;
}

int
hxb_pam_stack_fault(const struct hxb_pam_stack *stack)
{
	for (size_t i = 0; i < stack->count; i++)
		if (stack->lines[i].fault != NULL)
			return (int)i;
	return -1;
}

const char *
hxb_pam_line_option(const struct hxb_pam_line *line, const char *name)
{
	const char *value = NULL;
	size_t size = strlen(name);

	for (size_t i = 0; line->options != NULL && line->options[i] != NULL; i++) {
		const char *option = line->options[i];

		if (strncmp(option, name, size) != 0)
			continue;
		if (option[size] == '=')
			value = option + size + 1;
		else if (option[size] == '\0')
			value = "";
	}
	return value;
}

bool
hxb_pam_line_waits(const struct hxb_pam_stack *stack, size_t at)
{
	static const char *const silent[] = { "", "pam_access.so", "pam_cap.so", "pam_deny.so", "pam_echo.so",
		"pam_env.so", "pam_faildelay.so", "pam_faillock.so", "pam_group.so", "pam_issue.so",
		"pam_listfile.so", "pam_localuser.so", "pam_nologin.so", "pam_permit.so", "pam_rootok.so",
		"pam_securetty.so", "pam_shells.so", "pam_succeed_if.so", "pam_time.so", "pam_warn.so",
		"pam_wheel.so" };

	if (hxb_pam_line_option(&stack->lines[at], "use_first_pass") == NULL)
		return false;
	for (size_t i = 0; i < at; i++) {
		const struct hxb_pam_line *line = &stack->lines[i];
		bool asks = hxb_pam_line_option(line, "use_first_pass") == NULL;

		for (size_t k = 0; k < sizeof(silent) / sizeof(silent[0]); k++)
			asks = asks && strcmp(line->module, silent[k]) != 0;
		if (asks)
			return false;
	}
	return true;
}
