/* SPDX-License-Identifier: ISC */
/*
 * MUST: no password and no message in the clear to another host; nothing of ours in an error text but
 * addresses; the server's words are bounded and harmless.
 */
#include <arpa/inet.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "address.h"
#include "libhexabot/secret.h"
#include "libhexabot/token.h"
#include "mail.h"
#include "secret_file.h"

#define CONNECT_SECONDS 10L
#define TOTAL_SECONDS 60L
#define ANSWER_SIZE 160

struct hxb_mailer {
	const struct hxb_config *config;
	char *url; /* with the name that we greet the server by */
	char *server; /* "smtp.example.org", for messages */
	char *password; /* NULL: no login */
	bool started; /* libcurl is */
	bool refused; /* see hxb_mailer_refused() */
};

/* One conversation with the server. */
struct transfer {
	char answer[ANSWER_SIZE]; /* its last words */
	bool offers_utf8; /* in its last EHLO */
	bool needs_utf8;
	bool gave_up; /* it does not, and we do */
	char curl_words[CURL_ERROR_SIZE];
};

/* The host of the URL; in ASCII, if asked for. NULL if it is no URL. The caller frees with curl_free(). */
static char *
host_of(const char *url, unsigned flags)
{
	CURLU *parts = curl_url();
	char *host = NULL;

	if (parts == NULL)
		return NULL;
	if (curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK)
		(void)curl_url_get(parts, CURLUPART_HOST, &host, flags);
	curl_url_cleanup(parts);
	return host;
}

static bool
is_loopback(const char *host)
{
	struct in_addr address;

	/* A name may begin with "127.", too. */
	return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
	    (inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}

static bool
has_login(const char *url)
{
	const char *host = strstr(url, "://");

	return host != NULL && memchr(host + 3, '@', strcspn(host + 3, "/?#")) != NULL;
}

/* smtp://server[:port]/NAME: libcurl greets with NAME. */
static char *
url_with_name(const char *url)
{
	char name[256] = "", *whole;
	size_t length = strlen(url);

	if (gethostname(name, sizeof(name) - 1) == -1 || name[0] == '\0' ||
	    name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")] != '\0')
		snprintf(name, sizeof(name), "localhost");
	while (length > 0 && url[length - 1] == '/')
		length--;
	return asprintf(&whole, "%.*s/%s", (int)length, url, name) != -1 ? whole : NULL;
}

static enum hxb_result
check_config(const struct hxb_config *config, char **server, struct hxb_error *error)
{
	if (config->smtp_url[0] == '\0')
		return hxb_fail(error, HXB_NOT_SENT, "no mail: smtp_url is not set in hexabot.conf");
	if (has_login(config->smtp_url))
		return hxb_fail(error, HXB_NOT_SENT,
		    "smtp_url: a login in it could be read by all: use smtp_user and smtp_password_file");
	*server = host_of(config->smtp_url, 0);
	if (*server == NULL)
		return hxb_fail(
		    error, HXB_NOT_SENT, "smtp_url: '%.128s' is no URL of a server", config->smtp_url);
	if (config->smtp_tls == HXB_SMTP_TLS_NONE && !is_loopback(*server))
		return hxb_fail(error, HXB_NOT_SENT,
		    "smtp_tls = none: only for a relay on this host, and %.128s is another", *server);
	if ((config->smtp_user[0] == '\0') != (config->smtp_password_file[0] == '\0'))
		return hxb_fail(
		    error, HXB_NOT_SENT, "smtp_user and smtp_password_file: only one of the two is set");
	return HXB_OK;
}

enum hxb_result
hxb_mailer_open(const struct hxb_config *config, struct hxb_mailer **mailerp, struct hxb_error *error)
{
	struct hxb_mailer *mailer = calloc(1, sizeof(*mailer));
	enum hxb_result r;

	*mailerp = NULL;
	if (mailer == NULL)
		return hxb_fail(error, HXB_NOT_SENT, "out of memory");
	mailer->config = config;
	mailer->started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	if (!mailer->started)
		r = hxb_fail(error, HXB_NOT_SENT, "libcurl can't be used");
	else
		r = check_config(config, &mailer->server, error);
	if (r == HXB_OK && config->smtp_password_file[0] != '\0' &&
	    hxb_secret_file_read(config->smtp_password_file, &mailer->password, error) != HXB_OK)
		r = HXB_NOT_SENT;
	if (r == HXB_OK && (mailer->url = url_with_name(config->smtp_url)) == NULL)
		r = hxb_fail(error, HXB_NOT_SENT, "out of memory");
	if (r == HXB_OK) {
		*mailerp = mailer;
		mailer = NULL;
	}
	hxb_mailer_close(mailer);
	return r;
}

void
hxb_mailer_close(struct hxb_mailer *mailer)
{
	if (mailer == NULL)
		return;
	hxb_secret_free(mailer->password);
	free(mailer->url);
	curl_free(mailer->server);
	if (mailer->started)
		curl_global_cleanup();
	free(mailer);
}

/* libidn2 reads the name in the locale's encoding, and cron's locale is C. */
static char *
host_in_ascii(const char *url)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), before;
	char *host;

	if (utf8 == (locale_t)0)
		return NULL;
	before = uselocale(utf8);
	host = host_of(url, CURLU_PUNYCODE);
	(void)uselocale(before);
	freelocale(utf8);
	return host;
}

