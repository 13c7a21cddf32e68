/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "key_check.h"
#include "key_input.h"
#include "key_line.h"

#define SIZE_LIMIT (1 << 20) /* bytes, comments included */

/* All of it, NUL-terminated, in a buffer of SIZE_LIMIT + 2 bytes. */
static enum hxb_result
read_all(int fd, const char *name, char *text, struct hxb_error *error)
{
	size_t length = 0;
	ssize_t got;

	while ((got = read(fd, text + length, SIZE_LIMIT + 1 - length)) != 0) {
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return hxb_fail(error, HXB_INVALID, "%.256s: %m", name);
		length += (size_t)got;
		if (length > SIZE_LIMIT)
			return hxb_fail(error, HXB_INVALID, "%.256s: more than %d bytes", name, SIZE_LIMIT);
	}
	text[length] = '\0';
	if (strlen(text) != length)
		return hxb_fail(error, HXB_INVALID, "%.256s: holds a NUL byte: no file of keys", name);
	if (strstr(text, "PRIVATE KEY") != NULL || strstr(text, "PuTTY-User-Key-File") != NULL)
		return hxb_fail(error, HXB_INVALID,
		    "%.256s: holds a private key, which is for nobody but its owner; what belongs here is "
		    "the public one, from the file that ends in .pub",
		    name);
	return HXB_OK;
}

static enum hxb_result
check(const char *line, const struct hxb_sshd *sshd, struct hxb_key *key, struct hxb_error *error)
{
	enum hxb_result r = hxb_key_line_read(line, key, error);

	if (r == HXB_OK)
		r = hxb_key_check(key, error);
	if (r == HXB_OK && !hxb_sshd_takes_key(sshd, key->type, key->bits))
		r = hxb_fail(error, HXB_REFUSED,
		    "this host's sshd takes no %s key of %u bits (PubkeyAcceptedAlgorithms, RequiredRSASize)",
		    key->type, key->bits);
	return r;
}

static enum hxb_result
take_line(const char *line, const struct hxb_sshd *sshd, struct hxb_keys *keys, struct hxb_error *error)
{
	struct hxb_key *key;

	line += strspn(line, " \t");
	if (line[0] == '\0' || line[0] == '#')
		return HXB_OK;
	if (keys->count >= HXB_KEYS_MAX)
		return hxb_fail(
		    error, HXB_INVALID, "more than the %d keys that a user may have", HXB_KEYS_MAX);
	key = hxb_keys_grow(keys);
	return key != NULL ? check(line, sshd, key, error) : hxb_fail(error, HXB_FAILED, "out of memory");
}

static enum hxb_result
take_lines(
    char *text, const char *name, const struct hxb_sshd *sshd, struct hxb_keys *keys, struct hxb_error *error)
{
	struct hxb_error why = { "" };
	unsigned number = 0;
	enum hxb_result r;
	char *line;

	while ((line = strsep(&text, "\n")) != NULL) {
		size_t length = strlen(line);

		number++;
		/* Files from elsewhere end their lines otherwise. */
		if (length > 0 && line[length - 1] == '\r')
			line[length - 1] = '\0';
		r = take_line(line, sshd, keys, &why);
		if (r != HXB_OK)
			return hxb_fail(error, r, "%.200s:%u: %s", name, number, why.text);
	}
	return keys->count > 0 ? HXB_OK : hxb_fail(error, HXB_INVALID, "%.256s: there is no key in it", name);
}

enum hxb_result
hxb_key_input_read(
    const char *path, const struct hxb_sshd *sshd, struct hxb_keys *keys, struct hxb_error *error)
{
	bool standard = path == NULL || strcmp(path, "-") == 0;
	const char *name = standard ? "standard input" : path;
	char *text = malloc(SIZE_LIMIT + 2);
	enum hxb_result r;
	int fd = STDIN_FILENO;

	*keys = (struct hxb_keys){ 0 };
	if (text == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	if (!standard && (fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1)
		r = hxb_fail(error, HXB_INVALID, "%.256s: %m", path);
	else
		r = read_all(fd, name, text, error);
	if (r == HXB_OK)
		r = take_lines(text, name, sshd, keys, error);
	if (!standard && fd != -1)
		close(fd);
	explicit_bzero(text, SIZE_LIMIT + 2); /* it may have been a private key */
	free(text);
	return r;
}
