// SPDX-License-Identifier: GPL-2.0-only
/*
 * Users of physical regions
 *
 * A region that was requested stays in the resource tree, and busy, until the last
 * of its users is gone: who requested it, who holds it with get_mem_region(), and
 * the regions that were requested inside of it. They may go in any order.
 *
 * resource.users tells requested regions from all other resources, for which it is
 * zero: they come and go as their owners like, and nobody counts.
 *
 * See Documentation/mm/mem_region.rst.
 */
#define pr_fmt(fmt) "resource: " fmt

#include <linux/err.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/mhp_debugfs.h>
#include <linux/overflow.h>
#include <linux/refcount.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <asm/sections.h>

#include "mem_region.h"

/* On 64-bit, users found room beside desc. */
static_assert(!IS_ENABLED(CONFIG_64BIT) ||
	      sizeof(struct resource) == 2 * sizeof(resource_size_t) +
					 6 * sizeof(long));

/* ---- names ---- */

/*
 * A region that outlives who requested it cannot do so under a name of theirs.
 * The parts of one that was split share theirs.
 */
struct region_name {
	refcount_t regions;
	const char *lent;	/* the name before, %NULL if it is not to return */
	char text[];
};

static struct region_name *region_name(const struct resource *res)
{
	return res->users & REGION_OWNS_NAME ?
	       (void *)(res->name - offsetof(struct region_name, text)) : NULL;
}

static struct region_name *copy_name(const char *name, gfp_t gfp)
{
	const size_t size = strlen(name) + 1;
	struct region_name *copy;

	copy = kmalloc(struct_size(copy, text, size), gfp);
	if (copy) {
		refcount_set(&copy->regions, 1);
		copy->lent = name;
		memcpy(copy->text, name, size);
	}
	return copy;
}

static void set_name(struct resource *res, struct region_name *name)
{
	res->name = name->text;
	res->users |= REGION_OWNS_NAME;
}

/* With resource_lock in write mode */
static int own_name(struct resource *res)
{
	struct region_name *name;

	if (!res->name || region_name(res))
		return 0;
	name = copy_name(res->name, GFP_ATOMIC | __GFP_NOWARN);
	if (!name)
		return -ENOMEM;
	set_name(res, name);
	return 0;
}

/* For those who take out and free by themselves what they requested */
static void return_name(struct resource *res)
{
	struct region_name *name = region_name(res);

	if (!name || !name->lent || refcount_read(&name->regions) != 1)
		return;
	res->users &= ~REGION_OWNS_NAME;
	res->name = name->lent;
	kfree(name);
}

static void free_region(struct resource *res)
{
	struct region_name *name = region_name(res);

	if (name && refcount_dec_and_test(&name->regions))
		kfree(name);
	resource_free(res);
}

/**
 * regions_free() - free what is no longer in the tree
 * @res: list of regions, linked by their siblings, or %NULL
 *
 * Context: may be called under resource_lock.
 */
void regions_free(struct resource *res)
{
	struct resource *next;

	for (; res; res = next) {
		next = res->sibling;
		free_region(res);
	}
}

/* ---- users ---- */

/*
 * struct region_hold - a region in a call of get_mem_region() or get_mem_regions()
 * @list: in region_holds
 * @region: the region that it counts for, %NULL if its owner has withdrawn it
 * @start: first byte that was asked for
 * @end: last byte
 * @holder: who asked
 * @call: which call it was, as the same range can be asked for more than once
 */
struct region_hold {
	struct list_head list;
	struct resource *region;
	resource_size_t start, end;
	const char *holder;
	u64 call;
};

/* The latest ones first */
static LIST_HEAD(region_holds);
static u64 region_calls;

/**
 * region_has_owner() - is the one who requested a region still there?
 * @res: the resource
 *
 * Context: resource_lock.
 * Return: false if @res was requested, and released. Of others, it is not known.
 */
bool region_has_owner(const struct resource *res)
{
	return !res->users || res->users & REGION_REQUESTED;
}

