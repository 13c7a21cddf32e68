/* SPDX-License-Identifier: ISC */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Gives the value to its parent. Returns it, or NULL if there is no memory. */
static struct json_t *
adopt(struct hxb_json *json, struct json_t *parent, const char *key, struct json_t *value)
{
	if (value == NULL) {
		json->failed = true;
		return NULL;
	}
	if ((key != NULL ? json_object_set_new(parent, key, value) : json_array_append_new(parent, value)) !=
	    0) {
		json->failed = true;
		return NULL;
	}
	return value;
}

static struct json_t *
container(struct hxb_json *json, struct json_t *parent, const char *key, struct json_t *value)
{
	if (parent != NULL || json->failed)
		return adopt(json, parent, key, value);
	json->failed = value == NULL;
	return value;
}

struct json_t *
hxb_json_object(struct hxb_json *json, struct json_t *parent, const char *key)
{
	return container(json, parent, key, json_object());
}

struct json_t *
hxb_json_array(struct hxb_json *json, struct json_t *parent, const char *key)
{
	return container(json, parent, key, json_array());
}

static char *
valid_text(const char *text)
{
	char *valid = calloc(strlen(text) + 1, strlen(REPLACEMENT)), *end = valid;

	while (valid != NULL && *text != '\0') {
		uint32_t character;
		size_t size = hxb_utf8_read(text, &character);

		end = mempcpy(end, size != 0 ? text : REPLACEMENT, size != 0 ? size : strlen(REPLACEMENT));
		text += size != 0 ? size : 1;
	}
	return valid;
}

void
hxb_json_text(struct hxb_json *json, struct json_t *parent, const char *key, const char *text)
{
	char *valid;

	if (text == NULL) {
		adopt(json, parent, key, json_null());
		return;
	}
	valid = valid_text(text);
	adopt(json, parent, key, valid != NULL ? json_string(valid) : NULL);
	free(valid);
}

void
hxb_json_number(struct hxb_json *json, struct json_t *parent, const char *key, int64_t number)
{
	adopt(json, parent, key, json_integer(number));
}

void
hxb_json_flag(struct hxb_json *json, struct json_t *parent, const char *key, bool flag)
{
	adopt(json, parent, key, json_boolean(flag));
}

void
hxb_json_adopt(struct hxb_json *json, struct json_t *parent, const char *key, struct json_t *orphan)
{
	if (orphan != NULL)
		adopt(json, parent, key, orphan);
}

enum hxb_result
hxb_json_print(struct hxb_json *json, struct json_t *root, struct hxb_error *error)
{
	char *text = NULL;

	if (!json->failed)
		text = json_dumps(root, JSON_ENSURE_ASCII | JSON_INDENT(2));
	json_decref(root);
	if (text == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	/* jansson leaves DEL as it is; it can stand in a string only. */
	for (const char *c = text; *c != '\0'; c++)
		if (*c == '\177')
			fputs("\\u007f", stdout);
		else
			putchar(*c);
	putchar('\n');
	free(text);
	return HXB_OK;
}

void
hxb_json_free(struct json_t *root)
{
	json_decref(root);
}
