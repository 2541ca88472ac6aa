// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of device memory: device private ranges, which need no real
 * memory, come and go in all shapes, sizes and orders. After each step all that
 * can be seen of them is compared with a simple model: a list of ranges.
 */
#include <kunit/test.h>
#include <linux/async.h>
#include <linux/ioport.h>
#include <linux/math.h>
#include <linux/memblock.h>
#include <linux/memory_hotplug.h>
#include <linux/memremap.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/overflow.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/vmstat.h>

#include "../zone_extents.h"
#include "seed.h"

/*
 * Everything happens in one region of the address space that nobody uses. Sizes
 * and offsets in it are in bytes and made of these two. A section is 16 MiB on
 * powerpc, 128 MiB on x86 and 128 or 512 MiB on arm64; a subsection is 2 MiB.
 */
#define SEC(n)		((n) * (1UL << PA_SECTION_SHIFT))
#define SUB(n)		((n) * SUBSECTION_SIZE)

#define REGION_SIZE	MAX(SEC(8), 4UL * SZ_128M)
#define REGION_SECTIONS	(REGION_SIZE / SEC(1))
#define REGION_SUBS	(REGION_SIZE / SUB(1))

/* The shapes below use up to seven subsections of one section. */
static_assert(SEC(1) >= SUB(8));

#define MAX_RANGES	3	/* of one pagemap */
#define MAX_MAPS	64	/* at one time */

/* A range in the region; none if it is empty. */
struct piece {
	unsigned long offset;
	unsigned long size;
};

/* Pfns from start up to, not including, end */
struct pfn_range {
	unsigned long start;
	unsigned long end;
};

/**
 * struct fixture - what a test works on
 * @nid: the node that all memory is added to
 * @zone: ZONE_DEVICE of that node
 * @region: the claimed region
 * @start_pfn: where it starts
 * @maps: the pagemaps that are there; a slot without one is %NULL
 * @owner: the slot that each subsection of the region belongs to, or -1
 * @others: extents of @zone before the test, which stay
 * @nr_others: number of @others
 * @model: room for the extents that @zone should have
 * @node_start: where the span of the node began before the test (pfn)
 * @node_end: where the span of the node ended before the test (pfn)
 * @nr_pinned: &zone_extents.nr_pinned before the test
 * @present: present pages of @zone before the test
 * @memmap: nr_memmap_pages before the test
 * @boot_memmap: nr_memmap_boot_pages before the test
 * @max_pfn: max_pfn before the test
 * @below_online: was the section below the region online?
 * @above_online: was the section above the region online?
 */
struct fixture {
	int nid;
	struct zone *zone;
	struct resource *region;
	unsigned long start_pfn;
	struct dev_pagemap *maps[MAX_MAPS];
	s8 owner[REGION_SUBS];
	struct pfn_range *others;
	unsigned long nr_others;
	struct pfn_range *model;
	unsigned long node_start;
	unsigned long node_end;
	unsigned long nr_pinned;
	unsigned long present;
	long memmap;
	long boot_memmap;
	unsigned long max_pfn;
	bool below_online;
	bool above_online;
};

