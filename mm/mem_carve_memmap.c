// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memmap of carve-outs, given back
 *
 * The struct pages of a carve-out all say the same. So one page full of them will do,
 * mapped read-only wherever the memmap of the carve-out was, and the others are free for
 * other uses. Of 16 MiB for a carve-out of 1 GiB, that page and page tables remain.
 *
 * Nobody writes to such struct pages: they have no references that could be taken, and
 * who knows them calls mem_carve_hold() instead. Memory failure, which sets a flag
 * regardless, asks for a real one first, see mem_carve_memory_failure(); where that
 * cannot be waited for, the flag is not set.
 */
#include <linux/bootmem_info.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/pgalloc.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/vmstat.h>

#include <asm/tlbflush.h>

#include "hugetlb_vmemmap.h"
#include "internal.h"
#include "mem_carve.h"

#define PER_PAGE (PAGE_SIZE / sizeof(struct page))

static unsigned long memmap_of(unsigned long pfn)
{
	return (unsigned long)pfn_to_page(pfn);
}

/*
 * fill() - write a page of memmap
 * @page: where
 * @pfn: what it is for
 * @carve: what counts references, NULL if the struct pages do
 */
static void fill(struct page *page, unsigned long pfn, struct mem_carve *carve)
{
	struct page *entry = page_to_virt(page);
	const struct page *old = pfn_to_page(pfn);
	const int zone = page_zonenum(old), nid = page_to_nid(old);
	unsigned long i;

	for (i = 0; i < PER_PAGE; i++, entry++) {
		__init_single_page(entry, pfn + i, zone, nid);
		__SetPageOffline(entry);
		if (!carve)
			continue;
		set_page_private(entry, (unsigned long)carve);
		set_page_count(entry, 0);
	}
}

static pte_t *pte_of(unsigned long addr)
{
	return pte_offset_kernel(pmd_off_k(addr), addr);
}

/* split() - have the memmap at @addr mapped with base pages */
static int split(unsigned long addr)
{
	pmd_t *pmd = pmd_off_k(addr), table;
	struct page *head;
	pte_t *ptes;
	int i;

	if (!pmd_leaf(pmdp_get(pmd)))
		return 0;

	ptes = pte_alloc_one_kernel(&init_mm);
	if (!ptes)
		return -ENOMEM;

	head = pmd_page(*pmd);
	addr = ALIGN_DOWN(addr, PMD_SIZE);
	pmd_populate_kernel(&init_mm, &table, ptes);
	for (i = 0; i < PTRS_PER_PTE; i++)
		set_pte_at(&init_mm, addr + i * PAGE_SIZE,
			   pte_offset_kernel(&table, addr + i * PAGE_SIZE),
			   mk_pte(head + i, PAGE_KERNEL));

	spin_lock(&init_mm.page_table_lock);
	if (!pmd_leaf(pmdp_get(pmd))) {
		/* Huge pages of the neighbourhood were as fast. */
		spin_unlock(&init_mm.page_table_lock);
		pte_free_kernel(&init_mm, ptes);
		return 0;
	}
	/* From the buddy allocator, as a whole; its parts will be freed one by one. */
	if (!PageReserved(head))
		split_page(head, get_order(PMD_SIZE));
	/* The table is there before it is seen. */
	smp_wmb();
	pmd_populate_kernel(&init_mm, pmd, ptes);
	flush_tlb_kernel_range(addr, addr + PMD_SIZE);
	spin_unlock(&init_mm.page_table_lock);
	return 0;
}

static bool any_poisoned(unsigned long pfn)
{
	unsigned long i;

	for (i = 0; i < PER_PAGE; i++)
		if (PageHWPoison(pfn_to_page(pfn + i)))
			return true;
	return false;
}

/* Memory that was added with its memmap on it needs that as long as it is there. */
static bool is_hosted(struct page *page)
{
	return PageReserved(page) && PageVmemmapSelfHosted(page);
}

