/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_ZONE_EXTENTS_H
#define _LINUX_ZONE_EXTENTS_H

#include <linux/rbtree_types.h>
#include <linux/types.h>

struct zone;
struct zone_extent;

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
 * @mixed: some boot memory has struct pages that link to another zone; never
 *	call this zone contiguous
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
	bool mixed;
};

int zone_extents_begin(struct zone *zone);
void zone_extents_end(struct zone *zone);

#endif /* _LINUX_ZONE_EXTENTS_H */
