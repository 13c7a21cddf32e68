/* SPDX-License-Identifier: ISC */
/* What every input begins with: made once by the product's own functions, then copied. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bcrypt.h"
#include "fuzz.h"
#include "libhexabot/ledger.h"
#include "libhexabot/map_write.h"
#include "libhexabot/store_private.h"
#include "libhexabot/token.h"
#include "pam_world.h"

#define HEXABOT 1000 /* Hexabot's user, and group */
#define FILE_MAX_SIZE (1 << 20)

const struct person people[PEOPLE] = {
	{ "mona", "e060a724-2411-4258-b51b-4c8349a047dc", 1900000010, 1 },
	{ "max", "78549014-6ded-486a-9f4f-b02bb7a1774f", 1900000011, 2 },
	{ "ada", "28fdb92d-ab26-4981-aaf3-8f6c159d6a38", 1900000012, 3 },
};
const uint32_t role_gids[ROLES] = { 1900000001, 1900000002, 1900000003, 1900000004 };
const char *const role_names[ROLES] = { "admin", "manager", "public", "operators" };
const char *const role_ids[ROLES] = { "f38b2ffc-80a4-4f5a-91c9-bc701e7ea419",
	"f3f49249-dc28-4f90-a5ae-c7978306d03b", "e5121482-3929-4d22-a255-accb1a466884",
	"6bad6be2-8e7a-46e9-9f19-950499dd251d" };

struct world world;
static struct world beginning;

/* A file as it is at the beginning of each input. */
struct image {
	unsigned char bytes[FILE_MAX_SIZE];
	size_t size;
};
static struct image store_file, ledger_file;

static void
read_image(const char *path, struct image *image)
{
	FILE *file = fopen(path, "re");

	MUST(file != NULL);
	image->size = fread(image->bytes, 1, sizeof(image->bytes), file);
	MUST(image->size > 0 && image->size < sizeof(image->bytes));
	fclose(file);
}

static void
make_map(void)
{
	struct hxb_error error = { "" };
	struct hxb_map_writer *writer;
	uint32_t index, roles[ROLES];

	MUST(hxb_map_writer_new(HXB_STATE_DIR, true, &writer, &error) == HXB_OK);
	for (size_t i = 0; i < ROLES; i++) {
		struct hxb_map_role role = { .gid = role_gids[i], .id_digest = hxb_id_digest(role_ids[i]) };
		char group[64];

		snprintf(group, sizeof(group), "hexabot-%s", role_names[i]);
		role.group = group;
		MUST(hxb_map_writer_role(writer, &role, &index) == HXB_OK);
	}
	for (size_t i = 0; i < PEOPLE; i++) {
		struct hxb_map_user user = { .login = people[i].login,
			.gecos = "",
			.home = "/home/x",
			.shell = "/bin/sh",
			.uid = people[i].uid,
			.id_digest = hxb_id_digest(people[i].id),
			.shadow = HXB_SHADOW_ENABLED,
			.roles = roles };

		for (uint32_t role = 0; role < ROLES; role++) {
			if ((people[i].roles & 1u << role) != 0)
				roles[user.role_count++] = role;
		}
		MUST(hxb_map_writer_user(writer, &user) == HXB_OK);
	}
	MUST(hxb_map_writer_write(writer, &(struct hxb_map_info){ .generation = 1 }, &error) == HXB_OK);
	MUST(hxb_map_writer_install(writer, &error) == HXB_OK);
	hxb_map_writer_free(writer);
}

