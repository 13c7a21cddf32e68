/* SPDX-License-Identifier: ISC */
/* Who is at the keyboard: for the ledger's events, and so that people don't lock themselves out. */
#ifndef HXB_ACTOR_H
#define HXB_ACTOR_H

#include <stdbool.h>
#include <stdint.h>

#define HXB_ACTOR_SIZE 64

struct hxb_actor {
	char name[HXB_ACTOR_SIZE]; /* the login that the session began with, else SUDO_USER, else root */
	bool has_login_uid;
	uint32_t login_uid; /* /proc/self/loginuid: survives su and sudo, can't be forged */
	char sudo_user[HXB_ACTOR_SIZE]; /* "" if none */
};

void hxb_actor_find(struct hxb_actor *actor);

#endif