static vm_fault_t never_migrated(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static void never_freed(struct page *page)
{
}

static const struct dev_pagemap_ops private_ops = {
	.migrate_to_ram = never_migrated,
	.page_free = never_freed,
};

static unsigned long sub_to_pfn(const struct fixture *fx, unsigned long sub)
{
	return fx->start_pfn + sub * PAGES_PER_SUBSECTION;
}

static struct pfn_range pfn_range_of(const struct range *range)
{
	return (struct pfn_range){ PHYS_PFN(range->start),
				   PHYS_PFN(range->end) + 1 };
}

static bool section_online(unsigned long pfn)
{
	unsigned long nr = pfn_to_section_nr(pfn);

	return nr < NR_MEM_SECTIONS && online_section_nr(nr);
}

/* The model of the extents */

static int compare_ranges(const void *a, const void *b)
{
	const struct pfn_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* What was there before and what is there now, in order, neighbours merged */
static unsigned long model_extents(struct fixture *fx)
{
	unsigned long i, nr = fx->nr_others, out = 0;
	struct pfn_range *model = fx->model;
	int slot, r;

	memcpy(model, fx->others, nr * sizeof(*model));
	for (slot = 0; slot < MAX_MAPS; slot++)
		for (r = 0; fx->maps[slot] && r < fx->maps[slot]->nr_range; r++)
			model[nr++] = pfn_range_of(&fx->maps[slot]->ranges[r]);
	if (!nr)
		return 0;

	sort(model, nr, sizeof(*model), compare_ranges, NULL);
	for (i = 1; i < nr; i++) {
		if (model[out].end == model[i].start)
			model[out].end = model[i].end;
		else
			model[++out] = model[i];
	}
	return out + 1;
}

static unsigned long model_nr_ranges(const struct fixture *fx)
{
	unsigned long nr = 0;
	int slot;

	for (slot = 0; slot < MAX_MAPS; slot++)
		if (fx->maps[slot])
			nr += fx->maps[slot]->nr_range;
	return nr;
}

static void check_extents(struct kunit *test, struct fixture *fx)
{
	const struct zone_extents *ze = &fx->zone->extents;
	const struct zone_extent *extent = zone_extents_first(ze);
	unsigned long i, nr = model_extents(fx);
	unsigned long start = 0, end = 0;

	KUNIT_EXPECT_EQ(test, ze->nr, nr);
	for (i = 0; i < nr && extent; i++) {
		KUNIT_EXPECT_EQ(test, extent->start_pfn, fx->model[i].start);
		KUNIT_EXPECT_EQ(test, extent->end_pfn, fx->model[i].end);
		KUNIT_EXPECT_TRUE(test, zone_extents_contain(ze, fx->model[i].start,
							     fx->model[i].end));
		extent = zone_extents_next(extent);
	}
	KUNIT_EXPECT_EQ(test, ze->nr_pinned, fx->nr_pinned + model_nr_ranges(fx));

	/* The span of the zone, which has no boot memory, and nothing else */
	if (nr) {
		start = fx->model[0].start;
		end = fx->model[nr - 1].end;
	}
	KUNIT_EXPECT_EQ(test, fx->zone->zone_start_pfn, start);
	KUNIT_EXPECT_EQ(test, zone_end_pfn(fx->zone), end);
	zone_extents_span(ze, &start, &end);
	KUNIT_EXPECT_EQ(test, fx->zone->zone_start_pfn, start);
	KUNIT_EXPECT_EQ(test, zone_end_pfn(fx->zone), end);

	KUNIT_EXPECT_FALSE(test, fx->zone->contiguous);
	KUNIT_EXPECT_EQ(test, fx->zone->present_pages, fx->present);
}

/* The span of the node: what its zones span together */
static void check_node_span(struct kunit *test, const struct fixture *fx)
{
	struct pglist_data *pgdat = NODE_DATA(fx->nid);
	unsigned long start = ULONG_MAX, end = 0;
	int i;

	for (i = 0; i < MAX_NR_ZONES; i++) {
		const struct zone *zone = &pgdat->node_zones[i];

		if (!zone->spanned_pages)
			continue;
		start = min(start, zone->zone_start_pfn);
		end = max(end, zone_end_pfn(zone));
	}
	KUNIT_EXPECT_EQ(test, pgdat->node_start_pfn, end ? start : 0);
	KUNIT_EXPECT_EQ(test, pgdat_end_pfn(pgdat), end);

	if (!model_nr_ranges(fx)) {
		KUNIT_EXPECT_EQ(test, pgdat->node_start_pfn, fx->node_start);
		KUNIT_EXPECT_EQ(test, pgdat_end_pfn(pgdat), fx->node_end);
	}
}

/* nr_memmap_pages: the memmap of each range, in pieces of up to a section */
static void check_memmap_size(struct kunit *test, const struct fixture *fx)
{
	unsigned long bytes = 0;
	int slot, r;

	for (slot = 0; slot < MAX_MAPS; slot++)
		for (r = 0; fx->maps[slot] && r < fx->maps[slot]->nr_range; r++)
			bytes += PHYS_PFN(range_len(&fx->maps[slot]->ranges[r])) *
				 sizeof(struct page);

	/*
	 * With large pages, the memmap of a subsection does not fill one: how
	 * such pages are counted is not for this test to say, except that there
	 * must be none when all ranges have gone.
	 */
	if (!bytes || IS_ALIGNED(PAGES_PER_SUBSECTION * sizeof(struct page), PAGE_SIZE))
		KUNIT_EXPECT_EQ(test, atomic_long_read(&nr_memmap_pages),
				fx->memmap + (long)(bytes >> PAGE_SHIFT));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&nr_memmap_boot_pages),
			fx->boot_memmap);
}

/* What ends up in a struct page that was made for a range, and stays there. */
static void *cookie(const struct dev_pagemap *pgmap, unsigned long pfn)
{
	return (void *)((unsigned long)pgmap ^ pfn);
}

