/* SPDX-License-Identifier: ISC */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "known.h"

/* The set is the root of a tree of tsearch(3), whose keys are the holders. */

static int
compare(const void *a, const void *b)
{
	const struct hxb_holder *x = a, *y = b;

	return strcasecmp(x->text, y->text);
}

static void
holder_free(void *key)
{
	struct hxb_holder *holder = key;

	if (holder == NULL)
		return;
	free(holder->text);
	free(holder->id);
	free(holder);
}

enum hxb_result
hxb_known_add(struct hxb_known **known, const char *text, const char *id, unsigned line,
    const struct hxb_holder **taken, struct hxb_error *error)
{
	struct hxb_holder *holder = calloc(1, sizeof(*holder));
	struct hxb_holder *const *node = NULL;
	void *root = *known;

	*taken = NULL;
	if (holder != NULL) {
		holder->text = strdup(text);
		holder->id = strdup(id);
		holder->line = line;
		if (holder->text != NULL && holder->id != NULL)
			node = tsearch(holder, &root, compare);
	}
	*known = root;
	if (node != NULL && *node == holder)
		return HXB_OK;
	holder_free(holder);
	if (node == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	*taken = *node;
	return HXB_OK;
}

void
hxb_known_free(struct hxb_known *known)
{
	tdestroy(known, holder_free);
}
