/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_MEM_CARVE_H
#define _LINUX_MEM_CARVE_H

#include <linux/bits.h>
#include <linux/kconfig.h>
#include <linux/page-flags.h>
#include <linux/page_ref.h>
#include <linux/types.h>

/* Leave the memory in the linear map. */
#define MEM_CARVE_KEEP_MAPPED	BIT(0)
/* Have the memory of its struct pages freed, too. */
#define MEM_CARVE_FREE_MEMMAP	BIT(1)
/* Hibernation may have something else in the memory afterwards. */
#define MEM_CARVE_MAY_BE_LOST	BIT(2)

struct mem_carve;

struct mem_carve *__mem_carve_alloc(int nid, u64 size, unsigned int flags,
				    const char *owner);
#define mem_carve_alloc(nid, size, flags) \
	__mem_carve_alloc(nid, size, flags, KBUILD_MODNAME)
int mem_carve_free(struct mem_carve *carve);
void mem_carve_return(struct mem_carve *carve);

phys_addr_t mem_carve_start(const struct mem_carve *carve);
u64 mem_carve_size(const struct mem_carve *carve);
int mem_carve_nid(const struct mem_carve *carve);
bool mem_carve_mapped(const struct mem_carve *carve);
bool mem_carve_poisoned(const struct mem_carve *carve, unsigned long first,
			unsigned long nr_pages);

/**
 * mem_carve_shares_memmap() - whether a struct page is one of many
 * @page: of any memory that is online
 *
 * Such a struct page cannot be written to, so has no references: who wants to keep the
 * page calls mem_carve_hold().
 *
 * Return: true if it is, which takes %MEM_CARVE_FREE_MEMMAP.
 */
static inline bool mem_carve_shares_memmap(const struct page *page)
{
	return IS_ENABLED(CONFIG_MEM_CARVE_MEMMAP) && PageOffline(page) &&
	       !page_count(page) && page_private(page);
}

#ifdef CONFIG_MEM_CARVE_MEMMAP
void mem_carve_hold(struct page *page);
void mem_carve_release(struct page *page);
#else
static inline void mem_carve_hold(struct page *page)
{
}

static inline void mem_carve_release(struct page *page)
{
}
#endif

u64 mem_carve_unit(unsigned int flags);
u64 __mem_carve_owned(const char *owner);
#define mem_carve_owned() __mem_carve_owned(KBUILD_MODNAME)

#endif /* _LINUX_MEM_CARVE_H */
