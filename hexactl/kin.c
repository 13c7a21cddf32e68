/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <unistd.h>

#include "kin.h"

enum descent { UNKNOWN, VISITED, KIN, STRANGER };

/*
 * Whether a process of the user is above it; what is learned of those in between is kept. Each is walked over
 * once, however long a chain somebody has made, and pictures of parents and children that are not of one
 * moment may even have a circle.
 */
static bool
descends(const struct hxb_processes *processes, enum descent *known, size_t index, uid_t uid)
{
	const struct hxb_process *above = &processes->list[index];
	enum descent found = STRANGER;

	while (above != NULL) {
		size_t at = (size_t)(above - processes->list);

		if (known[at] == KIN || known[at] == STRANGER)
			found = known[at];
		if (known[at] != UNKNOWN)
			break;
		known[at] = VISITED;
		above = hxb_process_find(processes, above->parent);
		if (above != NULL && hxb_process_is_of(above, uid)) {
			found = KIN;
			break;
		}
	}
	for (above = &processes->list[index]; above != NULL && known[above - processes->list] == VISITED;
	     above = hxb_process_find(processes, above->parent))
		known[above - processes->list] = found;
	return found == KIN;
}

/* Another's, and not ourselves. */
static bool
may_be_kin(const struct hxb_process *process, uid_t uid)
{
	return !hxb_process_is_of(process, uid) && process->pid != getpid();
}

enum hxb_result
hxb_kin_find(
    const struct hxb_processes *processes, uid_t uid, struct hxb_processes *kin, struct hxb_error *error)
{
	enum descent *known = calloc(processes->count + 1, sizeof(*known));
	enum hxb_result r = HXB_OK;

	*kin = (struct hxb_processes){ 0 };
	if (known == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	for (size_t i = 0; r == HXB_OK && i < processes->count; i++) {
		const struct hxb_process *process = &processes->list[i];

		if (may_be_kin(process, uid) && (process->login == uid || descends(processes, known, i, uid)))
			r = hxb_processes_add(kin, process, error);
	}
	free(known);
	return r;
}

enum hxb_result
hxb_kin_left(const struct hxb_processes *processes, const struct hxb_processes *before, uid_t uid,
    struct hxb_processes *left, struct hxb_error *error)
{
	enum hxb_result r = HXB_OK;

	*left = (struct hxb_processes){ 0 };
	for (size_t i = 0; r == HXB_OK && i < processes->count; i++) {
		const struct hxb_process *process = &processes->list[i];
		const struct hxb_process *known = hxb_process_find(before, process->pid);

		if (may_be_kin(process, uid) &&
		    (process->login == uid || (known != NULL && known->began == process->began)))
			r = hxb_processes_add(left, process, error);
	}
	return r;
}

bool
hxb_kin_opens(const struct hxb_processes *processes, const struct hxb_process *process, uid_t uid)
{
	const struct hxb_process *parent = hxb_process_find(processes, process->parent);

	/* What has lost its parent is process 1's: a daemon. */
	if (process->login != uid || process->real != 0 || process->saved != 0 || parent == NULL ||
	    parent->pid == 1 || parent->login == uid)
		return false;
	for (size_t i = 0; i < processes->count; i++)
		if (processes->list[i].parent == process->pid)
			return false;
	return true;
}
