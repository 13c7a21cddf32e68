/* SPDX-License-Identifier: ISC */
/* make bench: what its files share. They only measure; report.awk judges. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_DIR "/srv/bench"
#define BENCH_PASSWORD "pw-bench"
#define HOT_KEYS 1000
#define MAX_BATCH 4096

/* What is asked of a backend. Of each operation there is one batch a round. */
enum operation {
	GETPWNAM,
	GETPWUID,
	GETGRNAM,
	GETGRGID,
	INITGROUPS,
	LAST_LOOKUP = INITGROUPS,
	GETPWENT, /* a batch is walks through all users */
	GETENT, /* getent(1) that asks this backend alone */
	GETENT_BEHIND, /* ... behind files, as nsswitch.conf has it */
	LOAD, /* dlopen() of the backend's library in a fresh process */
	PAM_AUTH, /* without the time in crypt(3) */
	PAM_AUTH_WHOLE, /* pam_start() to pam_end(), also without it */
	PAM_ACCOUNT,
	PAM_ACCOUNT_WHOLE,
	OPERATIONS
};

enum keys { HIT, MISS, HOT, KEYS };

struct backend {
	const char *name;
	const char *service; /* in nsswitch.conf; NULL: no NSS module */
	const char *library;
	uint32_t operations; /* bits: 1 << enum operation */
	bool configured; /* by __nss_configure_lookup(), without a look at nsswitch.conf at each call */
	bool daemon; /* is there only if it could be started: BENCH_DIR/SIZE/NAME.ok */
};

/* The users of one size: user N is called "user" and seven digits. */
struct people {
	uint32_t count;
	uint32_t *uid; /* by user */
	uint32_t *sorted;
	bool *may_log_in; /* by user */
	uint32_t hot[HOT_KEYS];
};

struct key {
	char text[32]; /* login or group */
	uint32_t id;
};

struct answer {
	double ns; /* of one: the mean of a batch of lookups, else the median */
	uint32_t wrong;
};

extern const char *const operation_names[OPERATIONS];
extern const char *const key_names[KEYS];
extern const struct backend backends[];
extern const size_t backend_count;

uint64_t now_ns(void);
const struct backend *backend_by_name(const char *name);

/* Enters a mount namespace where the files of `size` users are the host's, those of this backend included. */
void view_enter(const struct backend *backend, uint32_t size);

const struct people *people_load(uint32_t size);
/* Draws `count` keys for an operation, as text and number. first: not at random, but the first ones. */
void keys_draw(const struct people *, enum operation, enum keys, struct key *out, uint32_t count, bool first);

/* One lookup through glibc or SQLite. Returns whether the answer was the right one. */
bool lookup(const struct backend *, enum operation, const struct key *key, bool expected);
/* Walks through all users, or half a second. Returns nanoseconds for each of *count. */
double walk(const struct backend *, uint32_t *count);

bool sqlite_lookup(enum operation, const struct key *key, bool expected);
uint32_t sqlite_walk(void);
/* What SQLite needs to read the rows that a publish reads, in nanoseconds: joined, or the two plain scans. */
uint64_t sqlite_read(const char *path, bool joined);
void sqlite_run(const char *path, const char *sql);

/* One PAM transaction as `login`; nanoseconds, without those in crypt(3). */
struct answer pam_run(const char *service, enum operation, const char *login);

/* One child process; nanoseconds from spawn to exit, or what a loading child reports. */
struct answer spawn_getent(const char *services, const char *login);
struct answer spawn_load(const char *library);
int load_main(const char *library);

/* What glibc's dispatch asks in this process from here on. */
void backend_configure(const struct backend *backend);

struct worker;
struct worker *worker_start(const struct backend *, const struct people *);
struct answer worker_ask(const struct worker *, enum operation, enum keys, uint32_t count);
void worker_stop(struct worker *);

/* A program of its own, in a view: how much memory of its own a process has after lookups. */
int memory_main(const struct backend *, uint32_t size);
/* The same for strace(1): `count` lookups in the steady state between two calls of getppid(). */
int calls_main(const struct backend *, uint32_t size, enum operation, uint32_t count);
/* hexactl init, the first publish. Then some more on a host that vanishes, if that does not take long. */
int first_main(uint32_t size);
void bench_publish(uint32_t size);

/* Sorts the values. */
double median(double *values, size_t count);
/* A line of the table: median and quartiles of the values, which it sorts. */
void print_line(const char *metric, const char *keys, const char *backend, uint32_t size, double *values,
    size_t count, const char *unit, uint32_t wrong);

#endif
