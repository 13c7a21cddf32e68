/* SPDX-License-Identifier: ISC */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guards.h"
#include "init_advice.h"
#include "libhexabot/password.h"
#include "libhexabot/secret.h"
#include "person.h"
#include "print.h"

struct admin {
	char *name;
	char *hash;
};

struct admins {
	struct admin *admins;
	size_t count;
};

static enum hxb_result
keep_admin(const struct hxb_person *person, void *context, struct hxb_error *error)
{
	struct admins *all = context;
	struct admin *grown;

	if (!person->user->enabled || person->user->password == NULL ||
	    !hxb_user_has_role(person->user, HXB_ADMIN_ROLE))
		return HXB_OK;
	if ((grown = reallocarray(all->admins, all->count + 1, sizeof(*grown))) == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	all->admins = grown;
	grown[all->count].name = strdup(person->name);
	grown[all->count].hash = strdup(person->user->password);
	all->count++;
	return HXB_OK;
}

/* Half a second a hash, so outside of every transaction. */
static enum hxb_result
try_seed_password(struct hxb_session *session, struct hxb_error *error)
{
	struct admins all = { 0 };
	enum hxb_result r = hxb_people(session, keep_admin, &all, error);

	for (size_t i = 0; i < all.count; i++) {
		if (all.admins[i].name != NULL && all.admins[i].hash != NULL &&
		    hxb_password_verify(
		        HXB_SEED_PASSWORD, all.admins[i].hash, 4, session->config.password_max_cost))
			hxb_complain(
			    "%s: an admin with Hexabot's seed password, which everybody knows: anybody can "
			    "take over "
			    "Hexabot with it; this host refuses it; 'hexactl passwd %s' sets another",
			    all.admins[i].name, all.admins[i].name);
		free(all.admins[i].name);
		hxb_secret_free(all.admins[i].hash);
	}
	free(all.admins);
	return r;
}

static void
say_what_it_means(const struct hxb_session *session, uid_t store_uid)
{
	const struct passwd *pw = getpwuid(store_uid);

	hxb_say("Whoever may edit users in Hexabot's pages can now log in to this host as any user of "
	        "'hexactl list'.");
	if (store_uid != 0)
		hxb_say("So can the owner of %s, uid %u%s%s%s.", session->config.store, (unsigned)store_uid,
		    pw != NULL ? " (" : "", pw != NULL ? pw->pw_name : "", pw != NULL ? ")" : "");
	hxb_say(
	    "No role of Hexabot's gives root or sudo by itself. Keep a local account that can become root.");
}

enum hxb_result
hxb_init_advice(struct hxb_session *session, uid_t store_uid, bool first, struct hxb_error *error)
{
	enum hxb_result r = try_seed_password(session, error);

	if (hxb_store_exposed(session->store))
		hxb_complain("%s: everybody on this host can read the password hashes in it: chmod o-r it",
		    session->config.store);
	if (session->arguments->json || !first)
		return r;
	say_what_it_means(session, store_uid);
	hxb_say("Next:");
	hxb_say(
	    "  1. /etc/nsswitch.conf: put 'hexabot' behind 'files' in the lines passwd, group and shadow");
	hxb_say("  2. pam-auth-update: enable Hexabot's profiles");
	hxb_say("  3. keep this shell open until a login in another one has worked; 'hexactl list' shows who "
	        "may");
	return r;
}
