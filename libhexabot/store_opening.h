/* SPDX-License-Identifier: ISC */
/*
 * SQLite's open(2), for files that are somebody else's. The owner of a file can put a lease on it (fcntl(2),
 * F_SETLEASE), for which an open waits 45 seconds, or put a FIFO in its place, for which it waits for ever.
 * Not here: for a lease it waits until the deadline, as for a lock, and a FIFO is not opened.
 */
#ifndef HXB_STORE_OPENING_H
#define HXB_STORE_OPENING_H

#include <stdbool.h>

#include "deadline.h"

struct hxb_opening {
	const struct hxb_deadline *deadline;
	/* Of the last file that could not be opened, but for those that are not there. */
	const char *suffix; /* "-journal"; "" : the database itself */
	int code; /* errno; 0: there was none */
};

/* Puts it in SQLite's place, for the whole process and for good; other threads' and others' databases do not
 * notice. False: it can't be. */
bool hxb_opening_install(void);

/* Whose files this thread opens from now on; NULL: nobody's, SQLite's own open(2) is called as it is. */
void hxb_opening_for(struct hxb_opening *opening);

#endif
