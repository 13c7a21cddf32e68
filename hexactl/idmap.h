/* SPDX-License-Identifier: ISC */
/* Unprivileged containers have only some of the numbers: files can't belong to the others. */
#ifndef HXB_IDMAP_H
#define HXB_IDMAP_H

#include <stdbool.h>
#include <stdint.h>

/* Whether every uid and gid from min to max exists here. */
bool hxb_ids_exist(uint32_t min, uint32_t max);

/* Changes the range, where it does not exist, to one that does. False if none is known. */
bool hxb_ids_propose(uint32_t *min, uint32_t *max);

#endif
