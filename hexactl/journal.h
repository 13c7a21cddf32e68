/* SPDX-License-Identifier: ISC */
#ifndef HXB_JOURNAL_H
#define HXB_JOURNAL_H

#include "libhexabot/ledger.h"

/*
 * Logs an event in one line, "disable mona: enabled -> disabled, by root". Where systemd's journal takes it,
 * it comes with fields: HEXABOT_ACTOR, HEXABOT_ACTION, HEXABOT_USER, HEXABOT_USER_ID, HEXABOT_BEFORE,
 * HEXABOT_AFTER (512 bytes each at most; of no user: without the two). Else syslog has the line. Half a
 * second is waited for who does not take it, once in all. An hxb_event_fn: HXB_OK.
 */
enum hxb_result hxb_journal_event(const struct hxb_event *event, void *unused, struct hxb_error *error);

#endif
