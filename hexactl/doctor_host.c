/* SPDX-License-Identifier: ISC */
/* How the host sees Hexabot's users: the name service, and what stands between it and the map. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "doctor.h"
#include "libhexabot/names.h"
#include "libhexabot/trust.h"
#include "nsswitch.h"
#include "text_file.h"

#define APPARMOR "/sys/module/apparmor/parameters/enabled"
#define PROFILE "/etc/apparmor.d/unix-chkpwd"
#define PROFILE_LOCAL "/etc/apparmor.d/local/unix-chkpwd"
#define PROFILE_NAMES "/etc/apparmor.d/abstractions/nameservice.d/hexabot"
#define PROFILE_OFF "/etc/apparmor.d/disable/unix-chkpwd"
#define LASTLOG "/var/log/lastlog"
#define LASTLOG_BIG (100 << 20) /* bytes on the disk */
#define TEXT_MAX 65536 /* bytes of a configuration file */

static unsigned
check_search(struct hxb_doctor *doctor, const char *database)
{
	struct hxb_nss_search search = { .count = 0 };
	struct hxb_error error = { "" };
	char remedy[128];
	const char *wrong = NULL, *who = "";
	int ours, files, blocker;

	snprintf(remedy, sizeof(remedy), "put 'hexabot' behind 'files' in its line '%s:'", database);
	if (hxb_nsswitch_read(HXB_NSSWITCH_PATH, database, &search, &error) != HXB_OK) {
		hxb_found_error(doctor, HXB_HEALTH_FAIL, &error, "correct it");
		hxb_nsswitch_clear(&search);
		return 1;
	}
	ours = hxb_nsswitch_position(&search, "hexabot");
	files = hxb_nsswitch_position(&search, "files");
	if (files == -1) /* reads them, too */
		files = hxb_nsswitch_position(&search, "compat");
	if (ours == -1)
		wrong = "does not ask hexabot";
	else if (files == -1 || files > ours)
		wrong = "does not ask 'files' before hexabot: the host's own users come first";
	else if ((blocker = hxb_nsswitch_blocker(&search, "hexabot", false)) != -1) {
		wrong = "ends before hexabot is asked, at ";
		who = search.services[blocker].name;
	} else if ((blocker = hxb_nsswitch_blocker(&search, "hexabot", true)) != -1) {
		wrong = "ends before hexabot is asked, when there is no answer from ";
		who = search.services[blocker].name;
	}
	if (wrong != NULL)
		hxb_found(
		    doctor, HXB_HEALTH_FAIL, remedy, HXB_NSSWITCH_PATH ": %s %s%.64s", database, wrong, who);
	hxb_nsswitch_clear(&search);
	return wrong != NULL;
}

/* Without a line of its own it is the group's. */
static unsigned
check_initgroups(struct hxb_doctor *doctor)
{
	struct hxb_nss_search search = { .count = 0 };
	struct hxb_error error = { "" };
	char remedy[HXB_NSS_REMEDY_SIZE] = "";
	unsigned found = 1;
	int ends = -1;

	if (hxb_nsswitch_read(HXB_NSSWITCH_PATH, "initgroups", &search, &error) == HXB_OK)
		hxb_nsswitch_remedy(&search, "initgroups", remedy);
	if (remedy[0] == '\0')
		hxb_found_error(doctor, HXB_HEALTH_FAIL, &error, "correct it");
	else if (hxb_nsswitch_position(&search, "hexabot") == -1)
		hxb_found(
		    doctor, HXB_HEALTH_FAIL, remedy, HXB_NSSWITCH_PATH ": initgroups does not ask hexabot");
	else if ((ends = hxb_nsswitch_blocker(&search, "hexabot", false)) != -1 ||
	    (ends = hxb_nsswitch_sated(&search, "hexabot")) != -1)
		hxb_found(doctor, HXB_HEALTH_FAIL, remedy,
		    HXB_NSSWITCH_PATH
		    ": initgroups ends at '%.64s' before hexabot is asked: people lack their "
		    "roles' groups",
		    search.services[ends].name);
	else
		found = 0;
	hxb_nsswitch_clear(&search);
	return found;
}

/* The file itself may be elsewhere. */
static bool
is_nsswitch_public(void)
{
	char *path = realpath(HXB_NSSWITCH_PATH, NULL);
	bool is = path == NULL || hxb_trust_is_public(path);

	free(path);
	return is;
}

static void
look_at_nsswitch(struct hxb_doctor *doctor)
{
	static const char *const databases[] = { "passwd", "group", "shadow" };
	unsigned found = 0;

	for (size_t i = 0; i < sizeof(databases) / sizeof(databases[0]); i++)
		found += check_search(doctor, databases[i]);
	if (found == 0)
		found += check_initgroups(doctor);
	if (found == 0 && !is_nsswitch_public()) {
		found++;
		hxb_found(doctor, HXB_HEALTH_FAIL,
		    "chmod 0644 " HXB_NSSWITCH_PATH ", 0755 the directories above it",
		    HXB_NSSWITCH_PATH ": not everybody may read it: only root's programs ask hexabot");
	}
	doctor->nsswitch_is_wrong = found > 0;
	if (found == 0)
		hxb_found(doctor, HXB_HEALTH_OK, NULL,
		    HXB_NSSWITCH_PATH ": passwd, group and shadow ask hexabot behind files");
}

