/* SPDX-License-Identifier: ISC */
/* A secret in a file of its own: smtp_password_file, reset_secret_file. */
#ifndef HXB_SECRET_FILE_H
#define HXB_SECRET_FILE_H

#include "libhexabot/result.h"

/*
 * Reads the file's one line, up to 1023 bytes, without its line end. The file has to be root's, mode 0600 or
 * less, in directories that are root's alone. *secretp is NULL unless HXB_OK; hxb_secret_free() it.
 * HXB_UNREADABLE with the reason.
 */
enum hxb_result hxb_secret_file_read(const char *path, char **secretp, struct hxb_error *error);

#endif
