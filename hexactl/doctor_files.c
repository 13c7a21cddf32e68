/* SPDX-License-Identifier: ISC */
/* Our own files: whose they are, who may write or read them, and whether they outlive a container. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "doctor.h"
#include "libhexabot/chkpwd.h"
#include "libhexabot/paths.h"
#include "libhexabot/trust.h"

#define OVERLAY_MAGIC 0x794c7630
#define MODULE HXB_LIB_DIR "/security/pam_hexabot.so"
#define LIBRARY HXB_LIB_DIR "/libnss_hexabot.so.2"
#define HELPER HXB_CHKPWD_PATH

static void
look_at_config(struct hxb_doctor *doctor)
{
	if (doctor->configured)
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "%s", doctor->session->arguments->config);
	else
		hxb_found_error(doctor, HXB_HEALTH_FAIL, &doctor->no_config,
		    "correct it: until then Hexabot's users are refused");
}

/* Ancestors are judged, too: who may rename one of them can put another in its place. */
static bool
check_directory(struct hxb_doctor *doctor, const char *path, mode_t mode)
{
	struct hxb_error error = { "" };
	char remedy[256];
	struct stat st;

	snprintf(remedy, sizeof(remedy), "chown root: %s, chmod %04o %s", path, (unsigned)mode, path);
	if (lstat(path, &st) == -1) {
		hxb_found(doctor, HXB_HEALTH_FAIL, "run 'hexactl init --store FILE'", "%s: %s", path,
		    strerror(errno));
		return false;
	}
	if (hxb_trust_directory(path, 0, &error) != HXB_OK) {
		hxb_found_error(doctor, HXB_HEALTH_FAIL, &error, remedy);
		return false;
	}
	if ((st.st_mode & 07777) != mode) {
		hxb_found(doctor, HXB_HEALTH_FAIL, remedy, "%s: mode %04o instead of %04o", path,
		    (unsigned)st.st_mode & 07777, (unsigned)mode);
		return false;
	}
	return true;
}

/* In a directory that is root's alone; the next change of a mode may open that. */
static bool
check_private(struct hxb_doctor *doctor)
{
	const struct dirent *entry;
	DIR *dir = opendir(HXB_PRIVATE_DIR);
	unsigned bad = 0;
	struct stat st;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
		    (!S_ISDIR(st.st_mode) && st.st_uid == 0 && (st.st_mode & 077) == 0))
			continue;
		if (bad++ == 0)
			hxb_found(doctor, HXB_HEALTH_FAIL,
			    "chown root: it, chmod 600 it; remove what is not hexactl's",
			    HXB_PRIVATE_DIR "/%s: uid %u, mode %04o instead of root's alone", entry->d_name,
			    (unsigned)st.st_uid, (unsigned)st.st_mode & 07777);
	}
	if (dir != NULL)
		closedir(dir);
	return bad == 0;
}

static void
look_at_state(struct hxb_doctor *doctor)
{
	if (check_directory(doctor, HXB_STATE_DIR, 0755) && check_directory(doctor, HXB_PRIVATE_DIR, 0700) &&
	    check_private(doctor))
		hxb_found(doctor, HXB_HEALTH_OK, NULL, HXB_STATE_DIR ": root's, and what is private is");
}

/* Of a file that is not there yet, the directory tells. */
static bool
is_in_layer(const char *path)
{
	static const char *const stores[] = { "/var/lib/docker/overlay2/", "/var/lib/containers/",
		"/var/lib/containerd/" };
	struct statfs fs;

	for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++)
		if (strncmp(path, stores[i], strlen(stores[i])) == 0)
			return true;
	return statfs(path, &fs) == 0 && (unsigned long)fs.f_type == OVERLAY_MAGIC;
}

static void
look_at_layers(struct hxb_doctor *doctor)
{
	const char *const paths[] = { HXB_STATE_DIR, HXB_CONFIG_DIR,
		doctor->configured ? doctor->session->config.store : NULL };
	unsigned found = 0;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (paths[i] == NULL || !is_in_layer(paths[i]))
			continue;
		found++;
		hxb_found(doctor, HXB_HEALTH_WARN,
		    "mount a volume (docker's --volume) where it is, and move it there",
		    "%s: in the layer of a container: it is lost with the container", paths[i]);
	}
	if (found == 0)
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "no file of ours is lost with a container");
}

