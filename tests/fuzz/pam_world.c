/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>
#include <unistd.h>

#include "bcrypt.h"
#include "fuzz.h"
#include "libhexabot/token.h"
#include "pam_world.h"

#define FILE_END (1 << 20) /* no line writes behind it */

sqlite3 *
world_open(const char *path)
{
	sqlite3 *db = NULL;

	MUST(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) == SQLITE_OK);
	return db;
}

/* False where a fault has left no database behind, or lines of the input have not. */
bool
world_run(sqlite3 *db, const char *sql)
{
	int code = sqlite3_exec(db, sql, NULL, NULL, NULL);

	MUST(code == SQLITE_OK || world.tampered);
	return code == SQLITE_OK;
}

void
world_set_password(struct row *row, char type, const char *text, size_t size)
{
	row->type = type;
	row->size = size < PASSWORD_ROOM ? size : PASSWORD_ROOM - 1;
	memcpy(row->password, text, row->size);
	row->password[row->size] = '\0';
}

static unsigned
roles_of(char *names)
{
	unsigned roles = 0;

	while (*names != '\0') {
		const char *name = fuzz_word(&names);

		for (size_t i = 0; i < ROLES; i++)
			roles |= (unsigned)(strcmp(name, role_names[i]) == 0) << i;
	}
	return roles;
}

/* hash b10 TEXT | text TEXT | blob TEXT | null | marker */
static void
take_password(struct row *row, char *rest)
{
	const char *how = fuzz_word(&rest), *variant;
	uint32_t cost;
	char hash[61];

	if (strcmp(how, "hash") == 0) {
		variant = fuzz_word(&rest);
		cost = fuzz_number(variant + (*variant != '\0'));
		bcrypt_make(rest, strchr("aby", *variant) != NULL && *variant != '\0' ? *variant : 'b',
		    cost >= 4 && cost <= 31 ? cost : 10, hash);
		world_set_password(row, 't', hash, strlen(hash));
	} else if (strcmp(how, "text") == 0 || strcmp(how, "blob") == 0) {
		world_set_password(row, how[0], rest, strlen(rest));
	} else if (strcmp(how, "nul") == 0) { /* a NUL and more behind the text */
		world_set_password(row, 't', rest, strlen(rest) + 1);
	} else if (strcmp(how, "marker") == 0) {
		world_set_password(row, 't', WORLD_MARKER, strlen(WORLD_MARKER));
	} else {
		world_set_password(row, 'n', "", 0);
	}
}

bool
world_is_of_person(const char *word)
{
	static const char *const words[] = { "row", "removed", "state", "roles", "held", "expires", "code",
		"unlisted", "renumbered" };

	for (size_t i = 0; i < COUNT(words); i++) {
		if (strcmp(word, words[i]) == 0)
			return true;
	}
	return false;
}

/* The ledger's word on who has the login; never put right again. */
static void
change_entry(struct row *row, bool remove)
{
	sqlite3 *db = world_open(HXB_LEDGER_PATH);
	char *sql = sqlite3_mprintf(
	    remove ? "DELETE FROM entries WHERE id = %Q" : "UPDATE entries SET number = 7 WHERE id = %Q",
	    people[row - world.rows].id);

	(void)world_run(db, sql);
	sqlite3_free(sql);
	sqlite3_close(db);
	row->disagrees = true;
}

static void
take_of_person(const char *word, char *rest)
{
	struct row *row = row_of(fuzz_word(&rest));

	if (row == NULL)
		return;
	if (strcmp(word, "row") == 0) {
		row->state = *fuzz_word(&rest);
		row->present = true;
		take_password(row, rest);
	} else if (strcmp(word, "removed") == 0) {
		row->present = false;
	} else if (strcmp(word, "state") == 0) {
		row->state = *rest;
	} else if (strcmp(word, "roles") == 0) {
		row->roles = roles_of(rest);
	} else if (strcmp(word, "held") == 0) {
		row->held = true;
	} else if (strcmp(word, "expires") == 0) {
		row->expires = fuzz_number(rest) * 10; /* more than nine digits are not read */
	} else if (strcmp(word, "unlisted") == 0 || strcmp(word, "renumbered") == 0) {
		change_entry(row, word[0] == 'u');
	} else {
		row->invited = true;
		row->ended = fuzz_number(fuzz_word(&rest)) % 10;
		row->good_until = fuzz_number(fuzz_word(&rest)) * 10;
		snprintf(row->code, sizeof(row->code), "%s", rest);
	}
	world.store_changed = world.store_changed || strcmp(word, "held") != 0;
	world.ledger_changed = world.ledger_changed || strcmp(word, "held") == 0 ||
	    strcmp(word, "expires") == 0 || strcmp(word, "code") == 0;
}

