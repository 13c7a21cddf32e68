/* SPDX-License-Identifier: ISC */
#include <unistd.h>

#include "kin.h"

static bool
descends(const struct hxb_processes *processes, const struct hxb_process *process, uid_t uid)
{
	/* The pictures of parent and child are not of one moment: there could be a circle. */
	for (size_t depth = 0; depth < processes->count; depth++) {
		process = hxb_process_find(processes, process->parent);
		if (process == NULL)
			return false;
		if (hxb_process_is_of(process, uid))
			return true;
	}
	return false;
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
	enum hxb_result r = HXB_OK;

	*kin = (struct hxb_processes){ 0 };
	for (size_t i = 0; r == HXB_OK && i < processes->count; i++) {
		const struct hxb_process *process = &processes->list[i];

		if (may_be_kin(process, uid) && (process->login == uid || descends(processes, process, uid)))
			r = hxb_processes_add(kin, process, error);
	}
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
