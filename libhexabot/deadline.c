/* SPDX-License-Identifier: ISC */
#include "deadline.h"

struct hxb_deadline
hxb_deadline_in(long milliseconds)
{
	struct hxb_deadline deadline;

	clock_gettime(CLOCK_MONOTONIC, &deadline.at);
	deadline.at.tv_sec += milliseconds / 1000;
	deadline.at.tv_nsec += milliseconds % 1000 * 1000000;
	if (deadline.at.tv_nsec >= 1000000000) {
		deadline.at.tv_sec++;
		deadline.at.tv_nsec -= 1000000000;
	}
	return deadline;
}

long
hxb_deadline_left(const struct hxb_deadline *deadline)
{
	struct timespec now;
	long left;

	clock_gettime(CLOCK_MONOTONIC, &now);
	left =
	    (long)(deadline->at.tv_sec - now.tv_sec) * 1000 + (deadline->at.tv_nsec - now.tv_nsec) / 1000000;
	return left > 0 ? left : 0;
}
