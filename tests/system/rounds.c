/* SPDX-License-Identifier: ISC */
/*
 * rounds SERVICE NUMBER [memory]: so many logins in one process, as a daemon that never restarts would make
 * them: refused, then let in, a session opened and closed. After a tenth of them nothing may grow: no
 * descriptor, and with `memory` no mapping, nor what is allocated, nor what is resident (sanitizers keep
 * books of their own, and look for leaks at the end). Reads "USER PASSWORD" lines: the first is let in, the
 * others are refused in turn. Hashes above cost 4 are not worked out: they are measured elsewhere.
 */
#include <dirent.h>
#include <err.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pam_caller.h"

#define ALLOCATED_MAY_GROW 1024 /* bytes, in all of the rounds; the allocator gives 32 at least */
#define RESIDENT_MAY_GROW (256 * 1024) /* bytes: pages that the allocator comes to touch */
#define MOST_PEOPLE 16

struct person {
	char name[64], password[600];
};

struct footprint {
	long descriptors, mappings, allocated, resident;
};

static long
count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	long count = 0;

	if (dir == NULL)
		err(EXIT_FAILURE, "/proc/self/fd");
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static long
count_mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "re");
	long count = 0;
	int c;

	if (file == NULL)
		err(EXIT_FAILURE, "/proc/self/maps");
	while ((c = getc(file)) != EOF)
		count += c == '\n';
	fclose(file);
	return count;
}

static long
count_resident(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long size, resident;

	if (file == NULL || fscanf(file, "%ld %ld", &size, &resident) != 2)
		err(EXIT_FAILURE, "/proc/self/statm");
	fclose(file);
	return resident * sysconf(_SC_PAGESIZE);
}

static struct footprint
measure(void)
{
	struct footprint now;
	struct mallinfo2 info;

	now.descriptors = count_descriptors();
	now.mappings = count_mappings();
	now.resident = count_resident();
	info = mallinfo2();
	now.allocated = (long)(info.uordblks + info.hblkhd);
	return now;
}

static void
expect(const char *what, int code, int expected)
{
	if (code != expected)
		errx(EXIT_FAILURE, "%s: %d instead of %d", what, code, expected);
}

/* Two tries for the password, as sshd gives, and a whole session. */
static void
let_in(const char *service, const struct person *person)
{
	const char *password = "pw-wrong";
	pam_handle_t *pamh = caller_start(service, person->name, &password);

	expect("wrong password", pam_authenticate(pamh, 0), PAM_AUTH_ERR);
	password = person->password;
	expect("right password", pam_authenticate(pamh, 0), PAM_SUCCESS);
	expect("account", pam_acct_mgmt(pamh, 0), PAM_SUCCESS);
	expect("setcred", pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
	expect("open_session", pam_open_session(pamh, 0), PAM_SUCCESS);
	expect("close_session", pam_close_session(pamh, 0), PAM_SUCCESS);
	expect("setcred", pam_setcred(pamh, PAM_DELETE_CRED), PAM_SUCCESS);
	pam_end(pamh, PAM_SUCCESS);
}

static void
refuse(const char *service, const struct person *person)
{
	const char *password = person->password;
	pam_handle_t *pamh = caller_start(service, person->name, &password);

	if (pam_authenticate(pamh, 0) == PAM_SUCCESS)
		errx(EXIT_FAILURE, "%s got in", person->name);
	/* By key there is no auth stage. */
	if (pam_acct_mgmt(pamh, 0) == PAM_SUCCESS)
		errx(EXIT_FAILURE, "%s got in by account", person->name);
	pam_end(pamh, PAM_AUTH_ERR);
}

static unsigned
read_people(struct person people[MOST_PEOPLE])
{
	unsigned count = 0;

	while (count < MOST_PEOPLE &&
	    scanf("%63s %599s", people[count].name, people[count].password) == 2) /* NOLINT: bounded */
		count++;
	if (count < 2)
		errx(2, "who is let in, and who is refused?");
	return count;
}

static bool
grew(const char *what, long before, long after, long may_grow)
{
	printf("%s: %ld after a tenth of the rounds, %ld at the end\n", what, before, after);
	return after - before > may_grow;
}

int
main(int argc, char **argv)
{
	struct person people[MOST_PEOPLE];
	struct footprint before = { 0 }, after;
	unsigned rounds, count;
	bool grown;

	if (argc < 3)
		errx(2, "usage: rounds SERVICE NUMBER [memory]");
	rounds = caller_positive(argv[2]);
	count = read_people(people);
	bcrypt_limit = 4;
	for (unsigned i = 0; i < rounds; i++) {
		if (i == rounds / 10)
			before = measure();
		let_in(argv[1], &people[0]);
		refuse(argv[1], &people[1 + i % (count - 1)]);
	}
	after = measure();
	grown = grew("descriptors", before.descriptors, after.descriptors, 0);
	if (argc > 3) {
		grown |= grew("mappings", before.mappings, after.mappings, 0);
		grown |= grew("bytes allocated", before.allocated, after.allocated, ALLOCATED_MAY_GROW);
		grown |= grew("bytes resident", before.resident, after.resident, RESIDENT_MAY_GROW);
	}
	return grown ? EXIT_FAILURE : EXIT_SUCCESS;
}
