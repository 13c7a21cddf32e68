/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text_file.h"

/* Whole, however long stat(2) says that it is. */
static enum hxb_result
read_whole(int fd, const char *path, size_t max, char *text, struct hxb_error *error)
{
	size_t used = 0;
	ssize_t got;

	/* One byte more than may be there, to see that it is not. */
	while ((got = read(fd, text + used, max + 1 - used)) != 0) {
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return hxb_fail(error, HXB_UNREADABLE, "%.256s: %m", path);
		used += (size_t)got;
		if (used > max)
			return hxb_fail(error, HXB_UNREADABLE, "%.256s: longer than %zu bytes", path, max);
	}
	text[used] = '\0';
	if (strlen(text) != used)
		return hxb_fail(error, HXB_UNREADABLE, "%.256s: not a text: a NUL is in it", path);
	return HXB_OK;
}

enum hxb_result
hxb_text_read(const char *path, size_t max, char **textp, struct hxb_error *error)
{
	enum hxb_result r = HXB_UNREADABLE;
	char *text = NULL;
	struct stat st;
	int fd;

	*textp = NULL;
	/* O_NONBLOCK: a FIFO must not make us wait. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1)
		return hxb_fail(error, errno == ENOENT ? HXB_NOT_FOUND : r, "%.256s: %m", path);
	if (fstat(fd, &st) == -1)
		hxb_fail(error, r, "%.256s: %m", path);
	else if (!S_ISREG(st.st_mode))
		hxb_fail(error, r, "%.256s: not a regular file", path);
	else if ((text = malloc(max + 2)) == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	else
		r = read_whole(fd, path, max, text, error);
	close(fd);
	if (r != HXB_OK) {
		free(text);
		return r;
	}
	*textp = text;
	return HXB_OK;
}

char *
hxb_text_line(char **cursor)
{
	char *line = *cursor, *end;

	if (*line == '\0')
		return NULL;
	end = line + strcspn(line, "\n");
	*cursor = *end == '\0' ? end : end + 1;
	*end = '\0';
	return line;
}
