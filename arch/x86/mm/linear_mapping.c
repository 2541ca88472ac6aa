// SPDX-License-Identifier: GPL-2.0-only
/*
 * Take memory that stays in the memmap out of the linear map, and put it back
 *
 * Its page table entries stay, but for the present bit, so that coming back never
 * needs memory. Where a larger page covers more than the range, it is split. It stays
 * split: that its parts are the same again is not looked for.
 */
#include <linux/align.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include <asm/set_memory.h>

/* The largest page of the linear map, so that none is split for the sake of steps */
#define STEP SZ_1G

static int set_present(u64 start, u64 size, bool present)
{
	const u64 end = start + size;
	u64 next;
	int err = 0;

	for (; start < end && !err; start = next) {
		const unsigned long addr = (unsigned long)__va(start);
		int nr_pages;

		next = min(ALIGN_DOWN(start, STEP) + STEP, end);
		nr_pages = PHYS_PFN(next - start);

		err = present ? set_memory_p(addr, nr_pages) :
				set_memory_np(addr, nr_pages);
		/* An entry that is not present loses this bit as well. */
		if (!err && present && (__default_kernel_pte_mask & _PAGE_GLOBAL))
			err = set_memory_global(addr, nr_pages);
		cond_resched();
	}
	return err;
}

/**
 * arch_linear_mapping_unit() - what arch_remove_linear_mapping() takes multiples of
 *
 * Return: bytes: any page can be taken out.
 */
u64 arch_linear_mapping_unit(void)
{
	return PAGE_SIZE;
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
	int err = set_present(start, size, true);

	if (err)
		set_present(start, size, false);
	return err;
}

/**
 * arch_remove_linear_mapping() - take memory out of the linear map
 * @start: first byte, at a page
 * @size: in bytes, whole pages, of memory that nobody uses
 *
 * Context: may sleep; with mem_hotplug_lock.
 * Return: 0, or -ENOMEM if there is no memory to split a page of the linear map, and
 * all of the range is mapped.
 */
int arch_remove_linear_mapping(u64 start, u64 size)
{
	int err = set_present(start, size, false);

	/* What was changed was split before, so this cannot fail. */
	if (err)
		WARN_ON_ONCE(set_present(start, size, true));
	return err;
}
