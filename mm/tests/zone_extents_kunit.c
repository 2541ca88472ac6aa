// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of zone extents: the set against a bitmap, and the view of boot
 * memory against a page by page replay of memmap_init().
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/ktime.h>
#include <linux/mmzone.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "../zone_extents.h"
#include "seed.h"

static int new_set(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct zone_extents), GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

static void destroy_set(struct kunit *test)
{
	if (test->priv)
		zone_extents_destroy(test->priv);
}

/* All properties of the set that do not depend on how it came about. */
static void expect_well_formed(struct kunit *test, const struct zone_extents *ze)
{
	struct zone_extent *extent, *prev = NULL;
	unsigned long nr = 0, nr_spare = 0;

	for_each_zone_extent(extent, ze) {
		KUNIT_ASSERT_LT(test, extent->start_pfn, extent->end_pfn);
		if (prev)
			KUNIT_ASSERT_LT(test, prev->end_pfn, extent->start_pfn);
		prev = extent;
		nr++;
	}
	KUNIT_ASSERT_EQ(test, nr, ze->nr);
	for (extent = ze->spare; extent; extent = extent->next_spare)
		nr_spare++;
	KUNIT_ASSERT_EQ(test, nr_spare, ze->nr_spare);
}

struct range_pair {
	unsigned long start;
	unsigned long end;
};

/* The extents are exactly these @nr ranges. */
static void expect_ranges(struct kunit *test, const struct zone_extents *ze,
			  const struct range_pair *ranges, unsigned int nr)
{
	struct zone_extent *extent = zone_extents_first(ze);

	expect_well_formed(test, ze);
	for (; nr; nr--, ranges++, extent = zone_extents_next(extent)) {
		KUNIT_ASSERT_NOT_NULL(test, extent);
		KUNIT_EXPECT_EQ(test, extent->start_pfn, ranges->start);
		KUNIT_EXPECT_EQ(test, extent->end_pfn, ranges->end);
	}
	KUNIT_EXPECT_NULL(test, extent);
}

/* One change of the set {[10, 20), [30, 40), [50, 60)}. */
struct change_case {
	const char *name;
	bool erase;
	struct range_pair range;
	int err_without_spare;
	struct range_pair result[4];
	unsigned int nr_result;
};

#define OUTCOME(...)							\
	.result = { __VA_ARGS__ },					\
	.nr_result = sizeof((struct range_pair[]){ __VA_ARGS__ }) /	\
		     sizeof(struct range_pair)

static const struct change_case change_cases[] = {
	{ "insert below all", false, { 0, 5 }, -ENOMEM,
	  OUTCOME({ 0, 5 }, { 10, 20 }, { 30, 40 }, { 50, 60 }) },
	{ "insert above all, up to the last pfn", false, { 70, ULONG_MAX }, -ENOMEM,
	  OUTCOME({ 10, 20 }, { 30, 40 }, { 50, 60 }, { 70, ULONG_MAX }) },
	{ "insert between", false, { 22, 28 }, -ENOMEM,
	  OUTCOME({ 10, 20 }, { 22, 28 }, { 30, 40 }, { 50, 60 }) },
	{ "insert at the end of one", false, { 20, 25 }, 0,
	  OUTCOME({ 10, 25 }, { 30, 40 }, { 50, 60 }) },
	{ "insert at the start of one", false, { 25, 30 }, 0,
	  OUTCOME({ 10, 20 }, { 25, 40 }, { 50, 60 }) },
	{ "insert what fills a gap", false, { 20, 30 }, 0,
	  OUTCOME({ 10, 40 }, { 50, 60 }) },
	{ "insert what is there", false, { 12, 18 }, 0,
	  OUTCOME({ 10, 20 }, { 30, 40 }, { 50, 60 }) },
	{ "insert over both ends of one", false, { 25, 45 }, 0,
	  OUTCOME({ 10, 20 }, { 25, 45 }, { 50, 60 }) },
	{ "insert over all", false, { 0, 100 }, 0, OUTCOME({ 0, 100 }) },
	{ "insert nothing", false, { 25, 25 }, 0,
	  OUTCOME({ 10, 20 }, { 30, 40 }, { 50, 60 }) },
	{ "erase one", true, { 30, 40 }, 0, OUTCOME({ 10, 20 }, { 50, 60 }) },
	{ "erase the start of one", true, { 30, 35 }, 0,
	  OUTCOME({ 10, 20 }, { 35, 40 }, { 50, 60 }) },
	{ "erase the end of one", true, { 35, 40 }, 0,
	  OUTCOME({ 10, 20 }, { 30, 35 }, { 50, 60 }) },
	{ "erase the middle of one", true, { 33, 36 }, -ENOMEM,
	  OUTCOME({ 10, 20 }, { 30, 33 }, { 36, 40 }, { 50, 60 }) },
	{ "erase a gap", true, { 20, 30 }, 0,
	  OUTCOME({ 10, 20 }, { 30, 40 }, { 50, 60 }) },
	{ "erase parts of two and all between", true, { 15, 55 }, 0,
	  OUTCOME({ 10, 15 }, { 55, 60 }) },
	{ "erase all", true, { 0, ULONG_MAX }, 0, .nr_result = 0 },
	{ "erase nothing", true, { 35, 35 }, 0,
	  OUTCOME({ 10, 20 }, { 30, 40 }, { 50, 60 }) },
};

