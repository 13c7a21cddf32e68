/* SPDX-License-Identifier: ISC */
/*
 * Logins, full names, mail addresses and the host's own names. Input, by lines: a login, a first and a last
 * name, a mail address; the rest is the host's passwd file.
 */
#include <ctype.h>
#include <pwd.h>
#include <strings.h>
#include <unistd.h>

#include "fuzz.h"
#include "hexactl/address.h"
#include "libhexabot/names.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* [A-Za-z_][A-Za-z0-9_.-]{0,31} */
static bool
matches(const char *name)
{
	size_t length = strlen(name);

	return length >= 1 && length <= 32 && strspn(name, LETTERS "_") >= 1 &&
	    strspn(name, LETTERS "0123456789_.-") == length;
}

static void
swap_case(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text >= 'a' && *text <= 'z')
			*text = (char)(*text - 'a' + 'A');
		else if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
	}
}

/* What is no reserved name must not pass for one that sudo knows, in any case. */
static void
check_reserved(const char *name)
{
	static const char *const famous[] = { "root", "sudo", "wheel", "adm", "docker", "lxd", "libvirt",
		"disk", "shadow", "staff", "daemon", "www-data", "postgres", "nobody", "ubuntu", "systemd-x",
		"_apt" };
	bool reserved = hxb_name_reserved(name);
	char *other = strdup(name);

	MUST(other != NULL);
	swap_case(other);
	MUST(hxb_name_reserved(other) == reserved);
	for (size_t i = 0; i < COUNT(famous); i++)
		MUST(reserved || strcasecmp(name, famous[i]) != 0);
	free(other);
}

static void
check_gecos(const char *first, const char *last, char gecos[HXB_GECOS_MAX + 1])
{
	hxb_gecos(first, last, gecos);
	MUST(strlen(gecos) <= HXB_GECOS_MAX && strpbrk(gecos, ":,\n") == NULL);
	MUST(fuzz_printable(gecos) && fuzz_is_utf8(gecos));
}

/* glibc writes the line and reads it back: one line, and the same person. */
static void
check_passwd_line(char *login, char *gecos)
{
	char *home = hxb_expand_login("/home/%u", login), *line = NULL, nothing[] = "x", shell[] = "/bin/sh";
	struct passwd pw = { login, nothing, 1879048192, 1879048192, gecos, home, shell };
	const struct passwd *found;
	size_t size = 0;
	FILE *file = open_memstream(&line, &size);

	MUST(home != NULL && file != NULL);
	MUST(putpwent(&pw, file) == 0 && fclose(file) == 0);
	MUST(strchr(line, '\n') == line + size - 1);
	file = fmemopen(line, size, "r");
	MUST(file != NULL);
	found = fgetpwent(file);
	MUST(found != NULL && strcmp(found->pw_name, login) == 0 && strcmp(found->pw_gecos, gecos) == 0);
	MUST(found->pw_uid == pw.pw_uid && strcmp(found->pw_dir, home) == 0 &&
	    strcmp(found->pw_shell, shell) == 0);
	MUST(fgetpwent(file) == NULL);
	fclose(file);
	free(line);
	free(home);
}

/* An address that is taken can stand in a header and on a command line as it is. */
static void
check_address(const char *address)
{
	struct hxb_error error = { "" };
	char login[HXB_LOGIN_MAX + 1];
	enum hxb_result r = hxb_address_check(address, &error);

	if (r == HXB_OK) {
		const char *at = strchr(address, '@');

		MUST(strlen(address) <= 254 && fuzz_printable(address) && fuzz_is_utf8(address));
		MUST(strpbrk(address, " \"\\<>()[],;:\t") == NULL);
		MUST(at != NULL && at != address && at[1] != '\0' && strchr(at + 1, '@') == NULL);
	} else {
		MUST(r == HXB_INVALID && error.text[0] != '\0' && fuzz_printable(error.text));
	}
	if (hxb_address_login(address, login))
		MUST(matches(login) && strncasecmp(login, address, strlen(login)) == 0);
}

static void
check_host_entry(const struct hxb_host_names *host, const struct passwd *pw)
{
	char *other = strdup(pw->pw_name);

	MUST(other != NULL);
	swap_case(other);
	MUST(hxb_host_has_name(host, pw->pw_name) && hxb_host_has_name(host, other));
	MUST(hxb_host_has_id(host, pw->pw_uid));
	free(other);
}

/* Every name that the C library finds in the file is the host's. */
static void
check_host(const char *passwd, const char *login)
{
	int fd = fuzz_file(passwd, strlen(passwd)), nobody = fuzz_file("", 0);
	char name[64], group[64];
	struct hxb_host_names *host = NULL;
	struct hxb_error error = { "" };
	const struct passwd *pw;
	bool known = false;
	FILE *file;

	snprintf(name, sizeof(name), "%s", fuzz_file_name(fd));
	snprintf(group, sizeof(group), "%s", fuzz_file_name(nobody));
	if (hxb_host_names_load(name, group, &host, &error) == HXB_OK) {
		file = fdopen(fd, "r");
		MUST(file != NULL);
		while ((pw = fgetpwent(file)) != NULL) {
			check_host_entry(host, pw);
			known = known || strcasecmp(pw->pw_name, login) == 0;
		}
		fclose(file);
		MUST(hxb_host_has_name(host, login) == known);
	} else {
		close(fd);
	}
	close(nobody);
	hxb_host_names_free(host);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *rest = text, none[] = "";
	char gecos[HXB_GECOS_MAX + 1], *lines[4];

	for (size_t i = 0; i < COUNT(lines); i++) {
		lines[i] = fuzz_line(&rest);
		if (lines[i] == NULL)
			lines[i] = none;
	}
	MUST(hxb_login_valid(lines[0]) == matches(lines[0]));
	check_reserved(lines[0]);
	check_gecos(lines[1], lines[2], gecos);
	if (hxb_login_valid(lines[0]))
		check_passwd_line(lines[0], gecos);
	check_address(lines[3]);
	if (rest != NULL)
		check_host(rest, lines[0]);
	free(text);
	return 0;
}