/**
 * mem_carve_can_share_memmap() - whether mem_carve_share_memmap() works at all
 *
 * Return: false if no page is full of struct pages.
 */
bool mem_carve_can_share_memmap(void)
{
	return is_power_of_2(sizeof(struct page));
}

static void unfreeze(unsigned long pfn, unsigned long end_pfn)
{
	for (; pfn < end_pfn; pfn++) {
		page_ref_unfreeze(pfn_to_page(pfn), 1);
		if (pageblock_aligned(pfn))
			cond_resched();
	}
}

/*
 * freeze() - have no references, and nobody who could take one
 *
 * Others may look at any page for a moment, and take a reference to do so.
 */
static int freeze(unsigned long start_pfn, unsigned long end_pfn)
{
	int patience = HZ / 2;
	unsigned long pfn;

	for (pfn = start_pfn; pfn < end_pfn; pfn++) {
		while (!page_ref_freeze(pfn_to_page(pfn), 1)) {
			if (!patience--) {
				unfreeze(start_pfn, pfn);
				return -EBUSY;
			}
			schedule_timeout_uninterruptible(1);
		}
		if (pageblock_aligned(pfn))
			cond_resched();
	}
	return 0;
}

/**
 * mem_carve_share_memmap() - give back the memmap of a carve-out
 * @carve: the carve-out
 * @pfn: its first page, at a pageblock
 * @nr_pages: how many there are; each is allocated
 * @shared: set to the page that all of the memmap is, for mem_carve_restore_memmap()
 *
 * What is on the memory that the carve-out was added with stays, as does what tells of
 * poisoned pages.
 *
 * Context: may sleep; with mem_hotplug_lock.
 * Return: 0, or -ENOMEM or, if somebody keeps references, -EBUSY, and the memmap is as
 * before.
 */
int mem_carve_share_memmap(struct mem_carve *carve, unsigned long pfn,
			   unsigned long nr_pages, struct page **shared)
{
	const unsigned long start = memmap_of(pfn), end = memmap_of(pfn + nr_pages);
	struct page *new, *page, *next;
	unsigned long addr;
	LIST_HEAD(spare);
	int err;

	for (addr = start; addr < end; addr = ALIGN(addr + 1, PMD_SIZE)) {
		if (split(addr))
			return -ENOMEM;
		cond_resched();
	}

	new = alloc_pages_node(page_to_nid(pfn_to_page(pfn)), GFP_KERNEL | __GFP_NOWARN, 0);
	if (!new)
		return -ENOMEM;
	err = freeze(pfn, pfn + nr_pages);
	if (err) {
		__free_page(new);
		return err;
	}
	/* Who saw a reference, and is about to take another one, has failed by then. */
	synchronize_rcu();
	fill(new, pfn, carve);
	/* It is there before it is seen. */
	smp_wmb();

	for (addr = start; addr < end; addr += PAGE_SIZE, pfn += PER_PAGE) {
		pte_t *pte = pte_of(addr);

		page = pte_page(ptep_get(pte));
		if (is_hosted(page) || any_poisoned(pfn)) {
			unfreeze(pfn, pfn + PER_PAGE);
			continue;
		}
		list_add_tail(&page->lru, &spare);
		set_pte_at(&init_mm, addr, pte, mk_pte(new, PAGE_KERNEL_RO));
		cond_resched();
	}
	flush_tlb_kernel_range(start, end);

	*shared = new;
	memmap_pages_add(1);
	list_for_each_entry_safe(page, next, &spare, lru) {
		free_vmemmap_page(page);
		cond_resched();
	}
	return 0;
}

static void free_list(struct list_head *list)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, list, lru)
		__free_page(page);
}

static bool is_shared(unsigned long addr, struct page *shared)
{
	return pte_page(ptep_get(pte_of(addr))) == shared;
}

