// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the memmap of added memory lies
 *
 * The struct pages of memory that is added need memory. A placement says which,
 * and is the one to ask about it: it is chosen when memory is added, its altmap
 * is what the architecture takes the memmap from, and it counts which memory
 * blocks are online, because memory that holds the struct pages of other memory
 * has to be online as long as that is.
 *
 * See Documentation/mm/memmap_placement.rst.
 */
#define pr_fmt(fmt) "memory_hotplug: " fmt

#include <linux/err.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/memory.h>
#include <linux/mhp_debugfs.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/pageblock-flags.h>
#include <linux/pfn.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "memmap_placement.h"

/* ---- layout ---- */

/**
 * memmap_layout() - lay out the memmap of a range on the range itself
 * @geometry: sizes of pages, struct pages and blocks
 * @place: %MEMMAP_PER_BLOCK or %MEMMAP_LEADING
 * @pad: with %MEMMAP_PER_BLOCK, waste pages to fill pageblocks; %MEMMAP_LEADING
 *	always does, once for the whole range
 * @nr_blocks: memory blocks in the range
 * @layout: the result, of one memory block with %MEMMAP_PER_BLOCK, of the range
 *	with %MEMMAP_LEADING
 *
 * Pages for use begin at a pageblock, as it is pageblocks that are movable or not,
 * and that are isolated.
 *
 * Return: %NULL, or why it cannot be done, and @layout is not valid.
 */
const char *memmap_layout(const struct memmap_geometry *geometry,
			  enum memmap_place place, bool pad,
			  unsigned long nr_blocks, struct memmap_layout *layout)
{
	const bool leading = place == MEMMAP_LEADING;
	const unsigned long block_bytes = geometry->block_pages *
					  geometry->struct_size;
	const unsigned long nr_pages = geometry->block_pages *
				       (leading ? nr_blocks : 1);

	/* Neighbours would share a page, but do not go together. */
	if (block_bytes % geometry->page_size)
		return "struct pages of a memory block take no whole pages";

	layout->used = block_bytes / geometry->page_size *
		       (leading ? nr_blocks : 1);
	layout->hosting = roundup(layout->used, geometry->pageblock_pages);

	if (!leading && !pad && layout->hosting != layout->used)
		return "struct pages of a memory block take no whole pageblocks";
	if (layout->hosting >= nr_pages)
		return "nothing would be left for use";
	/* What costs more than a sixteenth is no bargain compared with 1/64. */
	if (leading && layout->hosting - layout->used > nr_pages / 16)
		return "filling a pageblock would waste more than 1/16 of it";
	return NULL;
}

static struct memmap_geometry kernel_geometry(void)
{
	return (struct memmap_geometry) {
		.page_size = PAGE_SIZE,
		.struct_size = sizeof(struct page),
		.block_pages = PHYS_PFN(memory_block_size_bytes()),
		.pageblock_pages = pageblock_nr_pages,
	};
}

/* ---- choice ---- */

enum {
	MEMMAP_ON_MEMORY_DISABLE,
	MEMMAP_ON_MEMORY_ENABLE,
	MEMMAP_ON_MEMORY_FORCE,
	MEMMAP_ON_MEMORY_LEADING,
};

static int memmap_mode __read_mostly = MEMMAP_ON_MEMORY_DISABLE;

#ifndef arch_supports_memmap_on_memory
/* @vmemmap_size: bytes for a memory block. Base pages map what fills no huge page. */
static inline bool arch_supports_memmap_on_memory(unsigned long vmemmap_size)
{
	return true;
}
#endif

/* Why memory blocks cannot host their memmap in that way, or %NULL if they can. */
static const char *place_refused(enum memmap_place place,
				 unsigned long nr_blocks,
				 struct memmap_layout *layout)
{
	const struct memmap_geometry geometry = kernel_geometry();
	const char *why;

	why = memmap_layout(&geometry, place,
			    memmap_mode == MEMMAP_ON_MEMORY_FORCE, nr_blocks,
			    layout);
	if (!why && !arch_supports_memmap_on_memory(geometry.block_pages *
						    geometry.struct_size))
		why = "the MMU cannot map struct pages there";
	return why;
}

static enum memmap_place place_wanted(mhp_t mhp_flags)
{
	if (!(mhp_flags & MHP_MEMMAP_ON_MEMORY) ||
	    memmap_mode == MEMMAP_ON_MEMORY_DISABLE)
		return MEMMAP_SYSTEM;
	if (mhp_flags & MHP_MEMMAP_LEADING ||
	    memmap_mode == MEMMAP_ON_MEMORY_LEADING)
		return MEMMAP_LEADING;
	return MEMMAP_PER_BLOCK;
}

