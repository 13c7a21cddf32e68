/* SPDX-License-Identifier: ISC */
/*
 * Between pam_hexabot in a program that does not run as root, and the set-uid hexabot_chkpwd, which does:
 *
 *	hexabot_chkpwd auth LOGIN [ROLE]...       the password on descriptor 0, to its end
 *	hexabot_chkpwd account LOGIN [ROLE]...
 *
 * ROLE: PAM's roles=. It answers for the account of its own real uid only, and on descriptor 1: one line,
 *"CODE TEXT", a PAM return code in decimal and a sentence for the person, which may be empty. No line:
 *nothing was judged. The exit status says the same for people: 0 a line was written, 1 it was not, 2 usage.
 *Whatever its caller does, it ends within HXB_CHKPWD_LIFE seconds.
 */
#ifndef HXB_CHKPWD_H
#define HXB_CHKPWD_H

#ifndef HXB_LIBEXEC_DIR
#define HXB_LIBEXEC_DIR "/usr/libexec/hexabot"
#endif
#define HXB_CHKPWD_PATH HXB_LIBEXEC_DIR "/hexabot_chkpwd"
#define HXB_CHKPWD_AUTH "auth"
#define HXB_CHKPWD_ACCOUNT "account"
#define HXB_CHKPWD_LIFE 60
#define HXB_CHKPWD_ANSWER_MAX 256 /* bytes of a line */

#endif
