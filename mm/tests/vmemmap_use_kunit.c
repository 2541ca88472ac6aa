// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what is in use of the virtual memmap: the answers for a made-up
 * section map against a model without sections, who maps and unmaps a piece that
 * several share, what an altmap may host, and device private ranges that come and
 * go, whole or in other pieces than they came in: how much memmap is counted,
 * whose struct pages stay, and what those who look at struct pages meanwhile get
 * to see.
 */
#include <kunit/test.h>
#include <linux/align.h>
#include <linux/async.h>
#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/device_memory.h>
#include <linux/ioport.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/memory_hotplug.h>
#include <linux/memremap.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/prandom.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmstat.h>

#include "../vmemmap_use.h"
#include "seed.h"

/*
 * A made-up section map and its model. Subsections are numbered from the first
 * one of the first section.
 */
#define SECTION_SUBS	SUBSECTIONS_PER_SECTION
#define NR_SECTIONS	24
#define NR_SUBS		(NR_SECTIONS * SECTION_SUBS)

/* The model looks at so many subsections at once: it has nothing of sections. */
#define WINDOW_SUBS	32
static_assert(NR_SUBS % WINDOW_SUBS == 0);

/**
 * struct world - a virtual memmap, as the code sees it and as it should be
 * @view: what the code under test is given
 * @first_nr: number of the first section
 * @section: the sections
 * @usage: their subsection maps
 * @known: sections that there is a struct mem_section of
 * @edge: first byte of the struct pages of each subsection, and the end
 * @early: sections of which the memmap came at boot, and is still there
 * @added: subsections that are there
 * @hot: subsections whose struct pages came and go with them
 * @any: subsections that have struct pages
 *
 * The model begins at @edge.
 */
struct world {
	struct vmemmap_view view;
	unsigned long first_nr;
	struct mem_section section[NR_SECTIONS];
	struct mem_section_usage *usage;
	bool known[NR_SECTIONS];

	unsigned long edge[NR_SUBS + 1];
	bool early[NR_SECTIONS];
	bool added[NR_SUBS];
	bool hot[NR_SUBS];
	bool any[NR_SUBS];
};

/* fake_section() is given a number and nothing else. */
static struct world *the_world;

static struct mem_section *fake_section(unsigned long nr)
{
	const unsigned long i = nr - the_world->first_nr;

	if (i >= NR_SECTIONS || !the_world->known[i])
		return NULL;
	return &the_world->section[i];
}

static struct world *new_world(struct kunit *test)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->usage = kunit_kcalloc(test, NR_SECTIONS, sizeof(*w->usage), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w->usage);
	w->view.section = fake_section;
	the_world = w;
	return w;
}

/* How many of @nr subsections from @sub on are in the same section? */
static unsigned long in_section(unsigned long sub, unsigned long nr)
{
	return min(nr, SECTION_SUBS - sub % SECTION_SUBS);
}

/* The section map, changed as mm/sparse-vmemmap.c does */

static void publish(struct world *w, unsigned long sub, unsigned long nr)
{
	const unsigned long i = sub / SECTION_SUBS;
	struct mem_section *ms = &w->section[i];

	/* If it was there at boot, that is over. */
	if (!valid_section(ms))
		ms->section_mem_map = 0;
	ms->usage = &w->usage[i];
	bitmap_set(ms->usage->subsection_map, sub % SECTION_SUBS, nr);
	ms->section_mem_map |= SECTION_MARKED_PRESENT | SECTION_HAS_MEM_MAP;
	w->known[i] = true;
}

static void hide(struct world *w, unsigned long sub, unsigned long nr)
{
	struct mem_section *ms = &w->section[sub / SECTION_SUBS];

	if (!valid_section(ms))
		return;
	bitmap_clear(ms->usage->subsection_map, sub % SECTION_SUBS, nr);
	if (!bitmap_empty(ms->usage->subsection_map, SECTION_SUBS))
		return;
	ms->section_mem_map &= ~SECTION_HAS_MEM_MAP;
	if (!early_section(ms))
		ms->usage = NULL;
}

/* The model of section @i after something came or went there */
static void update_model(struct world *w, unsigned long i)
{
	const unsigned long first = i * SECTION_SUBS;
	unsigned long sub;

	/* Memmap that came at boot is complete, and goes with the last page. */
	if (!memchr(&w->added[first], true, SECTION_SUBS))
		w->early[i] = false;
	for (sub = first; sub < first + SECTION_SUBS; sub++) {
		w->hot[sub] = w->added[sub] && !w->early[i];
		w->any[sub] = w->added[sub] || w->early[i];
	}
}

static void change(struct world *w, unsigned long sub, unsigned long nr, bool add)
{
	unsigned long part;

	for (; nr; nr -= part, sub += part) {
		part = in_section(sub, nr);
		if (add)
			publish(w, sub, part);
		else
			hide(w, sub, part);
		memset(&w->added[sub], add, part);
		update_model(w, sub / SECTION_SUBS);
	}
}

/* Somewhere at the end of the address space, or where the real one is */
static unsigned long random_base(struct rnd_state *rnd)
{
	if (!below(rnd, 4))
		return (unsigned long)pfn_to_page(0);
	return -(1UL << 44) + 8 * (unsigned long)prandom_u32_state(rnd);
}

/* Some memory at boot, some more, and some sections that never were */
static void boot(struct world *w, struct rnd_state *rnd, size_t struct_size)
{
	unsigned long i, sub, nr;

	memset(w->section, 0, sizeof(w->section));
	memset(w->usage, 0, NR_SECTIONS * sizeof(*w->usage));
	memset(w->added, false, sizeof(w->added));

	w->view.base = random_base(rnd);
	w->view.struct_size = struct_size;
	w->view.early = true;
	w->first_nr = below(rnd, 4) ? below(rnd, 4096) : 0;

	w->edge[0] = w->view.base + w->first_nr * PAGES_PER_SECTION * struct_size;
	for (sub = 0; sub < NR_SUBS; sub++)
		w->edge[sub + 1] = w->edge[sub] + PAGES_PER_SUBSECTION * struct_size;

	for (i = 0; i < NR_SECTIONS; i++) {
		sub = below(rnd, SECTION_SUBS);
		nr = 1 + below(rnd, SECTION_SUBS - sub);
		w->known[i] = below(rnd, 2);
		w->early[i] = !below(rnd, 3);
		if (w->early[i] || below(rnd, 2))
			change(w, i * SECTION_SUBS + sub, nr, true);
		if (w->early[i])
			w->section[i].section_mem_map |= SECTION_IS_EARLY;
		update_model(w, i);
	}
}

