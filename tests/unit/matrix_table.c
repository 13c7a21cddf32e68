/* SPDX-License-Identifier: ISC */
#include "matrix.h"

const char *const stage_names[STAGES] = { "auth", "account", "chauthtok's first pass", "chauthtok",
	"forced chauthtok's first pass", "forced chauthtok", "setcred", "open_session", "close_session" };
const char *const caller_names[CALLERS] = { "root", "the user", "another user" };
/* The last one has no file: libpam takes "other". */
const char *const service_names[SERVICES] = { "sshd", "login", "su", "sudo", "cron", "passwd", "unheard-of" };

/* The columns of the table. */
enum column {
	NAME,
	IN_SERVICES,
	OF_AUTH,
	OF_ACCOUNT,
	BY_ROOT,
	BY_OTHERS,
	OF_FORCED,
	OF_SETCRED,
	OF_SESSION,
	LOG,
	COLUMNS
};
static const char *const column_names[COLUMNS] = { "situation", "service", "auth", "account", "by root",
	"by others", "forced", "setcred", "session", "log" };

static const struct {
	const char *name;
	int code;
} codes[] = {
	{ "SUCCESS", PAM_SUCCESS },
	{ "USER_UNKNOWN", PAM_USER_UNKNOWN },
	{ "AUTH_ERR", PAM_AUTH_ERR },
	{ "PERM_DENIED", PAM_PERM_DENIED },
	{ "ACCT_EXPIRED", PAM_ACCT_EXPIRED },
	{ "NEW_AUTHTOK_REQD", PAM_NEW_AUTHTOK_REQD },
	{ "AUTHINFO_UNAVAIL", PAM_AUTHINFO_UNAVAIL },
	{ "AUTHTOK_ERR", PAM_AUTHTOK_ERR },
	{ "TRY_AGAIN", PAM_TRY_AGAIN },
	{ "IGNORE", PAM_IGNORE },
};

struct line {
	char text[1024];
	char *columns[COLUMNS]; /* in it */
};
struct verdict {
	const char *name;
	const struct line *of[SERVICES];
};
static struct line lines[SITUATIONS_MAX * 3];
static struct verdict verdicts[SITUATIONS_MAX];
static unsigned line_count, count;

const char *
code_name(int code)
{
	for (size_t i = 0; i < COUNT(codes); i++) {
		if (codes[i].code == code)
			return codes[i].name;
	}
	return "another code";
}

static int
code_of(const char *text, size_t length)
{
	for (size_t i = 0; i < COUNT(codes); i++) {
		if (strlen(codes[i].name) == length && strncmp(codes[i].name, text, length) == 0)
			return codes[i].code;
	}
	fail_msg("'%.*s' is no answer", (int)length, text);
	return -1;
}

static char *
trimmed(char *text)
{
	char *end = text + strlen(text);

	while (end > text && end[-1] == ' ')
		*--end = '\0';
	return text + strspn(text, " ");
}

static void
split(struct line *line)
{
	char *rest = line->text, *column;
	unsigned found = 0;

	rest[strcspn(rest, "\n")] = '\0';
	while ((column = strsep(&rest, "|")) != NULL) {
		assert_true(found < COLUMNS);
		line->columns[found++] = trimmed(column);
	}
	if (found != COLUMNS)
		fail_msg("%u columns: %s", found, line->text);
}

static bool
names_service(const char *services, const char *name)
{
	size_t length = strlen(name);

	for (const char *p = services; *p != '\0'; p += strspn(p, " ")) {
		if (strcspn(p, " ") == length && strncmp(p, name, length) == 0)
			return true;
		p += strcspn(p, " ");
	}
	return false;
}

