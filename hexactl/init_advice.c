/* SPDX-License-Identifier: ISC */
#include <pwd.h>
#include <stddef.h>

#include "admins.h"
#include "init_advice.h"
#include "libhexabot/trust.h"
#include "nsswitch.h"
#include "pam_stack.h"
#include "print.h"

static enum hxb_result
keep_admin(const struct hxb_person *person, void *context, struct hxb_error *error)
{
	return hxb_admins_add(context, person, error);
}

static enum hxb_result
try_seed_password(struct hxb_session *session, struct hxb_error *error)
{
	struct hxb_admins all = { 0 };
	enum hxb_result r = hxb_people(session, keep_admin, &all, error);

	for (size_t i = 0; r == HXB_OK && i < all.count; i++) {
		if (hxb_admin_is_seeded(&all.admins[i], &session->config))
			hxb_complain(
			    "%s: an admin with Hexabot's seed password, which everybody knows: anybody can "
			    "take over "
			    "Hexabot with it; this host refuses it; 'hexactl passwd %s' sets another",
			    all.admins[i].name, all.admins[i].handle);
	}
	hxb_admins_clear(&all);
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

/* A package has done it, say. */
static bool
name_service_asks(void)
{
	static const char *const databases[] = { "passwd", "group", "shadow" };
	struct hxb_error error;
	bool asks = true;

	for (size_t i = 0; i < sizeof(databases) / sizeof(databases[0]); i++) {
		struct hxb_nss_search search;

		asks = hxb_nsswitch_read(HXB_NSSWITCH_PATH, databases[i], &search, &error) == HXB_OK &&
		    hxb_nsswitch_position(&search, "hexabot") != -1 && asks;
		hxb_nsswitch_clear(&search);
	}
	return asks;
}

static bool
pam_asks(void)
{
	static const struct {
		const char *service;
		enum hxb_pam_facility facility;
	} stacks[] = {
		{ "common-auth", HXB_PAM_AUTH },
		{ "common-account", HXB_PAM_ACCOUNT },
		{ "common-password", HXB_PAM_PASSWORD },
	};
	struct hxb_error error;
	bool asks = true;

	for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
		struct hxb_pam_stack stack;

		asks = hxb_pam_stack_read(NULL, stacks[i].service, stacks[i].facility, &stack, &error) ==
		        HXB_OK &&
		    hxb_pam_stack_find(&stack, "pam_hexabot.so", 0) != -1 && asks;
		hxb_pam_stack_clear(&stack);
	}
	return asks;
}

static void
say_what_is_left(void)
{
	unsigned step = 0;

	hxb_say("Next:");
	if (!name_service_asks())
		hxb_say("  %u. /etc/nsswitch.conf: put 'hexabot' behind 'files' in the lines passwd, group "
		        "and shadow",
		    ++step);
	if (!pam_asks())
		hxb_say("  %u. pam-auth-update --enable hexabot hexabot-password", ++step);
	hxb_say("  %u. 'hexactl doctor' says what else is wrong", ++step);
	hxb_say("  %u. keep this shell open until a login in another one has worked; 'hexactl list' shows "
	        "who may",
	    ++step);
}

enum hxb_result
hxb_init_advice(struct hxb_session *session, uid_t store_uid, bool first, struct hxb_error *error)
{
	enum hxb_result r = try_seed_password(session, error);

	if (hxb_trust_is_exposed(session->config.store))
		hxb_complain("%s: everybody on this host can read the password hashes in it: chmod o-r it",
		    session->config.store);
	if (session->arguments->json || !first)
		return r;
	say_what_it_means(session, store_uid);
	say_what_is_left();
	return r;
}
