/* SPDX-License-Identifier: ISC */
/*
 * make bench, see run: asks every backend at every size in turn, in short batches and many rounds, so that
 * whatever else the machine does hits all of them alike. Prints tab-separated lines: metric, keys, backend,
 * size, median, unit, samples, lower and upper quartile, wrong answers.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define BATCH_NS 3e6
#define SLOW_BATCH_NS 10e6 /* where a batch is a median, not a mean */
#define MAX_ROUNDS 60
#define MAX_SIZES 8
#define MAX_SIZE 9999999 /* of seven digits */

/* One cell of the table. */
struct cell {
	const struct backend *backend;
	const struct worker *worker;
	enum operation operation;
	enum keys keys;
	uint32_t size, wrong;
	double cost; /* nanoseconds of waiting for one */
	double spent;
	double values[MAX_ROUNDS];
	size_t count;
};

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

double
median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

void
print_line(const char *metric, const char *keys, const char *backend, uint32_t size, double *values,
    size_t count, const char *unit, uint32_t wrong)
{
	double middle = median(values, count);

	printf("%s\t%s\t%s\t%u\t%.9g\t%s\t%zu\t%.9g\t%.9g\t%u\n", metric, keys, backend, size, middle, unit,
	    count, values[count / 4], values[count * 3 / 4], wrong);
	fflush(stdout);
}

static uint32_t
number(const char *text, uint32_t max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || value == 0 || value > max)
		errx(EXIT_FAILURE, "%s: not a number from 1 to %u", text, max);
	return (uint32_t)value;
}

static enum operation
operation_by_name(const char *name)
{
	int i;

	for (i = 0; i < OPERATIONS; i++)
		if (strcmp(operation_names[i], name) == 0)
			return (enum operation)i;
	errx(EXIT_FAILURE, "%s: no such operation", name);
}

static bool
has_started(const struct backend *backend, uint32_t size)
{
	char file[64];

	snprintf(file, sizeof(file), BENCH_DIR "/%u/%s.ok", size, backend->name);
	return !backend->daemon || access(file, F_OK) == 0;
}

static void
sample(struct cell *cell)
{
	double batch = cell->operation <= LAST_LOOKUP ? BATCH_NS : SLOW_BATCH_NS;
	double want = cell->cost > 0 ? batch / cell->cost : 1;
	uint32_t count = want < 1 ? 1 : want > MAX_BATCH ? MAX_BATCH : (uint32_t)want;
	uint64_t start = now_ns();
	struct answer answer = worker_ask(cell->worker, cell->operation, cell->keys, count);
	double took = (double)(now_ns() - start);
	bool first = cell->cost == 0;

	cell->cost = took / count;
	cell->wrong += answer.wrong;
	/* The first one loads, opens and grows. */
	if (first)
		return;
	cell->spent += took;
	cell->values[cell->count++] = answer.ns;
}

/* Who is slow is asked less often: whoever is fast needs the rounds. */
static bool
is_done(const struct cell *cell)
{
	return cell->count == MAX_ROUNDS || (cell->count >= 5 && cell->spent > 0.3e9) ||
	    (cell->count >= 3 && cell->spent > 1e9);
}

static size_t
make_cells(struct cell *cells, struct worker *const *workers, const struct people **people, size_t sizes)
{
	size_t count = 0, i, s;
	int operation, keys;

	for (operation = 0; operation < OPERATIONS; operation++)
		for (keys = 0; keys < (operation <= LAST_LOOKUP ? KEYS : 1); keys++)
			for (i = 0; i < backend_count; i++)
				for (s = 0; s < sizes; s++) {
					if ((backends[i].operations >> operation & 1) == 0 ||
					    workers[i * MAX_SIZES + s] == NULL)
						continue;
					cells[count].backend = &backends[i];
					cells[count].worker = workers[i * MAX_SIZES + s];
					cells[count].operation = (enum operation)operation;
					cells[count].keys = (enum keys)keys;
					cells[count++].size = people[s]->count;
				}
	return count;
}

