/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "print.h"
#include "program.h"
#include "service.h"

static bool
is_there(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) == 0;
}

bool
hxb_service_is_installed(void)
{
	return is_there(HXB_SYSCONF_DIR "/systemd/system") &&
	    (is_there("/usr/lib/systemd/system/" HXB_SERVICE) ||
	        is_there("/lib/systemd/system/" HXB_SERVICE) ||
	        is_there(HXB_SYSCONF_DIR "/systemd/system/" HXB_SERVICE));
}

/* A path as a word of a unit file: quoted, and without specifiers. NULL: no memory. */
static char *
unit_word(const char *path)
{
	char *word = malloc(strlen(path) * 2 + 3), *end = word;

	if (word == NULL)
		return NULL;
	*end++ = '"';
	for (; *path != '\0'; path++) {
		if (*path == '"' || *path == '\\')
			*end++ = '\\';
		if (*path == '%')
			*end++ = '%';
		*end++ = *path;
	}
	*end++ = '"';
	*end = '\0';
	return word;
}

/* The line of the drop-in that counts. NULL: no memory. */
static char *
may_write(const char *store)
{
	char *copy = strdup(store), *directory = copy != NULL ? unit_word(dirname(copy)) : NULL, *line = NULL;

	if (directory != NULL && asprintf(&line, "ReadWritePaths=%s\n", directory) == -1)
		line = NULL;
	free(directory);
	free(copy);
	return line;
}

/* The drop-in's text. NULL: no memory. */
static char *
compose(const char *store)
{
	char *file = unit_word(store), *line = may_write(store), *text = NULL;

	if (file != NULL && line != NULL &&
	    asprintf(&text,
	        "# Written by hexactl init: Hexabot's database is here.\n"
	        "[Unit]\nRequiresMountsFor=%s\n\n[Service]\n%s",
	        file, line) == -1)
		text = NULL;
	free(line);
	free(file);
	return text;
}

enum hxb_drop_in
hxb_service_drop_in(const char *store)
{
	enum hxb_drop_in is = HXB_DROP_IN_OTHER;
	char *wanted = may_write(store), *line = NULL;
	FILE *file = fopen(HXB_DROP_IN, "re");
	size_t room = 0;

	if (file == NULL)
		is = HXB_DROP_IN_ABSENT;
	while (file != NULL && wanted != NULL && getline(&line, &room, file) != -1)
		if (strcmp(line, wanted) == 0)
			is = HXB_DROP_IN_FITS;
	if (file != NULL)
		fclose(file);
	free(line);
	free(wanted);
	return is;
}

static enum hxb_result
write_drop_in(const char *store, struct hxb_error *error)
{
	char *text = compose(store);
	enum hxb_result r = HXB_OK;
	FILE *file = NULL;

	if (text == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	if (mkdir(HXB_DROP_IN_DIR, 0755) == -1 && errno != EEXIST)
		r = hxb_fail(error, HXB_FAILED, HXB_DROP_IN_DIR ": %m");
	else if ((file = fopen(HXB_DROP_IN ".new", "we")) == NULL || fputs(text, file) == EOF)
		r = hxb_fail(error, HXB_FAILED, HXB_DROP_IN ".new: %m");
	if (file != NULL && fclose(file) != 0 && r == HXB_OK)
		r = hxb_fail(error, HXB_FAILED, HXB_DROP_IN ".new: %m");
	if (r == HXB_OK && rename(HXB_DROP_IN ".new", HXB_DROP_IN) == -1)
		r = hxb_fail(error, HXB_FAILED, HXB_DROP_IN ": %m");
	free(text);
	return r;
}

/* Its words go to standard error, and a start may take long. true: it said yes. */
static bool
systemctl(char *const words[])
{
	const struct hxb_program program = { .argv = words, .words = HXB_WORDS_SHOWN };

	return hxb_program_run(&program, NULL) == HXB_PROGRAM_YES;
}

/* restart, because it may be running with the drop-in of another store. */
static bool
start(void)
{
	char name[] = "/usr/bin/systemctl", reload[] = "daemon-reload", enable[] = "enable",
	     quiet[] = "--quiet", restart[] = "restart", unit[] = HXB_SERVICE;
	char *const reloading[] = { name, reload, NULL };
	char *const enabling[] = { name, quiet, enable, unit, NULL };
	char *const starting[] = { name, restart, unit, NULL };

	return systemctl(reloading) && systemctl(enabling) && systemctl(starting);
}

enum hxb_result
hxb_service_adopt(const char *store, struct hxb_error *error)
{
	enum hxb_result r;

	if (!hxb_service_is_installed())
		return HXB_OK;
	r = write_drop_in(store, error);
	/* What sd_booted(3) looks at. */
	if (r == HXB_OK && is_there("/run/systemd/system") && !start())
		hxb_complain(
		    HXB_SERVICE " does not start: changes made in Hexabot are shown only after 'hexactl "
		                "publish'; 'journalctl -u " HXB_SERVICE "' says why");
	return r;
}