/* A few subsections, up to a section, or more than that */
static unsigned long random_length(struct rnd_state *rnd, unsigned long sub)
{
	unsigned long limit = 4;

	switch (below(rnd, 8)) {
	case 0:
		limit = 3 * SECTION_SUBS;
		break;
	case 1:
		limit = SECTION_SUBS;
		break;
	}
	return min(1 + below(rnd, limit), NR_SUBS - sub);
}

static void random_change(struct world *w, struct rnd_state *rnd, bool add)
{
	unsigned long sub = below(rnd, NR_SUBS);

	/* Now and then there is nothing left: large pieces are free, too. */
	if (!add && !below(rnd, 64))
		change(w, 0, NR_SUBS, false);
	else
		change(w, sub, random_length(rnd, sub), add);
}

struct interval {
	unsigned long start;
	unsigned long end;
};

static struct interval aligned(unsigned long addr, unsigned long size)
{
	addr = ALIGN_DOWN(addr, size);
	return (struct interval){ addr, addr + size };
}

/* A few bytes on either side of a border between subsections */
static struct interval across(const struct world *w, struct rnd_state *rnd)
{
	const unsigned long some = 2 * w->view.struct_size;
	unsigned long edge = w->edge[below(rnd, NR_SUBS + 1)];
	unsigned long before = below(rnd, 2) ? below(rnd, some) : 0;

	return (struct interval){ edge - before, edge + below(rnd, some) + !before };
}

/* A piece as page tables have it, but not much larger than all there is */
static struct interval aligned_upto(unsigned long addr, unsigned long size,
				    unsigned long all)
{
	return aligned(addr, min(size, roundup_pow_of_two(2 * all)));
}

static struct interval any_interval(const struct world *w, struct rnd_state *rnd)
{
	const unsigned long section = w->edge[SECTION_SUBS] - w->edge[0];
	const unsigned long all = w->edge[NR_SUBS] - w->edge[0];
	unsigned long addr = w->edge[0] + below(rnd, all + section);

	switch (below(rnd, 10)) {
	case 0:
		return (struct interval){ addr, addr + 1 };
	case 1:
		return aligned(addr, PAGE_SIZE);
	case 2:
		return aligned(addr, SZ_64K);
	case 3:
		return aligned_upto(addr, PMD_SIZE, all);
	case 4:
		return aligned_upto(addr, SZ_16M, all);
	case 5:
		return aligned_upto(addr, SZ_512M, all);
	case 6:
		return (struct interval){ addr, addr + 1 + below(rnd, 2 * section) };
	case 7:
		/* From the section before the first one on */
		addr -= min(section, w->edge[0] - w->view.base);
		return (struct interval){ addr, addr + 1 + below(rnd, all) };
	default:
		return across(w, rnd);
	}
}

/* There is no struct page below the first one, and nothing to ask about. */
static struct interval random_interval(const struct world *w, struct rnd_state *rnd)
{
	struct interval asked = any_interval(w, rnd);

	asked.start = max(asked.start, w->view.base);
	asked.end = max(asked.end, asked.start + 1);
	return asked;
}

static bool model_in_use(const struct world *w, const struct interval *asked, bool early)
{
	const bool *user = early ? w->any : w->hot;
	const unsigned long *edge;
	unsigned long i, sub;

	for (sub = 0; sub < NR_SUBS; sub += WINDOW_SUBS) {
		edge = &w->edge[sub];
		if (edge[WINDOW_SUBS] <= asked->start || edge[0] >= asked->end)
			continue;
		for (i = 0; i < WINDOW_SUBS; i++)
			if (user[sub + i] && edge[i + 1] > asked->start &&
			    edge[i] < asked->end)
				return true;
	}
	return false;
}

static const size_t struct_sizes[] = { 32, 40, 48, 56, 64, 72, 80, 88, 96, 128 };

#define MAX_STRUCT_SIZE	128UL

static void struct_size_desc(const size_t *size, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "struct pages of %zu bytes", *size);
}

KUNIT_ARRAY_PARAM(struct_size, struct_sizes, struct_size_desc);

#define STEPS		100000
#define STEPS_PER_BOOT	250

/* Random changes of the section map, each followed by a random question */
static void in_use_test(struct kunit *test)
{
	const size_t struct_size = *(const size_t *)test->param_value;
	struct world *w = new_world(test);
	unsigned long used = 0;
	struct rnd_state rnd;
	int i;

	seed_random(test, &rnd);
	for (i = 0; i < STEPS; i++) {
		/* From few subsections to many */
		unsigned long eighths = 1 + i / STEPS_PER_BOOT % 7;
		struct interval asked;
		bool expected;

		if (i % STEPS_PER_BOOT == 0) {
			boot(w, &rnd, struct_size);
			cond_resched();
		}
		random_change(w, &rnd, below(&rnd, 8) < eighths);

		asked = random_interval(w, &rnd);
		w->view.early = below(&rnd, 2);
		expected = model_in_use(w, &asked, w->view.early);
		KUNIT_ASSERT_EQ_MSG(test, expected,
				    vmemmap_view_in_use(&w->view, asked.start, asked.end),
				    "step %d: [%#lx, %#lx), first section at %#lx, early %d",
				    i, asked.start, asked.end, w->edge[0], w->view.early);
		used += expected;
	}
	kunit_info(test, "in use: %lu of %d\n", used, STEPS);
	/* Had the answer been the same each time, nothing would have been tested. */
	KUNIT_EXPECT_GT(test, used, STEPS / 32);
	KUNIT_EXPECT_LT(test, used, STEPS - STEPS / 32);
}

