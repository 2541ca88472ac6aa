// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of taking memory out of the kernel: what its pages look like, what is
 * refused, mappings that cannot be changed, memory that is returned later, and
 * carve-outs at random against a list of what was taken.
 */
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/pageblock-flags.h>
#include <linux/pfn.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>

#include "../mem_carve.h"
#include "seed.h"

#define PATTERN	0x5a

/* What the machine can do: the smallest carve-out, and flags without which none works */
struct ability {
	u64 unit;
	unsigned int flags;
};

static long carved(void)
{
	return atomic_long_read(&nr_carved_pages);
}

/* Skips the test if there is not so much as one to be had. */
static struct ability find_out(struct kunit *test)
{
	struct ability able = { .unit = mem_carve_unit(0) };
	struct mem_carve *carve;

	if (!able.unit) {
		able.flags = MEM_CARVE_KEEP_MAPPED;
		able.unit = mem_carve_unit(able.flags);
	}
	carve = mem_carve_alloc(first_memory_node, able.unit, able.flags);
	if (carve == ERR_PTR(-ENOMEM))
		kunit_skip(test, "no carve-out of %llu KiB on node %d",
			   able.unit >> 10, first_memory_node);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, carve);
	KUNIT_ASSERT_EQ(test, mem_carve_free(carve), 0);
	return able;
}

static struct mem_carve *take(struct kunit *test, u64 size, unsigned int flags)
{
	struct mem_carve *carve = mem_carve_alloc(first_memory_node, size, flags);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, carve);
	return carve;
}

static struct page *nth_page_of(struct mem_carve *carve, unsigned long n)
{
	return pfn_to_page(PHYS_PFN(mem_carve_start(carve)) + n);
}

static unsigned long nr_pages_of(struct mem_carve *carve)
{
	return PHYS_PFN(mem_carve_size(carve));
}

static bool readable(struct page *page)
{
	u8 byte;

	return !copy_from_kernel_nofault(&byte, page_address(page), 1);
}

/* The first bad page, -1 if they are all as they ought to be */
static long bad_page_of(struct mem_carve *carve, int count)
{
	const bool mapped = mem_carve_mapped(carve);
	unsigned long i;

	for (i = 0; i < nr_pages_of(carve); i++) {
		struct page *page = nth_page_of(carve, i);

		if (!PageOffline(page) || page_count(page) != count ||
		    page_to_nid(page) != mem_carve_nid(carve) || readable(page) != mapped)
			return i;
		if (!(i % 512))
			cond_resched();
	}
	return -1;
}

static long bad_page(struct mem_carve *carve)
{
	return bad_page_of(carve, 1);
}

/* Through a mapping of our own: what the owner sees. */
static void *look(struct page *page)
{
	return vmap(&page, 1, VM_MAP, PAGE_KERNEL);
}

static void expect_zeroed(struct kunit *test, struct page *page)
{
	void *p = look(page);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, PAGE_SIZE));
	vunmap(p);
}

static void fill(struct kunit *test, struct page *page)
{
	void *p = look(page);

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, PATTERN, PAGE_SIZE);
	vunmap(p);
}

static void arguments(struct kunit *test)
{
	const struct ability able = find_out(test);
	const struct {
		int nid;
		u64 size;
		unsigned int flags;
		int err;
	} cases[] = {
		{ first_memory_node, 0, 0, -EINVAL },
		{ first_memory_node, 1, 0, -EINVAL },
		{ first_memory_node, PAGE_SIZE, 0, -EINVAL },
		{ first_memory_node, able.unit + PAGE_SIZE, able.flags, -EINVAL },
		{ first_memory_node, able.unit - 1, able.flags, -EINVAL },
		{ first_memory_node, able.unit, BIT(3), -EINVAL },
		{ first_memory_node, able.unit, BIT(31) | able.flags, -EINVAL },
		{ first_memory_node, 1ULL << 63, able.flags, -ENOMEM },
		{ first_memory_node, -able.unit, able.flags, -ENOMEM },
		{ NUMA_NO_NODE, able.unit, able.flags, -ENODEV },
		{ INT_MIN, able.unit, able.flags, -ENODEV },
		{ MAX_NUMNODES, able.unit, able.flags, -ENODEV },
	};
	const long before = carved();
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mem_carve *carve = mem_carve_alloc(cases[i].nid, cases[i].size,
							  cases[i].flags);

		KUNIT_EXPECT_PTR_EQ_MSG(test, carve, ERR_PTR(cases[i].err), "case %d", i);
		if (!IS_ERR(carve))
			mem_carve_free(carve);
	}
	KUNIT_EXPECT_EQ(test, carved(), before);
}

