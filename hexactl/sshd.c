/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libhexabot/key_files.h"
#include "program.h"
#include "sshd.h"

#define PATIENCE 5000 /* ms: it looks up users and groups, which may be far away */
#define TEXT_MAX (1 << 20) /* bytes */

const char *
hxb_sshd_setting(const struct hxb_sshd *sshd, const char *keyword, unsigned index, int *size)
{
	size_t length = strlen(keyword);

	for (const char *line = sshd->text; line != NULL && *line != '\0';) {
		size_t whole = strcspn(line, "\n");

		if (whole > length && strncmp(line, keyword, length) == 0 && line[length] == ' ' &&
		    index-- == 0) {
			*size = (int)(whole - length - 1);
			return line + length + 1;
		}
		line += whole + (line[whole] == '\n');
	}
	return NULL;
}

/* Whether a word is in the keyword's list, with that separator. */
static bool
has_word(const struct hxb_sshd *sshd, const char *keyword, char separator, const char *word)
{
	size_t length = strlen(word), whole;
	int size = 0;
	const char *at = hxb_sshd_setting(sshd, keyword, 0, &size), *next;
	const char *end = at != NULL ? at + size : NULL;

	for (; at != NULL; at = next) {
		next = memchr(at, separator, (size_t)(end - at));
		whole = (size_t)((next != NULL ? next++ : end) - at);
		if (whole == length && memcmp(at, word, length) == 0)
			return true;
	}
	return false;
}

static bool
is_yes(const struct hxb_sshd *sshd, const char *keyword)
{
	int size;
	const char *value = hxb_sshd_setting(sshd, keyword, 0, &size);

	return value != NULL && size == 3 && strncmp(value, "yes", 3) == 0;
}

static unsigned
port_of(const struct hxb_sshd *sshd)
{
	int size;
	const char *port = hxb_sshd_setting(sshd, "port", 0, &size);

	return port != NULL ? (unsigned)strtoul(port, NULL, 10) : 0;
}

/*
 * A Match by where people come from is not ours to guess. But of what it may ask sshd has to be told all, or
 * else it does not answer: with UseDNS no, its default, an address is a host's name, too.
 */
static bool
ask(const char *login, unsigned port, struct hxb_sshd *sshd)
{
	char dash_t[] = "-T", dash_c[] = "-C", program[] = HXB_SSHD_PROGRAM, who[256];
	char *argv[] = { program, dash_t, dash_c, who, NULL };

	snprintf(who, sizeof(who),
	    "user=%.64s,host=127.0.0.1,addr=127.0.0.1,laddr=127.0.0.1,lport=%u,rdomain=", login, port);
	free(sshd->text);
	return hxb_program_ask(argv, TEXT_MAX, PATIENCE, &sshd->text);
}

void
hxb_sshd_ask(const char *login, struct hxb_sshd *sshd)
{
	*sshd = (struct hxb_sshd){ .known = false };
	sshd->known = ask(login, 22, sshd);
	sshd->port = port_of(sshd);
	if (sshd->known && sshd->port != 22)
		sshd->known = ask(login, sshd->port, sshd);
	sshd->use_pam = is_yes(sshd, "usepam");
	sshd->password = is_yes(sshd, "passwordauthentication");
	sshd->keyboard_interactive = is_yes(sshd, "kbdinteractiveauthentication");
	sshd->public_key = is_yes(sshd, "pubkeyauthentication");
	sshd->reads_keys = has_word(sshd, "authorizedkeysfile", ' ', HXB_KEY_FILES_SETTING);
}

void
hxb_sshd_clear(struct hxb_sshd *sshd)
{
	free(sshd->text);
	*sshd = (struct hxb_sshd){ .known = false };
}

bool
hxb_sshd_takes_codes(const struct hxb_sshd *sshd)
{
	return sshd->use_pam && (sshd->password || sshd->keyboard_interactive) &&
	    hxb_sshd_use_of_password(sshd) != HXB_SSHD_OF_NO_USE;
}

const char *
hxb_sshd_closed(const struct hxb_sshd *sshd)
{
	return has_word(sshd, "maxauthtries", ' ', "0") ? "MaxAuthTries"
	    : has_word(sshd, "maxsessions", ' ', "0")   ? "MaxSessions"
	                                                : NULL;
}

/* An RSA key signs by one of several algorithms, the others by that of their own name. */
bool
hxb_sshd_takes_key(const struct hxb_sshd *sshd, const char *type, unsigned bits)
{
	static const char accepted[] = "pubkeyacceptedalgorithms";
	const char *least;
	int size;

	if (hxb_sshd_setting(sshd, accepted, 0, &size) == NULL)
		return true;
	if (strcmp(type, "ssh-rsa") != 0)
		return has_word(sshd, accepted, ',', type);
	least = hxb_sshd_setting(sshd, "requiredrsasize", 0, &size);
	return (least == NULL || bits >= strtoul(least, NULL, 10)) &&
	    (has_word(sshd, accepted, ',', "rsa-sha2-512") || has_word(sshd, accepted, ',', "rsa-sha2-256") ||
	        has_word(sshd, accepted, ',', type));
}
