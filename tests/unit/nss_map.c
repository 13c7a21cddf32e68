/* SPDX-License-Identifier: ISC */
/*
 * nss_map small|many|wide|huge: installs a map in HXB_STATE_DIR for tests/unit/nss_i386. wide and huge are
 * the small one with a hole at the end: 1.9 and 2.1 GiB.
 */
#include "map_fixture.h"

static void
install_many(void)
{
	struct hxb_map_writer *w = new_writer(true);
	struct hxb_map_user user = { "", "", "/home", "/bin/sh", 0, 0, HXB_SHADOW_ENABLED, two_roles, 1, 0,
		{ 0 } };
	char login[32], gecos[32];
	uint32_t i, index;

	for (i = 0; i < ROLES; i++)
		assert_int_equal(hxb_map_writer_role(w, &some_roles[i], &index), HXB_OK);
	for (i = 0; i < 20000; i++) {
		snprintf(login, sizeof(login), "user%u", i);
		snprintf(gecos, sizeof(gecos), "Number %u", i);
		user.login = login;
		user.gecos = gecos;
		user.uid = UINT32_C(2147480000) + i; /* on both sides of 2^31 */
		user.shadow = (enum hxb_map_shadow)(i % 3);
		user.roles = i % 2 == 0 ? two_roles : many_roles;
		user.role_count = i % 2 == 0 ? i % 3 : 5;
		assert_int_equal(hxb_map_writer_user(w, &user), HXB_OK);
	}
	install(w, 1);
}

/* Later minor versions append: a long tail is nothing that a reader may refuse. */
static void
lengthen(off_t size)
{
	_Alignas(8) unsigned char bytes[65536];
	struct hxb_map_header *header = (struct hxb_map_header *)(void *)bytes;
	const size_t old = read_file(HXB_MAP_PATH, bytes, sizeof(bytes));

	header->file_size = (uint64_t)size;
	header->checksum = hxb_map_header_sum(header, header->header_size);
	write_file(HXB_MAP_PATH, bytes, old);
	assert_int_equal(truncate(HXB_MAP_PATH, size), 0);
}

int
main(int argc, char **argv)
{
	const char *which = argc == 2 ? argv[1] : "";

	make_directory(HXB_STATE_DIR);
	if (strcmp(which, "many") == 0)
		install_many();
	else
		install(some_writer(true), 1);
	if (strcmp(which, "wide") == 0)
		lengthen((off_t)1900 << 20);
	if (strcmp(which, "huge") == 0)
		lengthen((off_t)2100 << 20);
	return 0;
}
