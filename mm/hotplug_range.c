// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is done once for all the memory blocks of a range
 *
 * Memory comes and goes by memory blocks, but often by many of them, one after the
 * other. What depends on how much memory there is, and has nothing to do with the one or
 * the other block, waits for the last one.
 *
 * One range lasts at a time: who begins it has device_hotplug_lock, which everybody needs
 * who brings a memory block online or takes it offline. Those who did without would write
 * struct pages of others (Documentation/core-api/memory-hotplug.rst).
 */
#include <linux/bug.h>
#include <linux/math.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/string.h>
#include <linux/swap.h>
#include <linux/writeback.h>

#include "hotplug_range.h"
#include "internal.h"
#include "shuffle.h"

/* Protected by device_hotplug_lock */
static struct {
	bool lasts;
	/* Pages go to LRU lists at once, until the end. */
	bool no_lru_cache;
	/* Reserves are up to date with so many managed pages in @zone. */
	struct zone *zone;
	unsigned long managed;
	bool stale;
	/* Some of its pages are not shuffled yet. */
	struct zone *unshuffled;
	/* Where it ends, if struct pages may be written before their block comes online. */
	unsigned long end_pfn;
	/* Which of them are written already, for which zone, and up to where it was asked */
	struct {
		unsigned long start_pfn;
		unsigned long end_pfn;
		unsigned long asked_pfn;
		struct zone *zone;
		enum meminit_context context;
	} ahead;
} range;

static void update_reserves(void)
{
	init_per_zone_wmark_min();
	writeback_set_ratelimit();
}

/**
 * mhp_update_reserves() - have reserves fit the memory of a zone
 * @zone: has more memory now, or less
 *
 * These are watermarks, limits of pcplists and of writeback. Within a range they lag
 * behind, but not by more than an eighth of the zone: while memory goes offline, there
 * must be some that its pages can move to.
 */
void mhp_update_reserves(struct zone *zone)
{
	const unsigned long managed = zone_managed_pages(zone);

	if (range.lasts) {
		if (zone == range.zone &&
		    abs_diff(managed, range.managed) <= range.managed / 8) {
			range.stale = true;
			return;
		}
		range.zone = zone;
		range.managed = managed;
		range.stale = false;
	}
	update_reserves();
}

static bool is_written(struct zone *zone, unsigned long start_pfn, unsigned long nr_pages,
		       enum meminit_context context)
{
	return range.ahead.zone == zone && range.ahead.context == context &&
	       start_pfn >= range.ahead.start_pfn &&
	       start_pfn + nr_pages <= range.ahead.end_pfn;
}

/**
 * mhp_write_memmap() - write the struct pages of a memory block that comes online
 * @zone: has it now
 * @start_pfn: its first page that is to be used
 * @nr_pages: how many these are
 * @context: see memmap_write_hotplug()
 *
 * Within a range, those of blocks that follow are written as well, to keep several CPUs
 * busy. Nobody looks at them before they come online. If one turns out to belong to
 * another zone, it is written by itself, and no more are written ahead.
 *
 * Context: device_hotplug_lock, and mem_hotplug_lock in write mode.
 */
void mhp_write_memmap(struct zone *zone, unsigned long start_pfn, unsigned long nr_pages,
		      enum meminit_context context)
{
	unsigned long end_pfn = start_pfn + nr_pages;

	if (!range.lasts) {
		memmap_write_hotplug(zone, start_pfn, nr_pages, context);
		return;
	}
	if (!is_written(zone, start_pfn, nr_pages, context)) {
		const unsigned long ahead_pfn = min(range.end_pfn,
						    start_pfn + memmap_write_ahead(zone));

		if (range.ahead.zone &&
		    (range.ahead.zone != zone || range.ahead.context != context)) {
			range.end_pfn = 0;
		} else if (end_pfn < ahead_pfn) {
			end_pfn = ahead_pfn;
			range.ahead.start_pfn = start_pfn;
			range.ahead.end_pfn = end_pfn;
			range.ahead.zone = zone;
			range.ahead.context = context;
		}
		memmap_write_hotplug(zone, start_pfn, end_pfn - start_pfn, context);
	}
	range.ahead.asked_pfn = max(range.ahead.asked_pfn, start_pfn + nr_pages);
}

/**
 * mhp_shuffle() - shuffle the free pages of a zone, at the end of a range
 * @zone: some of its pages are new
 */
void mhp_shuffle(struct zone *zone)
{
	if (!range.lasts) {
		shuffle_zone(zone);
		return;
	}
	if (range.unshuffled && range.unshuffled != zone)
		shuffle_zone(range.unshuffled);
	range.unshuffled = zone;
}

/**
 * mhp_begin_offline() - have all free pages on the lists of a zone, and used ones on LRU
 * lists
 * @zone: some of its memory is to go offline
 */
void mhp_begin_offline(struct zone *zone)
{
	zone_pcp_disable(zone);
	if (!range.no_lru_cache)
		lru_cache_disable();
}

/**
 * mhp_end_offline() - end what mhp_begin_offline() began
 * @zone: the same
 */
void mhp_end_offline(struct zone *zone)
{
	if (!range.no_lru_cache)
		lru_cache_enable();
	zone_pcp_enable(zone);
}

/**
 * mhp_begin_online_range() - memory blocks come online, one after the other
 * @start_pfn: the first page
 * @nr_pages: of all of them
 * @write_ahead: whether their struct pages may be written before they come online
 *
 * Context: device_hotplug_lock until mhp_end_range(), without mem_hotplug_lock; may sleep.
 */
void mhp_begin_online_range(unsigned long start_pfn, unsigned long nr_pages,
			    bool write_ahead)
{
	WARN_ON_ONCE(range.lasts);
	range.lasts = true;
	if (write_ahead)
		range.end_pfn = start_pfn + nr_pages;
}

/**
 * mhp_begin_offline_range() - memory blocks go offline, one after the other, and come
 * online again if not all do
 *
 * Context: see mhp_begin_online_range().
 */
void mhp_begin_offline_range(void)
{
	lru_cache_disable();
	WARN_ON_ONCE(range.lasts);
	range.lasts = true;
	range.no_lru_cache = true;
}

/**
 * mhp_end_range() - they all did, or some failed
 *
 * Context: see mhp_begin_online_range().
 */
void mhp_end_range(void)
{
	mem_hotplug_begin();
	/* Those that are still offline have no use for what was written. */
	if (range.ahead.asked_pfn < range.ahead.end_pfn)
		poison_memmap(range.ahead.asked_pfn,
			      range.ahead.end_pfn - range.ahead.asked_pfn);
	if (range.stale)
		update_reserves();
	if (range.unshuffled)
		shuffle_zone(range.unshuffled);
	mem_hotplug_done();
	if (range.no_lru_cache)
		lru_cache_enable();
	memset(&range, 0, sizeof(range));
}
