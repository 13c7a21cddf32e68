/* SPDX-License-Identifier: ISC */
/* The service hexabot-publish, which runs `hexactl watch`: adopted where systemd is. */
#ifndef HXB_SERVICE_H
#define HXB_SERVICE_H

#include <stdbool.h>

#include "libhexabot/paths.h"
#include "libhexabot/result.h"

#define HXB_SERVICE "hexabot-publish.service"

/*
 * Lets the service write where the store is (a drop-in in /etc/systemd/system), and starts it, now and at
 * each boot, if systemd runs. Does nothing where the unit is not installed. A service that does not start is
 * no failure of init: the administrator is told what to do.
 */
enum hxb_result hxb_service_adopt(const char *store, struct hxb_error *error);

#define HXB_DROP_IN_DIR HXB_SYSCONF_DIR "/systemd/system/" HXB_SERVICE ".d"
#define HXB_DROP_IN HXB_DROP_IN_DIR "/store.conf"

bool hxb_service_is_installed(void); /* the unit, where a systemd is */

/* What the drop-in lets the service write: this store's directory, another one, or there is no drop-in. */
enum hxb_drop_in { HXB_DROP_IN_FITS, HXB_DROP_IN_OTHER, HXB_DROP_IN_ABSENT };
enum hxb_drop_in hxb_service_drop_in(const char *store);

#endif