static void
take_line(const struct line *line)
{
	const char *services = line->columns[IN_SERVICES];
	bool others = strcmp(services, "any") == 0 || strcmp(services, "else") == 0;
	struct verdict *verdict;
	unsigned taken = 0;

	if (line->columns[NAME][0] != '\0') {
		for (unsigned i = 0; i < count; i++)
			assert_string_not_equal(verdicts[i].name, line->columns[NAME]);
		assert_true(count < SITUATIONS_MAX);
		verdicts[count++].name = line->columns[NAME];
	}
	assert_true(count > 0);
	verdict = &verdicts[count - 1];
	for (int i = 0; i < SERVICES; i++) {
		if (others ? verdict->of[i] != NULL : !names_service(services, service_names[i]))
			continue;
		assert_null(verdict->of[i]);
		verdict->of[i] = line;
		taken++;
	}
	if (taken == 0 || (strcmp(services, "any") == 0 && taken != SERVICES))
		fail_msg("%s: '%s'", verdict->name, services);
}

void
read_verdicts(void)
{
	FILE *file = fopen("tests/data/verdicts", "re");
	struct line *line;

	assert_non_null(file);
	while (line_count < COUNT(lines) && fgets(lines[line_count].text, sizeof(line->text), file) != NULL) {
		line = &lines[line_count];
		if (line->text[0] == '#' || line->text[0] == '\n')
			continue;
		assert_non_null(strchr(line->text, '\n'));
		split(line);
		take_line(line);
		line_count++;
	}
	assert_true(feof(file));
	fclose(file);
	for (unsigned i = 0; i < count; i++) {
		for (int service = 0; service < SERVICES; service++) {
			if (verdicts[i].of[service] == NULL)
				fail_msg("%s: nothing for %s", verdicts[i].name, service_names[service]);
		}
	}
}

unsigned
verdict_count(void)
{
	return count;
}

const char *
verdict_name(unsigned number)
{
	assert_true(number < count);
	return verdicts[number].name;
}

static enum column
column_of(const struct cell *cell)
{
	switch (cell->stage) {
	case AUTH:
		return OF_AUTH;
	case ACCOUNT:
		return OF_ACCOUNT;
	case PRELIM:
	case CHANGE:
		return cell->caller == ROOT ? BY_ROOT : BY_OTHERS;
	case FORCED_PRELIM:
	case FORCED_CHANGE:
		return OF_FORCED;
	case SETCRED:
		return OF_SETCRED;
	default:
		return OF_SESSION;
	}
}

/* "text / auth: other text": what stands there of the column, or else the first. */
static void
take_log(const char *text, const char *column, struct expected *expected)
{
	size_t length = strlen(column), size;

	for (const char *part = text; part != NULL; part = strstr(part, " / ")) {
		if (part != text)
			part += strlen(" / ");
		size = strcspn(part, "/");
		if (strncmp(part, column, length) == 0 && strncmp(part + length, ": ", 2) == 0) {
			part += length + 2;
			size -= length + 2;
		} else if (part != text) {
			continue;
		}
		while (size > 0 && part[size - 1] == ' ')
			size--;
		snprintf(expected->log, sizeof(expected->log), "%.*s", (int)size, part);
	}
}

struct expected
expect(const struct cell *cell)
{
	bool second_pass = cell->stage == CHANGE || cell->stage == FORCED_CHANGE;
	enum column column = column_of(cell);
	struct expected expected = { .code = PAM_SUCCESS };
	const struct line *line = NULL;
	const char *text, *comma;

	for (unsigned i = 0; i < count; i++) {
		if (strcmp(verdicts[i].name, cell->situation->name) == 0)
			line = verdicts[i].of[cell->service];
	}
	assert_non_null(line);
	if (cell->stage == CLOSE)
		return expected;
	text = line->columns[column];
	take_log(line->columns[LOG], column_names[column], &expected);
	if (strcmp(text, "sets") == 0) {
		expected.sets = second_pass;
		return expected;
	}
	comma = strchr(text, ',');
	if (comma != NULL && second_pass)
		text = comma + 2;
	expected.code = code_of(text, strcspn(text, ","));
	/* With no other module in the stack libpam makes a denial of it. */
	if (expected.code == PAM_IGNORE)
		expected.code = PAM_PERM_DENIED;
	return expected;
}
