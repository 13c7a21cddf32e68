/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "print.h"
#include "table.h"
#include "utf8.h"

#define GAP 2
/* Columns that a cell has at most. Names are anybody's to choose, every row is padded to the widest cell, and
 * all of them are in memory until the last is known. JSON has each text as it is. */
#define WIDEST 100
#define WIDEST_LAST 4096 /* of those that are not padded */
#define CUT "..."

struct cell {
	char *text;
	size_t width;
	enum hxb_colour colour;
};

struct hxb_table {
	const char *const *headings;
	unsigned columns;
	size_t *widths;
	struct cell *cells; /* row by row */
	size_t count, room;
	bool failed;
};

struct hxb_table *
hxb_table_new(unsigned columns, const char *const *headings)
{
	struct hxb_table *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return NULL;
	table->columns = columns;
	table->headings = headings;
	if ((table->widths = calloc(columns, sizeof(*table->widths))) == NULL) {
		free(table);
		return NULL;
	}
	if (headings != NULL)
		hxb_table_row(table, headings, columns, HXB_PLAIN);
	return table;
}

void
hxb_table_free(struct hxb_table *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(table->widths);
	free(table);
}

static bool
grow(struct hxb_table *table)
{
	size_t room = table->room == 0 ? 64 * (size_t)table->columns : 2 * table->room;
	struct cell *cells;

	if (table->cells != NULL && table->room - table->count >= table->columns)
		return true;
	if ((cells = reallocarray(table->cells, room, sizeof(*cells))) == NULL)
		return false;
	table->cells = cells;
	table->room = room;
	return true;
}

/* Shortens a printable text. */
static void
cut(struct cell *cell, size_t widest)
{
	const size_t room = widest - strlen(CUT);
	char *smaller;
	uint32_t character = 0;
	size_t used = 0, columns = 0, size, more;

	if (cell->width <= widest)
		return;
	while ((size = hxb_utf8_read(cell->text + used, &character)) != 0) {
		more = (size_t)wcwidth((wchar_t)character);
		if (columns + more > room)
			break;
		columns += more;
		used += size;
	}
	memcpy(cell->text + used, CUT, sizeof(CUT));
	cell->width = columns + strlen(CUT);
	if ((smaller = realloc(cell->text, used + sizeof(CUT))) != NULL)
		cell->text = smaller;
}

void
hxb_table_row(struct hxb_table *table, const char *const *cells, unsigned column, enum hxb_colour colour)
{
	if (table->failed || !grow(table)) {
		table->failed = true;
		return;
	}
	for (unsigned i = 0; i < table->columns; i++) {
		struct cell *cell = &table->cells[table->count++];

		*cell = (struct cell){ .colour = i == column ? colour : HXB_PLAIN };
		if ((cell->text = hxb_printable(cells[i], &cell->width)) == NULL)
			table->failed = true;
		else
			cut(cell, i + 1 < table->columns ? WIDEST : WIDEST_LAST);
		if (cell->width > table->widths[i])
			table->widths[i] = cell->width;
	}
}

static void
print_cell(const struct cell *cell, size_t width, bool last, bool coloured, bool heading)
{
	static const char *const codes[] = { "", "\033[32m", "\033[33m", "\033[31m" };
	const char *code = heading ? "\033[1m" : codes[cell->colour];
	int padding = last ? 0 : (int)(width - cell->width) + GAP;

	if (!coloured || code[0] == '\0')
		printf("%s%*s", cell->text, padding, "");
	else
		printf("%s%s\033[0m%*s", code, cell->text, padding, "");
	if (last)
		putchar('\n');
}

enum hxb_result
hxb_table_print(const struct hxb_table *table, struct hxb_error *error)
{
	bool coloured = hxb_colours(stdout);

	if (table->failed)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	for (size_t i = 0; i < table->count; i++) {
		size_t column = i % table->columns;

		print_cell(&table->cells[i], table->widths[column], column + 1 == table->columns, coloured,
		    table->headings != NULL && i < table->columns);
	}
	return HXB_OK;
}