/* Who maps and who unmaps what */

/**
 * struct mapping - the virtual memmap in pieces, each mapped or not
 * @size: bytes in a piece
 * @origin: where the first piece begins
 * @nr: number of pieces
 * @mapped: what the rule says, given what the code under test answers
 * @users: by how many subsections with struct pages a piece is used
 * @kept: how often a piece stayed, as others used it
 * @unmapped: how often one went
 */
struct mapping {
	unsigned long size;
	unsigned long origin;
	unsigned long nr;
	bool *mapped;
	u16 *users;
	unsigned long kept;
	unsigned long unmapped;
};

static_assert(NR_SUBS <= U16_MAX);

static unsigned long piece_at(const struct mapping *m, unsigned long addr)
{
	return (addr - m->origin) / m->size;
}

static bool piece_in_use(const struct world *w, const struct mapping *m,
			 unsigned long piece)
{
	const unsigned long start = m->origin + piece * m->size;

	return vmemmap_view_in_use(&w->view, max(start, w->view.base), start + m->size);
}

/* Before a range is added: what is not in use is not there, and all else is. */
static void map_pieces(struct kunit *test, const struct world *w, struct mapping *m,
		       unsigned long sub, unsigned long nr)
{
	const unsigned long last = piece_at(m, w->edge[sub + nr] - 1);
	unsigned long piece = piece_at(m, w->edge[sub]);

	for (; piece <= last; piece++) {
		KUNIT_ASSERT_EQ(test, m->mapped[piece], piece_in_use(w, m, piece));
		m->mapped[piece] = true;
	}
}

/* After a range was taken out */
static void unmap_pieces(const struct world *w, struct mapping *m,
			 unsigned long sub, unsigned long nr)
{
	const unsigned long last = piece_at(m, w->edge[sub + nr] - 1);
	unsigned long piece = piece_at(m, w->edge[sub]);

	for (; piece <= last; piece++) {
		if (piece_in_use(w, m, piece)) {
			m->kept++;
		} else if (m->mapped[piece]) {
			m->mapped[piece] = false;
			m->unmapped++;
		}
	}
}

static void count_users(const struct world *w, struct mapping *m, unsigned long sub,
			int by)
{
	const unsigned long last = piece_at(m, w->edge[sub + 1] - 1);
	unsigned long piece;

	for (piece = piece_at(m, w->edge[sub]); piece <= last; piece++)
		m->users[piece] += by;
}

/* In the model, subsections of one section come or go. */
static void change_users(struct world *w, struct mapping *m, unsigned long sub,
			 unsigned long nr, bool add)
{
	const unsigned long first = sub - sub % SECTION_SUBS;
	bool before[SECTION_SUBS];
	unsigned long i;

	memcpy(before, &w->any[first], sizeof(before));
	memset(&w->added[sub], add, nr);
	update_model(w, first / SECTION_SUBS);
	for (i = 0; i < SECTION_SUBS; i++)
		if (before[i] != w->any[first + i])
			count_users(w, m, first + i, before[i] ? -1 : 1);
}

static void add_subs(struct kunit *test, struct world *w, struct mapping *m,
		     unsigned long sub, unsigned long nr)
{
	unsigned long part;

	for (; nr; nr -= part, sub += part) {
		part = in_section(sub, nr);
		if (!early_section(&w->section[sub / SECTION_SUBS]))
			map_pieces(test, w, m, sub, part);
		publish(w, sub, part);
		change_users(w, m, sub, part, true);
	}
}

static void unmap_part(struct world *w, struct mapping *m, unsigned long sub,
		       unsigned long nr)
{
	struct mem_section *ms = &w->section[sub / SECTION_SUBS];
	const bool early = early_section(ms), gone = !valid_section(ms);

	if (!early)
		unmap_pieces(w, m, sub, nr);
	else if (gone)
		unmap_pieces(w, m, sub - sub % SECTION_SUBS, SECTION_SUBS);
	if (gone)
		ms->section_mem_map = 0;
}

static void remove_subs(struct world *w, struct mapping *m, unsigned long sub,
			unsigned long nr)
{
	const unsigned long end = sub + nr;
	unsigned long pos, part;

	for (pos = sub; pos < end; pos += part) {
		part = in_section(pos, end - pos);
		hide(w, pos, part);
		change_users(w, m, pos, part, false);
	}
	for (pos = sub; pos < end; pos += part) {
		part = in_section(pos, end - pos);
		unmap_part(w, m, pos, part);
	}
}

/* Subsections from @sub on that are all there, or all not, but at most @nr */
static unsigned long alike(const struct world *w, unsigned long sub, unsigned long nr)
{
	unsigned long i;

	for (i = 1; i < nr; i++)
		if (w->added[sub + i] != w->added[sub])
			break;
	return i;
}

/* A piece is mapped if, and only if, somebody uses it. */
static void check_pieces(struct kunit *test, const struct mapping *m,
			 unsigned long first, unsigned long last)
{
	unsigned long piece;

	for (piece = first; piece <= last && piece < m->nr; piece++)
		if (m->mapped[piece] != !!m->users[piece])
			break;
	if (piece > last || piece == m->nr)
		return;
	KUNIT_FAIL_AND_ABORT(test, "piece %lu of %lu is%s mapped, with %u users",
			     piece, m->nr, m->mapped[piece] ? "" : " not",
			     m->users[piece]);
}

/* All pieces of the sections that were touched, and one more on either side */
static void check_around(struct kunit *test, const struct world *w,
			 const struct mapping *m, unsigned long sub, unsigned long nr)
{
	unsigned long start = round_down(sub, SECTION_SUBS);
	unsigned long end = round_up(sub + nr, SECTION_SUBS);
	unsigned long first = piece_at(m, w->edge[start]);

	check_pieces(test, m, first ? first - 1 : 0, piece_at(m, w->edge[end]));
}

