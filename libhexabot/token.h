/* SPDX-License-Identifier: ISC */
/* Random names, codes and digests, by libsodium. */
#ifndef HXB_TOKEN_H
#define HXB_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "result.h"

#define HXB_NONCE_SIZE 33 /* 32 hex digits + NUL */
#define HXB_UUID_SIZE 37
#define HXB_CODE_SIZE 30 /* five groups of five, four hyphens + NUL */
#define HXB_CODE_DIGEST_SIZE 32 /* bytes */

/* Makes the library ready; every function below calls it. HXB_FAILED if there is no randomness. */
enum hxb_result hxb_token_ready(struct hxb_error *error);

/* 128 random bits, in hex. */
enum hxb_result hxb_nonce(char nonce[HXB_NONCE_SIZE], struct hxb_error *error);

/* A random UUIDv4, lower case, as Hexabot's ids are. */
enum hxb_result hxb_uuid(char uuid[HXB_UUID_SIZE], struct hxb_error *error);

/* An invitation's code: 125 random bits in Crockford's base32, "7K3QF-...". A secret: the caller wipes it. */
enum hxb_result hxb_code_make(char code[HXB_CODE_SIZE], struct hxb_error *error);

/*
 * The digest of a code as people type it: case, hyphens and blanks don't count, O is 0, I and L are 1. false:
 * the text has not the form of a code.
 */
bool hxb_code_digest(const char *typed, unsigned char digest[HXB_CODE_DIGEST_SIZE]);

/* A keyless digest of a user's or role's id: the same on every host, so that uids are too. The number is its
 * first eight bytes, little-endian. */
#define HXB_ID_HASH_SIZE 16
void hxb_id_hash(const char *id, unsigned char hash[HXB_ID_HASH_SIZE]);
uint64_t hxb_id_digest(const char *id);
uint64_t hxb_id_hash_digest(const unsigned char hash[HXB_ID_HASH_SIZE]);

/* A fast digest, to tell whether something is still the same. Not a secret's, nor against a forger. */
uint64_t hxb_quick_digest(const void *data, size_t size);

#endif
