/* SPDX-License-Identifier: ISC */
/* What is measured in processes of their own: getent(1), loading, memory, system calls, publishing. */
#include <dlfcn.h>
#include <err.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/* Of publishing at one size, after which no new round begins. */
#define FIRST_NS 5e9
#define PUBLISH_NS 30e9

extern char **environ;

/* Runs a program to its end, its output in `out`. Returns whether it succeeded. */
static bool
spawn(const char *program, char *const argv[], int out)
{
	posix_spawn_file_actions_t actions;
	int status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (posix_spawn(&pid, program, &actions, NULL, argv, environ) != 0)
		err(EXIT_FAILURE, "%s", program);
	posix_spawn_file_actions_destroy(&actions);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static int
null_device(void)
{
	static int null = -1;

	if (null < 0)
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return null;
}

struct answer
spawn_getent(const char *services, const char *login)
{
	const char *asked[] = { "getent", "-s", services, "passwd", login, NULL };
	const char *plain[] = { "getent", "passwd", login, NULL };
	uint64_t start = now_ns();
	bool right;

	right = spawn(
	    "/usr/bin/getent", (char *const *)(uintptr_t)(services != NULL ? asked : plain), null_device());
	return (struct answer){ (double)(now_ns() - start), right ? 0 : 1 };
}

struct answer
spawn_load(const char *library)
{
	const char *argv[] = { "bench", "load", library, NULL };
	struct answer answer = { 0, 1 };
	uint64_t ns;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		err(EXIT_FAILURE, "pipe");
	if (spawn("/proc/self/exe", (char *const *)(uintptr_t)argv, ends[1]) &&
	    read(ends[0], &ns, sizeof(ns)) == sizeof(ns))
		answer = (struct answer){ (double)ns, 0 };
	close(ends[0]);
	close(ends[1]);
	return answer;
}

int
load_main(const char *library)
{
	uint64_t start = now_ns(), ns;

	if (dlopen(library, RTLD_NOW) == NULL)
		errx(EXIT_FAILURE, "%s", dlerror());
	ns = now_ns() - start;
	return write(STDOUT_FILENO, &ns, sizeof(ns)) == sizeof(ns) ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Memory that is this process's own, in KiB: all of it, and that of mappings of the backend's files. */
static void
own_memory(double *all, double *files)
{
	FILE *in = fopen("/proc/self/smaps", "r");
	bool ours = false;
	char line[512];
	double kib;

	if (in == NULL)
		err(EXIT_FAILURE, "/proc/self/smaps");
	*all = *files = 0;
	while (fgets(line, sizeof(line), in) != NULL) {
		if (line[0] != '\0' && strchr("0123456789abcdef", line[0]) != NULL)
			ours = strstr(line, "/libnss_") != NULL || strstr(line, "/hexactl/") != NULL ||
			    strstr(line, "/misc/") != NULL || strstr(line, "/sss/") != NULL;
		if (sscanf(line, "Anonymous: %lf", &kib) != 1)
			continue;
		*all += kib;
		*files += ours ? kib : 0;
	}
	fclose(in);
}

int
memory_main(const struct backend *backend, uint32_t size)
{
	static struct key keys[HOT_KEYS];
	const struct people *people = people_load(size);
	double before, after, unused, files;
	uint32_t wrong = 0, i;

	view_enter(backend, size);
	keys_draw(people, GETPWNAM, HIT, keys, HOT_KEYS, false);
	own_memory(&before, &unused);
	backend_configure(backend);
	for (i = 0; i < (size > 10000 ? 20 : HOT_KEYS); i++)
		wrong += lookup(backend, GETPWNAM, &keys[i], true) ? 0 : 1;
	own_memory(&after, &files);
	after -= before;
	print_line("memory", "grown", backend->name, size, &after, 1, "KiB", wrong);
	print_line("memory", "files", backend->name, size, &files, 1, "KiB", wrong);
	return EXIT_SUCCESS;
}

int
calls_main(const struct backend *backend, uint32_t size, enum operation operation, uint32_t count)
{
	static struct key keys[HOT_KEYS];
	const struct people *people = people_load(size);
	uint32_t i;

	view_enter(backend, size);
	backend_configure(backend);
	keys_draw(people, operation, HIT, keys, 2 * count, false);
	for (i = 0; i < 2 * count; i++) {
		if (i == count)
			(void)getppid();
		(void)lookup(backend, operation, &keys[i], true);
	}
	(void)getppid();
	return EXIT_SUCCESS;
}

static _Noreturn void
exec_hexactl(uint32_t size, bool init, bool trial)
{
	char store[64];

	snprintf(store, sizeof(store), BENCH_DIR "/%u/store.sqlite", size);
	view_enter(backend_by_name("hexabot"), size);
	if (trial &&
	    (mount("none", "/etc/hexabot", "tmpfs", 0, "mode=755") != 0 ||
	        mount("none", "/var/lib/hexactl", "tmpfs", 0, "mode=755") != 0))
		err(EXIT_FAILURE, "tmpfs");
	dup2(null_device(), STDOUT_FILENO);
	if (init)
		execl("/usr/sbin/hexactl", "hexactl", "init", "--store", store, NULL);
	else
		execl("/usr/sbin/hexactl", "hexactl", "publish", NULL);
	err(EXIT_FAILURE, "hexactl");
}

/* A trial finds a host where hexactl never ran, and leaves nothing. Returns nanoseconds. */
static double
run_hexactl(uint32_t size, bool init, bool trial, double *mb)
{
	struct rusage usage;
	uint64_t start;
	int status;
	pid_t pid;

	if ((pid = fork()) == 0)
		exec_hexactl(size, init, trial);
	start = now_ns();
	if (wait4(pid, &status, 0, &usage) != pid || status != 0)
		errx(EXIT_FAILURE, "hexactl failed with %u users", size);
	*mb = (double)usage.ru_maxrss * 1024 / 1e6;
	return (double)(now_ns() - start);
}

static void
print_map_size(uint32_t size)
{
	char file[64];
	struct stat st;
	double bytes;

	snprintf(file, sizeof(file), BENCH_DIR "/%u/state/map.1", size);
	if (stat(file, &st) != 0)
		err(EXIT_FAILURE, "%s", file);
	bytes = (double)st.st_size / size;
	print_line("bytes-a-user", "map", "hexabot", size, &bytes, 1, "B", 0);
}

int
first_main(uint32_t size)
{
	enum { ROUNDS = 5 };
	double took[ROUNDS], mb[ROUNDS], spent = 0;
	size_t round;

	for (round = 0; round < ROUNDS && spent < FIRST_NS; round++) {
		took[round] = run_hexactl(size, true, round > 0, &mb[round]);
		spent += took[round];
	}
	print_line("publish", "first", "hexabot", size, took, round, "ns", 0);
	print_line("publish-memory", "first", "hexabot", size, mb, round, "MB", 0);
	return EXIT_SUCCESS;
}

void
bench_publish(uint32_t size)
{
	enum { ROUNDS = 9 };
	double joined[ROUNDS], plain[ROUNDS], again[ROUNDS], mb[ROUNDS], spent = 0;
	char store[64];
	size_t round;

	snprintf(store, sizeof(store), BENCH_DIR "/%u/store.sqlite", size);
	for (round = 0; round < ROUNDS && spent < PUBLISH_NS; round++) {
		joined[round] = (double)sqlite_read(store, true);
		plain[round] = (double)sqlite_read(store, false);
		/* There is always something to publish. */
		sqlite_run(store, "UPDATE users SET state = NOT state WHERE rowid = 2");
		again[round] = run_hexactl(size, false, false, &mb[round]);
		spent += again[round];
	}
	print_line("publish", "read-joined", "hexabot", size, joined, round, "ns", 0);
	print_line("publish", "read-plain", "hexabot", size, plain, round, "ns", 0);
	print_line("publish", "again", "hexabot", size, again, round, "ns", 0);
	print_line("publish-memory", "again", "hexabot", size, mb, round, "MB", 0);
	print_map_size(size);
}
