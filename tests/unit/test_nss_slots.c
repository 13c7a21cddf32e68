/* SPDX-License-Identifier: ISC */
/*
 * What a fork can leave in the child's slots: pins and BUSY words of threads that the child does not have, in
 * every combination. test_nss_threads.c forks for real, and meets some of them; here map_pin.c's own words
 * are set.
 */
#include "libhexabot/map_pin.c"
#include "nss_fixture.h"

enum left { LEFT_FREE, LEFT_BUSY, LEFT_PINNED, LEFT_UNUSED, LEFT_KINDS };

static void
leave(struct slot *slot, enum left left)
{
	atomic_store(&slot->word, FREE);
	if (left == LEFT_BUSY)
		atomic_store(&slot->word, BUSY);
	if (left == LEFT_FREE || left == LEFT_BUSY)
		return;
	assert_true(hxb_map_load(&slot->map, HXB_MAP_PATH, 0, NULL));
	atomic_store(&slot->checked, milliseconds());
	atomic_store(&slot->word, left == LEFT_PINNED ? MAPPED + 1 : MAPPED);
}

/* `combination` has a digit for each slot. The number of slots that stay lost. */
static unsigned int
leave_all(unsigned int combination, size_t now_current)
{
	unsigned int lost = 0;
	size_t i;

	for (i = 0; i < SLOTS; i++, combination /= LEFT_KINDS) {
		leave(&slots[i], (enum left)(combination % LEFT_KINDS));
		lost += combination % LEFT_KINDS == LEFT_PINNED;
	}
	atomic_store(&current, now_current < SLOTS ? &slots[now_current] : NULL);
	return lost;
}

static void
clear_slots(void)
{
	size_t i;

	for (i = 0; i < SLOTS; i++) {
		if ((atomic_load(&slots[i].word) & MAPPED) != 0)
			hxb_map_unload(&slots[i].map);
		atomic_store(&slots[i].word, FREE);
	}
	atomic_store(&current, NULL);
}

static uint32_t
pinned_number(const struct hxb_map *map)
{
	struct hxb_map_user user;

	assert_non_null(map);
	assert_int_equal(hxb_map_user_by_login(map, "alice", &user), HXB_MAP_FOUND);
	return user.uid - FIRST_UID;
}

static uint32_t
number(void)
{
	const struct hxb_map *map = hxb_map_pin();
	const uint32_t found = pinned_number(map);

	hxb_map_unpin(map);
	return found;
}

static void
a_child_reads_on_whatever_its_parents_threads_left(void **state)
{
	const unsigned int combinations = LEFT_KINDS * LEFT_KINDS * LEFT_KINDS * LEFT_KINDS;
	unsigned int combination, lost;
	const struct hxb_map *kept;
	uint32_t n = 0;
	size_t i;

	(void)state;
	alarm(100); /* somebody may wait for a BUSY slot */
	for (combination = 0; combination < combinations; combination++) {
		for (i = 0; i <= SLOTS; i++) {
			install_numbered_in(HXB_STATE_DIR, ++n);
			lost = leave_all(combination, i);
			assert_int_equal(number(), n);
			kept = hxb_map_pin();
			install_numbered_in(HXB_STATE_DIR, ++n);
			assert_int_equal(number(), n);
			assert_int_equal(pinned_number(kept), n - 1);
			hxb_map_unpin(kept);
			assert_int_equal(number(), n);
			if (combination % 16 == 0)
				assert_true(count_mappings() <= lost + 2); /* each lost slot keeps its own */
			clear_slots();
		}
	}
	assert_int_equal(count_mappings(), 0);
	alarm(0);
}

static void
with_no_slot_left_every_lookup_has_a_map_of_its_own(void **state)
{
	const struct hxb_map *one, *other;
	size_t i;

	(void)state;
	install_numbered_in(HXB_STATE_DIR, 1);
	for (i = 0; i < SLOTS; i++)
		leave(&slots[i], LEFT_BUSY);
	one = hxb_map_pin();
	install_numbered_in(HXB_STATE_DIR, 2);
	other = hxb_map_pin();
	assert_int_equal(pinned_number(one), 1);
	assert_int_equal(pinned_number(other), 2);
	assert_int_equal(count_mappings(), 2);
	hxb_map_unpin(one);
	hxb_map_unpin(other);
	assert_int_equal(count_mappings(), 0);
	clear_slots();
}

int
main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_reads_on_whatever_its_parents_threads_left),
		cmocka_unit_test(with_no_slot_left_every_lookup_has_a_map_of_its_own),
	};

	return run_as_root(tests, COUNT(tests), load_module);
}
