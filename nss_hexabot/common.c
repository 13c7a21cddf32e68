/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>

#include "nss_hexabot.h"

char *
hxb_nss_copy(struct hxb_nss_buffer *buffer, const char *text, size_t length)
{
	char *copy = buffer->next;

	if (length >= buffer->left)
		return NULL;
	memcpy(copy, text, length + 1);
	buffer->next += length + 1;
	buffer->left -= length + 1;
	return copy;
}

char **
hxb_nss_pointers(struct hxb_nss_buffer *buffer, uint32_t count)
{
	size_t odd = (uintptr_t)buffer->next % _Alignof(char *);
	size_t padding = odd == 0 ? 0 : _Alignof(char *) - odd;
	void *pointers;

	if (padding > buffer->left || count >= (buffer->left - padding) / sizeof(char *))
		return NULL;
	pointers = buffer->next + padding;
	buffer->next += padding + ((size_t)count + 1) * sizeof(char *);
	buffer->left -= padding + ((size_t)count + 1) * sizeof(char *);
	return pointers;
}

enum hxb_map_status
hxb_nss_list_open(struct hxb_nss_list *list)
{
	struct hxb_map_info info;

	if (list->map == NULL) {
		list->map = hxb_map_pin();
		if (list->map == NULL)
			return HXB_MAP_UNAVAILABLE;
		hxb_map_info(list->map, &info);
		list->enumerate = info.enumerate;
	}
	return list->enumerate ? HXB_MAP_FOUND : HXB_MAP_NOT_FOUND;
}

void
hxb_nss_list_close(struct hxb_nss_list *list)
{
	const struct hxb_map *map = list->map;

	/* In this order: a child forked in between by another thread must not unpin it again. */
	list->map = NULL;
	list->next = 0;
	hxb_map_unpin(map);
}

enum hxb_map_status
hxb_nss_list_user(struct hxb_nss_list *list, struct hxb_map_user *user)
{
	enum hxb_map_status status = hxb_nss_list_open(list);

	if (status != HXB_MAP_FOUND)
		return status;
	while ((status = hxb_map_user_at(list->map, list->next, user)) == HXB_MAP_UNAVAILABLE)
		list->next++;
	return status;
}

enum nss_status
hxb_nss_status(enum hxb_map_status status, int *errnop)
{
	if (status == HXB_MAP_FOUND)
		return NSS_STATUS_SUCCESS;
	*errnop = ENOENT;
	return status == HXB_MAP_NOT_FOUND ? NSS_STATUS_NOTFOUND : NSS_STATUS_UNAVAIL;
}

enum nss_status
hxb_nss_no_map(int *errnop)
{
	*errnop = errno == EMFILE || errno == ENFILE || errno == ENOMEM ? errno : ENOENT;
	return NSS_STATUS_UNAVAIL;
}

enum nss_status
hxb_nss_too_small(int *errnop)
{
	*errnop = ERANGE;
	return NSS_STATUS_TRYAGAIN;
}