/**
 * mhp_supports_memmap_on_memory() - may added memory host its memmap?
 * @leading: at the start of the range, if the parameter does not say so anyway
 *
 * Return: true if it may, provided that the range is not too small to do so at
 * its start.
 */
bool mhp_supports_memmap_on_memory(bool leading)
{
	const enum memmap_place place =
		place_wanted(MHP_MEMMAP_ON_MEMORY |
			     (leading ? MHP_MEMMAP_LEADING : MHP_NONE));
	const unsigned long pageblocks = PHYS_PFN(memory_block_size_bytes()) /
					 pageblock_nr_pages;
	struct memmap_layout layout;

	/* A pageblock is no waste in more than 16 of them. */
	return place != MEMMAP_SYSTEM &&
	       !place_refused(place, 16 / pageblocks + 1, &layout);
}
EXPORT_SYMBOL_GPL(mhp_supports_memmap_on_memory);

static const char * const place_names[] = {
	[MEMMAP_SYSTEM] = "system",
	[MEMMAP_PER_BLOCK] = "per_block",
	[MEMMAP_LEADING] = "leading",
};

/**
 * memmap_place_name() - what user space knows a place as
 * @place: the place
 *
 * Return: a string.
 */
const char *memmap_place_name(enum memmap_place place)
{
	return place_names[place];
}

/**
 * memmap_placement_choose() - where shall the memmap of a range go?
 * @start: first byte, of a memory block
 * @size: bytes, of whole memory blocks
 * @mhp_flags: what the one who adds the memory would like
 *
 * What is not possible falls back to what is, and that is logged.
 *
 * Return: the place.
 */
enum memmap_place memmap_placement_choose(u64 start, u64 size, mhp_t mhp_flags)
{
	const enum memmap_place wanted = place_wanted(mhp_flags);
	const unsigned long nr_blocks = size / memory_block_size_bytes();
	enum memmap_place place = wanted;
	const char *why = NULL, *reason = NULL;
	struct memmap_layout layout;

	for (; place != MEMMAP_SYSTEM; place--) {
		why = place_refused(place, nr_blocks, &layout);
		if (!why)
			break;
		/* The reason that counts is why it is not what was asked for. */
		if (!reason)
			reason = why;
	}
	if (place != wanted)
		pr_info_ratelimited("placement of the memmap of [%#llx-%#llx] is %s, not %s: %s\n",
				    start, start + size - 1,
				    memmap_place_name(place),
				    memmap_place_name(wanted), reason);
	return place;
}

/* ---- placements ---- */

/* All of them, for debugfs. */
static LIST_HEAD(placements);

/**
 * memmap_placement_init() - begin to count
 * @placement: has altmap, place and block_pages
 * @layout: the layout of its range
 */
void memmap_placement_init(struct memmap_placement *placement,
			   const struct memmap_layout *layout)
{
	placement->altmap.free = layout->hosting;
	placement->nr_hosts = DIV_ROUND_UP(layout->hosting,
					   placement->block_pages);
	placement->hosts_online = 0;
	placement->users_online = 0;
}

/**
 * memmap_placement_create() - set aside pages of a range for its memmap
 * @place: from memmap_placement_choose(), %MEMMAP_PER_BLOCK or %MEMMAP_LEADING
 * @start: first byte
 * @size: bytes, one memory block with %MEMMAP_PER_BLOCK
 * @mhp_flags: flags that the memory is added with
 *
 * Context: mem_hotplug_lock in write mode. May sleep.
 * Return: the placement, or an ERR_PTR().
 */
struct memmap_placement *memmap_placement_create(enum memmap_place place,
						 u64 start, u64 size,
						 mhp_t mhp_flags)
{
	const unsigned long block_size = memory_block_size_bytes();
	struct memmap_placement *placement, template = {
		.altmap = {
			.base_pfn = PHYS_PFN(start),
			.end_pfn = PHYS_PFN(start + size) - 1,
			.inaccessible = mhp_flags & MHP_OFFLINE_INACCESSIBLE,
		},
		.place = place,
		.block_pages = PHYS_PFN(block_size),
	};
	struct memmap_layout layout;

	if (WARN_ON_ONCE(place_refused(place, size / block_size, &layout)))
		return ERR_PTR(-EINVAL);
	memmap_placement_init(&template, &layout);

	placement = kmemdup(&template, sizeof(template), GFP_KERNEL);
	if (!placement)
		return ERR_PTR(-ENOMEM);
	list_add_tail(&placement->list, &placements);
	return placement;
}

