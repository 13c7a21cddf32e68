/* SPDX-License-Identifier: ISC */
/*
 * SQLite's open(2), for files that are somebody else's. Their owner can put a lease on one (fcntl(2),
 * F_SETLEASE), for which an open waits 45 seconds, or a FIFO in its place, for which it waits for ever; and a
 * journal of theirs can name any other file, a terminal among them, which SQLite opens and reads as a whole.
 * Not here: for a lease it waits until the deadline, as for a lock, and nothing else is opened than the
 * database and what belongs to it.
 */
#ifndef HXB_STORE_OPENING_H
#define HXB_STORE_OPENING_H

#include <stdbool.h>

#include "deadline.h"

#define HXB_OPENING_FIFO (-1)
#define HXB_OPENING_OTHER (-2) /* a file that is not the database's */

struct hxb_opening {
	const char *path; /* the database, as SQLite calls it: absolute, nothing in it twice */
	const struct hxb_deadline *deadline;
	/* Of the last file that could not be opened, but for those that are not there. */
	const char *suffix; /* "-journal"; "" : the database itself */
	int code; /* errno, or one of the above; 0: there was none */
};

/* Puts it in SQLite's place, for the whole process and for good; other threads' and others' databases do not
 * notice. False: it can't be. */
bool hxb_opening_install(void);

/* Whose files this thread opens from now on; NULL: nobody's, SQLite's own open(2) is called as it is. False:
 * out of memory. */
bool hxb_opening_for(struct hxb_opening *opening);

#endif