static void boot_mapping(struct kunit *test, struct world *w, struct mapping *m,
			 struct rnd_state *rnd)
{
	unsigned long piece, sub;

	boot(w, rnd, struct_sizes[below(rnd, ARRAY_SIZE(struct_sizes))]);
	m->origin = ALIGN_DOWN(w->edge[0], m->size);
	m->nr = piece_at(m, w->edge[NR_SUBS] - 1) + 1;
	memset(m->users, 0, m->nr * sizeof(*m->users));
	for (sub = 0; sub < NR_SUBS; sub++)
		if (w->any[sub])
			count_users(w, m, sub, 1);
	for (piece = 0; piece < m->nr; piece++)
		m->mapped[piece] = m->users[piece];
}

/* What is left goes, beginning anywhere. */
static void remove_all(struct kunit *test, struct world *w, struct mapping *m,
		       struct rnd_state *rnd)
{
	const unsigned long first = below(rnd, NR_SUBS);
	unsigned long i, sub, nr;

	for (i = 0; i < NR_SUBS; i++) {
		sub = (first + i) % NR_SUBS;
		if (!w->added[sub])
			continue;
		nr = alike(w, sub, random_length(rnd, sub));
		remove_subs(w, m, sub, nr);
		check_around(test, w, m, sub, nr);
	}
	KUNIT_ASSERT_NULL(test, memchr(m->mapped, true, m->nr));
}

static void random_range(struct kunit *test, struct world *w, struct mapping *m,
			 struct rnd_state *rnd, bool add)
{
	unsigned long sub = below(rnd, NR_SUBS), nr;

	if (w->added[sub] == add)
		sub = below(rnd, NR_SUBS);
	nr = alike(w, sub, random_length(rnd, sub));
	if (w->added[sub])
		remove_subs(w, m, sub, nr);
	else
		add_subs(test, w, m, sub, nr);
	check_around(test, w, m, sub, nr);
}

static const unsigned long piece_sizes[] = {
	SZ_4K, SZ_16K, SZ_64K, SZ_2M, SZ_16M, SZ_512M
};

static void piece_size_desc(const unsigned long *size, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "pieces of %lu KiB", *size / SZ_1K);
}

KUNIT_ARRAY_PARAM(piece_size, piece_sizes, piece_size_desc);

#define MAPPING_STEPS		(STEPS / ARRAY_SIZE(piece_sizes))
#define STEPS_PER_MAPPING	500

/*
 * Adding maps what is not in use, before the range is published; removing takes
 * the range out and unmaps what is not in use. In any order of both, that leaves
 * no piece mapped that nobody uses, and none unmapped that somebody does.
 */
static void mapping_test(struct kunit *test)
{
	struct mapping m = { .size = *(const unsigned long *)test->param_value };
	const unsigned long section = PAGES_PER_SECTION * MAX_STRUCT_SIZE;
	const unsigned long room = 2 + NR_SECTIONS * section / m.size;
	/* A piece of many sections takes its time. */
	const int steps = MAPPING_STEPS / (1 + m.size / (256 * section));
	struct world *w = new_world(test);
	struct rnd_state rnd;
	int i;

	m.mapped = kunit_kcalloc(test, room, sizeof(*m.mapped), GFP_KERNEL);
	m.users = kunit_kcalloc(test, room, sizeof(*m.users), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.mapped);
	KUNIT_ASSERT_NOT_NULL(test, m.users);

	seed_random(test, &rnd);
	for (i = 0; i < steps; i++) {
		unsigned long eighths = 1 + i / 50 % 7;

		if (i % STEPS_PER_MAPPING == 0) {
			if (i)
				remove_all(test, w, &m, &rnd);
			boot_mapping(test, w, &m, &rnd);
			cond_resched();
		}
		random_range(test, w, &m, &rnd, below(&rnd, 8) < eighths);
		if (i % 100 == 0)
			check_pieces(test, &m, 0, m.nr);
	}
	remove_all(test, w, &m, &rnd);
	kunit_info(test, "%d steps, unmapped %lu, kept for others %lu\n",
		   steps, m.unmapped, m.kept);
	KUNIT_EXPECT_GT(test, m.unmapped, 0);
	KUNIT_EXPECT_GT(test, m.kept, 0);
}

/* What an altmap may host, and what it did */

/* Nothing looks at these pages or has struct pages for them. */
#define ALTMAP_BASE	(5 * PAGES_PER_SECTION + 3 * PAGES_PER_SUBSECTION)
#define ALTMAP_PAGES	(2 * PAGES_PER_SECTION + PAGES_PER_SUBSECTION)
#define ALTMAP_RESERVE	7UL
#define ALTMAP_FREE	(PAGES_PER_SUBSECTION - ALTMAP_RESERVE)
#define ALTMAP_INIT {					\
	.base_pfn = ALTMAP_BASE,			\
	.end_pfn = ALTMAP_BASE + ALTMAP_PAGES - 1,	\
	.reserve = ALTMAP_RESERVE,			\
	.free = ALTMAP_FREE,				\
}

#define STRUCT		((long)sizeof(struct page))
#define STRUCTS		((long)ALTMAP_PAGES * STRUCT)

/* Bytes from the first struct page of the altmap's range on */
struct host_case {
	const char *name;
	long start;
	long end;
	bool hosted;
};

