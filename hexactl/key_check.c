/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "key_check.h"
#include "program.h"

#define PROGRAM "/usr/bin/ssh-keygen"
#define PATIENCE 5000 /* milliseconds */
#define ANSWER_MAX 1023 /* bytes */
#define FINGERPRINT "SHA256:"
#define FINGERPRINT_LENGTH 50
#define BITS_MAX 65536

/* "256 SHA256:... no comment (ED25519)" */
static enum hxb_result
take_answer(const char *answer, struct hxb_key *key, struct hxb_error *error)
{
	char *end;
	unsigned long bits = strtoul(answer, &end, 10);

	if (bits == 0 || bits > BITS_MAX || strncmp(end, " " FINGERPRINT, strlen(FINGERPRINT) + 1) != 0 ||
	    strcspn(end + 1, " \n") != FINGERPRINT_LENGTH)
		return hxb_fail(error, HXB_FAILED, PROGRAM ": its answer is not understood: %.200s", answer);
	key->bits = (unsigned)bits;
	key->fingerprint = strndup(end + 1, FINGERPRINT_LENGTH);
	return key->fingerprint != NULL ? HXB_OK : hxb_fail(error, HXB_FAILED, "out of memory");
}

/* The first line of it is what counts. */
static enum hxb_result
take(enum hxb_program_end end, char *answer, struct hxb_key *key, struct hxb_error *error)
{
	if (end == HXB_PROGRAM_ABSENT)
		return hxb_fail(
		    error, HXB_FAILED, PROGRAM ": %m; keys are checked with it: install openssh-client");
	if (end == HXB_PROGRAM_CUT)
		return hxb_fail(error, HXB_FAILED, PROGRAM ": did not answer as it should");
	answer[strcspn(answer, "\r\n")] = '\0';
	if (end == HXB_PROGRAM_NO)
		return hxb_fail(error, HXB_INVALID, "ssh-keygen finds no key in it: %.200s", answer);
	return take_answer(answer, key, error);
}

enum hxb_result
hxb_key_check(struct hxb_key *key, struct hxb_error *error)
{
	char path[] = PROGRAM, list[] = "-l", hash[] = "-Esha256", file[] = "-f-";
	char *argv[] = { path, list, hash, file, NULL }, *line = NULL, *answer = NULL;
	struct hxb_program program = {
		.argv = argv, .words = HXB_WORDS_ALL_TAKEN, .max = ANSWER_MAX, .milliseconds = PATIENCE
	};
	enum hxb_program_end end;
	enum hxb_result r;

	if (asprintf(&line, "%s %s\n", key->type, key->body) == -1)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	program.input = line;
	end = hxb_program_run(&program, &answer);
	r = take(end, answer, key, error);
	free(answer);
	free(line);
	return r;
}
