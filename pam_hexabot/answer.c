/* SPDX-License-Identifier: ISC */
#include "pam_hexabot.h"

int
pam_code(enum hxb_answer answer)
{
	switch (answer) {
	case HXB_ANSWER_SUCCESS:
		return PAM_SUCCESS;
	case HXB_ANSWER_USER_UNKNOWN:
		return PAM_USER_UNKNOWN;
	case HXB_ANSWER_AUTH_ERR:
		return PAM_AUTH_ERR;
	case HXB_ANSWER_PERM_DENIED:
		return PAM_PERM_DENIED;
	case HXB_ANSWER_ACCT_EXPIRED:
		return PAM_ACCT_EXPIRED;
	case HXB_ANSWER_NEW_AUTHTOK:
		return PAM_NEW_AUTHTOK_REQD;
	case HXB_ANSWER_TRY_AGAIN:
		return PAM_TRY_AGAIN;
	case HXB_ANSWER_UNAVAIL:
	case HXB_ANSWER_SETS:
		break;
	}
	return PAM_AUTHINFO_UNAVAIL;
}
