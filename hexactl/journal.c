/* SPDX-License-Identifier: ISC */
/* The journal's own protocol, as systemd's "Native Journal Protocol" has it: one datagram, and no library. */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "journal.h"
#include "print.h"

#define SOCKET "/run/systemd/journal/socket"
#define VALUE_MAX 512

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
send_to_journal(const struct datagram *datagram)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool sent;

	if (fd == -1)
		return false;
	/* Whoever stops the journal does not stop us. */
	sent = sendto(fd, datagram->bytes, datagram->size, MSG_DONTWAIT | MSG_NOSIGNAL,
	           (const struct sockaddr *)&address, sizeof(address)) != -1;
	close(fd);
	return sent;
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
	struct datagram datagram = { .size = 0 };
	char *line = line_of(event);

	(void)unused;
	(void)error;
	if (line == NULL)
		return HXB_OK;
	add(&datagram, "MESSAGE", line);
	add(&datagram, "PRIORITY", "5"); /* LOG_NOTICE */
	add(&datagram, "SYSLOG_FACILITY", "10"); /* LOG_AUTHPRIV */
	add(&datagram, "SYSLOG_IDENTIFIER", "hexactl");
	add(&datagram, "HEXABOT_ACTOR", event->actor);
	add(&datagram, "HEXABOT_ACTION", event->action);
	if (event->user_id[0] != '\0') {
		add(&datagram, "HEXABOT_USER", event->name);
		add(&datagram, "HEXABOT_USER_ID", event->user_id);
	}
	add(&datagram, "HEXABOT_BEFORE", event->before);
	add(&datagram, "HEXABOT_AFTER", event->after);
	if (!send_to_journal(&datagram))
		syslog(LOG_NOTICE, "%s", line);
	free(line);
	return HXB_OK;
}
