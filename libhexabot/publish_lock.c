/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "publish.h"

enum hxb_result
hxb_publish_lock(const char *path, struct hxb_deadline deadline, int *fd, struct hxb_error *error)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000000L };

	*fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fd == -1)
		return hxb_fail(error, HXB_UNREADABLE, "%s: %m; run hexactl init", path);
	while (flock(*fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			hxb_fail(error, HXB_FAILED, "%s: can't be locked: %m", path);
			close(*fd);
			*fd = -1;
			return HXB_FAILED;
		}
		if (hxb_deadline_left(&deadline) == 0) {
			close(*fd);
			*fd = -1;
			return hxb_fail(error, HXB_BUSY, "%s: busy: another hexactl is at work", path);
		}
		nanosleep(&pause, NULL);
	}
	return HXB_OK;
}
