/* SPDX-License-Identifier: ISC */
/*
 * The map as NSS reads it. Whatever the bytes are: no read outside, an answer lies in the caller's buffer and
 * is what was asked for. Whatever up to four bytes of a good map are changed to, and wherever it is cut: the
 * right answer or none, never another one.
 *
 * Input: a first byte, then
 *   'c'  changes of the sample map: offset (two bytes, little-endian) and what is xored (one byte), up to
 * four times; then, if there is more, the length (two bytes) 'r'  a map; 'h' the same with its header's size
 * and checksum put right; 's' with the records' too
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fuzz.h"
#include "libhexabot/map_format.h"
#include "libhexabot/map_write.h"
#include "nss_hexabot/nss_hexabot.h"

#define SAMPLE_MAX 8192
#define LIST_MAX 64 /* entries looked at */

static const uint32_t two_roles[] = { 0, 1 }, one_role[] = { 1 }, many_roles[] = { 0, 1, 2, 3 };

static const struct hxb_map_role sample_roles[] = {
	{ .group = "hexabot-admin", .gid = 1900000001, .id_digest = 11 },
	{ .group = "hexabot-manager", .gid = 1900000002, .id_digest = 12 },
	{ .group = "hexabot-a", .gid = 1900000003, .id_digest = 13 },
	{ .group = "hexabot-b", .gid = 1900000004, .id_digest = 14 },
};
static const struct hxb_map_user sample_users[] = {
	{ .login = "alice",
	    .gecos = "Alice Liddell",
	    .home = "/home/alice",
	    .shell = "/bin/bash",
	    .uid = 1900000010,
	    .id_digest = 21,
	    .shadow = HXB_SHADOW_ENABLED,
	    .roles = two_roles,
	    .role_count = 2 },
	{ .login = "bob",
	    .gecos = "Bob",
	    .home = "/home/bob",
	    .shell = "/bin/sh",
	    .uid = 1900000011,
	    .id_digest = 22,
	    .shadow = HXB_SHADOW_INVITED,
	    .roles = one_role,
	    .role_count = 1 },
	{ .login = "Dora.x",
	    .gecos = "",
	    .home = "/srv/d",
	    .shell = "/bin/bash",
	    .uid = 1900000012,
	    .id_digest = 23,
	    .shadow = HXB_SHADOW_DENIED,
	    .roles = many_roles,
	    .role_count = 4 },
};

static unsigned char sample[SAMPLE_MAX];
static size_t sample_size;

/* Moved on before each input, so that its map is looked at anew. */
static time_t seconds = 1000;
int __wrap_clock_gettime(clockid_t, struct timespec *);
time_t __wrap_time(time_t *);

int
__wrap_clock_gettime(clockid_t id, struct timespec *now)
{
	(void)id;
	*now = (struct timespec){ .tv_sec = seconds };
	return 0;
}

time_t
__wrap_time(time_t *now)
{
	(void)now;
	return 1800000000;
}

static void
make_sample(void)
{
	struct hxb_error error = { "" };
	struct hxb_map_writer *writer;
	uint32_t index;
	FILE *file;

	MUST(hxb_map_writer_new(HXB_STATE_DIR, true, &writer, &error) == HXB_OK);
	for (size_t i = 0; i < COUNT(sample_roles); i++)
		MUST(hxb_map_writer_role(writer, &sample_roles[i], &index) == HXB_OK);
	for (size_t i = 0; i < COUNT(sample_users); i++)
		MUST(hxb_map_writer_user(writer, &sample_users[i]) == HXB_OK);
	MUST(hxb_map_writer_write(writer, &(struct hxb_map_info){ .generation = 1 }, &error) == HXB_OK);
	MUST(hxb_map_writer_install(writer, &error) == HXB_OK);
	hxb_map_writer_free(writer);
	file = fopen(HXB_MAP_PATH, "re");
	MUST(file != NULL);
	sample_size = fread(sample, 1, sizeof(sample), file);
	MUST(sample_size > sizeof(struct hxb_map_header) && sample_size < sizeof(sample));
	fclose(file);
}

static const struct hxb_map_user *
sample_user(const char *login, uint32_t uid)
{
	for (size_t i = 0; i < COUNT(sample_users); i++) {
		if (login != NULL ? strcmp(sample_users[i].login, login) == 0 : sample_users[i].uid == uid)
			return &sample_users[i];
	}
	return NULL;
}