static void change_case_desc(const struct change_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(change, change_cases, change_case_desc);

static int apply_change(struct zone_extents *ze, const struct change_case *c)
{
	return c->erase ? zone_extents_erase(ze, c->range.start, c->range.end) :
			  zone_extents_insert(ze, c->range.start, c->range.end);
}

static const struct range_pair three_ranges[] = {
	{ 10, 20 }, { 30, 40 }, { 50, 60 }
};

static void change_test(struct kunit *test)
{
	const struct change_case *c = test->param_value;
	struct zone_extents *ze = test->priv;
	int i, err;

	KUNIT_ASSERT_EQ(test, 0, zone_extents_stock(ze, ARRAY_SIZE(three_ranges)));
	for (i = 0; i < ARRAY_SIZE(three_ranges); i++)
		KUNIT_ASSERT_EQ(test, 0, zone_extents_insert(ze, three_ranges[i].start,
							     three_ranges[i].end));
	KUNIT_ASSERT_EQ(test, ze->nr_spare, 0);

	err = apply_change(ze, c);
	KUNIT_EXPECT_EQ(test, err, c->err_without_spare);
	if (err) {
		/* No spare extent: nothing has changed, and a retry succeeds. */
		expect_ranges(test, ze, three_ranges, ARRAY_SIZE(three_ranges));
		KUNIT_ASSERT_EQ(test, 0, zone_extents_stock(ze, 1));
		KUNIT_EXPECT_EQ(test, 0, apply_change(ze, c));
	}
	expect_ranges(test, ze, c->result, c->nr_result);
}

#define MODEL_PAGES	2048UL
#define MODEL_STEPS	100000

static void expect_like_bitmap(struct kunit *test, const struct zone_extents *ze,
			       const unsigned long *model, unsigned long *scratch)
{
	unsigned long start, end, first, last;
	struct zone_extent *extent;

	expect_well_formed(test, ze);
	bitmap_zero(scratch, MODEL_PAGES);
	for_each_zone_extent(extent, ze)
		bitmap_set(scratch, extent->start_pfn,
			   extent->end_pfn - extent->start_pfn);
	KUNIT_ASSERT_TRUE(test, bitmap_equal(model, scratch, MODEL_PAGES));

	zone_extents_span(ze, &start, &end);
	first = find_first_bit(model, MODEL_PAGES);
	if (first == MODEL_PAGES) {
		KUNIT_ASSERT_EQ(test, start, 0);
		KUNIT_ASSERT_EQ(test, end, 0);
		KUNIT_ASSERT_FALSE(test, zone_extents_contiguous(ze));
		return;
	}
	last = find_last_bit(model, MODEL_PAGES);
	KUNIT_ASSERT_EQ(test, start, first);
	KUNIT_ASSERT_EQ(test, end, last + 1);
	KUNIT_ASSERT_EQ(test, zone_extents_contiguous(ze),
			find_next_zero_bit(model, last + 1, first) == last + 1);
}

static void drop_spare(struct zone_extents *ze)
{
	struct zone_extent *extent;

	while ((extent = ze->spare)) {
		ze->spare = extent->next_spare;
		ze->nr_spare--;
		kfree(extent);
	}
}

/* Random changes, a third of them without a spare extent, against a bitmap. */
static void random_test(struct kunit *test)
{
	unsigned long *model = kunit_kcalloc(test, BITS_TO_LONGS(MODEL_PAGES),
					     sizeof(long), GFP_KERNEL);
	unsigned long *scratch = kunit_kcalloc(test, BITS_TO_LONGS(MODEL_PAGES),
					       sizeof(long), GFP_KERNEL);
	struct zone_extents *ze = test->priv;
	unsigned long refused = 0, most = 0;
	struct rnd_state rnd;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, model);
	KUNIT_ASSERT_NOT_NULL(test, scratch);
	seed_random(test, &rnd);

	for (i = 0; i < MODEL_STEPS; i++) {
		/* Short ranges make many extents, long ones few: have both. */
		unsigned long limit = 2UL << i / 1000 % 10;
		unsigned long start = prandom_u32_state(&rnd) % MODEL_PAGES;
		unsigned long nr = min(prandom_u32_state(&rnd) % limit,
				       MODEL_PAGES - start);
		bool erase = prandom_u32_state(&rnd) % 2;
		int err;

		/* Sometimes there is no spare extent: take it away. */
		if (prandom_u32_state(&rnd) % 3)
			KUNIT_ASSERT_EQ(test, 0, zone_extents_reserve(ze));
		else
			drop_spare(ze);

		err = erase ? zone_extents_erase(ze, start, start + nr) :
			      zone_extents_insert(ze, start, start + nr);
		if (err) {
			KUNIT_ASSERT_EQ(test, err, -ENOMEM);
			KUNIT_ASSERT_EQ(test, ze->nr_spare, 0);
			refused++;
		} else if (erase) {
			bitmap_clear(model, start, nr);
		} else {
			bitmap_set(model, start, nr);
		}
		expect_like_bitmap(test, ze, model, scratch);
		most = max(most, ze->nr);

		start = prandom_u32_state(&rnd) % MODEL_PAGES;
		nr = 1 + prandom_u32_state(&rnd) % min(limit, MODEL_PAGES - start);
		KUNIT_ASSERT_EQ(test, zone_extents_contain(ze, start, start + nr),
				find_next_zero_bit(model, start + nr, start) == start + nr);
		cond_resched();
	}
	kunit_info(test, "%d changes, %lu refused, up to %lu extents\n",
		   MODEL_STEPS, refused, most);
	KUNIT_EXPECT_GT(test, refused, 0);
}

