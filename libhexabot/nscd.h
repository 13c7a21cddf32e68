/* SPDX-License-Identifier: ISC */
#ifndef HXB_NSCD_H
#define HXB_NSCD_H

/* Tells a running nscd to forget what it has cached of users and groups. Failures do no harm: entries time
 * out. */
void hxb_nscd_invalidate(void);

#endif
