/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "explain.h"
#include "output.h"
#include "print.h"
#include "table.h"

#define SERVICE "sshd"

static const char *const headings[] = { "RULE", "VERDICT", "FOUND" };

static const struct {
	const char *shown, *name;
	enum hxb_colour colour;
} rulings[] = {
	[HXB_RULING_OK] = { "ok", "ok", HXB_GREEN },
	[HXB_RULING_NOTE] = { "note", "note", HXB_YELLOW },
	[HXB_RULING_NO] = { "NO", "no", HXB_RED },
};

/* Who it is about, for people. */
static const char *
name_of(const struct hxb_case *c)
{
	return c->login[0] != '\0' ? c->login : c->user;
}

static enum hxb_result
print_text(const struct hxb_case *c, const struct hxb_explanation *explanation, struct hxb_error *error)
{
	const struct hxb_finding *deciding = explanation->deciding;
	struct hxb_table *table = hxb_table_new(3, headings);
	enum hxb_result r;

	if (table == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	for (size_t i = 0; i < explanation->count; i++) {
		const struct hxb_finding *finding = &explanation->findings[i];
		char found[1024];
		const char *cells[] = { finding->rule,
			finding->decides ? "NO, decides" : rulings[finding->ruling].shown, found };

		snprintf(found, sizeof(found), "%s%s%s", finding->found,
		    finding->remedy[0] != '\0' ? "; " : "", finding->remedy);
		hxb_table_row(table, cells, 1, rulings[finding->ruling].colour);
	}
	r = hxb_table_print(table, error);
	hxb_table_free(table);
	if (r != HXB_OK)
		return r;
	if (explanation->gets_in)
		hxb_say("%s would get in by %s", name_of(c), c->service);
	else if (deciding != NULL)
		hxb_say("%s would not get in by %s: %s%s%s%s", name_of(c), c->service, deciding->found,
		    deciding->remedy[0] != '\0' ? " (" : "", deciding->remedy,
		    deciding->remedy[0] != '\0' ? ")" : "");
	return HXB_OK;
}

static void
add_remedy(struct hxb_json *json, struct json_t *object, const struct hxb_finding *finding)
{
	hxb_json_text(
	    json, object, "remedy", finding != NULL && finding->remedy[0] != '\0' ? finding->remedy : NULL);
}

static enum hxb_result
print_json(const struct hxb_case *c, const struct hxb_explanation *explanation, struct hxb_error *error)
{
	const struct hxb_finding *deciding = explanation->deciding;
	struct hxb_json json = { 0 };
	struct json_t *root = hxb_json_object(&json, NULL, NULL), *list;

	hxb_json_text(&json, root, "user", c->session->arguments->operands[0]);
	hxb_json_text(&json, root, "login", c->mapped ? c->login : NULL);
	hxb_json_text(&json, root, "id", c->person.user != NULL ? c->person.user->id : NULL);
	hxb_json_text(&json, root, "service", c->service);
	hxb_json_flag(&json, root, "gets_in", explanation->gets_in);
	hxb_json_text(&json, root, "rule", deciding != NULL ? deciding->rule : NULL);
	hxb_json_text(&json, root, "reason", deciding != NULL ? deciding->found : NULL);
	add_remedy(&json, root, deciding);
	list = hxb_json_array(&json, root, "rules");
	for (size_t i = 0; i < explanation->count; i++) {
		const struct hxb_finding *finding = &explanation->findings[i];
		struct json_t *object = hxb_json_object(&json, list, NULL);

		hxb_json_text(&json, object, "rule", finding->rule);
		hxb_json_text(&json, object, "verdict", rulings[finding->ruling].name);
		hxb_json_text(&json, object, "found", finding->found);
		add_remedy(&json, object, finding);
	}
	return hxb_json_print(&json, root, error);
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	const struct hxb_arguments *arguments = session->arguments;
	const char *service = hxb_option(arguments, "service");
	struct hxb_explanation *explanation = calloc(1, sizeof(*explanation));
	struct hxb_case *c = calloc(1, sizeof(*c));
	enum hxb_result r = HXB_FAILED;

	if (explanation == NULL || c == NULL) {
		hxb_fail(error, r, "out of memory");
		goto out;
	}
	r = hxb_case_open(session, arguments->operands[0], service != NULL ? service : SERVICE, c, error);
	if (r != HXB_OK)
		goto out;
	hxb_explain(c, explanation);
	r = arguments->json ? print_json(c, explanation, error) : print_text(c, explanation, error);
	if (r == HXB_OK && !explanation->gets_in) {
		/* The exit code says it, and all words are out. */
		session->complaints++;
		error->text[0] = '\0';
		r = HXB_FAILED;
	}
out:
	if (c != NULL)
		hxb_case_clear(c);
	free(c);
	free(explanation);
	return r;
}

static void
notes(FILE *file)
{
	fprintf(file,
	    "\nIt says who would get in with the right password (or code, if invited), as things are "
	    "now, and changes nothing.\n"
	    "The rules are in the order in which the host asks; the first NO decides. SERVICE is a file "
	    "of /etc/pam.d.\n"
	    "Exit codes: 0 would get in, 1 would not, 3 no user of Hexabot's.\n");
}

static const struct hxb_option options[] = {
	{ "service", "SERVICE", "the PAM service, instead of " SERVICE },
	{ NULL, NULL, NULL },
};

const struct hxb_command hxb_cmd_explain = {
	.name = "explain",
	.operands = "USER",
	.summary = "Says whether a user would get in, and which rule decides.",
	.operands_min = 1,
	.operands_max = 1,
	.adopts = true,
	.options = options,
	.notes = notes,
	.run = run,
};