#define NR_PINNED	64

/* What was added with a promise can be removed in any order without memory. */
static void pinned_test(struct kunit *test)
{
	struct zone_extents *ze = test->priv;
	DECLARE_BITMAP(in, NR_PINNED) = {};
	struct rnd_state rnd;
	int i;

	seed_random(test, &rnd);
	for (i = 0; i < 20000; i++) {
		unsigned int n = prandom_u32_state(&rnd) % NR_PINNED;
		unsigned long most;

		if (test_and_change_bit(n, in)) {
			KUNIT_ASSERT_EQ(test, 0, zone_extents_erase(ze, n * 8, n * 8 + 8));
			ze->nr_pinned--;
		} else {
			KUNIT_ASSERT_EQ(test, 0, zone_extents_reserve(ze));
			KUNIT_ASSERT_EQ(test, 0, zone_extents_insert(ze, n * 8, n * 8 + 8));
			ze->nr_pinned++;
		}
		zone_extents_trim(ze);
		expect_well_formed(test, ze);
		KUNIT_ASSERT_EQ(test, ze->nr_pinned, bitmap_weight(in, NR_PINNED));
		KUNIT_ASSERT_GE(test, ze->nr + ze->nr_spare, ze->nr_pinned);
		/* No more than that is kept, but for one for the next change. */
		most = max(ze->nr_pinned - ze->nr, 1UL);
		KUNIT_ASSERT_LE(test, ze->nr_spare, most);
		cond_resched();
	}
}