/**
 * region_in_use_below() - are there requested regions inside of a resource?
 * @res: the resource
 *
 * Context: resource_lock.
 * Return: true if there are.
 */
bool region_in_use_below(const struct resource *res)
{
	const struct resource *child;

	for (child = res->child; child; child = child->sibling)
		if (child->users || region_in_use_below(child))
			return true;
	return false;
}

/**
 * region_requested() - begin to count the users of a region
 * @res: the region, which is in the tree now
 *
 * The requested regions that it lies in stay as long as it does, and so does their
 * name.
 *
 * Context: resource_lock in write mode.
 * Return: 0, or -ENOMEM.
 */
int region_requested(struct resource *res)
{
	struct resource *parent;
	int err;

	res->users = REGION_COUNTED | REGION_REQUESTED;
	for (parent = res->parent; parent; parent = parent->parent) {
		err = parent->users ? own_name(parent) : 0;
		if (err)
			return err;
	}
	return 0;
}

/*
 * Take a region out of the tree, if release_child_resources() has not done that
 * before. @link is what points to it, or %NULL if that has to be looked for.
 */
static void unlink_region(struct resource *res, struct resource **link,
			  bool release_child)
{
	if (!res->parent)
		return;
	if (!link || !release_child) {
		__release_resource(res, release_child);
		return;
	}
	*link = res->sibling;
	res->parent = NULL;
}

/**
 * region_unlinked() - somebody has left a region: it may not be needed any more
 * @parent: the region, or %NULL
 *
 * Takes what nobody needs out of the tree, from @parent upwards.
 *
 * Context: resource_lock in write mode.
 * Return: what is to go to regions_free().
 */
struct resource *region_unlinked(struct resource *parent)
{
	struct resource *res = parent, *gone = NULL;

	for (; res; res = parent) {
		parent = res->parent;
		if (!res->users)
			continue;
		if (region_in_use_below(res))
			break;
		if (res->users & (REGION_HOLDS | REGION_REQUESTED))
			break;
		/* Whose children these are does not know that it goes now. */
		unlink_region(res, NULL, false);
		res->sibling = gone;
		gone = res;
	}
	return gone;
}

/**
 * region_released() - who requested a region has no use for it any more
 * @res: the region
 * @link: what points to it in the tree, or %NULL if the caller does not know
 *
 * Context: resource_lock in write mode.
 * Return: what is to go to regions_free().
 */
struct resource *region_released(struct resource *res, struct resource **link)
{
	struct resource *parent = res->parent;

	if (!res->users) {
		unlink_region(res, link, !region_in_use_below(res));
		res->sibling = NULL;
		return res;
	}

	res->users &= ~REGION_REQUESTED;
	if (res->users & REGION_HOLDS || region_in_use_below(res)) {
		/* Unless resources were moved about, it has been done before. */
		if (own_name(res))
			res->name = "(name lost)";
		return NULL;
	}
	unlink_region(res, link, true);
	res->sibling = region_unlinked(parent);
	return res;
}

/**
 * region_withdrawn() - the owner of a resource has taken it out of the tree
 * @res: the resource
 * @parent: where it was
 *
 * With release_resource() or remove_resource(), after which it is the owner's to
 * free: nobody can hold it any longer, if it was requested.
 *
 * Context: resource_lock in write mode.
 * Return: what is to go to regions_free().
 */
struct resource *region_withdrawn(struct resource *res, struct resource *parent)
{
	struct region_hold *hold;

	if (res->users) {
		list_for_each_entry(hold, &region_holds, list)
			if (hold->region == res)
				hold->region = NULL;
		return_name(res);
		res->users = 0;
	}
	return region_unlinked(parent);
}

/**
 * release_requested_region() - give back a requested region that is not busy
 * @res: what request_mem_region() or the like returned
 *
 * Drivers that clear IORESOURCE_BUSY to have others request what is inside cannot
 * use release_mem_region(), which looks for a busy region. What is inside may
 * stay longer.
 *
 * Context: may sleep.
 */
