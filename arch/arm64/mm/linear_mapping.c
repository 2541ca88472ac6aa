// SPDX-License-Identifier: GPL-2.0-only
/*
 * Take memory that stays in the memmap out of the linear map, and put it back
 *
 * A block of the linear map cannot be split while others use it. So this works where
 * there are none: all is mapped with base pages where the permissions of each may
 * change, see can_set_direct_map(). The entries stay, but for the valid bit.
 */
#include <linux/align.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/set_memory.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#define STEP SZ_1G

static int set_valid(u64 start, u64 size, bool valid)
{
	const u64 end = start + size;
	u64 next;
	int err = 0;

	for (; start < end && !err; start = next) {
		next = min(ALIGN_DOWN(start, STEP) + STEP, end);
		err = set_memory_valid((unsigned long)__va(start),
				       PHYS_PFN(next - start), valid);
		cond_resched();
	}
	return err;
}

/**
 * arch_linear_mapping_unit() - what arch_remove_linear_mapping() takes multiples of
 *
 * Return: bytes, or 0 if the linear map has blocks, and it takes none.
 */
u64 arch_linear_mapping_unit(void)
{
	return can_set_direct_map() ? PAGE_SIZE : 0;
}

/**
 * arch_create_linear_mapping() - put memory back into the linear map
 * @nid: its node
 * @start: first byte, of a range that arch_remove_linear_mapping() took out
 * @size: in bytes
 * @params: not looked at: the entries are still there, and know
 *
 * Context: may sleep; with mem_hotplug_lock.
 * Return: 0, or a negative errno and none of the range is mapped.
 */
int arch_create_linear_mapping(int nid, u64 start, u64 size,
			       struct mhp_params *params)
{
	int err = set_valid(start, size, true);

	if (err)
		set_valid(start, size, false);
	return err;
}

/**
 * arch_remove_linear_mapping() - take memory out of the linear map
 * @start: first byte, at a page
 * @size: in bytes, whole pages, of memory that nobody uses
 *
 * Context: may sleep; with mem_hotplug_lock.
 * Return: 0, or -EOPNOTSUPP if the linear map has blocks, and all of the range is
 * mapped.
 */
int arch_remove_linear_mapping(u64 start, u64 size)
{
	int err;

	if (!can_set_direct_map())
		return -EOPNOTSUPP;

	/* Nobody gets at the memory through what vmap() left behind. */
	vm_unmap_aliases();

	err = set_valid(start, size, false);
	if (err)
		WARN_ON_ONCE(set_valid(start, size, true));
	return err;
}
