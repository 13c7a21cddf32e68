/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libhexabot/secret.h"
#include "libhexabot/trust.h"
#include "secret_file.h"

#define SECRET_SIZE 1024 /* bytes that the file may have, line end included */
#define SECRET_MAX 1023

/* The whole file, NUL-terminated. */
static enum hxb_result
read_all(int fd, const char *path, char text[SECRET_SIZE + 2], size_t *length, struct hxb_error *error)
{
	ssize_t got;

	*length = 0;
	while ((got = read(fd, text + *length, SECRET_SIZE + 1 - *length)) > 0)
		*length += (size_t)got;
	text[*length] = '\0';
	if (got == -1)
		return hxb_fail(error, HXB_UNREADABLE, "%s: %m", path);
	if (*length > SECRET_SIZE)
		return hxb_fail(error, HXB_UNREADABLE, "%s: longer than %d bytes", path, SECRET_SIZE);
	return HXB_OK;
}

static enum hxb_result
take_line(const char *path, char *text, size_t length, char **secretp, struct hxb_error *error)
{
	size_t line = strcspn(text, "\r\n");

	if (strlen(text) != length)
		return hxb_fail(error, HXB_UNREADABLE, "%s: holds a NUL byte", path);
	if (line > SECRET_MAX)
		return hxb_fail(error, HXB_UNREADABLE, "%s: longer than %d bytes", path, SECRET_MAX);
	if (line == 0)
		return hxb_fail(
		    error, HXB_UNREADABLE, "%s: its first line is empty, instead of the secret", path);
	if (text[line + strspn(text + line, "\r\n")] != '\0')
		return hxb_fail(error, HXB_UNREADABLE, "%s: more than one line", path);
	*secretp = strndup(text, line);
	return *secretp != NULL ? HXB_OK : hxb_fail(error, HXB_FAILED, "out of memory");
}

enum hxb_result
hxb_secret_file_read(const char *path, char **secretp, struct hxb_error *error)
{
	char text[SECRET_SIZE + 2] = "";
	size_t length = 0;
	struct stat st;
	enum hxb_result r;
	int fd;

	*secretp = NULL;
	r = hxb_trust_open(path, O_RDONLY, 0, &fd, error);
	if (r != HXB_OK)
		return r;
	if (fstat(fd, &st) == -1)
		r = hxb_fail(error, HXB_UNREADABLE, "%s: %m", path);
	else if ((st.st_mode & 077) != 0)
		r = hxb_fail(error, HXB_UNREADABLE, "%s: readable by others (mode %04o); chmod 600 it", path,
		    (unsigned)st.st_mode & 07777);
	if (r == HXB_OK)
		r = read_all(fd, path, text, &length, error);
	if (r == HXB_OK)
		r = take_line(path, text, length, secretp, error);
	close(fd);
	HXB_WIPE(text);
	return r;
}