void release_requested_region(struct resource *res)
{
	struct resource *gone = NULL;

	write_lock(&resource_lock);
	if (!WARN_ON_ONCE(!(res->users & REGION_REQUESTED)))
		gone = region_released(res, NULL);
	write_unlock(&resource_lock);
	regions_free(gone);
}
EXPORT_SYMBOL_GPL(release_requested_region);

/**
 * own_mem_region_name() - let a requested region have its name for itself
 * @res: what request_mem_region() or the like returned
 *
 * For a name that may go before the region does.
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM.
 */
int own_mem_region_name(struct resource *res)
{
	struct region_name *name;

	if (is_kernel_rodata((unsigned long)res->name))
		return 0;
	name = copy_name(res->name, GFP_KERNEL);
	if (!name)
		return -ENOMEM;
	name->lent = NULL;
	write_lock(&resource_lock);
	set_name(res, name);
	write_unlock(&resource_lock);
	return 0;
}

/*
 * RAM is memory hotplug's, split and merged. Regions that are taken in turns are
 * waited for, and it is their owner that wakes the next one.
 */
static bool can_be_held(const struct resource *res)
{
	const bool ram = res->flags & IORESOURCE_SYSRAM &&
			 res->flags & IORESOURCE_BUSY;

	return res->users && !ram && !(res->flags & IORESOURCE_MUXED);
}

/* The innermost region that has all of a range and can be held */
static struct resource *find_region(resource_size_t start, resource_size_t end)
{
	struct resource *res = iomem_resource.child, *found = NULL;

	while (res && res->start <= start) {
		if (res->end < end) {
			res = res->sibling;
			continue;
		}
		if (can_be_held(res))
			found = res;
		res = res->child;
	}
	return found;
}

/* With resource_lock in write mode */
static int hold_region(struct resource *res, resource_size_t start,
		       resource_size_t end, const char *holder)
{
	struct region_hold *hold;

	hold = kmalloc(sizeof(*hold), GFP_ATOMIC | __GFP_NOWARN);
	if (!hold || own_name(res)) {
		kfree(hold);
		return -ENOMEM;
	}
	*hold = (struct region_hold) {
		.region = res,
		.start = start,
		.end = end,
		.holder = holder,
		.call = region_calls,
	};
	list_add(&hold->list, &region_holds);
	res->users++;
	return 0;
}

/* With resource_lock in write mode. Return: what is to go to regions_free(). */
static struct resource *drop_hold(struct region_hold *hold)
{
	struct resource *res = hold->region;

	list_del(&hold->list);
	kfree(hold);
	/* Its owner may have withdrawn it. */
	if (!res)
		return NULL;
	res->users--;
	return region_unlinked(res);
}

/* Drop what a call has got. */
static void drop_call(u64 call)
{
	struct region_hold *hold, *next;

	list_for_each_entry_safe(hold, next, &region_holds, list)
		if (hold->call == call)
			regions_free(drop_hold(hold));
}

/**
 * get_mem_region() - look a requested region up, and hold it
 * @start: first byte of a range
 * @size: bytes
 * @holder: who wants to know; the string has to stay as long as the hold does
 *
 * The region that has all of the range, and the smallest if there are several. It
 * stays in the tree until put_mem_region(), also if the one who requested it releases
 * it before, and nobody else can request anything of it then. System RAM is not
 * found: memory hotplug decides when it comes and goes, and the region around it is
 * what can be held. Neither are regions that are taken in turns (IORESOURCE_MUXED).
 *
 * Context: may sleep.
 * Return: the region, or an ERR_PTR(): -ENOENT if nobody requested it, -EINVAL,
 * -ENOMEM.
 */