/* The address with its domain in ASCII, which every server takes. NULL: that is not to be had. */
static char *
ascii_domain(const char *address)
{
	const char *at = strrchr(address, '@');
	char *url = NULL, *host = NULL, *whole = NULL;

	if (at == NULL || asprintf(&url, "smtp://%s/", at + 1) == -1)
		return NULL;
	host = host_in_ascii(url);
	if (host != NULL && asprintf(&whole, "%.*s@%s", (int)(at - address), address, host) == -1)
		whole = NULL;
	curl_free(host);
	free(url);
	return whole;
}

static bool
is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

/* libcurl's header callback gets every line that the server says. */
static size_t
hear(char *line, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t length = size * count, kept = 0;

	/* What it says to our parting is no answer to anything. */
	if (length >= 3 && strncmp(line, "221", 3) == 0)
		return length;
	/* A greeting, or STARTTLS: what was offered before does not count any more. */
	if (length >= 3 && strncmp(line, "220", 3) == 0)
		transfer->offers_utf8 = false;
	if (length >= 12 && strncmp(line, "250", 3) == 0 && strncasecmp(line + 4, "SMTPUTF8", 8) == 0)
		transfer->offers_utf8 = true;
	/* Of an answer of several lines the first one tells. */
	if (length >= 3 && line[0] >= '4' && strncmp(line, transfer->answer, 3) == 0)
		return length;
	for (size_t i = 0; i < length && kept < sizeof(transfer->answer) - 1; i++) {
		unsigned char c = (unsigned char)line[i];

		if (c != '\r' && c != '\n')
			transfer->answer[kept++] = (char)(c >= 0x20 && c < 0x7f ? c : '?');
	}
	transfer->answer[kept] = '\0';
	/* The recipient has been taken, the message has not begun. */
	if (length >= 3 && strncmp(line, "354", 3) == 0 && transfer->needs_utf8 && !transfer->offers_utf8) {
		transfer->gave_up = true;
		return 0;
	}
	return length;
}

static struct curl_slist *
append(struct curl_slist *list, const char *name, const char *value, bool *failed)
{
	struct curl_slist *longer = NULL;
	char *line;

	if (asprintf(&line, "%s: %s", name, value) != -1) {
		longer = curl_slist_append(list, line);
		free(line);
	}
	*failed = *failed || longer == NULL;
	return longer != NULL ? longer : list;
}

static struct curl_slist *
make_headers(const struct hxb_mail *mail, const char *from, const char *to, bool *failed)
{
	char date[64] = "", nonce[HXB_NONCE_SIZE], id[HXB_NONCE_SIZE + HXB_ADDRESS_MAX + 4], path[300];
	struct curl_slist *headers = NULL;
	time_t now = time(NULL);
	struct tm parts;

	if (localtime_r(&now, &parts) == NULL ||
	    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S %z", &parts) == 0 ||
	    hxb_nonce(nonce, NULL) != HXB_OK) {
		*failed = true;
		return NULL;
	}
	snprintf(id, sizeof(id), "<%s%s>", nonce, strrchr(from, '@'));
	headers = append(headers, "Date", date, failed);
	snprintf(path, sizeof(path), "<%s>", from);
	headers = append(headers, "From", path, failed);
	snprintf(path, sizeof(path), "<%s>", to);
	headers = append(headers, "To", path, failed);
	headers = append(headers, "Message-ID", id, failed);
	headers = append(headers, "Subject", mail->subject, failed);
	headers = append(headers, "Auto-Submitted", "auto-generated", failed);
	return append(headers, "Content-Type", "multipart/alternative", failed);
}

static bool
add_part(curl_mime *mime, const char *type, const char *text)
{
	curl_mimepart *part = curl_mime_addpart(mime);

	return part != NULL && curl_mime_data(part, text, CURL_ZERO_TERMINATED) == CURLE_OK &&
	    curl_mime_type(part, type) == CURLE_OK && curl_mime_encoder(part, "quoted-printable") == CURLE_OK;
}

/* Who is spoken to, and how: what is not allowed here is not done. */
static bool
set_server(CURL *curl, const struct hxb_mailer *mailer, struct transfer *transfer)
{
	const struct hxb_config *config = mailer->config;
	bool tls = config->smtp_tls == HXB_SMTP_TLS_REQUIRED;
	bool good;

	good = curl_easy_setopt(curl, CURLOPT_URL, mailer->url) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_TIMEOUT, TOTAL_SECONDS) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)(tls ? CURLUSESSL_ALL : CURLUSESSL_NONE)) ==
	        CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->curl_words) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, hear) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer) == CURLE_OK;
	if (good && config->smtp_ca_file[0] != '\0')
		good = curl_easy_setopt(curl, CURLOPT_CAINFO, config->smtp_ca_file) == CURLE_OK &&
		    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK;
	if (good && mailer->password != NULL)
		good = curl_easy_setopt(curl, CURLOPT_USERNAME, config->smtp_user) == CURLE_OK &&
		    curl_easy_setopt(curl, CURLOPT_PASSWORD, mailer->password) == CURLE_OK &&
		    /* Else CRAM-MD5, or GSSAPI for a login with an '@', comes first, and its failure is
		       final. */
		    curl_easy_setopt(curl, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN") == CURLE_OK;
	return good;
}

