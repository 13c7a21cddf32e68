/* SPDX-License-Identifier: ISC */
/*
 * The set-uid helper of pam_hexabot: "is this the password of my caller's account, and may it log in?", for
 * programs that do not run as root. libhexabot/chkpwd.h has its arguments and answer.
 *
 * MUST:
 * - nothing is taken from the caller but its real uid, the arguments and what is on descriptor 0;
 * - its own account only, and its password only: no invitation's code;
 * - the answer is the module's, from the same functions;
 * - one attempt at a time for each account, and each failure takes FAIL_DELAY: no caller can guess faster;
 * - the reason is in the log, whoever called.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "alone.h"
#include "libhexabot/chkpwd.h"
#include "libhexabot/password.h"
#include "libhexabot/paths.h"
#include "libhexabot/secret.h"
#include "pam_hexabot/pam_hexabot.h"

#define FAIL_DELAY 2 /* s */
#define INPUT_DEADLINE 1000 /* ms: the password is there before we are */

/* Byte UID of a file that only root sees is locked, and free again when this process is gone. */
static enum hxb_result
take_turn(struct call *call)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)call->uid, .l_len = 1
	};
	int fd = open(HXB_ATTEMPTS_PATH, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd == -1)
		return hxb_fail(&call->error, HXB_UNREADABLE, "%s: %m", HXB_ATTEMPTS_PATH);
	if (fcntl(fd, F_OFD_SETLK, &lock) == -1)
		return hxb_fail(&call->error, HXB_BUSY, "another attempt is under way");
	return HXB_OK; /* the descriptor stays open */
}

/* To the end of input, or to more than any password has. */
static bool
read_password(char password[HXB_PASSWORD_BUFFER])
{
	const struct hxb_deadline deadline = hxb_deadline_in(INPUT_DEADLINE);
	struct pollfd poller = { .fd = STDIN_FILENO, .events = POLLIN };
	size_t length = 0;
	ssize_t count = 1;

	while (count > 0 && length < HXB_PASSWORD_BUFFER) {
		if (poll(&poller, 1, (int)hxb_deadline_left(&deadline)) != 1)
			return false;
		count = read(STDIN_FILENO, password + length, HXB_PASSWORD_BUFFER - length);
		length += count > 0 ? (size_t)count : 0;
	}
	if (count == -1)
		return false;
	/* Too long, or with a NUL in it: nobody's password; the work is done all the same. */
	if (length == HXB_PASSWORD_BUFFER || memchr(password, '\0', length) != NULL)
		length = 0;
	password[length] = '\0';
	return true;
}

static enum hxb_answer
authenticate(struct call *call)
{
	char password[HXB_PASSWORD_BUFFER];
	enum hxb_answer answer = HXB_ANSWER_UNAVAIL;

	if (read_password(password))
		answer = prove(call, password);
	else
		hxb_fail(&call->error, HXB_UNREADABLE, "no password on the standard input");
	HXB_WIPE(password);
	return answer;
}

static enum hxb_answer
judge_account(struct call *call)
{
	call_load(call, true);
	return hxb_state_rule(call->state)->account;
}

static void
write_log(const struct call *call, const char *stage, enum hxb_answer answer)
{
	const char *reason = call->refusal;

	if (reason == NULL)
		reason = call->state == HXB_STATE_UNREADABLE ? call->error.text
		                                             : hxb_state_rule(call->state)->reason;
	if (answer == HXB_ANSWER_SUCCESS)
		syslog(LOG_INFO, "%s: allowed %.32s", stage, call->login);
	else
		syslog(LOG_NOTICE, "%s: refused %.32s: %.400s", stage, call->login, reason);
}

/* The answer, and the sentence that the module would have shown; not to one who has not proved a password. */
static int
tell(const struct call *call, bool is_auth, enum hxb_answer answer)
{
	const char *text = is_auth ? NULL : hxb_state_rule(call->state)->text;

	return dprintf(STDOUT_FILENO, "%d %s\n", pam_code(answer), text != NULL ? text : "") > 0 ? 0 : 1;
}

static int
answer(struct call *call, uid_t caller, const char *stage)
{
	bool is_auth = strcmp(stage, HXB_CHKPWD_AUTH) == 0;
	enum hxb_answer given = HXB_ANSWER_UNAVAIL;
	bool has_turn;

	if (owner_of(call) != OWNER_US || call->uid != caller) {
		syslog(LOG_WARNING, "%s: uid %u asked about an account that is not its own", stage,
		    (unsigned)caller);
		return 1;
	}
	has_turn = call->error.text[0] == '\0' && take_turn(call) == HXB_OK;
	if (has_turn)
		given = is_auth ? authenticate(call) : judge_account(call);
	write_log(call, stage, given);
	if (is_auth && has_turn && given != HXB_ANSWER_SUCCESS)
		sleep(FAIL_DELAY);
	return tell(call, is_auth, given);
}

int
main(int argc, char *argv[])
{
	const uid_t caller = getuid();
	struct call call = { .service = "", .state = HXB_STATE_UNREADABLE };
	int status = 1;

	if (hxb_stand_alone(&call.error) != HXB_OK) {
		dprintf(STDERR_FILENO, "hexabot_chkpwd: %s\n", call.error.text);
		return 1;
	}
	if (argc < 3 || (strcmp(argv[1], HXB_CHKPWD_AUTH) != 0 && strcmp(argv[1], HXB_CHKPWD_ACCOUNT) != 0)) {
		dprintf(STDERR_FILENO, "usage: hexabot_chkpwd auth|account LOGIN [ROLE]...\n");
		return 2;
	}
	openlog("hexabot_chkpwd", LOG_PID, LOG_AUTHPRIV);
	call.login = argv[2];
	if (hxb_config_init(&call.config, &call.error) == HXB_OK) {
		call.config.roles = argv + 3;
		status = answer(&call, caller, argv[1]);
		call.config.roles = NULL;
	}
	call_free(&call);
	return status;
}
