/* SPDX-License-Identifier: ISC */
/* Aligned columns for people. */
#ifndef HXB_TABLE_H
#define HXB_TABLE_H

#include "libhexabot/result.h"

enum hxb_colour { HXB_PLAIN, HXB_GREEN, HXB_YELLOW, HXB_RED };

struct hxb_table;

/* headings: `columns` of them, kept by the table; NULL: none. NULL if there is no memory. */
struct hxb_table *hxb_table_new(unsigned columns, const char *const *headings);
void hxb_table_free(struct hxb_table *); /* takes NULL */

/* Adds a row of copied cells; the cell in `column` gets the colour. A lack of memory shows when it is
 * printed. */
void hxb_table_row(struct hxb_table *, const char *const *cells, unsigned column, enum hxb_colour colour);

/* To standard output. */
enum hxb_result hxb_table_print(const struct hxb_table *, struct hxb_error *error);

#endif
