/* SPDX-License-Identifier: ISC */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "address.h"
#include "utf8.h"

#define LOCAL_MAX 64 /* bytes */
#define LABEL_MAX 63 /* bytes */

#define DIGITS "0123456789"
#define ALPHANUMERIC "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS
#define ATEXT ALPHANUMERIC "!#$%&'*+-/=?^_`{|}~" /* RFC 5322 */

/* Unicode's blanks, and what IDNA takes for a full stop: a domain would have other labels than it shows. */
static bool
blank(uint32_t character)
{
	return character == ' ' || character == '\t' || character == 0xa0 || character == 0x1680 ||
	    (character >= 0x2000 && character <= 0x200a) || character == 0x202f || character == 0x205f ||
	    character == 0x3000;
}

static bool
full_stop(uint32_t character)
{
	return character == 0x3002 || character == 0xff0e || character == 0xff61;
}

/* What no part of an address may hold. NULL: nothing is wrong; here and below, the reason otherwise. */
static const char *
fault_of_characters(const char *text)
{
	uint32_t character = 0;
	size_t size;

	for (; *text != '\0'; text += size) {
		size = hxb_utf8_read(text, &character);
		if (size == 0)
			return "a mail address that is no UTF-8";
		if (blank(character))
			return "a blank in a mail address";
		if (character < 0x20 || (character >= 0x7f && character < 0xa0))
			return "a control character in a mail address";
		if (hxb_utf8_misleading(character))
			return "an invisible character in a mail address; type it anew";
		if (full_stop(character))
			return "a full stop of another script in a mail address; type it anew";
		if (character < 0x80 && strchr(ATEXT ".@", (int)character) == NULL)
			return "a mail address with a character that is not used in one; expected "
			       "NAME@DOMAIN and nothing else";
	}
	return NULL;
}

static const char *
fault_of_local(const char *local, size_t length)
{
	if (length == 0)
		return "a mail address without a name before its '@'";
	if (length > LOCAL_MAX)
		return "a mail address with more than 64 bytes before its '@'";
	if (local[0] == '.' || local[length - 1] == '.')
		return "a mail address whose name begins or ends with a dot";
	if (memmem(local, length, "..", 2) != NULL)
		return "a mail address with two dots in a row";
	return NULL;
}

static const char *
fault_of_label(const char *label, size_t length)
{
	if (length == 0)
		return "a mail address with an empty part in its domain";
	if (length > LABEL_MAX)
		return "a mail address with more than 63 bytes in a part of its domain";
	if (label[0] == '-' || label[length - 1] == '-')
		return "a mail address with a hyphen at an end of a part of its domain";
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)label[i] < 0x80 && strchr(ALPHANUMERIC "-", label[i]) == NULL)
			return "a mail address with a character that no domain holds";
	return NULL;
}

static const char *
fault_of_domain(const char *domain)
{
	const char *label = domain, *reason;
	size_t length;

	for (;;) {
		length = strcspn(label, ".");
		if ((reason = fault_of_label(label, length)) != NULL)
			return reason;
		if (label[length] == '\0')
			break;
		label += length + 1;
	}
	/* No top-level domain is a number. */
	if (strspn(label, DIGITS) == length)
		return "a mail address with a number where its domain should be";
	return NULL;
}

static const char *
fault_of(const char *address)
{
	const char *at = strchr(address, '@'), *reason;

	if (address[0] == '\0')
		return "no mail address; expected NAME@DOMAIN";
	if (strnlen(address, HXB_ADDRESS_MAX + 1) > HXB_ADDRESS_MAX)
		return "a mail address of more than 254 bytes";
	if ((reason = fault_of_characters(address)) != NULL)
		return reason;
	if (at == NULL)
		return "no mail address, since it has no '@'; expected NAME@DOMAIN";
	if (strchr(at + 1, '@') != NULL)
		return "a mail address with more than one '@'";
	if ((reason = fault_of_local(address, (size_t)(at - address))) != NULL)
		return reason;
	return fault_of_domain(at + 1);
}

enum hxb_result
hxb_address_check(const char *address, struct hxb_error *error)
{
	const char *reason = fault_of(address);

	if (reason != NULL)
		return hxb_fail(error, HXB_INVALID, "'%.128s': %s", address, reason);
	return HXB_OK;
}

bool
hxb_address_login(const char *address, char login[HXB_LOGIN_MAX + 1])
{
	size_t length = strcspn(address, "+@");

	login[0] = '\0';
	if (length > HXB_LOGIN_MAX)
		return false;
	for (size_t i = 0; i < length; i++)
		login[i] =
		    (char)(address[i] >= 'A' && address[i] <= 'Z' ? address[i] - 'A' + 'a' : address[i]);
	login[length] = '\0';
	return hxb_login_valid(login);
}