/**
 * memmap_placement_destroy() - the memory of a placement has been removed
 * @placement: the placement, or %NULL
 *
 * Context: mem_hotplug_lock in write mode, after arch_remove_memory(), and no
 * memory block refers to it any more.
 */
void memmap_placement_destroy(struct memmap_placement *placement)
{
	if (!placement)
		return;
	WARN(placement->altmap.alloc, "Altmap not fully unmapped");
	WARN_ON_ONCE(placement->hosts_online || placement->users_online);
	list_del(&placement->list);
	kfree(placement);
}

/**
 * memmap_placement_of() - where is the memmap of a memory block?
 * @placement: the placement of the memory block, or %NULL
 *
 * Return: the place.
 */
enum memmap_place memmap_placement_of(const struct memmap_placement *placement)
{
	return placement ? placement->place : MEMMAP_SYSTEM;
}

/**
 * memmap_placement_altmap() - what to take memmap from, and to give it back to
 * @placement: the placement, or %NULL
 *
 * Return: the altmap, or %NULL.
 */
struct vmem_altmap *memmap_placement_altmap(struct memmap_placement *placement)
{
	return placement ? &placement->altmap : NULL;
}

/**
 * memmap_placement_end() - where does the range of a placement end?
 * @placement: the placement
 *
 * The memory of a placement is removed as a whole.
 *
 * Return: the page frame after the last.
 */
unsigned long memmap_placement_end(const struct memmap_placement *placement)
{
	return placement->altmap.end_pfn + 1;
}

/**
 * memmap_placement_within() - can memory be removed without what goes with it?
 * @placement: the placement of a memory block in the range, or %NULL
 * @start_pfn: first page frame of the range
 * @end_pfn: page frame after the last
 *
 * Return: true if the range has all of the memory of the placement.
 */
bool memmap_placement_within(const struct memmap_placement *placement,
			     unsigned long start_pfn, unsigned long end_pfn)
{
	return !placement || (start_pfn <= placement->altmap.base_pfn &&
			      end_pfn > placement->altmap.end_pfn);
}

/* The number of a memory block in the range of its placement */
static unsigned long block_index(const struct memmap_placement *placement,
				 unsigned long block_pfn)
{
	return (block_pfn - placement->altmap.base_pfn) /
	       placement->block_pages;
}

/**
 * memmap_placement_hosted() - how much of a memory block is memmap?
 * @placement: the placement of the memory block, or %NULL
 * @block_pfn: first page frame of the memory block
 *
 * Return: number of pages at the start of the memory block that are not for use,
 * whole pageblocks: none, some, or all.
 */
unsigned long memmap_placement_hosted(const struct memmap_placement *placement,
				      unsigned long block_pfn)
{
	unsigned long before;

	if (!placement)
		return 0;
	before = block_pfn - placement->altmap.base_pfn;
	return placement->altmap.free <= before ? 0 :
	       min(placement->altmap.free - before, placement->block_pages);
}

/**
 * memmap_placement_hosts() - what has to be online before a memory block?
 * @placement: the placement of the memory block, or %NULL
 * @block_pfn: first page frame of the memory block
 * @first_pfn: the first page frame of the first of these memory blocks
 *
 * Memory blocks that host memmap go online one after the other, as the later
 * ones have their struct pages in the earlier ones, and before all others.
 *
 * Return: the number of memory blocks from @first_pfn on that have to be online.
 */
unsigned long memmap_placement_hosts(const struct memmap_placement *placement,
				     unsigned long block_pfn,
				     unsigned long *first_pfn)
{
	if (!placement)
		return 0;
	*first_pfn = placement->altmap.base_pfn;
	return min(block_index(placement, block_pfn), placement->nr_hosts);
}

/**
 * memmap_placement_dependents() - what has to be offline before a memory block?
 * @placement: the placement of the memory block, or %NULL
 * @block_pfn: first page frame of the memory block, which is online
 *
 * Context: mem_hotplug_lock, or device_hotplug_lock.
 * Return: the number of memory blocks that are online and need this one.
 */
unsigned long
memmap_placement_dependents(const struct memmap_placement *placement,
			    unsigned long block_pfn)
{
	unsigned long index;

	if (!placement)
		return 0;
	index = block_index(placement, block_pfn);
	if (index >= placement->nr_hosts)
		return 0;
	return placement->hosts_online - index - 1 + placement->users_online;
}

/**
 * memmap_placement_idle_host() - is a memory block online for others that are not?
 * @placement: the placement, or %NULL
 * @block_pfn: set to the first page frame of that memory block
 *
 * That is one of nothing but memmap, and next to go offline.
 *
 * Context: mem_hotplug_lock, or device_hotplug_lock.
 * Return: true if there is one.
 */
