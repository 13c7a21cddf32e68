/* SPDX-License-Identifier: ISC */
/*
 * faults_look STORE LEDGER: whether the name service says what the databases say.
 *
 * faults_look STORE LEDGER OUT [BEFORE PASSWORD [AFTER]]: whether both are whole; what they say goes to
 * OUT.store and OUT.ledger, a line each row. Of a value that does not stand in BEFORE.store or BEFORE.ledger
 * only the kind is shown (a new hash: whether it is PASSWORD's), so that two runs of the same operation look
 * the same. With BEFORE, also what the name service says. With AFTER the states of both are printed: before,
 * after or other.
 *
 * Nothing of the project is linked in: an opinion of its own. Exit status 1 and a line for each fault found.
 */
#include <crypt.h>
#include <ctype.h>
#include <err.h>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#define HASH_LENGTH 60
#define KEYS "/var/lib/hexactl/keys"

static bool found; /* a fault */
static char *before; /* NULL: every value is shown */
static const char *password;

static void __attribute__((format(printf, 1, 2))) complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	found = true;
}

static sqlite3 *
open_database(const char *path)
{
	sqlite3 *db;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		errx(1, "%s: %s", path, sqlite3_errmsg(db));
	sqlite3_busy_timeout(db, 5000);
	return db;
}

static sqlite3_stmt *
query(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		errx(1, "%s: %s", sql, sqlite3_errmsg(db));
	return stmt;
}

static bool
next(sqlite3_stmt *stmt)
{
	int code = sqlite3_step(stmt);

	if (code == SQLITE_ROW)
		return true;
	if (code != SQLITE_DONE)
		errx(1, "%s: %s", sqlite3_sql(stmt), sqlite3_errmsg(sqlite3_db_handle(stmt)));
	sqlite3_finalize(stmt);
	return false;
}

static const char *
text(sqlite3_stmt *stmt, int column)
{
	const unsigned char *value = sqlite3_column_text(stmt, column);

	return value != NULL ? (const char *)value : "NULL";
}

/* ---- what they say ---- */

/* Whether it has that form: d a digit, x a hexadecimal one, anything else itself. */
static bool
is_like(const char *value, const char *form)
{
	for (; *value != '\0' && *form != '\0'; value++, form++)
		if (*form == 'd'       ? !isdigit((unsigned char)*value)
		        : *form == 'x' ? !isxdigit((unsigned char)*value)
		                       : *form != *value)
			return false;
	return *value == *form;
}