static void pages(struct kunit *test)
{
	const struct ability able = find_out(test);
	const long before = carved();
	struct mem_carve *carve = take(test, able.unit, able.flags);
	unsigned long i, nr_pages = nr_pages_of(carve);
	unsigned long pfn = PHYS_PFN(mem_carve_start(carve));

	KUNIT_EXPECT_EQ(test, mem_carve_size(carve), able.unit);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(mem_carve_start(carve), able.unit));
	KUNIT_EXPECT_EQ(test, mem_carve_nid(carve), first_memory_node);
	KUNIT_EXPECT_EQ(test, mem_carve_mapped(carve), !!able.flags);
	KUNIT_EXPECT_EQ(test, bad_page(carve), -1);
	KUNIT_EXPECT_EQ(test, carved() - before, nr_pages);
	for (i = 0; i < nr_pages; i += nr_pages / 8) {
		expect_zeroed(test, nth_page_of(carve, i));
		fill(test, nth_page_of(carve, i));
	}

	KUNIT_EXPECT_EQ(test, mem_carve_free(carve), 0);
	KUNIT_EXPECT_EQ(test, carved(), before);

	/* Who gets the pages next finds nothing, unless others were faster. */
	if (alloc_contig_range(pfn, pfn + nr_pages, MIGRATE_MOVABLE, GFP_KERNEL))
		return;
	for (i = 0; i < nr_pages; i++)
		if (PageOffline(pfn_to_page(pfn + i)) || !readable(pfn_to_page(pfn + i)))
			break;
	KUNIT_EXPECT_EQ(test, i, nr_pages);
	for (i = 0; i < nr_pages; i += nr_pages / 8) {
		/* Debugging may have poisoned them when they were freed. */
		KUNIT_EXPECT_NULL(test, memchr(page_address(pfn_to_page(pfn + i)),
					       PATTERN, PAGE_SIZE));
	}
	free_contig_range(pfn, nr_pages);
}

static int no_memory(u64 start, u64 size)
{
	return -ENOMEM;
}

static void unmapping_fails(struct kunit *test)
{
	const struct ability able = find_out(test);
	const long before = carved();
	struct mem_carve *carve;

	if (able.flags)
		kunit_skip(test, "the memory stays mapped on this machine");

	kunit_activate_static_stub(test, mem_carve_unmap, no_memory);
	carve = mem_carve_alloc(first_memory_node, able.unit, 0);
	KUNIT_EXPECT_PTR_EQ(test, carve, ERR_PTR(-ENOMEM));
	KUNIT_EXPECT_EQ(test, carved(), before);

	carve = take(test, able.unit, MEM_CARVE_KEEP_MAPPED);
	KUNIT_EXPECT_TRUE(test, mem_carve_mapped(carve));
	KUNIT_EXPECT_EQ(test, bad_page(carve), -1);
	expect_zeroed(test, nth_page_of(carve, 0));
	KUNIT_EXPECT_EQ(test, mem_carve_free(carve), 0);
	KUNIT_EXPECT_EQ(test, carved(), before);
}

static void in_use(struct kunit *test)
{
	const struct ability able = find_out(test);
	const long before = carved();
	struct mem_carve *carve = take(test, able.unit, able.flags);
	struct page *page = nth_page_of(carve, nr_pages_of(carve) - 1);

	get_page(page);
	KUNIT_EXPECT_EQ(test, mem_carve_free(carve), -EBUSY);
	put_page(page);
	KUNIT_EXPECT_EQ(test, bad_page(carve), -1);
	KUNIT_EXPECT_EQ(test, carved() - before, nr_pages_of(carve));
	KUNIT_EXPECT_EQ(test, mem_carve_free(carve), 0);
	KUNIT_EXPECT_EQ(test, carved(), before);
}

static long memmap_pages(void)
{
	return atomic_long_read(&nr_memmap_boot_pages) + atomic_long_read(&nr_memmap_pages);
}

static void shared_memmap(struct kunit *test)
{
	const struct ability able = find_out(test);
	const unsigned int flags = able.flags | MEM_CARVE_FREE_MEMMAP;
	const long pages = memmap_pages(), size = able.unit / PAGE_SIZE * sizeof(struct page);
	struct mem_carve *carve = mem_carve_alloc(first_memory_node, able.unit, flags);
	struct page *page;
	unsigned long pfn;
	long kept;

	if (carve == ERR_PTR(-EOPNOTSUPP)) {
		KUNIT_EXPECT_FALSE(test, mem_carve_can_share_memmap());
		kunit_skip(test, "memmaps cannot be shared on this machine");
	}
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, carve);
	KUNIT_EXPECT_EQ(test, bad_page_of(carve, 0), -1);
	kept = memmap_pages() - pages + size / PAGE_SIZE;
	kunit_info(test, "%ld pages of memmap are kept of %ld\n", kept, size / PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, kept, 1);

	page = nth_page_of(carve, nr_pages_of(carve) - 1);
	pfn = page_to_pfn(page);
	KUNIT_EXPECT_TRUE(test, mem_carve_shares_memmap(page));
	/* who maps reserved pages takes them for those of devices */
	KUNIT_EXPECT_FALSE(test, PageReserved(page));
	KUNIT_EXPECT_FALSE(test, get_page_unless_zero(page));
	KUNIT_EXPECT_TRUE(test, pfn_to_online_page(pfn) == page);
	fill(test, page);

