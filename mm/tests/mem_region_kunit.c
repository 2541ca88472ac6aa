// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the users of physical regions: random requests, holds, adoptions,
 * splits and merges in a window of the real tree against a list of what ought to be
 * there, users that go in any order, what their names and children become, errors,
 * and threads that do all of that at once.
 */
#include <kunit/resource.h>
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/ioport.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../../kernel/mem_region.h"
#include "seed.h"

#define UNIT	PAGE_SIZE
#define NR_UNITS 48

static void close_window_action(void *data)
{
	struct resource *window = data;

	/* What a failed test left inside is nobody's any more. */
	if (window->parent)
		remove_resource(window);
}

/* A window without memory, and what others look for in iomem_resource finds it */
static struct resource *open_window(struct kunit *test)
{
	struct resource *window = kunit_kzalloc(test, sizeof(*window), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, window);
	window->name = "mem_region test";
	window->flags = IORESOURCE_MEM;
	KUNIT_ASSERT_EQ(test, 0, allocate_resource(&iomem_resource, window,
						   NR_UNITS * UNIT, SZ_4G,
						   iomem_resource.end, UNIT,
						   NULL, NULL));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, close_window_action,
							   window));
	return window;
}

static void close_window(struct kunit *test, struct resource *window)
{
	KUNIT_EXPECT_NULL(test, window->child);
	KUNIT_EXPECT_EQ(test, 0, release_resource(window));
}

/* ---- the model: a list of regions, and nothing else ---- */

static const char * const names[] = { "one", "two", "three" };
static const char * const holders[] = { "left hand", "right hand" };

/**
 * struct model - a region that ought to be there
 * @list: all of them
 * @start: first unit
 * @end: unit after the last
 * @name: its name
 * @res: if somebody requested it and has not released it
 * @owned: somebody did
 * @open: others can request what is inside
 * @ram: it is memory hotplug's
 * @mergeable: and may be one with its neighbours
 * @holds: how many hold it
 */
struct model {
	struct list_head list;
	unsigned int start, end;
	const char *name;
	struct resource *res;
	bool owned, open, ram, mergeable;
	unsigned int holds;
};

struct hold {
	struct list_head list;
	struct model *of;
	unsigned int start, end;
	const char *holder;
};

struct world {
	struct kunit *test;
	struct rnd_state rnd;
	struct resource *window;
	struct list_head regions;
	struct list_head holds;
};

static bool inside(const struct model *m, unsigned int start, unsigned int end)
{
	return m->start <= start && m->end >= end;
}

static bool overlaps(const struct model *m, unsigned int start, unsigned int end)
{
	return m->start < end && m->end > start;
}

/* Is @outer around @m? Of two of the same size, the first one in the list is. */
static bool around(const struct world *w, const struct model *outer,
		   const struct model *m)
{
	const struct model *first;

	if (outer == m || !inside(outer, m->start, m->end))
		return false;
	if (outer->start != m->start || outer->end != m->end)
		return true;
	list_for_each_entry(first, &w->regions, list)
		if (first == outer || first == m)
			break;
	return first == outer;
}

static bool has_inside(const struct world *w, const struct model *outer)
{
	const struct model *m;

	list_for_each_entry(m, &w->regions, list)
		if (around(w, outer, m))
			return true;
	return false;
}

static void forget_unused(struct world *w)
{
	struct model *m, *next;
	bool again;

	do {
		again = false;
		list_for_each_entry_safe(m, next, &w->regions, list) {
			if (m->owned || m->holds || has_inside(w, m))
				continue;
			list_del(&m->list);
			kfree(m);
			again = true;
		}
	} while (again);
}

/* The smallest region with all of a range that can be held */
static struct model *model_find(struct world *w, unsigned int start,
				unsigned int end)
{
	struct model *m, *found = NULL;

	list_for_each_entry(m, &w->regions, list)
		if (!m->ram && inside(m, start, end) &&
		    (!found || around(w, found, m)))
			found = m;
	return found;
}

static bool model_free_to_request(struct world *w, unsigned int start,
				  unsigned int end)
{
	const struct model *m;

	list_for_each_entry(m, &w->regions, list) {
		if (overlaps(m, start, end) &&
		    !(m->open && m->owned && inside(m, start, end)))
			return false;
	}
	return true;
}

