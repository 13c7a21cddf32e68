/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "password.h"
#include "store_rows.h"
#include "token.h"

/* Texts and roles are the user's own; the texts, a hash among them, are one block. */
void
hxb_user_free(struct hxb_user *user)
{
	if (user == NULL)
		return;
	for (size_t i = 0; i < user->role_count; i++)
		hxb_role_clear(&user->roles[i]);
	free(user->roles);
	explicit_bzero(user, user->size);
	free(user);
}

void
hxb_role_clear(struct hxb_role *role)
{
	free(role->id);
	free(role->name);
	*role = (struct hxb_role){ .active = false };
}

bool
hxb_user_has_role(const struct hxb_user *user, const char *name)
{
	for (size_t i = 0; i < user->role_count; i++) {
		if (user->roles[i].active && strcmp(user->roles[i].name, name) == 0)
			return true;
	}
	return false;
}

bool
hxb_row_role(sqlite3_stmt *stmt, struct hxb_role *role)
{
	role->id = hxb_db_text(stmt, 0);
	role->name = hxb_db_text(stmt, 1);
	if (role->id == NULL || role->name == NULL)
		return false;
	role->active = sqlite3_column_int(stmt, 2) != 0;
	/* A name or id cut at a NUL would be another role's: it grants nothing, and is nobody's name. */
	if (!hxb_db_is_plain_text(stmt, 0))
		role->id[0] = '\0';
	if (role->id[0] == '\0' || !hxb_db_is_plain_text(stmt, 1)) {
		role->active = false;
		role->name[0] = '\0';
	}
	role->id_digest = hxb_id_digest(role->id);
	return true;
}

static enum hxb_result
read_roles(struct hxb_store *store, struct hxb_user *user, sqlite3_stmt *stmt, struct hxb_error *error)
{
	struct hxb_role *grown;
	enum hxb_result r;

	sqlite3_reset(stmt);
	sqlite3_bind_text(stmt, 1, user->id, -1, SQLITE_STATIC);
	while ((r = hxb_db_step(&store->db, stmt, error)) == HXB_OK) {
		if (user->role_count == HXB_USER_ROLES_MAX)
			return hxb_fail(error, HXB_UNREADABLE, "%s: a user with more than %d roles",
			    store->path, HXB_USER_ROLES_MAX);
		grown = reallocarray(user->roles, user->role_count + 1, sizeof(*user->roles));
		if (grown == NULL)
			return hxb_fail(error, HXB_FAILED, "out of memory");
		user->roles = grown;
		user->role_count++;
		if (!hxb_row_role(stmt, &user->roles[user->role_count - 1]))
			return hxb_fail(error, HXB_FAILED, "out of memory");
	}
	return r == HXB_NOT_FOUND ? HXB_OK : r;
}

#define TEXT_COLUMNS 8 /* the first ones of HXB_USER_COLUMNS */
#define PASSWORD_COLUMN 5

/* A text column as it is in SQLite's memory, up to its first NUL; "" for what is no text. */
struct text {
	const char *start;
	size_t length;
	bool plain; /* it is text, and has no NUL inside */
};

static struct text
text_of(sqlite3_stmt *stmt, int column)
{
	struct text text = { .start = "" };
	const unsigned char *found;

	if (sqlite3_column_type(stmt, column) != SQLITE_TEXT ||
	    (found = sqlite3_column_text(stmt, column)) == NULL)
		return text;
	text.start = (const char *)found;
	text.length = strlen(text.start);
	text.plain = text.length == (size_t)sqlite3_column_bytes(stmt, column);
	return text;
}

/* The present row's texts, in the block behind the user. */
static struct hxb_user *
copy_texts(const struct text texts[TEXT_COLUMNS])
{
	size_t size = sizeof(struct hxb_user);
	struct hxb_user *user;
	char *end;

	for (int i = 0; i < TEXT_COLUMNS; i++)
		size += texts[i].length + 1;
	user = malloc(size);
	if (user == NULL)
		return NULL;
	*user = (struct hxb_user){ .size = size };
	char **const fields[TEXT_COLUMNS] = { &user->id, &user->username, &user->first_name, &user->last_name,
		&user->email, &user->password, &user->created_at, &user->updated_at };
	end = (char *)(user + 1);
	for (int i = 0; i < TEXT_COLUMNS; i++) {
		memcpy(end, texts[i].start, texts[i].length);
		end[texts[i].length] = '\0';
		*fields[i] = end;
		end += texts[i].length + 1;
	}
	return user;
}

/* Whether HXB_SHOWN_COLUMNS has more than an empty text there; it is read all the time, so nothing is asked
 * for in vain. */
static bool
is_shown(int column)
{
	return column < 4 || column == PASSWORD_COLUMN;
}

enum hxb_result
hxb_row_user(struct hxb_store *store, sqlite3_stmt *stmt, bool shown, sqlite3_stmt *roles,
    struct hxb_user **userp, struct hxb_error *error)
{
	static const struct text none = { .start = "" };
	struct text texts[TEXT_COLUMNS] = { 0 }, *password = &texts[PASSWORD_COLUMN];
	struct hxb_user *user;
	enum hxb_result r = HXB_OK;

	for (int i = 0; i < TEXT_COLUMNS; i++)
		texts[i] = shown && !is_shown(i) ? none : text_of(stmt, i);
	/* Whatever else than a hash the column holds is no password. */
	if (!password->plain || password->length >= (size_t)2 * HXB_HASH_SIZE)
		*password = none;
	user = copy_texts(texts);
	if (user == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	if (!password->plain)
		user->password = NULL;
	user->enabled = sqlite3_column_int(stmt, 8) != 0;
	user->odd = !texts[0].plain || !texts[1].plain;
	user->position = sqlite3_column_int64(stmt, 9);
	user->has_roles = roles != NULL;
	if (roles != NULL)
		r = read_roles(store, user, roles, error);
	if (r == HXB_OK) {
		*userp = user;
		user = NULL;
	}
	hxb_user_free(user);
	return r;
}

/* What the map depends on: id, username, first and last name, which lie side by side; state; and of passwords
 * only those that are a mark of ours. */
uint64_t
hxb_user_digest(const struct hxb_user *user)
{
	const bool marked = user->password != NULL && strncmp(user->password, "$2!", 3) == 0;
	struct {
		uint64_t texts, mark, flags;
	} all = { .flags = (uint64_t)user->enabled | (uint64_t)user->odd << 1 };

	all.texts = hxb_quick_digest(user->id, (size_t)(user->email - user->id));
	if (marked)
		all.mark = hxb_quick_digest(user->password, strlen(user->password));
	return hxb_quick_digest(&all, sizeof(all));
}