/* What does not answer as the map does; NULL: all do. */
static const char *
ask_name_service(const struct hxb_map_user *user)
{
	const struct passwd *pw = getpwnam(user->login);
	const struct group *gr;
	char name[sizeof(HXB_PRIVATE_GROUP_PREFIX) + HXB_LOGIN_MAX];

	if (pw == NULL || pw->pw_uid != user->uid)
		return "passwd";
	snprintf(name, sizeof(name), HXB_PRIVATE_GROUP_PREFIX "%s", user->login);
	gr = getgrgid(user->uid);
	if (gr == NULL || strcmp(gr->gr_name, name) != 0)
		return "group";
	return getspnam(user->login) != NULL ? NULL : "shadow";
}

/* The whole way, with one of the map's users: the library, what it may read, nscd. */
static void
look_at_name_service(struct hxb_doctor *doctor)
{
	struct hxb_map_user user;
	enum hxb_map_status found = HXB_MAP_NOT_FOUND;
	const char *wrong;

	if (hxb_lacks_map(doctor))
		return;
	for (uint32_t i = 0; i < 100 && found != HXB_MAP_FOUND; i++)
		found = hxb_map_user_at(doctor->map, i, &user);
	if (doctor->nsswitch_is_wrong || found != HXB_MAP_FOUND)
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, "%s",
		    found != HXB_MAP_FOUND ? "nobody is in the map" : "it does not ask hexabot as it should");
	else if ((wrong = ask_name_service(&user)) != NULL)
		hxb_found(doctor, HXB_HEALTH_FAIL,
		    "is libnss_hexabot.so.2 installed? 'ldconfig'; 'nscd -i passwd', 'nscd -i group' "
		    "where nscd runs",
		    "'getent %s %.64s' does not show what the map has", wrong, user.login);
	else
		hxb_found(
		    doctor, HXB_HEALTH_OK, NULL, "'getent passwd %.64s' shows what the map has", user.login);
}

/* A file of the host's configuration. *textp: free() it; NULL: not there, or not to be read. */
static bool
read_file(const char *path, char **textp)
{
	struct hxb_error error = { "" };

	return hxb_text_read(path, TEXT_MAX, textp, &error) == HXB_OK;
}

static bool
mentions(const char *path, const char *word)
{
	char *text = NULL;
	bool found = read_file(path, &text) && strstr(text, word) != NULL;

	free(text);
	return found;
}

/* Whoever may ask the name service may, by our own word, read the map. */
static bool
profile_reads_map(void)
{
	return mentions(PROFILE_LOCAL, HXB_STATE_DIR) || mentions(PROFILE, HXB_STATE_DIR) ||
	    (mentions(PROFILE, "<abstractions/nameservice>") && mentions(PROFILE_NAMES, HXB_STATE_DIR));
}

/* Newer Debian and Ubuntu confine unix_chkpwd, which asks the name service. */
static void
look_at_apparmor(struct hxb_doctor *doctor)
{
	char *enabled = NULL;
	struct stat st;
	bool on = read_file(APPARMOR, &enabled) && enabled[0] == 'Y';

	free(enabled);
	if (!on)
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, "AppArmor is not in use");
	else if (stat(PROFILE, &st) == -1 || lstat(PROFILE_OFF, &st) == 0)
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "no profile keeps unix_chkpwd from the map");
	else if (profile_reads_map())
		hxb_found(doctor, HXB_HEALTH_OK, NULL, PROFILE ": lets unix_chkpwd read the map");
	else
		hxb_found(doctor, HXB_HEALTH_WARN,
		    "put '" HXB_STATE_DIR "/map.* r,' into " PROFILE_LOCAL
		    ", then 'apparmor_parser -r " PROFILE "'",
		    PROFILE ": keeps unix_chkpwd from the map");
}

/* As long as the highest uid that ever logged in needs, and nearly all of it holes. */
static void
look_at_lastlog(struct hxb_doctor *doctor)
{
	struct stat st;
	long long length, taken;

	if (stat(LASTLOG, &st) == -1) {
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, LASTLOG ": %s", strerror(errno));
		return;
	}
	length = (long long)st.st_size >> 20;
	taken = (long long)st.st_blocks * 512;
	if (taken > LASTLOG_BIG)
		hxb_found(doctor, HXB_HEALTH_WARN,
		    "copied without its holes? 'fallocate --dig-holes " LASTLOG "' gives them back",
		    LASTLOG ": %lld MB on the disk", taken >> 20);
	else if (length > 1024)
		hxb_found(doctor, HXB_HEALTH_OK, NULL,
		    LASTLOG
		    ": %lld MB on the disk; that it looks like %lld is normal with high uids: back it up "
		    "with what keeps holes (tar --sparse), or leave it out",
		    taken >> 20, length);
	else
		hxb_found(doctor, HXB_HEALTH_OK, NULL, LASTLOG ": %lld MB on the disk", taken >> 20);
}

const struct hxb_check hxb_checks_host[] = {
	{ "nsswitch", look_at_nsswitch },
	{ "name-service", look_at_name_service },
	{ "apparmor", look_at_apparmor },
	{ "lastlog", look_at_lastlog },
	{ NULL, NULL },
};
