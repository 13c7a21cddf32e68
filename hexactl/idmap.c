/* SPDX-License-Identifier: ISC */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idmap.h"

/* Takes a number and the blanks before it. */
static bool
number(const char **text, uint64_t *value)
{
	char *end;

	*text += strspn(*text, " \t");
	if (**text < '0' || **text > '9')
		return false;
	*value = strtoull(*text, &end, 10);
	*text = end;
	return *value <= UINT32_MAX;
}

/* Whether one line, "INSIDE OUTSIDE COUNT", covers the range. Without /proc there is nothing to say against
 * it. */
static bool
covered(const char *path, uint32_t min, uint32_t max)
{
	uint64_t inside, outside, count;
	FILE *file = fopen(path, "re");
	bool found = file == NULL;
	char line[128];

	while (!found && fgets(line, sizeof(line), file) != NULL) {
		const char *text = line;

		found = number(&text, &inside) && number(&text, &outside) && number(&text, &count) &&
		    min >= inside && max < inside + count;
	}
	if (file != NULL)
		fclose(file);
	return found;
}

bool
hxb_ids_exist(uint32_t min, uint32_t max)
{
	return covered("/proc/self/uid_map", min, max) && covered("/proc/self/gid_map", min, max);
}

bool
hxb_ids_propose(uint32_t *min, uint32_t *max)
{
	/* Clear of people and packages (below 10000), systemd's ranges and nobody (60001 and more), and
	 * subuids (100000 and more). */
	static const struct {
		uint32_t min, max;
	} ranges[] = { { 30000, 59999 }, { 10000, 29999 } };

	if (hxb_ids_exist(*min, *max))
		return true;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (hxb_ids_exist(ranges[i].min, ranges[i].max)) {
			*min = ranges[i].min;
			*max = ranges[i].max;
			return true;
		}
	}
	return false;
}
