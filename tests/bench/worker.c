/* SPDX-License-Identifier: ISC */
/*
 * One process for each backend and size, in a view of its own, so that all of them can be asked in turn. A
 * batch is drawn before the clock starts, and warmed up.
 */
#include <err.h>
#include <nss.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

int __nss_configure_lookup(const char *database, const char *services); /* glibc's, in no header */

struct worker {
	pid_t pid;
	int socket;
};

struct command {
	enum operation operation;
	enum keys keys;
	uint32_t count;
};

void
backend_configure(const struct backend *backend)
{
	static const char *const databases[] = { "passwd", "group", "shadow", "initgroups" };
	size_t i;

	for (i = 0; backend->configured && backend->service != NULL && i < 4; i++)
		if (__nss_configure_lookup(databases[i], backend->service) != 0)
			err(EXIT_FAILURE, "%s", backend->service);
}

static struct answer
run_lookups(const struct backend *backend, const struct command *command, const struct key *keys)
{
	bool expected = command->keys != MISS;
	struct answer answer = { 0, 0 };
	uint64_t start = now_ns();
	uint32_t i;

	for (i = 0; i < command->count; i++)
		answer.wrong += lookup(backend, command->operation, &keys[i], expected) ? 0 : 1;
	answer.ns = (double)(now_ns() - start) / command->count;
	return answer;
}

/* The other batches have pushed ours out of the processor's caches. Who is slow does not notice. */
static void
warm_up(const struct backend *backend, const struct people *people, const struct command *command,
    struct key *keys)
{
	/* A daemon's cache has to have been filled; asked one by one it would take too many rounds. */
	bool fill = backend->daemon && command->keys == HOT && command->operation < INITGROUPS;
	struct command some = *command;

	if (command->count < 64 && !fill)
		return;
	if (some.count > HOT_KEYS || fill)
		some.count = HOT_KEYS;
	keys_draw(people, some.operation, some.keys, keys, some.count, some.keys == HOT);
	(void)run_lookups(backend, &some, keys);
}

static struct answer
run_other(const struct backend *backend, const struct people *people, enum operation operation,
    const struct key *key)
{
	char services[64] = "files ";
	uint32_t count;
	double each;

	switch (operation) {
	case GETPWENT:
		each = walk(backend, &count);
		/* Beside them there may be the host's own. */
		return (struct answer){ each, count >= people->count || each * count > 5e8 ? 0 : 1 };
	case GETENT:
		return spawn_getent(backend->configured ? backend->service : NULL, key->text);
	case GETENT_BEHIND:
		strncat(services, backend->service, sizeof(services) - sizeof("files "));
		return spawn_getent(services, key->text);
	case LOAD:
		return spawn_load(backend->library);
	default:
		return pam_run(backend->name, operation, key->text);
	}
}

static struct answer
run(const struct backend *backend, const struct people *people, const struct command *command)
{
	static struct key keys[MAX_BATCH];
	static double values[MAX_BATCH];
	struct answer all = { 0, 0 }, answer;
	uint32_t i;

	if (command->operation <= LAST_LOOKUP)
		warm_up(backend, people, command, keys);
	keys_draw(people, command->operation, command->keys, keys, command->count, false);
	if (command->operation <= LAST_LOOKUP)
		return run_lookups(backend, command, keys);
	for (i = 0; i < command->count; i++) {
		answer = run_other(backend, people, command->operation, &keys[i]);
		values[i] = answer.ns;
		all.wrong += answer.wrong;
	}
	all.ns = median(values, command->count);
	return all;
}

static _Noreturn void
serve(const struct backend *backend, const struct people *people, int socket)
{
	struct command command;
	struct answer answer;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	view_enter(backend, people->count);
	backend_configure(backend);
	while (read(socket, &command, sizeof(command)) == sizeof(command)) {
		answer = run(backend, people, &command);
		if (write(socket, &answer, sizeof(answer)) != sizeof(answer))
			break;
	}
	_exit(EXIT_FAILURE);
}

struct worker *
worker_start(const struct backend *backend, const struct people *people)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int sockets[2];

	if (worker == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
		err(EXIT_FAILURE, "%s", backend->name);
	if ((worker->pid = fork()) == 0)
		serve(backend, people, sockets[1]);
	if (worker->pid < 0)
		err(EXIT_FAILURE, "fork");
	close(sockets[1]);
	worker->socket = sockets[0];
	return worker;
}

struct answer
worker_ask(const struct worker *worker, enum operation operation, enum keys keys, uint32_t count)
{
	const struct command command = { operation, keys, count };
	struct answer answer;

	if (write(worker->socket, &command, sizeof(command)) != sizeof(command) ||
	    read(worker->socket, &answer, sizeof(answer)) != sizeof(answer))
		errx(EXIT_FAILURE, "a worker has died in %s", operation_names[operation]);
	return answer;
}

void
worker_stop(struct worker *worker)
{
	close(worker->socket);
	kill(worker->pid, SIGKILL);
	waitpid(worker->pid, NULL, 0);
	free(worker);
}
