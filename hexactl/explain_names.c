/* SPDX-License-Identifier: ISC */
/* Rules: whether the host knows the user, by the right name and number. */
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "explain.h"
#include "libhexabot/paths.h"
#include "libhexabot/token.h"
#include "times.h"

#define NSS_LIBRARY HXB_LIB_DIR "/libnss_hexabot.so.2"

void
hxb_rule_user(const struct hxb_case *c, struct hxb_finding *finding)
{
	const struct hxb_user *user = c->person.user;

	finding->rule = "user";
	if (!c->opened)
		return;
	if (user == NULL) {
		hxb_find(finding, HXB_RULING_NO, "removed from Hexabot (id %.64s)%s",
		    c->entry != NULL ? c->entry->id : "?",
		    c->mapped ? "; not yet published" : "; the login stays reserved for that id");
		hxb_remedy(finding, "'hexactl invite EMAIL' invites them anew, with another login");
		finding->by_pam = c->mapped;
	} else if (c->unmapped[0] != '\0') {
		hxb_find(finding, HXB_RULING_NO, "no login on this host: %s", c->unmapped);
		if (strcmp(c->unmapped, "not yet published") == 0)
			hxb_remedy(finding, "hexactl publish");
		else
			hxb_remedy(finding, "hexactl set %.128s --login NAME", c->user);
	} else {
		hxb_find(finding, HXB_RULING_OK, "%.128s in Hexabot (%.128s)", user->username, user->email);
	}
}

static void
amend(struct hxb_finding *finding, const struct hxb_nss_search *search, const char *database)
{
	char remedy[HXB_NSS_REMEDY_SIZE];

	hxb_nsswitch_remedy(search, database, remedy);
	hxb_remedy(finding, "%s", remedy);
}

/* A database that has to ask hexabot. */
static void
judge_search(const struct hxb_case *c, struct hxb_finding *finding, int database, const char *rule,
    enum hxb_ruling missing)
{
	const char *name = rule + strlen("nss ");
	const struct hxb_nss_search *search = &c->search[database];
	int at = hxb_nsswitch_position(search, "hexabot");
	int blocker = hxb_nsswitch_blocker(search, "hexabot", false);

	finding->rule = rule;
	if (c->search_error.text[0] != '\0') {
		hxb_find(finding, HXB_RULING_NO, "%s", c->search_error.text);
		hxb_remedy(finding, "put that line right");
	} else if (at == -1) {
		hxb_find(
		    finding, missing, HXB_NSSWITCH_PATH ":%u: %s does not ask hexabot", search->line, name);
		amend(finding, search, name);
	} else if (blocker != -1) {
		hxb_find(finding, missing, HXB_NSSWITCH_PATH ":%u: %s ends at %.64s, before hexabot is asked",
		    search->line, name, search->services[blocker].name);
		amend(finding, search, name);
	} else {
		hxb_find(
		    finding, HXB_RULING_OK, HXB_NSSWITCH_PATH ":%u: %s asks hexabot", search->line, name);
	}
}

void
hxb_rule_passwd(const struct hxb_case *c, struct hxb_finding *finding)
{
	judge_search(c, finding, HXB_NSS_PASSWD, "nss passwd", HXB_RULING_NO);
}

/* Told of only where it is not as the groups' own line has it. */
static void
judge_initgroups(const struct hxb_case *c, struct hxb_finding *finding)
{
	const struct hxb_nss_search *search = &c->search[HXB_NSS_INITGROUPS];
	int sated = hxb_nsswitch_sated(search, "hexabot");

	if (hxb_nsswitch_position(search, "hexabot") == -1 ||
	    hxb_nsswitch_blocker(search, "hexabot", false) != -1)
		judge_search(c, finding, HXB_NSS_INITGROUPS, "nss initgroups", HXB_RULING_NOTE);
	else if (sated != -1)
		hxb_find(finding, HXB_RULING_NOTE,
		    HXB_NSSWITCH_PATH ":%u: initgroups: who is in a group of '%.64s' gets none of hexabot's",
		    search->line, search->services[sated].name);
	else
		return;
	finding->rule = "nss initgroups";
	amend(finding, search, "initgroups");
}

