/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "delivery.h"
#include "invite.h"
#include "libhexabot/secret.h"
#include "letter.h"
#include "mail.h"
#include "output.h"
#include "person_output.h"
#include "print.h"
#include "sshd.h"
#include "times.h"

#define NAME_SIZE 256
#define TEST_SUBJECT "Test mail of hexactl doctor"
#define TEST_TEXT "Hello,\r\n\r\nmail from hexactl on %s gets here. There is nothing to do.\r\n"
#define TEST_HTML "<p>Hello,</p>\r\n<p>mail from hexactl on %s gets here. There is nothing to do.</p>\r\n"
#define FAILURES_MAX 3 /* in a row, until a server that does not answer is given up */

struct hxb_post {
	struct hxb_session *session;
	bool print;
	char host[NAME_SIZE]; /* where people log in */
	char from[NAME_SIZE + 16];
	struct hxb_mailer *mailer; /* NULL: with --print, or not to be had */
	struct hxb_error no_mailer; /* then: why */
	unsigned failures; /* in a row */
	bool asked_sshd;
	struct hxb_sshd sshd;
};

/* The configuration's name for this host, else its own. */
static void
find_names(struct hxb_post *post)
{
	const struct hxb_config *config = &post->session->config;

	if (gethostname(post->host, sizeof(post->host)) == -1 || post->host[0] == '\0')
		snprintf(post->host, sizeof(post->host), "localhost");
	post->host[sizeof(post->host) - 1] = '\0';
	if (config->mail_from[0] != '\0')
		snprintf(post->from, sizeof(post->from), "%s", config->mail_from);
	else
		snprintf(post->from, sizeof(post->from), "hexabot@%s", post->host);
	if (config->login_host[0] != '\0')
		snprintf(post->host, sizeof(post->host), "%s", config->login_host);
}

