/* SPDX-License-Identifier: ISC */
/* Writes hexabot.conf: a temporary file beside it, read back, fsync, rename, fsync of the directory. For init
 * only. */
#ifndef HXB_CONF_WRITE_H
#define HXB_CONF_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "libhexabot/result.h"

/* A new file. uid_min and uid_max are written only where `range` says so: else the defaults are good. */
enum hxb_result hxb_conf_create(const char *path, const char *store, bool range, uint32_t uid_min,
    uint32_t uid_max, struct hxb_error *error);

/* Replaces the store of an existing file, and keeps every other line. */
enum hxb_result hxb_conf_set_store(const char *path, const char *store, struct hxb_error *error);

#endif
