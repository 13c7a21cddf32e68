/* SPDX-License-Identifier: ISC */
#include <crypt.h>
#include <dlfcn.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pam_caller.h"

unsigned long bcrypt_work;
unsigned bcrypt_limit = 31;

/* In place of libcrypt's in this whole process, PAM's modules included. */
__attribute__((visibility("default"))) char *
crypt_r(const char *phrase, const char *setting, struct crypt_data *data)
{
	static char *(*real)(const char *, const char *, struct crypt_data *);
	unsigned long cost = 0;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "crypt_r");
	if (real == NULL)
		errx(EXIT_FAILURE, "%s", dlerror());
	if (strncmp(setting, "$2", 2) == 0) {
		cost = strtoul(setting + 4, NULL, 10);
		bcrypt_work += 1ul << cost;
	}
	if (cost <= bcrypt_limit)
		return real(phrase, setting, data);
	snprintf(data->output, sizeof(data->output), "*0");
	return data->output;
}

static int
converse(int count, const struct pam_message **messages, struct pam_response **responses, void *context)
{
	const char *const *password = context;

	*responses = calloc((size_t)count, sizeof(**responses));
	if (*responses == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < count; i++) {
		if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			(*responses)[i].resp = strdup(*password);
	}
	return PAM_SUCCESS;
}

/* What libpam calls instead of sleeping after a failure. */
static void
go_on(int status, unsigned delay, void *data)
{
	(void)status, (void)delay, (void)data;
}

pam_handle_t *
caller_start(const char *service, const char *user, const char **password)
{
	const struct pam_conv conversation = { .conv = converse, .appdata_ptr = password };
	void (*delay)(int, unsigned, void *) = go_on;
	pam_handle_t *pamh = NULL;

	if (pam_start(service, user, &conversation, &pamh) != PAM_SUCCESS ||
	    pam_set_item(pamh, PAM_FAIL_DELAY, *(const void **)(void *)&delay) != PAM_SUCCESS ||
	    pam_set_item(pamh, PAM_RHOST, "192.0.2.7") != PAM_SUCCESS)
		errx(EXIT_FAILURE, "pam_start: %s, %s", service, user);
	return pamh;
}

unsigned
caller_positive(const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (number == 0 || number > 1000000 || *end != '\0')
		errx(2, "'%s': not a number from 1 to 1000000", text);
	return (unsigned)number;
}
