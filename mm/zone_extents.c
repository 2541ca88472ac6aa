// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which page frames belong to a zone
 *
 * A zone's extents are the pfn ranges whose memmap is initialised and links to
 * that zone. The span of the zone, the span of its node and zone->contiguous
 * follow from them, so that memory hotplug need not look for the answer in
 * every pageblock's struct pages. Adjacent ranges merge: a zone of any size has
 * a handful of extents unless every other memory block is offline.
 *
 * Extents are changed under mem_hotplug_lock in write mode only, and may be
 * read under it in any mode. See Documentation/mm/zone_extents.rst.
 */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/memblock.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mmzone.h>
#include <linux/slab.h>

#include "internal.h"
#include "zone_extents.h"

static struct zone_extent *to_extent(struct rb_node *node)
{
	return rb_entry_safe(node, struct zone_extent, node);
}

/**
 * zone_extents_first() - the extent with the lowest page frames
 * @ze: the extents
 *
 * Context: nobody may change @ze meanwhile.
 * Return: the extent, or %NULL if there is none.
 */
struct zone_extent *zone_extents_first(const struct zone_extents *ze)
{
	return to_extent(rb_first(&ze->root));
}

/**
 * zone_extents_next() - the extent that follows another
 * @extent: an extent that is in a set
 *
 * Context: nobody may change the set meanwhile.
 * Return: the extent, or %NULL if @extent is the last.
 */
struct zone_extent *zone_extents_next(const struct zone_extent *extent)
{
	return to_extent(rb_next(&extent->node));
}

