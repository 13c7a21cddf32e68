/* SPDX-License-Identifier: ISC */
/*
 * crypt(3) in a fuzz target's hands: whatever cost a hash names, the work done is that of cost 4, and what
 * would have been done is counted. Linked with --wrap=crypt_r,crypt_gensalt_rn.
 */
#ifndef HXB_FUZZ_BCRYPT_H
#define HXB_FUZZ_BCRYPT_H

#include <stdbool.h>
#include <stdint.h>

extern uint64_t bcrypt_work; /* rounds asked for so far: 2^cost each time */
extern unsigned bcrypt_max_cost; /* no call may ask for more */
extern void (*bcrypt_called)(void); /* by each call of the product's, if not NULL */

/* $2?$NN$ + 53 characters, NN from 4 to max. */
bool bcrypt_is_hash(const char *text, unsigned max, unsigned *cost);

/* Makes a hash: variant 'a', 'b' or 'y'. */
void bcrypt_make(const char *password, char variant, unsigned cost, char hash[61]);

/* Whether the password is the hash's, which is one. */
bool bcrypt_fits(const char *password, const char *hash);

#endif
