/* SPDX-License-Identifier: ISC */
/*
 * Adopts Hexabot's database: configuration, directories, ledger, first publish. Each step may find itself
 * done by an earlier run that was cut off; running it again finishes.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "conf_write.h"
#include "idmap.h"
#include "init_advice.h"
#include "init_ledger.h"
#include "libhexabot/paths.h"
#include "print.h"
#include "service.h"
#include "session.h"

struct adoption {
	struct hxb_session *session;
	bool create, rebuild, dry_run;
	char *store; /* resolved */
	char *config; /* resolved, where it is there */
	char *old_store; /* the existing configuration's; NULL: there is none */
	bool range; /* uid_min and uid_max are not the defaults, and go into a new configuration */
	uid_t store_uid;
	bool changed;
};

/* A file that is yet to be made: its directory is resolved, and its name is kept. */
static char *
resolve_new(const char *path)
{
	char *copy = strdup(path), *other = strdup(path), *directory = NULL, *resolved = NULL;

	if (copy != NULL && other != NULL)
		directory = realpath(dirname(copy), NULL);
	if (directory != NULL &&
	    asprintf(&resolved, "%s/%s", strcmp(directory, "/") == 0 ? "" : directory, basename(other)) == -1)
		resolved = NULL;
	free(directory);
	free(other);
	free(copy);
	return resolved;
}

static enum hxb_result
resolve_store(struct adoption *adoption, struct hxb_error *error)
{
	const char *path = hxb_option(adoption->session->arguments, "store");
	struct stat st;

	if (path == NULL || path[0] == '\0')
		return hxb_fail(
		    error, HXB_INVALID, "init: wants --store FILE: Hexabot's database, its DB_SQLITE_PATH");
	if (adoption->create) {
		if (lstat(path, &st) == 0)
			return hxb_fail(
			    error, HXB_REFUSED, "%s: is there already; without --create it is adopted", path);
		adoption->store = resolve_new(path);
	} else {
		adoption->store = realpath(path, NULL);
	}
	if (adoption->store == NULL && errno == ENOENT && !adoption->create)
		return hxb_fail(error, HXB_UNREADABLE,
		    "%s: no such file; --create makes a new one, for a host without Hexabot", path);
	if (adoption->store == NULL)
		return hxb_fail(error, HXB_UNREADABLE, "%s: %m", path);
	/* Hexabot's user can often write to the store's directory, and could swap our files there. */
	if (strncmp(adoption->store, HXB_STATE_DIR "/", sizeof(HXB_STATE_DIR)) == 0)
		return hxb_fail(error, HXB_REFUSED,
		    "%s: the database can't be in " HXB_STATE_DIR
		    ", which is root's alone; move it elsewhere",
		    adoption->store);
	return HXB_OK;
}

/* No configuration yet: the defaults, but for numbers that this host does not have. */
static enum hxb_result
plan_config(struct adoption *adoption, struct hxb_error *error)
{
	struct hxb_config *config = &adoption->session->config;
	uint32_t usual = config->uid_min;

	if (!hxb_ids_propose(&config->uid_min, &config->uid_max))
		return hxb_fail(error, HXB_FAILED,
		    "this container has too few uids: write %s by hand, with store, and uid_min and uid_max "
		    "from "
		    "/proc/self/uid_map",
		    adoption->session->arguments->config);
	adoption->range = config->uid_min != usual;
	if (adoption->range)
		hxb_complain("uids %u to %u are used: this container does not have the usual ones",
		    config->uid_min, config->uid_max);
	return HXB_OK;
}

