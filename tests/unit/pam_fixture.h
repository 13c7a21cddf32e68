/* SPDX-License-Identifier: ISC */
/*
 * For tests that meet pam_hexabot.so through libpam: a store, a ledger and a published map that the module
 * finds, service files, and a handle.
 *
 * TEST_MODULE is a module that was built with this program's HXB_STATE_DIR. The name service and syslog are
 * this program's own: what the module finds there is the tests' to say.
 */
#ifndef HXB_PAM_FIXTURE_H
#define HXB_PAM_FIXTURE_H

#include <limits.h>
#include <syslog.h>

#include <security/pam_appl.h>

#include "libhexabot/publish.h"
#include "support.h"

extern char store_path[PATH_MAX], conf_path[PATH_MAX], service_dir[PATH_MAX];
extern struct hxb_config config;
extern struct hxb_ledger *ledger; /* open until tear_down_pam() */
extern struct hxb_store *store;
extern struct hxb_places places;

/* What the name service says besides what is in the map, and the users root and local. */
extern uid_t other_uid; /* of everybody who is in the map, if not 0 */
extern const char *other_group; /* the name of every group, if not NULL */
extern gid_t other_gid; /* one group more that everybody is in, if not 0 */

/* What this thread logged, each line with its priority in front: "<5>refused ...". The second is never
 * emptied. */
extern _Thread_local char logged[4096], everything_logged[65536];

/* Before a thread that asked the name service ends. */
void forget_map(void);

/* Root is needed, and a build whose state directory is not this machine's own. */
bool ready(void);
#define NEEDS_ROOT_AND_A_STATE_DIR() \
	do { \
		if (!ready()) \
			skip(); \
	} while (0)

/* cmocka's setup and teardown. service_dir is made, and empty. */
int set_up_pam(void **state);
int tear_down_pam(void **state);

/* A service file with the module in all four stacks; `more` goes behind them. */
void write_stack(const char *path, const char *arguments, const char *more);
void write_conf(const char *more);
void publish(void);

/* ada is enabled, has no password, and an open invitation with this code. */
void invite(const char *code);

/* For a service in `dir`, from 192.0.2.7, without delays. */
pam_handle_t *open_handle(
    const char *service, const char *user, const char *dir, const struct pam_conv *conversation);

#endif
