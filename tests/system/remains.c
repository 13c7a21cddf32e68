/* SPDX-License-Identifier: ISC */
/*
 * remains SERVICE: lines "USER PASSWORD [NEW-PASSWORD]" on standard input. Goes through PAM with each as sshd
 * does (auth, setcred, account, a change where a new password stands there, session), ends the transaction,
 * and then looks for all of these passwords in its own memory, where a core file would have them. Prints
 * where one is. Exit status: 1 if one is there, 3 if a user was answered by nobody.
 *
 * It knows the secrets only with some bits of each byte turned over.
 */
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <security/pam_appl.h>

#define MASK 0x5a
#define SECRETS_MAX 64
#define SIZE_MAX_SECRET 128
#define CHUNK (1 << 16)
#define GIGABYTE (1ul << 30)

static struct secret {
	unsigned char turned[SIZE_MAX_SECRET];
	size_t size;
} secrets[SECRETS_MAX];
static size_t secret_count;

/* What the next prompts are answered with. */
static const struct secret *current, *wanted;

static char *
turned_back(const struct secret *secret)
{
	char *text = calloc(1, secret->size + 1);

	for (size_t i = 0; text != NULL && i < secret->size; i++)
		text[i] = (char)(secret->turned[i] ^ MASK);
	return text;
}

static int
converse(int count, const struct pam_message **messages, struct pam_response **responses, void *context)
{
	(void)context;
	*responses = calloc((size_t)count, sizeof(**responses));
	if (*responses == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < count; i++) {
		bool is_new = strcasestr(messages[i]->msg, "new password") != NULL;

		if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			(*responses)[i].resp = turned_back(is_new && wanted != NULL ? wanted : current);
	}
	return PAM_SUCCESS;
}

static void
no_delay(int code, unsigned microseconds, void *context)
{
	(void)code;
	(void)microseconds;
	(void)context;
}

/* One byte at a time, so that no buffer of anybody's has the line. */
static int
read_byte(void)
{
	unsigned char byte;

	return read(STDIN_FILENO, &byte, 1) == 1 ? byte : '\n';
}

/* Reads a word; *end is what follows it. NULL: none is there. */
static const struct secret *
read_secret(int *end)
{
	struct secret *secret = &secrets[secret_count];
	int byte;

	while ((byte = read_byte()) != ' ' && byte != '\n') {
		if (secret_count == SECRETS_MAX || secret->size == SIZE_MAX_SECRET)
			errx(2, "too much to hide");
		secret->turned[secret->size++] = (unsigned char)(byte ^ MASK);
	}
	*end = byte;
	if (secret->size == 0)
		return NULL;
	secret_count++;
	return secret;
}

static bool
read_user(char *user, size_t size)
{
	size_t length = 0;
	int byte;

	while ((byte = read_byte()) != ' ' && byte != '\n' && length < size - 1)
		user[length++] = (char)byte;
	user[length] = '\0';
	return length > 0 && byte == ' ';
}

static void
visit(const char *service, const char *user)
{
	const struct pam_conv conversation = { .conv = converse };
	void (*delay)(int, unsigned, void *) = no_delay;
	pam_handle_t *pamh = NULL;
	int auth, account, change = PAM_SUCCESS;

	if (pam_start(service, user, &conversation, &pamh) != PAM_SUCCESS ||
	    pam_set_item(pamh, PAM_FAIL_DELAY, *(const void **)(void *)&delay) != PAM_SUCCESS)
		errx(3, "pam_start: %s", service);
	auth = pam_authenticate(pamh, 0);
	pam_setcred(pamh, PAM_ESTABLISH_CRED);
	account = pam_acct_mgmt(pamh, 0);
	if (wanted != NULL)
		change =
		    pam_chauthtok(pamh, account == PAM_NEW_AUTHTOK_REQD ? PAM_CHANGE_EXPIRED_AUTHTOK : 0);
	pam_open_session(pamh, 0);
	pam_close_session(pamh, 0);
	pam_end(pamh, auth);
	printf("%s: auth %d, account %d, change %d\n", user, auth, account, change);
	if (auth == PAM_AUTHINFO_UNAVAIL || account == PAM_AUTHINFO_UNAVAIL)
		exit(3);
}

static bool
is_at(const unsigned char *memory, const struct secret *secret)
{
	for (size_t i = 0; i < secret->size; i++) {
		if (memory[i] != (unsigned char)(secret->turned[i] ^ MASK))
			return false;
	}
	return true;
}

static unsigned
look_through(int fd, unsigned long from, unsigned long to, const char *name)
{
	static unsigned char memory[CHUNK + SIZE_MAX_SECRET];
	unsigned found = 0;

	for (unsigned long at = from; at < to; at += CHUNK) {
		size_t wanted_size = to - at < sizeof(memory) ? to - at : sizeof(memory);
		ssize_t size = pread(fd, memory, wanted_size, (off_t)at);

		for (ssize_t i = 0; i < size && i < CHUNK; i++) {
			for (size_t s = 0; s < secret_count; s++) {
				if ((size_t)(size - i) >= secrets[s].size && is_at(memory + i, &secrets[s])) {
					printf("secret %zu is at %#lx, in %s", s + 1, at + (unsigned long)i,
					    name);
					found++;
				}
			}
		}
		explicit_bzero(memory, sizeof(memory));
	}
	return found;
}

/* All that a core file would hold: what is written to, shared or not; but for the sanitizers' terabytes. */
static unsigned
look_everywhere(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	unsigned long from, to;
	unsigned found = 0;
	char line[512], mode[8];

	if (maps == NULL || fd == -1)
		err(EXIT_FAILURE, "/proc/self");
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3 && mode[0] == 'r' && mode[1] == 'w' &&
		    to - from <= GIGABYTE)
			found += look_through(fd, from, to, line);
	}
	fclose(maps);
	close(fd);
	return found;
}

int
main(int argc, char *argv[])
{
	char user[64];
	int end;

	if (argc != 2)
		errx(2, "usage: remains SERVICE");
	while (read_user(user, sizeof(user))) {
		current = read_secret(&end);
		wanted = end == ' ' ? read_secret(&end) : NULL;
		visit(argv[1], user);
	}
	return look_everywhere() == 0 ? EXIT_SUCCESS : 1;
}
