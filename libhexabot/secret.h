/* SPDX-License-Identifier: ISC */
/* Secrets have an owner who clears them on every path. */
#ifndef HXB_SECRET_H
#define HXB_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Clears an array. A pointer would clear only its first bytes: refused at compile time. */
#define HXB_WIPE(array) \
	do { \
		_Static_assert(!__builtin_types_compatible_p(__typeof__(array), __typeof__(&(array)[0])), \
		    "HXB_WIPE takes an array"); \
		explicit_bzero((array), sizeof(array)); \
	} while (0)

/* Clears and frees a string; takes NULL. */
void hxb_secret_free(char *secret);

/* Compares `size` bytes in constant time. */
bool hxb_secret_equal(const void *a, const void *b, size_t size);

#endif
