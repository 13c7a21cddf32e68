/* SPDX-License-Identifier: ISC */
/*
 * Many guests are invited in batches: each is committed by itself, published with its batch, and delivered
 * without any lock, so that nobody else has to wait for a thousand mails. A run that was cut off can be made
 * again: who was invited before is passed over, whose mail did not get away gets another.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "delivery.h"
#include "guests.h"
#include "invite.h"
#include "letter.h"
#include "libhexabot/secret.h"
#include "print.h"
#include "times.h"

#define BATCH 50 /* invited under one lock, published at once */

struct batch {
	char *ids[BATCH];
	struct hxb_ticket tickets[BATCH];
	size_t count;
};

static void
clear_batch(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		free(batch->ids[i]);
		hxb_ticket_clear(&batch->tickets[i]);
	}
	batch->count = 0;
}

/* One guest; a failure is told, and does not keep the others from being invited. */
static enum hxb_result
invite_one(
    struct hxb_session *session, const struct hxb_guest *guest, struct batch *batch, struct hxb_error *error)
{
	struct hxb_ticket *ticket = &batch->tickets[batch->count];
	enum hxb_invited invited;
	enum hxb_result r;

	r = hxb_invite(session, guest, &invited, &batch->ids[batch->count], ticket, error);
	if (r == HXB_OK && invited != HXB_INVITED_NONE) {
		batch->count++;
		return r;
	}
	hxb_ticket_clear(ticket);
	if (r != HXB_OK && error->text[0] != '\0') {
		struct hxb_error why = *error;

		hxb_fail(error, r, "%.128s: %.360s", guest->email, why.text);
	}
	if (r != HXB_OK)
		hxb_session_complain(session, r, error);
	return r;
}

/* Where standard output is a terminal its lines tell enough. */
static void
show_progress(const struct hxb_guests *guests, size_t done)
{
	if (guests->count > BATCH && isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO))
		fprintf(stderr, "\r%zu of %zu%s", done, guests->count, done == guests->count ? "\n" : "");
}

static enum hxb_result
invite_batch(struct hxb_session *session, struct hxb_post *post, const struct hxb_guest *guests, size_t count,
    struct batch *batch, struct hxb_error *error)
{
	enum hxb_result worst = HXB_OK, r = hxb_session_lock(session, error);

	/* A store that is busy now is not asked fifty times, while others wait for our lock. */
	for (size_t i = 0; r == HXB_OK && worst < HXB_BUSY && i < count; i++)
		worst = hxb_worse(worst, invite_one(session, &guests[i], batch, error));
	if (r == HXB_OK && batch->count > 0)
		r = hxb_session_publish(session, false, error);
	hxb_session_unlock(session);
	for (size_t i = 0; r == HXB_OK && i < batch->count; i++) {
		enum hxb_result sent = hxb_post_deliver(post, batch->ids[i], &batch->tickets[i], error);

		if (sent != HXB_OK)
			hxb_session_complain(session, sent, error);
		worst = hxb_worse(worst, sent);
	}
	if (r != HXB_OK && batch->count > 0)
		hxb_complain(
		    "%zu invited since the last publish, and not told: once 'hexactl publish' works, run "
		    "this again",
		    batch->count);
	return hxb_worse(worst, r);
}

static enum hxb_result
invite_all(struct hxb_session *session, const struct hxb_guests *guests, struct hxb_error *error)
{
	struct hxb_post *post = NULL;
	struct batch batch = { .count = 0 };
	enum hxb_result worst = HXB_OK, r = hxb_post_open(session, &post, error);

	for (size_t done = 0; r == HXB_OK && done < guests->count && worst < HXB_BUSY;) {
		size_t count = guests->count - done < BATCH ? guests->count - done : BATCH;

		worst = hxb_worse(
		    worst, invite_batch(session, post, &guests->guests[done], count, &batch, error));
		clear_batch(&batch);
		done += count;
		show_progress(guests, done);
	}
	hxb_post_close(post);
	return hxb_worse(worst, r);
}

/* --dry-run: of who is new the check has told all there is to tell. */
static enum hxb_result
pretend(struct hxb_session *session, const struct hxb_guests *guests, struct hxb_error *error)
{
	struct batch batch = { .count = 0 };
	enum hxb_result worst = HXB_OK;
	char deed[512];

	for (size_t i = 0; i < guests->count; i++) {
		const struct hxb_guest *guest = &guests->guests[i];
		const struct hxb_change change = {
			.name = guest->username, .action = "invite", .before = "", .after = deed, .deed = deed
		};

		snprintf(deed, sizeof(deed), "invited as %.256s", guest->roles_text);
		if (guest->id == NULL)
			hxb_change_done(session, &change);
		else
			worst = hxb_worse(worst, invite_one(session, guest, &batch, error));
		clear_batch(&batch);
	}
	return worst;
}

static enum hxb_result
run(struct hxb_session *session, struct hxb_error *error)
{
	const char *ttl = hxb_option(session->arguments, "ttl");
	struct hxb_guests guests = { .count = 0 };
	enum hxb_result r = HXB_OK;

	if (ttl != NULL)
		r = hxb_config_invite_ttl(&session->config, ttl, error);
	if (r == HXB_OK)
		r = hxb_guests_read(session, &guests, error);
	if (r == HXB_OK)
		r = hxb_guests_check(session, &guests, error);
	if (r == HXB_OK && session->arguments->dry_run)
		r = pretend(session, &guests, error);
	else if (r == HXB_OK)
		r = invite_all(session, &guests, error);
	hxb_guests_clear(&guests);
	return r;
}

/* The letter as it goes out. */
static void
notes(FILE *file)
{
	char *text = hxb_letter_text(&hxb_letter_sample);

	fprintf(file,
	    "\nThe person gets a mail, logs in with its code (ssh LOGIN@host) and chooses a password, or "
	    "does so in\n"
	    "Hexabot by its link. With --print nothing is mailed: hand the code on yourself. FILE has a line "
	    "for each:\n"
	    "email,role[,username,first,last]; all are checked before the first one is invited, and the same "
	    "file can\n"
	    "be given again.\n\nThe mail:\n\n");
	for (const char *c = text; c != NULL && *c != '\0'; c++)
		if (*c != '\r')
			putc(*c, file);
	hxb_secret_free(text);
}

static const struct hxb_option options[] = {
	{ "role", "R", "a role to give; may be said more than once" },
	{ "from", "FILE", "invite many: a CSV file, or - for standard input" },
	{ "username", "N", "the login, here and in Hexabot, instead of the address's first part" },
	{ "first", "N", "first name" },
	{ "last", "N", "last name" },
	{ "print", NULL, "print code and link instead of mailing them" },
	{ "ttl", "TIME", "how long the code is good: 30m, 72h, 3d; the configuration's invite_ttl" },
	{ NULL, NULL, NULL },
};

const struct hxb_command hxb_cmd_invite = {
	.name = "invite",
	.operands = "EMAIL",
	.summary = "Invites somebody by mail: a new user, who sets the password by a code that works once.",
	.operands_min = 0,
	.operands_max = 1,
	.changes = true,
	.options = options,
	.notes = notes,
	.run = run,
};