static enum hxb_result
read_config(struct adoption *adoption, struct hxb_error *error)
{
	struct hxb_session *session = adoption->session;
	const char *path = session->arguments->config;
	struct stat st;
	enum hxb_result r;

	if (lstat(path, &st) == -1 && errno == ENOENT) {
		/* Only the usual one's directory is made. */
		if (strncmp(path, HXB_CONFIG_DIR "/", sizeof(HXB_CONFIG_DIR)) == 0)
			adoption->config = strdup(path);
		else
			adoption->config = resolve_new(path);
		return adoption->config != NULL ? plan_config(adoption, error)
		                                : hxb_fail(error, HXB_UNREADABLE, "%s: %m", path);
	}
	if ((adoption->config = realpath(path, NULL)) == NULL)
		return hxb_fail(error, HXB_UNREADABLE, "%s: %m", path);
	r = hxb_config_load(&session->config, adoption->config, 0, error);
	if (r != HXB_OK)
		return r;
	if ((adoption->old_store = strdup(session->config.store)) == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	if (strcmp(adoption->old_store, adoption->store) != 0 && !session->arguments->force)
		return hxb_fail(error, HXB_REFUSED, "%s: is set to %s; --force takes %s instead", path,
		    adoption->old_store, adoption->store);
	if (!hxb_ids_exist(session->config.uid_min, session->config.uid_max))
		hxb_complain("%s: uid_min, uid_max: this container does not have all of these uids", path);
	return HXB_OK;
}

static enum hxb_result
open_store(struct adoption *adoption, struct hxb_error *error)
{
	struct hxb_session *session = adoption->session;
	struct stat st;
	enum hxb_result r = HXB_OK;

	free(session->config.store);
	if ((session->config.store = strdup(adoption->store)) == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	if (adoption->create && adoption->dry_run)
		return HXB_OK;
	if (adoption->create)
		r = hxb_store_create(adoption->store, error);
	if (r != HXB_OK)
		return r;
	if (lstat(adoption->store, &st) == -1)
		return hxb_fail(error, HXB_UNREADABLE, "%s: %m", adoption->store);
	adoption->store_uid = st.st_uid;
	return hxb_store_open(
	    adoption->store, st.st_uid, hxb_deadline_in(HXB_CTL_DEADLINE), &session->store, error);
}

static enum hxb_result
write_config(struct adoption *adoption, struct hxb_error *error)
{
	const struct hxb_config *config = &adoption->session->config;

	if (adoption->old_store != NULL && strcmp(adoption->old_store, adoption->store) == 0)
		return HXB_OK;
	adoption->changed = true;
	if (adoption->dry_run)
		return HXB_OK;
	if (adoption->old_store != NULL)
		return hxb_conf_set_store(adoption->config, adoption->store, error);
	if (strncmp(adoption->config, HXB_CONFIG_DIR "/", sizeof(HXB_CONFIG_DIR)) == 0 &&
	    mkdir(HXB_CONFIG_DIR, 0755) == -1 && errno != EEXIST)
		return hxb_fail(error, HXB_FAILED, HXB_CONFIG_DIR ": %m");
	return hxb_conf_create(
	    adoption->config, adoption->store, adoption->range, config->uid_min, config->uid_max, error);
}

static const char *
deed_of(const struct adoption *adoption)
{
	if (adoption->create)
		return "made, and adopted as Hexabot's database";
	return adoption->rebuild ? "adopted as Hexabot's database, with a rebuilt ledger"
	                         : "adopted as Hexabot's database";
}

static struct hxb_change
change_of(const struct adoption *adoption)
{
	return (struct hxb_change){
		.name = adoption->store,
		.action = "init",
		.before = adoption->old_store != NULL ? adoption->old_store : "",
		.after = adoption->store,
		.deed = deed_of(adoption),
	};
}

/* There is no lock to wait for where there is nothing yet. */
static enum hxb_result
lock(struct adoption *adoption, struct hxb_error *error)
{
	if (adoption->dry_run && faccessat(AT_FDCWD, HXB_LOCK_PATH, F_OK, AT_EACCESS) == -1)
		return HXB_OK;
	return hxb_session_lock(adoption->session, error);
}

/* The event. With --dry-run there may be no ledger to try it in. */
static enum hxb_result
record(struct hxb_session *session, const struct hxb_change *change, struct hxb_error *error)
{
	enum hxb_result r;

	if (session->ledger == NULL)
		return HXB_OK;
	r = hxb_session_begin_ledger(session, error);
	if (r == HXB_OK)
		r = hxb_change_record(session, change, error);
	return r == HXB_OK ? hxb_session_commit(session, HXB_LEDGER_FIRST, error) : r;
}

/* The part that changes something. */
static enum hxb_result
adopt(struct adoption *adoption, struct hxb_error *error)
{
	struct hxb_session *session = adoption->session;
	struct hxb_change change;
	bool changed = false;
	enum hxb_result r;

	r = hxb_init_directories(adoption->dry_run, error);
	if (r == HXB_OK)
		r = lock(adoption, error);
	if (r == HXB_OK)
		r = hxb_init_ledger(session, adoption->store_uid, adoption->rebuild, &changed, error);
	if (r == HXB_OK)
		r = write_config(adoption, error);
	if (r != HXB_OK)
		return r;
	change = change_of(adoption);
	adoption->changed = adoption->changed || changed;
	if (!adoption->changed) {
		change.deed = "already adopted: nothing to do";
		hxb_change_none(session, &change);
		return HXB_OK;
	}
	r = record(session, &change, error);
	if (r == HXB_OK)
		hxb_change_done(session, &change);
	return r;
}

/* Ages are compared in seconds: a map of the second that wrote the configuration would count as older. */
static void
let_this_second_pass(void)
{
	const struct timespec tick = { .tv_nsec = 20000000 };
	const time_t this = time(NULL);

	while (time(NULL) == this)
		(void)nanosleep(&tick, NULL);
}

static enum hxb_result
publish(struct adoption *adoption, struct hxb_error *error)
{
	struct hxb_session *session = adoption->session;
	const struct hxb_publish_report *report = &session->report;
	enum hxb_result r;

	/* What --dry-run did not make can't be published. */
	if (session->ledger == NULL || session->store == NULL)
		return HXB_OK;
	if (adoption->changed && !adoption->dry_run) {
		let_this_second_pass();
		session->began = time(NULL);
	}
	r = hxb_session_publish(session, session->arguments->force, error);
	if (r != HXB_OK)
		return r;
	if (!session->arguments->json)
		hxb_say("%s: %u user%s, %u role%s, %u user%s without a login ('hexactl list --unmapped' says "
		        "why)",
		    adoption->dry_run ? "would be published" : "published", report->users,
		    hxb_plural(report->users), report->roles, hxb_plural(report->roles), report->unmapped,
		    hxb_plural(report->unmapped));
	if (adoption->dry_run)
		return HXB_OK;
	hxb_session_unlock(session); /* the service wants it */
	/* It knows the usual configuration only. */
	if (strcmp(adoption->config, HXB_CONFIG_PATH) == 0)
		r = hxb_service_adopt(adoption->store, error);
	return r == HXB_OK ? hxb_init_advice(session, adoption->store_uid, adoption->changed, error) : r;
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	struct adoption adoption = {
		.session = session,
		.create = hxb_option(session->arguments, "create") != NULL,
		.rebuild = hxb_option(session->arguments, "rebuild-ledger") != NULL,
		.dry_run = session->arguments->dry_run,
	};
	enum hxb_result r;

	r = resolve_store(&adoption, error);
	if (r == HXB_OK)
		r = read_config(&adoption, error);
	if (r == HXB_OK)
		r = open_store(&adoption, error);
	if (r == HXB_OK)
		r = adopt(&adoption, error);
	if (r == HXB_OK)
		r = publish(&adoption, error);
	free(adoption.old_store);
	free(adoption.config);
	free(adoption.store);
	return r;
}

static const struct hxb_option options[] = {
	{ "store", "FILE", "Hexabot's database: its DB_SQLITE_PATH" },
	{ "create", NULL, "make a new one, for a host without Hexabot" },
	{ "rebuild-ledger", NULL,
	    "make a lost or broken ledger anew, with the names and uids of the map; holds, invitations, "
	    "expiry "
	    "dates and events are lost" },
	{ NULL, NULL, NULL },
};

const struct hxb_command hxb_cmd_init = {
	.name = "init",
	.operands = "",
	.summary =
	    "Adopts Hexabot's database: writes the configuration and publishes its users to this host.",
	.adopts = true,
	.changes = true,
	.force = true,
	.options = options,
	.run = run,
};
