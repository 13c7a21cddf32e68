/* SPDX-License-Identifier: ISC */
/*
 * Calls that fail because the input says so: the same ones each time it is replayed. Linked with --wrap for
 * each of the functions in faults.c, which then are what the product and the static SQLite call.
 */
#ifndef HXB_FUZZ_FAULTS_H
#define HXB_FUZZ_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

enum fault {
	FAULT_MEMORY,
	FAULT_OPEN,
	FAULT_STAT,
	FAULT_READ,
	FAULT_WRITE,
	FAULT_SYNC,
	FAULT_LOCK,
	FAULT_MAP,
	FAULT_CLOSE,
	FAULT_UNLINK,
	FAULT_STREAM,
	FAULT_CRYPT,
	FAULT_IDS,
	FAULT_NAMES,
	FAULT_PAM,
	FAULTS,
};

/* Forgets the schedule. */
void faults_clear(void);

/* From the count-th call of that kind on (1 is the next), `times` of them fail; 0: all of them. "memory",
 * "open" ...; others do nothing. */
void faults_add(const char *kind, uint32_t count, uint32_t times);

/* Each call of any kind fails once in `rate` on average, by a generator that begins with `seed`. */
void faults_chance(uint32_t seed, uint32_t rate);

/* They fail between arm and disarm only. faults_happened: since faults_clear(). */
void faults_arm(void);
void faults_disarm(void);
bool faults_happened(void);

/* Whether this call is to fail: errno is set then. */
bool fault(enum fault kind, int error);

#endif
