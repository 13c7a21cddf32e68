/* SPDX-License-Identifier: ISC */
/* Random names and digests, by libsodium. */
#ifndef HXB_TOKEN_H
#define HXB_TOKEN_H

#include <stdint.h>

#include "result.h"

#define HXB_NONCE_SIZE 33 /* 32 hex digits + NUL */
#define HXB_UUID_SIZE 37

/* Makes the library ready; every function below calls it. HXB_FAILED if there is no randomness. */
enum hxb_result hxb_token_ready(struct hxb_error *error);

/* 128 random bits, in hex. */
enum hxb_result hxb_nonce(char nonce[HXB_NONCE_SIZE], struct hxb_error *error);

/* A random UUIDv4, lower case, as Hexabot's ids are. */
enum hxb_result hxb_uuid(char uuid[HXB_UUID_SIZE], struct hxb_error *error);

/* A keyless digest of a user's or role's id: the same on every host, so that uids are too. */
uint64_t hxb_id_digest(const char *id);

#endif
