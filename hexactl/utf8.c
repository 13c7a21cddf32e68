/* SPDX-License-Identifier: ISC */
#include "utf8.h"

size_t
hxb_utf8_read(const char *text, uint32_t *character)
{
	static const struct {
		unsigned char mask, lead;
		size_t size;
		uint32_t least;
	} forms[] = {
		{ 0x80, 0x00, 1, 0x0 },
		{ 0xe0, 0xc0, 2, 0x80 },
		{ 0xf0, 0xe0, 3, 0x800 },
		{ 0xf8, 0xf0, 4, 0x10000 },
	};
	const unsigned char *bytes = (const unsigned char *)text;

	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
		if ((bytes[0] & forms[f].mask) != forms[f].lead)
			continue;
		*character = bytes[0] & (unsigned char)~forms[f].mask;
		for (size_t i = 1; i < forms[f].size; i++) {
			/* A NUL is no continuation: the loop never runs past the text's end. */
			if ((bytes[i] & 0xc0) != 0x80)
				return 0;
			*character = *character << 6 | (bytes[i] & 0x3f);
		}
		if (*character < forms[f].least || *character > 0x10ffff ||
		    (*character >= 0xd800 && *character <= 0xdfff))
			return 0;
		return forms[f].size;
	}
	return 0;
}

bool
hxb_utf8_misleading(uint32_t character)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x00ad, 0x00ad },
		{ 0x034f, 0x034f },
		{ 0x061c, 0x061c },
		{ 0x115f, 0x1160 },
		{ 0x17b4, 0x17b5 },
		{ 0x180b, 0x180f },
		{ 0x200b, 0x200f },
		{ 0x2028, 0x202e },
		{ 0x2060, 0x206f },
		{ 0x3164, 0x3164 },
		{ 0xfe00, 0xfe0f },
		{ 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 },
		{ 0xfff0, 0xfffb },
		{ 0xe0000, 0xe0fff },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (character >= ranges[i].first && character <= ranges[i].last)
			return true;
	return false;
}
