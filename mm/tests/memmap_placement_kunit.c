// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of memmap placements: what is laid out where, against a model that
 * counts pages one by one, and which memory blocks may go online and offline when,
 * against one that knows where the struct pages of each are.
 */
#include <kunit/test.h>
#include <linux/array_size.h>
#include <linux/bitmap.h>
#include <linux/kernel.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../memmap_placement.h"
#include "seed.h"

#define MAX_BLOCKS 10000

/* ---- layout ---- */

/**
 * struct layout_case - a layout that somebody worked out
 * @name: the machine
 * @page: bytes in a page
 * @struct_size: bytes in a struct page
 * @block: bytes in a memory block
 * @pageblock: bytes in a pageblock
 * @nr_blocks: memory blocks in the range
 * @per_block: pages of memmap in each memory block, 0: cannot be
 * @force: pages not for use in each memory block, 0: cannot be
 * @leading: pages not for use at the start of the range, 0: cannot be
 */
struct layout_case {
	const char *name;
	unsigned long page;
	unsigned long struct_size;
	unsigned long block;
	unsigned long pageblock;
	unsigned long nr_blocks;
	unsigned long per_block;
	unsigned long force;
	unsigned long leading;
};

static const struct layout_case layout_cases[] = {
	{ "x86_64, 128 MiB",
	  SZ_4K, 64, SZ_128M, SZ_2M, 1, 512, 512, 512 },
	{ "x86_64, 1 GiB",
	  SZ_4K, 64, SZ_128M, SZ_2M, 8, 512, 512, 4096 },
	{ "x86_64, 8 GiB: the first memory block is all memmap",
	  SZ_4K, 64, SZ_128M, SZ_2M, 64, 512, 512, 32768 },
	{ "x86_64, 64 GiB",
	  SZ_4K, 64, SZ_128M, SZ_2M, 512, 512, 512, 262144 },
	{ "x86_64, 2 GiB blocks",
	  SZ_4K, 64, SZ_2G, SZ_2M, 32, 8192, 8192, 262144 },
	{ "x86_64, struct page of 80 bytes, 128 MiB",
	  SZ_4K, 80, SZ_128M, SZ_2M, 1, 0, 1024, 1024 },
	{ "x86_64, struct page of 80 bytes, 384 MiB",
	  SZ_4K, 80, SZ_128M, SZ_2M, 3, 0, 1024, 2048 },
	{ "x86_64, struct page of 80 bytes, 8 GiB",
	  SZ_4K, 80, SZ_128M, SZ_2M, 64, 0, 1024, 40960 },
	{ "arm64, 16 KiB pages, 128 MiB",
	  SZ_16K, 64, SZ_128M, SZ_32M, 1, 0, 2048, 0 },
	{ "arm64, 16 KiB pages, 8 GiB",
	  SZ_16K, 64, SZ_128M, SZ_32M, 64, 0, 2048, 2048 },
	{ "arm64, 16 KiB pages, 8.125 GiB",
	  SZ_16K, 64, SZ_128M, SZ_32M, 65, 0, 2048, 4096 },
	{ "arm64, 64 KiB pages, 4 GiB",
	  SZ_64K, 64, SZ_512M, SZ_512M, 8, 0, 0, 0 },
	{ "arm64, 64 KiB pages, 16 GiB",
	  SZ_64K, 64, SZ_512M, SZ_512M, 32, 0, 0, 8192 },
	{ "ppc64le, 256 MiB",
	  SZ_64K, 64, SZ_256M, SZ_2M, 1, 0, 32, 32 },
	{ "ppc64le, 4 GiB",
	  SZ_64K, 64, SZ_256M, SZ_2M, 16, 0, 32, 64 },
	{ "ppc64le, 16 MiB: part of a page",
	  SZ_64K, 72, SZ_16M, SZ_2M, 16, 0, 0, 0 },
};

