/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "fingerprint.h"
#include "token.h"

#define SLICE 1000

/* Two texts, apart: no part of one can be taken for the other's. */
static uint64_t
digest_pair(const char *one, const char *other, uint64_t kind)
{
	const size_t sizes[] = { strlen(one) + 1, strlen(other) + 1 };
	struct {
		uint64_t kind, one, other;
		char texts[96];
	} all = { .kind = kind };

	/* Two of Hexabot's ids fit. */
	if (sizes[0] + sizes[1] <= sizeof(all.texts)) {
		memcpy(all.texts, one, sizes[0]);
		memcpy(all.texts + sizes[0], other, sizes[1]);
	} else {
		all.one = hxb_quick_digest(one, sizes[0]);
		all.other = hxb_quick_digest(other, sizes[1]);
	}
	return hxb_quick_digest(&all, sizeof(all));
}

void
hxb_fingerprint_user(struct hxb_fingerprint *fingerprint, const struct hxb_user *user)
{
	fingerprint->sum += hxb_user_digest(user);
}

void
hxb_fingerprint_role(struct hxb_fingerprint *fingerprint, const struct hxb_role *role)
{
	fingerprint->sum += digest_pair(role->id, role->name, role->active ? 1 : 2);
}

void
hxb_fingerprint_membership(struct hxb_fingerprint *fingerprint, const char *user_id, const char *role_id)
{
	fingerprint->sum += digest_pair(user_id, role_id, 3);
}

uint64_t
hxb_fingerprint_end(const struct hxb_fingerprint *fingerprint)
{
	return fingerprint->sum != HXB_FINGERPRINT_UNKNOWN ? fingerprint->sum : 1;
}

static enum hxb_result
take_user(const struct hxb_user *user, void *context, struct hxb_error *error)
{
	(void)error;
	hxb_fingerprint_user(context, user);
	return HXB_OK;
}

static enum hxb_result
take_role(const struct hxb_role *role, void *context, struct hxb_error *error)
{
	(void)error;
	hxb_fingerprint_role(context, role);
	return HXB_OK;
}

static enum hxb_result
take_membership(const char *user_id, const char *role_id, void *context, struct hxb_error *error)
{
	(void)error;
	hxb_fingerprint_membership(context, user_id, role_id);
	return HXB_OK;
}

enum hxb_result
hxb_fingerprint_store(struct hxb_store *store, uint64_t *fingerprint, struct hxb_error *error)
{
	struct hxb_slice users = { .limit = SLICE, .roles = HXB_SHOWN_ONLY, .more = true };
	struct hxb_slice memberships = { .limit = SLICE * 10, .more = true };
	struct hxb_fingerprint sum = { 0 };
	enum hxb_result r;

	hxb_store_set_deadline(store, hxb_deadline_in(HXB_CTL_DEADLINE));
	r = hxb_store_roles(store, take_role, &sum, error);
	while (r == HXB_OK && memberships.more) {
		hxb_store_set_deadline(store, hxb_deadline_in(HXB_CTL_DEADLINE));
		r = hxb_store_memberships(store, &memberships, take_membership, &sum, error);
	}
	while (r == HXB_OK && users.more) {
		hxb_store_set_deadline(store, hxb_deadline_in(HXB_CTL_DEADLINE));
		r = hxb_store_users(store, &users, take_user, &sum, error);
	}
	*fingerprint = r == HXB_OK ? hxb_fingerprint_end(&sum) : HXB_FINGERPRINT_UNKNOWN;
	return r;
}