/* A boot zone may span more than its memory, for as long as it has any. */
static void boot_span_test(struct kunit *test)
{
	struct zone_extents *ze = test->priv;
	unsigned long start, end;

	KUNIT_ASSERT_EQ(test, 0, zone_extents_stock(ze, 5));
	zone_extents_insert(ze, 100, 200);
	zone_extents_insert(ze, 300, 400);
	zone_extents_set_boot_span(ze, 50, 500);

#define EXPECT_SPAN(from, to)						\
do {									\
	zone_extents_span(ze, &start, &end);				\
	KUNIT_EXPECT_EQ(test, start, from);				\
	KUNIT_EXPECT_EQ(test, end, to);					\
} while (0)

	EXPECT_SPAN(50, 500);
	KUNIT_EXPECT_FALSE(test, zone_extents_contiguous(ze));

	/* Inside the span, and beyond it on either side. */
	zone_extents_insert(ze, 450, 480);
	EXPECT_SPAN(50, 500);
	zone_extents_insert(ze, 600, 700);
	EXPECT_SPAN(50, 700);
	zone_extents_insert(ze, 10, 20);
	EXPECT_SPAN(10, 700);
	zone_extents_erase(ze, 10, 20);
	zone_extents_erase(ze, 600, 700);
	EXPECT_SPAN(50, 500);

	/* Boot memory at an end goes: the margin stays, and with it the zone. */
	zone_extents_erase(ze, 100, 150);
	zone_extents_erase(ze, 350, 400);
	EXPECT_SPAN(50, 500);
	zone_extents_insert(ze, 350, 400);
	zone_extents_insert(ze, 100, 150);
	EXPECT_SPAN(50, 500);

	/* All memory goes, and some comes back. */
	zone_extents_erase(ze, 0, ULONG_MAX);
	EXPECT_SPAN(0, 0);
	zone_extents_insert(ze, 100, 150);
	EXPECT_SPAN(50, 500);

	/* Where there is no margin, the span shrinks. */
	zone_extents_destroy(ze);
	KUNIT_ASSERT_EQ(test, 0, zone_extents_stock(ze, 2));
	zone_extents_insert(ze, 100, 400);
	zone_extents_set_boot_span(ze, 100, 400);
	EXPECT_SPAN(100, 400);
	KUNIT_EXPECT_TRUE(test, zone_extents_contiguous(ze));
	zone_extents_erase(ze, 100, 150);
	zone_extents_erase(ze, 350, 400);
	EXPECT_SPAN(150, 350);
	KUNIT_EXPECT_TRUE(test, zone_extents_contiguous(ze));
	ze->mixed = true;
	KUNIT_EXPECT_FALSE(test, zone_extents_contiguous(ze));

	/* A zone without memory at boot spans what it spans without any. */
	zone_extents_destroy(ze);
	KUNIT_ASSERT_EQ(test, 0, zone_extents_stock(ze, 2));
	zone_extents_set_boot_span(ze, 100, 400);
	EXPECT_SPAN(100, 400);
	KUNIT_EXPECT_FALSE(test, zone_extents_contiguous(ze));
	zone_extents_insert(ze, 300, 500);
	EXPECT_SPAN(100, 500);
	zone_extents_erase(ze, 300, 500);
	EXPECT_SPAN(100, 400);
#undef EXPECT_SPAN
}

/*
 * Boot memory: random memory ranges on two nodes with two zones each, the upper
 * of which may overlap the lower one (kernelcore=mirror). The model does page
 * by page what memmap_init() and sparse_init_subsection_map() do.
 */
#define BOOT_RANGES	6
#define BOOT_PAGES	(16 * PAGES_PER_SUBSECTION)

struct boot_model {
	struct boot_range {
		unsigned long start, end;
		int nid;
		bool mirror;
	} range[BOOT_RANGES];
	int nr_ranges;
	struct range_pair span[2][2];	/* node, zone: kernel or movable */
	s8 owner[BOOT_PAGES];		/* node * 2 + zone, or -1 */
	DECLARE_BITMAP(memory, BOOT_PAGES);
	DECLARE_BITMAP(subsections, BOOT_PAGES / PAGES_PER_SUBSECTION);
};