static unsigned long hosting(const struct layout_case *c, enum memmap_place place,
			     bool pad)
{
	const struct memmap_geometry geometry = {
		.page_size = c->page,
		.struct_size = c->struct_size,
		.block_pages = c->block / c->page,
		.pageblock_pages = c->pageblock / c->page,
	};
	struct memmap_layout layout;

	if (memmap_layout(&geometry, place, pad, c->nr_blocks, &layout))
		return 0;
	return layout.hosting;
}

static void layout_table_test(struct kunit *test)
{
	const struct layout_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, hosting(c, MEMMAP_PER_BLOCK, false), c->per_block);
	KUNIT_EXPECT_EQ(test, hosting(c, MEMMAP_PER_BLOCK, true), c->force);
	KUNIT_EXPECT_EQ(test, hosting(c, MEMMAP_LEADING, false), c->leading);
	KUNIT_EXPECT_EQ(test, hosting(c, MEMMAP_LEADING, true), c->leading);
}

static void layout_case_name(const struct layout_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(layout_table, layout_cases, layout_case_name);

/* The model: fill pages with struct pages, then pageblocks with pages. */
static bool model_layout(const struct memmap_geometry *g, enum memmap_place place,
			 bool pad, unsigned long nr_blocks,
			 struct memmap_layout *layout)
{
	const unsigned long blocks = place == MEMMAP_LEADING ? nr_blocks : 1;
	unsigned long block, left = 0, spare;

	layout->used = 0;
	for (block = 0; block < blocks; block++) {
		for (left = g->block_pages * g->struct_size; left >= g->page_size;
		     left -= g->page_size)
			layout->used++;
		if (left)
			return false;
	}

	spare = 0;
	while ((layout->used + spare) % g->pageblock_pages)
		spare++;
	layout->hosting = layout->used + spare;
	if (spare && place == MEMMAP_PER_BLOCK && !pad)
		return false;
	if (place == MEMMAP_LEADING && spare * 16 > blocks * g->block_pages)
		return false;
	return layout->hosting < blocks * g->block_pages;
}

static void random_geometry(struct rnd_state *rnd, struct memmap_geometry *g)
{
	static const unsigned long pages[] = { SZ_4K, SZ_16K, SZ_64K };
	static const unsigned long structs[] = { 56, 64, 72, 80, 88, 96, 128 };

	g->page_size = pages[below(rnd, ARRAY_SIZE(pages))];
	g->struct_size = structs[below(rnd, ARRAY_SIZE(structs))];
	/* 16 MiB, which is a section of powerpc, to 2 GiB */
	g->block_pages = SZ_16M / g->page_size << below(rnd, 8);
	do {
		g->pageblock_pages = 1UL << (5 + below(rnd, 9));
	} while (g->pageblock_pages > g->block_pages);
}

/* From one memory block to 10,000, and small numbers as often as large ones */
static unsigned long random_blocks(struct rnd_state *rnd)
{
	static const unsigned long limits[] = { 1, 4, 16, 100, 1000, MAX_BLOCKS };

	return 1 + below(rnd, limits[below(rnd, ARRAY_SIZE(limits))]);
}

static void layout_random_test(struct kunit *test)
{
	unsigned long done[MEMMAP_LEADING + 1] = {};
	struct rnd_state rnd;
	int i;

	seed_random(test, &rnd);
	for (i = 0; i < 3000; i++) {
		const enum memmap_place place = below(&rnd, 2) ? MEMMAP_LEADING :
							       MEMMAP_PER_BLOCK;
		const bool pad = below(&rnd, 2);
		const unsigned long nr_blocks = random_blocks(&rnd);
		struct memmap_layout layout, model;
		struct memmap_geometry g;
		bool can;

		/* The model is slow, and so are some machines. */
		cond_resched();
		random_geometry(&rnd, &g);
		can = model_layout(&g, place, pad, nr_blocks, &model);
		KUNIT_ASSERT_EQ_MSG(test, can,
				    !memmap_layout(&g, place, pad, nr_blocks, &layout),
				    "page %lu struct %lu block %lu pageblock %lu blocks %lu place %d pad %d",
				    g.page_size, g.struct_size, g.block_pages,
				    g.pageblock_pages, nr_blocks, place, pad);
		if (!can)
			continue;
		KUNIT_ASSERT_EQ(test, model.used, layout.used);
		KUNIT_ASSERT_EQ(test, model.hosting, layout.hosting);
		done[place]++;
	}
	/* Not all may be refused: then nothing was tested. */
	KUNIT_EXPECT_GT(test, done[MEMMAP_PER_BLOCK], 100);
	KUNIT_EXPECT_GT(test, done[MEMMAP_LEADING], 100);
}

/* ---- memory blocks ---- */

#define FIRST_PFN 0x100000UL

/**
 * struct hosted_range - a range that hosts its memmap, as the code sees it and as it is
 * @placement: what the code under test is given
 * @geometry: the sizes
 * @layout: what it was laid out as
 * @nr_blocks: memory blocks
 * @online: which of them are
 */
struct hosted_range {
	struct memmap_placement *placement;
	struct memmap_geometry geometry;
	struct memmap_layout layout;
	unsigned long nr_blocks;
	unsigned long *online;
};

static unsigned long block_pfn(const struct hosted_range *range, unsigned long block)
{
	return FIRST_PFN + block * range->geometry.block_pages;
}

static struct memmap_placement *
new_placement(unsigned long end_pfn, unsigned long block_pages,
	      const struct memmap_layout *layout)
{
	struct memmap_placement template = {
		.altmap = {
			.base_pfn = FIRST_PFN,
			.end_pfn = end_pfn,
		},
		.place = MEMMAP_LEADING,
		.block_pages = block_pages,
	};

	memmap_placement_init(&template, layout);
	return kmemdup(&template, sizeof(template), GFP_KERNEL);
}

/* A range of at most that many memory blocks; false if it cannot be leading. */
static bool random_range(struct kunit *test, struct rnd_state *rnd,
			 unsigned long max_blocks, struct hosted_range *range)
{
	random_geometry(rnd, &range->geometry);
	range->nr_blocks = min(random_blocks(rnd), max_blocks);
	if (memmap_layout(&range->geometry, MEMMAP_LEADING, false,
			  range->nr_blocks, &range->layout))
		return false;

	range->placement = new_placement(block_pfn(range, range->nr_blocks) - 1,
					 range->geometry.block_pages,
					 &range->layout);
	range->online = bitmap_zalloc(MAX_BLOCKS, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, range->placement);
	KUNIT_ASSERT_NOT_NULL(test, range->online);
	return true;
}

static void free_range(struct hosted_range *range)
{
	kfree(range->placement);
	bitmap_free(range->online);
}

/* How much of each memory block is memmap: all of it adds up, in order. */
static void hosted_test(struct kunit *test)
{
	unsigned long seen[3] = {};
	struct rnd_state rnd;
	struct hosted_range range;
	int i;

	seed_random(test, &rnd);
	for (i = 0; i < 1000; i++) {
		unsigned long block, hosted, left;

		if (!random_range(test, &rnd, MAX_BLOCKS, &range))
			continue;
		left = range.layout.hosting;
		for (block = 0; block < range.nr_blocks; block++) {
			hosted = memmap_placement_hosted(range.placement,
							 block_pfn(&range, block));
			if (left >= range.geometry.block_pages) {
				KUNIT_ASSERT_EQ(test, hosted, range.geometry.block_pages);
				seen[0]++;
			} else {
				KUNIT_ASSERT_EQ(test, hosted, left);
				seen[left ? 1 : 2]++;
			}
			KUNIT_ASSERT_EQ(test, hosted % range.geometry.pageblock_pages, 0);
			left -= hosted;
		}
		KUNIT_ASSERT_EQ(test, left, 0);
		KUNIT_ASSERT_EQ(test, memmap_placement_end(range.placement),
				block_pfn(&range, range.nr_blocks));
		free_range(&range);
	}
	/* memory blocks that are all memmap, partly, and not at all */
	KUNIT_EXPECT_GT(test, seen[0], 100);
	KUNIT_EXPECT_GT(test, seen[1], 100);
	KUNIT_EXPECT_GT(test, seen[2], 100);
}

/* The memory blocks that hold struct pages of @block: from *first to *last */
static void struct_pages_at(const struct hosted_range *range, unsigned long block,
			    unsigned long *first, unsigned long *last)
{
	const unsigned long bytes = range->geometry.block_pages *
				    range->geometry.struct_size;
	const unsigned long block_bytes = range->geometry.block_pages *
					  range->geometry.page_size;

	*first = block * bytes / block_bytes;
	*last = ((block + 1) * bytes - 1) / block_bytes;
}

/* Everything that is online has its struct pages in memory that is. */
static void check_struct_pages(struct kunit *test, const struct hosted_range *range)
{
	unsigned long block, first, last;

	for_each_set_bit(block, range->online, range->nr_blocks) {
		struct_pages_at(range, block, &first, &last);
		for (; first <= last; first++)
			KUNIT_ASSERT_TRUE_MSG(test, test_bit(first, range->online),
					      "memory block %lu is online, %lu is not",
					      block, first);
	}
}

/* The model of who needs whom: memory blocks that come after one that hosts */
static unsigned long model_dependents(const struct hosted_range *range, unsigned long block)
{
	unsigned long nr = 0, other;

	if (block * range->geometry.block_pages >= range->layout.hosting)
		return 0;
	for (other = block + 1; other < range->nr_blocks; other++)
		nr += test_bit(other, range->online);
	return nr;
}

/* The model of who is online for nobody: the last one online, if it is all memmap */
static long model_idle_host(const struct hosted_range *range)
{
	const unsigned long last = find_last_bit(range->online, range->nr_blocks);

	if (last >= range->nr_blocks)
		return -1;
	return (last + 1) * range->geometry.block_pages <= range->layout.hosting ?
	       last : -1;
}

/* Hosts that came online for others go when these have gone. */
static void check_idle_hosts(struct kunit *test, struct hosted_range *range,
			     bool take_offline)
{
	unsigned long pfn;
	long idle;

	do {
		idle = model_idle_host(range);
		KUNIT_ASSERT_EQ(test, idle >= 0,
				memmap_placement_idle_host(range->placement, &pfn));
		if (idle < 0)
			return;
		KUNIT_ASSERT_EQ(test, pfn, block_pfn(range, idle));
		if (!take_offline)
			return;
		clear_bit(idle, range->online);
		memmap_placement_offlined(range->placement, pfn);
		check_struct_pages(test, range);
	} while (1);
}

/* As the memory block driver does it: hosts first. */
static void go_online(struct kunit *test, struct hosted_range *range, unsigned long block)
{
	unsigned long first_pfn = 0, nr, host;

	nr = memmap_placement_hosts(range->placement, block_pfn(range, block),
				    &first_pfn);
	KUNIT_ASSERT_LE(test, nr, block);
	if (nr)
		KUNIT_ASSERT_EQ(test, first_pfn, FIRST_PFN);
	for (host = 0; host <= nr; host++) {
		/* the last one is the memory block itself */
		if (host == nr)
			host = block;
		if (test_and_set_bit(host, range->online))
			continue;
		memmap_placement_onlined(range->placement, block_pfn(range, host));
		check_struct_pages(test, range);
	}
}

static void order_test(struct kunit *test)
{
	unsigned long refused = 0, ranges = 0, multi = 0, left;
	struct rnd_state rnd;
	struct hosted_range range;
	int i, step;

	seed_random(test, &rnd);
	for (i = 0; i < 300; i++) {
		if (!random_range(test, &rnd, 300, &range))
			continue;
		ranges++;
		multi += range.placement->nr_hosts > 1;
		for (step = 0; step < 100; step++) {
			/* hosts more often than chance would */
			const unsigned long block = below(&rnd, below(&rnd, 3) ?
				range.nr_blocks :
				min(range.nr_blocks, range.placement->nr_hosts + 1));
			unsigned long dependents, pfn;

			if (!test_bit(block, range.online)) {
				go_online(test, &range, block);
				continue;
			}
			pfn = block_pfn(&range, block);
			dependents = memmap_placement_dependents(range.placement,
								 pfn);
			KUNIT_ASSERT_EQ(test, dependents,
					model_dependents(&range, block));
			if (dependents) {
				refused++;
				continue;
			}
			clear_bit(block, range.online);
			memmap_placement_offlined(range.placement, pfn);
			check_struct_pages(test, &range);
			check_idle_hosts(test, &range, below(&rnd, 2));
		}
		/* From the end, nothing is in the way, and nothing is left. */
		for (step = range.nr_blocks - 1; step >= 0; step--) {
			if (!test_bit(step, range.online))
				continue;
			left = memmap_placement_dependents(range.placement,
							   block_pfn(&range, step));
			KUNIT_ASSERT_EQ(test, left, 0);
			memmap_placement_offlined(range.placement,
						  block_pfn(&range, step));
		}
		KUNIT_ASSERT_EQ(test, range.placement->hosts_online, 0);
		KUNIT_ASSERT_EQ(test, range.placement->users_online, 0);
		free_range(&range);
	}
	KUNIT_EXPECT_GT(test, ranges, 50);
	KUNIT_EXPECT_GT(test, multi, 5);
	KUNIT_EXPECT_GT(test, refused, 100);
}

/* Removal is of all, and of more than all. */
static void within_test(struct kunit *test)
{
	struct memmap_placement placement = {
		.altmap = {
			.base_pfn = FIRST_PFN,
			.end_pfn = FIRST_PFN + 99,
		},
	};

	KUNIT_EXPECT_TRUE(test, memmap_placement_within(&placement, FIRST_PFN,
							FIRST_PFN + 100));
	KUNIT_EXPECT_TRUE(test, memmap_placement_within(&placement, FIRST_PFN - 1,
							FIRST_PFN + 101));
	KUNIT_EXPECT_FALSE(test, memmap_placement_within(&placement, FIRST_PFN + 1,
							 FIRST_PFN + 100));
	KUNIT_EXPECT_FALSE(test, memmap_placement_within(&placement, FIRST_PFN,
							 FIRST_PFN + 99));
	KUNIT_EXPECT_TRUE(test, memmap_placement_within(NULL, FIRST_PFN, FIRST_PFN + 1));
}

/* Memory whose memmap is in system RAM has no placement to ask. */
static void system_test(struct kunit *test)
{
	unsigned long first_pfn = 0;

	KUNIT_EXPECT_EQ(test, memmap_placement_of(NULL), MEMMAP_SYSTEM);
	KUNIT_EXPECT_NULL(test, memmap_placement_altmap(NULL));
	KUNIT_EXPECT_EQ(test, memmap_placement_hosted(NULL, FIRST_PFN), 0);
	KUNIT_EXPECT_EQ(test, memmap_placement_hosts(NULL, FIRST_PFN, &first_pfn), 0);
	KUNIT_EXPECT_EQ(test, memmap_placement_dependents(NULL, FIRST_PFN), 0);
	KUNIT_EXPECT_FALSE(test, memmap_placement_idle_host(NULL, &first_pfn));
	memmap_placement_onlined(NULL, FIRST_PFN);
	memmap_placement_offlined(NULL, FIRST_PFN);
}

static struct kunit_case memmap_placement_cases[] = {
	KUNIT_CASE_PARAM(layout_table_test, layout_table_gen_params),
	KUNIT_CASE_SLOW(layout_random_test),
	KUNIT_CASE_SLOW(hosted_test),
	KUNIT_CASE_SLOW(order_test),
	KUNIT_CASE(within_test),
	KUNIT_CASE(system_test),
	{}
};

static struct kunit_suite memmap_placement_suite = {
	.name = "memmap_placement",
	.test_cases = memmap_placement_cases,
};

kunit_test_suites(&memmap_placement_suite);

MODULE_DESCRIPTION("KUnit tests of memmap placements");
MODULE_LICENSE("GPL");
