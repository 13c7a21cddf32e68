/* SPDX-License-Identifier: ISC */
/* One line of a file in /etc/pam.d, taken apart as libpam does. Used by pam_stack.c. */
#ifndef HXB_PAM_LINE_H
#define HXB_PAM_LINE_H

#include "pam_stack.h"

/*
 * Takes the next word off *cursor, in place: up to a blank, or what stands in [brackets] without them, where
 * \] is a bracket. NULL: there is none.
 */
char *hxb_pam_word(char **cursor);

/* Sets the actions of a control, "required" or the text of a bracketed one. NULL: fine; else what is wrong,
 * and everything is bad. */
const char *hxb_pam_control(const char *control, int actions[HXB_PAM_CODES]);

#endif
