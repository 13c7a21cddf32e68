/* SPDX-License-Identifier: ISC */
/* Rules: sshd's own, and the shell that it starts. */
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "explain.h"

#define GROUPS_MAX 256

static bool
is_sshd(const struct hxb_case *c)
{
	return strcmp(c->service, "sshd") == 0;
}

void
hxb_rule_sshd(const struct hxb_case *c, struct hxb_finding *finding)
{
	const struct hxb_sshd *sshd = &c->sshd;

	finding->rule = "sshd";
	if (!is_sshd(c))
		return;
	if (faccessat(AT_FDCWD, HXB_SSHD_PROGRAM, X_OK, AT_EACCESS) == -1) {
		hxb_find(finding, HXB_RULING_NO, HXB_SSHD_PROGRAM ": %m");
		hxb_remedy(finding, "install openssh-server");
	} else if (!sshd->known) {
		hxb_find(finding, HXB_RULING_NOTE, "'sshd -T' does not tell its settings: not judged");
		hxb_remedy(finding, "'sshd -t' says why");
	} else if (hxb_sshd_closed(sshd) != NULL) {
		hxb_find(finding, HXB_RULING_NO, "%s 0: nobody gets a session, by whatever way",
		    hxb_sshd_closed(sshd));
		hxb_remedy(finding, "take that out of sshd_config");
	} else if (!sshd->use_pam) {
		hxb_find(finding, HXB_RULING_NO,
		    "UsePAM no: passwords are not pam_hexabot's to judge, keys are "
		    "nobody's");
		hxb_remedy(finding, "set UsePAM yes in sshd_config");
	} else if (!sshd->password && !sshd->keyboard_interactive) {
		hxb_find(finding, HXB_RULING_NO,
		    "PasswordAuthentication no, KbdInteractiveAuthentication no: keys only");
		hxb_remedy(finding, "set one of them to yes in sshd_config, or use a key");
	} else if (hxb_sshd_use_of_password(sshd) == HXB_SSHD_OF_NO_USE) {
		hxb_find(finding, HXB_RULING_NO, "AuthenticationMethods: none with a password is on");
		hxb_remedy(finding, "add one in sshd_config, or use what it names");
	} else if (hxb_sshd_use_of_password(sshd) == HXB_SSHD_NOT_ENOUGH) {
		hxb_find(finding, HXB_RULING_NOTE,
		    "AuthenticationMethods: a password is not enough: what else it wants is not judged");
	} else {
		hxb_find(finding, HXB_RULING_OK, "UsePAM yes, %s",
		    sshd->password ? sshd->keyboard_interactive
		            ? "PasswordAuthentication yes, KbdInteractiveAuthentication yes"
		            : "PasswordAuthentication yes"
		                   : "KbdInteractiveAuthentication yes");
	}
}

/* The names of the groups that the host gives the user: NULL-terminated, each to be freed. */
static void
group_names(const char *login, char *names[GROUPS_MAX + 1])
{
	const struct passwd *pw = getpwnam(login);
	gid_t groups[GROUPS_MAX];
	int count = GROUPS_MAX;
	size_t used = 0;

	if (pw != NULL && getgrouplist(login, pw->pw_gid, groups, &count) >= 0) {
		for (int i = 0; i < count; i++) {
			const struct group *group = getgrgid(groups[i]);

			if (group != NULL && (names[used] = strdup(group->gr_name)) != NULL)
				used++;
		}
	}
	names[used] = NULL;
}

static void
judge_lists(const struct hxb_sshd *sshd, struct hxb_finding *finding, char *const *user, char *const *groups)
{
	const char *maybe, *refuses;
	bool names;

	refuses = hxb_sshd_refuses(sshd, user, groups, &names, &maybe);
	if (refuses != NULL) {
		hxb_find(finding, HXB_RULING_NO, "%s %s them", refuses, names ? "names" : "does not name");
		hxb_remedy(finding, "change %s in sshd_config", refuses);
	} else if (maybe != NULL) {
		hxb_find(finding, HXB_RULING_NOTE, "%s hangs on where they come from: not judged", maybe);
	} else {
		hxb_find(finding, HXB_RULING_OK,
		    "no AllowUsers, DenyUsers, AllowGroups, DenyGroups is in the way");
	}
}

void
hxb_rule_sshd_users(const struct hxb_case *c, struct hxb_finding *finding)
{
	char login[256], *user[] = { login, NULL }, *groups[GROUPS_MAX + 1];

	finding->rule = "sshd users";
	if (!is_sshd(c) || !c->sshd.known || c->unmapped[0] != '\0')
		return;
	snprintf(login, sizeof(login), "%s", c->login);
	group_names(c->login, groups);
	judge_lists(&c->sshd, finding, user, groups);
	for (size_t i = 0; groups[i] != NULL; i++)
		free(groups[i]);
}

