/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libhexabot/paths.h"
#include "print.h"
#include "service.h"

#define DROP_IN_DIR HXB_SYSCONF_DIR "/systemd/system/" HXB_SERVICE ".d"
#define DROP_IN DROP_IN_DIR "/store.conf"

extern char **environ;

static bool
is_there(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) == 0;
}

static bool
is_installed(void)
{
	return is_there("/usr/lib/systemd/system/" HXB_SERVICE) ||
	    is_there("/lib/systemd/system/" HXB_SERVICE) ||
	    is_there(HXB_SYSCONF_DIR "/systemd/system/" HXB_SERVICE);
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

/* The drop-in's text. NULL: no memory. */
static char *
compose(const char *store)
{
	char *copy = strdup(store), *file = unit_word(store), *directory = NULL, *text = NULL;

	if (copy != NULL && file != NULL)
		directory = unit_word(dirname(copy));
	if (directory != NULL &&
	    asprintf(&text,
	        "# Written by hexactl init: Hexabot's database is here.\n"
	        "[Unit]\nRequiresMountsFor=%s\n\n[Service]\nReadWritePaths=%s\n",
	        file, directory) == -1)
		text = NULL;
	free(directory);
	free(file);
	free(copy);
	return text;
}

static enum hxb_result
write_drop_in(const char *store, struct hxb_error *error)
{
	char *text = compose(store);
	enum hxb_result r = HXB_OK;
	FILE *file = NULL;

	if (text == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	if (mkdir(DROP_IN_DIR, 0755) == -1 && errno != EEXIST)
		r = hxb_fail(error, HXB_FAILED, DROP_IN_DIR ": %m");
	else if ((file = fopen(DROP_IN ".new", "we")) == NULL || fputs(text, file) == EOF)
		r = hxb_fail(error, HXB_FAILED, DROP_IN ".new: %m");
	if (file != NULL && fclose(file) != 0 && r == HXB_OK)
		r = hxb_fail(error, HXB_FAILED, DROP_IN ".new: %m");
	if (r == HXB_OK && rename(DROP_IN ".new", DROP_IN) == -1)
		r = hxb_fail(error, HXB_FAILED, DROP_IN ": %m");
	free(text);
	return r;
}

/* Runs systemctl, whose words go to standard error. true: it said yes. */
static bool
systemctl(char *const words[])
{
	posix_spawn_file_actions_t actions;
	int status = -1;
	bool started;
	pid_t pid;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return false;
	started = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO) == 0 &&
	    posix_spawn(&pid, "/usr/bin/systemctl", &actions, NULL, words, environ) == 0;
	posix_spawn_file_actions_destroy(&actions);
	return started && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* restart, because it may be running with the drop-in of another store. */
static bool
start(void)
{
	char name[] = "systemctl", reload[] = "daemon-reload", enable[] = "enable", quiet[] = "--quiet",
	     restart[] = "restart", unit[] = HXB_SERVICE;
	char *const reloading[] = { name, reload, NULL };
	char *const enabling[] = { name, quiet, enable, unit, NULL };
	char *const starting[] = { name, restart, unit, NULL };

	return systemctl(reloading) && systemctl(enabling) && systemctl(starting);
}

enum hxb_result
hxb_service_adopt(const char *store, struct hxb_error *error)
{
	enum hxb_result r;

	if (!is_installed() || !is_there(HXB_SYSCONF_DIR "/systemd/system"))
		return HXB_OK;
	r = write_drop_in(store, error);
	/* What sd_booted(3) looks at. */
	if (r == HXB_OK && is_there("/run/systemd/system") && !start())
		hxb_complain(
		    HXB_SERVICE " does not start: changes made in Hexabot are shown only after 'hexactl "
		                "publish'; 'journalctl -u " HXB_SERVICE "' says why");
	return r;
}
