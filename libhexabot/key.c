/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "key.h"

void
hxb_key_clear(struct hxb_key *key)
{
	free(key->fingerprint);
	free(key->options);
	free(key->type);
	free(key->body);
	free(key->comment);
	free(key->actor);
	*key = (struct hxb_key){ 0 };
}

void
hxb_keys_clear(struct hxb_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		hxb_key_clear(&keys->keys[i]);
	free(keys->keys);
	*keys = (struct hxb_keys){ 0 };
}

struct hxb_key *
hxb_keys_grow(struct hxb_keys *keys)
{
	struct hxb_key *grown = reallocarray(keys->keys, keys->count + 1, sizeof(*grown));

	if (grown == NULL)
		return NULL;
	keys->keys = grown;
	grown[keys->count] = (struct hxb_key){ 0 };
	return &grown[keys->count++];
}

static void
print(FILE *file, const struct hxb_key *key)
{
	fprintf(file, "%s%s%s %s%s%s", key->options, key->options[0] != '\0' ? " " : "", key->type, key->body,
	    key->comment[0] != '\0' ? " " : "", key->comment);
}

char *
hxb_keys_text(const struct hxb_keys *keys)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (file == NULL)
		return NULL;
	fputs("# Written by hexactl: see 'hexactl key --help'. What is changed here is lost.\n", file);
	for (size_t i = 0; i < keys->count; i++) {
		print(file, &keys->keys[i]);
		fputc('\n', file);
	}
	if (fclose(file) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

char *
hxb_key_line(const struct hxb_key *key)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (file == NULL)
		return NULL;
	print(file, key);
	if (fclose(file) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
