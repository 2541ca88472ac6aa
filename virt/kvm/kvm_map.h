/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __KVM_MAP_H__
#define __KVM_MAP_H__

#include <linux/highmem.h>
#include <linux/page-flags.h>
#include <linux/vmalloc.h>

/*
 * What is lent to virtual machines is marked offline, and need not be in the linear map,
 * see Documentation/mm/mem_carve.rst.
 */
static inline void *kvm_kmap(struct page *page)
{
	if (PageOffline(page))
		return vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	return kmap(page);
}

static inline void kvm_kunmap(struct page *page, void *khva)
{
	if (is_vmalloc_addr(khva))
		vunmap(khva);
	else
		kunmap(page);
}

/* Whether @khva is what kvm_kmap() would map @page to: it may have become lent, or be no more. */
static inline bool kvm_kmap_is_valid(struct page *page, const void *khva)
{
	return is_vmalloc_addr(khva) == PageOffline(page);
}

#endif /* __KVM_MAP_H__ */
