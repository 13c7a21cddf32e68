/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libhexabot/key_files.h"
#include "sshd.h"

#define PROGRAM "/usr/sbin/sshd"

extern char **environ;

/* Starts it with its words going to fd. */
static bool
start(const char *login, int fd, pid_t *pid)
{
	char dash_t[] = "-T", dash_c[] = "-C", program[] = PROGRAM, who[256];
	char *argv[] = { program, dash_t, dash_c, who, NULL };
	posix_spawn_file_actions_t actions;
	bool started;

	/* A Match by address is not ours to guess. */
	snprintf(who, sizeof(who), "user=%.64s,host=localhost,addr=127.0.0.1", login);
	if (posix_spawn_file_actions_init(&actions) != 0)
		return false;
	started = posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO) == 0 &&
	    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
	    posix_spawn(pid, PROGRAM, &actions, NULL, argv, environ) == 0;
	posix_spawn_file_actions_destroy(&actions);
	return started;
}

/* Whether a word is in a list with that separator. */
static bool
has_word(const char *list, char separator, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; at != NULL; at = strchr(at, separator)) {
		at += at[0] == separator;
		if (strncmp(at, word, length) == 0 && (at[length] == separator || at[length] == '\0'))
			return true;
	}
	return false;
}

/* A line is a keyword in lower case, and its value. */
static void
take_line(struct hxb_sshd *sshd, char *line)
{
	char *value = strchr(line, ' ');
	bool yes;

	line[strcspn(line, "\n")] = '\0';
	if (value == NULL)
		return;
	*value++ = '\0';
	yes = strcmp(value, "yes") == 0;
	if (strcmp(line, "usepam") == 0)
		sshd->use_pam = yes;
	else if (strcmp(line, "passwordauthentication") == 0)
		sshd->password = yes;
	else if (strcmp(line, "kbdinteractiveauthentication") == 0)
		sshd->keyboard_interactive = yes;
	else if (strcmp(line, "pubkeyauthentication") == 0)
		sshd->public_key = yes;
	else if (strcmp(line, "authorizedkeysfile") == 0)
		sshd->reads_keys = has_word(value, ' ', HXB_KEY_FILES_SETTING);
	else if (strcmp(line, "pubkeyacceptedalgorithms") == 0)
		snprintf(sshd->key_algorithms, sizeof(sshd->key_algorithms), "%s", value);
	else if (strcmp(line, "requiredrsasize") == 0)
		sshd->rsa_bits = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(line, "port") == 0 && sshd->port == 0)
		sshd->port = (unsigned)strtoul(value, NULL, 10);
}

void
hxb_sshd_ask(const char *login, struct hxb_sshd *sshd)
{
	char *line = NULL;
	size_t room = 0;
	int ends[2], status = -1;
	FILE *words = NULL;
	pid_t pid;

	*sshd = (struct hxb_sshd){ .known = false };
	if (pipe2(ends, O_CLOEXEC) == -1)
		return;
	if (start(login, ends[1], &pid)) {
		close(ends[1]);
		ends[1] = -1;
		words = fdopen(ends[0], "r");
		while (words != NULL && getline(&line, &room, words) != -1)
			take_line(sshd, line);
		free(line);
		sshd->known =
		    waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	if (words != NULL)
		fclose(words);
	else
		close(ends[0]);
	if (ends[1] != -1)
		close(ends[1]);
}

bool
hxb_sshd_takes_codes(const struct hxb_sshd *sshd)
{
	return sshd->use_pam && (sshd->password || sshd->keyboard_interactive);
}

/* An RSA key signs by one of several algorithms, the others by that of their own name. */
bool
hxb_sshd_takes_key(const struct hxb_sshd *sshd, const char *type, unsigned bits)
{
	const char *list = sshd->key_algorithms;

	if (!sshd->known || list[0] == '\0')
		return true;
	if (strcmp(type, "ssh-rsa") != 0)
		return has_word(list, ',', type);
	return bits >= sshd->rsa_bits &&
	    (has_word(list, ',', "rsa-sha2-512") || has_word(list, ',', "rsa-sha2-256") ||
	        has_word(list, ',', type));
}
