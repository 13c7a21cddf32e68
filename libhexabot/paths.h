/* SPDX-License-Identifier: ISC */
/* Where things live: fixed when the programs are built, so that no caller can point root elsewhere. */
#ifndef HXB_PATHS_H
#define HXB_PATHS_H

#ifndef HXB_SYSCONF_DIR
#define HXB_SYSCONF_DIR "/etc"
#endif
#ifndef HXB_STATE_DIR
#define HXB_STATE_DIR "/var/lib/hexactl"
#endif
#ifndef HXB_LIB_DIR
#define HXB_LIB_DIR \
	"/usr/lib/x86_64-linux-gnu" /* libnss_hexabot.so.2 is there, and PAM's modules in security/ */
#endif

#ifndef HXB_LIB_DIR
#define HXB_LIB_DIR "/usr/lib"
#endif

#define HXB_CONFIG_DIR HXB_SYSCONF_DIR "/hexabot"
#define HXB_CONFIG_PATH HXB_CONFIG_DIR "/hexabot.conf"
#define HXB_PRIVATE_DIR HXB_STATE_DIR "/private"
#define HXB_LEDGER_PATH HXB_PRIVATE_DIR "/ledger.sqlite"
#define HXB_LOCK_PATH HXB_PRIVATE_DIR "/lock"
#define HXB_ATTEMPTS_PATH HXB_PRIVATE_DIR "/attempts" /* hexabot_chkpwd's: see there */

#endif
