/* SPDX-License-Identifier: ISC */
/*
 * The journal's own protocol, as systemd's "Native Journal Protocol" has it: one datagram, and no library.
 *
 * Whoever stops the journal, or fills its queue, does not stop us: a change is made by now, and still to be
 * published. So syslog(3), which waits for as long as it takes, is not for us.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "journal.h"
#include "libhexabot/deadline.h"
#include "print.h"

#define JOURNAL "/run/systemd/journal/socket"
#define LOG "/dev/log"
#define PRIORITY "5" /* LOG_NOTICE */
#define FACILITY "10" /* LOG_AUTHPRIV */
#define CODE "<85>" /* both, as syslog has it */
#define VALUE_MAX 512
#define PATIENCE \
	500 /* milliseconds to wait for room in a full queue, once: then it is not waited for again */

struct datagram {
	char bytes[10 * (VALUE_MAX + 64)];
	size_t size;
};

/* With its length in front, so that no value can pass for another field. */
static void
add(struct datagram *datagram, const char *key, const char *value)
{
	size_t length = strnlen(value, VALUE_MAX);
	uint64_t prefix = htole64(length);
	char *end = datagram->bytes + datagram->size;

	end = stpcpy(end, key);
	*end++ = '\n';
	end = mempcpy(end, &prefix, sizeof(prefix));
	end = mempcpy(end, value, length);
	*end++ = '\n';
	datagram->size = (size_t)(end - datagram->bytes);
}

static bool
send_within(int fd, const char *bytes, size_t size, long patience)
{
	const struct hxb_deadline deadline = hxb_deadline_in(patience);
	struct pollfd room = { .fd = fd, .events = POLLOUT };

	while (send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) == -1) {
		if ((errno != EAGAIN && errno != EINTR) || hxb_deadline_left(&deadline) == 0)
			return false;
		(void)poll(&room, 1, (int)hxb_deadline_left(&deadline));
	}
	return true;
}

/* *full: nobody empties the queue. */
static bool
send_to(const char *path, const char *bytes, size_t size, bool *full)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool sent = false;

	if (fd == -1)
		return false;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
		sent = send_within(fd, bytes, size, *full ? 0 : PATIENCE);
		*full = *full || (!sent && errno == EAGAIN);
	}
	close(fd);
	return sent;
}

/* As syslog(3) says it. */
static void
send_to_log(const char *line, bool *full)
{
	char now[32] = "", *message;
	time_t seconds = time(NULL);
	struct tm parts;
	int length;

	if (localtime_r(&seconds, &parts) != NULL)
		(void)strftime(now, sizeof(now), "%h %e %T", &parts);
	length = asprintf(&message, CODE "%s hexactl[%d]: %s", now, (int)getpid(), line);
	if (length == -1)
		return;
	(void)send_to(LOG, message, (size_t)length, full);
	free(message);
}

/* What it says of the user, the change, and who made it. */
static char *
line_of(const struct hxb_event *event)
{
	char *name = hxb_printable(event->name, NULL), *actor = hxb_printable(event->actor, NULL);
	char *before = hxb_printable(event->before, NULL), *after = hxb_printable(event->after, NULL);
	char *line = NULL;

	if (name != NULL && actor != NULL && before != NULL && after != NULL &&
	    asprintf(&line, "%s %.128s: %.200s%s%.200s, by %.64s", event->action, name, before,
	        before[0] != '\0' ? " -> " : "", after[0] != '\0' ? after : "none", actor) == -1)
		line = NULL;
	free(after);
	free(before);
	free(actor);
	free(name);
	return line;
}

enum hxb_result
hxb_journal_event(const struct hxb_event *event, void *unused, struct hxb_error *error)
{
	static bool full = false;
	struct datagram datagram = { .size = 0 };
	char *line = line_of(event);

	(void)unused;
	(void)error;
	if (line == NULL)
		return HXB_OK;
	add(&datagram, "MESSAGE", line);
	add(&datagram, "PRIORITY", PRIORITY);
	add(&datagram, "SYSLOG_FACILITY", FACILITY);
	add(&datagram, "SYSLOG_IDENTIFIER", "hexactl");
	add(&datagram, "HEXABOT_ACTOR", event->actor);
	add(&datagram, "HEXABOT_ACTION", event->action);
	if (event->user_id[0] != '\0') {
		add(&datagram, "HEXABOT_USER", event->name);
		add(&datagram, "HEXABOT_USER_ID", event->user_id);
	}
	add(&datagram, "HEXABOT_BEFORE", event->before);
	add(&datagram, "HEXABOT_AFTER", event->after);
	if (!send_to(JOURNAL, datagram.bytes, datagram.size, &full))
		send_to_log(line, &full);
	free(line);
	return HXB_OK;
}