static const struct host_case host_cases[] = {
	{ "all struct pages of the range", 0, STRUCTS, true },
	{ "all but the first", STRUCT, STRUCTS, true },
	{ "all but the last", 0, STRUCTS - STRUCT, true },
	{ "the first struct page", 0, STRUCT, true },
	{ "the last struct page", STRUCTS - STRUCT, STRUCTS, true },
	{ "the first byte", 0, 1, true },
	{ "the last byte", STRUCTS - 1, STRUCTS, true },
	{ "from the middle of the first struct page on", STRUCT / 2, STRUCTS, true },
	{ "into the middle of the last struct page", 0, STRUCTS - STRUCT / 2, true },
	{ "inside of one struct page", 8, 16, true },
	{ "one byte of the struct page before", -1, STRUCTS, false },
	{ "one byte of the struct page after", 0, STRUCTS + 1, false },
	{ "the struct page before", -STRUCT, 0, false },
	{ "the struct page after", STRUCTS, STRUCTS + STRUCT, false },
	{ "the last byte before", -1, 0, false },
	{ "the first byte after", STRUCTS, STRUCTS + 1, false },
	{ "across the start", -STRUCT / 2, STRUCT / 2, false },
	{ "across the end", STRUCTS - STRUCT / 2, STRUCTS + STRUCT / 2, false },
	{ "around it", -STRUCT, STRUCTS + STRUCT, false },
	{ "far before", -STRUCTS, -STRUCT, false },
	{ "far after", 2 * STRUCTS, 3 * STRUCTS, false },
};

static void host_desc(const struct host_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(host, host_cases, host_desc);

static void host_test(struct kunit *test)
{
	const unsigned long first = (unsigned long)pfn_to_page(ALTMAP_BASE);
	const struct host_case *c = test->param_value;
	const struct vmem_altmap altmap = ALTMAP_INIT;
	const unsigned long start = first + c->start, end = first + c->end;

	KUNIT_EXPECT_EQ(test, c->hosted, vmemmap_range_in_altmap(&altmap, start, end));
	KUNIT_EXPECT_FALSE(test, vmemmap_range_in_altmap(NULL, start, end));
}

/* Pieces as page tables have them: those with struct pages of others are not. */
static void host_pieces_test(struct kunit *test)
{
	const unsigned long sizes[] = { PAGE_SIZE, SZ_64K, PMD_SIZE };
	const struct vmem_altmap altmap = ALTMAP_INIT;
	const unsigned long first = (unsigned long)pfn_to_page(altmap.base_pfn);
	const unsigned long end = (unsigned long)pfn_to_page(altmap.end_pfn + 1);
	unsigned long addr;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		addr = ALIGN_DOWN(first, sizes[i]);
		for (; addr < end + sizes[i]; addr += sizes[i])
			KUNIT_ASSERT_EQ(test, addr >= first && addr + sizes[i] <= end,
					vmemmap_range_in_altmap(&altmap, addr,
								addr + sizes[i]));
	}
}

static void altmap_page_test(struct kunit *test)
{
	const struct vmem_altmap altmap = ALTMAP_INIT;
	const unsigned long from = altmap.base_pfn + altmap.reserve;
	const unsigned long end = from + altmap.free;

	KUNIT_EXPECT_FALSE(test, vmemmap_page_from_altmap(&altmap, 0));
	KUNIT_EXPECT_FALSE(test, vmemmap_page_from_altmap(&altmap, altmap.base_pfn - 1));
	/* Nobody takes what is reserved, but it is no page of the allocator. */
	KUNIT_EXPECT_TRUE(test, vmemmap_page_from_altmap(&altmap, altmap.base_pfn));
	KUNIT_EXPECT_TRUE(test, vmemmap_page_from_altmap(&altmap, from - 1));
	KUNIT_EXPECT_TRUE(test, vmemmap_page_from_altmap(&altmap, from));
	KUNIT_EXPECT_TRUE(test, vmemmap_page_from_altmap(&altmap, end - 1));
	/* The memory that the range is for */
	KUNIT_EXPECT_FALSE(test, vmemmap_page_from_altmap(&altmap, end));
	KUNIT_EXPECT_FALSE(test, vmemmap_page_from_altmap(&altmap, altmap.end_pfn));
	KUNIT_EXPECT_FALSE(test, vmemmap_page_from_altmap(&altmap, altmap.end_pfn + 1));
	KUNIT_EXPECT_FALSE(test, vmemmap_page_from_altmap(NULL, altmap.base_pfn));
	KUNIT_EXPECT_FALSE(test, vmemmap_page_from_altmap(NULL, from));
}

#ifdef CONFIG_DEVICE_PRIVATE
/*
 * The real memmap: that of device private ranges in one region of the address
 * space that nobody uses. They have no pagemap: initialising millions of struct
 * pages takes long, and nothing but the removal of the memmap shall wait for those
 * who look at it. The struct pages belong to the test.
 */
#define REGION_SIZE	MAX(4UL << PA_SECTION_SHIFT, 4UL * SZ_128M)
#define REGION_SUBS	(REGION_SIZE / SUBSECTION_SIZE)
#define REGION_MEMMAP	(PHYS_PFN(REGION_SIZE) * sizeof(struct page))
#define REGION_PAGES	(REGION_MEMMAP / PAGE_SIZE + 2)	/* of memmap */

#define MAX_RANGES	12

/*
 * A removal makes all cpus take part several times, which takes milliseconds if
 * they are emulated and busy: then, do not do all that was planned.
 */
#define MAX_NS		(2 * NSEC_PER_SEC)

static bool is_enough(unsigned int done, unsigned int planned, u64 begin)
{
	/* Who repeats a run wants to get as far as that one did. */
	return done == planned ||
	       (!seed && done >= planned / 20 && ktime_get_ns() - begin > MAX_NS);
}

struct live_range {
	struct device_memory dm;
	unsigned long sub;
	unsigned long nr_subs;
};

/**
 * struct live - what a test of the real memmap works on
 * @nid: the node that all ranges are added to
 * @region: the claimed region
 * @memmap: the page of memmap that its first struct page is in
 * @first: first subsection whose memmap shares no page with that of others
 * @end: end of those subsections
 * @range: the ranges of a round, which do not overlap
 * @nr_ranges: how many
 * @there: the subsections that have struct pages, whichever way they got them
 * @round: changes what is written to struct pages
 * @nr_memmap: nr_memmap_pages before the test
 * @used: pages of memmap from @memmap on that there should be
 */