static struct model *model_add(struct world *w, unsigned int start,
			       unsigned int end, const char *name)
{
	struct model *m = kzalloc(sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(w->test, m);
	m->start = start;
	m->end = end;
	m->name = name;
	m->owned = true;
	list_add_tail(&m->list, &w->regions);
	return m;
}

static struct model *pick(struct world *w)
{
	unsigned int nr = list_count_nodes(&w->regions);
	struct model *m;

	if (!nr)
		return NULL;
	nr = below(&w->rnd, nr);
	list_for_each_entry(m, &w->regions, list)
		if (!nr--)
			return m;
	return NULL;
}

static struct hold *pick_hold(struct world *w)
{
	unsigned int nr = list_count_nodes(&w->holds);
	struct hold *h;

	if (!nr)
		return NULL;
	nr = below(&w->rnd, nr);
	list_for_each_entry(h, &w->holds, list)
		if (!nr--)
			return h;
	return NULL;
}

/* ---- the same steps in both worlds ---- */

static resource_size_t at(const struct world *w, unsigned int unit)
{
	return w->window->start + unit * UNIT;
}

static void pick_range(struct world *w, unsigned int *start, unsigned int *end)
{
	*start = below(&w->rnd, NR_UNITS);
	*end = *start + 1 + below(&w->rnd, min(NR_UNITS - *start, 12u));
}

static void step_request(struct world *w)
{
	const char *name = names[below(&w->rnd, ARRAY_SIZE(names))];
	const bool free_name = below(&w->rnd, 2);
	unsigned int start, end;
	struct resource *res;
	bool expected;
	struct model *m;

	pick_range(w, &start, &end);
	expected = model_free_to_request(w, start, end);
	res = request_mem_region(at(w, start), (end - start) * UNIT, name);
	KUNIT_EXPECT_EQ_MSG(w->test, expected, !!res, "request %u-%u", start, end);
	if (!res)
		return;
	m = model_add(w, start, end, name);
	m->res = res;
	/* dax/kmem, virtio-mem */
	if (free_name) {
		res->flags &= ~IORESOURCE_BUSY;
		m->open = true;
	}
}

static void merge_models(struct world *w, struct model *m)
{
	struct model *o;
	bool again;

	m->mergeable = true;
	do {
		again = false;
		list_for_each_entry(o, &w->regions, list) {
			if (o == m || !o->ram || !o->mergeable ||
			    strcmp(o->name, m->name) ||
			    (o->start != m->end && o->end != m->start) ||
			    model_find(w, o->start, o->end) !=
			    model_find(w, m->start, m->end))
				continue;
			m->start = min(m->start, o->start);
			m->end = max(m->end, o->end);
			list_del(&o->list);
			kfree(o);
			again = true;
			break;
		}
	} while (again);
}

static void step_add_ram(struct world *w)
{
	char name[16];
	unsigned int start, end;
	struct resource *res;
	bool expected;
	struct model *m;
	int i = below(&w->rnd, ARRAY_SIZE(names));

	pick_range(w, &start, &end);
	expected = model_free_to_request(w, start, end);
	strscpy(name, names[i]);
	res = __request_region(&iomem_resource, at(w, start),
			       (end - start) * UNIT, name,
			       IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY);
	KUNIT_EXPECT_EQ_MSG(w->test, expected, !!res, "RAM %u-%u", start, end);
	if (!res)
		return;
	KUNIT_ASSERT_EQ(w->test, 0, own_mem_region_name(res));
	/* A module may go. */
	memset(name, 'x', sizeof(name) - 1);
	m = model_add(w, start, end, names[i]);
	m->ram = true;
	if (below(&w->rnd, 2)) {
		merge_system_ram_resource(res);
		merge_models(w, m);
	}
}

static void step_remove_ram(struct world *w)
{
	struct model *m = pick(w), *upper;
	unsigned int start, end;

	if (!m || !m->ram)
		return;
	start = m->start + below(&w->rnd, m->end - m->start);
	end = start + 1 + below(&w->rnd, m->end - start);
	release_mem_region_adjustable(at(w, start), (end - start) * UNIT);
	if (m->start < start && m->end > end) {
		upper = model_add(w, end, m->end, m->name);
		upper->ram = true;
		upper->mergeable = m->mergeable;
		m->end = start;
	} else if (m->start < start) {
		m->end = start;
	} else if (m->end > end) {
		m->start = end;
	} else {
		m->owned = false;
		forget_unused(w);
	}
}

static void step_release(struct world *w)
{
	struct model *m = pick(w);

	if (!m || m->ram || !m->owned)
		return;
	if (m->open || below(&w->rnd, 2))
		release_requested_region(m->res);
	else
		release_mem_region(at(w, m->start), (m->end - m->start) * UNIT);
	m->owned = false;
	m->res = NULL;
	forget_unused(w);
}

static void step_get(struct world *w)
{
	const char *holder = holders[below(&w->rnd, ARRAY_SIZE(holders))];
	unsigned int start, end;
	struct resource *res;
	struct model *m;
	struct hold *h;

	pick_range(w, &start, &end);
	end = min(end, start + 2);
	m = model_find(w, start, end);
	res = get_mem_region(at(w, start), (end - start) * UNIT, holder);
	if (!m) {
		KUNIT_EXPECT_EQ(w->test, -ENOENT, PTR_ERR_OR_ZERO(res));
		return;
	}
	KUNIT_ASSERT_FALSE_MSG(w->test, IS_ERR(res), "get %u-%u", start, end);
	KUNIT_EXPECT_EQ(w->test, at(w, m->start), res->start);
	KUNIT_EXPECT_EQ(w->test, at(w, m->end) - 1, res->end);
	h = kzalloc(sizeof(*h), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(w->test, h);
	*h = (struct hold) { .of = m, .start = start, .end = end, .holder = holder };
	/* Of equal ones, the last is put first. */
	list_add_tail(&h->list, &w->holds);
	m->holds++;
}

static void step_put(struct world *w)
{
	struct hold *h = pick_hold(w), *first;

	if (!h) {
		KUNIT_EXPECT_EQ(w->test, -ENOENT,
				put_mem_region(at(w, 0), UNIT, holders[0]));
		return;
	}
	list_for_each_entry_reverse(first, &w->holds, list)
		if (first->start == h->start && first->end == h->end &&
		    first->holder == h->holder)
			break;
	KUNIT_EXPECT_EQ(w->test, 0,
			put_mem_region(at(w, h->start), (h->end - h->start) * UNIT,
				       h->holder));
	first->of->holds--;
	list_del(&first->list);
	kfree(first);
	forget_unused(w);
}

static void step_adopt(struct world *w)
{
	const char *name = names[below(&w->rnd, ARRAY_SIZE(names))];
	struct model *m = pick(w), *found;
	struct resource *res;

	if (!m)
		return;
	found = model_find(w, m->start, m->end);
	res = adopt_mem_region(at(w, m->start), (m->end - m->start) * UNIT, name);
	if (!found || found->start != m->start || found->end != m->end ||
	    found->owned || strcmp(found->name, name)) {
		KUNIT_EXPECT_NULL(w->test, res);
		return;
	}
	KUNIT_ASSERT_NOT_NULL(w->test, res);
	found->owned = true;
	found->res = res;
}

/* ---- comparison ---- */

static unsigned int depth(const struct world *w, const struct model *m)
{
	const struct model *outer;
	unsigned int nr = 0;

	list_for_each_entry(outer, &w->regions, list)
		nr += around(w, outer, m);
	return nr;
}

static const struct model *model_at(const struct world *w, unsigned int start,
				    unsigned int level)
{
	const struct model *m;

	list_for_each_entry(m, &w->regions, list)
		if (m->start == start && depth(w, m) == level)
			return m;
	return NULL;
}

static unsigned int compare(struct world *w, const struct resource *parent,
			    unsigned int level)
{
	const struct resource *res;
	const struct model *m;
	unsigned int nr = 0;

	for (res = parent->child; res; res = res->sibling) {
		nr++;
		m = model_at(w, (res->start - w->window->start) / UNIT, level);
		KUNIT_ASSERT_NOT_NULL_MSG(w->test, m, "%pR is too much", res);
		KUNIT_ASSERT_EQ(w->test, at(w, m->end) - 1, res->end);
		KUNIT_ASSERT_STREQ(w->test, m->name, res->name);
		KUNIT_ASSERT_EQ(w->test, m->owned,
				!!(res->users & REGION_REQUESTED));
		KUNIT_ASSERT_EQ(w->test, m->holds, res->users & REGION_HOLDS);
		KUNIT_ASSERT_EQ(w->test, !m->open,
				!!(res->flags & IORESOURCE_BUSY));
		KUNIT_ASSERT_PTR_EQ(w->test, parent, res->parent);
		nr += compare(w, res, level + 1);
	}
	return nr;
}

static void random_test(struct kunit *test)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	unsigned int i, most = 0;
	struct model *m;

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->test = test;
	INIT_LIST_HEAD(&w->regions);
	INIT_LIST_HEAD(&w->holds);
	seed_random(test, &w->rnd);
	w->window = open_window(test);

	for (i = 0; i < 100000; i++) {
		switch (below(&w->rnd, 10)) {
		case 0: case 1:
			step_request(w);
			break;
		case 2: case 3:
			step_add_ram(w);
			break;
		case 4: case 5:
			step_remove_ram(w);
			break;
		case 6:
			step_release(w);
			break;
		case 7:
			step_get(w);
			break;
		case 8:
			step_put(w);
			break;
		case 9:
			step_adopt(w);
			break;
		}
		most = max_t(unsigned int, most, list_count_nodes(&w->regions));
		KUNIT_ASSERT_EQ_MSG(test, list_count_nodes(&w->regions),
				    compare(w, w->window, 0), "step %u", i);
		cond_resched();
	}
	kunit_info(test, "%u regions at most\n", most);
	KUNIT_EXPECT_GT(test, most, 8u);

	while (!list_empty(&w->holds))
		step_put(w);
	while (!list_empty(&w->regions)) {
		m = list_first_entry(&w->regions, struct model, list);
		if (m->ram) {
			release_mem_region_adjustable(at(w, m->start),
						      (m->end - m->start) * UNIT);
			m->owned = false;
			forget_unused(w);
		} else if (m->owned) {
			release_requested_region(m->res);
			m->owned = false;
			forget_unused(w);
		} else {
			list_move_tail(&m->list, &w->regions);
		}
	}
	close_window(test, w->window);
}

/* ---- one by one ---- */

/* What a driver called its region stays readable when the driver has gone. */
static void names_test(struct kunit *test)
{
	struct resource *window = open_window(test), *res;
	const resource_size_t start = window->start;
	const char *const own = "a driver";
	char *name = kstrdup(own, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, name);
	res = request_mem_region(start, UNIT, name);
	KUNIT_ASSERT_NOT_NULL(test, res);
	KUNIT_EXPECT_PTR_EQ(test, res, get_mem_region(start, UNIT, "me"));
	release_mem_region(start, UNIT);
	memset(name, 'x', strlen(name));
	kfree(name);
	KUNIT_EXPECT_STREQ(test, "a driver", res->name);
	KUNIT_EXPECT_TRUE(test, res->flags & IORESOURCE_BUSY);
	KUNIT_EXPECT_NULL(test, request_mem_region(start, UNIT, "another"));

	/* A driver that takes it out and frees it gets its own name back. */
	KUNIT_EXPECT_PTR_EQ(test, res, adopt_mem_region(start, UNIT, own));
	KUNIT_EXPECT_EQ(test, 0, put_mem_region(start, UNIT, "me"));
	KUNIT_EXPECT_EQ(test, 0, release_resource(res));
	KUNIT_EXPECT_PTR_EQ(test, own, res->name);
	kfree(res);
	close_window(test, window);
}

static void errors_test(struct kunit *test)
{
	struct resource *window = open_window(test), *res;
	const resource_size_t start = window->start;
	struct resource garbage = {
		.start = start,
		.end = start + UNIT - 1,
		.name = "garbage",
		.flags = IORESOURCE_MEM,
		.users = ~0u,
	};

	/* Nobody requested it, though it is in the tree. */
	KUNIT_EXPECT_EQ(test, -ENOENT,
			PTR_ERR_OR_ZERO(get_mem_region(start, UNIT, "me")));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR_OR_ZERO(get_mem_region(start, 0, "me")));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR_OR_ZERO(get_mem_region(start, -UNIT, "me")));
	KUNIT_EXPECT_EQ(test, -ENOENT, put_mem_region(start, UNIT, "me"));
	KUNIT_EXPECT_NULL(test, adopt_mem_region(start, UNIT, "me"));

	res = request_mem_region(start + UNIT, UNIT, "a driver");
	KUNIT_ASSERT_NOT_NULL(test, res);
	/* More than there is, on either side */
	KUNIT_EXPECT_EQ(test, -ENOENT,
			PTR_ERR_OR_ZERO(get_mem_region(start, 2 * UNIT, "me")));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			PTR_ERR_OR_ZERO(get_mem_region(start + UNIT, 2 * UNIT, "me")));
	/* It has an owner. */
	KUNIT_EXPECT_NULL(test, adopt_mem_region(start + UNIT, UNIT, "a driver"));

	KUNIT_EXPECT_PTR_EQ(test, res, get_mem_region(start + UNIT, UNIT, "me"));
	KUNIT_EXPECT_EQ(test, -ENOENT, put_mem_region(start + UNIT, UNIT, "you"));
	KUNIT_EXPECT_EQ(test, -ENOENT, put_mem_region(start, UNIT, "me"));
	KUNIT_EXPECT_EQ(test, 0, put_mem_region(start + UNIT, UNIT, "me"));
	KUNIT_EXPECT_EQ(test, -ENOENT, put_mem_region(start + UNIT, UNIT, "me"));

	/* Its owner takes it away from who holds it, and may free it. */
	KUNIT_EXPECT_PTR_EQ(test, res, get_mem_region(start + UNIT, UNIT, "me"));
	KUNIT_EXPECT_EQ(test, 0, release_resource(res));
	KUNIT_EXPECT_NULL(test, window->child);
	kfree(res);
	KUNIT_EXPECT_EQ(test, 0, put_mem_region(start + UNIT, UNIT, "me"));

	/* What is inserted is not counted, whatever was in its memory. */
	KUNIT_ASSERT_EQ(test, 0, request_resource(window, &garbage));
	KUNIT_EXPECT_EQ(test, 0u, garbage.users);
	KUNIT_EXPECT_EQ(test, 0, remove_resource(&garbage));
	garbage.users = ~0u;
	KUNIT_ASSERT_EQ(test, 0, insert_resource(window, &garbage));
	KUNIT_EXPECT_EQ(test, 0u, garbage.users);
	KUNIT_EXPECT_EQ(test, 0, remove_resource(&garbage));

	/* RAM is not to be held. */
	res = __request_region(&iomem_resource, start, UNIT, "RAM",
			       IORESOURCE_SYSTEM_RAM);
	KUNIT_ASSERT_NOT_NULL(test, res);
	KUNIT_EXPECT_EQ(test, -ENOENT,
			PTR_ERR_OR_ZERO(get_mem_region(start, UNIT, "me")));
	release_mem_region(start, UNIT);
	close_window(test, window);
}