static const char *page_problem(const struct fixture *fx,
				const struct dev_pagemap *pgmap, unsigned long pfn)
{
	const struct page *page = pfn_to_page(pfn);

	if (page->pgmap != pgmap)
		return "links to another pagemap";
	if (page_zonenum(page) != ZONE_DEVICE || page_to_nid(page) != fx->nid)
		return "links to another zone";
	if (page_ref_count(page))
		return "is in use";
	if (page->zone_device_data != cookie(pgmap, pfn))
		return "has lost its data";
	return NULL;
}

static const char *pfn_problem(const struct fixture *fx,
			       struct dev_pagemap *expected, unsigned long pfn)
{
	struct dev_pagemap *found = get_dev_pagemap(pfn, NULL);

	put_dev_pagemap(found);
	if (found != expected)
		return "is found in the wrong pagemap, or in none";
	if (!!pfn_valid(pfn) != !!expected)
		return expected ? "is not valid" : "is still valid";
	if (pfn_to_online_page(pfn))
		return "is online";
	return expected ? page_problem(fx, expected, pfn) : NULL;
}

/* The first and the last page of each subsection, whoever has it or nobody */
static void check_pages(struct kunit *test, const struct fixture *fx)
{
	unsigned long sub, pfn;
	const char *problem;

	for (sub = 0; sub < REGION_SUBS; sub++) {
		int slot = fx->owner[sub];
		struct dev_pagemap *expected = slot < 0 ? NULL : fx->maps[slot];

		pfn = sub_to_pfn(fx, sub);
		problem = pfn_problem(fx, expected, pfn);
		if (!problem) {
			pfn += PAGES_PER_SUBSECTION - 1;
			problem = pfn_problem(fx, expected, pfn);
		}
		if (problem) {
			KUNIT_FAIL(test, "pfn %#lx, at subsection %lu of the region, %s",
				   pfn, sub, problem);
			return;
		}
	}
}

/* A section is there for as long as one of its subsections is, never online. */
static void check_sections(struct kunit *test, const struct fixture *fx)
{
	const unsigned long subs = SEC(1) / SUB(1);
	unsigned long i, sub, pfn;

	for (i = 0; i < REGION_SECTIONS; i++) {
		bool used = false;

		for (sub = i * subs; sub < (i + 1) * subs; sub++)
			used |= fx->owner[sub] >= 0;
		pfn = fx->start_pfn + i * PAGES_PER_SECTION;
		KUNIT_EXPECT_EQ_MSG(test, !!valid_section(__pfn_to_section(pfn)), used,
				    "section %lu of the region", i);
		KUNIT_EXPECT_FALSE_MSG(test, section_online(pfn),
				       "section %lu of the region", i);
	}
	KUNIT_EXPECT_EQ(test, section_online(fx->start_pfn - 1), fx->below_online);
	KUNIT_EXPECT_EQ(test, section_online(sub_to_pfn(fx, REGION_SUBS)),
			fx->above_online);
}

/* All there is to see is as the list of ranges says. */
static void check_all(struct kunit *test, struct fixture *fx)
{
	get_online_mems();
	check_extents(test, fx);
	check_node_span(test, fx);
	put_online_mems();

	check_memmap_size(test, fx);
	check_pages(test, fx);
	check_sections(test, fx);

	/* The claim is the driver's: nobody else puts anything there. */
	KUNIT_EXPECT_NULL(test, fx->region->child);
	/* Memory that no device can be told to access is no limit for DMA. */
	KUNIT_EXPECT_EQ(test, max_pfn, fx->max_pfn);
	cond_resched();
}

/* Adding and removing, in the kernel and in the model */

static struct dev_pagemap *new_pagemap(const struct fixture *fx,
				       const struct piece *pieces)
{
	struct dev_pagemap *pgmap;
	int i;

	pgmap = kzalloc(struct_size(pgmap, ranges, MAX_RANGES), GFP_KERNEL);
	if (!pgmap)
		return NULL;
	pgmap->type = MEMORY_DEVICE_PRIVATE;
	pgmap->ops = &private_ops;
	pgmap->owner = pgmap;
	for (i = 0; i < MAX_RANGES && pieces[i].size; i++) {
		pgmap->ranges[i].start = fx->region->start + pieces[i].offset;
		pgmap->ranges[i].end = pgmap->ranges[i].start + pieces[i].size - 1;
	}
	pgmap->nr_range = i;
	return pgmap;
}

