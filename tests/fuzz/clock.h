/* SPDX-License-Identifier: ISC */
/* The time that a target under faults.c lives in. */
#ifndef HXB_FUZZ_CLOCK_H
#define HXB_FUZZ_CLOCK_H

#include <stdint.h>

#define CLOCK_NOW 1800000000 /* time(2), always */
#define CLOCK_BEGINS 1000 /* what the other clocks begin with, s */

/* Moves all clocks but time(2). */
void clock_move(uint32_t seconds);

#endif