/* All that a range has a part in, each once, and RAM inside does not matter. */
static void several_test(struct kunit *test)
{
	struct resource *window = open_window(test), *res[3], *inner, *ram;
	const resource_size_t start = window->start;
	int i;

	KUNIT_EXPECT_EQ(test, -EINVAL, get_mem_regions(start, 0, "me"));
	KUNIT_EXPECT_EQ(test, -EINVAL, get_mem_regions(start, -UNIT, "me"));
	KUNIT_EXPECT_EQ(test, 0, get_mem_regions(start, NR_UNITS * UNIT, "me"));

	/* Units 0-3, 8-11, 16-19 */
	for (i = 0; i < 3; i++) {
		res[i] = request_mem_region(start + 8 * i * UNIT, 4 * UNIT, "a driver");
		KUNIT_ASSERT_NOT_NULL(test, res[i]);
	}
	res[1]->flags &= ~IORESOURCE_BUSY;
	inner = request_mem_region(start + 9 * UNIT, UNIT, "inner");
	KUNIT_ASSERT_NOT_NULL(test, inner);
	res[2]->flags &= ~IORESOURCE_BUSY;
	ram = __request_region(&iomem_resource, start + 16 * UNIT, UNIT, "RAM",
			       IORESOURCE_SYSTEM_RAM);
	KUNIT_ASSERT_NOT_NULL(test, ram);

	/* From the last unit of the first one to the first unit of the third one */
	KUNIT_EXPECT_EQ(test, 3, get_mem_regions(start + 3 * UNIT, 14 * UNIT, "me"));
	KUNIT_EXPECT_EQ(test, 1, res[0]->users & REGION_HOLDS);
	KUNIT_EXPECT_EQ(test, 0, res[1]->users & REGION_HOLDS);
	KUNIT_EXPECT_EQ(test, 1, inner->users & REGION_HOLDS);
	KUNIT_EXPECT_EQ(test, 1, res[2]->users & REGION_HOLDS);
	KUNIT_EXPECT_EQ(test, 0, ram->users & REGION_HOLDS);
	/* Others do not put what is ours, and we do not by asking twice. */
	KUNIT_EXPECT_EQ(test, -ENOENT,
			put_mem_region(start + 3 * UNIT, 14 * UNIT, "you"));
	KUNIT_EXPECT_EQ(test, -ENOENT, put_mem_region(start, NR_UNITS * UNIT, "me"));
	KUNIT_EXPECT_EQ(test, 3, get_mem_regions(start, NR_UNITS * UNIT, "me"));
	KUNIT_EXPECT_EQ(test, 3, get_mem_regions(start + 3 * UNIT, 14 * UNIT, "me"));
	KUNIT_EXPECT_EQ(test, 3, res[2]->users & REGION_HOLDS);
	KUNIT_EXPECT_EQ(test, 0, put_mem_region(start, NR_UNITS * UNIT, "me"));
	KUNIT_EXPECT_EQ(test, 0, put_mem_region(start + 3 * UNIT, 14 * UNIT, "me"));
	KUNIT_EXPECT_EQ(test, 1, res[0]->users & REGION_HOLDS);
	KUNIT_EXPECT_EQ(test, 1, inner->users & REGION_HOLDS);
	KUNIT_EXPECT_EQ(test, 1, res[2]->users & REGION_HOLDS);

	release_mem_region(start, 4 * UNIT);
	release_mem_region(start + 9 * UNIT, UNIT);
	release_requested_region(res[1]);
	release_requested_region(res[2]);
	release_mem_region_adjustable(start + 16 * UNIT, UNIT);
	KUNIT_EXPECT_PTR_EQ(test, res[0], window->child);
	KUNIT_EXPECT_PTR_EQ(test, res[1], res[0]->sibling);
	KUNIT_EXPECT_PTR_EQ(test, inner, res[1]->child);
	KUNIT_EXPECT_PTR_EQ(test, res[2], res[1]->sibling);
	KUNIT_EXPECT_NULL(test, res[2]->child);

	KUNIT_EXPECT_EQ(test, 0, put_mem_region(start + 3 * UNIT, 14 * UNIT, "me"));
	close_window(test, window);
}

