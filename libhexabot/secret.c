/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include <sodium.h>

#include "secret.h"

void
hxb_secret_free(char *secret)
{
	if (secret == NULL)
		return;
	explicit_bzero(secret, strlen(secret));
	free(secret);
}

bool
hxb_secret_equal(const void *a, const void *b, size_t size)
{
	return sodium_memcmp(a, b, size) == 0;
}
