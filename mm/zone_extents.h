/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MM_ZONE_EXTENTS_H
#define _MM_ZONE_EXTENTS_H

#include <linux/rbtree.h>
#include <linux/zone_extents.h>

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

/* The set */
int zone_extents_stock(struct zone_extents *ze, unsigned long nr_spare);
int zone_extents_reserve(struct zone_extents *ze);
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
void zone_extents_set_boot_span(struct zone_extents *ze, unsigned long start_pfn,
				unsigned long end_pfn);
void zone_extents_init(void);

/* The zone that owns the set */
void zone_extents_add(struct zone *zone, unsigned long start_pfn,
		      unsigned long nr_pages);
void zone_extents_remove(struct zone *zone, unsigned long start_pfn,
			 unsigned long nr_pages);

#endif /* _MM_ZONE_EXTENTS_H */