/* RAM keeps the region around it, and that the one around it. */
static void nested_test(struct kunit *test)
{
	struct resource *window = open_window(test), *outer, *inner;
	const resource_size_t start = window->start;

	outer = request_mem_region(start, 4 * UNIT, "outer");
	KUNIT_ASSERT_NOT_NULL(test, outer);
	outer->flags &= ~IORESOURCE_BUSY;
	inner = request_mem_region(start, 2 * UNIT, "inner");
	KUNIT_ASSERT_NOT_NULL(test, inner);
	inner->flags &= ~IORESOURCE_BUSY;
	KUNIT_ASSERT_NOT_NULL(test, request_mem_region(start, UNIT, "innermost"));

	release_requested_region(outer);
	release_requested_region(inner);
	KUNIT_EXPECT_PTR_EQ(test, outer, window->child);
	KUNIT_EXPECT_PTR_EQ(test, inner, outer->child);
	/* What is left of it is for those who were there before. */
	KUNIT_EXPECT_NULL(test, request_mem_region(start + 3 * UNIT, UNIT, "new"));
	release_mem_region(start, UNIT);
	close_window(test, window);
}

static void split_children_test(struct kunit *test)
{
	struct resource *window = open_window(test), *ram, *upper;
	const resource_size_t start = window->start;
	struct resource child[4] = {};
	int i;

	ram = __request_region(&iomem_resource, start, 10 * UNIT, "RAM",
			       IORESOURCE_SYSTEM_RAM);
	KUNIT_ASSERT_NOT_NULL(test, ram);
	/* Units 1, 3, 6, 8 */
	for (i = 0; i < 4; i++) {
		child[i].name = "child";
		child[i].flags = IORESOURCE_MEM;
		child[i].start = start + (i < 2 ? 1 + 2 * i : 2 + 2 * i) * UNIT;
		child[i].end = child[i].start + UNIT - 1;
		KUNIT_ASSERT_EQ(test, 0, request_resource(ram, &child[i]));
	}

	release_mem_region_adjustable(start + 4 * UNIT, 2 * UNIT);
	upper = ram->sibling;
	KUNIT_ASSERT_NOT_NULL(test, upper);
	KUNIT_EXPECT_EQ(test, start + 4 * UNIT - 1, ram->end);
	KUNIT_EXPECT_EQ(test, start + 6 * UNIT, upper->start);
	KUNIT_EXPECT_EQ(test, start + 10 * UNIT - 1, upper->end);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_PTR_EQ(test, i < 2 ? ram : upper, child[i].parent);
	KUNIT_EXPECT_PTR_EQ(test, &child[0], ram->child);
	KUNIT_EXPECT_NULL(test, child[1].sibling);
	KUNIT_EXPECT_PTR_EQ(test, &child[2], upper->child);
	KUNIT_EXPECT_NULL(test, child[3].sibling);

	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, 0, release_resource(&child[i]));
	release_mem_region_adjustable(start, 4 * UNIT);
	release_mem_region_adjustable(start + 6 * UNIT, 4 * UNIT);
	close_window(test, window);
}