/* The lowest extent that ends at @pfn or above it. */
static struct zone_extent *find_end_from(const struct zone_extents *ze,
					 unsigned long pfn)
{
	struct rb_node *node = ze->root.rb_node;
	struct zone_extent *found = NULL;

	while (node) {
		struct zone_extent *extent = to_extent(node);

		if (extent->end_pfn >= pfn) {
			found = extent;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

static void link_extent(struct zone_extents *ze, struct zone_extent *extent)
{
	struct rb_node **link = &ze->root.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (extent->start_pfn < to_extent(parent)->start_pfn)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&extent->node, parent, link);
	rb_insert_color(&extent->node, &ze->root);
	ze->nr++;
}

static void put_spare(struct zone_extents *ze, struct zone_extent *extent)
{
	extent->next_spare = ze->spare;
	ze->spare = extent;
	ze->nr_spare++;
}

static struct zone_extent *take_spare(struct zone_extents *ze)
{
	struct zone_extent *extent = ze->spare;

	if (extent) {
		ze->spare = extent->next_spare;
		ze->nr_spare--;
	}
	return extent;
}

/* An extent that is no longer needed may be needed to undo this: keep it. */
static void unlink_extent(struct zone_extents *ze, struct zone_extent *extent)
{
	rb_erase(&extent->node, &ze->root);
	ze->nr--;
	put_spare(ze, extent);
}

/**
 * zone_extents_stock() - allocate spare extents
 * @ze: the extents
 * @nr_spare: number of spare extents to have in the end
 *
 * One spare extent is enough for one insertion or one removal.
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM; then some of the spare extents may be there.
 */
int zone_extents_stock(struct zone_extents *ze, unsigned long nr_spare)
{
	while (ze->nr_spare < nr_spare) {
		struct zone_extent *extent = kmalloc(sizeof(*extent), GFP_KERNEL);

		if (!extent)
			return -ENOMEM;
		put_spare(ze, extent);
	}
	return 0;
}

/*
 * Removing an arbitrary range may split an extent in two, which takes a spare
 * one. Ranges that were added as a whole and are removed as a whole can rely on
 * there being as many extents, used and spare, as such ranges: what is left of
 * n ranges when one has gone are at most n - 1 extents.
 */
static unsigned long nr_promised(const struct zone_extents *ze)
{
	return ze->nr_pinned > ze->nr ? ze->nr_pinned - ze->nr : 0;
}

/**
 * zone_extents_reserve() - allocate what one more change needs
 * @ze: the extents
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM.
 */
int zone_extents_reserve(struct zone_extents *ze)
{
	return zone_extents_stock(ze, nr_promised(ze) + 1);
}

/**
 * zone_extents_trim() - free spare extents that nobody needs
 * @ze: the extents
 *
 * One stays for the next change, so that offlining a memory block does not
 * begin with an allocation, possibly from that very block.
 */
void zone_extents_trim(struct zone_extents *ze)
{
	unsigned long keep = max(nr_promised(ze), 1UL);

	while (ze->nr_spare > keep)
		kfree(take_spare(ze));
}

/**
 * zone_extents_insert() - add a pfn range
 * @ze: the extents
 * @start_pfn: first page frame
 * @end_pfn: page frame after the last
 *
 * Merges with what it overlaps or touches. Never sleeps, never allocates.
 *
 * Return: 0, or -ENOMEM if the range needs an extent of its own and there is
 * no spare one; then nothing has changed.
 */
int zone_extents_insert(struct zone_extents *ze, unsigned long start_pfn,
			unsigned long end_pfn)
{
	struct zone_extent *extent, *next;

	if (start_pfn >= end_pfn)
		return 0;

	extent = find_end_from(ze, start_pfn);
	if (!extent || extent->start_pfn > end_pfn) {
		extent = take_spare(ze);
		if (!extent)
			return -ENOMEM;
		extent->start_pfn = start_pfn;
		extent->end_pfn = end_pfn;
		link_extent(ze, extent);
		return 0;
	}

	/* The order in the tree stays: nothing lies between the two starts. */
	extent->start_pfn = min(extent->start_pfn, start_pfn);
	while ((next = zone_extents_next(extent)) && next->start_pfn <= end_pfn) {
		end_pfn = max(end_pfn, next->end_pfn);
		unlink_extent(ze, next);
	}
	extent->end_pfn = max(extent->end_pfn, end_pfn);
	return 0;
}

/**
 * zone_extents_erase() - remove a pfn range
 * @ze: the extents
 * @start_pfn: first page frame
 * @end_pfn: page frame after the last
 *
 * Page frames of the range that are not in the set are no error. Never sleeps,
 * never allocates.
 *
 * Return: 0, or -ENOMEM if an extent has to be split and there is no spare
 * one; then nothing has changed.
 */
int zone_extents_erase(struct zone_extents *ze, unsigned long start_pfn,
		       unsigned long end_pfn)
{
	struct zone_extent *extent, *next, *upper;

	if (start_pfn >= end_pfn)
		return 0;

	/* An extent that ends just where the range starts stays as it is. */
	extent = find_end_from(ze, start_pfn + 1);

	if (extent && extent->start_pfn < start_pfn && extent->end_pfn > end_pfn) {
		upper = take_spare(ze);
		if (!upper)
			return -ENOMEM;
		upper->start_pfn = end_pfn;
		upper->end_pfn = extent->end_pfn;
		extent->end_pfn = start_pfn;
		link_extent(ze, upper);
		return 0;
	}

	for (; extent && extent->start_pfn < end_pfn; extent = next) {
		next = zone_extents_next(extent);
		if (extent->start_pfn < start_pfn)
			extent->end_pfn = start_pfn;
		else if (extent->end_pfn > end_pfn)
			extent->start_pfn = end_pfn;
		else
			unlink_extent(ze, extent);
	}
	return 0;
}

/**
 * zone_extents_destroy() - free all extents, used and spare
 * @ze: the extents; an empty set afterwards
 */
void zone_extents_destroy(struct zone_extents *ze)
{
	struct zone_extent *extent;

	while ((extent = zone_extents_first(ze)))
		unlink_extent(ze, extent);
	while ((extent = take_spare(ze)))
		kfree(extent);
	memset(ze, 0, sizeof(*ze));
}

/**
 * zone_extents_contain() - do all page frames of a range belong to the zone?
 * @ze: the extents
 * @start_pfn: first page frame
 * @end_pfn: page frame after the last; above @start_pfn
 *
 * Context: nobody may change @ze meanwhile.
 * Return: true if they all do.
 */
bool zone_extents_contain(const struct zone_extents *ze,
			  unsigned long start_pfn, unsigned long end_pfn)
{
	const struct zone_extent *extent = find_end_from(ze, end_pfn);

	return extent && extent->start_pfn <= start_pfn;
}

/**
 * zone_extents_span() - the span that a zone with these extents has
 * @ze: the extents
 * @start_pfn: where to store the first page frame of the span
 * @end_pfn: where to store the page frame after the last of the span
 *
 * From the first page frame of the zone to its last. At boot a zone may span
 * more than that, because its limits are those of the architecture; such a
 * margin stays for as long as the zone has any memory, because the span decides
 * to which zone memory goes when it is onlined. The result depends on the
 * extents alone, not on how they came about: what is added and removed again
 * leaves the span as it was.
 *
 * A zone that has lost all its memory spans nothing and starts at 0.
 */
void zone_extents_span(const struct zone_extents *ze, unsigned long *start_pfn,
		       unsigned long *end_pfn)
{
	struct rb_node *last = rb_last(&ze->root);
	bool boot_memory = ze->boot_first != ze->boot_end;

	if (!last) {
		*start_pfn = boot_memory ? 0 : ze->boot_span_start;
		*end_pfn = boot_memory ? 0 : ze->boot_span_end;
		return;
	}
	*start_pfn = zone_extents_first(ze)->start_pfn;
	*end_pfn = to_extent(last)->end_pfn;

	if (ze->boot_span_start == ze->boot_span_end)
		return;
	if (!boot_memory || ze->boot_span_start != ze->boot_first)
		*start_pfn = min(*start_pfn, ze->boot_span_start);
	if (!boot_memory || ze->boot_span_end != ze->boot_end)
		*end_pfn = max(*end_pfn, ze->boot_span_end);
}

/**
 * zone_extents_contiguous() - do the extents fill the span without a hole?
 * @ze: the extents
 *
 * Context: nobody may change @ze meanwhile.
 * Return: true if every page frame of the span belongs to the zone, and the
 * struct pages of its boot memory agree.
 */
bool zone_extents_contiguous(const struct zone_extents *ze)
{
	unsigned long start_pfn, end_pfn;

	if (ze->mixed)
		return false;
	zone_extents_span(ze, &start_pfn, &end_pfn);
	return start_pfn != end_pfn &&
	       zone_extents_contain(ze, start_pfn, end_pfn);
}

/**
 * zone_extents_claim() - add one range of boot memory to the zone's extents
 * @ze: the extents
 * @span_start: first page frame of the zone's span
 * @span_end: page frame after the last of the zone's span
 * @prev_end: where the next lower boot memory ends, of whichever node (pfn);
 *	@start_pfn to leave the hole below the range out
 * @start_pfn: first page frame of the range
 * @end_pfn: page frame after the last of the range
 *
 * What lies outside the span belongs to another zone. memmap_init() links the
 * memmap of the hole below a range to the zone in which the range starts. Of
 * that hole only the ends can be used, up to the next subsection: a subsection
 * without any memory counts as offline, and device memory may move in there.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int zone_extents_claim(struct zone_extents *ze, unsigned long span_start,
		       unsigned long span_end, unsigned long prev_end,
		       unsigned long start_pfn, unsigned long end_pfn)
{
	unsigned long low_end = min(ALIGN(prev_end, PAGES_PER_SUBSECTION), start_pfn);
	unsigned long high_start = max(ALIGN_DOWN(start_pfn, PAGES_PER_SUBSECTION),
				       prev_end);
	bool starts_here = span_start <= start_pfn && start_pfn < span_end;
	int err;

	err = zone_extents_stock(ze, 2);
	if (err)
		return err;

	if (starts_here) {
		zone_extents_insert(ze, max(prev_end, span_start), low_end);
		zone_extents_insert(ze, max(high_start, span_start), start_pfn);
	}
	return zone_extents_insert(ze, max(start_pfn, span_start),
				   min(end_pfn, span_end));
}

/**
 * zone_extents_set_boot_span() - remember the span that the zone has at boot
 * @ze: the extents, which are those of boot memory
 * @start_pfn: first page frame of the span
 * @end_pfn: page frame after the last of the span
 */
void zone_extents_set_boot_span(struct zone_extents *ze, unsigned long start_pfn,
				unsigned long end_pfn)
{
	struct rb_node *last = rb_last(&ze->root);

	ze->boot_first = last ? zone_extents_first(ze)->start_pfn : 0;
	ze->boot_end = last ? to_extent(last)->end_pfn : 0;
	ze->boot_span_start = start_pfn;
	ze->boot_span_end = end_pfn;
}

static int __init claim_boot_memory(struct zone *zone)
{
	const bool movable = zone_idx(zone) == ZONE_MOVABLE;
	unsigned long prev_end = 0;
	struct memblock_region *r;
	int err;

	for_each_mem_region(r) {
		unsigned long start_pfn = memblock_region_memory_base_pfn(r);
		unsigned long end_pfn = memblock_region_memory_end_pfn(r);
		unsigned long hole_start = mirrored_kernelcore ? start_pfn : prev_end;

		if (start_pfn >= end_pfn)
			continue;
		prev_end = end_pfn;
		if (memblock_get_region_node(r) != zone_to_nid(zone))
			continue;
		if (mirrored_kernelcore && movable && memblock_is_mirror(r))
			continue;
		err = zone_extents_claim(&zone->extents, zone->zone_start_pfn,
					 zone_end_pfn(zone), hole_start,
					 start_pfn, end_pfn);
		if (err)
			return err;
	}
	return 0;
}

/*
 * With kernelcore=mirror, ZONE_MOVABLE overlaps a kernel zone and takes what is
 * not mirrored. Deferred initialisation sees that differently for some pages,
 * and does not tell for which: zones that overlap are never contiguous.
 */
static int __init yield_to_movable(struct zone *zone, struct zone *movable)
{
	struct zone_extent *extent;
	int err;

	if (!populated_zone(movable) ||
	    !zone_intersects(zone, movable->zone_start_pfn, movable->spanned_pages))
		return 0;

	zone->extents.mixed = true;
	movable->extents.mixed = true;
	for_each_zone_extent(extent, &movable->extents) {
		err = zone_extents_stock(&zone->extents, 1);
		if (err)
			return err;
		zone_extents_erase(&zone->extents, extent->start_pfn,
				   extent->end_pfn);
	}
	return 0;
}

/**
 * zone_extents_init() - find the extents of all zones after boot
 *
 * Follows what memmap_init() did with the memory that memblock knows.
 *
 * Context: once, after the last boot-time struct page was initialised and
 * before memblock is discarded. Panics without memory for a few extents.
 */
void __init zone_extents_init(void)
{
	struct zone *zone, *movable;

	for_each_populated_zone(zone)
		if (claim_boot_memory(zone))
			panic("Out of memory for the extents of zones\n");

	for_each_zone(zone) {
		movable = &zone->zone_pgdat->node_zones[ZONE_MOVABLE];
		if (mirrored_kernelcore && zone != movable &&
		    yield_to_movable(zone, movable))
			panic("Out of memory for the extents of zones\n");
		zone_extents_trim(&zone->extents);
		zone_extents_set_boot_span(&zone->extents, zone->zone_start_pfn,
					   zone_end_pfn(zone));
	}
}

/* Bring the span in line with the extents. */
static void update_span(struct zone *zone)
{
	unsigned long start_pfn, end_pfn, flags;

	zone_extents_span(&zone->extents, &start_pfn, &end_pfn);

	/* Interrupts free pages, and with DEBUG_VM look at the span then. */
	write_seqlock_irqsave(&zone->span_seqlock, flags);
	/*
	 * Many readers do without the seqlock: whichever of the values they see,
	 * it must not take them beyond the end of the zone.
	 */
	if (start_pfn > zone->zone_start_pfn || start_pfn == end_pfn) {
		WRITE_ONCE(zone->spanned_pages, end_pfn - start_pfn);
		/* From below, a zone shrinks: its size first. */
		smp_wmb();
		WRITE_ONCE(zone->zone_start_pfn, start_pfn);
	} else {
		WRITE_ONCE(zone->zone_start_pfn, start_pfn);
		/* From below, a zone grows: its start first. */
		smp_wmb();
		WRITE_ONCE(zone->spanned_pages, end_pfn - start_pfn);
	}
	write_sequnlock_irqrestore(&zone->span_seqlock, flags);
}

/**
 * zone_extents_begin() - get ready to change the extents of a zone
 * @zone: the zone
 *
 * Allocates what zone_extents_add() or zone_extents_remove() of one range, and
 * undoing it, may need, so that these cannot fail. The range may be added or
 * removed in adjacent pieces. The zone does not count as contiguous until
 * zone_extents_end(), because in between some of it is not online.
 *
 * Context: mem_hotplug_lock in write mode from before this call until after
 * zone_extents_end(), which has to follow unless this fails. May sleep.
 * Return: 0, or -ENOMEM and nothing has changed.
 */
int zone_extents_begin(struct zone *zone)
{
	int err;

	assert_mem_hotplug_held_write();
	err = zone_extents_reserve(&zone->extents);
	if (err) {
		zone_extents_trim(&zone->extents);
		return err;
	}
	zone->contiguous = false;
	return 0;
}

/**
 * zone_extents_add() - a pfn range becomes part of a zone
 * @zone: the zone
 * @start_pfn: first page frame
 * @nr_pages: number of pages
 *
 * Updates the span of the zone, not that of its node. A range of ZONE_DEVICE
 * keeps what its removal will need: that must not fail, because there is
 * nobody who could be told.
 *
 * Context: after zone_extents_begin(), with mem_hotplug_lock in write mode.
 */
void zone_extents_add(struct zone *zone, unsigned long start_pfn,
		      unsigned long nr_pages)
{
	assert_mem_hotplug_held_write();
	WARN_ON_ONCE(zone_extents_insert(&zone->extents, start_pfn,
					 start_pfn + nr_pages));
	if (zone_is_zone_device(zone))
		zone->extents.nr_pinned++;
	update_span(zone);
}

/**
 * zone_extents_remove() - a pfn range is no longer part of a zone
 * @zone: the zone
 * @start_pfn: first page frame
 * @nr_pages: number of pages
 *
 * Updates the span of the zone, not that of its node. A range of ZONE_DEVICE
 * has to be one that was added.
 *
 * Context: after zone_extents_begin(), which ZONE_DEVICE can do without, with
 * mem_hotplug_lock in write mode.
 */
void zone_extents_remove(struct zone *zone, unsigned long start_pfn,
			 unsigned long nr_pages)
{
	assert_mem_hotplug_held_write();
	WARN_ON_ONCE(zone_extents_erase(&zone->extents, start_pfn,
					start_pfn + nr_pages));
	if (zone_is_zone_device(zone))
		zone->extents.nr_pinned--;
	update_span(zone);
}

/**
 * zone_extents_end() - a change of the extents, done or undone, is complete
 * @zone: the zone
 *
 * All of the zone is online again. Decides whether the zone is contiguous, which
 * ZONE_DEVICE never is to pfn walkers, and frees what was allocated ahead.
 *
 * Context: mem_hotplug_lock in write mode.
 */
void zone_extents_end(struct zone *zone)
{
	assert_mem_hotplug_held_write();
	zone_extents_trim(&zone->extents);
	if (!zone_is_zone_device(zone))
		set_zone_contiguous(zone);
}