/* A string that ends within the buffer. */
static void
check_text(const char *text, const char *buffer, size_t size)
{
	MUST(text >= buffer && text < buffer + size);
	MUST(memchr(text, '\0', (size_t)(buffer + size - text)) != NULL);
}

static void
check_passwd(const struct passwd *pw, const char *buffer, size_t size, bool genuine)
{
	const struct hxb_map_user *user;

	check_text(pw->pw_name, buffer, size);
	check_text(pw->pw_passwd, buffer, size);
	check_text(pw->pw_gecos, buffer, size);
	check_text(pw->pw_dir, buffer, size);
	check_text(pw->pw_shell, buffer, size);
	MUST(strcmp(pw->pw_passwd, "x") == 0);
	MUST(pw->pw_uid != 0 && pw->pw_uid != (uid_t)-1 && pw->pw_gid == pw->pw_uid);
	if (!genuine)
		return;
	user = sample_user(pw->pw_name, 0);
	MUST(user != NULL && user->uid == pw->pw_uid && strcmp(user->gecos, pw->pw_gecos) == 0);
	MUST(strcmp(user->home, pw->pw_dir) == 0 && strcmp(user->shell, pw->pw_shell) == 0);
}

/* "hexabot.LOGIN" of a user, or a role's group with exactly its members. */
static void
check_genuine_group(const struct group *gr)
{
	const struct hxb_map_user *user = sample_user(NULL, gr->gr_gid);
	size_t role = 0, members = 0;

	if (user != NULL) {
		MUST(strncmp(gr->gr_name, "hexabot.", 8) == 0 && strcmp(gr->gr_name + 8, user->login) == 0);
		MUST(gr->gr_mem[0] == NULL);
		return;
	}
	while (role < COUNT(sample_roles) && sample_roles[role].gid != gr->gr_gid)
		role++;
	MUST(role < COUNT(sample_roles) && strcmp(sample_roles[role].group, gr->gr_name) == 0);
	for (size_t i = 0; i < COUNT(sample_users); i++) {
		for (uint32_t k = 0; k < sample_users[i].role_count; k++) {
			if (sample_users[i].roles[k] == role)
				MUST(gr->gr_mem[members] != NULL &&
				    strcmp(gr->gr_mem[members++], sample_users[i].login) == 0);
		}
	}
	MUST(gr->gr_mem[members] == NULL);
}

static void
check_group(const struct group *gr, const char *buffer, size_t size, bool genuine)
{
	const char *members = (const char *)gr->gr_mem;

	check_text(gr->gr_name, buffer, size);
	check_text(gr->gr_passwd, buffer, size);
	MUST(members >= buffer && members + sizeof(char *) <= buffer + size);
	MUST(strcmp(gr->gr_passwd, "x") == 0 && gr->gr_gid != 0 && gr->gr_gid != (gid_t)-1);
	for (size_t i = 0; gr->gr_mem[i] != NULL; i++) {
		MUST((const char *)&gr->gr_mem[i + 1] < buffer + size);
		check_text(gr->gr_mem[i], buffer, size);
	}
	if (genuine)
		check_genuine_group(gr);
}

static enum nss_status
look_up(const char *login, uid_t uid, size_t size, bool genuine, size_t *used)
{
	char *buffer = malloc(size);
	struct passwd pw;
	int error = 0;
	enum nss_status status = login != NULL ? _nss_hexabot_getpwnam_r(login, &pw, buffer, size, &error)
	                                       : _nss_hexabot_getpwuid_r(uid, &pw, buffer, size, &error);

	if (status == NSS_STATUS_SUCCESS) {
		check_passwd(&pw, buffer, size, genuine);
		MUST(login != NULL ? strcmp(pw.pw_name, login) == 0 : pw.pw_uid == uid);
		*used = strlen(pw.pw_name) + strlen(pw.pw_passwd) + strlen(pw.pw_gecos) + strlen(pw.pw_dir) +
		    strlen(pw.pw_shell) + 5;
	} else {
		MUST((status == NSS_STATUS_TRYAGAIN) == (error == ERANGE) && error != 0);
	}
	free(buffer);
	return status;
}

/* With room for any answer, for exactly this one, and for one byte less. A forger may have put a NUL into a
 * text. */
