/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "users.h"

enum way { BY_LOGIN, BY_USERNAME, BY_EMAIL, BY_ID, WAYS };

static const char *const prefixes[WAYS] = { "login:", "username:", "email:", "id:" };

static enum hxb_result
user_of_login(
    struct hxb_session *session, const char *login, struct hxb_user **userp, struct hxb_error *error)
{
	struct hxb_entry *entry = NULL;
	enum hxb_result r;

	r = hxb_ledger_entry_by_login(session->ledger, login, &entry, error);
	/* The ledger does not tell Mona from mona, which is right for giving names and wrong for finding
	 * people. */
	if (r == HXB_OK && (entry->kind != HXB_ENTRY_USER || strcmp(entry->login, login) != 0))
		r = HXB_NOT_FOUND;
	if (r == HXB_OK)
		r = hxb_store_user(session->store, HXB_BY_ID, entry->id, userp, error);
	hxb_entry_free(entry);
	return r;
}

static enum hxb_result
look_up(struct hxb_session *session, enum way way, const char *value, struct hxb_user **userp,
    struct hxb_error *error)
{
	static const enum hxb_user_field fields[] = {
		[BY_USERNAME] = HXB_BY_USERNAME, [BY_EMAIL] = HXB_BY_EMAIL, [BY_ID] = HXB_BY_ID
	};

	*userp = NULL;
	if (value[0] == '\0')
		return HXB_NOT_FOUND;
	if (way == BY_LOGIN)
		return user_of_login(session, value, userp, error);
	return hxb_store_user(session->store, fields[way], value, userp, error);
}

/* Looks one way for the operand; a second person beside *idp is an error. */
static enum hxb_result
try_way(struct hxb_session *session, enum way way, const char *value, char **idp, enum way *first,
    struct hxb_error *error)
{
	struct hxb_user *user = NULL;
	enum hxb_result r;

	r = look_up(session, way, value, &user, error);
	if (r != HXB_OK) {
		hxb_user_free(user);
		return r == HXB_NOT_FOUND ? HXB_OK : r;
	}
	if (*idp == NULL) {
		*first = way;
		if ((*idp = strdup(user->id)) == NULL)
			r = hxb_fail(error, HXB_FAILED, "out of memory");
	} else if (strcmp(*idp, user->id) != 0) {
		r = hxb_fail(error, HXB_AMBIGUOUS,
		    "%.128s: could be two people: say '%s%.128s' for the one, '%s%.128s' for the other",
		    value, prefixes[*first], value, prefixes[way], value);
	}
	hxb_user_free(user);
	return r;
}

enum hxb_result
hxb_user_find(struct hxb_session *session, const char *operand, char **idp, struct hxb_error *error)
{
	enum way first = WAYS, only = WAYS;
	const char *value = operand;
	enum hxb_result r = HXB_OK;
	char *id = NULL;

	*idp = NULL;
	hxb_ledger_set_deadline(session->ledger, hxb_deadline_in(HXB_CTL_DEADLINE));
	hxb_store_set_deadline(session->store, hxb_deadline_in(session->patience));
	for (enum way way = 0; way < WAYS; way++) {
		size_t size = strlen(prefixes[way]);

		if (strncmp(operand, prefixes[way], size) == 0) {
			only = way;
			value = operand + size;
		}
	}
	for (enum way way = 0; r == HXB_OK && way < WAYS; way++)
		if (only == WAYS || only == way)
			r = try_way(session, way, value, &id, &first, error);
	if (r == HXB_OK && id == NULL)
		r = hxb_fail(
		    error, HXB_NOT_FOUND, "%.256s: no such user; 'hexactl list' shows who there is", operand);
	if (r == HXB_OK) {
		*idp = id;
		id = NULL;
	}
	free(id);
	return r;
}

/* Exactly that login: see user_of_login(). */
static enum hxb_result
entry_of_login(struct hxb_session *session, const char *login, struct hxb_entry **entryp)
{
	enum hxb_result r = hxb_ledger_entry_by_login(session->ledger, login, entryp, NULL);

	if (r == HXB_OK && strcmp((*entryp)->login, login) != 0) {
		hxb_entry_free(*entryp);
		*entryp = NULL;
		r = HXB_NOT_FOUND;
	}
	return r;
}

enum hxb_result
hxb_user_find_entry(struct hxb_session *session, const char *operand, struct hxb_entry **entryp)
{
	const size_t login = strlen(prefixes[BY_LOGIN]), id = strlen(prefixes[BY_ID]);
	enum hxb_result r;

	if (strncmp(operand, prefixes[BY_LOGIN], login) == 0)
		return entry_of_login(session, operand + login, entryp);
	if (strncmp(operand, prefixes[BY_ID], id) == 0)
		return hxb_ledger_entry(session->ledger, HXB_ENTRY_USER, operand + id, entryp, NULL);
	r = entry_of_login(session, operand, entryp);
	return r == HXB_NOT_FOUND ? hxb_ledger_entry(session->ledger, HXB_ENTRY_USER, operand, entryp, NULL)
	                          : r;
}

enum hxb_result
hxb_users_each(struct hxb_session *session, hxb_operand_fn *one, struct hxb_error *error)
{
	enum hxb_result worst = HXB_OK;

	for (int i = 0; i < session->arguments->operand_count; i++) {
		enum hxb_result r = one(session, session->arguments->operands[i], error);

		if (r != HXB_OK)
			hxb_session_complain(session, r, error);
		worst = hxb_worse(worst, r);
		/* A look that found nobody leaves its words behind. */
		error->text[0] = '\0';
	}
	return worst;
}
