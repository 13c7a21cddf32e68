/* SPDX-License-Identifier: ISC */
/* What invitations are sent by. */
#include "delivery.h"
#include "doctor.h"
#include "libhexabot/secret.h"
#include "secret_file.h"

static void
send_test(struct hxb_doctor *doctor, struct hxb_post *post, const char *to)
{
	struct hxb_error error = { "" };

	if (hxb_post_test(post, to, &error) == HXB_OK)
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "%s has taken a test mail to %s",
		    doctor->session->config.smtp_url, to);
	else
		hxb_found_error(doctor, HXB_HEALTH_FAIL, &error, "see the server's log");
}

static void
look_at_mail(struct hxb_doctor *doctor)
{
	const char *to = hxb_option(doctor->session->arguments, "mail");
	struct hxb_post *post = NULL;
	struct hxb_error error = { "" };

	if (hxb_lacks_config(doctor))
		return;
	if (doctor->session->config.smtp_url[0] == '\0' && to == NULL) {
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL,
		    "no smtp_url in the configuration: invitations have to be handed on, with --print");
		return;
	}
	if (hxb_post_open(doctor->session, &post, &error) != HXB_OK || hxb_post_check(post, &error) != HXB_OK)
		hxb_found_error(doctor, HXB_HEALTH_FAIL, &error, "correct it in the configuration");
	else if (to != NULL)
		send_test(doctor, post, to);
	else
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "%s; --mail ADDRESS tries it",
		    doctor->session->config.smtp_url);
	hxb_post_close(post);
}

static void
look_at_link(struct hxb_doctor *doctor)
{
	const struct hxb_config *config = &doctor->session->config;
	struct hxb_error error = { "" };
	char *secret = NULL;

	if (hxb_lacks_config(doctor))
		return;
	if (config->web_url[0] == '\0' && config->reset_secret_file[0] == '\0')
		hxb_found(doctor, HXB_HEALTH_SKIP, NULL, "no web_url: mails have a code, and no link");
	else if (config->web_url[0] == '\0' || config->reset_secret_file[0] == '\0')
		hxb_found(doctor, HXB_HEALTH_FAIL, "set both, or none",
		    "%s is set without %s: nobody can be invited",
		    config->web_url[0] != '\0' ? "web_url" : "reset_secret_file",
		    config->web_url[0] != '\0' ? "reset_secret_file" : "web_url");
	else if (hxb_secret_file_read(config->reset_secret_file, &secret, &error) != HXB_OK)
		hxb_found_error(doctor, HXB_HEALTH_FAIL, &error,
		    "put Hexabot's PASSWORD_RESET_SECRET there, in a file of root's, mode 0600");
	else
		hxb_found(doctor, HXB_HEALTH_OK, NULL, "links to %s", config->web_url);
	hxb_secret_free(secret);
}

const struct hxb_check hxb_checks_mail[] = {
	{ "mail", look_at_mail },
	{ "web-link", look_at_link },
	{ NULL, NULL },
};
