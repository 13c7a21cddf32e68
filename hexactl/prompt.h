/* SPDX-License-Identifier: ISC */
#ifndef HXB_PROMPT_H
#define HXB_PROMPT_H

#include "libhexabot/password.h"
#include "libhexabot/result.h"

/* Asks on the terminal without echo. HXB_INVALID where there is no terminal. The caller wipes the password on
 * every path. */
enum hxb_result hxb_prompt_password(
    const char *question, char password[HXB_PASSWORD_BUFFER], struct hxb_error *error);

/* Reads the first line of standard input, and no byte beyond it. */
enum hxb_result hxb_read_password(char password[HXB_PASSWORD_BUFFER], struct hxb_error *error);

#endif
