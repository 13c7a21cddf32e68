/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faillock.h"
#include "libhexabot/names.h"
#include "text_file.h"

#define CONF_MAX 65536 /* bytes */
#define RECORDS_MAX 1024 /* as many as pam_faillock keeps */
#define VALID 0x1
#define GROUPS_MAX 256 /* of a user */

/* One failure, as it is in the file: of this machine's byte order. */
struct record {
	char source[52];
	uint16_t reserved;
	uint16_t status;
	uint64_t time;
};

/* What follows the digits does not count: "10m" is 10. */
static bool
take_number(const char *text, int64_t *number)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (end == text || errno != 0 || value < 0 || value > 604800)
		return false;
	*number = value;
	return true;
}

/* One setting, of the file or of the line in the stack. What it does not know or take, pam_faillock ignores
 * in the same way. */
static void
take_setting(struct hxb_faillock *faillock, const char *name, const char *value)
{
	if (strcmp(name, "dir") == 0 && value[0] == '/' && strlen(value) < sizeof(faillock->dir))
		snprintf(faillock->dir, sizeof(faillock->dir), "%s", value);
	else if (strcmp(name, "deny") == 0)
		(void)take_number(value, &faillock->deny);
	else if (strcmp(name, "fail_interval") == 0)
		(void)take_number(value, &faillock->fail_interval);
	else if (strcmp(name, "unlock_time") == 0 && strcmp(value, "never") == 0)
		faillock->unlock_time = 0;
	else if (strcmp(name, "unlock_time") == 0)
		(void)take_number(value, &faillock->unlock_time);
	else if (strcmp(name, "root_unlock_time") == 0 && strcmp(value, "never") == 0)
		faillock->root_unlock_time = 0;
	else if (strcmp(name, "root_unlock_time") == 0)
		(void)take_number(value, &faillock->root_unlock_time);
	else if (strcmp(name, "admin_group") == 0)
		snprintf(faillock->admin_group, sizeof(faillock->admin_group), "%s", value);
	else if (strcmp(name, "even_deny_root") == 0)
		faillock->even_deny_root = true;
	else if (strcmp(name, "local_users_only") == 0)
		faillock->local_users_only = true;
}

/* "name = value" or "name value", with comments. */
static void
take_line(struct hxb_faillock *faillock, char *line)
{
	char *name, *value, *end;

	line[strcspn(line, "#")] = '\0';
	name = line + strspn(line, " \t");
	value = name + strcspn(name, " \t=");
	if (*value != '\0')
		*value++ = '\0';
	value += strspn(value, " \t=");
	for (end = value + strlen(value); end > value && strchr(" \t\r", end[-1]) != NULL; end--)
		end[-1] = '\0';
	if (*name != '\0')
		take_setting(faillock, name, value);
}

/* path NULL: the usual one, which need not be there. */
static enum hxb_result
read_conf(struct hxb_faillock *faillock, const char *path, struct hxb_error *error)
{
	char *text = NULL, *cursor, *line;
	enum hxb_result r = hxb_text_read(path != NULL ? path : HXB_FAILLOCK_CONF, CONF_MAX, &text, error);

	if (r == HXB_NOT_FOUND && path == NULL) {
		error->text[0] = '\0';
		return HXB_OK;
	}
	if (r != HXB_OK)
		return r;
	for (cursor = text; (line = hxb_text_line(&cursor)) != NULL;)
		take_line(faillock, line);
	free(text);
	return HXB_OK;
}

static void
take_options(struct hxb_faillock *faillock, const struct hxb_pam_line *line)
{
	for (size_t i = 0; line->options != NULL && line->options[i] != NULL; i++) {
		char option[512];

		if (snprintf(option, sizeof(option), "%s", line->options[i]) < (int)sizeof(option))
			take_line(faillock, option);
	}
}

static bool
is_admin(const struct hxb_faillock *faillock, const char *login)
{
	const struct passwd *pw = faillock->admin_group[0] != '\0' ? getpwnam(login) : NULL;
	const struct group *group = pw != NULL ? getgrnam(faillock->admin_group) : NULL;
	gid_t groups[GROUPS_MAX];
	int count = GROUPS_MAX;

	if (group == NULL || getgrouplist(login, pw->pw_gid, groups, &count) == -1)
		return false;
	for (int i = 0; i < count; i++)
		if (groups[i] == group->gr_gid)
			return true;
	return false;
}

/* How pam_faillock counts: back from the last failure. The file is the user's own, who may write any number
 * there; so it reckons as pam_faillock does, without a sign. */
static void
judge(struct hxb_faillock *faillock, const struct record *records, size_t count, bool admin, int64_t now)
{
	int64_t lasts =
	    admin && faillock->root_unlock_time != -1 ? faillock->root_unlock_time : faillock->unlock_time;
	uint64_t latest = 0, until;

	for (size_t i = 0; i < count; i++)
		if ((records[i].status & VALID) != 0 && records[i].time > latest)
			latest = records[i].time;
	for (size_t i = 0; i < count; i++)
		if ((records[i].status & VALID) != 0 &&
		    latest - records[i].time < (uint64_t)faillock->fail_interval)
			faillock->failures++;
	faillock->spared = admin && !faillock->even_deny_root;
	if (faillock->spared || faillock->deny == 0 || faillock->failures < faillock->deny)
		return;
	until = latest + (uint64_t)lasts;
	if (lasts != 0)
		faillock->until = (int64_t)(until < INT64_MAX ? until : INT64_MAX);
	faillock->locked = lasts == 0 || until >= (uint64_t)now;
}

/* -1 with errno. Nothing but a file: to open a device may do things, and pam_faillock would wait for a FIFO.
 */
static int
open_record(const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return -1;
	}
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

enum hxb_result
hxb_faillock_count(struct hxb_faillock *faillock, const char *login, int64_t now, struct hxb_error *error)
{
	struct record *records;
	char path[512];
	ssize_t got;
	int fd;

	/* Of others there can be no record, and a name of Hexabot's may be any path. */
	if (!hxb_login_valid(login) || faillock->local_users_only)
		return HXB_OK;
	snprintf(path, sizeof(path), "%s/%s", faillock->dir, login);
	if ((fd = open_record(path)) == -1) {
		faillock->broken = errno != ENOENT && errno != EACCES;
		return faillock->broken ? hxb_fail(error, HXB_UNREADABLE, "%s: %m", path) : HXB_OK;
	}
	records = calloc(RECORDS_MAX, sizeof(*records));
	got = records != NULL ? read(fd, records, RECORDS_MAX * sizeof(*records)) : -1;
	close(fd);
	if (got == -1) {
		free(records);
		return hxb_fail(error, HXB_UNREADABLE, "%s: %m", path);
	}
	judge(faillock, records, (size_t)got / sizeof(*records), is_admin(faillock, login), now);
	free(records);
	return HXB_OK;
}

enum hxb_result
hxb_faillock_settings(const struct hxb_pam_line *line, struct hxb_faillock *faillock, struct hxb_error *error)
{
	const char *conf = hxb_pam_line_option(line, "conf");
	enum hxb_result r;

	*faillock = (struct hxb_faillock){ .dir = "/var/run/faillock",
		.deny = 3,
		.fail_interval = 900,
		.unlock_time = 600,
		.root_unlock_time = -1 };
	r = read_conf(faillock, conf != NULL && conf[0] != '\0' ? conf : NULL, error);
	if (r == HXB_OK)
		take_options(faillock, line);
	return r;
}
