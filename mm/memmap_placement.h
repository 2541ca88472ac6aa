/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MM_MEMMAP_PLACEMENT_H
#define _MM_MEMMAP_PLACEMENT_H

#include <linux/list.h>
#include <linux/memmap_placement.h>
#include <linux/memory_hotplug.h>
#include <linux/memremap.h>

/**
 * struct memmap_geometry - the sizes that a layout follows from
 * @page_size: in bytes
 * @struct_size: bytes of memmap for each page
 * @block_pages: pages in a memory block
 * @pageblock_pages: pages in a pageblock; divides @block_pages
 *
 * The kernel has one geometry; its test has as many as it likes.
 */
struct memmap_geometry {
	unsigned long page_size;
	unsigned long struct_size;
	unsigned long block_pages;
	unsigned long pageblock_pages;
};

/**
 * struct memmap_layout - how many pages of a run host memmap
 * @used: pages that the memmap of the run takes
 * @hosting: pages at the start of the run that are not for use: @used, and what
 *	is lost for the sake of whole pageblocks
 */
struct memmap_layout {
	unsigned long used;
	unsigned long hosting;
};

const char *memmap_layout(const struct memmap_geometry *geometry,
			  enum memmap_place place, bool pad,
			  unsigned long nr_blocks, struct memmap_layout *layout);

/**
 * struct memmap_placement - memmap that lies on the memory it describes
 * @altmap: the run of pages at the start that hosts the memmap of the range
 * @place: how the memory was divided into such ranges; not %MEMMAP_SYSTEM
 * @block_pages: pages in a memory block
 * @nr_hosts: memory blocks at the start that host memmap, the last one maybe of
 *	less than all of its pages
 * @hosts_online: how many of them are online; always the first ones
 * @users_online: how many of the other memory blocks are online
 * @list: place in the list of all
 *
 * One for each memory block with %MEMMAP_PER_BLOCK. It stays as it is until the
 * range is removed; the counts change with mem_hotplug_lock in write mode.
 */
struct memmap_placement {
	struct vmem_altmap altmap;
	enum memmap_place place;
	unsigned long block_pages;
	unsigned long nr_hosts;
	unsigned long hosts_online;
	unsigned long users_online;
	struct list_head list;
};

void memmap_placement_init(struct memmap_placement *placement,
			   const struct memmap_layout *layout);

#ifdef CONFIG_MHP_MEMMAP_ON_MEMORY
enum memmap_place memmap_placement_choose(u64 start, u64 size, mhp_t mhp_flags);
struct memmap_placement *memmap_placement_create(enum memmap_place place,
						 u64 start, u64 size,
						 mhp_t mhp_flags);
void memmap_placement_destroy(struct memmap_placement *placement);
bool memmap_placement_within(const struct memmap_placement *placement,
			     unsigned long start_pfn, unsigned long end_pfn);
#else
static inline enum memmap_place
memmap_placement_choose(u64 start, u64 size, mhp_t mhp_flags)
{
	return MEMMAP_SYSTEM;
}

static inline struct memmap_placement *
memmap_placement_create(enum memmap_place place, u64 start, u64 size,
			mhp_t mhp_flags)
{
	return NULL;
}

static inline void memmap_placement_destroy(struct memmap_placement *placement)
{
}

static inline bool
memmap_placement_within(const struct memmap_placement *placement,
			unsigned long start_pfn, unsigned long end_pfn)
{
	return true;
}
#endif

#endif /* _MM_MEMMAP_PLACEMENT_H */
