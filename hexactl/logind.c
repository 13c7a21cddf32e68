/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libhexabot/names.h"
#include "logind.h"
#include "program.h"

#define PATIENCE 4000 /* milliseconds; busctl itself gives up before */
#define BUSCTL "/usr/bin/busctl"
#define LINGER_DIR "/var/lib/systemd/linger/"

static bool
is_there(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) == 0;
}

bool
hxb_logind_terminate(uid_t uid)
{
	char path[] = BUSCTL, timeout[] = "--timeout=3", call[] = "call",
	     service[] = "org.freedesktop.login1", object[] = "/org/freedesktop/login1",
	     interface[] = "org.freedesktop.login1.Manager", method[] = "TerminateUser", type[] = "u",
	     number[16];
	char *const words[] = { path, timeout, call, service, object, interface, method, type, number, NULL };
	const struct hxb_program busctl = { .argv = words, .milliseconds = PATIENCE };
	enum hxb_program_end end;

	/* What sd_booted(3) looks at. */
	if (!is_there("/run/systemd/system") || !is_there(BUSCTL))
		return true;
	snprintf(number, sizeof(number), "%u", uid);
	/* Of whom it does not know it says no, and that is no news. */
	end = hxb_program_run(&busctl, NULL);
	return end == HXB_PROGRAM_YES || end == HXB_PROGRAM_NO;
}

static bool
linger_path(const char *login, char path[sizeof(LINGER_DIR) + HXB_LOGIN_MAX])
{
	if (!hxb_login_valid(login))
		return false;
	snprintf(path, sizeof(LINGER_DIR) + HXB_LOGIN_MAX, LINGER_DIR "%s", login);
	return true;
}

bool
hxb_lingers(const char *login)
{
	char path[sizeof(LINGER_DIR) + HXB_LOGIN_MAX];

	return linger_path(login, path) && is_there(path);
}

/* logind has no other memory of it than this file. */
enum hxb_result
hxb_linger_end(const char *login, bool *ended, struct hxb_error *error)
{
	char path[sizeof(LINGER_DIR) + HXB_LOGIN_MAX];

	*ended = linger_path(login, path) && unlink(path) == 0;
	if (*ended || errno == ENOENT || errno == ENOTDIR || !hxb_login_valid(login))
		return HXB_OK;
	return hxb_fail(error, HXB_FAILED, "%s: %m", path);
}
