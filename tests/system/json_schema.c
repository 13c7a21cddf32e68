/* SPDX-License-Identifier: ISC */
/*
 * json_schema SCHEMA: reads JSON from standard input and says whether it fits. Knows the keywords that
 * tests/schema uses: type, properties, required, additionalProperties, items, minItems, enum, pattern,
 * minimum. Any other is an error.
 */
#include <err.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static bool check(json_t *schema, json_t *value, const char *path);

static bool
misfit(const char *path, const char *what)
{
	fprintf(stderr, "json_schema: %s: %s\n", path[0] != '\0' ? path : "/", what);
	return false;
}

static bool
is_of_type(const char *type, const json_t *value)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "object",
		[JSON_ARRAY] = "array",
		[JSON_STRING] = "string",
		[JSON_INTEGER] = "integer",
		[JSON_REAL] = "number",
		[JSON_TRUE] = "boolean",
		[JSON_FALSE] = "boolean",
		[JSON_NULL] = "null",
	};

	return strcmp(names[json_typeof(value)], type) == 0;
}

static bool
check_type(json_t *types, json_t *value, const char *path)
{
	size_t i;
	json_t *type;

	if (json_is_string(types))
		return is_of_type(json_string_value(types), value) || misfit(path, "is of another type");
	json_array_foreach(types, i, type)
	{
		if (is_of_type(json_string_value(type), value))
			return true;
	}
	return misfit(path, "is of none of the types");
}

static bool
check_enum(json_t *values, const json_t *value, const char *path)
{
	size_t i;
	json_t *one;

	json_array_foreach(values, i, one)
	{
		if (json_equal(one, value))
			return true;
	}
	return misfit(path, "is none of the values");
}

static bool
check_pattern(const json_t *pattern, const json_t *value, const char *path)
{
	regex_t regex;
	bool fits;

	if (!json_is_string(value))
		return true;
	if (regcomp(&regex, json_string_value(pattern), REG_EXTENDED | REG_NOSUB) != 0)
		errx(2, "bad pattern: %s", json_string_value(pattern));
	fits = regexec(&regex, json_string_value(value), 0, NULL, 0) == 0;
	regfree(&regex);
	return fits || misfit(path, "does not match the pattern");
}

static bool
check_properties(json_t *schema, json_t *value, const char *path)
{
	json_t *properties = json_object_get(schema, "properties"), *member, *property, *name;
	const json_t *others = json_object_get(schema, "additionalProperties");
	char inner[512];
	const char *key;
	size_t i;

	if (!json_is_object(value))
		return true;
	json_array_foreach(json_object_get(schema, "required"), i, name)
	{
		if (json_object_get(value, json_string_value(name)) == NULL)
			return misfit(json_string_value(name), "is missing");
	}
	json_object_foreach(value, key, member)
	{
		snprintf(inner, sizeof(inner), "%.400s/%.100s", path, key);
		property = json_object_get(properties, key);
		if (property == NULL && json_is_false(others))
			return misfit(inner, "is not in the schema");
		if (property != NULL && !check(property, member, inner))
			return false;
	}
	return true;
}

static bool
check_items(json_t *schema, json_t *value, const char *path)
{
	json_t *items = json_object_get(schema, "items"), *item;
	const json_t *minimum = json_object_get(schema, "minItems");
	char inner[512];
	size_t i;

	if (!json_is_array(value))
		return true;
	if (minimum != NULL && (json_int_t)json_array_size(value) < json_integer_value(minimum))
		return misfit(path, "has too few items");
	json_array_foreach(value, i, item)
	{
		snprintf(inner, sizeof(inner), "%.400s/%zu", path, i);
		if (items != NULL && !check(items, item, inner))
			return false;
	}
	return true;
}

static bool
check_keyword(const char *keyword, json_t *rule, json_t *value, const char *path)
{
	static const char *const elsewhere[] = { "$schema", "title", "description", "properties", "required",
		"additionalProperties", "items", "minItems" };

	if (strcmp(keyword, "type") == 0)
		return check_type(rule, value, path);
	if (strcmp(keyword, "enum") == 0)
		return check_enum(rule, value, path);
	if (strcmp(keyword, "pattern") == 0)
		return check_pattern(rule, value, path);
	if (strcmp(keyword, "minimum") == 0)
		return !json_is_integer(value) || json_integer_value(value) >= json_integer_value(rule) ||
		    misfit(path, "is too small");
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		if (strcmp(keyword, elsewhere[i]) == 0)
			return true;
	errx(2, "the schema's keyword '%s' is unknown here", keyword);
}

static bool
check(json_t *schema, json_t *value, const char *path)
{
	const char *keyword;
	json_t *rule;

	json_object_foreach(schema, keyword, rule)
	{
		if (!check_keyword(keyword, rule, value, path))
			return false;
	}
	return check_properties(schema, value, path) && check_items(schema, value, path);
}

int
main(int argc, char **argv)
{
	json_error_t error;
	json_t *schema, *value;
	bool fits;

	if (argc != 2)
		errx(2, "usage: json_schema SCHEMA <JSON");
	schema = json_load_file(argv[1], 0, &error);
	if (schema == NULL)
		errx(2, "%s:%d: %s", argv[1], error.line, error.text);
	value = json_loadf(stdin, JSON_DECODE_ANY, &error);
	if (value == NULL)
		errx(1, "not JSON: line %d: %s", error.line, error.text);
	fits = check(schema, value, "");
	json_decref(value);
	json_decref(schema);
	return fits ? 0 : 1;
}
