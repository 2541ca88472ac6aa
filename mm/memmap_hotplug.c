// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memmap of memory that is added while the system runs: online RAM and device memory
 *
 * Each struct page is written once, and is as its users want it then. Within a pageblock
 * or a compound page of device memory, they are the same but for the list that a struct
 * page is the head of, so all but the first ones are copies, made of whole words.
 */
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/kconfig.h>
#include <linux/memory_hotplug.h>
#include <linux/memremap.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/moduleparam.h>
#include <linux/nodemask.h>
#include <linux/numa.h>
#include <linux/padata.h>
#include <linux/page-isolation.h>
#include <linux/pageblock-flags.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "internal.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "memory_hotplug."

/* How many CPUs write the struct pages of one range at most; 0: those of the node */
static unsigned int memmap_cpus;
module_param(memmap_cpus, uint, 0644);
MODULE_PARM_DESC(memmap_cpus, "CPUs that write the memmap of hot-added memory at most");

/*
 * Memory (MiB) that each of them has at least. The struct pages of 128 MiB are 2 MiB, and
 * written in some hundred microseconds; it may take ten until another CPU helps, or, if it
 * is a virtual one, a hundred.
 */
static unsigned int memmap_share = 128;
module_param(memmap_share, uint, 0644);
MODULE_PARM_DESC(memmap_share, "MiB of hot-added memory that each of them has at least");

/* What several CPUs write: struct pages of a range */
struct memmap {
	unsigned long start_pfn;
	unsigned long end_pfn;
	struct zone *zone;
	/* RAM, which may be there for struct pages itself */
	enum meminit_context context;
	bool hosting;
	/* Device memory */
	struct dev_pagemap *pgmap;
	struct vmem_altmap *altmap;
	unsigned int shared_shift;
};

/* The node whose CPUs write struct pages of a zone */
static int writing_node(struct zone *zone)
{
	const int nid = zone_to_nid(zone);

	return IS_ENABLED(CONFIG_NUMA) ? numa_nearest_node(nid, N_CPU) : nid;
}

static unsigned int cpus_of(int nid)
{
	const unsigned int most = READ_ONCE(memmap_cpus);
	const unsigned int n = padata_cpus_of_node(nid);

	return max(most ? min(n, most) : n, 1);
}

static unsigned long share_pages(void)
{
	return READ_ONCE(memmap_share) * (SZ_1M / PAGE_SIZE);
}

/**
 * memmap_write_ahead() - how many struct pages are worth writing in one go
 * @zone: has the pages
 *
 * Return: so many pages that several CPUs are busy for long, compared to what it takes to
 * wake them up, but no longer than others may wait for mem_hotplug_lock: 32 shares each,
 * whose struct pages are written in some 20 ms by default; 0 if there is one CPU.
 */
unsigned long memmap_write_ahead(struct zone *zone)
{
	const unsigned int nr_cpus = cpus_of(writing_node(zone));

	return nr_cpus == 1 ? 0 : 32 * nr_cpus * share_pages();
}

/*
 * write_memmap() - have this CPU and those of its node write a memmap
 * @memmap: which
 * @write: writes the struct pages of the pages from @start to @end of those in @memmap
 * @align: parts start at multiples of this, in pages
 *
 * Whoever waits has mem_hotplug_lock or is about to have memory, and cannot go on before.
 */
static void write_memmap(struct memmap *memmap,
			 void (*write)(unsigned long start, unsigned long end, void *memmap),
			 unsigned long align)
{
	const unsigned long nr_pages = memmap->end_pfn - memmap->start_pfn;
	const unsigned long share = max(share_pages(), align);
	const int nid = writing_node(memmap->zone);
	const unsigned int nr_cpus = cpus_of(nid);
	struct padata_mt_job job;

	if (nr_cpus == 1 || nr_pages / share < 2) {
		write(0, nr_pages, memmap);
		return;
	}

	job = (struct padata_mt_job) {
		.thread_fn = write,
		.fn_arg = memmap,
		.size = nr_pages,
		.align = align,
		.min_chunk = share,
		.max_threads = nr_cpus,
		.one_node = true,
		.nid = nid,
	};
	padata_do_multithreaded(&job);
}

/*
 * Whether copies will do: not if struct pages tell where they are, nor if somebody wants
 * to see each access, nor if they are larger than usual.
 */
