/* SPDX-License-Identifier: ISC */
#include <pwd.h>
#include <string.h>

#include "uid_owner.h"

enum hxb_result
hxb_uid_is_ours(const struct hxb_session *session, const struct hxb_host_names *host, uid_t uid,
    const char *login, struct hxb_error *error)
{
	const struct passwd *pw;

	if (uid == 0 || uid < session->config.uid_min || uid > session->config.uid_max)
		return hxb_fail(error, HXB_REFUSED, "uid %u is not from the range of Hexabot's users", uid);
	if (hxb_host_has_id(host, uid))
		return hxb_fail(error, HXB_REFUSED, "uid %u has come to be the host's own", uid);
	/* One who is erased, or hidden by a local name, has none. */
	pw = getpwuid(uid);
	if (pw != NULL && strcmp(pw->pw_name, login) != 0)
		return hxb_fail(error, HXB_REFUSED, "uid %u is also %.64s's on this host", uid, pw->pw_name);
	return HXB_OK;
}

static bool
runs(const struct hxb_processes *processes, uid_t uid)
{
	for (size_t i = 0; i < processes->count; i++)
		if (hxb_process_is_of(&processes->list[i], uid))
			return true;
	return false;
}

enum hxb_result
hxb_uid_spare(struct hxb_session *session, const struct hxb_host_names *host,
    const struct hxb_processes *processes, uid_t *spare, struct hxb_error *error)
{
	hxb_ledger_set_deadline(session->ledger, hxb_deadline_in(HXB_CTL_DEADLINE));
	for (uint32_t uid = session->config.uid_max; uid >= session->config.uid_min; uid--) {
		bool taken = false;
		enum hxb_result r = hxb_ledger_number_taken(session->ledger, uid, &taken, error);

		if (r != HXB_OK)
			return r;
		if (taken || hxb_host_has_id(host, uid) || runs(processes, uid) || getpwuid(uid) != NULL)
			continue;
		*spare = uid;
		return HXB_OK;
	}
	return hxb_fail(error, HXB_FAILED, "uid_min, uid_max: no free number is left");
}
