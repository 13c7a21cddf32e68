/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "users.h"

/* The operand without "login:". */
static const char *
as_login(const char *operand)
{
	const char *prefix = "login:";

	return strncmp(operand, prefix, strlen(prefix)) == 0 ? operand + strlen(prefix) : operand;
}

static void
pin_map(struct hxb_case *c)
{
	if ((c->map = hxb_map_pin()) != NULL)
		return;
	c->no_map = "";
	hxb_map_close(hxb_map_open(HXB_MAP_PATH, 0, &c->no_map));
}

static void
look_in_map(struct hxb_case *c)
{
	if (c->map != NULL && c->login[0] != '\0')
		c->mapped = hxb_map_user_by_login(c->map, c->login, &c->entry_of_map) == HXB_MAP_FOUND;
}

/* Nobody of Hexabot's. */
static enum hxb_result
not_ours(const char *operand, struct hxb_error *error)
{
	const char *login = as_login(operand);
	const struct passwd *pw = getpwnam(login);

	if (pw != NULL)
		return hxb_fail(error, HXB_NOT_FOUND,
		    "%.64s: a user of the host itself (uid %u), not of Hexabot: not ours to judge", login,
		    (unsigned)pw->pw_uid);
	return hxb_fail(
	    error, HXB_NOT_FOUND, "%.256s: no such user; 'hexactl list' shows who there is", operand);
}

/* Somebody who is in the store. */
static enum hxb_result
take_person(struct hxb_case *c, const char *id, struct hxb_error *error)
{
	const struct hxb_person *person = &c->person;
	enum hxb_result r = hxb_person_load(c->session, id, &c->person, error);

	if (r != HXB_OK)
		return r;
	snprintf(c->login, sizeof(c->login), "%s",
	    person->entry != NULL && person->entry->login[0] != '\0' ? person->entry->login
	                                                             : person->user->username);
	if (person->login != NULL || c->map == NULL)
		return HXB_OK;
	r = hxb_unmapped_reason(
	    &c->session->config, &hxb_host_places, c->session->ledger, person->user, c->unmapped, error);
	if (r == HXB_OK && c->unmapped[0] == '\0')
		snprintf(c->unmapped, sizeof(c->unmapped), "not yet published");
	return r;
}

/* By the store; by the ledger, for whoever is no longer there. */
static enum hxb_result
find_with_store(struct hxb_case *c, const char *operand, struct hxb_error *error)
{
	char *id = NULL;
	enum hxb_result r = hxb_user_find(c->session, operand, &id, error);

	if (r == HXB_OK)
		r = take_person(c, id, error);
	else if (r == HXB_NOT_FOUND && hxb_user_find_entry(c->session, operand, &c->entry) == HXB_OK) {
		snprintf(c->login, sizeof(c->login), "%s", c->entry->login);
		r = HXB_OK;
	}
	free(id);
	return r;
}

/* The map knows who there was when it was published. */
static enum hxb_result
find_by_map(struct hxb_case *c, const char *operand)
{
	snprintf(c->login, sizeof(c->login), "%s", as_login(operand));
	look_in_map(c);
	return c->mapped ? HXB_OK : HXB_NOT_FOUND;
}

static enum hxb_result
find_user(struct hxb_case *c, const char *operand, struct hxb_error *error)
{
	enum hxb_result r = HXB_NOT_FOUND;

	if (c->opened) {
		r = find_with_store(c, operand, error);
		/* It may have become unreadable since. */
		if (r == HXB_UNREADABLE || r == HXB_BUSY) {
			c->opened = false;
			c->not_opened = *error;
			error->text[0] = '\0';
			hxb_person_clear(&c->person);
		}
	}
	if (!c->opened)
		r = find_by_map(c, operand);
	if (r != HXB_NOT_FOUND)
		return r;
	r = not_ours(operand, error);
	/* Where nothing can be read, nobody can say that there is no such user. */
	if (c->opened || getpwnam(as_login(operand)) != NULL)
		return r;
	error->text[0] = '\0';
	return HXB_OK;
}

static void
read_searches(struct hxb_case *c)
{
	static const char *const databases[HXB_NSS_DATABASES] = {
		[HXB_NSS_PASSWD] = "passwd",
		[HXB_NSS_GROUP] = "group",
		[HXB_NSS_SHADOW] = "shadow",
		[HXB_NSS_INITGROUPS] = "initgroups",
	};

	for (int i = 0; i < HXB_NSS_DATABASES; i++)
		if (c->search_error.text[0] == '\0')
			(void)hxb_nsswitch_read(
			    HXB_NSSWITCH_PATH, databases[i], &c->search[i], &c->search_error);
}

static void
find_shell(struct hxb_case *c)
{
	const struct passwd *pw = getpwnam(c->login);

	if (pw != NULL && pw->pw_shell != NULL)
		snprintf(
		    c->shell, sizeof(c->shell), "%s", pw->pw_shell[0] != '\0' ? pw->pw_shell : "/bin/sh");
}

enum hxb_result
hxb_case_open(struct hxb_session *session, const char *operand, const char *service, struct hxb_case *c,
    struct hxb_error *error)
{
	size_t size = strlen(service);
	enum hxb_result r;

	*c = (struct hxb_case){ .session = session, .user = operand };
	if (size == 0 || size >= sizeof(c->service))
		return hxb_fail(error, HXB_INVALID, "'%.64s': no name of a PAM service", service);
	for (size_t i = 0; i < size; i++)
		c->service[i] = (char)tolower((unsigned char)service[i]);
	pin_map(c);
	c->opened = hxb_session_open(session, &c->not_opened) == HXB_OK;
	r = find_user(c, operand, error);
	if (r != HXB_OK)
		return r;
	if (c->person.user != NULL)
		c->user = hxb_person_handle(&c->person, operand);
	look_in_map(c);
	read_searches(c);
	find_shell(c);
	if (strcmp(c->service, "sshd") == 0)
		hxb_sshd_ask(c->login, &c->sshd);
	return hxb_stages_run(c, error);
}

void
hxb_case_clear(struct hxb_case *c)
{
	hxb_stages_clear(c);
	hxb_sshd_clear(&c->sshd);
	for (int i = 0; i < HXB_NSS_DATABASES; i++)
		hxb_nsswitch_clear(&c->search[i]);
	hxb_person_clear(&c->person);
	hxb_entry_free(c->entry);
	if (c->map != NULL)
		hxb_map_unpin(c->map);
	*c = (struct hxb_case){ 0 };
}

bool
hxb_case_is_invited(const struct hxb_case *c)
{
	return hxb_case_judged(c)->call.state == HXB_STATE_INVITED;
}
