// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether a piece of the virtual memmap is still needed
 *
 * Pieces of the virtual memmap (pages, or what one entry of a page table maps)
 * come with the first subsection whose struct pages lie in them and go with the
 * last one. Which subsections have struct pages is written down in the section
 * map, so that is where to look: not at the struct pages, and not at the size of
 * the range that comes or goes.
 *
 * Adding a range publishes its subsections in the section map after the memmap is
 * there; removing one takes them out before. Hence a range that comes or goes is
 * itself not in use, and what is in use belongs to others.
 *
 * See Documentation/mm/vmemmap_use.rst.
 */
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/mmzone.h>

#include "vmemmap_use.h"

static __always_inline bool in_use(unsigned long start, unsigned long end,
				   bool early)
{
	const struct vmemmap_view view = {
		.base = (unsigned long)pfn_to_page(0),
		.struct_size = sizeof(struct page),
		.section = __nr_to_section,
		.early = early,
	};

	return vmemmap_view_in_use(&view, start, end);
}

/**
 * vmemmap_range_in_use() - does anybody need this piece of the virtual memmap?
 * @start: first byte, in the virtual memmap; need not be that of a struct page
 * @end: byte after the last
 *
 * Looks at the section map only. The cost grows with the number of sections whose
 * struct pages lie in the range: one for each 2 MiB with 128 MiB sections of 4 KiB
 * pages, one for each 16 KiB on powerpc with 64 KiB pages.
 *
 * Context: mem_hotplug_lock, or boot.
 * Return: true if a struct page of which any byte is in the range belongs to a
 * valid subsection, or to a section that was present at boot.
 */
bool vmemmap_range_in_use(unsigned long start, unsigned long end)
{
	return in_use(start, end, true);
}

/**
 * vmemmap_range_in_altmap() - may an altmap host this piece of the memmap?
 * @altmap: the altmap, or %NULL
 * @start: first byte, in the virtual memmap
 * @end: byte after the last
 *
 * The memory of an altmap goes together with the range it was given for. It can
 * only host struct pages of that range, as those of others may stay longer.
 *
 * Return: true if all struct pages of which any byte is in the piece are those of
 * the altmap's range.
 */
bool vmemmap_range_in_altmap(const struct vmem_altmap *altmap,
			     unsigned long start, unsigned long end)
{
	const unsigned long base = (unsigned long)pfn_to_page(0);

	return altmap &&
	       (start - base) / sizeof(struct page) >= altmap->base_pfn &&
	       (end - base - 1) / sizeof(struct page) <= altmap->end_pfn;
}

/**
 * vmemmap_page_from_altmap() - was this memory taken from an altmap?
 * @altmap: the altmap, or %NULL
 * @pfn: page frame that backs a piece of the virtual memmap
 *
 * Not all of the memmap of a range with an altmap has to come from there: see
 * vmemmap_range_in_altmap().
 *
 * Return: true if it was.
 */
bool vmemmap_page_from_altmap(const struct vmem_altmap *altmap,
			      unsigned long pfn)
{
	return altmap && pfn >= altmap->base_pfn &&
	       pfn < altmap->base_pfn + altmap->reserve + altmap->free;
}

#ifdef CONFIG_MEMORY_HOTPLUG
/**
 * vmemmap_hotplug_pages() - how many pages of memmap come or go with a range
 * @start_pfn: first page frame, of a subsection
 * @nr_pages: number of pages, of whole subsections
 *
 * A page at either end may hold struct pages of neighbours as well: it is counted
 * when the first one comes, and when the last one goes. Sections that were present
 * at boot are counted elsewhere, each on its own.
 *
 * Context: mem_hotplug_lock; the range is not, or no more, in the section map.
 * Return: the number of pages.
 */
unsigned long vmemmap_hotplug_pages(unsigned long start_pfn,
				    unsigned long nr_pages)
{
	const unsigned long start = (unsigned long)pfn_to_page(start_pfn);
	const unsigned long end = start + nr_pages * sizeof(struct page);
	unsigned long first = PAGE_ALIGN_DOWN(start), last = PAGE_ALIGN(end);

	if (first != start && in_use(first, first + PAGE_SIZE, false))
		first += PAGE_SIZE;
	if (last != end && first < last && in_use(last - PAGE_SIZE, last, false))
		last -= PAGE_SIZE;
	return PHYS_PFN(last - first);
}
#endif