struct live {
	int nid;
	struct resource *region;
	unsigned long memmap;
	unsigned long first;
	unsigned long end;
	struct live_range range[MAX_RANGES];
	unsigned int nr_ranges;
	DECLARE_BITMAP(there, REGION_SUBS);
	unsigned long round;
	long nr_memmap;
	DECLARE_BITMAP(used, REGION_PAGES);
};

static unsigned long region_pfn(const struct live *lv, unsigned long sub)
{
	return PHYS_PFN(lv->region->start) + sub * PAGES_PER_SUBSECTION;
}

/* First byte of the struct pages of a subsection */
static unsigned long region_memmap(const struct live *lv, unsigned long sub)
{
	return (unsigned long)pfn_to_page(region_pfn(lv, sub));
}

static void leave_borders(struct live *lv)
{
	const unsigned long start = region_memmap(lv, 0);
	const unsigned long end = region_memmap(lv, REGION_SUBS);

	lv->memmap = PAGE_ALIGN_DOWN(start);
	lv->first = 0;
	while (PAGE_ALIGN_DOWN(region_memmap(lv, lv->first)) < start)
		lv->first++;
	lv->end = REGION_SUBS;
	while (PAGE_ALIGN(region_memmap(lv, lv->end)) > end)
		lv->end--;
}

/* A cookie for each struct page, another one each time */
static void *cookie(const struct live *lv, unsigned long pfn)
{
	return (void *)(pfn << 12 | (lv->round % 4096));
}

static void mark_pages(const struct live *lv, unsigned long sub, unsigned long nr)
{
	const unsigned long end = sub + nr;
	unsigned long pfn;

	for (; sub < end; sub++) {
		pfn = region_pfn(lv, sub);
		pfn_to_page(pfn)->zone_device_data = cookie(lv, pfn);
		pfn += PAGES_PER_SUBSECTION - 1;
		pfn_to_page(pfn)->zone_device_data = cookie(lv, pfn);
	}
}

/* Neither lost nor changed: if it is not even mapped, that is no reason to die. */
static bool is_marked(const struct live *lv, unsigned long pfn)
{
	void *found;

	return !get_kernel_nofault(found, &pfn_to_page(pfn)->zone_device_data) &&
	       found == cookie(lv, pfn);
}

static bool pages_marked(const struct live *lv, unsigned long sub)
{
	const unsigned long pfn = region_pfn(lv, sub);

	return is_marked(lv, pfn) && is_marked(lv, pfn + PAGES_PER_SUBSECTION - 1);
}

static bool range_is_there(const struct live *lv, const struct live_range *range)
{
	return test_bit(range->sub, lv->there);
}

static void remove_live(struct live *lv, struct live_range *range)
{
	bitmap_clear(lv->there, range->sub, range->nr_subs);
	remove_device_memory(&range->dm);
}

static void remove_all_live(struct live *lv)
{
	unsigned int i;

	for (i = 0; i < lv->nr_ranges; i++)
		if (range_is_there(lv, &lv->range[i]))
			remove_live(lv, &lv->range[i]);
	lv->nr_ranges = 0;
}

static void toggle_live(struct kunit *test, struct live *lv, struct live_range *range)
{
	if (range_is_there(lv, range)) {
		remove_live(lv, range);
		return;
	}
	KUNIT_ASSERT_EQ(test, 0, add_device_memory(&range->dm));
	bitmap_set(lv->there, range->sub, range->nr_subs);
	mark_pages(lv, range->sub, range->nr_subs);
}

/* Just the memmap: what has been added in one way may be removed in another. */
static int add_subs_live(struct live *lv, unsigned long sub, unsigned long nr)
{
	struct mhp_params params = { .pgprot = PAGE_KERNEL };
	int ret;

	mem_hotplug_begin();
	ret = __add_pages(lv->nid, region_pfn(lv, sub), nr * PAGES_PER_SUBSECTION,
			  &params);
	mem_hotplug_done();
	if (!ret) {
		bitmap_set(lv->there, sub, nr);
		mark_pages(lv, sub, nr);
	}
	return ret;
}

static void remove_subs_live(struct live *lv, unsigned long sub, unsigned long nr)
{
	bitmap_clear(lv->there, sub, nr);
	mem_hotplug_begin();
	__remove_pages(region_pfn(lv, sub), nr * PAGES_PER_SUBSECTION, NULL, 0);
	mem_hotplug_done();
}

static void remove_all_subs_live(struct live *lv)
{
	unsigned long from, to;

	for_each_set_bitrange(from, to, lv->there, REGION_SUBS)
		remove_subs_live(lv, from, to - from);
}

/* Also after a test that was given up halfway */
static void give_up_region(void *data)
{
	struct live *lv = data;

	remove_all_live(lv);
	remove_all_subs_live(lv);
	release_mem_region(lv->region->start, REGION_SIZE);
}

static struct live *claim_region(struct kunit *test)
{
	struct live *lv = kunit_kzalloc(test, sizeof(*lv), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, lv);

	/* Persistent memory may still be on its way, and its memmap counts. */
	async_synchronize_full();

