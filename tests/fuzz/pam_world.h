/* SPDX-License-Identifier: ISC */
/*
 * The host that fuzz_pam.c plays in: three people in the map, their rows in a real store of Hexabot's user,
 * their entries in a real ledger, a configuration. Lines of the input change it; what they say is also kept
 * here as plain data, and from that alone the oracle below tells who may get in.
 */
#ifndef HXB_FUZZ_PAM_WORLD_H
#define HXB_FUZZ_PAM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "libhexabot/config.h"
#include "libhexabot/paths.h"

#define PEOPLE 3
#define ROLES 4
#define ARGUMENTS 8
#define PASSWORD_ROOM 256
#define WORLD_DATA HXB_SYSCONF_DIR "/data"
#define WORLD_STORE WORLD_DATA "/hexabot.sqlite"
#define WORLD_MARKER "$2!invited.0123"

/* What never changes: the map's part, and the name service's. */
struct person {
	const char *login, *id;
	uint32_t uid;
	unsigned roles; /* bits: in the map */
};
extern const struct person people[PEOPLE];
extern const uint32_t role_gids[ROLES];
extern const char *const role_names[ROLES], *const role_ids[ROLES];

struct row {
	bool present; /* in the store, as an operator */
	char state; /* what the column holds: '1' '0' '2' are integers, 'n' NULL, 't' 'true', 'r' 1.5 */
	char type; /* of the password column: 'n' NULL, 't' text, 'b' blob */
	char password[PASSWORD_ROOM]; /* the column */
	size_t size;
	unsigned roles; /* bits */
	bool held;
	uint32_t expires; /* 0: never */
	bool disagrees; /* the ledger's entry with the map */
	bool invited;
	uint32_t ended; /* hxb_invitation_end; 0: open */
	uint32_t good_until;
	char code[64]; /* as the person has it */
};

struct world {
	struct row rows[PEOPLE];
	bool role_active[ROLES];
	bool wal; /* the store's journal */
	bool tampered; /* with files: nothing is known of what they say */
	bool gone; /* store or ledger: nobody gets in */
	int argc;
	const char *argv[ARGUMENTS];
	char arguments[ARGUMENTS][128];
	char conf[8192];
	bool conf_changed, store_changed, ledger_changed; /* since the files were written */
};
extern struct world world;

/* false: there can't be such a host here. */
bool world_possible(void);

/* Everything as it was in the beginning. */
void world_reset(void);

/* Takes "row mona 1 hash b10 pw-mona" and the like; false: it is no line of the world's. */
bool world_take(const char *word, char *rest);

/* Whether such a line is about one person. */
bool world_is_of_person(const char *word);

/* Brings files and data together: what lines have said to the files, and back what the product has written.
 */
void world_write(void);
void world_read_back(void);

void world_set_password(struct row *row, char type, const char *text, size_t size);

/* The harness's own look at a database. world_run: false, and no finding, where lines have spoilt it. */
sqlite3 *world_open(const char *path);
bool world_run(sqlite3 *db, const char *sql);

/* NULL: nobody of ours. */
const struct person *person_of(const char *login);
struct row *row_of(const char *login);

/*
 * The oracle. Of a row, under a readable configuration: whether it is of somebody who is enabled and has a
 * login role; whether the text is the row's password; or a good code that stands for it.
 */
bool may_log_in(const struct row *row, const struct hxb_config *config);
bool is_disabled(const struct row *row);
bool is_marked(const struct row *row);
bool is_password(const struct row *row, const char *typed, unsigned max_cost);
bool is_code(const struct row *row, const char *typed);
bool has_stale_group(const struct person *person, const struct row *row);

#endif