static void set_owner(struct fixture *fx, const struct range *range, int slot)
{
	unsigned long sub = (range->start - fx->region->start) / SUB(1);

	memset(&fx->owner[sub], slot, range_len(range) / SUB(1));
}

static void mark_pages(const struct dev_pagemap *pgmap)
{
	unsigned long pfn, last;
	int i;

	for (i = 0; i < pgmap->nr_range; i++) {
		struct pfn_range range = pfn_range_of(&pgmap->ranges[i]);

		for (pfn = range.start; pfn < range.end; pfn += PAGES_PER_SUBSECTION) {
			last = pfn + PAGES_PER_SUBSECTION - 1;
			pfn_to_page(pfn)->zone_device_data = cookie(pgmap, pfn);
			pfn_to_page(last)->zone_device_data = cookie(pgmap, last);
		}
	}
}

static int add_map(struct fixture *fx, int slot, const struct piece *pieces)
{
	struct dev_pagemap *pgmap = new_pagemap(fx, pieces);
	void *mapped;
	int i;

	if (!pgmap)
		return -ENOMEM;
	mapped = memremap_pages(pgmap, fx->nid);
	if (IS_ERR(mapped)) {
		kfree(pgmap);
		return PTR_ERR(mapped);
	}
	mark_pages(pgmap);
	fx->maps[slot] = pgmap;
	for (i = 0; i < pgmap->nr_range; i++)
		set_owner(fx, &pgmap->ranges[i], slot);
	return 0;
}

static void remove_map(struct fixture *fx, int slot)
{
	struct dev_pagemap *pgmap = fx->maps[slot];
	int i;

	memunmap_pages(pgmap);
	for (i = 0; i < pgmap->nr_range; i++)
		set_owner(fx, &pgmap->ranges[i], -1);
	fx->maps[slot] = NULL;
	kfree(pgmap);
}

static int remember_others(struct kunit *test, struct fixture *fx)
{
	const struct zone_extents *ze = &fx->zone->extents;
	const struct zone_extent *extent;
	int err = -ENOMEM;

	get_online_mems();
	fx->others = kunit_kcalloc(test, ze->nr + 1, sizeof(*fx->others), GFP_KERNEL);
	fx->model = kunit_kcalloc(test, ze->nr + MAX_MAPS * MAX_RANGES,
				  sizeof(*fx->model), GFP_KERNEL);
	if (fx->others && fx->model) {
		for_each_zone_extent(extent, ze)
			fx->others[fx->nr_others++] = (struct pfn_range){
				extent->start_pfn, extent->end_pfn
			};
		fx->node_start = fx->zone->zone_pgdat->node_start_pfn;
		fx->node_end = pgdat_end_pfn(fx->zone->zone_pgdat);
		fx->nr_pinned = ze->nr_pinned;
		fx->present = fx->zone->present_pages;
		err = 0;
	}
	put_online_mems();
	return err;
}

static int set_up(struct kunit *test)
{
	struct fixture *fx = kunit_kzalloc(test, sizeof(*fx), GFP_KERNEL);

	if (!fx)
		return -ENOMEM;
	test->priv = fx;

	/* Persistent memory may still be on its way into the zone. */
	async_synchronize_full();

	fx->nid = numa_mem_id();
	fx->zone = &NODE_DATA(fx->nid)->node_zones[ZONE_DEVICE];
	fx->region = request_free_mem_region(&iomem_resource, REGION_SIZE,
					     "device_memory_kunit");
	if (IS_ERR(fx->region))
		return PTR_ERR(fx->region);
	fx->start_pfn = PHYS_PFN(fx->region->start);
	memset(fx->owner, -1, sizeof(fx->owner));

	fx->memmap = atomic_long_read(&nr_memmap_pages);
	fx->boot_memmap = atomic_long_read(&nr_memmap_boot_pages);
	fx->max_pfn = max_pfn;
	fx->below_online = section_online(fx->start_pfn - 1);
	fx->above_online = section_online(sub_to_pfn(fx, REGION_SUBS));
	return remember_others(test, fx);
}

/* Also after a test that was given up halfway */
static void tear_down(struct kunit *test)
{
	struct fixture *fx = test->priv;
	resource_size_t start;
	int slot;

	if (!fx || IS_ERR_OR_NULL(fx->region))
		return;
	for (slot = 0; slot < MAX_MAPS; slot++)
		if (fx->maps[slot])
			remove_map(fx, slot);

	start = fx->region->start;
	release_mem_region(start, REGION_SIZE);
	KUNIT_EXPECT_EQ(test, region_intersects(start, REGION_SIZE, 0, IORES_DESC_NONE),
			REGION_DISJOINT);
}