/* A new order each round: nobody always comes after the same one, who may have left work to the kernel. */
static void
shuffle(struct cell **order, size_t count)
{
	struct cell *other;
	size_t i, j;

	for (i = count - 1; i > 0; i--) {
		j = (size_t)random() % (i + 1);
		other = order[i];
		order[i] = order[j];
		order[j] = other;
	}
}

static void
measure(struct cell *cells, size_t count, double seconds)
{
	struct cell **order = calloc(count, sizeof(*order));
	uint64_t start = now_ns();
	size_t i, round;

	if (order == NULL)
		err(EXIT_FAILURE, "calloc");
	for (i = 0; i < count; i++)
		order[i] = &cells[i];
	for (round = 0; round <= MAX_ROUNDS; round++) {
		if (round > 5 && (double)(now_ns() - start) > seconds * 1e9)
			break;
		shuffle(order, count);
		for (i = 0; i < count; i++)
			if (!is_done(order[i]))
				sample(order[i]);
	}
	free(order);
	fprintf(
	    stderr, "bench: %zu rounds of %zu in %.0f s\n", round, count, (double)(now_ns() - start) / 1e9);
	for (i = 0; i < count; i++)
		print_line(operation_names[cells[i].operation], key_names[cells[i].keys],
		    cells[i].backend->name, cells[i].size, cells[i].values, cells[i].count, "ns",
		    cells[i].wrong);
}

static int
run(char **argv, size_t sizes, double seconds)
{
	struct worker **workers = calloc(backend_count * MAX_SIZES, sizeof(*workers));
	struct cell *cells = calloc(backend_count * MAX_SIZES * OPERATIONS * KEYS, sizeof(*cells));
	const struct people *people[MAX_SIZES];
	size_t i, s;

	if (workers == NULL || cells == NULL || sizes > MAX_SIZES)
		errx(EXIT_FAILURE, "too many sizes");
	for (s = 0; s < sizes; s++)
		people[s] = people_load(number(argv[s], MAX_SIZE));
	for (i = 0; i < backend_count; i++)
		for (s = 0; s < sizes; s++)
			if (has_started(&backends[i], people[s]->count))
				workers[i * MAX_SIZES + s] = worker_start(&backends[i], people[s]);
	signal(SIGPIPE, SIG_IGN); /* a worker that dies is reported */
	measure(cells, make_cells(cells, workers, people, sizes), seconds);
	for (i = 0; i < backend_count * MAX_SIZES; i++)
		if (workers[i] != NULL)
			worker_stop(workers[i]);
	for (s = 0; s < sizes; s++)
		bench_publish(people[s]->count);
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	if (strcmp(what, "load") == 0 && argc == 3)
		return load_main(argv[2]);
	if (strcmp(what, "first") == 0 && argc == 3)
		return first_main(number(argv[2], MAX_SIZE));
	if (strcmp(what, "memory") == 0 && argc == 4)
		return memory_main(backend_by_name(argv[3]), number(argv[2], MAX_SIZE));
	if (strcmp(what, "calls") == 0 && argc == 6)
		return calls_main(backend_by_name(argv[3]), number(argv[2], MAX_SIZE),
		    operation_by_name(argv[4]), number(argv[5], HOT_KEYS / 2));
	if (strcmp(what, "in") == 0 && argc > 4) {
		view_enter(backend_by_name(argv[3]), number(argv[2], MAX_SIZE));
		execvp(argv[4], &argv[4]);
		err(EXIT_FAILURE, "%s", argv[4]);
	}
	if (strcmp(what, "run") == 0 && argc > 3)
		return run(argv + 3, (size_t)argc - 3, number(argv[2], 3600));
	fprintf(stderr,
	    "usage: bench run SECONDS SIZE... | in SIZE BACKEND CMD... | memory SIZE BACKEND\n"
	    "       bench calls SIZE BACKEND OPERATION COUNT | first SIZE | load LIBRARY\n");
	return 2;
}
