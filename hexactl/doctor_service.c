/* SPDX-License-Identifier: ISC */
/* Who publishes what is changed in Hexabot, and which running programs still have an old module. */
#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <fcntl.h>
#include <unistd.h>

#include "doctor.h"
#include "libhexabot/paths.h"
#include "processes.h"
#include "service.h"
#include "text_file.h"

#define CRON "/etc/cron.d/hexabot"
#define CRON_MAX 65536 /* bytes */
#define GROUPS_MAX 65536 /* bytes of a process's cgroup file */
#define UNIT "hexabot-publish"

static bool
systemd_runs(void)
{
	return faccessat(AT_FDCWD, "/run/systemd/system", F_OK, AT_EACCESS) == 0; /* as sd_booted(3) */
}

/* By its file: its words are for whoever starts it to choose, and `sudo` may be told to call itself hexactl.
 */
static bool
is_hexactl(pid_t pid)
{
	char path[64], program[PATH_MAX + 16];
	const char *base;
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	if ((length = readlink(path, program, sizeof(program) - 1)) == -1)
		return false;
	program[length] = '\0';
	base = strrchr(program, '/');
	return base != NULL && (strcmp(base, "/hexactl") == 0 || strcmp(base, "/hexactl (deleted)") == 0);
}

/* root's hexactl watch, without --once: it is not to be taken for one that a cron job runs. */
static bool
is_watch(pid_t pid)
{
	char path[64], words[4096] = "";
	const char *word = words;
	FILE *file;
	size_t length = 0;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	if (!is_hexactl(pid) || (file = fopen(path, "re")) == NULL)
		return false;
	length = fread(words, 1, sizeof(words) - 2, file);
	fclose(file);
	words[length] = words[length + 1] = '\0';
	word += strlen(word) + 1;
	if (word >= words + length || strcmp(word, "watch") != 0)
		return false;
	for (; word < words + length; word += strlen(word) + 1)
		if (strcmp(word, "--once") == 0)
			return false;
	return true;
}

/* 0: there is none. */
static pid_t
find_watch(void)
{
	struct hxb_processes processes = { 0 };
	pid_t found = 0;

	if (hxb_processes_read(&processes, &(struct hxb_uids){ 0, 0 }, NULL) == HXB_OK)
		for (size_t i = 0; found == 0 && i < processes.count; i++)
			if (is_watch(processes.list[i].pid))
				found = processes.list[i].pid;
	hxb_processes_clear(&processes);
	return found;
}

/* A line of README's, or like it, that is no comment. */
static bool
cron_publishes(void)
{
	struct hxb_error error;
	char *text = NULL, *cursor, *line;
	bool found = false;

	if (hxb_text_read(CRON, CRON_MAX, &text, &error) != HXB_OK)
		return false;
	for (cursor = text; !found && (line = hxb_text_line(&cursor)) != NULL;)
		found = line[strspn(line, " \t")] != '#' &&
		    (strstr(line, "hexactl watch") != NULL || strstr(line, "hexactl publish") != NULL);
	free(text);
	return found;
}

/* cron passes over a file that somebody else could have written, with a word in the log. */
static bool
cron_takes_it(void)
{
	struct stat st;

	return stat(CRON, &st) == 0 && st.st_uid == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static void
look_at_watch(struct hxb_doctor *doctor)
{
	struct hxb_error error = { "" };
	char path[64], *groups = NULL;

	doctor->watched = find_watch();
	if (doctor->watched != 0) {
		snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)doctor->watched);
		(void)hxb_text_read(path, GROUPS_MAX, &groups, &error);
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "'hexactl watch' runs (process %d%s)",
		    (int)doctor->watched,
		    groups != NULL && strstr(groups, HXB_SERVICE) != NULL ? ", the service " UNIT : "");
	} else if (cron_publishes() && !cron_takes_it()) {
		hxb_found(doctor, HXB_HEALTH_WARN, "chown root: " CRON ", chmod 644 " CRON,
		    CRON ": not root's, or others may write it: cron takes no line of it");
	} else if (cron_publishes()) {
		hxb_found(doctor, HXB_HEALTH_OK, NULL, CRON " publishes what is changed in Hexabot");
	} else {
		hxb_found(doctor, HXB_HEALTH_WARN,
		    systemd_runs() && hxb_service_is_installed()
		        ? "'systemctl enable --now " UNIT "'; 'journalctl -u " UNIT "' says why it ended"
		        : "put '* * * * * root /usr/sbin/hexactl watch --once >/dev/null' into " CRON,
		    "nobody publishes what is changed in Hexabot: groups and new users show only after "
		    "'hexactl "
		    "publish'");
	}
	free(groups);
}

/* What keeps the process from the directory that is at `path` here; NULL: nothing. */
static const char *
keeps_from(pid_t pid, const char *path)
{
	char inside[PATH_MAX + 64];
	struct stat here, there;
	struct statvfs fs_here, fs_there;

	snprintf(inside, sizeof(inside), "/proc/%d/root%s", (int)pid, path);
	if (stat(path, &here) == -1 || statvfs(path, &fs_here) == -1)
		return NULL; /* the store's check tells */
	if (stat(inside, &there) == -1 || statvfs(inside, &fs_there) == -1 || here.st_dev != there.st_dev ||
	    here.st_ino != there.st_ino)
		return "still has the directory that was there before";
	return (fs_there.f_flag & ~fs_here.f_flag & ST_RDONLY) != 0 ? "can't write there" : NULL;
}

