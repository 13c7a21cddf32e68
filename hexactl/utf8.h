/* SPDX-License-Identifier: ISC */
#ifndef HXB_UTF8_H
#define HXB_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads one character of NUL-terminated text that is not at its end. Returns its length in bytes, or 0 if the
 * bytes there are no shortest-form UTF-8 of a Unicode scalar value: then the one byte at `text` is what is
 * wrong.
 */
size_t hxb_utf8_read(const char *text, uint32_t *character);

/* Invisible characters and those that reorder or join others: two names could look alike, a line could read
 * backwards. */
bool hxb_utf8_misleading(uint32_t character);

#endif