bool memmap_placement_idle_host(const struct memmap_placement *placement,
				unsigned long *block_pfn)
{
	if (!placement || placement->users_online || !placement->hosts_online)
		return false;
	*block_pfn = placement->altmap.base_pfn +
		     (placement->hosts_online - 1) * placement->block_pages;
	return memmap_placement_hosted(placement, *block_pfn) ==
	       placement->block_pages;
}

/**
 * memmap_placement_onlined() - a memory block has gone online
 * @placement: the placement of the memory block, or %NULL
 * @block_pfn: its first page frame
 *
 * Context: mem_hotplug_lock in write mode.
 */
void memmap_placement_onlined(struct memmap_placement *placement,
			      unsigned long block_pfn)
{
	unsigned long index;

	if (!placement)
		return;
	index = block_index(placement, block_pfn);
	if (index >= placement->nr_hosts) {
		WARN_ON_ONCE(placement->hosts_online != placement->nr_hosts);
		placement->users_online++;
	} else {
		WARN_ON_ONCE(placement->hosts_online != index);
		placement->hosts_online++;
	}
}

/**
 * memmap_placement_offlined() - a memory block has gone offline
 * @placement: the placement of the memory block, or %NULL
 * @block_pfn: its first page frame
 *
 * Context: mem_hotplug_lock in write mode.
 */
void memmap_placement_offlined(struct memmap_placement *placement,
			       unsigned long block_pfn)
{
	if (!placement)
		return;
	if (block_index(placement, block_pfn) >= placement->nr_hosts) {
		WARN_ON_ONCE(!placement->users_online);
		placement->users_online--;
	} else {
		WARN_ON_ONCE(memmap_placement_dependents(placement, block_pfn));
		placement->hosts_online--;
	}
}

/* ---- memory_hotplug.memmap_on_memory ---- */

static int memmap_mode_set(const char *val, const struct kernel_param *kp)
{
	struct memmap_layout layout;
	bool enabled;
	int ret;

	if (sysfs_streq(val, "leading")) {
		memmap_mode = MEMMAP_ON_MEMORY_LEADING;
	} else if (sysfs_streq(val, "force") || sysfs_streq(val, "FORCE")) {
		memmap_mode = MEMMAP_ON_MEMORY_FORCE;
		if (!place_refused(MEMMAP_PER_BLOCK, 1, &layout))
			pr_info("Memory hotplug will waste %lu pages in each memory block\n",
				layout.hosting - layout.used);
	} else {
		ret = kstrtobool(val, &enabled);
		if (ret < 0)
			return ret;
		memmap_mode = enabled ? MEMMAP_ON_MEMORY_ENABLE :
					MEMMAP_ON_MEMORY_DISABLE;
	}
	return 0;
}

static int memmap_mode_get(char *buffer, const struct kernel_param *kp)
{
	static const char * const names[] = {
		[MEMMAP_ON_MEMORY_DISABLE] = "N",
		[MEMMAP_ON_MEMORY_ENABLE] = "Y",
		[MEMMAP_ON_MEMORY_FORCE] = "force",
		[MEMMAP_ON_MEMORY_LEADING] = "leading",
	};

	return sysfs_emit(buffer, "%s\n", names[memmap_mode]);
}

static const struct kernel_param_ops memmap_mode_ops = {
	.set = memmap_mode_set,
	.get = memmap_mode_get,
};

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "memory_hotplug."

module_param_cb(memmap_on_memory, &memmap_mode_ops, NULL, 0444);
MODULE_PARM_DESC(memmap_on_memory, "Place the memmap of hot-added memory on that memory: in each memory block (Y), also if that wastes memory (force), or at the start of the whole range (leading)");

/* ---- debugfs ---- */

static int placements_show(struct seq_file *m, void *unused)
{
	const struct memmap_placement *placement;

	get_online_mems();
	list_for_each_entry(placement, &placements, list)
		seq_printf(m, "%#llx-%#llx %s pages %lu used %lu hosts %lu/%lu others %lu\n",
			   (u64)PFN_PHYS(placement->altmap.base_pfn),
			   (u64)PFN_PHYS(placement->altmap.end_pfn + 1) - 1,
			   memmap_place_name(placement->place),
			   placement->altmap.free, placement->altmap.alloc,
			   placement->hosts_online, placement->nr_hosts,
			   placement->users_online);
	put_online_mems();
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(placements);

static int __init memmap_placement_debugfs_init(void)
{
	mhp_debugfs_create("placements", &placements_fops);
	return 0;
}
late_initcall(memmap_placement_debugfs_init);
