/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "libhexabot/jwt.h"
#include "libhexabot/secret.h"
#include "secret_file.h"
#include "ticket.h"

/* A slow hash protects what can be guessed; the token is signed with Hexabot's own secret, and can't be. */
#define TOKEN_COST 4

enum hxb_result
hxb_ticket_has_link(const struct hxb_session *session, bool *has, struct hxb_error *error)
{
	const struct hxb_config *config = &session->config;
	bool url = config->web_url[0] != '\0', secret = config->reset_secret_file[0] != '\0';

	*has = url && secret;
	if (url == secret)
		return HXB_OK;
	return hxb_fail(error, HXB_UNREADABLE, "%s: %s is set and %s is not: links need both",
	    session->arguments->config, url ? "web_url" : "reset_secret_file",
	    url ? "reset_secret_file" : "web_url");
}

/* bcrypt reads no more of the token, here as in Hexabot; crypt(3) refuses longer ones. */
static enum hxb_result
hash_token(const char *token, char hash[HXB_HASH_SIZE], struct hxb_error *error)
{
	char beginning[HXB_PASSWORD_MAX_BYTES + 1];
	enum hxb_result r;

	snprintf(beginning, sizeof(beginning), "%.*s", HXB_PASSWORD_MAX_BYTES, token);
	r = hxb_password_hash(beginning, TOKEN_COST, hash, error);
	HXB_WIPE(beginning);
	return r;
}

static enum hxb_result
make_link(
    const struct hxb_config *config, const char *email, struct hxb_ticket *ticket, struct hxb_error *error)
{
	size_t length = strlen(config->web_url);
	char *key = NULL, *token = NULL;
	enum hxb_result r;

	while (length > 0 && config->web_url[length - 1] == '/')
		length--;
	r = hxb_secret_file_read(config->reset_secret_file, &key, error);
	if (r == HXB_OK)
		r = hxb_jwt_make(email, ticket->created, ticket->expires, key, &token, error);
	if (r == HXB_OK)
		r = hash_token(token, ticket->token_hash, error);
	if (r == HXB_OK &&
	    asprintf(&ticket->link, "%.*s/reset/%s", (int)length, config->web_url, token) == -1) {
		ticket->link = NULL;
		r = hxb_fail(error, HXB_FAILED, "out of memory");
	}
	hxb_secret_free(token);
	hxb_secret_free(key);
	return r;
}

enum hxb_result
hxb_ticket_draw(const struct hxb_session *session, const char *email, int64_t ttl, struct hxb_ticket *ticket,
    struct hxb_error *error)
{
	bool has_link = false;
	enum hxb_result r;

	*ticket = (struct hxb_ticket){ .created = time(NULL) };
	ticket->expires = ticket->created + ttl;
	r = hxb_ticket_has_link(session, &has_link, error);
	if (r == HXB_OK)
		r = hxb_code_make(ticket->code, error);
	if (r == HXB_OK && !hxb_code_digest(ticket->code, ticket->digest))
		r = hxb_fail(error, HXB_FAILED, "a code that is none was drawn");
	return r == HXB_OK && has_link ? make_link(&session->config, email, ticket, error) : r;
}

void
hxb_ticket_clear(struct hxb_ticket *ticket)
{
	HXB_WIPE(ticket->code);
	HXB_WIPE(ticket->token_hash);
	hxb_secret_free(ticket->link);
	*ticket = (struct hxb_ticket){ 0 };
}
