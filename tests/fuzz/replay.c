/* SPDX-License-Identifier: ISC */
/*
 * TARGET FILE|DIRECTORY...: what `make check` runs in libFuzzer's place. Every file once through the target,
 * in order of their names; the name of each goes to stderr before, so that the last one is the one that
 * failed.
 */
#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>

#include "fuzz.h"

#define INPUT_MAX (1 << 20) /* bytes */

static unsigned replayed;

static void
replay_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *bytes = malloc(INPUT_MAX);
	size_t size;

	MUST(file != NULL && bytes != NULL);
	size = fread(bytes, 1, INPUT_MAX, file);
	MUST(ferror(file) == 0);
	fclose(file);
	fprintf(stderr, "%s\n", path);
	(void)LLVMFuzzerTestOneInput((const uint8_t *)bytes, size);
	free(bytes);
	replayed++;
}

static void
replay_directory(const char *path)
{
	struct dirent **names = NULL;
	int count = scandir(path, &names, NULL, alphasort);
	char name[PATH_MAX];

	for (int i = 0; i < count; i++) {
		MUST(snprintf(name, sizeof(name), "%s/%s", path, names[i]->d_name) < (int)sizeof(name));
		if (names[i]->d_name[0] != '.')
			replay_file(name);
		free(names[i]);
	}
	free(names);
}

int
main(int argc, char **argv)
{
	struct stat st;

	fuzz_replaying = true;
	for (int i = 1; i < argc; i++) {
		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			replay_directory(argv[i]);
		else
			replay_file(argv[i]);
	}
	printf("%u inputs of the corpus%s\n", replayed,
	    fuzz_skipped ? " # skip: needs root in a test host" : "");
	return replayed > 0 ? 0 : 1;
}
