/* SPDX-License-Identifier: ISC */
/* What people read at a prompt. The states' texts stand in libhexabot/verdict.c. */
#ifndef HXB_PAM_MESSAGES_H
#define HXB_PAM_MESSAGES_H

#define MESSAGE_PASSWORD "Password: "
#define MESSAGE_CURRENT_PASSWORD "Current password: "
#define MESSAGE_CODE "Current password (the code of your invitation): "
#define MESSAGE_IS_CODE "The code was for once: please choose a password of your own."
#define REASON_NO_PASSWORD "no password was given" /* for the log, as the next one */
#define REASON_ONLY_CODE "only a code was proved, and it is void by now" /* for the log */
#define MESSAGE_UNCHANGED "The password is unchanged: it has to differ from the current one."
#define MESSAGE_NOT_NOW "The password can't be changed at the moment; please try again later."
#define MESSAGE_CHANGED_MEANWHILE "The account was changed meanwhile; the password was not set."

#endif