#ifdef CONFIG_MEMORY_FAILURE
	/* A struct page that is to be written is no longer shared. */
	mem_carve_hold(page);
	KUNIT_EXPECT_EQ(test, mem_carve_memory_failure(pfn), 0);
	KUNIT_EXPECT_TRUE(test, mem_carve_shares_memmap(page));
	mem_carve_release(page);
	SetPageHWPoison(page);
	KUNIT_EXPECT_FALSE(test, PageHWPoison(nth_page_of(carve, 0)));
	ClearPageHWPoison(page);
#endif
	/* Any page holds them all. */
	mem_carve_hold(page);
	mem_carve_hold(nth_page_of(carve, 0));
	mem_carve_release(page);
	KUNIT_EXPECT_EQ(test, mem_carve_free(carve), -EBUSY);
	KUNIT_EXPECT_EQ(test, bad_page_of(carve, 0), -1);
	mem_carve_release(nth_page_of(carve, 0));
	KUNIT_EXPECT_EQ(test, mem_carve_free(carve), 0);
	KUNIT_EXPECT_EQ(test, memmap_pages(), pages);
	KUNIT_EXPECT_FALSE(test, mem_carve_shares_memmap(page));
}

#ifdef CONFIG_MEMORY_FAILURE
/* A page with a memory error is neither mapped nor free again. */
static void poisoned(struct kunit *test)
{
	const struct ability able = find_out(test);
	const long before = carved();
	struct mem_carve *carve = take(test, able.unit, able.flags);
	struct page *page = nth_page_of(carve, 5);
	const bool stays_out = !able.flags && able.unit == (u64)pageblock_nr_pages << PAGE_SHIFT;

	SetPageHWPoison(page);
	KUNIT_EXPECT_TRUE(test, mem_carve_poisoned(carve, 5, 1));
	KUNIT_EXPECT_TRUE(test, mem_carve_poisoned(carve, 0, nr_pages_of(carve)));
	KUNIT_EXPECT_FALSE(test, mem_carve_poisoned(carve, 0, 5));
	KUNIT_EXPECT_FALSE(test, mem_carve_poisoned(carve, 6, nr_pages_of(carve) - 6));

	KUNIT_EXPECT_EQ(test, mem_carve_free(carve), 0);
	KUNIT_EXPECT_EQ(test, carved(), before);
	KUNIT_EXPECT_FALSE(test, PageBuddy(page));
	if (stays_out) {
		KUNIT_EXPECT_FALSE(test, readable(page));
		KUNIT_EXPECT_TRUE(test, readable(page - 1));
		KUNIT_EXPECT_TRUE(test, readable(page + 1));
		KUNIT_ASSERT_EQ(test, mem_carve_map(page_to_nid(page),
						    PFN_PHYS(page_to_pfn(page)),
						    PAGE_SIZE), 0);
	}

	/* As unpoisoning does */
	ClearPageHWPoison(page);
	init_page_count(page);
	__free_page(page);
}
#endif

static atomic_t map_failures;

static int cannot_map(int nid, u64 start, u64 size)
{
	atomic_inc(&map_failures);
	return -ENOMEM;
}

static void mapping_fails(struct kunit *test)
{
	const struct ability able = find_out(test);
	const long before = carved();
	struct mem_carve *carve;

	if (able.flags)
		kunit_skip(test, "the memory stays mapped on this machine");

	carve = take(test, able.unit, 0);
	fill(test, nth_page_of(carve, 1));
	kunit_activate_static_stub(test, mem_carve_map, cannot_map);
	KUNIT_EXPECT_EQ(test, mem_carve_free(carve), -ENOMEM);
	KUNIT_EXPECT_EQ(test, mem_carve_free(carve), -ENOMEM);
	KUNIT_EXPECT_FALSE(test, mem_carve_mapped(carve));
	KUNIT_EXPECT_EQ(test, bad_page(carve), -1);
	KUNIT_EXPECT_EQ(test, carved() - before, nr_pages_of(carve));
	kunit_deactivate_static_stub(test, mem_carve_map);
	KUNIT_EXPECT_EQ(test, mem_carve_free(carve), 0);
	KUNIT_EXPECT_EQ(test, carved(), before);
}

