/* SPDX-License-Identifier: ISC */
/*
 * What a cell has written. MUST: a refusal writes nothing, neither to the store nor to the ledger, but that
 * an invitation has ended by itself; a new password is one row, one event, and the end of an open invitation.
 * What had to be written is looked at and taken back; then everything has to be as it was before.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "libhexabot/map.h"
#include "libhexabot/map_format.h"
#include "libhexabot/password.h"
#include "libhexabot/paths.h"
#include "matrix.h"

#define ADA_ID "28fdb92d-ab26-4981-aaf3-8f6c159d6a38"
#define LOG_PATH HXB_LEDGER_PATH "-wal"

struct file {
	bool exists;
	mode_t mode;
	size_t size;
	char bytes[512 * 1024];
};
static struct file image_of_store, image_of_ledger, image_of_map, marked_store, marked_ledger, now;
static const struct file *before_store, *before_ledger; /* what the cell's stage found */
static bool as_image; /* all is as in the image */
static char reason[512];

static void
read_whole(const char *path, struct file *file)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t size;

	file->exists = fd != -1;
	file->size = 0;
	if (fd == -1)
		return;
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_size < (off_t)sizeof(file->bytes));
	size = read(fd, file->bytes, sizeof(file->bytes));
	assert_int_equal(size, st.st_size);
	file->size = (size_t)size;
	file->mode = st.st_mode & 07777;
	close(fd);
}

static void
write_whole(const char *path, const struct file *file)
{
	int fd;

	if (!file->exists) {
		unlink(path);
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, file->mode);
	assert_true(fd != -1);
	assert_int_equal(write(fd, file->bytes, file->size), file->size);
	assert_int_equal(ftruncate(fd, (off_t)file->size), 0);
	close(fd);
}

static bool
same(const char *path, const struct file *file)
{
	read_whole(path, &now);
	return now.exists == file->exists && now.size == file->size &&
	    memcmp(now.bytes, file->bytes, now.size) == 0;
}

static bool
is_empty(const char *path)
{
	struct stat st;

	return stat(path, &st) == -1 || st.st_size == 0;
}

/* Closing it folds the log into the ledger. */
static void
fold_log(void)
{
	if (!is_empty(LOG_PATH))
		sql(HXB_LEDGER_PATH, "PRAGMA wal_checkpoint(TRUNCATE)");
}

void
keep_image(void)
{
	fold_log();
	read_whole(store_path, &image_of_store);
	read_whole(HXB_LEDGER_PATH, &image_of_ledger);
	read_whole(HXB_MAP_PATH, &image_of_map);
	as_image = false;
}

/* As the publisher does it: never in place, and whoever has mapped the other one is told. */
static void
restore_map(void)
{
	const uint32_t superseded = 1;
	int other = open(HXB_MAP_PATH, O_WRONLY | O_CLOEXEC);

	assert_true(other != -1);
	write_whole(HXB_STATE_DIR "/map.new", &image_of_map);
	assert_int_equal(rename(HXB_STATE_DIR "/map.new", HXB_MAP_PATH), 0);
	assert_int_equal(
	    pwrite(other, &superseded, sizeof(superseded), offsetof(struct hxb_map_header, superseded)),
	    sizeof(superseded));
	close(other);
}

void
restore_image(void)
{
	if (as_image)
		return;
	write_whole(store_path, &image_of_store);
	unlink(LOG_PATH);
	unlink(HXB_LEDGER_PATH "-shm");
	write_whole(HXB_LEDGER_PATH, &image_of_ledger);
	if (!same(HXB_MAP_PATH, &image_of_map))
		restore_map();
	as_image = true;
	before_store = &image_of_store;
	before_ledger = &image_of_ledger;
}

void
mark_before(void)
{
	fold_log();
	read_whole(store_path, &marked_store);
	read_whole(HXB_LEDGER_PATH, &marked_ledger);
	before_store = &marked_store;
	before_ledger = &marked_ledger;
	as_image = false;
}

static bool
wrong(const char **why, const char *what, const char *more)
{
	snprintf(reason, sizeof(reason), "%s%s", what, more);
	*why = reason;
	return false;
}

static bool
is_by_root(const struct cell *cell)
{
	return cell->caller == ROOT && cell->stage == CHANGE;
}

/* Whether this stage is one that notices that the invitation has ended. */
static bool
settles(const struct cell *cell)
{
	return cell->situation->settles != HXB_INVITATION_OPEN && cell->stage != SETCRED &&
	    cell->stage != CLOSE && (cell->situation->moment == NEVER || is_changed_before(cell));
}

/* What has to end an open invitation, and what the ledger has to tell of it all. */
static enum hxb_invitation_end
what_has_to_happen(const struct cell *cell, bool open, bool sets, char *events, size_t size)
{
	enum hxb_invitation_end end = HXB_INVITATION_OPEN;
	const char *first = "", *second = "";

	if (open && settles(cell))
		end = cell->situation->settles;
	else if (open && sets)
		end = is_by_root(cell) ? HXB_INVITATION_PASSWORD_SET : HXB_INVITATION_USED;
	if (end == HXB_INVITATION_EXPIRED)
		first = "lapse by hexactl;";
	else if (end == HXB_INVITATION_REGISTERED)
		first = "register by hexabot;";
	if (end == HXB_INVITATION_USED)
		second = "register by ada;";
	else if (sets)
		second = is_by_root(cell) ? "passwd by root;" : "passwd by ada;";
	snprintf(events, size, "%s%s", first, second);
	return end;
}

