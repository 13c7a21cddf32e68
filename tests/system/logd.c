/* SPDX-License-Identifier: ISC */
/*
 * logd [FILE]: a syslog daemon for the test host. Appends what comes to /dev/log to FILE (/var/log/auth.log),
 * a line each: "ident[pid]: text", without priority and time. Goes to the background once it listens.
 */
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* "<38>Nov 23 22:13:01 sshd[7]: text": the length of what comes before "sshd". */
static size_t
header_length(const char *line, size_t length)
{
	const size_t time_length = sizeof("Nov 23 22:13:01 ") - 1;
	const char *end = memchr(line, '>', length);
	size_t header = end != NULL && line[0] == '<' ? (size_t)(end - line) + 1 : 0;

	return header + time_length < length && line[header + 3] == ' ' ? header + time_length : header;
}

int
main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "/var/log/auth.log";
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	char line[65536];
	ssize_t length;
	size_t skip, i;
	int log, in;

	log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (log < 0)
		err(EXIT_FAILURE, "%s", path);
	in = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unlink(address.sun_path);
	if (in < 0 || bind(in, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    chmod(address.sun_path, 0666) != 0)
		err(EXIT_FAILURE, "/dev/log");
	if (daemon(0, 0) != 0)
		err(EXIT_FAILURE, "daemon");
	while ((length = recv(in, line, sizeof(line) - 1, 0)) >= 0) {
		while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\0'))
			length--;
		for (i = 0; i < (size_t)length; i++)
			if (line[i] == '\n' || line[i] == '\0')
				line[i] = ' ';
		line[length++] = '\n';
		skip = header_length(line, (size_t)length);
		if (write(log, line + skip, (size_t)length - skip) < 0)
			return EXIT_FAILURE;
	}
	return EXIT_FAILURE;
}
