/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "libhexabot/paths.h"

bool fuzz_replaying, fuzz_skipped;

void
fuzz_finding(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

char *
fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	MUST(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

char *
fuzz_line(char **text)
{
	char *line = *text, *end;

	if (line == NULL || *line == '\0')
		return NULL;
	end = strchr(line, '\n');
	if (end != NULL)
		*end++ = '\0';
	*text = end;
	return line;
}

char *
fuzz_word(char **line)
{
	char *word = *line, *end = word + strcspn(word, " ");

	if (*end != '\0')
		*end++ = '\0';
	*line = end;
	return word;
}

uint32_t
fuzz_number(const char *text)
{
	uint32_t number = 0;

	if (strspn(text, "0123456789") > 9)
		return 0;
	for (; *text >= '0' && *text <= '9'; text++)
		number = number * 10 + (uint32_t)(*text - '0');
	return number;
}

bool
fuzz_printable(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f)
			return false;
	}
	return true;
}

/* By the table of well-formed byte sequences in the Unicode standard (3-7). */
bool
fuzz_is_utf8(const char *text)
{
	static const unsigned char rows[][9] = { { 0x01, 0x7f }, { 0xc2, 0xdf, 0x80, 0xbf },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 0x80, 0xbf }, { 0xe1, 0xec, 0x80, 0xbf, 0x80, 0xbf },
		{ 0xed, 0xed, 0x80, 0x9f, 0x80, 0xbf }, { 0xee, 0xef, 0x80, 0xbf, 0x80, 0xbf },
		{ 0xf0, 0xf0, 0x90, 0xbf, 0x80, 0xbf, 0x80, 0xbf },
		{ 0xf1, 0xf3, 0x80, 0xbf, 0x80, 0xbf, 0x80, 0xbf },
		{ 0xf4, 0xf4, 0x80, 0x8f, 0x80, 0xbf, 0x80, 0xbf } };
	const unsigned char *p = (const unsigned char *)text;
	size_t row, i;

	while (*p != '\0') {
		for (row = 0; row < COUNT(rows); row++) {
			for (i = 0; rows[row][2 * i] != 0 && p[i] >= rows[row][2 * i] &&
			     p[i] <= rows[row][2 * i + 1];
			     i++)
				;
			if (rows[row][2 * i] == 0)
				break;
		}
		if (row == COUNT(rows))
			return false;
		p += i;
	}
	return true;
}

int
fuzz_file(const void *bytes, size_t size)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	MUST(fd >= 0 && (size == 0 || write(fd, bytes, size) == (ssize_t)size));
	MUST(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

const char *
fuzz_file_name(int fd)
{
	static char name[32];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return name;
}

/* A new file each time: who has mapped the old one keeps it as it was. */
void
fuzz_write_file(const char *path, const void *bytes, size_t size, mode_t mode)
{
	int fd;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	MUST(fd >= 0 && (size == 0 || write(fd, bytes, size) == (ssize_t)size));
	MUST(fchmod(fd, mode) == 0 && close(fd) == 0);
}

bool
fuzz_has_state_dir(void)
{
	char path[] = HXB_STATE_DIR;

	fuzz_skipped = geteuid() != 0 || strcmp(path, "/var/lib/hexactl") == 0;
	if (fuzz_skipped)
		return false;
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		MUST(mkdir(path, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	MUST(mkdir(path, 0755) == 0 || errno == EEXIST);
	return true;
}

/* Of targets that wrap it: a map has the same seed in every process, so that inputs mean the same bytes. */
ssize_t __wrap_getrandom(void *, size_t, unsigned);

ssize_t
__wrap_getrandom(void *bytes, size_t size, unsigned flags)
{
	(void)flags;
	memset(bytes, 0x5a, size);
	return (ssize_t)size;
}

struct fuzz_standing
fuzz_standing(void)
{
	struct fuzz_standing standing;
	struct pollfd polled[64];

	memset(&standing, 0, sizeof(standing));
	MUST(getresuid(&standing.uids[0], &standing.uids[1], &standing.uids[2]) == 0);
	MUST(getresgid(&standing.gids[0], &standing.gids[1], &standing.gids[2]) == 0);
	standing.uids[3] = (uid_t)setfsuid((uid_t)-1);
	standing.gids[3] = (gid_t)setfsgid((gid_t)-1);
	sigprocmask(SIG_BLOCK, NULL, &standing.signals);
	for (int fd = 0; fd < 64; fd++)
		polled[fd] = (struct pollfd){ .fd = fd };
	MUST(poll(polled, 64, 0) >= 0);
	for (int fd = 0; fd < 64; fd++)
		standing.descriptors |= (uint64_t)((polled[fd].revents & POLLNVAL) == 0) << fd;
	return standing;
}

void
fuzz_same_standing(const struct fuzz_standing *before)
{
	struct fuzz_standing now = fuzz_standing();

	MUST(memcmp(now.uids, before->uids, sizeof(now.uids)) == 0);
	MUST(memcmp(now.gids, before->gids, sizeof(now.gids)) == 0);
	for (int number = 1; number < NSIG; number++)
		MUST(sigismember(&now.signals, number) == sigismember(&before->signals, number));
	MUST(now.descriptors == before->descriptors);
}