static bool copies_will_do(void)
{
#if defined(SECTION_IN_PAGE_FLAGS) || defined(WANT_PAGE_VIRTUAL) || \
	defined(LAST_CPUPID_NOT_IN_PAGE_FLAGS)
	return false;
#else
	return !IS_ENABLED(CONFIG_KASAN) && !IS_ENABLED(CONFIG_KMSAN) &&
	       !IS_ENABLED(CONFIG_DEBUG_PAGE_REF) &&
	       (sizeof(struct page) == 56 || sizeof(struct page) == 64);
#endif
}

/*
 * copy() - have struct pages like another one
 * @page: the first of them
 * @nr_pages: how many there are
 * @template: what they are to be like
 * @lists: each is the head of an empty list
 */
static __always_inline void copy(struct page *page, unsigned long nr_pages,
				 const struct page *template, bool lists)
{
	const unsigned long *from = (const unsigned long *)template;
	/* Words that stay in registers */
	const unsigned long w0 = from[0], w1 = from[1], w2 = from[2], w3 = from[3],
			    w4 = from[4], w5 = from[5], w6 = from[6],
			    w7 = sizeof(*page) > 56 ? from[7] : 0;

	BUILD_BUG_ON(offsetof(struct page, lru) != sizeof(unsigned long));
	for (; nr_pages; nr_pages--, page++) {
		unsigned long *to = (unsigned long *)page;

		to[0] = w0;
		to[1] = lists ? (unsigned long)&page->lru : w1;
		to[2] = lists ? (unsigned long)&page->lru : w2;
		to[3] = w3;
		to[4] = w4;
		to[5] = w5;
		to[6] = w6;
		if (sizeof(*page) > 56)
			to[7] = w7;
	}
}

static void init_ram_page(struct page *page, unsigned long pfn, const struct memmap *memmap)
{
	struct zone *zone = memmap->zone;

	__init_single_page(page, pfn, zone_idx(zone), zone_to_nid(zone));
	if (memmap->hosting) {
		__SetPageReserved(page);
		SetPageVmemmapSelfHosted(page);
	} else if (memmap->context == MEMINIT_HOTPLUG_FREE) {
		set_page_count(page, 0);
	} else if (zone_is_zone_device(zone)) {
		__SetPageReserved(page);
	} else {
		__SetPageOffline(page);
	}
}

static void write_ram_pages(unsigned long start, unsigned long end, void *arg)
{
	const struct memmap *memmap = arg;
	const unsigned long end_pfn = memmap->start_pfn + end;
	unsigned long pfn, next;
	struct page *page;

	for (pfn = memmap->start_pfn + start; pfn < end_pfn; pfn = next) {
		next = min(end_pfn, pageblock_end_pfn(pfn));
		page = pfn_to_page(pfn);
		init_ram_page(page, pfn, memmap);
		if (copies_will_do())
			copy(page + 1, next - pfn - 1, page, true);
		else
			while (++pfn < next)
				init_ram_page(pfn_to_page(pfn), pfn, memmap);
		cond_resched();
	}
}

static void write_ram(struct zone *zone, unsigned long start_pfn, unsigned long nr_pages,
		      enum meminit_context context, bool hosting)
{
	struct memmap memmap = {
		.start_pfn = start_pfn,
		.end_pfn = start_pfn + nr_pages,
		.zone = zone,
		.context = context,
		.hosting = hosting,
	};

	highest_memmap_pfn = max(highest_memmap_pfn, memmap.end_pfn - 1);
	write_memmap(&memmap, write_ram_pages, pageblock_nr_pages);
}

/**
 * memmap_write_hotplug() - write the struct pages of RAM that was added
 * @zone: where it belongs, now or when it is online
 * @start_pfn: its first page
 * @nr_pages: how many there are
 * @context: %MEMINIT_HOTPLUG: the pages are PageOffline (those of ZONE_DEVICE reserved)
 * and have one reference; %MEMINIT_HOTPLUG_FREE: they are as __free_pages_core() wants
 * them
 *
 * Context: may sleep; the pages are online nowhere, and mem_hotplug_lock is held.
 */
void memmap_write_hotplug(struct zone *zone, unsigned long start_pfn, unsigned long nr_pages,
			  enum meminit_context context)
{
	write_ram(zone, start_pfn, nr_pages, context, false);
}

/*
 * init_section_pageblocks() - set_pageblock_migratetype() for a whole section
 *
 * Nobody else has to do with its pageblocks, and compaction did not skip one yet.
 */
