/* SPDX-License-Identifier: ISC */
/* The service hexabot-publish, which runs `hexactl watch`: adopted where systemd is. */
#ifndef HXB_SERVICE_H
#define HXB_SERVICE_H

#include "libhexabot/result.h"

#define HXB_SERVICE "hexabot-publish.service"

/*
 * Lets the service write where the store is (a drop-in in /etc/systemd/system), and starts it, now and at
 * each boot, if systemd runs. Does nothing where the unit is not installed. A service that does not start is
 * no failure of init: the administrator is told what to do.
 */
enum hxb_result hxb_service_adopt(const char *store, struct hxb_error *error);

#endif
