/* SPDX-License-Identifier: ISC */
#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#include <security/pam_ext.h>

#include "libhexabot/map.h"
#include "libhexabot/paths.h"
#include "pam_fixture.h"

#define EXPORTED __attribute__((visibility("default")))

char store_path[PATH_MAX], conf_path[PATH_MAX], service_dir[PATH_MAX];
struct hxb_config config;
struct hxb_ledger *ledger;
struct hxb_store *store;
struct hxb_places places;
uid_t other_uid;
const char *other_group;
gid_t other_gid;
_Thread_local char logged[4096], everything_logged[65536];

/* Keeps symbols for the sanitizers' reports. */
EXPORTED int
dlclose(void *handle)
{
	(void)handle;
	return 0;
}

EXPORTED void
pam_syslog(const pam_handle_t *pamh, int priority, const char *format, ...)
{
	va_list args;
	size_t used = strlen(logged);

	(void)pamh;
	used += (size_t)snprintf(logged + used, sizeof(logged) - used, "<%d>", priority);
	va_start(args, format);
	vsnprintf(logged + used, sizeof(logged) - used, format, args);
	va_end(args);
	strncat(everything_logged, logged + used, sizeof(everything_logged) - strlen(everything_logged) - 1);
}

/* Of this thread. While it is mapped, no other file has its number. */
static _Thread_local struct hxb_map *map;
static _Thread_local struct stat mapped;

/* NULL if there is none. */
static const struct hxb_map *
published_map(void)
{
	struct stat st;

	if (stat(HXB_MAP_PATH, &st) == -1)
		memset(&st, 0, sizeof(st));
	if (map == NULL || st.st_ino != mapped.st_ino || st.st_dev != mapped.st_dev) {
		hxb_map_close(map);
		map = hxb_map_open(HXB_MAP_PATH, 0, NULL);
		mapped = st;
	}
	return map;
}

void
forget_map(void)
{
	hxb_map_close(map);
	map = NULL;
}

EXPORTED int
getpwnam_r(const char *name, struct passwd *pw, char *buffer, size_t size, struct passwd **found)
{
	const struct hxb_map *now = published_map();
	struct hxb_map_user user;

	(void)buffer;
	*found = NULL;
	/* Names have to be looked up with more room than the first try gives. */
	if (size < 2048) {
		return ERANGE;
	}
	memset(pw, 0, sizeof(*pw));
	if (strcmp(name, "root") == 0 || strcmp(name, "local") == 0) {
		pw->pw_uid = pw->pw_gid = name[0] == 'r' ? 0 : 1000;
		*found = pw;
	} else if (now != NULL && hxb_map_user_by_login(now, name, &user) == HXB_MAP_FOUND) {
		pw->pw_uid = other_uid != 0 ? other_uid : user.uid;
		pw->pw_gid = pw->pw_uid;
		*found = pw;
	}
	return 0;
}

EXPORTED int
getgrgid_r(gid_t gid, struct group *gr, char *buffer, size_t size, struct group **found)
{
	const struct hxb_map *now = published_map();
	struct hxb_map_user user;

	*found = NULL;
	memset(gr, 0, sizeof(*gr));
	gr->gr_name = buffer;
	if (other_group != NULL) {
		snprintf(buffer, size, "%s", other_group);
		*found = gr;
	} else if (now != NULL && hxb_map_user_by_uid(now, gid, &user) == HXB_MAP_FOUND) {
		snprintf(buffer, size, "%s%s", HXB_PRIVATE_GROUP_PREFIX, user.login);
		*found = gr;
	}
	return 0;
}

EXPORTED int
getgrouplist(const char *name, gid_t group, gid_t *groups, int *count)
{
	const struct hxb_map *now = published_map();
	struct hxb_map_role role;
	struct hxb_map_user user;
	int room = *count;

	*count = 0;
	groups[(*count)++] = group;
	if (other_gid != 0)
		groups[(*count)++] = other_gid;
	if (now != NULL && hxb_map_user_by_login(now, name, &user) == HXB_MAP_FOUND) {
		for (uint32_t i = 0; i < user.role_count && *count < room; i++) {
			assert_int_equal(hxb_map_role_at(now, user.roles[i], &role), HXB_MAP_FOUND);
			groups[(*count)++] = role.gid;
		}
	}
	return *count;
}

static void
no_delay(int code, unsigned microseconds, void *context)
{
	(void)code;
	(void)microseconds;
	(void)context;
}

