/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "processes.h"

void
hxb_processes(hxb_process_fn *each, void *context)
{
	const struct dirent *entry;
	DIR *dir = opendir("/proc");
	bool on = true;
	char *end;
	long pid;

	while (dir != NULL && on && (entry = readdir(dir)) != NULL) {
		pid = strtol(entry->d_name, &end, 10);
		if (*end == '\0' && pid > 0)
			on = each((pid_t)pid, context);
	}
	if (dir != NULL)
		closedir(dir);
}

void
hxb_process_name(pid_t pid, char *name, size_t size)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	if ((file = fopen(path, "re")) == NULL || fgets(name, (int)size, file) == NULL)
		snprintf(name, size, "?");
	name[strcspn(name, "\n")] = '\0';
	if (file != NULL)
		fclose(file);
}
