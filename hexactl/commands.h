/* SPDX-License-Identifier: ISC */
/* The commands: each in a file of its own, cmd_NAME.c, which includes no other. */
#ifndef HXB_COMMANDS_H
#define HXB_COMMANDS_H

#include <stddef.h>

#include "options.h"

extern const struct hxb_command hxb_cmd_init;
extern const struct hxb_command hxb_cmd_list;
extern const struct hxb_command hxb_cmd_show;
extern const struct hxb_command hxb_cmd_invite;
extern const struct hxb_command hxb_cmd_resend;
extern const struct hxb_command hxb_cmd_revoke;
extern const struct hxb_command hxb_cmd_role_list;
extern const struct hxb_command hxb_cmd_role_add;
extern const struct hxb_command hxb_cmd_role_remove;
extern const struct hxb_command hxb_cmd_role_set;
extern const struct hxb_command hxb_cmd_enable;
extern const struct hxb_command hxb_cmd_disable;
extern const struct hxb_command hxb_cmd_passwd;
extern const struct hxb_command hxb_cmd_set;
extern const struct hxb_command hxb_cmd_erase;
extern const struct hxb_command hxb_cmd_key_list;
extern const struct hxb_command hxb_cmd_key_add;
extern const struct hxb_command hxb_cmd_key_remove;
extern const struct hxb_command hxb_cmd_publish;
extern const struct hxb_command hxb_cmd_watch;
extern const struct hxb_command hxb_cmd_explain;
extern const struct hxb_command hxb_cmd_log;
extern const struct hxb_command hxb_cmd_doctor;
extern const struct hxb_command hxb_cmd_completion;

/* The table of them, which is in main.c, from 0. NULL: there are no more. */
const struct hxb_command *hxb_command_at(size_t index);

#endif