struct resource *get_mem_region(resource_size_t start, resource_size_t size,
				const char *holder)
{
	const resource_size_t end = start + size - 1;
	struct resource *res;
	int err;

	if (!size || end < start)
		return ERR_PTR(-EINVAL);

	write_lock(&resource_lock);
	region_calls++;
	res = find_region(start, end);
	err = res ? hold_region(res, start, end, holder) : -ENOENT;
	write_unlock(&resource_lock);
	return err ? ERR_PTR(err) : res;
}
EXPORT_SYMBOL_GPL(get_mem_region);

/* Hold what has parts of a range and is inside of @parent. */
static int hold_below(struct resource *parent, resource_size_t start,
		      resource_size_t end, const char *holder)
{
	struct resource *res;
	int nr = 0, below;

	for (res = parent->child; res && res->start <= end; res = res->sibling) {
		if (res->end < start)
			continue;
		below = hold_below(res, start, end, holder);
		if (!below && can_be_held(res))
			below = hold_region(res, start, end, holder) ?: 1;
		if (below < 0)
			return below;
		nr += below;
	}
	return nr;
}

/**
 * get_mem_regions() - hold all requested regions that a range has a part in
 * @start: first byte of the range
 * @size: bytes
 * @holder: as for get_mem_region()
 *
 * Of regions inside of each other, the innermost.
 *
 * Context: may sleep.
 * Return: how many there are, or a negative errno and none is held: -EINVAL,
 * -ENOMEM.
 */
int get_mem_regions(resource_size_t start, resource_size_t size,
		    const char *holder)
{
	const resource_size_t end = start + size - 1;
	int nr;

	if (!size || end < start)
		return -EINVAL;
	write_lock(&resource_lock);
	region_calls++;
	nr = hold_below(&iomem_resource, start, end, holder);
	if (nr < 0)
		drop_call(region_calls);
	write_unlock(&resource_lock);
	return nr;
}
EXPORT_SYMBOL_GPL(get_mem_regions);

/**
 * put_mem_region() - undo get_mem_region() or get_mem_regions()
 * @start: first byte, as it was asked for
 * @size: bytes, as they were asked for
 * @holder: the same name
 *
 * Of several such calls, the latest. A region is gone if that was its last user.
 *
 * Context: may sleep.
 * Return: 0, or -ENOENT if there is nothing to undo.
 */
int put_mem_region(resource_size_t start, resource_size_t size,
		   const char *holder)
{
	const resource_size_t end = start + size - 1;
	struct region_hold *hold;
	int err = -ENOENT;

	write_lock(&resource_lock);
	list_for_each_entry(hold, &region_holds, list) {
		if (hold->start == start && hold->end == end &&
		    !strcmp(hold->holder, holder)) {
			drop_call(hold->call);
			err = 0;
			break;
		}
	}
	write_unlock(&resource_lock);
	return err;
}
EXPORT_SYMBOL_GPL(put_mem_region);

/**
 * adopt_mem_region() - take over what was released, but is still in use
 * @start: first byte
 * @size: bytes
 * @name: its name
 *
 * As if the caller had requested the region.
 *
 * Return: the region, or %NULL if there is none of that range and that name, or
 * somebody else has it.
 */
struct resource *adopt_mem_region(resource_size_t start, resource_size_t size,
				  const char *name)
{
	struct resource *res;

	write_lock(&resource_lock);
	res = find_region(start, start + size - 1);
	if (res && res->start == start && resource_size(res) == size &&
	    !region_has_owner(res) && region_name(res) &&
	    !strcmp(res->name, name)) {
		res->users |= REGION_REQUESTED;
		/* The old one has gone with who lent it. */
		region_name(res)->lent = name;
	} else {
		res = NULL;
	}
	write_unlock(&resource_lock);
	return res;
}
EXPORT_SYMBOL_GPL(adopt_mem_region);

/**
 * region_report_conflict() - say who is in the way, if it is no driver any more
 * @conflict: what is in the way
 * @wanted: what was asked for
 *
 * A driver that has a region is there to be found. One that has left is not.
 *
 * Context: resource_lock.
 */
