/* SPDX-License-Identifier: ISC */
/*
 * JSON for programs: pure ASCII; what was no UTF-8 becomes U+FFFD. An object or array belongs to its parent;
 * a root (parent NULL) is freed by hxb_json_print() or hxb_json_free(). A lack of memory is remembered and
 * shows there.
 */
#ifndef HXB_OUTPUT_H
#define HXB_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "libhexabot/result.h"

struct json_t;

struct hxb_json {
	bool failed;
};

/* key: NULL where the parent is an array. */
struct json_t *hxb_json_object(struct hxb_json *, struct json_t *parent, const char *key);
struct json_t *hxb_json_array(struct hxb_json *, struct json_t *parent, const char *key);
void hxb_json_text(
    struct hxb_json *, struct json_t *parent, const char *key, const char *text); /* NULL: null */
void hxb_json_number(struct hxb_json *, struct json_t *parent, const char *key, int64_t number);
void hxb_json_flag(struct hxb_json *, struct json_t *parent, const char *key, bool flag);

/* Gives an array or object that had no parent to one. Takes NULL: nothing. */
void hxb_json_adopt(struct hxb_json *, struct json_t *parent, const char *key, struct json_t *orphan);

/* Prints the root to standard output, if nothing failed on the way, and frees it. */
enum hxb_result hxb_json_print(struct hxb_json *, struct json_t *root, struct hxb_error *error);

/* Frees a root that is not to be printed; takes NULL. */
void hxb_json_free(struct json_t *root);

#endif