enum hxb_result
hxb_post_open(struct hxb_session *session, struct hxb_post **postp, struct hxb_error *error)
{
	struct hxb_post *post = calloc(1, sizeof(*post));
	struct hxb_error why;
	enum hxb_result r = HXB_OK;

	*postp = NULL;
	if (post == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	post->session = session;
	post->print = hxb_option(session->arguments, "print") != NULL;
	find_names(post);
	if (!post->print)
		r = hxb_address_check(post->from, &why);
	if (r != HXB_OK)
		hxb_fail(&post->no_mailer, r, "mail_from: %.400s", why.text);
	if (!post->print && r == HXB_OK)
		(void)hxb_mailer_open(&session->config, &post->mailer, &post->no_mailer);
	*postp = post;
	return HXB_OK;
}

void
hxb_post_close(struct hxb_post *post)
{
	if (post == NULL)
		return;
	hxb_sshd_clear(&post->sshd);
	hxb_mailer_close(post->mailer);
	free(post);
}

enum hxb_result
hxb_post_check(const struct hxb_post *post, struct hxb_error *error)
{
	return post->mailer != NULL ? HXB_OK : hxb_fail(error, HXB_NOT_SENT, "%s", post->no_mailer.text);
}

enum hxb_result
hxb_post_test(struct hxb_post *post, const char *to, struct hxb_error *error)
{
	char *text = NULL, *html = NULL;
	enum hxb_result r = hxb_post_check(post, error);

	if (r == HXB_OK && hxb_address_check(to, error) != HXB_OK)
		r = HXB_NOT_SENT;
	if (r != HXB_OK)
		return r;
	if (asprintf(&text, TEST_TEXT, post->host) == -1)
		text = NULL;
	if (asprintf(&html, TEST_HTML, post->host) == -1)
		html = NULL;
	if (text == NULL || html == NULL)
		r = hxb_fail(error, HXB_NOT_SENT, "out of memory");
	else
		r = hxb_mail_send(post->mailer,
		    &(struct hxb_mail){
		        .from = post->from, .to = to, .subject = TEST_SUBJECT, .text = text, .html = html },
		    error);
	free(html);
	free(text);
	return r;
}

/* Once a run: what holds for one login will hold for the others. */
static void
ask_sshd(struct hxb_post *post, const char *login)
{
	if (post->asked_sshd || !hxb_list_has(post->session->config.invite_services, "sshd"))
		return;
	post->asked_sshd = true;
	hxb_sshd_ask(login, &post->sshd);
	if (post->sshd.known && !hxb_sshd_takes_codes(&post->sshd))
		hxb_complain(
		    "sshd: nobody can type a code at its prompt: in sshd_config set UsePAM yes, and "
		    "KbdInteractiveAuthentication yes or PasswordAuthentication yes; AuthenticationMethods, "
		    "if set, has to name one that is on");
}

/* A person's letter; strings that are the letter's own are freed by clear. */
struct paper {
	struct hxb_letter letter;
	char *name, *ssh;
};

static enum hxb_result
write_letter(struct hxb_post *post, const struct hxb_person *person, const struct hxb_ticket *ticket,
    struct paper *paper, struct hxb_error *error)
{
	bool for_host = person->login != NULL && hxb_invite_is_for_host(post->session, person->user);
	char port[32] = "";
	int length = 0;

	*paper = (struct paper){ .name = hxb_person_full_name(person) };
	if (for_host) {
		ask_sshd(post, person->login);
		if (post->sshd.known && post->sshd.port != 0 && post->sshd.port != 22)
			snprintf(port, sizeof(port), "-p %u ", post->sshd.port);
		length = asprintf(&paper->ssh, "ssh %s%s@%s", port, person->login, post->host);
	}
	if (length == -1)
		paper->ssh = NULL;
	if (length == -1 || paper->name == NULL)
		return hxb_fail(error, HXB_FAILED, "out of memory");
	paper->letter = (struct hxb_letter){ .name = paper->name,
		.actor = post->session->actor.name,
		.host = post->host,
		.login = for_host ? person->login : NULL,
		.ssh = paper->ssh,
		.code = ticket->code,
		.link = ticket->link,
		.expires = ticket->expires };
	if (!for_host && ticket->link == NULL)
		return hxb_fail(error, HXB_NOT_SENT,
		    "%.128s: no login on this host, and no link to register by: see 'hexactl show %s'",
		    person->name, hxb_person_handle(person, person->name));
	return HXB_OK;
}

static void
clear_paper(struct paper *paper)
{
	free(paper->name);
	free(paper->ssh);
}

static enum hxb_result
send_mail(struct hxb_post *post, const char *to, const struct hxb_letter *letter, struct hxb_error *error)
{
	char *subject = NULL, *text = NULL, *html = NULL;
	enum hxb_result r;

	if (post->mailer == NULL)
		return hxb_fail(error, HXB_NOT_SENT, "%s", post->no_mailer.text);
	if (post->failures >= FAILURES_MAX)
		return hxb_fail(
		    error, HXB_NOT_SENT, "no longer tried, since %u mails in a row failed", FAILURES_MAX);
	r = hxb_address_check(to, error);
	if (r != HXB_OK)
		return HXB_NOT_SENT;
	subject = hxb_letter_subject(letter);
	text = hxb_letter_text(letter);
	html = hxb_letter_html(letter);
	if (subject == NULL || text == NULL || html == NULL)
		r = hxb_fail(error, HXB_NOT_SENT, "out of memory");
	else
		r = hxb_mail_send(post->mailer,
		    &(struct hxb_mail){
		        .from = post->from, .to = to, .subject = subject, .text = text, .html = html },
		    error);
	post->failures = r == HXB_OK || hxb_mailer_refused(post->mailer) ? 0 : post->failures + 1;
	free(subject);
	hxb_secret_free(text);
	hxb_secret_free(html);
	return r;
}

static void
tell(const struct hxb_post *post, const struct hxb_person *person, const struct hxb_letter *letter,
    enum hxb_result sent)
{
	char *roles = hxb_person_roles(person), when[HXB_TIME_SIZE];

	if (post->session->arguments->json)
		goto out;
	hxb_time_local(letter->expires, when);
	hxb_say("%s: invited as %s until %s; %s%s", person->name, roles != NULL ? roles : "?", when,
	    sent != HXB_OK    ? "NOT SENT"
	        : post->print ? "to be handed on:"
	                      : "mailed to ",
	    sent == HXB_OK && !post->print ? person->user->email : "");
	if (sent == HXB_OK && post->print && letter->login != NULL) {
		hxb_say("  %s", letter->ssh);
		hxb_say("  code  %s", letter->code);
	}
	if (sent == HXB_OK && post->print && letter->link != NULL)
		hxb_say("  link  %s", letter->link);
out:
	free(roles);
}

/* With --print the secrets are in the JSON: they are asked for. */
static void
add_json(struct hxb_post *post, const struct hxb_person *person, const struct hxb_letter *letter,
    enum hxb_result sent)
{
	struct hxb_changes *changes = &post->session->changes;
	struct hxb_json json = { .failed = false };
	bool shown = post->print && sent == HXB_OK;
	char when[HXB_TIME_SIZE];
	struct json_t *object;

	if (!post->session->arguments->json)
		return;
	if (changes->invitations == NULL)
		changes->invitations = hxb_json_array(&json, NULL, NULL);
	object = hxb_json_object(&json, changes->invitations, NULL);
	hxb_time_utc(letter->expires, when);
	hxb_json_text(&json, object, "user", person->name);
	hxb_json_text(&json, object, "id", person->user->id);
	hxb_json_text(&json, object, "email", person->user->email);
	hxb_json_text(&json, object, "login", letter->login);
	hxb_json_text(&json, object, "expires", when);
	hxb_json_text(&json, object, "delivery",
	    sent != HXB_OK    ? "not sent"
	        : post->print ? "printed"
	                      : "mailed");
	hxb_json_text(&json, object, "ssh", letter->ssh);
	hxb_json_text(&json, object, "code", shown && letter->login != NULL ? letter->code : NULL);
	hxb_json_text(&json, object, "link", shown ? letter->link : NULL);
	changes->failed = changes->failed || json.failed;
}

static enum hxb_result
note_delivery(struct hxb_post *post, const struct hxb_ticket *ticket, struct hxb_error *error)
{
	struct hxb_session *session = post->session;
	enum hxb_result r = hxb_session_begin_ledger(session, error);

	if (r == HXB_OK)
		r = hxb_ledger_set_delivery(
		    session->ledger, ticket->digest, post->print ? HXB_PRINTED : HXB_MAILED, error);
	if (r == HXB_OK)
		r = hxb_session_commit_ledger(session, error);
	hxb_session_rollback(session);
	return r;
}

enum hxb_result
hxb_post_deliver(
    struct hxb_post *post, const char *id, const struct hxb_ticket *ticket, struct hxb_error *error)
{
	struct hxb_person person;
	struct paper paper = { .name = NULL };
	enum hxb_result r = hxb_person_load(post->session, id, &person, error);

	if (r == HXB_OK)
		r = write_letter(post, &person, ticket, &paper, error);
	if (r == HXB_OK && !post->print)
		r = send_mail(post, person.user->email, &paper.letter, error);
	if (r == HXB_OK || r == HXB_NOT_SENT) {
		tell(post, &person, &paper.letter, r);
		add_json(post, &person, &paper.letter, r);
	}
	if (r == HXB_NOT_SENT) {
		hxb_complain("%s: %s; 'hexactl resend %s' tries again, with --print it needs no mail",
		    person.name, error->text, hxb_person_handle(&person, person.name));
		post->session->complaints++;
		error->text[0] = '\0';
	} else if (r == HXB_OK) {
		r = note_delivery(post, ticket, error);
		if (r != HXB_OK)
			hxb_fail_more(error, r, "the code is told, and 'list' says it is not");
	} else {
		hxb_fail_more(error, r, "invited since the last publish, and not told: run this again");
	}
	clear_paper(&paper);
	hxb_person_clear(&person);
	return r;
}