/*
 * The unit has the store's directory mounted, to be able to write there. With one that came later it watches
 * a database that nobody writes any more (something was mounted over it), or can't open it (it was moved
 * away).
 */
static void
look_at_mount(struct hxb_doctor *doctor)
{
	char path[PATH_MAX];
	const char *why;

	if (hxb_lacks_config(doctor))
		return;
	if (doctor->watched == 0) {
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, "'hexactl watch' does not run");
		return;
	}
	snprintf(path, sizeof(path), "%s", doctor->session->config.store);
	(void)dirname(path);
	if ((why = keeps_from(doctor->watched, path)) != NULL)
		hxb_found(doctor, HXB_HEALTH_FAIL, "'systemctl restart " UNIT "'",
		    "%s was replaced, and 'hexactl watch' (process %d) %s", path, (int)doctor->watched, why);
	else
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "'hexactl watch' has the same %s", path);
}

static void
look_at_drop_in(struct hxb_doctor *doctor)
{
	const char *remedy = "run 'hexactl init --store FILE', with the store of the configuration";
	struct stat st;

	if (hxb_lacks_config(doctor))
		return;
	if (!hxb_service_is_installed() || (!systemd_runs() && lstat(HXB_DROP_IN, &st) == -1)) {
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, "no systemd, or no " HXB_SERVICE);
		return;
	}
	switch (hxb_service_drop_in(doctor->session->config.store)) {
	case HXB_DROP_IN_FITS:
		hxb_found(
		    doctor, HXB_HEALTH_OK, NULL, HXB_DROP_IN ": lets the service write where the store is");
		break;
	case HXB_DROP_IN_OTHER:
		hxb_found(doctor, HXB_HEALTH_FAIL, remedy,
		    HXB_DROP_IN ": is for another store than %s, where the service can't write",
		    doctor->session->config.store);
		break;
	case HXB_DROP_IN_ABSENT:
		hxb_found(doctor, HXB_HEALTH_WARN, remedy,
		    HXB_DROP_IN ": not there: the service can't write where the store is");
		break;
	}
}

/* "…/libnss_hexabot.so.2 (deleted)": its code is that of before the last installation. */
static bool
has_deleted_module(pid_t pid)
{
	char path[64], *line = NULL;
	size_t room = 0;
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	if ((file = fopen(path, "re")) == NULL)
		return false;
	while (!found && getline(&line, &room, file) != -1)
		found = (strstr(line, "/pam_hexabot.so") != NULL ||
		            strstr(line, "/libnss_hexabot.so.2") != NULL) &&
		    strstr(line, " (deleted)") != NULL;
	free(line);
	fclose(file);
	return found;
}

/* False: it took too long, or /proc can't be read. */
static bool
find_leftovers(struct hxb_cases *cases)
{
	const struct hxb_deadline deadline = hxb_deadline_in(HXB_DOCTOR_TIME);
	struct hxb_processes processes = { 0 };
	char who[64];
	bool whole = hxb_processes_read(&processes, &(struct hxb_uids){ 0, HXB_NO_UID }, NULL) == HXB_OK;

	for (size_t i = 0; whole && i < processes.count; i++) {
		whole = hxb_deadline_left(&deadline) > 0;
		if (!whole || !has_deleted_module(processes.list[i].pid))
			continue;
		snprintf(who, sizeof(who), "%s (process %d)", processes.list[i].command,
		    (int)processes.list[i].pid);
		hxb_case_add(cases, who, NULL);
	}
	hxb_processes_clear(&processes);
	return whole;
}

static void
look_at_modules(struct hxb_doctor *doctor)
{
	struct hxb_cases cases = { .count = 0 };
	bool whole = find_leftovers(&cases);
	char names[HXB_DOCTOR_NAMED * 68] = "";
	size_t used = 0;

	for (unsigned i = 0; i < cases.count && i < HXB_DOCTOR_NAMED; i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i > 0 ? ", " : "",
		    cases.named[i].name != NULL ? cases.named[i].name : "?");
	if (cases.count > HXB_DOCTOR_NAMED)
		hxb_found(doctor, HXB_HEALTH_WARN, "restart them",
		    "%s and %u more still run a module that was replaced", names,
		    cases.count - HXB_DOCTOR_NAMED);
	else if (cases.count > 0)
		hxb_found(doctor, HXB_HEALTH_WARN, "restart them",
		    "%s: still running a module that was replaced", names);
	else if (!whole)
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, "too many processes to look at");
	else
		hxb_found(
		    doctor, HXB_HEALTH_OK, NULL, "every process has the module that is installed, or none");
	hxb_cases_clear(&cases);
}

const struct hxb_check hxb_checks_service[] = {
	{ "watch", look_at_watch },
	{ "watch-mount", look_at_mount },
	{ "watch-drop-in", look_at_drop_in },
	{ "replaced-modules", look_at_modules },
	{ NULL, NULL },
};
