/* SPDX-License-Identifier: ISC */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_write.h"
#include "libhexabot/config.h"

static const char header[] =
    "# hexabot.conf: Hexabot's users on this host. Read by hexactl and pam_hexabot; "
    "an unknown key or a bad value is refused.\n"
    "#\n"
    "# login_roles = admin manager     roles that may log in here\n"
    "# group_prefix = hexabot-         a role's group is this and the role's name\n"
    "# home = /home/%u                 %u is the login\n"
    "# shell = /bin/bash\n"
    "# enumerate = yes                 whether getent lists everybody\n"
    "# password_min_length = 8\n"
    "# smtp_url = smtp://mail.example.org:587       invitations go out by it; with\n"
    "#     smtp_user and smtp_password_file, a 0600 file\n"
    "# web_url = https://chat.example.org           Hexabot's page, for links in them;\n"
    "#     with reset_secret_file, a 0600 file with its PASSWORD_RESET_SECRET\n"
    "\n";

/* What was written has to mean what was meant: paths may hold what the format has another use for. */
static enum hxb_result
read_back(const char *path, const char *store, struct hxb_error *error)
{
	struct hxb_config config;
	enum hxb_result r;

	r = hxb_config_init(&config, error);
	if (r == HXB_OK)
		r = hxb_config_load(&config, path, 0, error);
	if (r == HXB_OK && strcmp(config.store, store) != 0)
		r = hxb_fail(error, HXB_INVALID,
		    "%.256s: a path that hexabot.conf can't hold; move the database", store);
	hxb_config_free(&config);
	return r;
}

static enum hxb_result
sync_directory(const char *path, struct hxb_error *error)
{
	char *copy = strdup(path);
	int fd = copy != NULL ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	enum hxb_result r = HXB_OK;

	if (fd == -1 || fsync(fd) == -1)
		r = hxb_fail(error, HXB_FAILED, "%s: its directory was not written to disk: %m", path);
	if (fd != -1)
		close(fd);
	free(copy);
	return r;
}

/* Writes, closes and checks the temporary file. */
static enum hxb_result
fill(int fd, const char *temporary, const char *text, const char *store, struct hxb_error *error)
{
	FILE *file = fdopen(fd, "w");
	enum hxb_result r = HXB_OK;

	if (file == NULL) {
		close(fd);
		return hxb_fail(error, HXB_FAILED, "%s: %m", temporary);
	}
	if (fputs(text, file) == EOF || fflush(file) == EOF || fchmod(fd, 0644) == -1 || fsync(fd) == -1)
		r = hxb_fail(error, HXB_FAILED, "%s: %m", temporary);
	if (fclose(file) == EOF && r == HXB_OK)
		r = hxb_fail(error, HXB_FAILED, "%s: %m", temporary);
	return r == HXB_OK ? read_back(temporary, store, error) : r;
}

static enum hxb_result
replace(const char *path, const char *text, const char *store, struct hxb_error *error)
{
	char *temporary = NULL;
	enum hxb_result r;
	int fd;

	if (asprintf(&temporary, "%s.XXXXXX", path) == -1)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	if ((fd = mkostemp(temporary, O_CLOEXEC)) == -1) {
		r = hxb_fail(error, HXB_FAILED, "%s: %m", temporary);
		goto out;
	}
	r = fill(fd, temporary, text, store, error);
	if (r == HXB_OK && rename(temporary, path) == -1)
		r = hxb_fail(error, HXB_FAILED, "%s: %m", path);
	if (r != HXB_OK)
		unlink(temporary);
	else
		r = sync_directory(path, error);
out:
	free(temporary);
	return r;
}

enum hxb_result
hxb_conf_create(const char *path, const char *store, bool range, uint32_t uid_min, uint32_t uid_max,
    struct hxb_error *error)
{
	char *text = NULL, lines[64] = "";
	enum hxb_result r;

	if (range)
		snprintf(lines, sizeof(lines), "uid_min = %u\nuid_max = %u\n", uid_min, uid_max);
	if (asprintf(&text, "%sstore = %s\n%s", header, store, lines) == -1)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	r = replace(path, text, store, error);
	free(text);
	return r;
}

static bool
is_store_line(const char *line)
{
	line += strspn(line, " \t");
	if (strncmp(line, "store", 5) != 0)
		return false;
	line += 5;
	line += strspn(line, " \t");
	return *line == '=' || *line == ':';
}

/* Copies the file's lines, with the store's replaced. NULL with errno set. */
static char *
edited(FILE *file, const char *store)
{
	char *line = NULL, *text = NULL;
	size_t room = 0, size = 0;
	FILE *out = open_memstream(&text, &size);
	bool bad = out == NULL;

	while (!bad && getline(&line, &room, file) != -1)
		if (is_store_line(line))
			fprintf(out, "store = %s\n", store);
		else
			fputs(line, out);
	free(line);
	bad = bad || ferror(file) || ferror(out);
	if (out != NULL && fclose(out) == EOF)
		bad = true;
	if (!bad)
		return text;
	free(text);
	return NULL;
}

enum hxb_result
hxb_conf_set_store(const char *path, const char *store, struct hxb_error *error)
{
	FILE *file = fopen(path, "re");
	char *text;
	enum hxb_result r;

	if (file == NULL)
		return hxb_fail(error, HXB_UNREADABLE, "%s: %m", path);
	text = edited(file, store);
	if (text != NULL)
		r = replace(path, text, store, error);
	else
		r = hxb_fail(error, HXB_FAILED, "%s: %m", path);
	free(text);
	fclose(file);
	return r;
}