static const char *
path_of(const char *what)
{
	static const char *const paths[][2] = { { "conf", HXB_CONFIG_PATH }, { "store", WORLD_STORE },
		{ "ledger", HXB_LEDGER_PATH }, { "data", WORLD_DATA }, { "journal", WORLD_STORE "-journal" },
		{ "wal", HXB_LEDGER_PATH "-wal" } };

	for (size_t i = 0; i < COUNT(paths); i++) {
		if (strcmp(what, paths[i][0]) == 0)
			return paths[i][1];
	}
	return NULL;
}

/* What somebody does to a file: poke FILE OFFSET BYTE | cut FILE SIZE | mode FILE BITS | own FILE UID | gone
 * FILE */
static bool
take_of_file(const char *word, char *rest)
{
	const char *path = path_of(fuzz_word(&rest));
	uint32_t number = fuzz_number(fuzz_word(&rest));
	FILE *file;

	if (strcmp(word, "poke") != 0 && strcmp(word, "cut") != 0 && strcmp(word, "mode") != 0 &&
	    strcmp(word, "own") != 0 && strcmp(word, "gone") != 0)
		return false;
	if (path == NULL)
		return true;
	world_write();
	world.tampered = true;
	if (strcmp(word, "gone") == 0) {
		world.gone = (unlink(path) == 0 && strstr(path, ".sqlite-") == NULL &&
		                 strcmp(path, HXB_CONFIG_PATH) != 0) ||
		    world.gone;
	} else if (strcmp(word, "mode") == 0) {
		(void)chmod(path, number & 0777);
	} else if (strcmp(word, "own") == 0) {
		(void)!chown(path, number, number);
	} else if (strcmp(word, "cut") == 0) {
		(void)!truncate(path, number % FILE_END);
	} else if ((file = fopen(path, "r+e")) != NULL) {
		(void)fseek(file, (long)(number % FILE_END), SEEK_SET);
		(void)putc((int)(fuzz_number(rest) & 0xff), file);
		fclose(file);
	}
	return true;
}

/* Hexabot's user may have set its database so. */
static void
use_wal(void)
{
	sqlite3 *db = world_open(WORLD_STORE);

	world.wal = true;
	(void)world_run(db, "PRAGMA journal_mode = WAL");
	sqlite3_close(db);
}

bool
world_take(const char *word, char *rest)
{
	size_t used = strlen(world.conf);

	if (strcmp(word, "conf") == 0) {
		if (used + strlen(rest) + 2 < sizeof(world.conf))
			snprintf(world.conf + used, sizeof(world.conf) - used, "%s\n", rest);
		world.conf_changed = true;
		return true;
	}
	if (strcmp(word, "inactive") == 0) {
		for (size_t i = 0; i < ROLES; i++)
			world.role_active[i] = world.role_active[i] && strcmp(rest, role_names[i]) != 0;
		world.store_changed = true;
		return true;
	}
	if (strcmp(word, "wal") == 0) {
		use_wal();
		return true;
	}
	if (strcmp(word, "pam") == 0 && world.argc < ARGUMENTS) {
		snprintf(world.arguments[world.argc], sizeof(world.arguments[0]), "%s", rest);
		world.argv[world.argc] = world.arguments[world.argc];
		world.argc++;
		return true;
	}
	if (!world_is_of_person(word))
		return take_of_file(word, rest);
	take_of_person(word, rest);
	return true;
}

static void
bind_password(sqlite3_stmt *stmt, int place, const struct row *row)
{
	if (row->type == 't')
		sqlite3_bind_text(stmt, place, row->password, (int)row->size, SQLITE_STATIC);
	else if (row->type == 'b')
		sqlite3_bind_blob(stmt, place, row->password, (int)row->size, SQLITE_STATIC);
	else
		sqlite3_bind_null(stmt, place);
}

static const char *
state_literal(char state)
{
	switch (state) {
	case '0':
		return "0";
	case '1':
		return "1";
	case '2':
		return "2";
	case 't':
		return "'true'";
	case 'r':
		return "1.5";
	default:
		return "NULL";
	}
}

static void
write_row(sqlite3 *db, const struct person *person, const struct row *row)
{
	char *sql =
	    sqlite3_mprintf("INSERT INTO users (id, username, firstName, lastName, type, state, password)"
	                    " VALUES (%Q, %Q, 'F', 'L', 'UserOrmEntity', %s, ?1)",
	        person->id, person->login, state_literal(row->state));
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK) {
		bind_password(stmt, 1, row);
		MUST(sqlite3_step(stmt) == SQLITE_DONE || world.tampered);
	}
	sqlite3_finalize(stmt);
	sqlite3_free(sql);
	for (size_t i = 0; i < ROLES; i++) {
		if ((row->roles & 1u << i) == 0)
			continue;
		sql = sqlite3_mprintf("INSERT INTO user_roles VALUES (%Q, %Q)", person->id, role_ids[i]);
		world_run(db, sql);
		sqlite3_free(sql);
	}
}

