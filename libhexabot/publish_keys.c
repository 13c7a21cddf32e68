/* SPDX-License-Identifier: ISC */
/*
 * Whose keys sshd may see: those of users who are enabled, and no others'. What goes, goes first.
 *
 * The account stage refuses whoever is not enabled, with a key or without: this is the second fence. So
 * nothing that fails here keeps the map, which is the first one's, from being published: it is told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "key_files.h"
#include "publish_private.h"

#define RETRY 60 /* seconds: when the next publish is due after a failure here */

/* Somebody who has keys. */
struct hxb_key_owner {
	char *id;
	bool enabled; /* and on the host, as: */
	char login[HXB_LOGIN_MAX + 1];
	uint32_t uid;
};

static int
compare_owners(const void *a, const void *b)
{
	const struct hxb_key_owner *x = a, *y = b;

	return strcmp(x->id, y->id);
}

enum hxb_result
hxb_publish_key_owners(struct hxb_publishing *p, struct hxb_error *error)
{
	char **ids = NULL;
	size_t count = 0;
	enum hxb_result r = hxb_ledger_key_owners(p->ledger, &ids, error);

	while (ids != NULL && ids[count] != NULL)
		count++;
	if (r == HXB_OK && (p->key_owners = calloc(count + 1, sizeof(*p->key_owners))) == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	for (size_t i = 0; i < count; i++) {
		if (r == HXB_OK)
			p->key_owners[p->key_owner_count++].id = ids[i];
		else
			free(ids[i]);
	}
	free(ids);
	if (r == HXB_OK && count > 0)
		qsort(p->key_owners, p->key_owner_count, sizeof(*p->key_owners), compare_owners);
	return r;
}

void
hxb_publish_forget_key_owners(struct hxb_publishing *p)
{
	for (size_t i = 0; i < p->key_owner_count; i++)
		free(p->key_owners[i].id);
	free(p->key_owners);
	p->key_owners = NULL;
	p->key_owner_count = 0;
}

void
hxb_publish_reset_key_owners(struct hxb_publishing *p)
{
	for (size_t i = 0; i < p->key_owner_count; i++)
		p->key_owners[i].enabled = false;
}

void
hxb_publish_key_owner(
    struct hxb_publishing *p, const char *id, const struct hxb_map_user *record, bool enabled)
{
	const struct hxb_key_owner key = { .id = (char *)(uintptr_t)id };
	struct hxb_key_owner *owner;

	if (p->key_owner_count == 0 || !enabled)
		return;
	owner = bsearch(&key, p->key_owners, p->key_owner_count, sizeof(key), compare_owners);
	if (owner == NULL)
		return;
	owner->enabled = true;
	owner->uid = record->uid;
	snprintf(owner->login, sizeof(owner->login), "%s", record->login);
}

static int
compare_names(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* The logins of those who are enabled, sorted. NULL: no memory. */
static const char **
enabled_logins(const struct hxb_publishing *p, size_t *count)
{
	const char **logins = calloc(p->key_owner_count + 1, sizeof(*logins));

	*count = 0;
	for (size_t i = 0; logins != NULL && i < p->key_owner_count; i++) {
		if (p->key_owners[i].enabled)
			logins[(*count)++] = p->key_owners[i].login;
	}
	if (logins != NULL && *count > 0)
		qsort(logins, *count, sizeof(*logins), compare_names);
	return logins;
}

/*
 * A hold waits for no publish: it stands in the ledger first, and takes the file away then. So who writes the
 * file looks after that whether there is one: either sees the other's. Where that can't be seen, it goes,
 * too.
 */
static enum hxb_result
remove_if_held(struct hxb_key_files *files, struct hxb_ledger *ledger, const char *id, const char *login,
    struct hxb_error *error)
{
	bool held = true;
	enum hxb_result r = hxb_ledger_held(ledger, id, &held, error), removed = HXB_OK;

	if (held)
		removed = hxb_key_files_remove(files, login, r == HXB_OK ? error : NULL);
	return r == HXB_OK ? removed : r;
}

/* Makes the file say what the ledger says: the user's keys as they are in its open transaction, if any. */
static enum hxb_result
write_keys(struct hxb_key_files *files, struct hxb_ledger *ledger, const char *id, const char *login,
    uint32_t uid, struct hxb_error *error)
{
	struct hxb_keys keys;
	char *text = NULL;
	enum hxb_result r = hxb_ledger_keys(ledger, id, &keys, error);

	if (r == HXB_OK && keys.count == 0)
		r = hxb_key_files_remove(files, login, error);
	else if (r == HXB_OK && (text = hxb_keys_text(&keys)) == NULL)
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	else if (r == HXB_OK)
		r = hxb_key_files_write(files, login, uid, text, error);
	if (r == HXB_OK && text != NULL)
		r = remove_if_held(files, ledger, id, login, error);
	free(text);
	hxb_keys_clear(&keys);
	return r;
}

/* Keeps the first failure's words. */
static void
note(struct hxb_publishing *p, enum hxb_result r, const struct hxb_error *error)
{
	if (r != HXB_OK && p->report->keys.text[0] == '\0')
		p->report->keys = *error;
}

static void
publish_keys(struct hxb_publishing *p, struct hxb_key_files *files)
{
	struct hxb_error error = { "out of memory" };
	size_t count = 0;
	const char **logins = enabled_logins(p, &count);

	note(p, logins == NULL ? HXB_FAILED : hxb_key_files_keep_only(files, logins, count, &error), &error);
	free(logins);
	for (size_t i = 0; i < p->key_owner_count; i++) {
		const struct hxb_key_owner *owner = &p->key_owners[i];

		if (!owner->enabled)
			continue;
		hxb_publish_next_step(p);
		note(p, write_keys(files, p->ledger, owner->id, owner->login, owner->uid, &error), &error);
	}
}

void
hxb_publish_keys(struct hxb_publishing *p, const char *state_dir)
{
	struct hxb_error error = { "" };
	struct hxb_key_files files;
	bool any = false;
	enum hxb_result r;

	if (p->options->dry_run)
		return;
	for (size_t i = 0; i < p->key_owner_count; i++)
		any = any || p->key_owners[i].enabled;
	r = hxb_key_files_open(&files, state_dir, any, &error);
	if (r == HXB_OK)
		publish_keys(p, &files);
	else if (r != HXB_NOT_FOUND)
		note(p, r, &error);
	note(p, hxb_key_files_close(&files, &error), &error);
	if (p->report->keys.text[0] != '\0' && (p->next_change == 0 || p->next_change > p->now + RETRY))
		p->next_change = p->now + RETRY;
}

/* Where the rest can't be written, all of them go: until the next publish, which puts the others back. */
enum hxb_result
hxb_keys_narrow(const struct hxb_places *places, struct hxb_ledger *ledger, const struct hxb_entry *entry,
    struct hxb_error *error)
{
	struct hxb_key_files files;
	enum hxb_result r = hxb_key_files_open(&files, places->state_dir, false, error), closed;

	if (r == HXB_OK && hxb_key_files_has(&files, entry->login)) {
		r = write_keys(&files, ledger, entry->id, entry->login, entry->number, error);
		if (r != HXB_OK)
			r = hxb_key_files_remove(&files, entry->login, error);
	}
	closed = hxb_key_files_close(&files, error);
	return r == HXB_NOT_FOUND ? HXB_OK : r != HXB_OK ? r : closed;
}