/* Shapes: each is added and removed in several orders. */

#define MAX_SHAPE_MAPS	6

struct shape {
	const char *name;
	struct piece maps[MAX_SHAPE_MAPS][MAX_RANGES];
};

#define MAP(...)	{ __VA_ARGS__ }
#define PIECE(at, bytes)	{ .offset = (at), .size = (bytes) }

static const struct shape shapes[] = {
	{ "a section", { MAP(PIECE(SEC(1), SEC(1))) } },
	{ "two sections", { MAP(PIECE(SEC(1), SEC(2))) } },
	{ "the whole region", { MAP(PIECE(0, REGION_SIZE)) } },
	{ "a subsection", { MAP(PIECE(SEC(1), SUB(1))) } },
	{ "a subsection at an odd offset", { MAP(PIECE(SEC(1) + SUB(3), SUB(1))) } },
	{ "the last subsection of a section", { MAP(PIECE(SEC(2) - SUB(1), SUB(1))) } },
	{ "a section without its start", { MAP(PIECE(SEC(1) + SUB(1), SEC(1) - SUB(1))) } },
	{ "a section without its end", { MAP(PIECE(SEC(1), SEC(1) - SUB(1))) } },
	{ "a section and a subsection", { MAP(PIECE(SEC(1), SEC(1) + SUB(1))) } },
	{ "a section and something on both sides",
	  { MAP(PIECE(SEC(2) - SUB(1), SEC(1) + SUB(3))) } },
	{ "parts of two sections", { MAP(PIECE(SEC(2) - SUB(3), SUB(5))) } },
	{ "126 MiB", { MAP(PIECE(SEC(1), 63UL * SZ_2M)) } },
	{ "126 MiB at an odd offset", { MAP(PIECE(SEC(1) + SUB(3), 63UL * SZ_2M)) } },
	{ "130 MiB", { MAP(PIECE(SEC(1), 65UL * SZ_2M)) } },
	{ "130 MiB at an odd offset", { MAP(PIECE(SEC(1) + SUB(5), 65UL * SZ_2M)) } },

	/* More than one, adjacent */
	{ "adjacent sections", {
	  MAP(PIECE(SEC(1), SEC(1))), MAP(PIECE(SEC(2), SEC(1))),
	  MAP(PIECE(SEC(3), SEC(1))), MAP(PIECE(SEC(4), SEC(1))) } },
	{ "adjacent subsections of one section", {
	  MAP(PIECE(SEC(1), SUB(1))), MAP(PIECE(SEC(1) + SUB(1), SUB(1))),
	  MAP(PIECE(SEC(1) + SUB(2), SUB(2))), MAP(PIECE(SEC(1) + SUB(4), SUB(1))),
	  MAP(PIECE(SEC(1) + SUB(5), SUB(2))) } },
	{ "126, 2 and 130 MiB, adjacent", {
	  MAP(PIECE(SEC(1), 63UL * SZ_2M)),
	  MAP(PIECE(SEC(1) + 63UL * SZ_2M, 1UL * SZ_2M)),
	  MAP(PIECE(SEC(1) + 64UL * SZ_2M, 65UL * SZ_2M)) } },
	{ "a section in two parts", {
	  MAP(PIECE(SEC(1), SUB(3))), MAP(PIECE(SEC(1) + SUB(3), SEC(1) - SUB(3))) } },
	{ "ranges that meet inside of sections", {
	  MAP(PIECE(SEC(1), SUB(3))), MAP(PIECE(SEC(1) + SUB(3), SEC(1))),
	  MAP(PIECE(SEC(2) + SUB(3), SEC(2))), MAP(PIECE(SEC(4) + SUB(3), SUB(1))) } },

	/* More than one, with holes */
	{ "sections with holes", {
	  MAP(PIECE(SEC(1), SEC(1))), MAP(PIECE(SEC(3), SEC(1))),
	  MAP(PIECE(SEC(5), SEC(2))) } },
	{ "subsections of one section with holes", {
	  MAP(PIECE(SEC(1), SUB(1))), MAP(PIECE(SEC(1) + SUB(2), SUB(1))),
	  MAP(PIECE(SEC(1) + SUB(4), SUB(1))), MAP(PIECE(SEC(1) + SUB(6), SUB(1))) } },
	{ "ranges that share a section but do not meet", {
	  MAP(PIECE(SEC(1), SEC(1) + SUB(1))), MAP(PIECE(SEC(2) + SUB(5), SEC(1))) } },
	{ "both ends of the region", {
	  MAP(PIECE(0, SUB(1))), MAP(PIECE(REGION_SIZE - SUB(1), SUB(1))) } },

	/* Pagemaps of more than one range */
	{ "three ranges", {
	  MAP(PIECE(SEC(1), SEC(1)), PIECE(SEC(3), SUB(1)), PIECE(SEC(5), SUB(3))) } },
	{ "three adjacent ranges", {
	  MAP(PIECE(SEC(1), SUB(1)), PIECE(SEC(1) + SUB(1), SUB(2)),
	      PIECE(SEC(1) + SUB(3), SEC(1))) } },
	{ "three ranges from the last to the first", {
	  MAP(PIECE(SEC(4), SEC(1)), PIECE(SEC(2) + SUB(1), SUB(2)), PIECE(0, SUB(1))) } },
	{ "ranges in turn", {
	  MAP(PIECE(SEC(1), SUB(1)), PIECE(SEC(1) + SUB(2), SUB(1)),
	      PIECE(SEC(1) + SUB(4), SUB(1))),
	  MAP(PIECE(SEC(1) + SUB(1), SUB(1)), PIECE(SEC(1) + SUB(3), SUB(1)),
	      PIECE(SEC(1) + SUB(5), SUB(1))) } },
	{ "a range between two of another pagemap", {
	  MAP(PIECE(SEC(1), SEC(1)), PIECE(SEC(3), SEC(1))),
	  MAP(PIECE(SEC(2), SEC(1))) } },
};

