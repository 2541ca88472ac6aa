/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_ZONE_EXTENTS_H
#define _LINUX_ZONE_EXTENTS_H

#include <linux/rbtree_types.h>
#include <linux/types.h>

struct zone;

/**
 * struct zone_extent - one range of page frames of a zone
 * @node: place in &zone_extents.root
 * @next_spare: next in &zone_extents.spare, while the extent is not in use
 * @start_pfn: first page frame
 * @end_pfn: page frame after the last
 */
struct zone_extent {
	union {
		struct rb_node node;
		struct zone_extent *next_spare;
	};
	unsigned long start_pfn;
	unsigned long end_pfn;
};

/**
 * struct zone_extents - the page frames whose memmap belongs to a zone
 * @root: the extents by address; they neither overlap nor touch
 * @spare: extents allocated ahead, so that a change cannot fail halfway
 * @nr: number of extents in @root
 * @nr_spare: number of extents in @spare
 * @nr_pinned: ranges that were added with a promise that removing them
 *	cannot fail; @nr + @nr_spare never falls below it
 * @boot_span_start: where the span of the zone began at boot (pfn)
 * @boot_span_end: where the span of the zone ended at boot (pfn)
 * @boot_first: first page frame with memory at boot
 * @boot_end: page frame after the last one with memory at boot
 *
 * All zero is an empty set.
 */
struct zone_extents {
	struct rb_root root;
	struct zone_extent *spare;
	unsigned long nr;
	unsigned long nr_spare;
	unsigned long nr_pinned;
	unsigned long boot_span_start;
	unsigned long boot_span_end;
	unsigned long boot_first;
	unsigned long boot_end;
};

/* The set */
int zone_extents_stock(struct zone_extents *ze, unsigned long nr_spare);
void zone_extents_trim(struct zone_extents *ze);
int zone_extents_insert(struct zone_extents *ze, unsigned long start_pfn,
			unsigned long end_pfn);
int zone_extents_erase(struct zone_extents *ze, unsigned long start_pfn,
		       unsigned long end_pfn);
void zone_extents_destroy(struct zone_extents *ze);
bool zone_extents_contain(const struct zone_extents *ze,
			  unsigned long start_pfn, unsigned long end_pfn);
void zone_extents_span(const struct zone_extents *ze, unsigned long *start_pfn,
		       unsigned long *end_pfn);
bool zone_extents_contiguous(const struct zone_extents *ze);
struct zone_extent *zone_extents_first(const struct zone_extents *ze);
struct zone_extent *zone_extents_next(const struct zone_extent *extent);

#define for_each_zone_extent(extent, ze)			\
	for ((extent) = zone_extents_first(ze); (extent);	\
	     (extent) = zone_extents_next(extent))

/* Boot memory */
int zone_extents_claim(struct zone_extents *ze, unsigned long span_start,
		       unsigned long span_end, unsigned long prev_end,
		       unsigned long start_pfn, unsigned long end_pfn);
void zone_extents_init(void);

/* The zone that owns the set */
int zone_extents_begin(struct zone *zone);
void zone_extents_add(struct zone *zone, unsigned long start_pfn,
		      unsigned long nr_pages);
void zone_extents_remove(struct zone *zone, unsigned long start_pfn,
			 unsigned long nr_pages);
void zone_extents_end(struct zone *zone);

#endif /* _LINUX_ZONE_EXTENTS_H */