/* ---- at once ---- */

#define NR_THREADS	4
#define NR_ROUNDS	5000

struct crowd {
	struct resource *window;
	struct completion done;
	atomic_t running, requested, held, adopted, wrong;
};

static int crowd_thread(void *data)
{
	struct crowd *c = data;
	struct rnd_state rnd;
	struct resource *res;
	unsigned int i;

	prandom_seed_state(&rnd, (unsigned long)current);
	for (i = 0; i < NR_ROUNDS; i++) {
		const resource_size_t start = c->window->start +
					      below(&rnd, 3) * UNIT;

		res = get_mem_region(start, UNIT, current->comm);
		if (!IS_ERR(res)) {
			/* It cannot go, whatever its owner does. */
			if (res->start != start || res->end != start + UNIT - 1 ||
			    strcmp(res->name, "crowd"))
				atomic_inc(&c->wrong);
			atomic_inc(&c->held);
			if (!below(&rnd, 64))
				schedule_timeout_uninterruptible(1);
		}

		if (request_mem_region(start, UNIT, "crowd")) {
			atomic_inc(&c->requested);
			/* With one CPU, others come only here. */
			if (!below(&rnd, 64))
				schedule_timeout_uninterruptible(1);
			release_mem_region(start, UNIT);
		} else if (adopt_mem_region(start, UNIT, "crowd")) {
			atomic_inc(&c->adopted);
			release_mem_region(start, UNIT);
		}

		if (!IS_ERR(res) && put_mem_region(start, UNIT, current->comm))
			atomic_inc(&c->wrong);
	}
	if (atomic_dec_and_test(&c->running))
		complete(&c->done);
	return 0;
}