static void init_section_pageblocks(struct mem_section *section, int migratetype)
{
	/* The lowest bit of each pageblock */
	const unsigned long lowest = ~0UL / ((1UL << NR_PAGEBLOCK_BITS) - 1);
	unsigned long *word = section->usage->pageblock_flags;
	unsigned int i;

	if (page_group_by_mobility_disabled && migratetype < MIGRATE_PCPTYPES)
		migratetype = MIGRATE_UNMOVABLE;
	for (i = 0; i < BITS_TO_LONGS(SECTION_BLOCKFLAGS_BITS); i++)
		word[i] = lowest * migratetype;
}

/**
 * memmap_init_pageblocks() - set the migratetype of pages that become part of a zone
 * @start_pfn: the first one; its struct page and those of the others are written
 * @nr_pages: how many there are
 * @migratetype: of the pageblocks
 *
 * Context: may sleep; the zone spans the pages.
 */
void memmap_init_pageblocks(unsigned long start_pfn, unsigned long nr_pages, int migratetype)
{
	const unsigned long end_pfn = start_pfn + nr_pages;
	unsigned long pfn, next;

	for (pfn = pageblock_align(start_pfn); pfn < end_pfn; pfn = next) {
		next = pfn + PAGES_PER_SECTION;
		if (IS_ALIGNED(pfn, PAGES_PER_SECTION) && next <= end_pfn) {
			init_section_pageblocks(__pfn_to_section(pfn), migratetype);
			cond_resched();
		} else {
			next = pfn + pageblock_nr_pages;
			set_pageblock_migratetype(pfn_to_page(pfn), migratetype);
		}
	}
}

/**
 * memmap_init_hotplug() - initialize the memmap of memory that was added
 * @zone: has it
 * @start_pfn: its first page
 * @nr_pages: how many there are
 * @altmap: of device memory, which memmap_init_zone_device() does the rest of; or NULL
 * @context: see memmap_write_hotplug()
 * @migratetype: of the pageblocks
 *
 * Context: see memmap_write_hotplug().
 */
void memmap_init_hotplug(struct zone *zone, unsigned long start_pfn, unsigned long nr_pages,
			 struct vmem_altmap *altmap, enum meminit_context context,
			 int migratetype)
{
	unsigned long end_pfn = start_pfn + nr_pages;

	if (zone_is_zone_device(zone)) {
		highest_memmap_pfn = max(highest_memmap_pfn, end_pfn - 1);
		if (!altmap)
			return;
		if (start_pfn == altmap->base_pfn)
			start_pfn += altmap->reserve;
		end_pfn = altmap->base_pfn + vmem_altmap_offset(altmap);
		if (start_pfn >= end_pfn)
			return;
	}
	memmap_write_hotplug(zone, start_pfn, end_pfn - start_pfn, context);
	memmap_init_pageblocks(start_pfn, end_pfn - start_pfn, migratetype);
}

/**
 * memmap_init_hosting() - initialize the memmap of RAM that holds a memmap itself
 * @zone: has it
 * @start_pfn: its first page
 * @nr_pages: how many there are; whole pageblocks
 *
 * The pages are reserved and PageVmemmapSelfHosted.
 *
 * Context: see memmap_write_hotplug(); the zone spans the pages.
 */
void memmap_init_hosting(struct zone *zone, unsigned long start_pfn, unsigned long nr_pages)
{
	write_ram(zone, start_pfn, nr_pages, MEMINIT_HOTPLUG, true);
	memmap_init_pageblocks(start_pfn, nr_pages, MIGRATE_UNMOVABLE);
}

#ifdef CONFIG_ZONE_DEVICE
static void init_device_page(struct page *page, unsigned long pfn, int nid,
			     struct dev_pagemap *pgmap)
{
	__init_single_page(page, pfn, ZONE_DEVICE, nid);

	/* Who knows nothing of device memory leaves such pages alone. */
	__SetPageReserved(page);

	/*
	 * What others use for lists is that of the driver here. It is a bug if such a page
	 * is ever freed or put on a list.
	 */
	page->pgmap = pgmap;
	page->zone_device_data = NULL;

	/* The driver's own allocator gives these out, and counts from 1 then. */
	if (pgmap->type == MEMORY_DEVICE_PRIVATE || pgmap->type == MEMORY_DEVICE_COHERENT)
		set_page_count(page, 0);
}

static void init_device_pages(unsigned long pfn, unsigned long end_pfn, int nid,
			      struct dev_pagemap *pgmap)
{
	struct page *first = pfn_to_page(pfn);
	unsigned long next;

