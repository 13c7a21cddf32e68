/* SPDX-License-Identifier: ISC */
/* The digest of a code that auth proved, kept in PAM's handle for this handle's chauthtok. */
#include <stdlib.h>
#include <string.h>

#include "pam_hexabot.h"

#define DATA_NAME "hexabot.code"

static void
forget(pam_handle_t *pamh, void *data, int status)
{
	(void)pamh;
	(void)status;
	explicit_bzero(data, HXB_CODE_DIGEST_SIZE);
	free(data);
}

int
code_keep(const struct call *call)
{
	unsigned char *copy = malloc(HXB_CODE_DIGEST_SIZE);
	int code;

	if (copy == NULL)
		return PAM_BUF_ERR;
	memcpy(copy, call->code->digest, HXB_CODE_DIGEST_SIZE);
	code = pam_set_data(call->pamh, DATA_NAME, copy, forget);
	if (code != PAM_SUCCESS)
		forget(call->pamh, copy, 0);
	return code;
}

bool
code_take(struct call *call)
{
	const void *kept = NULL;

	if (pam_get_data(call->pamh, DATA_NAME, &kept) != PAM_SUCCESS || kept == NULL)
		return false;
	memcpy(call->digest, kept, HXB_CODE_DIGEST_SIZE);
	return true;
}

void
code_forget(const struct call *call)
{
	(void)pam_set_data(call->pamh, DATA_NAME, NULL, NULL);
}