static void
write_store(void)
{
	sqlite3 *db = world_open(WORLD_STORE);
	char *sql;

	if (!world.wal)
		(void)world_run(db, "PRAGMA journal_mode = MEMORY");
	if (world_run(db,
	        "PRAGMA synchronous = OFF; BEGIN;"
	        "DELETE FROM user_roles; DELETE FROM users")) {
		for (size_t i = 0; i < ROLES; i++) {
			sql = sqlite3_mprintf(
			    "UPDATE roles SET active = %d WHERE id = %Q", world.role_active[i], role_ids[i]);
			world_run(db, sql);
			sqlite3_free(sql);
		}
		for (size_t i = 0; i < PEOPLE; i++) {
			if (world.rows[i].present)
				write_row(db, &people[i], &world.rows[i]);
		}
		world_run(db, "COMMIT");
	}
	sqlite3_close(db);
}

/* The digest of a code that is none is no code's. */
static void
write_invitation(sqlite3 *db, const struct person *person, const struct row *row)
{
	unsigned char digest[HXB_CODE_DIGEST_SIZE] = { 0 };
	char *sql = sqlite3_mprintf(
	    "INSERT INTO invitations (digest, user_id, marker, actor, created, expires, ended)"
	    " VALUES (?1, %Q, %Q, 'root', 0, %u, %u)",
	    person->id, WORLD_MARKER, row->good_until, row->ended);
	sqlite3_stmt *stmt = NULL;

	if (!hxb_code_digest(row->code, digest))
		digest[0] = (unsigned char)(person - people);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK) {
		sqlite3_bind_blob(stmt, 1, digest, sizeof(digest), SQLITE_STATIC);
		/* Two people with one code: only the first has it. */
		if (sqlite3_step(stmt) != SQLITE_DONE)
			world.rows[person - people].invited = false;
	}
	sqlite3_finalize(stmt);
	sqlite3_free(sql);
}

static void
write_ledger(void)
{
	sqlite3 *db = world_open(HXB_LEDGER_PATH);
	char *sql;

	if (world_run(db, "PRAGMA synchronous = OFF; BEGIN; DELETE FROM holds; DELETE FROM invitations")) {
		for (size_t i = 0; i < PEOPLE; i++) {
			const struct row *row = &world.rows[i];

			sql =
			    sqlite3_mprintf("UPDATE entries SET expires = %u WHERE id = %Q; INSERT INTO holds"
			                    " SELECT %Q, '', 'root', '$2!held.x', NULL WHERE %d",
			        row->expires, people[i].id, people[i].id, row->held);
			world_run(db, sql);
			sqlite3_free(sql);
			if (row->invited)
				write_invitation(db, &people[i], row);
		}
		world_run(db, "COMMIT");
	}
	sqlite3_close(db);
}

void
world_write(void)
{
	if (world.conf_changed)
		fuzz_write_file(HXB_CONFIG_PATH, world.conf, strlen(world.conf), 0600);
	if (world.store_changed)
		write_store();
	if (world.ledger_changed)
		write_ledger();
	world.conf_changed = world.store_changed = world.ledger_changed = false;
}

static void
read_row(sqlite3 *db, const struct person *person, struct row *row)
{
	char *sql = sqlite3_mprintf("SELECT password, state FROM users WHERE id = %Q", person->id);
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
		int type = sqlite3_column_type(stmt, 0);
		const void *bytes = sqlite3_column_blob(stmt, 0);

		world_set_password(row,
		    type == SQLITE_TEXT       ? 't'
		        : type == SQLITE_NULL ? 'n'
		                              : 'b',
		    bytes != NULL ? bytes : "", (size_t)sqlite3_column_bytes(stmt, 0));
		/* No stage turns anybody on or off. */
		MUST((sqlite3_column_type(stmt, 1) == SQLITE_INTEGER && sqlite3_column_int(stmt, 1) == 1) ==
		        (row->state == '1') ||
		    world.tampered);
	} else {
		MUST(!row->present || world.tampered);
	}
	sqlite3_finalize(stmt);
	sqlite3_free(sql);
}

static void
read_invitation(sqlite3 *db, const struct person *person, struct row *row)
{
	char *sql = sqlite3_mprintf("SELECT ended FROM invitations WHERE user_id = %Q", person->id);
	sqlite3_stmt *stmt = NULL;
	uint32_t ended;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
		ended = (uint32_t)sqlite3_column_int(stmt, 0);
		/* What has ended has ended for good. */
		MUST(row->ended == 0 || row->ended == ended || world.tampered);
		row->ended = ended;
	}
	sqlite3_finalize(stmt);
	sqlite3_free(sql);
}

void
world_read_back(void)
{
	sqlite3 *store, *ledger;

	if (world.tampered)
		return;
	store = world_open(WORLD_STORE);
	ledger = world_open(HXB_LEDGER_PATH);
	for (size_t i = 0; i < PEOPLE; i++) {
		read_row(store, &people[i], &world.rows[i]);
		read_invitation(ledger, &people[i], &world.rows[i]);
	}
	sqlite3_close(store);
	sqlite3_close(ledger);
}
