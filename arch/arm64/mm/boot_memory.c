// SPDX-License-Identifier: GPL-2.0-only
/*
 * Boot memory may go offline, but not away
 *
 * The page tables of the linear map and the memmap of boot memory come from memblock,
 * the memory map that firmware describes is the one that kexec hands on, and nothing
 * tells either that some of it is no longer there. What memblock knew at boot
 * therefore stays, offline or not. Memory that was added later is not boot memory,
 * even where it shares a section with some.
 */
#include <linux/cache.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/memory_hotplug.h>
#include <linux/range.h>
#include <linux/slab.h>

/* Last bytes included. NULL if there was no memory to write them down. */
static struct range *boot_memory __ro_after_init;
static unsigned int nr_boot_memory __ro_after_init;

bool arch_range_removable(u64 start, u64 size)
{
	unsigned int i;

	for (i = 0; i < nr_boot_memory; i++)
		if (start <= boot_memory[i].end &&
		    start + size - 1 >= boot_memory[i].start)
			return false;
	return boot_memory;
}

/* Before anybody can add memory, of which memblock knows as well. */
static int __init remember_boot_memory(void)
{
	struct memblock_region *region;
	struct range *range;

	boot_memory = kcalloc(memblock.memory.cnt, sizeof(*boot_memory), GFP_KERNEL);
	if (!boot_memory)
		return -ENOMEM;		/* no memory can be removed */

	/* What has no linear map is in the memmap of its neighbours. */
	for_each_mem_region(region) {
		range = &boot_memory[nr_boot_memory++];
		range->start = region->base;
		range->end = region->base + region->size - 1;
	}
	return 0;
}
early_initcall(remember_boot_memory);