static void shape_desc(const struct shape *shape, char *desc)
{
	strscpy(desc, shape->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(shape, shapes, shape_desc);

/* Which one of @nr is the @i-th? */
static unsigned int forwards(unsigned int i, unsigned int nr)
{
	return i;
}

static unsigned int backwards(unsigned int i, unsigned int nr)
{
	return nr - 1 - i;
}

static unsigned int every_other(unsigned int i, unsigned int nr)
{
	return i < nr / 2 ? 2 * i + 1 : 2 * (i - nr / 2);
}

typedef unsigned int (*order_fn)(unsigned int i, unsigned int nr);

static const order_fn orders[] = { forwards, backwards, every_other };

static void shape_test(struct kunit *test)
{
	const struct shape *shape = test->param_value;
	struct fixture *fx = test->priv;
	unsigned int add, remove, i, nr = 0;

	while (nr < MAX_SHAPE_MAPS && shape->maps[nr][0].size)
		nr++;

	for (add = 0; add < ARRAY_SIZE(orders); add++) {
		for (remove = 0; remove < ARRAY_SIZE(orders); remove++) {
			for (i = 0; i < nr; i++) {
				unsigned int slot = orders[add](i, nr);

				KUNIT_ASSERT_EQ(test, 0, add_map(fx, slot, shape->maps[slot]));
				check_all(test, fx);
			}
			for (i = 0; i < nr; i++) {
				remove_map(fx, orders[remove](i, nr));
				check_all(test, fx);
			}
			if (nr == 1)
				return;
		}
	}
}

/* Every other subsection of a piece of the region, then those in between */
static void many_test(struct kunit *test)
{
	struct fixture *fx = test->priv;
	unsigned int order[MAX_MAPS];
	struct rnd_state rnd;
	unsigned int i;

	seed_random(test, &rnd);
	for (i = 0; i < MAX_MAPS; i++) {
		unsigned int n = every_other(i, MAX_MAPS);
		const struct piece pieces[MAX_RANGES] = {
			PIECE(SEC(1) + SUB(3) + SUB(n), SUB(1))
		};

		KUNIT_ASSERT_EQ(test, 0, add_map(fx, i, pieces));
		check_all(test, fx);
		order[i] = i;
	}
	for (i = MAX_MAPS; i > 0; i--) {
		unsigned int other = below(&rnd, i);

		swap(order[i - 1], order[other]);
		remove_map(fx, order[i - 1]);
		check_all(test, fx);
	}
}

/* The same range again and again, as by a driver that is bound and unbound */
static void again_test(struct kunit *test)
{
	const struct piece pieces[MAX_RANGES] = {
		PIECE(SEC(1) + SUB(3), SEC(1) + SUB(1)), PIECE(SEC(4) - SUB(1), SUB(1))
	};
	struct fixture *fx = test->priv;
	int i;

	for (i = 0; i < 50; i++) {
		KUNIT_ASSERT_EQ(test, 0, add_map(fx, 0, pieces));
		check_all(test, fx);
		remove_map(fx, 0);
		check_all(test, fx);
	}
}

/* Random sequences */

#define RANDOM_STEPS	400
#define RANDOM_MAPS	16

static struct piece random_piece(struct rnd_state *rnd)
{
	const unsigned long section = SEC(1) / SUB(1);
	unsigned long subs, offset;

	switch (below(rnd, 4)) {
	case 0:		/* about a section */
		subs = section - 2 + below(rnd, 5);
		break;
	case 1:		/* up to two sections */
		subs = 1 + below(rnd, 2 * section);
		break;
	default:
		subs = 1 + below(rnd, 4);
	}
	offset = below(rnd, REGION_SUBS - subs + 1);
	/* Some whole sections */
	if (!below(rnd, 4)) {
		offset = round_down(offset, section);
		if (!below(rnd, 2))
			subs = section;
	}
	return (struct piece){ offset * SUB(1), subs * SUB(1) };
}

static bool is_free(const struct fixture *fx, const struct piece *piece)
{
	unsigned long sub = piece->offset / SUB(1);

	return !memchr_inv(&fx->owner[sub], -1, piece->size / SUB(1));
}

static bool overlap(const struct piece *a, const struct piece *b)
{
	return a->offset < b->offset + b->size && b->offset < a->offset + a->size;
}

/* Up to three free ranges; false if none was found in a few attempts. */
static bool random_pieces(struct rnd_state *rnd, const struct fixture *fx,
			  struct piece *pieces)
{
	unsigned long wanted = below(rnd, 3) ? 1 : 1 + below(rnd, MAX_RANGES);
	unsigned long nr = 0, i;
	int attempt;

	memset(pieces, 0, MAX_RANGES * sizeof(*pieces));
	for (attempt = 0; attempt < 20 && nr < wanted; attempt++) {
		struct piece piece = random_piece(rnd);
		bool free = is_free(fx, &piece);

		for (i = 0; i < nr; i++)
			free &= !overlap(&pieces[i], &piece);
		if (free)
			pieces[nr++] = piece;
	}
	return nr;
}

static void random_test(struct kunit *test)
{
	struct piece pieces[MAX_RANGES];
	struct fixture *fx = test->priv;
	unsigned long added = 0, most = 0;
	struct rnd_state rnd;
	int i, slot;

	seed_random(test, &rnd);
	for (i = 0; i < RANDOM_STEPS; i++) {
		slot = below(&rnd, RANDOM_MAPS);
		if (fx->maps[slot]) {
			remove_map(fx, slot);
		} else if (random_pieces(&rnd, fx, pieces)) {
			KUNIT_ASSERT_EQ(test, 0, add_map(fx, slot, pieces));
			added++;
		}
		check_all(test, fx);
		most = max(most, fx->zone->extents.nr);
	}
	for (slot = 0; slot < RANDOM_MAPS; slot++) {
		if (!fx->maps[slot])
			continue;
		remove_map(fx, slot);
		check_all(test, fx);
	}
	kunit_info(test, "%lu pagemaps added, up to %lu extents\n", added, most);
	KUNIT_EXPECT_GT(test, added, RANDOM_STEPS / 8);
}

/* Refusals: an errno, and nothing has changed. */
struct refusal {
	const char *name;
	enum { IN_REGION, AT_RAM, AT_THE_END } base;
	struct piece pieces[MAX_RANGES];
};

/* These two are there. */
static const struct piece refusal_maps[2][MAX_RANGES] = {
	{ PIECE(SEC(2), SEC(1)) },
	{ PIECE(SEC(4) + SUB(3), SUB(2)), PIECE(SEC(5) + SUB(1), SUB(1)) },
};

static const struct refusal refusal_cases[] = {
	{ "the same range", IN_REGION, { PIECE(SEC(2), SEC(1)) } },
	{ "its first subsection", IN_REGION, { PIECE(SEC(2), SUB(1)) } },
	{ "its last subsection", IN_REGION, { PIECE(SEC(3) - SUB(1), SUB(1)) } },
	{ "a subsection inside", IN_REGION, { PIECE(SEC(2) + SUB(2), SUB(1)) } },
	{ "across its start", IN_REGION, { PIECE(SEC(1) + SUB(1), SEC(1)) } },
	{ "across its end", IN_REGION, { PIECE(SEC(2) + SUB(1), SEC(1)) } },
	{ "around it", IN_REGION, { PIECE(SEC(1), SEC(3)) } },
	{ "around all there is", IN_REGION, { PIECE(0, REGION_SIZE) } },
	{ "a small range in the same section", IN_REGION,
	  { PIECE(SEC(4) + SUB(4), SUB(1)) } },
	{ "around a small range in its section", IN_REGION,
	  { PIECE(SEC(4) + SUB(1), SUB(6)) } },
	{ "the second range of another pagemap", IN_REGION,
	  { PIECE(SEC(5), SUB(3)) } },
	{ "the first of two ranges is taken", IN_REGION,
	  { PIECE(SEC(2), SUB(1)), PIECE(SEC(1), SUB(1)) } },
	{ "the last of three ranges is taken", IN_REGION,
	  { PIECE(SEC(1), SUB(1)), PIECE(SEC(3) + SUB(1), SEC(1)),
	    PIECE(SEC(4) + SUB(3), SUB(1)) } },
	{ "ranges of one pagemap overlap", IN_REGION,
	  { PIECE(0, SEC(1)), PIECE(SUB(1), SUB(1)) } },
	{ "the start is not that of a subsection", IN_REGION,
	  { PIECE(SEC(1) + PAGE_SIZE, SUB(1)) } },
	{ "the end is not that of a subsection", IN_REGION,
	  { PIECE(SEC(1), SUB(1) + PAGE_SIZE) } },
	{ "half a subsection", IN_REGION, { PIECE(SEC(1), SUB(1) / 2) } },
	{ "the second range is not aligned", IN_REGION,
	  { PIECE(SEC(1), SUB(1)), PIECE(SEC(3), SUB(1) - PAGE_SIZE) } },
	{ "RAM", AT_RAM, { PIECE(0, SUB(1)) } },
	{ "beyond what can be addressed", AT_THE_END, { PIECE(SEC(1), SEC(1)) } },
	{ "across the end of what can be addressed", AT_THE_END,
	  { PIECE(-SEC(1), SEC(2)) } },
};

static void refusal_desc(const struct refusal *refusal, char *desc)
{
	strscpy(desc, refusal->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(refusal, refusal_cases, refusal_desc);

/* The pieces of a case are relative to the region, wherever they really are. */
static unsigned long refusal_offset(const struct fixture *fx,
				    const struct refusal *refusal)
{
	const struct range addressable = mhp_get_pluggable_range(false);

	switch (refusal->base) {
	case AT_RAM:
		return ALIGN_DOWN(__pa(fx), SUB(1)) - fx->region->start;
	case AT_THE_END:
		return ALIGN(addressable.end, SUB(1)) - fx->region->start;
	default:
		return 0;
	}
}

static void refuse_test(struct kunit *test)
{
	const struct refusal *refusal = test->param_value;
	struct fixture *fx = test->priv;
	struct piece pieces[MAX_RANGES];
	struct dev_pagemap *pgmap;
	unsigned long offset;
	void *mapped;
	int i;

	for (i = 0; i < ARRAY_SIZE(refusal_maps); i++)
		KUNIT_ASSERT_EQ(test, 0, add_map(fx, i, refusal_maps[i]));
	check_all(test, fx);

	memcpy(pieces, refusal->pieces, sizeof(pieces));
	offset = refusal_offset(fx, refusal);
	for (i = 0; i < MAX_RANGES && pieces[i].size; i++)
		pieces[i].offset += offset;
	pgmap = new_pagemap(fx, pieces);
	KUNIT_ASSERT_NOT_NULL(test, pgmap);

	mapped = memremap_pages(pgmap, fx->nid);
	if (IS_ERR(mapped)) {
		kunit_info(test, "%pe\n", mapped);
	} else {
		KUNIT_FAIL(test, "was not refused");
		memunmap_pages(pgmap);
	}
	kfree(pgmap);
	check_all(test, fx);

	/* And what was there goes as if nothing had been asked for. */
	for (i = 0; i < ARRAY_SIZE(refusal_maps); i++) {
		remove_map(fx, i);
		check_all(test, fx);
	}
}

static struct kunit_case device_memory_cases[] = {
	KUNIT_CASE_PARAM_ATTR(shape_test, shape_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE_SLOW(many_test),
	KUNIT_CASE_SLOW(again_test),
	KUNIT_CASE_SLOW(random_test),
	KUNIT_CASE_PARAM(refuse_test, refusal_gen_params),
	{}
};

static struct kunit_suite device_memory_suite = {
	.name = "device_memory",
	.init = set_up,
	.exit = tear_down,
	.test_cases = device_memory_cases,
};

kunit_test_suites(&device_memory_suite);

MODULE_DESCRIPTION("KUnit tests of adding and removing device memory");
MODULE_LICENSE("GPL");