void
hxb_rule_sshd_keys(const struct hxb_case *c, struct hxb_finding *finding)
{
	enum hxb_sshd_use use = hxb_sshd_use_of_key(&c->sshd);
	int size, command_size, pubkey_size;
	const char *file, *command, *pubkey;

	finding->rule = "keys";
	if (!is_sshd(c) || !c->sshd.known || c->unmapped[0] != '\0')
		return;
	file = hxb_sshd_setting(&c->sshd, "authorizedkeysfile", 0, &size);
	command = hxb_sshd_setting(&c->sshd, "authorizedkeyscommand", 0, &command_size);
	pubkey = hxb_sshd_setting(&c->sshd, "pubkeyauthentication", 0, &pubkey_size);
	if (use == HXB_SSHD_OF_NO_USE || file == NULL ||
	    (pubkey != NULL && pubkey_size == 2 && strncmp(pubkey, "no", 2) == 0))
		return;
	if (command != NULL && command_size == 4 && strncmp(command, "none", 4) == 0)
		command = NULL;
	hxb_find(finding, HXB_RULING_NOTE, "a key in %.*s%s%.*s %s", size < 160 ? size : 160, file,
	    command != NULL ? " or of " : "",
	    command == NULL          ? 0
	        : command_size < 160 ? command_size
	                             : 160,
	    command != NULL ? command : "",
	    use == HXB_SSHD_ENOUGH ? "needs no password, and no lockout stops it"
	                           : "is not enough: AuthenticationMethods wants more");
}

void
hxb_rule_chroot(const struct hxb_case *c, struct hxb_finding *finding)
{
	const char *directory;
	int size;

	finding->rule = "chroot";
	if (!is_sshd(c) || !c->sshd.known || c->unmapped[0] != '\0')
		return;
	directory = hxb_sshd_setting(&c->sshd, "chrootdirectory", 0, &size);
	if (directory != NULL && (size != 4 || strncmp(directory, "none", 4) != 0))
		hxb_find(finding, HXB_RULING_NOTE,
		    "ChrootDirectory %.*s: whether it is root's, and has a shell, is not judged",
		    size < 160 ? size : 160, directory);
}

/* Whether the service starts the user's shell: without one nobody is in. */
bool
hxb_starts_shell(const char *service)
{
	static const char *const services[] = { "sshd", "login", "su", "su-l", "remote" };

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (strcmp(services[i], service) == 0)
			return true;
	return false;
}

/* By its mode: it is the user who starts it, and not root. */
static bool
may_run(const char *login, const struct stat *st)
{
	const struct passwd *pw = getpwnam(login);
	gid_t groups[GROUPS_MAX];
	int count = GROUPS_MAX;

	if (pw == NULL || pw->pw_uid == st->st_uid || getgrouplist(login, pw->pw_gid, groups, &count) == -1)
		return (st->st_mode & 0111) != 0;
	for (int i = 0; i < count; i++)
		if (groups[i] == st->st_gid)
			return (st->st_mode & S_IXGRP) != 0;
	return (st->st_mode & S_IXOTH) != 0;
}

void
hxb_rule_shell(const struct hxb_case *c, struct hxb_finding *finding)
{
	enum hxb_ruling bad = hxb_starts_shell(c->service) ? HXB_RULING_NO : HXB_RULING_NOTE;
	const char *name = strrchr(c->shell, '/');
	struct stat st;

	finding->rule = "shell";
	if (c->shell[0] == '\0')
		return;
	if (stat(c->shell, &st) == -1)
		hxb_find(finding, bad, "%.256s: %m", c->shell);
	else if (!S_ISREG(st.st_mode) || !may_run(c->login, &st))
		hxb_find(finding, bad, "%.256s: no program that they may run", c->shell);
	else if (name != NULL && (strcmp(name, "/nologin") == 0 || strcmp(name, "/false") == 0))
		hxb_find(finding, bad, "%.256s ends each session at once", c->shell);
	else if (c->shell_unlisted) {
		hxb_find(
		    finding, HXB_RULING_NO, "%.256s is not in /etc/shells, and pam_shells asks", c->shell);
		finding->by_pam = true;
	} else
		hxb_find(finding, HXB_RULING_OK, "%.256s", c->shell);
	if (finding->ruling == HXB_RULING_NO || finding->ruling == HXB_RULING_NOTE)
		hxb_remedy(finding, "hexactl set %.128s --shell /bin/bash", c->user);
}