/* Rows of a table that are in one of two databases only. */
#define DIFFERENT(table, one, other) \
	"(SELECT count(*) FROM (SELECT * FROM " one "." table " EXCEPT SELECT * FROM " other "." table "))"
#define DIFFERENCES(table, one, other) DIFFERENT(table, one, other) "+" DIFFERENT(table, other, one)
#define STORE(table) DIFFERENCES(table, "store", "old_store")
#define LEDGER(table) DIFFERENCES(table, "ledger", "old_ledger")

/* What was written, in the one row of `found`. What may be written is done to the old ones as well: then
 * nothing is different. */
static const char look[] =
    "ATTACH %Q AS old_store; ATTACH %Q AS old_ledger; ATTACH %Q AS store; ATTACH %Q AS ledger;"
    "CREATE TABLE IF NOT EXISTS found (told, ended, hash, in_store, in_ledger); DELETE FROM found;"
    "INSERT INTO found (told, ended, hash) SELECT"
    " (SELECT group_concat(action || ' by ' || actor || ';', '') FROM ledger.events"
    "  WHERE seq NOT IN (SELECT seq FROM old_ledger.events)),"
    " (SELECT ended FROM ledger.invitations WHERE seq = (SELECT seq FROM old_ledger.invitations WHERE ended "
    "= 0)),"
    " coalesce((SELECT password FROM ledger.holds), (SELECT password FROM store.users WHERE id = %Q));"
    "INSERT INTO old_ledger.events SELECT * FROM ledger.events WHERE seq NOT IN"
    " (SELECT seq FROM old_ledger.events);"
    "UPDATE old_ledger.invitations SET ended = (SELECT ended FROM found) WHERE ended = 0;"
    "UPDATE old_ledger.holds SET password = (SELECT hash FROM found) WHERE %d;"
    "UPDATE old_store.users SET (password, updated_at) ="
    " (SELECT password, updated_at FROM store.users AS s WHERE s.id = old_store.users.id)"
    " WHERE id = %Q AND %d AND NOT EXISTS (SELECT * FROM ledger.holds);"
    "UPDATE found SET in_store = " STORE("users") "+" STORE("roles") "+" STORE(
        "user_roles") ","
                      " in_ledger = " LEDGER("entries") "+" LEDGER("former_logins") "+" LEDGER("holds") "+" LEDGER(
                          "hold_roles") "+" LEDGER("invitations") "+" LEDGER("events") "+" LEDGER("meta");

static bool
is_what_has_to_be(const struct cell *cell, bool sets, const char **why)
{
	const char *found = in_dir("found");
	char events[64], expected[96], told[256], hash[HXB_HASH_SIZE];
	int64_t ended;
	enum hxb_invitation_end end;

	write_whole(in_dir("before.store"), before_store);
	write_whole(in_dir("before.ledger"), before_ledger);
	sql(found, look, in_dir("before.store"), in_dir("before.ledger"), store_path, HXB_LEDGER_PATH, ADA_ID,
	    sets, ADA_ID, sets);
	snprintf(told, sizeof(told), "%s",
	    sql_text(found,
	        "SELECT coalesce(told, '') || '|' || coalesce(ended, -1) || '|' || in_store || '|' ||"
	        " in_ledger FROM found"));
	ended = sql_number(found, "SELECT coalesce(ended, -1) FROM found");
	end = what_has_to_happen(cell, ended != -1, sets, events, sizeof(events));
	snprintf(expected, sizeof(expected), "%s|%d|0|0", events, ended == -1 ? -1 : (int)end);
	if (strcmp(told, expected) != 0)
		return wrong(why, "events, end of the invitation, rows of store and ledger: ", told);
	if (!sets)
		return true;
	snprintf(hash, sizeof(hash), "%s", sql_text(found, "SELECT hash FROM found"));
	if (strncmp(hash, "$2b$10$", 7) != 0 || !hxb_password_verify(NEW_PASSWORD, hash, 10, 10))
		return wrong(why, "no new password", "");
	return true;
}

bool
wrote_as_expected(const struct cell *cell, const struct expected *expected, const char **why)
{
	char journal[PATH_MAX + 16];

	snprintf(journal, sizeof(journal), "%s-journal", store_path);
	if (!is_empty(journal))
		return wrong(why, "a journal lies beside the store", "");
	if (!expected->sets && !settles(cell) && is_empty(LOG_PATH) && same(store_path, before_store) &&
	    same(HXB_LEDGER_PATH, before_ledger))
		return true;
	as_image = false;
	if (!before_store->exists || !before_ledger->exists)
		return wrong(why, "something was made where nothing was", "");
	return is_what_has_to_be(cell, expected->sets, why);
}