void region_report_conflict(const struct resource *conflict,
			    const struct resource *wanted)
{
	const struct resource *left = conflict;
	const struct region_hold *hold;
	const char *holder = NULL;

	while (left && region_has_owner(left))
		left = left->parent;
	if (!left)
		return;
	if (left != conflict)
		holder = conflict->name;
	list_for_each_entry(hold, &region_holds, list)
		if (!holder && hold->region == left)
			holder = hold->holder;
	if (!holder && left->child)
		holder = left->child->name;
	pr_warn_ratelimited("%s cannot have %pR: %s has left it, but %s is still there\n",
			    wanted->name, wanted, left->name,
			    holder ?: "something");
}

/* ---- System RAM ---- */

#ifdef CONFIG_MEMORY_HOTREMOVE
/* What points to the busy memory resource that has all of a range */
static struct resource **find_busy(resource_size_t start, resource_size_t end)
{
	struct resource **link = &iomem_resource.child, *res;

	while ((res = *link) && res->start <= start) {
		if (res->end < end) {
			link = &res->sibling;
			continue;
		}
		if (!(res->flags & IORESOURCE_MEM))
			break;
		if (res->flags & IORESOURCE_BUSY)
			return link;
		link = &res->child;
	}
	return NULL;
}

/* Make @upper what is left of @res beyond a hole, with what lies there */
static void split_region(struct resource *res, struct resource *upper,
			 resource_size_t start, resource_size_t end)
{
	struct region_name *name = region_name(res);
	struct resource **link = &res->child, *child;

	while (*link && (*link)->start <= end)
		link = &(*link)->sibling;
	*upper = (struct resource) {
		.start = end + 1,
		.end = res->end,
		.name = res->name,
		.flags = res->flags,
		.desc = res->desc,
		.users = res->users,
		.parent = res->parent,
		.sibling = res->sibling,
		.child = *link,
	};
	if (name)
		refcount_inc(&name->regions);
	for (child = upper->child; child; child = child->sibling)
		child->parent = upper;
	*link = NULL;
	res->sibling = upper;
	res->end = start - 1;
}

static bool children_outside(const struct resource *res, resource_size_t start,
			     resource_size_t end)
{
	const struct resource *child;

	for (child = res->child; child; child = child->sibling)
		if (child->start <= end && child->end >= start)
			return false;
	return true;
}

/**
 * release_mem_region_adjustable() - release a previously reserved memory region
 * @start: resource start address
 * @size: resource region size
 *
 * This interface is intended for memory hot-delete.  The requested region
 * is released from a currently busy memory resource.  The requested region
 * must either match exactly or fit into a single busy resource entry.  In
 * the latter case, the remaining resource is adjusted accordingly, and what is
 * left on both sides keeps its children and its name.
 * Existing children of the busy memory resource must be immutable in the
 * request.
 *
 * Context: may sleep.
 */
void release_mem_region_adjustable(resource_size_t start, resource_size_t size)
{
	const resource_size_t end = start + size - 1;
	struct resource **link, *res, *upper, *gone = NULL;

	if (WARN_ON_ONCE(start < iomem_resource.start ||
			 end > iomem_resource.end))
		return;

	/*
	 * The caller has removed memory and cannot undo that; the memmap of it
	 * has just been freed.
	 */
	upper = resource_zalloc(GFP_KERNEL | __GFP_NOFAIL);

	write_lock(&resource_lock);
	link = find_busy(start, end);
	if (!link)
		goto out;
	res = *link;
	if (res->start == start && res->end == end) {
		gone = region_released(res, link);
	} else if (res->start == start) {
		WARN_ON_ONCE(__adjust_resource(res, end + 1, res->end - end));
	} else if (res->end == end) {
		WARN_ON_ONCE(__adjust_resource(res, res->start,
					       start - res->start));
	} else if (!WARN_ON_ONCE(!children_outside(res, start, end))) {
		split_region(res, upper, start, end);
		upper = NULL;
	}
out:
	write_unlock(&resource_lock);
	regions_free(gone);
	resource_free(upper);
}
#endif	/* CONFIG_MEMORY_HOTREMOVE */

