/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "times.h"

#define LAST INT64_C(253402300799) /* 9999-12-31T23:59:59Z: what comes later no text of ours can say */
#define COUNT_MAX 999999 /* of hours, days ... in --since */

void
hxb_time_local(int64_t seconds, char text[HXB_TIME_SIZE])
{
	time_t when = (time_t)seconds;
	struct tm parts;

	if (localtime_r(&when, &parts) == NULL ||
	    strftime(text, HXB_TIME_SIZE, "%Y-%m-%d %H:%M:%S %z", &parts) == 0)
		snprintf(text, HXB_TIME_SIZE, "?");
}

void
hxb_time_utc(int64_t seconds, char text[HXB_TIME_SIZE])
{
	time_t when = (time_t)seconds;
	struct tm parts;

	if (gmtime_r(&when, &parts) == NULL ||
	    strftime(text, HXB_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		snprintf(text, HXB_TIME_SIZE, "?");
}

/* Takes exactly `count` digits. */
static bool
number(const char **text, unsigned count, int *value)
{
	*value = 0;
	for (unsigned i = 0; i < count; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		*value = *value * 10 + (**text - '0');
	}
	return true;
}

static bool
character(const char **text, const char *any)
{
	if (**text == '\0' || strchr(any, **text) == NULL)
		return false;
	(*text)++;
	return true;
}

static bool
date(const char **text, struct tm *parts)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year, month, day;
	bool leap;

	if (!number(text, 4, &year) || !character(text, "-") || !number(text, 2, &month) ||
	    !character(text, "-") || !number(text, 2, &day))
		return false;
	leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	/* Below 1970 there is nothing to mean, and 0 stands for "never". */
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days[month - 1] + (month == 2 && leap))
		return false;
	*parts = (struct tm){ .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_isdst = -1 };
	return true;
}

static bool
clock_time(const char **text, struct tm *parts)
{
	int fraction;

	if (!number(text, 2, &parts->tm_hour) || !character(text, ":") || !number(text, 2, &parts->tm_min) ||
	    !character(text, ":") || !number(text, 2, &parts->tm_sec))
		return false;
	if (character(text, ".")) {
		if (!number(text, 1, &fraction))
			return false;
		while (number(text, 1, &fraction))
			;
	}
	return parts->tm_hour < 24 && parts->tm_min < 60 && parts->tm_sec <= 60;
}

/* Z, or +hh:mm; *seconds is the offset. */
static bool
zone(const char **text, int *seconds)
{
	int sign = **text == '-' ? -1 : 1, hours, minutes;

	*seconds = 0;
	if (character(text, "Zz"))
		return true;
	if (!character(text, "+-") || !number(text, 2, &hours) || !character(text, ":") ||
	    !number(text, 2, &minutes))
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return hours < 24 && minutes < 60;
}

enum hxb_result
hxb_time_read(const char *text, int64_t *seconds)
{
	struct tm parts;
	bool rfc3339;
	int offset = 0;

	if (!date(&text, &parts))
		return HXB_INVALID;
	rfc3339 = *text == 'T' || *text == 't';
	if (!character(&text, "Tt ") || !clock_time(&text, &parts) || (rfc3339 && !zone(&text, &offset)) ||
	    *text != '\0')
		return HXB_INVALID;
	*seconds = (int64_t)timegm(&parts) - offset;
	return HXB_OK;
}

/* A local day: its first second, or with `end` its last one. */
static bool
local_day(const char *text, bool end, int64_t *seconds)
{
	struct tm parts;
	time_t when;

	if (!date(&text, &parts) || *text != '\0')
		return false;
	if (end)
		parts.tm_mday++;
	when = mktime(&parts);
	if (when == (time_t)-1)
		return false;
	*seconds = (int64_t)when - end;
	return true;
}

/* A local day, or a moment that says its zone. */
static bool
take_moment(const char *text, bool end, int64_t *seconds)
{
	if (!local_day(text, end, seconds) &&
	    (strchr(text, 'T') == NULL || hxb_time_read(text, seconds) != HXB_OK))
		return false;
	if (*seconds > LAST)
		*seconds = LAST;
	return true;
}

enum hxb_result
hxb_time_expires(const char *text, int64_t *seconds, struct hxb_error *error)
{
	*seconds = 0;
	if (strcmp(text, "never") == 0)
		return HXB_OK;
	if (take_moment(text, true, seconds))
		return *seconds > 0 ? HXB_OK
		                    : hxb_fail(error, HXB_INVALID, "--expires: '%s' is too long ago", text);
	return hxb_fail(error, HXB_INVALID,
	    "--expires: '%s' is no date: expected YYYY-MM-DD, 2030-01-31T18:00:00Z or never", text);
}

/* 2h, 3d: how many seconds that is. */
static bool
duration(const char *text, int64_t *seconds)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	int64_t count = 0;
	int digit;

	if (*text < '0' || *text > '9')
		return false;
	while (count <= COUNT_MAX && number(&text, 1, &digit))
		count = count * 10 + digit;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (text[0] == units[i].unit && text[1] == '\0') {
			*seconds = count * units[i].seconds;
			return count <= COUNT_MAX;
		}
	}
	return false;
}

enum hxb_result
hxb_time_since(const char *text, int64_t now, int64_t *seconds, struct hxb_error *error)
{
	int64_t ago;

	if (duration(text, &ago)) {
		*seconds = ago < now ? now - ago : 0;
		return HXB_OK;
	}
	if (take_moment(text, false, seconds))
		return HXB_OK;
	return hxb_fail(error, HXB_INVALID,
	    "--since: '%s' is no time: expected YYYY-MM-DD, 2030-01-31T18:00:00Z, or how long ago: 30m, 2h, "
	    "3d, 1w",
	    text);
}
