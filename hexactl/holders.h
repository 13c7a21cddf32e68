/* SPDX-License-Identifier: ISC */
#ifndef HXB_HOLDERS_H
#define HXB_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Looks for another process with a lock on the file, or on the SQLite companions -wal and -shm of it, and
 * describes it: "node (process 1234)". False if there is none, or none that this process may see.
 */
bool hxb_lock_holder(const char *path, char *holder, size_t size);

/* The same for one kind of lock. With a write-ahead log everybody who has the database open reads. */
enum hxb_lock_kind { HXB_LOCK_WRITE, HXB_LOCK_READ };
bool hxb_lock_holder_of(const char *path, enum hxb_lock_kind kind, char *holder, size_t size);

#endif