#ifdef CONFIG_MEMORY_HOTPLUG
static bool mergeable(const struct resource *r1, const struct resource *r2)
{
	/* One of them is IORESOURCE_SYSRAM_MERGEABLE. */
	return r1->flags == r2->flags && r1->end + 1 == r2->start &&
	       r1->desc == r2->desc && !r1->child && !r2->child &&
	       !r1->users == !r2->users && !strcmp(r1->name, r2->name);
}

/* Let a resource have what the next one has. */
static struct resource *merge_next(struct resource *res)
{
	struct resource *next = res->sibling;

	if (!next || !mergeable(res, next))
		return NULL;
	res->end = next->end;
	res->sibling = next->sibling;
	next->sibling = NULL;
	return next;
}

/**
 * merge_system_ram_resource() - mark the System RAM resource mergeable and try to
 *	merge it with adjacent, mergeable resources
 * @res: resource descriptor
 *
 * This interface is intended for memory hotplug, whereby lots of contiguous
 * system ram resources are added (e.g., via add_memory*()) by a driver, and
 * the actual resource boundaries are not of interest (e.g., it might be
 * relevant for DIMMs). Only resources that are marked mergeable, that have the
 * same parent, and that don't have any children are considered. All mergeable
 * resources must be immutable during the request.
 *
 * Note:
 * - The caller has to make sure that no pointers to resources that are
 *   marked mergeable are used anymore after this call - the resource might
 *   be freed and the pointer might be stale!
 * - release_mem_region_adjustable() will split on demand on memory hotunplug
 */
void merge_system_ram_resource(struct resource *res)
{
	const unsigned long flags = IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY;
	struct resource *prev, *next, *merged = NULL;

	if (WARN_ON_ONCE((res->flags & flags) != flags))
		return;

	write_lock(&resource_lock);
	res->flags |= IORESOURCE_SYSRAM_MERGEABLE;
	next = merge_next(res);
	prev = res->parent->child;
	while (prev && prev->sibling != res)
		prev = prev->sibling;
	if (prev)
		merged = merge_next(prev);
	write_unlock(&resource_lock);

	regions_free(next);
	regions_free(merged);
}
#endif	/* CONFIG_MEMORY_HOTPLUG */

/* ---- debugfs ---- */

#if defined(CONFIG_DEBUG_FS) && defined(CONFIG_MEMORY_HOTPLUG)
static void show_region(struct seq_file *m, const struct resource *res)
{
	const bool requested = res->users & REGION_REQUESTED;
	const struct resource *child;
	const struct region_hold *hold;
	unsigned int nr = requested + (res->users & REGION_HOLDS);

	for (child = res->child; child; child = child->sibling)
		nr += child->users || region_in_use_below(child);
	seq_printf(m, "%#llx-%#llx %u %s:", (u64)res->start, (u64)res->end, nr,
		   res->name);
	if (requested)
		seq_puts(m, " [owner]");
	list_for_each_entry(hold, &region_holds, list)
		if (hold->region == res)
			seq_printf(m, " [%s]", hold->holder);
	for (child = res->child; child; child = child->sibling)
		if (child->users || region_in_use_below(child))
			seq_printf(m, " [%s]", child->name);
	seq_putc(m, '\n');
}

static void show_regions_below(struct seq_file *m, const struct resource *res)
{
	const struct resource *child;

	for (child = res->child; child; child = child->sibling) {
		if (child->users)
			show_region(m, child);
		show_regions_below(m, child);
	}
}

static int regions_show(struct seq_file *m, void *unused)
{
	read_lock(&resource_lock);
	show_regions_below(m, &iomem_resource);
	read_unlock(&resource_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(regions);

static int __init mem_region_debugfs_init(void)
{
	mhp_debugfs_create("regions", &regions_fops);
	return 0;
}
late_initcall(mem_region_debugfs_init);
#endif
