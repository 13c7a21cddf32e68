/* SPDX-License-Identifier: ISC */
#include <spawn.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "nscd.h"

static void
invalidate(char *table)
{
	static char program[] = "/usr/sbin/nscd", option[] = "-i";
	char *const argv[] = { program, option, table, NULL }, *const environment[] = { NULL };
	pid_t pid;

	if (posix_spawn(&pid, program, NULL, NULL, argv, environment) == 0)
		waitpid(pid, NULL, 0);
}

void
hxb_nscd_invalidate(void)
{
	char passwd[] = "passwd", group[] = "group";
	struct stat st;

	if (stat("/run/nscd/socket", &st) == -1)
		return;
	invalidate(passwd);
	invalidate(group);
}