static const char *
kind_of(const char *value)
{
	static struct crypt_data memory;
	const char *hash;

	if (is_like(value, "dddd-dd-dd dd:dd:dd.ddd"))
		return "a time";
	if (is_like(value, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"))
		return "an id";
	if (is_like(value, "dddddddddd"))
		return "a number";
	if (strncmp(value, "$2!held.", 8) == 0)
		return "a hold's mark";
	if (strncmp(value, "$2!invited.", 11) == 0)
		return "an invitation's mark";
	if (strlen(value) == HASH_LENGTH && (hash = crypt_r(password, value, &memory)) != NULL &&
	    strcmp(hash, value) == 0)
		return "the new password";
	return value;
}

static void
show(sqlite3 *db, const char *sql, FILE *out)
{
	sqlite3_stmt *stmt = query(db, sql);

	while (next(stmt)) {
		for (int i = 0; i < sqlite3_column_count(stmt); i++) {
			const char *value = text(stmt, i);

			if (before != NULL && strstr(before, value) == NULL)
				value = kind_of(value);
			fprintf(out, "%s|", value);
		}
		fputc('\n', out);
	}
}

static void
show_store(sqlite3 *db, FILE *out)
{
	show(db, "SELECT 'user', * FROM users ORDER BY rowid", out);
	show(db, "SELECT 'role', * FROM roles ORDER BY rowid", out);
	show(db, "SELECT 'has', * FROM user_roles ORDER BY rowid", out);
}

/* Without what merely grows: events, codes that have ended. */
static void
show_ledger(sqlite3 *db, FILE *out)
{
	static const char *const tables[] = {
		"SELECT 'entry', * FROM entries ORDER BY kind, login",
		"SELECT 'former', * FROM former_logins ORDER BY login",
		"SELECT 'hold', user_id, actor, marker, password FROM holds ORDER BY user_id",
		"SELECT 'hold', * FROM hold_roles ORDER BY user_id, role_id",
		"SELECT 'invitation', user_id, marker, actor FROM invitations WHERE ended = 0",
		"SELECT 'key', user_id, options, type, body, comment FROM keys ORDER BY seq",
	};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		show(db, tables[i], out);
}

static FILE *
open_file(const char *name, const char *end, const char *mode)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s.%s", name, end);
	file = fopen(path, mode);
	if (file == NULL)
		err(1, "%s", path);
	return file;
}

/* Appends what is in it. */
static void
read_all(const char *name, const char *end, char **content)
{
	FILE *file = open_file(name, end, "re");
	char *grown = NULL;
	size_t size = 0;

	if (getdelim(&grown, &size, '\0', file) == -1)
		grown[0] = '\0';
	fclose(file);
	if (asprintf(content, "%s%s", *content != NULL ? *content : "", grown) == -1)
		err(1, NULL);
	free(grown);
}

static bool
is_same(const char *name, const char *other, const char *end)
{
	char *one = NULL, *two = NULL;

	read_all(name, end, &one);
	read_all(other, end, &two);
	return strcmp(one, two) == 0;
}

static const char *
state_of(const char *out, const char *before_name, const char *after, const char *end)
{
	return is_same(out, after, end) ? "after" : is_same(out, before_name, end) ? "before" : "other";
}

static void
check_whole(sqlite3 *db, const char *path)
{
	sqlite3_stmt *stmt = query(db, "PRAGMA integrity_check");

	while (next(stmt))
		if (strcmp(text(stmt, 0), "ok") != 0)
			complain("%s: %s\n", path, text(stmt, 0));
}

static void
check_no_orphan(sqlite3 *store)
{
	sqlite3_stmt *stmt = query(store,
	    "SELECT user_id FROM user_roles WHERE user_id NOT IN (SELECT id FROM users)"
	    " OR role_id NOT IN (SELECT id FROM roles)");

	while (next(stmt))
		complain("a role of %s, or a role, is nobody's\n", text(stmt, 0));
}

/* ---- whether the name service says the same ---- */

static void
compare_groups(sqlite3 *db, const char *login, gid_t gid)
{
	sqlite3_stmt *stmt = query(db,
	    "SELECT e.number FROM users u JOIN entries own ON own.kind = 1 AND own.id = u.id"
	    " JOIN user_roles ON user_id = u.id JOIN roles r ON r.id = role_id AND r.active = 1"
	    " JOIN entries e ON e.kind = 2 AND e.id = r.id WHERE own.login = ?1");
	gid_t groups[64];
	int count = 64, expected = 1;

	if (getgrouplist(login, gid, groups, &count) == -1)
		complain("%s: more than 64 groups\n", login);
	sqlite3_bind_text(stmt, 1, login, -1, SQLITE_TRANSIENT);
	for (; next(stmt); expected++) {
		bool there = false;

		for (int i = 0; i < count; i++)
			there = there || groups[i] == (gid_t)sqlite3_column_int64(stmt, 0);
		if (!there)
			complain("%s: the group %lld is missing\n", login, sqlite3_column_int64(stmt, 0));
	}
	if (expected != count)
		complain("%s: %d groups instead of %d\n", login, count, expected);
}

/* What sshd reads: a line for each key, behind one of comment; nothing of who may not log in. */
static void
compare_keys(sqlite3 *db, const char *login, bool may_log_in)
{
	sqlite3_stmt *stmt = query(db,
	    "SELECT ltrim(options || ' ') || type || ' ' || body || ' ' || comment || char(10)"
	    " FROM keys JOIN entries e ON e.kind = 1 AND e.id = user_id WHERE login = ?1 ORDER BY seq");
	char path[256], *line = NULL;
	size_t room = 0;
	FILE *file;

	snprintf(path, sizeof(path), KEYS "/%.64s", login);
	file = fopen(path, "re");
	if (file != NULL && (!may_log_in || getline(&line, &room, file) == -1))
		complain("%s: sshd sees keys\n", login);
	sqlite3_bind_text(stmt, 1, login, -1, SQLITE_TRANSIENT);
	while (next(stmt))
		if (may_log_in &&
		    (file == NULL || getline(&line, &room, file) == -1 || strcmp(line, text(stmt, 0)) != 0))
			complain("%s: sshd does not see %s", login, text(stmt, 0));
	if (file != NULL && may_log_in && getline(&line, &room, file) != -1)
		complain("%s: sshd sees %s", login, line);
	if (file != NULL)
		fclose(file);
	free(line);
}

static void
compare_user(sqlite3 *db, const char *login, uid_t uid, bool may_log_in, bool is_registered)
{
	const struct passwd *pw = getpwnam(login);
	const struct spwd *sp;

	if (pw == NULL || pw->pw_uid != uid || pw->pw_gid != uid) {
		complain("%s: is not uid %u\n", login, (unsigned)uid);
		return;
	}
	pw = getpwuid(uid);
	if (pw == NULL || strcmp(pw->pw_name, login) != 0)
		complain("uid %u: is not %s\n", (unsigned)uid, login);
	sp = getspnam(login);
	if (sp == NULL || (strcmp(sp->sp_pwdp, "*") == 0) != may_log_in)
		complain("%s: shadow says %s\n", login, sp != NULL ? sp->sp_pwdp : "nothing");
	compare_keys(db, login, may_log_in && is_registered);
	compare_groups(db, login, uid);
}

static void
compare(sqlite3 *db, const char *ledger)
{
	sqlite3_stmt *stmt = query(db, "ATTACH ?1 AS ledger");
	unsigned users = 0, shown = 0;
	const struct passwd *pw;

	sqlite3_bind_text(stmt, 1, ledger, -1, SQLITE_STATIC);
	while (next(stmt))
		continue;
	stmt = query(db,
	    "SELECT e.login, e.number, state IS 1 AND typeof(state) = 'integer' AND u.id NOT IN (SELECT "
	    "user_id FROM holds)"
	    " AND EXISTS (SELECT 1 FROM user_roles JOIN roles r ON r.id = role_id"
	    "  WHERE user_id = u.id AND r.active = 1 AND r.name IN ('admin', 'manager'))"
	    " AND (password NOT LIKE '$2!%' OR u.id IN (SELECT user_id FROM invitations WHERE ended = 0))"
	    ", password NOT LIKE '$2!%'"
	    " FROM users u LEFT JOIN entries e ON e.kind = 1 AND e.id = u.id"
	    " WHERE u.type = 'UserOrmEntity' AND e.number IS NOT NULL");
	while (next(stmt)) {
		users++;
		compare_user(db, text(stmt, 0), (uid_t)sqlite3_column_int64(stmt, 1),
		    sqlite3_column_int(stmt, 2) != 0, sqlite3_column_int(stmt, 3) != 0);
	}
	while ((pw = getpwent()) != NULL)
		shown += pw->pw_uid >= 0x70000000;
	if (shown != users)
		complain("the host shows %u users instead of %u\n", shown, users);
}

static void
write_down(const char *name, sqlite3 *store, sqlite3 *ledger)
{
	FILE *out = open_file(name, "store", "we");

	show_store(store, out);
	fclose(out);
	out = open_file(name, "ledger", "we");
	show_ledger(ledger, out);
	fclose(out);
}

int
main(int argc, char **argv)
{
	sqlite3 *store, *ledger;

	if (argc < 3 || argc == 5 || argc > 7)
		errx(2, "usage: faults_look STORE LEDGER [OUT [BEFORE PASSWORD [AFTER]]]");
	store = open_database(argv[1]);
	ledger = open_database(argv[2]);
	if (argc != 4)
		compare(store, argv[2]);
	if (argc == 3)
		return found;
	if (argc > 4) {
		read_all(argv[4], "store", &before);
		read_all(argv[4], "ledger", &before);
		password = argv[5];
	}
	check_whole(store, argv[1]);
	check_whole(ledger, argv[2]);
	check_no_orphan(store);
	write_down(argv[3], store, ledger);
	if (argc > 6 && !found)
		printf("%s %s\n", state_of(argv[3], argv[4], argv[6], "store"),
		    state_of(argv[3], argv[4], argv[6], "ledger"));
	return found;
}