pam_handle_t *
open_handle(const char *service, const char *user, const char *dir, const struct pam_conv *conversation)
{
	void (*delay)(int, unsigned, void *) = no_delay;
	pam_handle_t *pamh = NULL;

	assert_int_equal(pam_start_confdir(service, user, conversation, dir, &pamh), PAM_SUCCESS);
	assert_int_equal(pam_set_item(pamh, PAM_FAIL_DELAY, *(const void **)(void *)&delay), PAM_SUCCESS);
	assert_int_equal(pam_set_item(pamh, PAM_RHOST, "192.0.2.7"), PAM_SUCCESS);
	return pamh;
}

void
write_stack(const char *path, const char *arguments, const char *more)
{
	char text[PATH_MAX * 5];

	snprintf(text, sizeof(text),
	    "auth required " TEST_MODULE " conf=%s %s\n"
	    "account required " TEST_MODULE " conf=%s %s\n"
	    "password requisite " TEST_MODULE " conf=%s %s\n"
	    "session required " TEST_MODULE " conf=%s %s\n%s",
	    conf_path, arguments, conf_path, arguments, conf_path, arguments, conf_path, arguments, more);
	write_file(path, text, 0644);
}

void
write_conf(const char *more)
{
	char text[PATH_MAX * 2];

	snprintf(text, sizeof(text), "store = %s\npassword_cost = 10\n%s", store_path, more);
	write_file(conf_path, text, 0600);
}

void
publish(void)
{
	struct hxb_publish_report report;

	assert_ok(hxb_publish(
	    &config, &places, ledger, store, &(struct hxb_publish_options){ .force = true }, &report, &err));
}

bool
ready(void)
{
	return geteuid() == 0 && strcmp(HXB_STATE_DIR, "/var/lib/hexactl") != 0;
}
int
set_up_pam(void **state)
{
	if (make_test_dir(state) != 0)
		return -1;
	if (!ready())
		return 0;
	if (access(TEST_MODULE, R_OK) == -1)
		fail_msg("%s: %s", TEST_MODULE, strerror(errno));
	snprintf(store_path, sizeof(store_path), "%s", in_dir("store.sqlite"));
	snprintf(conf_path, sizeof(conf_path), "%s", in_dir("hexabot.conf"));
	snprintf(service_dir, sizeof(service_dir), "%s", in_dir("pam.d"));
	mkdir(service_dir, 0755);
	make_store(store_path);
	write_conf("");
	write_file(in_dir("empty"), "root:x:0:0::/:\n", 0644);
	places = (struct hxb_places){ .state_dir = HXB_STATE_DIR,
		.passwd = strdup(in_dir("empty")),
		.group = strdup(in_dir("empty")) };
	assert_ok(hxb_config_init(&config, &err));
	assert_ok(hxb_config_load(&config, conf_path, 0, &err));
	mkdir(HXB_STATE_DIR, 0755);
	mkdir(HXB_PRIVATE_DIR, 0700);
	unlink(HXB_LEDGER_PATH);
	unlink(HXB_LEDGER_PATH "-wal");
	unlink(HXB_LEDGER_PATH "-shm");
	ledger = make_ledger(HXB_LEDGER_PATH, config.uid_min, config.uid_max);
	store = open_store(store_path);
	publish();
	other_uid = other_gid = 0;
	other_group = NULL;
	logged[0] = '\0';
	return 0;
}

int
tear_down_pam(void **state)
{
	if (ready()) {
		hxb_store_close(store);
		hxb_ledger_close(ledger);
		hxb_config_free(&config);
		free((char *)(uintptr_t)places.passwd);
		free((char *)(uintptr_t)places.group);
	}
	return remove_test_dir(state);
}

void
invite(const char *code)
{
	char marker[] = "$2!invited.0123", actor[] = "root", id[64];
	struct hxb_invitation invitation = {
		.user_id = id, .marker = marker, .actor = actor, .expires = 9000000000
	};

	snprintf(id, sizeof(id), "%s", user_id(store_path, "ada"));
	sql(store_path, "UPDATE users SET state = 1, password = %Q WHERE id = %Q", marker, id);
	assert_true(hxb_code_digest(code, invitation.digest));
	assert_ok(hxb_ledger_end_invitation(ledger, id, HXB_INVITATION_REPLACED, NULL, &err));
	assert_ok(hxb_ledger_put_invitation(ledger, &invitation, &err));
}