static void
make_ledger(void)
{
	const struct hxb_ledger_meta meta = {
		.store_uid = HEXABOT, .uid_min = 1879048192, .uid_max = 2147483646, .generation = 1
	};
	struct hxb_error error = { "" };
	struct hxb_ledger *ledger;
	char nothing[] = "";

	(void)unlink(HXB_LEDGER_PATH);
	(void)unlink(HXB_LEDGER_PATH "-wal");
	(void)unlink(HXB_LEDGER_PATH "-shm");
	MUST(hxb_ledger_create(HXB_LEDGER_PATH, &meta, &error) == HXB_OK);
	MUST(hxb_ledger_open(HXB_LEDGER_PATH, 0, hxb_deadline_in(5000), &ledger, &error) == HXB_OK);
	for (size_t i = 0; i < PEOPLE; i++) {
		struct hxb_entry entry = { .kind = HXB_ENTRY_USER, .number = people[i].uid };

		entry.id = strdup(people[i].id);
		entry.login = strdup(people[i].login);
		entry.shell = entry.home = nothing;
		MUST(hxb_ledger_put(ledger, &entry, &error) == HXB_OK);
		free(entry.id);
		free(entry.login);
	}
	hxb_ledger_checkpoint(ledger);
	hxb_ledger_close(ledger);
	read_image(HXB_LEDGER_PATH, &ledger_file);
}

static void
make_store(void)
{
	sqlite3 *db;
	char *sql;

	(void)unlink(WORLD_STORE);
	db = world_open(WORLD_STORE);
	world_run(db, hxb_store_schema);
	for (size_t i = 0; i < ROLES; i++) {
		sql = sqlite3_mprintf(
		    "INSERT INTO roles (id, name) VALUES (%Q, %Q)", role_ids[i], role_names[i]);
		world_run(db, sql);
		sqlite3_free(sql);
	}
	MUST(sqlite3_close(db) == SQLITE_OK);
	read_image(WORLD_STORE, &store_file);
}

static void
put_file(const char *path, const struct image *image, uid_t owner)
{
	static const char *const suffixes[] = { "-journal", "-wal", "-shm" };
	char beside[512];

	for (size_t i = 0; i < COUNT(suffixes); i++) {
		snprintf(beside, sizeof(beside), "%s%s", path, suffixes[i]);
		(void)unlink(beside);
	}
	fuzz_write_file(path, image->bytes, image->size, 0600);
	MUST(chown(path, owner, owner) == 0);
}

void
world_reset(void)
{
	world = beginning;
	put_file(WORLD_STORE, &store_file, HEXABOT);
	put_file(HXB_LEDGER_PATH, &ledger_file, 0);
	snprintf(world.conf, sizeof(world.conf), "store = %s\n", WORLD_STORE);
	world.conf_changed = true;
	world.store_changed = world.ledger_changed = false;
}

/* Everybody enabled, with the map's roles and the password pw-LOGIN. */
static void
make_people(void)
{
	char hash[61], password[64];

	for (size_t i = 0; i < ROLES; i++)
		beginning.role_active[i] = true;
	for (size_t i = 0; i < PEOPLE; i++) {
		beginning.rows[i] = (struct row){ .present = true, .state = '1', .roles = people[i].roles };
		snprintf(password, sizeof(password), "pw-%s", people[i].login);
		bcrypt_make(password, 'b', 10, hash);
		world_set_password(&beginning.rows[i], 't', hash, strlen(hash));
	}
	world_reset();
	world.store_changed = true;
	world_write();
	read_image(WORLD_STORE, &store_file);
}

bool
world_possible(void)
{
	static enum { UNKNOWN, NO, YES } possible;

	if (possible == UNKNOWN && !fuzz_has_state_dir())
		possible = NO;
	if (possible == UNKNOWN) {
		MUST(mkdir(HXB_PRIVATE_DIR, 0700) == 0 || errno == EEXIST);
		MUST(mkdir(HXB_SYSCONF_DIR, 0755) == 0 || errno == EEXIST);
		MUST(mkdir(HXB_CONFIG_DIR, 0755) == 0 || errno == EEXIST);
		MUST(mkdir(WORLD_DATA, 0755) == 0 || errno == EEXIST);
		MUST(chown(WORLD_DATA, HEXABOT, HEXABOT) == 0);
		make_map();
		make_ledger();
		make_store();
		make_people();
		possible = YES;
	}
	return possible == YES;
}