/* What the administrator can do about it. */
static enum hxb_result
explain(const struct hxb_mailer *mailer, const struct transfer *transfer, const char *to, CURLcode code,
    long answered, struct hxb_error *error)
{
	const char *remedy = "check smtp_url";
	/* A good answer is no reason: then libcurl knows why. */
	const char *words = transfer->answer[0] >= '4' && transfer->answer[0] <= '5' ? transfer->answer : "";

	if (transfer->gave_up ||
	    (code != CURLE_LOGIN_DENIED && answered >= 500 && transfer->needs_utf8 && !transfer->offers_utf8))
		return hxb_fail(error, HXB_NOT_SENT,
		    "mail to %.128s: %.64s does not offer SMTPUTF8, which this address needs", to,
		    mailer->server);
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		words = "no answer in time";
		break;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		words = transfer->curl_words;
		remedy = "is it running? check smtp_url";
		break;
	case CURLE_USE_SSL_FAILED:
		words = "it offers no STARTTLS";
		remedy = "use smtps://, or for a relay on this host smtp_tls = none";
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		words = transfer->curl_words;
		remedy = "its certificate is not to be trusted: check the name in smtp_url, and smtp_ca_file";
		break;
	case CURLE_SSL_CONNECT_ERROR:
		words = transfer->curl_words;
		remedy = "no TLS is spoken there: check smtp_url";
		break;
	case CURLE_LOGIN_DENIED:
		remedy = "check smtp_user and smtp_password_file";
		break;
	default:
		if (answered == 530)
			remedy = "it wants a login: set smtp_user and smtp_password_file";
		else if (answered >= 500)
			remedy = "refused for good: check the address, and mail_from";
		else if (answered >= 400)
			remedy = "put off: try again later";
	}
	if (words[0] == '\0')
		words = transfer->curl_words[0] != '\0' ? transfer->curl_words : curl_easy_strerror(code);
	return hxb_fail(
	    error, HXB_NOT_SENT, "mail to %.96s: %.64s: %.160s (%s)", to, mailer->server, words, remedy);
}

static enum hxb_result
perform(struct hxb_mailer *mailer, const struct hxb_mail *mail, const char *from, const char *to,
    struct hxb_error *error)
{
	struct transfer transfer = { .needs_utf8 = !is_ascii(to) || !is_ascii(from) };
	CURL *curl = curl_easy_init();
	curl_mime *mime = curl != NULL ? curl_mime_init(curl) : NULL;
	struct curl_slist *recipients = curl_slist_append(NULL, to), *headers = NULL;
	bool failed = mime == NULL || recipients == NULL;
	long answered = 0;
	CURLcode code;
	enum hxb_result r;

	mailer->refused = false;
	if (!failed)
		headers = make_headers(mail, from, to, &failed);
	failed = failed || !set_server(curl, mailer, &transfer) ||
	    !add_part(mime, "text/plain; charset=utf-8", mail->text) ||
	    !add_part(mime, "text/html; charset=utf-8", mail->html) ||
	    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_MIMEPOST, mime) != CURLE_OK;
	if (failed) {
		r = hxb_fail(
		    error, HXB_NOT_SENT, "mail to %.128s: out of memory, or libcurl can't do it", to);
	} else if ((code = curl_easy_perform(curl)) == CURLE_OK) {
		r = HXB_OK;
	} else {
		(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answered);
		mailer->refused = transfer.gave_up ||
		    (code != CURLE_LOGIN_DENIED && answered >= 400 && answered != 421 && answered != 530);
		r = explain(mailer, &transfer, to, code, answered, error);
	}
	curl_mime_free(mime);
	curl_easy_cleanup(curl);
	curl_slist_free_all(recipients);
	curl_slist_free_all(headers);
	return r;
}

bool
hxb_mailer_refused(const struct hxb_mailer *mailer)
{
	return mailer->refused;
}

enum hxb_result
hxb_mail_send(struct hxb_mailer *mailer, const struct hxb_mail *mail, struct hxb_error *error)
{
	char *from = ascii_domain(mail->from), *to = ascii_domain(mail->to);
	enum hxb_result r;

	if (from == NULL || to == NULL)
		r = hxb_fail(error, HXB_NOT_SENT, "%.128s: no domain that mail can go to",
		    from == NULL ? mail->from : mail->to);
	else
		r = perform(mailer, mail, from, to, error);
	free(from);
	free(to);
	return r;
}