void
hxb_rule_group(const struct hxb_case *c, struct hxb_finding *finding)
{
	judge_search(c, finding, HXB_NSS_GROUP, "nss group", HXB_RULING_NO);
	finding->by_pam = true;
	if (finding->ruling == HXB_RULING_OK)
		judge_initgroups(c, finding);
}

/* PAM denies by itself; this is the second fence, and some stacks ask it first. */
void
hxb_rule_shadow(const struct hxb_case *c, struct hxb_finding *finding)
{
	judge_search(c, finding, HXB_NSS_SHADOW, "nss shadow", HXB_RULING_NOTE);
}

void
hxb_rule_map(const struct hxb_case *c, struct hxb_finding *finding)
{
	const struct hxb_entry *entry = c->person.entry;
	char when[HXB_TIME_SIZE];
	struct hxb_map_info info;

	finding->rule = "map";
	if (c->map == NULL) {
		hxb_find(finding, HXB_RULING_NO, HXB_MAP_PATH ": %s", c->no_map);
		hxb_remedy(finding, "hexactl publish");
		return;
	}
	if (c->unmapped[0] != '\0') /* "user" says why */
		return;
	hxb_map_info(c->map, &info);
	hxb_time_local(info.published, when);
	if (!c->mapped) {
		hxb_find(finding, HXB_RULING_NO, "published %s, without %.64s", when, c->login);
		if (c->person.user != NULL)
			hxb_remedy(finding, "hexactl publish");
	} else if (entry != NULL &&
	    (entry->number != c->entry_of_map.uid || hxb_id_digest(entry->id) != c->entry_of_map.id_digest)) {
		hxb_find(finding, HXB_RULING_NO, "published %s, and does not agree with the ledger", when);
		hxb_remedy(finding, "hexactl publish");
	} else {
		hxb_find(finding, HXB_RULING_OK, "published %s: uid %u", when, (unsigned)c->entry_of_map.uid);
	}
}

static void
judge_unknown(const struct hxb_case *c, struct hxb_finding *finding)
{
	hxb_find(finding, HXB_RULING_NO, "the name service does not know %.64s", c->login);
	if (hxb_nsswitch_position(&c->search[HXB_NSS_PASSWD], "hexabot") == -1 || !c->mapped)
		return; /* a rule before says why */
	hxb_remedy(finding, "is " NSS_LIBRARY " installed? 'nscd -i passwd' makes nscd forget");
}

/* Who else has the number. */
static void
judge_number(const struct hxb_case *c, struct hxb_finding *finding)
{
	const struct passwd *pw = getpwuid(c->entry_of_map.uid);

	if (pw == NULL || strcmp(pw->pw_name, c->login) == 0) {
		hxb_find(finding, HXB_RULING_OK, "%.64s is uid %u on this host", c->login,
		    (unsigned)c->entry_of_map.uid);
		return;
	}
	hxb_find(finding, HXB_RULING_NOTE,
	    "uid %u is %.64s's, too: their files are one person's, and the next publish takes the login away",
	    (unsigned)c->entry_of_map.uid, pw->pw_name);
	hxb_remedy(finding, "give %.64s another uid", pw->pw_name);
}

void
hxb_rule_name(const struct hxb_case *c, struct hxb_finding *finding)
{
	const struct hxb_stage *stage = hxb_case_judged(c);
	const struct passwd *pw;

	finding->rule = "name";
	if (c->unmapped[0] != '\0' || c->login[0] == '\0')
		return;
	pw = getpwnam(c->login);
	if (pw == NULL) {
		judge_unknown(c, finding);
	} else if (!c->mapped || pw->pw_uid != c->entry_of_map.uid) {
		hxb_find(finding, HXB_RULING_NO, "%.64s is uid %u of another source, before Hexabot's",
		    c->login, (unsigned)pw->pw_uid);
		hxb_remedy(finding,
		    "look into /etc/passwd; 'hexactl set %.128s --login NAME' gives another name", c->user);
	} else if (stage->owner_error.text[0] != '\0') {
		hxb_find(finding, HXB_RULING_NO, "%s", stage->owner_error.text);
		finding->by_pam = true;
	} else {
		judge_number(c, finding);
	}
}