static void restore_one(struct mem_carve *carve, unsigned long pfn, struct page *page)
{
	const unsigned long addr = memmap_of(pfn);

	fill(page, pfn, carve);
	/* It is there before it is seen. */
	smp_wmb();
	set_pte_at(&init_mm, addr, pte_of(addr), mk_pte(page, PAGE_KERNEL));
	memmap_pages_add(1);
}

/* Struct pages that mem_carve_restore_page() made count references themselves. */
static void release_one(struct mem_carve *carve, unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);
	unsigned long i;

	for (i = 0; i < PER_PAGE; i++, page++) {
		if (page_private(page) != (unsigned long)carve)
			continue;
		set_page_private(page, 0);
		init_page_count(page);
	}
}

/**
 * mem_carve_alloc_memmap() - what mem_carve_restore_memmap() will need
 * @pfn: first page of the carve-out
 * @nr_pages: how many there are
 * @shared: what mem_carve_share_memmap() set
 * @pages: an empty list, to which the pages are added
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM and @pages is empty.
 */
int mem_carve_alloc_memmap(unsigned long pfn, unsigned long nr_pages, struct page *shared,
			   struct list_head *pages)
{
	const unsigned long start = memmap_of(pfn), end = memmap_of(pfn + nr_pages);
	const int nid = page_to_nid(pfn_to_page(pfn));
	struct page *page;
	unsigned long addr;

	for (addr = start; addr < end; addr += PAGE_SIZE) {
		if (!is_shared(addr, shared))
			continue;
		page = alloc_pages_node(nid, GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL, 0);
		if (!page) {
			free_list(pages);
			return -ENOMEM;
		}
		list_add_tail(&page->lru, pages);
		cond_resched();
	}
	return 0;
}

/**
 * mem_carve_restore_memmap() - undo mem_carve_share_memmap()
 * @carve: the carve-out, which nobody holds
 * @pfn: its first page
 * @nr_pages: how many there are
 * @shared: what mem_carve_share_memmap() set; is freed
 * @pages: what mem_carve_alloc_memmap() found; what is not needed any more is freed
 *
 * The struct pages have one reference each, and are marked offline.
 *
 * Context: may sleep; with mem_hotplug_lock, and memory failure held off.
 */
void mem_carve_restore_memmap(struct mem_carve *carve, unsigned long pfn,
			      unsigned long nr_pages, struct page *shared,
			      struct list_head *pages)
{
	const unsigned long start = memmap_of(pfn), end = memmap_of(pfn + nr_pages);
	struct page *page;
	unsigned long addr;

	for (addr = start; addr < end; addr += PAGE_SIZE, pfn += PER_PAGE) {
		cond_resched();
		if (!is_shared(addr, shared)) {
			release_one(carve, pfn);
			continue;
		}
		page = list_first_entry(pages, struct page, lru);
		list_del(&page->lru);
		restore_one(NULL, pfn, page);
	}
	flush_tlb_kernel_range(start, end);
	memmap_pages_add(-1);
	__free_page(shared);
	/* Memory failure may have restored pages meanwhile. */
	free_list(pages);
}

/**
 * mem_carve_restore_page() - have a struct page that can be written
 * @carve: the carve-out
 * @pfn: its page
 * @shared: what mem_carve_share_memmap() set
 *
 * It still has no references of its own.
 *
 * Context: may sleep; with mem_hotplug_lock.
 * Return: 0, or -ENOMEM.
 */
int mem_carve_restore_page(struct mem_carve *carve, unsigned long pfn, struct page *shared)
{
	const unsigned long addr = ALIGN_DOWN(memmap_of(pfn), PAGE_SIZE);
	struct page *page;

	if (!is_shared(addr, shared))
		return 0;
	page = alloc_page(GFP_KERNEL | __GFP_NOWARN);
	if (!page)
		return -ENOMEM;
	restore_one(carve, ALIGN_DOWN(pfn, PER_PAGE), page);
	flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
	return 0;
}