/* False: it is told that nothing more can be written there, by root or by whoever owns the path. Some file
 * systems do not count. */
static bool
has_room(struct hxb_doctor *doctor, const char *path, bool root, off_t bytes)
{
	struct statvfs fs;
	uintmax_t left;
	bool blocks, files;

	if (statvfs(path, &fs) == -1) /* another check tells */
		return true;
	left = (uintmax_t)(root ? fs.f_bfree : fs.f_bavail) * fs.f_frsize;
	blocks = fs.f_blocks == 0 || left > (uintmax_t)bytes;
	files = fs.f_files == 0 || fs.f_ffree > 0;
	if (!blocks || !files)
		hxb_found(doctor, HXB_HEALTH_FAIL, "make room there", "%s: its file system is full%s", path,
		    blocks ? ": it takes no more files" : "");
	return blocks && files;
}

static void
look_at_space(struct hxb_doctor *doctor)
{
	struct stat map = { .st_size = 0 };
	bool room;

	(void)stat(HXB_MAP_PATH, &map); /* each publish writes it anew, beside the old one */
	room = has_room(doctor, HXB_STATE_DIR, true, map.st_size);
	if (doctor->configured)
		room &= has_room(doctor, doctor->session->config.store, false, 0);
	if (room)
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "there is room for the next map, and in the store");
}

/* A screen locker works only with it; a set-uid program that others can write is everybody's root. */
static void
look_at_helper(struct hxb_doctor *doctor)
{
	struct hxb_error error = { "" };
	struct statvfs fs;
	struct stat st;
	int fd;

	if (lstat(HELPER, &st) == -1) {
		hxb_found(doctor, HXB_HEALTH_WARN, "install it again",
		    HELPER ": %s: programs that run as the user, such as screen lockers, let nobody in",
		    strerror(errno));
		return;
	}
	if (hxb_trust_open(HELPER, O_PATH, 0, &fd, &error) != HXB_OK) {
		hxb_found_error(doctor, HXB_HEALTH_FAIL, &error, "chown root: it, chmod 4755 it");
		return;
	}
	close(fd);
	if ((st.st_mode & 07777) != 04755)
		hxb_found(doctor, HXB_HEALTH_WARN, "chmod 4755 " HELPER,
		    HELPER ": mode %04o instead of 4755: screen lockers let nobody in",
		    (unsigned)st.st_mode & 07777);
	else if (statvfs(HELPER, &fs) == 0 && (fs.f_flag & ST_NOSUID) != 0)
		hxb_found(doctor, HXB_HEALTH_WARN, "mount that file system without nosuid",
		    HELPER ": on a file system without set-uid programs: screen lockers let nobody in");
	else
		hxb_found(doctor, HXB_HEALTH_OK, NULL, HELPER ": root's, mode 4755");
}

/* PAM would not load a module that is not root's, and the loader does not ask. */
static void
look_at_modules(struct hxb_doctor *doctor)
{
	static const char *const modules[] = { MODULE, LIBRARY };
	unsigned found = 0;

	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		struct hxb_error error = { "" };
		char *path = realpath(modules[i], NULL); /* /lib may be a link */
		bool good = false;
		int fd = -1;

		if (path == NULL)
			hxb_found(doctor, HXB_HEALTH_FAIL, "install it again", "%s: %s", modules[i],
			    strerror(errno));
		else if (hxb_trust_open(path, O_PATH, 0, &fd, &error) != HXB_OK)
			hxb_found_error(doctor, HXB_HEALTH_FAIL, &error, "chown root: it, chmod 0644 it");
		else if (!hxb_trust_is_public(path))
			hxb_found(doctor, HXB_HEALTH_FAIL, "chmod 0644 it",
			    "%s: not everybody may read it: only root's programs know it", path);
		else
			good = true;
		found += !good;
		if (fd != -1)
			close(fd);
		free(path);
	}
	if (found == 0)
		hxb_found(doctor, HXB_HEALTH_OK, NULL, MODULE " and " LIBRARY);
}

const struct hxb_check hxb_checks_files[] = {
	{ "config", look_at_config },
	{ "state-directory", look_at_state },
	{ "container-layer", look_at_layers },
	{ "space", look_at_space },
	{ "modules", look_at_modules },
	{ "chkpwd", look_at_helper },
	{ NULL, NULL },
};