static void make_boot_memory(struct boot_model *m, struct rnd_state *rnd, bool mirrored)
{
	unsigned long pos = 0;
	int i, nid = 0;

	memset(m, 0, sizeof(*m));
	memset(m->owner, -1, sizeof(m->owner));
	for (i = 0; i < BOOT_RANGES; i++) {
		struct boot_range *r = &m->range[m->nr_ranges];
		/* Holes and ranges of a few pages and of several subsections. */
		unsigned long scale = prandom_u32_state(rnd) % 3 ?
				      3 * PAGES_PER_SUBSECTION : 16;

		pos += prandom_u32_state(rnd) % 4 ? prandom_u32_state(rnd) % scale : 0;
		r->start = pos;
		pos += 1 + prandom_u32_state(rnd) % (3 * PAGES_PER_SUBSECTION);
		if (pos > BOOT_PAGES)
			break;
		r->end = pos;
		nid ^= !(prandom_u32_state(rnd) % 3);
		r->nid = nid;
		r->mirror = prandom_u32_state(rnd) % 2;
		m->nr_ranges++;
	}

	for (nid = 0; nid < 2; nid++) {
		unsigned long start = ULONG_MAX, end = 0, split;

		for (i = 0; i < m->nr_ranges; i++) {
			if (m->range[i].nid != nid)
				continue;
			start = min(start, m->range[i].start);
			end = max(end, m->range[i].end);
		}
		if (start >= end)
			continue;
		split = start + prandom_u32_state(rnd) % (end - start + 1);
		m->span[nid][0] = (struct range_pair){ start, mirrored ? end : split };
		m->span[nid][1] = (struct range_pair){ split, end };
	}
}

static void replay_memmap_init(struct boot_model *m, bool mirrored)
{
	unsigned long hole = 0, pfn;
	int i, z;

	for (i = 0; i < m->nr_ranges; i++) {
		const struct boot_range *r = &m->range[i];

		bitmap_set(m->memory, r->start, r->end - r->start);
		for (pfn = r->start; pfn < r->end; pfn++)
			set_bit(pfn / PAGES_PER_SUBSECTION, m->subsections);
		for (z = 0; z < 2; z++) {
			const struct range_pair *span = &m->span[r->nid][z];
			unsigned long start = clamp(r->start, span->start, span->end);
			unsigned long end = clamp(r->end, span->start, span->end);

			if (start >= end)
				continue;
			for (pfn = start; pfn < end; pfn++)
				if (!(mirrored && z == 1 && r->mirror))
					m->owner[pfn] = r->nid * 2 + z;
			for (pfn = hole; pfn < start; pfn++)
				m->owner[pfn] = r->nid * 2 + z;
			hole = end;
		}
	}
}

/* Zones are numbered as in boot_model.owner. */
#define NR_OWNERS	4

static void claim_zone(struct kunit *test, struct zone_extents *zones, int owner,
		       const struct boot_model *m, bool mirrored)
{
	const struct range_pair *span = &m->span[owner / 2][owner % 2];
	struct zone_extents *ze = &zones[owner];
	bool movable = owner % 2;
	unsigned long prev_end = 0, hole_start;
	struct zone_extent *extent;
	int i, err;

	for (i = 0; i < m->nr_ranges; i++) {
		const struct boot_range *r = &m->range[i];

		hole_start = mirrored ? r->start : prev_end;
		prev_end = r->end;
		if (r->nid != owner / 2 || (mirrored && movable && r->mirror))
			continue;
		err = zone_extents_claim(ze, span->start, span->end, hole_start,
					 r->start, r->end);
		KUNIT_ASSERT_EQ(test, 0, err);
	}

	if (!mirrored || movable)
		return;
	KUNIT_ASSERT_EQ(test, 0, zone_extents_stock(ze, BOOT_RANGES));
	for_each_zone_extent(extent, &zones[owner + 1]) {
		err = zone_extents_erase(ze, extent->start_pfn, extent->end_pfn);
		KUNIT_ASSERT_EQ(test, 0, err);
	}
}

/* Returns the number of pages in the zone that have no memory. */
static unsigned long expect_like_model(struct kunit *test,
				       const struct zone_extents *ze, int owner,
				       const struct boot_model *m)
{
	const struct range_pair *span = &m->span[owner / 2][owner % 2];
	unsigned long pfn, without_memory = 0;

	expect_well_formed(test, ze);
	for (pfn = 0; pfn < BOOT_PAGES; pfn++) {
		bool in = zone_extents_contain(ze, pfn, pfn + 1);
		bool in_span = span->start <= pfn && pfn < span->end;

		/* All memory of the zone is in ... */
		if (m->owner[pfn] == owner && test_bit(pfn, m->memory) && in_span)
			KUNIT_ASSERT_TRUE_MSG(test, in, "pfn %lu", pfn);
		if (!in)
			continue;
		/* ... and what is in has an online memmap of the zone. */
		KUNIT_ASSERT_EQ_MSG(test, m->owner[pfn], owner, "pfn %lu", pfn);
		KUNIT_ASSERT_TRUE(test, in_span);
		KUNIT_ASSERT_TRUE(test, test_bit(pfn / PAGES_PER_SUBSECTION,
						 m->subsections));
		without_memory += !test_bit(pfn, m->memory);
	}
	return without_memory;
}

