/* SPDX-License-Identifier: ISC */
/*
 * timing SERVICE COST SAMPLES count|print|judge: how long PAM's auth stage takes in each situation that must
 * look like a wrong password. Reads "USER<tab>PASSWORD<tab>SITUATION" lines; every one has to be refused,
 * after exactly the bcrypt work of one hash of COST. Prints a table, all situations in turn and in a new
 * order each time. count: hashes are asked for and not worked out, so that no password is right. judge: exit
 * status 1 if the medians differ by 5 % of that hash or more.
 */
#include <crypt.h>
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "pam_caller.h"

#define MAY_DIFFER 0.05
#define MOST_SITUATIONS 40

struct situation {
	char user[64], password[600], name[80];
	double *times; /* ms */
};

static struct situation situations[MOST_SITUATIONS];
static unsigned count;

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void
read_situations(unsigned samples)
{
	while (count < MOST_SITUATIONS &&
	    scanf("%63[^\t]%*1[\t]%599[^\t]%*1[\t]%79[^\n]%*1[\n]", situations[count].user,
	        situations[count].password, situations[count].name) == 3) {
		situations[count].times = calloc(samples, sizeof(double));
		if (situations[count++].times == NULL)
			err(EXIT_FAILURE, NULL);
	}
	if (count < 2 || !feof(stdin))
		errx(2, "line %u is no situation", count + 1);
}

static double
refusal(const char *service, const struct situation *situation, unsigned cost)
{
	const char *password = situation->password;
	pam_handle_t *pamh = caller_start(service, situation->user, &password);
	double began, took;
	int code;

	bcrypt_work = 0;
	began = now();
	code = pam_authenticate(pamh, 0);
	took = now() - began;
	pam_end(pamh, code);
	if (code == PAM_SUCCESS)
		errx(EXIT_FAILURE, "%s: got in", situation->name);
	if (bcrypt_work != 1ul << cost)
		errx(EXIT_FAILURE, "%s: work of %lu instead of 2^%u", situation->name, bcrypt_work, cost);
	return took;
}

/* Whatever else the machine does meanwhile: no other process's turn is in between, where we may ask for that.
 */
static void
come_first(void)
{
	const struct sched_param priority = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO, &priority) == -1)
		warn("others' work is measured as well");
}

/* The kernel takes the processor away from who comes first and never lets go of it; and the log has to be
 * written. */
static void
let_others(double took)
{
	usleep((useconds_t)(took * 1e3 / 8) + 1000);
}

static double
plain_hash(unsigned cost)
{
	static struct crypt_data data;
	char setting[32];
	double began = now();

	snprintf(setting, sizeof(setting), "$2b$%02u$abcdefghijklmnopqrstuu", cost % 100);
	(void)crypt_r("pw-load", setting, &data);
	return now() - began;
}

static void
shuffle(unsigned *order)
{
	for (unsigned i = count; i > 1; i--) {
		unsigned other = (unsigned)rand() % i, swapped = order[i - 1];

		order[i - 1] = order[other];
		order[other] = swapped;
	}
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
print(const char *name, double *times, unsigned samples)
{
	qsort(times, samples, sizeof(*times), by_size);
	printf("%-46s %8.2f %8.2f %8.2f %6u\n", name, times[samples / 2], times[samples * 5 / 100],
	    times[samples * 95 / 100], samples);
}

int
main(int argc, char **argv)
{
	unsigned order[MOST_SITUATIONS], cost, samples;
	double least = 1e9, most = 0, difference, *hashes;

	if (argc != 5)
		errx(2, "usage: timing SERVICE COST SAMPLES count|print|judge");
	if (strcmp(argv[4], "count") == 0)
		bcrypt_limit = 4;
	cost = caller_positive(argv[2]);
	samples = caller_positive(argv[3]);
	read_situations(samples);
	hashes = calloc(samples, sizeof(*hashes));
	if (hashes == NULL)
		err(EXIT_FAILURE, NULL);
	if (strcmp(argv[4], "judge") == 0)
		come_first();
	for (unsigned i = 0; i < count; i++) {
		order[i] = i;
		refusal(argv[1], &situations[i], cost); /* nothing is loaded for the first time any more */
	}
	for (unsigned sample = 0; sample < samples; sample++) {
		shuffle(order);
		hashes[sample] = plain_hash(cost);
		for (unsigned i = 0; i < count; i++) {
			situations[order[i]].times[sample] = refusal(argv[1], &situations[order[i]], cost);
			let_others(situations[order[i]].times[sample]);
		}
	}
	printf("%-46s %8s %8s %8s %6s\n", "ms", "median", "p5", "p95", "n");
	for (unsigned i = 0; i < count; i++) {
		print(situations[i].name, situations[i].times, samples);
		least = situations[i].times[samples / 2] < least ? situations[i].times[samples / 2] : least;
		most = situations[i].times[samples / 2] > most ? situations[i].times[samples / 2] : most;
	}
	print("(one hash, without PAM)", hashes, samples);
	difference = (most - least) / hashes[samples / 2];
	printf("the medians differ by %.1f %% of a hash of cost %u\n", difference * 100, cost);
	return strcmp(argv[4], "judge") == 0 && difference >= MAY_DIFFER ? EXIT_FAILURE : EXIT_SUCCESS;
}