static void returned_later(struct kunit *test)
{
	const struct ability able = find_out(test);
	const long before = carved();
	struct mem_carve *carve;
	int seconds;

	if (able.flags)
		kunit_skip(test, "the memory stays mapped on this machine");

	carve = take(test, able.unit, 0);
	atomic_set(&map_failures, 0);
	kunit_activate_static_stub(test, mem_carve_map, cannot_map);
	mem_carve_return(carve);
	KUNIT_EXPECT_EQ(test, atomic_read(&map_failures), 1);
	KUNIT_EXPECT_NE(test, carved(), before);

	/* Its thread is not of this test, so that nothing fails there. */
	for (seconds = 0; seconds < 60 && carved() != before; seconds++)
		msleep(1000);
	KUNIT_EXPECT_EQ(test, carved(), before);
	KUNIT_EXPECT_EQ(test, atomic_read(&map_failures), 1);
}

static bool overlap(struct mem_carve *a, struct mem_carve *b)
{
	return mem_carve_start(a) < mem_carve_start(b) + mem_carve_size(b) &&
	       mem_carve_start(b) < mem_carve_start(a) + mem_carve_size(a);
}

#define MOST 6

static void at_random(struct kunit *test)
{
	const struct ability able = find_out(test);
	/* A small machine has a few large units. */
	const bool large = able.unit > SZ_32M;
	const int most = large ? 2 : MOST, steps = large ? 40 : 200;
	const long before = carved();
	struct mem_carve *taken[MOST] = {}, *carve;
	int count[MOST];
	struct rnd_state rnd;
	int i, n, step, full = 0;
	long pages = 0;

	seed_random(test, &rnd);
	for (step = 0; step < steps; step++) {
		n = below(&rnd, most);
		if (taken[n]) {
			KUNIT_EXPECT_EQ(test, bad_page_of(taken[n], count[n]), -1);
			pages -= nr_pages_of(taken[n]);
			KUNIT_EXPECT_EQ(test, mem_carve_free(taken[n]), 0);
			taken[n] = NULL;
		} else {
			u64 size = able.unit * (1 + below(&rnd, large ? 2 : 5));

			count[n] = !mem_carve_can_share_memmap() || below(&rnd, 2);
			carve = mem_carve_alloc(first_memory_node, size, able.flags |
						(count[n] ? 0 : MEM_CARVE_FREE_MEMMAP));
			if (IS_ERR(carve)) {
				KUNIT_EXPECT_PTR_EQ(test, carve, ERR_PTR(-ENOMEM));
				full++;
				continue;
			}
			KUNIT_EXPECT_EQ(test, mem_carve_size(carve), size);
			KUNIT_EXPECT_TRUE(test, IS_ALIGNED(mem_carve_start(carve), size & -size));
			for (i = 0; i < MOST; i++)
				KUNIT_EXPECT_FALSE(test, taken[i] && overlap(taken[i], carve));
			taken[n] = carve;
			pages += nr_pages_of(carve);
			i = below(&rnd, nr_pages_of(carve));
			expect_zeroed(test, nth_page_of(carve, i));
			fill(test, nth_page_of(carve, i));
		}
		KUNIT_ASSERT_EQ(test, carved() - before, pages);
	}
	for (n = 0; n < MOST; n++)
		if (taken[n])
			KUNIT_EXPECT_EQ(test, mem_carve_free(taken[n]), 0);
	KUNIT_EXPECT_EQ(test, carved(), before);
	kunit_info(test, "%d of %d steps found no memory\n", full, steps);
	KUNIT_EXPECT_LT(test, full, steps / 2);
}

static struct kunit_case mem_carve_cases[] = {
	KUNIT_CASE(arguments),
	KUNIT_CASE(pages),
	KUNIT_CASE(unmapping_fails),
	KUNIT_CASE(in_use),
	KUNIT_CASE(shared_memmap),
#ifdef CONFIG_MEMORY_FAILURE
	KUNIT_CASE(poisoned),
#endif
	KUNIT_CASE(mapping_fails),
	KUNIT_CASE_SLOW(returned_later),
	KUNIT_CASE_SLOW(at_random),
	{}
};

static struct kunit_suite mem_carve_suite = {
	.name = "mem_carve",
	.test_cases = mem_carve_cases,
};

kunit_test_suite(mem_carve_suite);

MODULE_DESCRIPTION("KUnit tests of taking memory out of the kernel");
MODULE_LICENSE("GPL");
