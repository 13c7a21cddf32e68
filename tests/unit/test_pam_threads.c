/* SPDX-License-Identifier: ISC */
/*
 * pam_hexabot.so in a process of many threads, each with a handle of its own, while users are turned on and
 * off and published. tests/check runs this under TSan too.
 */
#include <pthread.h>

#include "pam_fixture.h"

#define SERVICE "hexabot-test"
#define THREADS 4
#define ROUNDS 6

/* libpam tells the audit system of each stage, and libaudit keeps an address in a static buffer. */
const char *__tsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *
__tsan_default_suppressions(void)
{
	return "race:libaudit.so\n";
}

static _Atomic unsigned wrong, finished;

static int
give_password(int count, const struct pam_message **messages, struct pam_response **responses, void *password)
{
	struct pam_response *replies = calloc((size_t)count, sizeof(*replies));

	if (replies == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < count; i++)
		if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			replies[i].resp = strdup(password);
	*responses = replies;
	return PAM_SUCCESS;
}

/* Auth and account in one transaction. */
static void
expect(const char *user, const char *password, int auth, int account)
{
	struct pam_conv conversation = { give_password, (void *)(uintptr_t)password };
	struct standing standing = present_standing();
	pam_handle_t *pamh;

	logged[0] = '\0';
	pamh = open_handle(SERVICE, user, service_dir, &conversation);
	if (pam_authenticate(pamh, 0) != auth)
		wrong++;
	if (pam_acct_mgmt(pamh, 0) != account)
		wrong++;
	pam_end(pamh, account);
	assert_standing(&standing);
}

static void *
come_and_go(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		expect("mona", "pw-mona", PAM_SUCCESS, PAM_SUCCESS);
		expect("mona", "pw-max", PAM_AUTH_ERR, PAM_SUCCESS);
		expect("max", "pw-max", PAM_AUTH_ERR, PAM_ACCT_EXPIRED);
		expect("root", "pw-root", PAM_USER_UNKNOWN, PAM_USER_UNKNOWN);
	}
	forget_map();
	finished++;
	return unused;
}

static void
nobody_is_taken_for_somebody_else(void **state)
{
	pthread_t threads[THREADS];
	unsigned turns = 0;
	char path[PATH_MAX + 64];

	(void)state;
	NEEDS_ROOT_AND_A_STATE_DIR();
	snprintf(path, sizeof(path), "%s/" SERVICE, service_dir);
	write_stack(path, "", "");
	wrong = finished = 0;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
	while (finished < THREADS) {
		sql(store_path, "UPDATE users SET state = %d WHERE username = 'ada'", turns++ % 2);
		publish();
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(wrong, 0);
	assert_true(turns > 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_is_taken_for_somebody_else, set_up_pam, tear_down_pam),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