static void
ask_user(const char *login, uid_t uid, bool genuine)
{
	size_t used = 0, same = 0;

	(void)look_up(login, uid, 0, genuine, &used);
	if (look_up(login, uid, 4096, genuine, &used) != NSS_STATUS_SUCCESS || !genuine)
		return;
	MUST(look_up(login, uid, used, genuine, &same) == NSS_STATUS_SUCCESS && same == used);
	MUST(look_up(login, uid, used - 1, genuine, &same) == NSS_STATUS_TRYAGAIN);
}

static void
ask_group(const char *name, gid_t gid, bool genuine)
{
	for (size_t size = 0; size <= 4096; size = size * 3 + 40) {
		char *buffer = malloc(size);
		struct group gr;
		int error = 0;
		enum nss_status status = name != NULL
		    ? _nss_hexabot_getgrnam_r(name, &gr, buffer, size, &error)
		    : _nss_hexabot_getgrgid_r(gid, &gr, buffer, size, &error);

		if (status == NSS_STATUS_SUCCESS) {
			check_group(&gr, buffer, size, genuine);
			MUST(name != NULL ? strcmp(gr.gr_name, name) == 0 : gr.gr_gid == gid);
		} else {
			MUST((status == NSS_STATUS_TRYAGAIN) == (error == ERANGE) && error != 0);
		}
		free(buffer);
	}
}

static void
ask_groups_of(const char *login, bool genuine)
{
	const struct hxb_map_user *user = sample_user(login, 0);
	long start = 1, size = 1;
	gid_t *groups = calloc(1, sizeof(*groups));
	int error = 0;

	MUST(groups != NULL);
	if (_nss_hexabot_initgroups_dyn(login, 0, &start, &size, &groups, 0, &error) == NSS_STATUS_SUCCESS) {
		MUST(start >= 1 && start <= size);
		MUST(!genuine || (user != NULL && start == 1 + (long)user->role_count));
		for (long i = 1; i < start; i++) {
			MUST(groups[i] != 0 && groups[i] != (gid_t)-1);
			MUST(!genuine || groups[i] == sample_roles[user->roles[i - 1]].gid);
		}
	} else {
		MUST(start == 1 && error != 0);
	}
	free(groups);
}

static void
ask_shadow(const char *login, bool genuine)
{
	const struct hxb_map_user *user = sample_user(login, 0);
	char buffer[512];
	struct spwd sp;
	int error = 0;

	if (_nss_hexabot_getspnam_r(login, &sp, buffer, sizeof(buffer), &error) != NSS_STATUS_SUCCESS)
		return;
	check_text(sp.sp_namp, buffer, sizeof(buffer));
	check_text(sp.sp_pwdp, buffer, sizeof(buffer));
	MUST(strcmp(sp.sp_namp, login) == 0);
	MUST(strcmp(sp.sp_pwdp, "*") == 0 || (strcmp(sp.sp_pwdp, "!*") == 0 && sp.sp_expire == 1));
	MUST(!genuine || (sp.sp_pwdp[0] == '!') == (user->shadow == HXB_SHADOW_DENIED));
}

/* Everything that the map shows, and then each of those by name and number. */
static void
ask_for_all(bool genuine)
{
	static char buffer[8192], names[LIST_MAX][HXB_MAP_LOGIN_MAX + 1];
	uid_t uids[LIST_MAX];
	struct passwd pw;
	struct group gr;
	int error = 0, count = 0;

	(void)_nss_hexabot_setpwent(0);
	while (count < LIST_MAX &&
	    _nss_hexabot_getpwent_r(&pw, buffer, sizeof(buffer), &error) == NSS_STATUS_SUCCESS) {
		check_passwd(&pw, buffer, sizeof(buffer), genuine);
		uids[count] = pw.pw_uid;
		snprintf(names[count++], sizeof(names[0]), "%s", pw.pw_name);
	}
	(void)_nss_hexabot_endpwent();
	for (int i = 0; i < count; i++) {
		ask_user(names[i], 0, genuine);
		ask_user(NULL, uids[i], genuine);
		ask_group(NULL, uids[i], genuine);
	}
	(void)_nss_hexabot_setgrent(0);
	for (count = 0; count < LIST_MAX &&
	     _nss_hexabot_getgrent_r(&gr, buffer, sizeof(buffer), &error) == NSS_STATUS_SUCCESS;
	     count++)
		check_group(&gr, buffer, sizeof(buffer), genuine);
	(void)_nss_hexabot_endgrent();
}

