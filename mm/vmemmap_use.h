/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MM_VMEMMAP_USE_H
#define _MM_VMEMMAP_USE_H

#include <linux/bitmap.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mmzone.h>
#include <linux/types.h>
#include <linux/vmemmap_use.h>

unsigned long vmemmap_hotplug_pages(unsigned long start_pfn,
				    unsigned long nr_pages);

/**
 * struct vmemmap_view - a virtual memmap and the sections that it describes
 * @base: address of the struct page of page frame 0
 * @struct_size: bytes from one struct page to the next
 * @section: the section of a number, or %NULL if there is none
 * @early: sections that were present at boot count as well
 *
 * The kernel has one virtual memmap; its test has as many as it likes.
 */
struct vmemmap_view {
	unsigned long base;
	size_t struct_size;
	struct mem_section *(*section)(unsigned long nr);
	bool early;
};

static __always_inline bool section_in_use(const struct vmemmap_view *view,
					   struct mem_section *ms,
					   unsigned long start_pfn,
					   unsigned long end_pfn)
{
	unsigned long first, last;

	if (!ms || !valid_section(ms))
		return false;
	/* Its memmap is complete, whatever the subsection map says. */
	if (early_section(ms))
		return view->early;

	first = subsection_map_index(start_pfn);
	last = subsection_map_index(end_pfn - 1);
	return find_next_bit(ms->usage->subsection_map, last + 1, first) <= last;
}

/*
 * A struct page may begin in one piece of the memmap and end in the next: then it
 * uses both. No piece starts below the struct page of page frame 0.
 */
static __always_inline bool vmemmap_view_in_use(const struct vmemmap_view *view,
						unsigned long start,
						unsigned long end)
{
	/* Not by subtracting pointers: there need not be a struct page at start. */
	unsigned long pfn = (start - view->base) / view->struct_size;
	const unsigned long end_pfn = DIV_ROUND_UP(end - view->base,
						   view->struct_size);
	unsigned long next;

	for (; pfn < end_pfn; pfn = next) {
		next = min(end_pfn, SECTION_ALIGN_UP(pfn + 1));
		if (section_in_use(view, view->section(pfn_to_section_nr(pfn)),
				   pfn, next))
			return true;
	}
	return false;
}

#endif /* _MM_VMEMMAP_USE_H */
