/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "times.h"
#include "wish.h"

#define PATH_LIMIT 512 /* bytes of a home or shell: a passwd line has to stay one that programs read */

/* Becomes a field of a passwd line. */
static enum hxb_result
check_path(const char *option, const char *path, struct hxb_error *error)
{
	if (path == NULL || path[0] == '\0')
		return HXB_OK;
	if (path[0] != '/' || strlen(path) > PATH_LIMIT || strchr(path, ':') != NULL)
		return hxb_fail(error, HXB_INVALID,
		    "%s: '%.256s' is no absolute path of up to %d bytes without ':'", option, path,
		    PATH_LIMIT);
	for (const char *c = path; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return hxb_fail(
			    error, HXB_INVALID, "%s: a control character in '%.256s'", option, path);
	return HXB_OK;
}

static enum hxb_result
check_shell(const struct hxb_session *session, const char *shell, struct hxb_error *error)
{
	struct stat st;
	enum hxb_result r = check_path("--shell", shell, error);

	if (r != HXB_OK || shell == NULL || shell[0] == '\0' || session->arguments->force)
		return r;
	if (stat(shell, &st) == -1)
		return hxb_fail(
		    error, HXB_REFUSED, "--shell: %.256s: %m; install it first, or use --force", shell);
	if (!S_ISREG(st.st_mode) || faccessat(AT_FDCWD, shell, X_OK, AT_EACCESS) == -1)
		return hxb_fail(
		    error, HXB_REFUSED, "--shell: %.256s: not a program; use --force if it will be", shell);
	return HXB_OK;
}

enum hxb_result
hxb_wish_read(const struct hxb_session *session, struct hxb_wish *wish, struct hxb_error *error)
{
	const struct hxb_arguments *arguments = session->arguments;
	const char *expires = hxb_option(arguments, "expires");
	enum hxb_result r = HXB_OK;

	*wish = (struct hxb_wish){ .login = hxb_option(arguments, "login"),
		.shell = hxb_option(arguments, "shell"),
		.home = hxb_option(arguments, "home"),
		.has_expires = expires != NULL };
	if (wish->login == NULL && wish->shell == NULL && wish->home == NULL && expires == NULL)
		return hxb_fail(error, HXB_INVALID, "set: wants --login, --shell, --home or --expires");
	if (expires != NULL)
		r = hxb_time_expires(expires, &wish->expires, error);
	if (r == HXB_OK)
		r = check_path("--home", wish->home, error);
	if (r == HXB_OK)
		r = check_shell(session, wish->shell, error);
	return r;
}
