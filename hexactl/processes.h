/* SPDX-License-Identifier: ISC */
/* The processes of this host, as /proc shows them. */
#ifndef HXB_PROCESSES_H
#define HXB_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Calls `each` with the number of every process, until it says false. */
typedef bool hxb_process_fn(pid_t pid, void *context);
void hxb_processes(hxb_process_fn *each, void *context);

/* What it calls itself, "sshd"; "?" if it is gone. */
void hxb_process_name(pid_t pid, char *name, size_t size);

#endif