	lv->nid = numa_mem_id();
	lv->region = request_free_mem_region(&iomem_resource, REGION_SIZE,
					     "vmemmap_use_kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, lv->region);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, give_up_region, lv));
	leave_borders(lv);
	lv->nr_memmap = atomic_long_read(&nr_memmap_pages);
	return lv;
}

/* Odd subsections, about a section, and some that reach over several */
static unsigned long live_length(struct rnd_state *rnd)
{
	switch (below(rnd, 4)) {
	case 0:
		return SECTION_SUBS - 1 + below(rnd, 3);
	case 1:
		return 1 + below(rnd, 2 * SECTION_SUBS);
	default:
		return 1 + below(rnd, 5);
	}
}

/* A round begins: cut the region into ranges, half of which meet the next one. */
static void cut_region(struct live *lv, struct rnd_state *rnd)
{
	unsigned long sub = lv->first, nr;
	struct live_range *range;

	lv->round++;
	for (lv->nr_ranges = 0; lv->nr_ranges < MAX_RANGES; lv->nr_ranges++) {
		sub += below(rnd, 2) ? below(rnd, SECTION_SUBS / 2) : 0;
		nr = live_length(rnd);
		if (sub + nr > lv->end)
			break;
		range = &lv->range[lv->nr_ranges];
		*range = (struct live_range){
			.dm = {
				.start = PFN_PHYS(region_pfn(lv, sub)),
				.size = nr * SUBSECTION_SIZE,
				.nid = lv->nid,
				.pgprot = PAGE_KERNEL,
			},
			.sub = sub,
			.nr_subs = nr,
		};
		sub += nr;
	}
}

/* The pages of memmap that somebody's struct pages are in, each counted once */
static void mark_used(struct live *lv)
{
	unsigned long start, end, sub;

	bitmap_zero(lv->used, REGION_PAGES);
	for_each_set_bit(sub, lv->there, REGION_SUBS) {
		start = PHYS_PFN(region_memmap(lv, sub) - lv->memmap);
		end = PHYS_PFN(region_memmap(lv, sub + 1) - 1 - lv->memmap) + 1;
		bitmap_set(lv->used, start, end - start);
	}
}

/* With the memmap as it is, is this page of it in use? */
static bool page_in_use(const struct live *lv, unsigned long n)
{
	const unsigned long addr = lv->memmap + n * PAGE_SIZE;
	bool used;

	get_online_mems();
	used = vmemmap_range_in_use(addr, addr + PAGE_SIZE);
	put_online_mems();
	return used;
}

/* Not all of them each time */
#define PAGES_AT_ONCE	64

static void check_live(struct kunit *test, struct live *lv, struct rnd_state *rnd)
{
	const unsigned long start = region_memmap(lv, lv->first);
	const unsigned long end = region_memmap(lv, lv->end);
	unsigned long sub;
	unsigned int i;

	mark_used(lv);
	KUNIT_ASSERT_EQ_MSG(test, atomic_long_read(&nr_memmap_pages) - lv->nr_memmap,
			    bitmap_weight(lv->used, REGION_PAGES),
			    "round %lu", lv->round);
	for (i = 0; i < PAGES_AT_ONCE; i++) {
		unsigned long addr = start + below(rnd, end - start);
		unsigned long n = PHYS_PFN(addr - lv->memmap);

		KUNIT_ASSERT_EQ_MSG(test, page_in_use(lv, n), test_bit(n, lv->used),
				    "round %lu: page %lu of the memmap", lv->round, n);
	}
	for_each_set_bit(sub, lv->there, REGION_SUBS)
		KUNIT_ASSERT_TRUE_MSG(test, pages_marked(lv, sub),
				      "round %lu: subsection %lu", lv->round, sub);
}

static void shuffle(struct rnd_state *rnd, unsigned int *order, unsigned int nr)
{
	unsigned int i, other;

	for (i = 0; i < nr; i++) {
		other = below(rnd, i + 1);
		order[i] = order[other];
		order[other] = i;
	}
}

static void live_round(struct kunit *test, struct live *lv, struct rnd_state *rnd)
{
	unsigned int order[MAX_RANGES], i;

	cut_region(lv, rnd);
	for (i = 0; i < 2 * lv->nr_ranges; i++) {
		toggle_live(test, lv, &lv->range[below(rnd, lv->nr_ranges)]);
		check_live(test, lv, rnd);
	}
	shuffle(rnd, order, lv->nr_ranges);
	for (i = 0; i < lv->nr_ranges; i++) {
		if (!range_is_there(lv, &lv->range[order[i]]))
			continue;
		remove_live(lv, &lv->range[order[i]]);
		check_live(test, lv, rnd);
	}
}

#define ROUNDS	200

/*
 * Ranges that share sections, and pages of the memmap, come and go: each page of
 * memmap is counted once, and struct pages stay until their range goes.
 */
static void live_test(struct kunit *test)
{
	struct live *lv = claim_region(test);
	const u64 begin = ktime_get_ns();
	struct rnd_state rnd;
	int i;

	seed_random(test, &rnd);
	for (i = 0; !is_enough(i, ROUNDS, begin); i++) {
		live_round(test, lv, &rnd);
		/* All have gone. */
		KUNIT_ASSERT_EQ(test, atomic_long_read(&nr_memmap_pages), lv->nr_memmap);
		cond_resched();
	}
	kunit_info(test, "%d rounds, struct pages of %zu bytes\n", i, sizeof(struct page));
}

/* Adds what is missing of some subsections, in as many pieces as there are gaps. */
static void fill_subs_live(struct kunit *test, struct live *lv, unsigned long sub,
			   unsigned long nr)
{
	const unsigned long end = sub + nr;
	unsigned long next;

	for (sub = find_next_zero_bit(lv->there, end, sub); sub < end;
	     sub = find_next_zero_bit(lv->there, end, next)) {
		next = find_next_bit(lv->there, end, sub);
		KUNIT_ASSERT_EQ(test, 0, add_subs_live(lv, sub, next - sub));
	}
}

/* Removes a run of subsections that are there, however they came. */
static void remove_some_live(struct live *lv, struct rnd_state *rnd, unsigned long sub)
{
	unsigned long end;

	sub = find_next_bit(lv->there, lv->end, sub);
	if (sub >= lv->end)
		return;
	end = find_next_zero_bit(lv->there, lv->end, sub);
	remove_subs_live(lv, sub, min(live_length(rnd), end - sub));
}

#define ASYMMETRY_STEPS	1000

/*
 * A section comes and a subsection goes, some come one by one and go together:
 * pieces of the memmap belong to no range, only to the struct pages in them.
 */
static void asymmetry_test(struct kunit *test)
{
	struct live *lv = claim_region(test);
	const u64 begin = ktime_get_ns();
	unsigned long sub, nr;
	struct rnd_state rnd;
	int i;

	seed_random(test, &rnd);
	for (i = 0; !is_enough(i, ASYMMETRY_STEPS, begin); i++) {
		sub = lv->first + below(&rnd, lv->end - lv->first);
		nr = min(live_length(&rnd), lv->end - sub);
		if (below(&rnd, 2))
			fill_subs_live(test, lv, sub, nr);
		else
			remove_some_live(lv, &rnd, sub);
		check_live(test, lv, &rnd);
		cond_resched();
	}
	remove_all_subs_live(lv);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&nr_memmap_pages), lv->nr_memmap);
	kunit_info(test, "%d steps\n", i);
}