static void crowd_test(struct kunit *test)
{
	struct crowd *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	struct task_struct *thread;
	int i, nr = 0;

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->window = open_window(test);
	init_completion(&c->done);
	/* One is us, until all are started. */
	atomic_set(&c->running, 1);
	for (i = 0; i < NR_THREADS; i++) {
		atomic_inc(&c->running);
		thread = kthread_run(crowd_thread, c, "crowd/%d", i);
		if (IS_ERR(thread))
			atomic_dec(&c->running);
		else
			nr++;
	}
	if (!atomic_dec_and_test(&c->running))
		wait_for_completion(&c->done);
	KUNIT_EXPECT_EQ(test, NR_THREADS, nr);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&c->wrong));
	kunit_info(test, "requested %d times, held %d, adopted %d\n",
		   atomic_read(&c->requested), atomic_read(&c->held),
		   atomic_read(&c->adopted));
	KUNIT_EXPECT_GT(test, atomic_read(&c->requested), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&c->held), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&c->adopted), 0);
	close_window(test, c->window);
}

static struct kunit_case mem_region_cases[] = {
	KUNIT_CASE_SLOW(random_test),
	KUNIT_CASE(names_test),
	KUNIT_CASE(errors_test),
	KUNIT_CASE(several_test),
	KUNIT_CASE(nested_test),
	KUNIT_CASE(split_children_test),
	KUNIT_CASE(crowd_test),
	{}
};

static struct kunit_suite mem_region_suite = {
	.name = "mem_region",
	.test_cases = mem_region_cases,
};

kunit_test_suite(mem_region_suite);

MODULE_DESCRIPTION("KUnit tests of the users of physical regions");
MODULE_LICENSE("GPL");
