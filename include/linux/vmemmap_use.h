/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_VMEMMAP_USE_H
#define _LINUX_VMEMMAP_USE_H

#include <linux/types.h>

struct vmem_altmap;

#ifdef CONFIG_SPARSEMEM_VMEMMAP
bool vmemmap_range_in_use(unsigned long start, unsigned long end);
bool vmemmap_range_in_altmap(const struct vmem_altmap *altmap,
			     unsigned long start, unsigned long end);
bool vmemmap_page_from_altmap(const struct vmem_altmap *altmap,
			      unsigned long pfn);
#else
static inline bool vmemmap_range_in_use(unsigned long start, unsigned long end)
{
	return false;
}

static inline bool vmemmap_page_from_altmap(const struct vmem_altmap *altmap,
					    unsigned long pfn)
{
	return false;
}
#endif

#endif /* _LINUX_VMEMMAP_USE_H */