	init_device_page(first, pfn, nid, pgmap);
	for (pfn++; pfn < end_pfn; pfn = next) {
		next = min(end_pfn, pageblock_end_pfn(pfn));
		if (copies_will_do())
			copy(pfn_to_page(pfn), next - pfn, first, false);
		else
			for (; pfn < next; pfn++)
				init_device_page(pfn_to_page(pfn), pfn, nid, pgmap);
		cond_resched();
	}
}

static void init_tail(struct page *head, unsigned long n, unsigned long head_pfn, int nid,
		      struct dev_pagemap *pgmap)
{
	struct page *tail = pfn_to_page(head_pfn + n);

	init_device_page(tail, head_pfn + n, nid, pgmap);
	prep_compound_tail(head, n);
	set_page_count(tail, 0);
}

static void init_compound(unsigned long head_pfn, unsigned long nr_pages, int nid,
			  struct dev_pagemap *pgmap)
{
	struct page *head = pfn_to_page(head_pfn), tail;
	unsigned long n;

	init_device_page(head, head_pfn, nid, pgmap);
	__SetPageHead(head);
	if (nr_pages < 2)
		return;
	init_tail(head, 1, head_pfn, nid, pgmap);
	/* What the compound page is, is in its first tail, but not in the others. */
	tail = head[1];
	prep_compound_head(head, pgmap->vmemmap_shift);
	if (copies_will_do())
		copy(head + 2, nr_pages - 2, &tail, false);
	else
		for (n = 2; n < nr_pages; n++)
			init_tail(head, n, head_pfn, nid, pgmap);
}

/*
 * With compound pages whose struct pages are in RAM, most tails are one and the same, see
 * vmemmap_populate_compound_pages(). The first ones are different, and are to be written;
 * all are where the memmap is that of boot memory, which is not shared.
 */
static unsigned long struct_pages_of_compound(const struct memmap *memmap,
					      unsigned long pfn)
{
	if (early_section(__pfn_to_section(pfn)) ||
	    !vmemmap_can_optimize(memmap->altmap, memmap->shared_shift))
		return min(pgmap_vmemmap_nr(memmap->pgmap), memmap->end_pfn - pfn);
	return VMEMMAP_RESERVE_NR * (PAGE_SIZE / sizeof(struct page));
}

static void write_device_pages(unsigned long start, unsigned long end, void *arg)
{
	const struct memmap *memmap = arg;
	const unsigned long start_pfn = memmap->start_pfn + start;
	const unsigned long end_pfn = memmap->start_pfn + end;
	const unsigned long step = pgmap_vmemmap_nr(memmap->pgmap);
	const int nid = zone_to_nid(memmap->zone);
	unsigned long pfn;

	if (step == 1)
		init_device_pages(start_pfn, end_pfn, nid, memmap->pgmap);
	else
		for (pfn = start_pfn; pfn < end_pfn; pfn += step) {
			init_compound(pfn, struct_pages_of_compound(memmap, pfn), nid,
				      memmap->pgmap);
			cond_resched();
		}
}

/**
 * memmap_init_zone_device() - write the memmap of device memory
 * @zone: ZONE_DEVICE of its node
 * @start_pfn: its first page
 * @nr_pages: how many there are
 * @pgmap: whose it is
 *
 * What is on the device itself, in the altmap of @pgmap, was written before, by
 * memmap_init_hotplug().
 *
 * Context: may sleep.
 */
void memmap_init_zone_device(struct zone *zone, unsigned long start_pfn,
			     unsigned long nr_pages, struct dev_pagemap *pgmap)
{
	struct memmap memmap = {
		.start_pfn = start_pfn,
		.end_pfn = start_pfn + nr_pages,
		.zone = zone,
		.pgmap = pgmap,
		.altmap = pgmap_altmap(pgmap),
		.shared_shift = pgmap_shared_vmemmap_shift(pgmap, start_pfn, nr_pages),
	};

	if (WARN_ON_ONCE(!zone_is_zone_device(zone)))
		return;

	if (memmap.altmap)
		memmap.start_pfn = memmap.altmap->base_pfn +
				   vmem_altmap_offset(memmap.altmap);
	if (memmap.start_pfn >= memmap.end_pfn)
		return;
	write_memmap(&memmap, write_device_pages,
		     max(pgmap_vmemmap_nr(pgmap), pageblock_nr_pages));
	memmap_init_pageblocks(memmap.start_pfn, memmap.end_pfn - memmap.start_pfn,
			       MIGRATE_MOVABLE);
}
#endif
