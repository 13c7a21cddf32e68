/* SPDX-License-Identifier: ISC */
/* PAM transactions. What crypt(3) takes of them is measured in them, and taken off. */
#include <crypt.h>
#include <dlfcn.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <security/pam_appl.h>

#include "bench.h"

static uint64_t hashing;

/* In place of libcrypt's in this whole process, PAM's modules included. */
__attribute__((visibility("default"))) char *
crypt_r(const char *phrase, const char *setting, struct crypt_data *data)
{
	static char *(*real)(const char *, const char *, struct crypt_data *);
	uint64_t start;
	char *hash;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "crypt_r");
	if (real == NULL)
		errx(EXIT_FAILURE, "%s", dlerror());
	start = now_ns();
	hash = real(phrase, setting, data);
	hashing += now_ns() - start;
	return hash;
}

static int
converse(int count, const struct pam_message **messages, struct pam_response **responses, void *context)
{
	int i;

	(void)messages;
	(void)context;
	if ((*responses = calloc((size_t)count, sizeof(**responses))) == NULL)
		return PAM_BUF_ERR;
	for (i = 0; i < count; i++)
		(*responses)[i].resp = strdup(BENCH_PASSWORD);
	return PAM_SUCCESS;
}

struct answer
pam_run(const char *service, enum operation operation, const char *login)
{
	const struct pam_conv conversation = { .conv = converse };
	bool auth = operation == PAM_AUTH || operation == PAM_AUTH_WHOLE;
	bool whole = operation == PAM_AUTH_WHOLE || operation == PAM_ACCOUNT_WHOLE;
	uint64_t start = now_ns(), called, returned, ended;
	pam_handle_t *pamh;
	int r;

	hashing = 0;
	if (pam_start_confdir(service, login, &conversation, BENCH_DIR "/pam.d", &pamh) != PAM_SUCCESS)
		errx(EXIT_FAILURE, "pam_start_confdir: %s", service);
	called = now_ns();
	r = auth ? pam_authenticate(pamh, 0) : pam_acct_mgmt(pamh, 0);
	returned = now_ns();
	pam_end(pamh, r);
	ended = now_ns();
	return (struct answer){ (double)((whole ? ended - start : returned - called) - hashing),
		r == PAM_SUCCESS && (hashing > 0) == auth ? 0 : 1 };
}