/* Somebody who looks at struct pages that come and go */

#define NR_READERS	2
#define READ_US		100
#define CHANGES		400

/**
 * struct reader - a thread that looks at the struct pages of any pfn that is valid
 * @task: the thread
 * @rnd: for the pfns
 * @start_pfn: the first of them
 * @nr_pages: how many there are
 * @valid: how many of those it looked at were valid
 * @invalid: and how many were not
 * @faults: how many struct pages went while it had the right to look at them
 */
struct reader {
	struct task_struct *task;
	struct rnd_state rnd;
	unsigned long start_pfn;
	unsigned long nr_pages;
	unsigned long valid;
	unsigned long invalid;
	unsigned long faults;
};

/*
 * Whether it can be read again and again, for longer than it takes from where a
 * range is taken out of the section map to where its memmap is unmapped.
 */
static bool page_stays(const struct page *page)
{
	const u64 end = ktime_get_ns() + READ_US * NSEC_PER_USEC;
	unsigned long flags;
	int i;

	do {
		for (i = 0; i < 50; i++)
			if (get_kernel_nofault(flags, &page->flags))
				return false;
	} while (ktime_get_ns() < end);
	return true;
}

static void read_pfn(struct reader *reader, unsigned long pfn)
{
	rcu_read_lock();
	if (!pfn_valid(pfn)) {
		reader->invalid++;
	} else {
		reader->valid++;
		if (!page_stays(pfn_to_page(pfn)))
			reader->faults++;
	}
	rcu_read_unlock();
}

static int read_pages(void *data)
{
	struct reader *reader = data;

	while (!kthread_should_stop()) {
		read_pfn(reader, reader->start_pfn +
				 below(&reader->rnd, reader->nr_pages));
		cond_resched();
	}
	return 0;
}

static void stop_reader(void *data)
{
	struct reader *reader = data;

	if (reader->task)
		kthread_stop_put(reader->task);
	reader->task = NULL;
}

static void start_reader(struct kunit *test, struct reader *reader,
			 const struct live *lv, struct rnd_state *rnd)
{
	struct task_struct *task;

	reader->start_pfn = region_pfn(lv, lv->first);
	reader->nr_pages = region_pfn(lv, lv->end) - reader->start_pfn;
	prandom_seed_state(&reader->rnd, prandom_u32_state(rnd));

	task = kthread_create(read_pages, reader, "vmemmap_use_kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	reader->task = get_task_struct(task);
	wake_up_process(task);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, stop_reader, reader));
}

/*
 * Who found a pfn valid within an RCU read-side critical section can look at its
 * struct page until the end of that section, whoever removes the range meanwhile.
 */
static void reader_test(struct kunit *test)
{
	struct live *lv = claim_region(test);
	unsigned long valid = 0, invalid = 0, faults = 0;
	const u64 begin = ktime_get_ns();
	struct reader *readers;
	struct rnd_state rnd;
	int i, changes;

	readers = kunit_kcalloc(test, NR_READERS, sizeof(*readers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, readers);
	seed_random(test, &rnd);
	for (i = 0; i < NR_READERS; i++)
		start_reader(test, &readers[i], lv, &rnd);

	for (changes = 0; !is_enough(changes, CHANGES, begin); changes++) {
		if (changes % 40 == 0) {
			remove_all_live(lv);
			cut_region(lv, &rnd);
		}
		toggle_live(test, lv, &lv->range[below(&rnd, lv->nr_ranges)]);
		/* There may be one cpu for all of us. */
		usleep_range(READ_US, 2 * READ_US);
	}
	remove_all_live(lv);

	for (i = 0; i < NR_READERS; i++) {
		kunit_release_action(test, stop_reader, &readers[i]);
		valid += readers[i].valid;
		invalid += readers[i].invalid;
		faults += readers[i].faults;
	}
	kunit_info(test, "%d changes; valid %lu times, not valid %lu times, gone %lu times\n",
		   changes, valid, invalid, faults);
	KUNIT_ASSERT_EQ_MSG(test, faults, 0, "struct pages went too early");
	if ((!valid || !invalid) && num_online_cpus() == 1)
		kunit_skip(test, "the readers had no time on the only cpu");
	/* Otherwise nothing was tested. */
	KUNIT_EXPECT_GT(test, valid, 0);
	KUNIT_EXPECT_GT(test, invalid, 0);
}
#endif /* CONFIG_DEVICE_PRIVATE */

static struct kunit_case vmemmap_use_cases[] = {
	KUNIT_CASE_PARAM_ATTR(in_use_test, struct_size_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE_PARAM_ATTR(mapping_test, piece_size_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE_PARAM(host_test, host_gen_params),
	KUNIT_CASE(host_pieces_test),
	KUNIT_CASE(altmap_page_test),
#ifdef CONFIG_DEVICE_PRIVATE
	KUNIT_CASE_SLOW(live_test),
	KUNIT_CASE_SLOW(asymmetry_test),
	KUNIT_CASE_SLOW(reader_test),
#endif
	{}
};

static struct kunit_suite vmemmap_use_suite = {
	.name = "vmemmap_use",
	.test_cases = vmemmap_use_cases,
};

kunit_test_suites(&vmemmap_use_suite);

MODULE_DESCRIPTION("KUnit tests of what is in use of the virtual memmap");
MODULE_LICENSE("GPL");
