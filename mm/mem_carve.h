/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MM_MEM_CARVE_H
#define _MM_MEM_CARVE_H

#include <linux/mem_carve.h>

struct list_head;
struct page;

#if IS_ENABLED(CONFIG_KUNIT)
/* For the tests to have them fail */
int mem_carve_map(int nid, u64 start, u64 size);
int mem_carve_unmap(u64 start, u64 size);
#endif

#ifdef CONFIG_MEM_CARVE_MEMMAP
bool mem_carve_can_share_memmap(void);
int mem_carve_share_memmap(struct mem_carve *carve, unsigned long pfn,
			   unsigned long nr_pages, struct page **shared);
int mem_carve_alloc_memmap(unsigned long pfn, unsigned long nr_pages, struct page *shared,
			   struct list_head *pages);
void mem_carve_restore_memmap(struct mem_carve *carve, unsigned long pfn,
			      unsigned long nr_pages, struct page *shared,
			      struct list_head *pages);
int mem_carve_restore_page(struct mem_carve *carve, unsigned long pfn, struct page *shared);
int mem_carve_memory_failure(unsigned long pfn);
#else
static inline bool mem_carve_can_share_memmap(void)
{
	return false;
}

static inline int mem_carve_share_memmap(struct mem_carve *carve, unsigned long pfn,
					 unsigned long nr_pages, struct page **shared)
{
	return -EOPNOTSUPP;
}

static inline int mem_carve_alloc_memmap(unsigned long pfn, unsigned long nr_pages,
					 struct page *shared, struct list_head *pages)
{
	return 0;
}

static inline void mem_carve_restore_memmap(struct mem_carve *carve, unsigned long pfn,
					    unsigned long nr_pages, struct page *shared,
					    struct list_head *pages)
{
}

static inline int mem_carve_memory_failure(unsigned long pfn)
{
	return 0;
}
#endif

#endif /* _MM_MEM_CARVE_H */