static void boot_test(struct kunit *test)
{
	struct boot_model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	struct zone_extents *zones = kunit_kcalloc(test, NR_OWNERS,
						   sizeof(*zones), GFP_KERNEL);
	unsigned long without_memory = 0;
	struct rnd_state rnd;
	int round, owner;

	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_ASSERT_NOT_NULL(test, zones);
	seed_random(test, &rnd);
	for (round = 0; round < 400; round++) {
		bool mirrored = round % 4 == 3;

		make_boot_memory(m, &rnd, mirrored);
		replay_memmap_init(m, mirrored);
		for (owner = NR_OWNERS - 1; owner >= 0; owner--)
			claim_zone(test, zones, owner, m, mirrored);
		for (owner = 0; owner < NR_OWNERS; owner++) {
			without_memory += expect_like_model(test, &zones[owner],
							    owner, m);
			zone_extents_destroy(&zones[owner]);
			cond_resched();
		}
	}
	/* Holes smaller than a subsection must not cost a zone its contiguity. */
	KUNIT_EXPECT_GT(test, without_memory, 0);
}

/* Time to add and remove a block at the end of @nr_blocks, every @step-th there */
static u64 cost_at(struct kunit *test, unsigned long nr_blocks, unsigned long step)
{
	const unsigned long block = SZ_128M >> PAGE_SHIFT;
	unsigned long start = nr_blocks * block;
	u64 best = U64_MAX, begin;
	struct zone_extents ze = {};
	unsigned long i;
	int trial;

	for (i = 0; i < nr_blocks; i += step) {
		KUNIT_EXPECT_EQ(test, 0, zone_extents_stock(&ze, 1));
		zone_extents_insert(&ze, i * block, (i + 1) * block);
	}
	for (trial = 0; trial < 200; trial++) {
		begin = ktime_get_ns();
		for (i = 0; i < 100; i++) {
			zone_extents_reserve(&ze);
			zone_extents_insert(&ze, start, start + block);
			zone_extents_contiguous(&ze);
			zone_extents_erase(&ze, start, start + block);
			zone_extents_contiguous(&ze);
			zone_extents_trim(&ze);
		}
		best = min(best, ktime_get_ns() - begin);
		cond_resched();
	}
	zone_extents_destroy(&ze);
	return best;
}

/* 16 GiB and 16 TiB, all blocks of 128 MiB online, and every other one. */
static void cost_test(struct kunit *test)
{
	u64 small, large;
	int attempt = 0;

	/* The machine may be busy with something else: believe the best. */
	do {
		small = cost_at(test, SZ_16G / SZ_128M, 1);
		large = cost_at(test, SZ_16T / SZ_128M, 1);
	} while (large * 10 > small * 12 && ++attempt < 5);
	kunit_info(test, "all online: %llu ns at 16 GiB, %llu ns at 16 TiB\n",
		   small / 100, large / 100);
	KUNIT_EXPECT_LE(test, large * 10, small * 12);

	small = cost_at(test, SZ_16G / SZ_128M, 2);
	large = cost_at(test, SZ_16T / SZ_128M, 2);
	kunit_info(test, "every other: %llu ns at 16 GiB, %llu ns at 16 TiB\n",
		   small / 100, large / 100);
	/* 64 and 65536 extents: the depth of the tree may show, no more. */
	KUNIT_EXPECT_LE(test, large, small * 8);

	KUNIT_EXPECT_LE(test, sizeof(struct zone_extent), 256);
}

static struct kunit_case zone_extents_cases[] = {
	KUNIT_CASE_PARAM(change_test, change_gen_params),
	KUNIT_CASE_SLOW(random_test),
	KUNIT_CASE(pinned_test),
	KUNIT_CASE(boot_span_test),
	KUNIT_CASE_SLOW(boot_test),
	KUNIT_CASE_SLOW(cost_test),
	{}
};

static struct kunit_suite zone_extents_suite = {
	.name = "zone_extents",
	.init = new_set,
	.exit = destroy_set,
	.test_cases = zone_extents_cases,
};

kunit_test_suites(&zone_extents_suite);

MODULE_DESCRIPTION("KUnit tests of zone extents");
MODULE_LICENSE("GPL");