static void
ask(bool genuine)
{
	char name[64];

	for (size_t i = 0; i < COUNT(sample_users); i++) {
		ask_user(sample_users[i].login, 0, genuine);
		ask_user(NULL, sample_users[i].uid, genuine);
		ask_group(NULL, sample_users[i].uid, genuine);
		snprintf(name, sizeof(name), "hexabot.%s", sample_users[i].login);
		ask_group(name, 0, genuine);
		ask_groups_of(sample_users[i].login, genuine);
		ask_shadow(sample_users[i].login, genuine);
	}
	for (size_t i = 0; i < COUNT(sample_roles); i++) {
		ask_group(sample_roles[i].group, 0, genuine);
		ask_group(NULL, sample_roles[i].gid, genuine);
	}
	ask_user("alic", 0, genuine);
	ask_user("", 0, genuine);
	ask_user(NULL, 0, genuine);
	ask_for_all(genuine);
}

static size_t
change_sample(unsigned char *bytes, const uint8_t *data, size_t size)
{
	size_t length = sample_size, at;

	memcpy(bytes, sample, sample_size);
	for (int i = 0; i < 4 && size >= 3; i++, data += 3, size -= 3) {
		at = (size_t)(data[0] | data[1] << 8) % sample_size;
		bytes[at] ^= data[2];
	}
	if (size >= 2)
		length = (size_t)(data[0] | data[1] << 8) % SAMPLE_MAX;
	if (length > sample_size)
		memset(bytes + sample_size, 0, length - sample_size);
	return length;
}

static void
fix_header(unsigned char *bytes, size_t size)
{
	struct hxb_map_header *header = (struct hxb_map_header *)(void *)bytes;

	if (size < sizeof(*header))
		return;
	memcpy(header->magic, HXB_MAP_MAGIC, sizeof(header->magic));
	header->major = HXB_MAP_MAJOR;
	header->file_size = size;
	if (header->header_size < sizeof(*header) || header->header_size > HXB_MAP_HEADER_MAX ||
	    header->header_size > size)
		header->header_size = sizeof(*header);
	header->checksum = hxb_map_header_sum(header, header->header_size);
}

/* The file's own bytes; who has it mapped sees them change. */
static void
put_sum(int fd, const struct hxb_map *map, const void *place, uint64_t sum)
{
	off_t offset = (const char *)place - (const char *)map->header;

	MUST(pwrite(fd, &sum, sizeof(sum), offset) == (ssize_t)sizeof(sum));
}

/* What a forger who is root could write. Sections may overlap: a sum put right can spoil another. */
static void
fix_records(void)
{
	struct hxb_map *map = hxb_map_open(HXB_MAP_PATH, 0, NULL);
	int fd = open(HXB_MAP_PATH, O_WRONLY | O_CLOEXEC);
	const struct hxb_map_user_record *record;
	struct hxb_map_user user;
	struct hxb_map_role role;
	uint64_t sum;

	MUST(fd >= 0);
	for (uint32_t i = 0; map != NULL && i < map->info.user_count && i < LIST_MAX; i++) {
		record = hxb_map_user_sum(map, map->places[i], &user, &sum);
		if (record != NULL)
			put_sum(fd, map, &record->checksum, sum);
	}
	for (uint32_t i = 0; map != NULL && i < map->info.role_count && i < LIST_MAX; i++) {
		if (!hxb_map_role_sum(map, i, &role, &sum))
			continue;
		put_sum(fd, map, &map->roles[i].members_checksum, hxb_map_members_sum(map, i, &role));
		if (hxb_map_role_sum(map, i, &role, &sum))
			put_sum(fd, map, &map->roles[i].checksum, sum);
	}
	hxb_map_close(map);
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char bytes[SAMPLE_MAX];
	struct fuzz_standing before;

	if (size == 0 || size > sizeof(bytes) || (sample_size == 0 && !fuzz_has_state_dir()))
		return 0;
	if (sample_size == 0)
		make_sample();
	if (data[0] == 'c') {
		size = change_sample(bytes, data + 1, size - 1);
	} else {
		memcpy(bytes, data + 1, --size);
		if (data[0] == 'h' || data[0] == 's')
			fix_header(bytes, size);
	}
	fuzz_write_file(HXB_MAP_PATH, bytes, size, 0444);
	if (data[0] == 's')
		fix_records();
	seconds += 2;
	before = fuzz_standing();
	ask(data[0] == 'c');
	fuzz_same_standing(&before);
	return 0;
}
