// SPDX-License-Identifier: GPL-2.0-only
/*
 * Carve-outs: memory that is taken out of the kernel by allocating it
 *
 * A carve-out is contiguous, zeroed, marked PG_offline and not in the linear map: the
 * kernel neither hands it out nor reads it, and what is in there is its owner's. The
 * struct pages stay what they are, those of allocated pages, so no hot-unplug is
 * involved, and the memory block that the memory belongs to stays online.
 *
 * See Documentation/mm/mem_carve.rst.
 */
#define pr_fmt(fmt) "mem_carve: " fmt

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/list.h>
#include <linux/mem_carve.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mhp_debugfs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/page-isolation.h>
#include <linux/pageblock-flags.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/suspend.h>
#include <linux/vmstat.h>
#include <linux/workqueue.h>

#include "internal.h"
#include "mem_carve.h"

#define CARVE_GFP (GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN)

/* How long memory that cannot be mapped now waits until it is tried again */
#define RETRY_DELAY (5 * HZ)

/**
 * struct mem_carve - memory that was taken out of the kernel
 * @start_pfn: its first page
 * @nr_pages: how many there are
 * @nid: the node they are on
 * @mapped: they are in the linear map
 * @may_be_lost: hibernation need not keep what is in there
 * @shared: the page that is all of their memmap, NULL if they have a whole one
 * @warned: that it cannot be returned was said
 * @users: its owner, and those who keep pages of it that have no references
 * @owner: name of the module that has it
 * @list: place in the list of all, for which carve_lock is held
 * @retry: returns it; what mem_carve_return() leaves behind
 *
 * All but @mapped, @may_be_lost, @shared, @warned, @users and @list stay as they are from the
 * start; @shared changes while memory failure is held off, @may_be_lost with carve_lock.
 */
struct mem_carve {
	unsigned long start_pfn;
	unsigned long nr_pages;
	int nid;
	bool mapped;
	bool may_be_lost;
	bool warned;
	struct page *shared;
	refcount_t users;
	char owner[MODULE_NAME_LEN];
	struct list_head list;
	struct delayed_work retry;
};

/* Taken with mem_hotplug_lock held, never the other way round. */
static DEFINE_MUTEX(carve_lock);
static LIST_HEAD(carves);

/* Those that hibernation would lose, and those in the making; with carve_lock */
static unsigned int nr_to_be_kept;
static bool hibernating;

static unsigned long carve_end_pfn(const struct mem_carve *carve)
{
	return carve->start_pfn + carve->nr_pages;
}

static u64 carve_end(const struct mem_carve *carve)
{
	return mem_carve_start(carve) + mem_carve_size(carve) - 1;
}

VISIBLE_IF_KUNIT int mem_carve_unmap(u64 start, u64 size)
{
	int err;

	KUNIT_STATIC_STUB_REDIRECT(mem_carve_unmap, start, size);

	/* Page tables of neighbours neither come nor go meanwhile; hash may resize its own. */
	cpus_read_lock();
	get_online_mems();
	err = arch_remove_linear_mapping(start, size);
	put_online_mems();
	cpus_read_unlock();
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(mem_carve_unmap);

VISIBLE_IF_KUNIT int mem_carve_map(int nid, u64 start, u64 size)
{
	struct mhp_params params = { .pgprot = PAGE_KERNEL };
	int err;

	KUNIT_STATIC_STUB_REDIRECT(mem_carve_map, nid, start, size);

	cpus_read_lock();
	get_online_mems();
	err = arch_create_linear_mapping(nid, start, size, &params);
	put_online_mems();
	cpus_read_unlock();
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(mem_carve_map);

/* What is known to be broken is left alone: reading or writing it may kill us. */
static int clear_pages(const struct mem_carve *carve, bool killable)
{
	unsigned long pfn;

	for (pfn = carve->start_pfn; pfn < carve_end_pfn(carve); pfn++) {
		struct page *page = pfn_to_page(pfn);

		if (!PageHWPoison(page))
			clear_highpage(page);
		if (!pageblock_aligned(pfn + 1))
			continue;
		if (killable && fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static void mark_offline(const struct mem_carve *carve, bool offline)
{
	unsigned long pfn;

	/* Who reads memory that is not marked is done with it then. */
	page_offline_begin();
	for (pfn = carve->start_pfn; pfn < carve_end_pfn(carve); pfn++) {
		struct page *page = pfn_to_page(pfn);

		if (offline)
			__SetPageOffline(page);
		else
			__ClearPageOffline(page);
		if (pageblock_aligned(pfn + 1))
			cond_resched();
	}
	page_offline_end();
}

/* Whether somebody has references to the pages, a virtual machine to what it maps */
static bool in_use(const struct mem_carve *carve)
{
	unsigned long pfn;

	for (pfn = carve->start_pfn; pfn < carve_end_pfn(carve); pfn++) {
		struct page *page = pfn_to_page(pfn);

		if (page_count(page) != 1 && !PageHWPoison(page))
			return true;
		if (pageblock_aligned(pfn + 1))
			cond_resched();
	}
	return false;
}

static void free_pages_of(const struct mem_carve *carve)
{
	unsigned long pfn;

	for (pfn = carve->start_pfn; pfn < carve->start_pfn + carve->nr_pages;
	     pfn += pageblock_nr_pages) {
		free_contig_range(pfn, pageblock_nr_pages);
		cond_resched();
	}
}

/* The first page in the range that is poisoned, or is not; @end_pfn if there is none */
static unsigned long find_page(unsigned long pfn, unsigned long end_pfn, bool poisoned)
{
	while (pfn < end_pfn && PageHWPoison(pfn_to_page(pfn)) != poisoned) {
		pfn++;
		if (pageblock_aligned(pfn))
			cond_resched();
	}
	return pfn;
}

/*
 * Poisoned pages stay out of the linear map, where speculation would find them, if it
 * can be done page by page.
 */
static int map_healthy(const struct mem_carve *carve)
{
	const unsigned long start_pfn = carve->start_pfn, end_pfn = carve_end_pfn(carve);
	unsigned long pfn, next;
	int err;

	if (arch_linear_mapping_unit() > PAGE_SIZE)
		return mem_carve_map(carve->nid, mem_carve_start(carve),
				     mem_carve_size(carve));

	for (pfn = start_pfn; ; pfn = next) {
		pfn = find_page(pfn, end_pfn, false);
		if (pfn == end_pfn)
			return 0;
		next = find_page(pfn, end_pfn, true);
		err = mem_carve_map(carve->nid, PFN_PHYS(pfn), PFN_PHYS(next - pfn));
		if (err)
			break;
	}
	if (pfn > start_pfn)
		WARN_ON_ONCE(mem_carve_unmap(PFN_PHYS(start_pfn), PFN_PHYS(pfn - start_pfn)));
	return err;
}

static int map_again(struct mem_carve *carve)
{
	int err;

	if (carve->mapped)
		return 0;

	err = map_healthy(carve);
	if (!err)
		carve->mapped = true;
	return err;
}

#if defined(CONFIG_MEM_CARVE_MEMMAP) && defined(CONFIG_MEMORY_FAILURE)
/* Memory failure sets a flag in struct pages, which must neither get lost nor fault. */
static void hold_off_memory_failure(void)
{
	mutex_lock(&mf_mutex);
}

static void let_memory_failure_go_on(void)
{
	mutex_unlock(&mf_mutex);
}

/**
 * mem_carve_memory_failure() - a page has a memory error, and is to be marked
 * @pfn: the page, which may be in no carve-out as well
 *
 * Context: may sleep; with mf_mutex.
 * Return: 0, or -ENOMEM and the struct page must not be written to.
 */
int mem_carve_memory_failure(unsigned long pfn)
{
	struct mem_carve *carve;
	int err = 0;

	get_online_mems();
	mutex_lock(&carve_lock);
	list_for_each_entry(carve, &carves, list)
		if (carve->shared && carve->start_pfn <= pfn && pfn < carve_end_pfn(carve))
			err = mem_carve_restore_page(carve, pfn, carve->shared);
	mutex_unlock(&carve_lock);
	put_online_mems();
	return err;
}
#else
static void hold_off_memory_failure(void)
{
}

static void let_memory_failure_go_on(void)
{
}
#endif

static int share_memmap(struct mem_carve *carve)
{
	int err;

	hold_off_memory_failure();
	get_online_mems();
	err = mem_carve_share_memmap(carve, carve->start_pfn, carve->nr_pages,
				     &carve->shared);
	put_online_mems();
	let_memory_failure_go_on();
	return err;
}

static int restore_memmap(struct mem_carve *carve)
{
	LIST_HEAD(pages);
	int err;

	if (!carve->shared)
		return 0;

	/* That can take long, if there is little memory. */
	err = mem_carve_alloc_memmap(carve->start_pfn, carve->nr_pages, carve->shared,
				     &pages);
	if (err)
		return err;

	hold_off_memory_failure();
	get_online_mems();
	mem_carve_restore_memmap(carve, carve->start_pfn, carve->nr_pages, carve->shared,
				 &pages);
	carve->shared = NULL;
	put_online_mems();
	let_memory_failure_go_on();
	return 0;
}

#ifdef CONFIG_MEM_CARVE_MEMMAP
static struct mem_carve *carve_of(const struct page *page)
{
	if (!mem_carve_shares_memmap(page))
		return NULL;
	return (struct mem_carve *)page_private(page);
}

/**
 * mem_carve_hold() - keep a carve-out that has no struct pages to keep
 * @page: any page; nothing happens if it has its own struct page
 *
 * The carve-out cannot be returned until mem_carve_release(): struct pages that are
 * shared have no references, the carve-out as a whole has.
 *
 * Context: any; @page does not go meanwhile, as somebody has it mapped whose page table
 * the caller has locked.
 */
void mem_carve_hold(struct page *page)
{
	struct mem_carve *carve = carve_of(page);

	if (carve)
		refcount_inc(&carve->users);
}
EXPORT_SYMBOL_GPL(mem_carve_hold);

/**
 * mem_carve_release() - undo mem_carve_hold()
 * @page: the same page
 *
 * Context: any.
 */
void mem_carve_release(struct page *page)
{
	struct mem_carve *carve = carve_of(page);

	if (carve)
		refcount_dec(&carve->users);
}
EXPORT_SYMBOL_GPL(mem_carve_release);
#endif

static int begin_to_keep(const struct mem_carve *carve)
{
	int err = 0;

	if (carve->may_be_lost)
		return 0;
	mutex_lock(&carve_lock);
	if (hibernating)
		err = -EBUSY;
	else
		nr_to_be_kept++;
	mutex_unlock(&carve_lock);
	return err;
}

static void cease_to_keep(struct mem_carve *carve)
{
	mutex_lock(&carve_lock);
	if (!carve->may_be_lost)
		nr_to_be_kept--;
	carve->may_be_lost = true;
	mutex_unlock(&carve_lock);
}

static void account(const struct mem_carve *carve, long sign)
{
	carved_pages_add(sign * (long)carve->nr_pages);
}

/**
 * mem_carve_unit() - what sizes of carve-outs are multiples of
 * @flags: as for mem_carve_alloc()
 *
 * Return: bytes, or 0 if there are no carve-outs with such flags on this machine.
 */
u64 mem_carve_unit(unsigned int flags)
{
	const u64 pageblock = (u64)pageblock_nr_pages << PAGE_SHIFT;
	const u64 unit = arch_linear_mapping_unit();

	if (flags & MEM_CARVE_KEEP_MAPPED)
		return pageblock;
	return unit ? max(pageblock, unit) : 0;
}
EXPORT_SYMBOL_GPL(mem_carve_unit);

static int check_request(int nid, u64 size, unsigned int flags)
{
	const u64 unit = mem_carve_unit(flags);

	if (flags & ~(MEM_CARVE_KEEP_MAPPED | MEM_CARVE_FREE_MEMMAP | MEM_CARVE_MAY_BE_LOST))
		return -EINVAL;
	if (!size || !IS_ALIGNED(size, mem_carve_unit(MEM_CARVE_KEEP_MAPPED)))
		return -EINVAL;
	if (!unit || !IS_ALIGNED(size, unit))
		return -EOPNOTSUPP;
	if (flags & MEM_CARVE_FREE_MEMMAP && !mem_carve_can_share_memmap())
		return -EOPNOTSUPP;
	/* Memory in Movable is not for what stays where it is. */
	if (nid < 0 || nid >= MAX_NUMNODES || !node_state(nid, N_NORMAL_MEMORY))
		return -ENODEV;
	return 0;
}

/**
 * __mem_carve_alloc() - take memory out of the kernel
 * @nid: the node it is to come from; no other will do
 * @size: in bytes, a multiple of what mem_carve_unit() says
 * @flags: %MEM_CARVE_KEEP_MAPPED, %MEM_CARVE_FREE_MEMMAP, %MEM_CARVE_MAY_BE_LOST
 * @owner: who has it, for debugfs; mem_carve_alloc() fills in the module
 *
 * The memory is contiguous, as well aligned as its size (to the largest power of two
 * that divides it), zeroed, and no longer in the linear map. Movable pages in the
 * way are migrated. There is no hibernation as long as there is a carve-out that may
 * not be lost, since that would neither save what is in there nor clear it.
 *
 * Context: may sleep, and migrate and reclaim pages for long; fatal signals end it.
 * Return: the carve-out, or an ERR_PTR() and nothing has changed: -EINVAL for a
 * size or flags that cannot be, -ENODEV if the node has no memory that the kernel
 * can keep, -ENOMEM if it has not so much contiguous memory that is free or movable,
 * -EBUSY if the machine is about to hibernate, or somebody keeps references for long
 * to pages whose memmap is to be freed (the memory may count as taken until these are gone),
 * -EOPNOTSUPP if the architecture cannot take ranges of that size out of the linear
 * map, or give back memmaps, -EINTR after a fatal signal.
 */
struct mem_carve *__mem_carve_alloc(int nid, u64 size, unsigned int flags,
				    const char *owner)
{
	struct mem_carve *carve;
	struct page *pages;
	int err;

	err = check_request(nid, size, flags);
	if (err)
		return ERR_PTR(err);

	carve = kzalloc(sizeof(*carve), GFP_KERNEL);
	if (!carve)
		return ERR_PTR(-ENOMEM);

	carve->nr_pages = PHYS_PFN(size);
	carve->may_be_lost = flags & MEM_CARVE_MAY_BE_LOST;
	err = begin_to_keep(carve);
	if (err)
		goto free_carve;

	pages = alloc_contig_pages(carve->nr_pages, CARVE_GFP, nid, NULL);
	if (!pages) {
		err = fatal_signal_pending(current) ? -EINTR : -ENOMEM;
		goto cease;
	}
	carve->start_pfn = page_to_pfn(pages);
	carve->nid = nid;
	carve->mapped = true;
	refcount_set(&carve->users, 1);
	strscpy(carve->owner, owner);

	if (!want_init_on_alloc(CARVE_GFP) && !want_init_on_free()) {
		err = clear_pages(carve, true);
		if (err)
			goto free_pages;
	}

	/*
	 * From now on hibernation, dumps and /proc/kcore leave the pages alone; and
	 * memory failure, too, but for the mark, as all pages that it cannot handle.
	 */
	mark_offline(carve, true);

	if (!(flags & MEM_CARVE_KEEP_MAPPED)) {
		err = mem_carve_unmap(mem_carve_start(carve), size);
		if (err)
			goto unmark;
		carve->mapped = false;
	}

	account(carve, 1);
	mutex_lock(&carve_lock);
	list_add_tail(&carve->list, &carves);
	mutex_unlock(&carve_lock);

	if (flags & MEM_CARVE_FREE_MEMMAP) {
		err = share_memmap(carve);
		if (err) {
			mem_carve_return(carve);
			return ERR_PTR(err);
		}
	}
	return carve;

unmark:
	mark_offline(carve, false);
free_pages:
	free_pages_of(carve);
cease:
	cease_to_keep(carve);
free_carve:
	kfree(carve);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(__mem_carve_alloc);

/**
 * mem_carve_free() - give memory back to the kernel
 * @carve: the carve-out; nobody uses its memory any more
 *
 * The memory is mapped, zeroed and free afterwards, and @carve is gone.
 *
 * Context: may sleep, for long if there is much to be zeroed.
 * Return: 0, or a negative errno and @carve is its owner's as before, but for its memmap,
 * which may be whole again: -EBUSY if there are references to its pages, -ENOMEM if there
 * is no memory for its memmap, others if the memory could not be mapped, in general as
 * there was none for page tables. Try again, or leave that to mem_carve_return().
 */
int mem_carve_free(struct mem_carve *carve)
{
	int err;

	if (refcount_read(&carve->users) > 1)
		return -EBUSY;
	err = restore_memmap(carve);
	if (err)
		return err;
	if (in_use(carve))
		return -EBUSY;
	err = map_again(carve);
	if (err)
		return err;

	if (!want_init_on_free())
		clear_pages(carve, false);

	mutex_lock(&carve_lock);
	list_del(&carve->list);
	mutex_unlock(&carve_lock);
	account(carve, -1);

	mark_offline(carve, false);
	free_pages_of(carve);
	cease_to_keep(carve);
	kfree(carve);
	return 0;
}
EXPORT_SYMBOL_GPL(mem_carve_free);

static void retry_return(struct work_struct *work)
{
	mem_carve_return(container_of(to_delayed_work(work), struct mem_carve, retry));
}

/**
 * mem_carve_return() - give memory back to the kernel, now or later
 * @carve: the carve-out; nobody uses its memory any more, and the caller not @carve
 *
 * What cannot be returned now stays as it is, and is tried again every five seconds.
 *
 * Context: as mem_carve_free().
 */
void mem_carve_return(struct mem_carve *carve)
{
	int err = mem_carve_free(carve);

	if (!err)
		return;

	cease_to_keep(carve);
	if (!carve->warned) {
		pr_warn("[mem %#llx-%#llx] of %s cannot be returned yet (%d), it is tried again\n",
			(u64)mem_carve_start(carve), carve_end(carve), carve->owner, err);
		carve->warned = true;
		INIT_DELAYED_WORK(&carve->retry, retry_return);
	}
	queue_delayed_work(system_unbound_wq, &carve->retry, RETRY_DELAY);
}
EXPORT_SYMBOL_GPL(mem_carve_return);

/**
 * mem_carve_start() - where a carve-out is
 * @carve: the carve-out
 *
 * Return: its physical address.
 */
phys_addr_t mem_carve_start(const struct mem_carve *carve)
{
	return PFN_PHYS(carve->start_pfn);
}
EXPORT_SYMBOL_GPL(mem_carve_start);

/**
 * mem_carve_size() - how large a carve-out is
 * @carve: the carve-out
 *
 * Return: its size in bytes.
 */
u64 mem_carve_size(const struct mem_carve *carve)
{
	return PFN_PHYS(carve->nr_pages);
}
EXPORT_SYMBOL_GPL(mem_carve_size);

/**
 * mem_carve_nid() - the node of a carve-out
 * @carve: the carve-out
 *
 * Return: the node that it was taken from.
 */
int mem_carve_nid(const struct mem_carve *carve)
{
	return carve->nid;
}
EXPORT_SYMBOL_GPL(mem_carve_nid);

/**
 * mem_carve_mapped() - whether a carve-out is still in the linear map
 * @carve: the carve-out
 *
 * Return: true if it is, which takes %MEM_CARVE_KEEP_MAPPED.
 */
bool mem_carve_mapped(const struct mem_carve *carve)
{
	return carve->mapped;
}
EXPORT_SYMBOL_GPL(mem_carve_mapped);

/**
 * mem_carve_poisoned() - whether pages of a carve-out have memory errors
 * @carve: the carve-out
 * @first: the first one, counted from the start of @carve
 * @nr_pages: how many there are
 *
 * Who maps the pages should leave such alone.
 *
 * Return: true if one of them has.
 */
bool mem_carve_poisoned(const struct mem_carve *carve, unsigned long first,
			unsigned long nr_pages)
{
	const unsigned long pfn = carve->start_pfn + first;

	return find_page(pfn, pfn + nr_pages, true) < pfn + nr_pages;
}
EXPORT_SYMBOL_GPL(mem_carve_poisoned);

/**
 * __mem_carve_owned() - what a module has taken
 * @owner: its name; mem_carve_owned() fills in the one that asks
 *
 * What mem_carve_return() could not return yet counts.
 *
 * Return: bytes.
 */
u64 __mem_carve_owned(const char *owner)
{
	struct mem_carve *carve;
	u64 size = 0;

	mutex_lock(&carve_lock);
	list_for_each_entry(carve, &carves, list)
		if (!strcmp(carve->owner, owner))
			size += mem_carve_size(carve);
	mutex_unlock(&carve_lock);
	return size;
}
EXPORT_SYMBOL_GPL(__mem_carve_owned);

/* Offlining would find that it cannot migrate the pages; this says whose they are. */
static int refuse_offline(struct notifier_block *nb, unsigned long action, void *arg)
{
	const struct memory_notify *range = arg;
	const unsigned long end_pfn = range->start_pfn + range->nr_pages;
	struct mem_carve *carve;
	int ret = NOTIFY_OK;

	if (action != MEM_GOING_OFFLINE)
		return NOTIFY_OK;

	mutex_lock(&carve_lock);
	list_for_each_entry(carve, &carves, list) {
		if (carve->start_pfn < end_pfn &&
		    range->start_pfn < carve_end_pfn(carve)) {
			pr_info("[mem %#llx-%#llx] stays online, %s has [mem %#llx-%#llx]\n",
				(u64)PFN_PHYS(range->start_pfn), (u64)PFN_PHYS(end_pfn) - 1,
				carve->owner, (u64)mem_carve_start(carve),
				carve_end(carve));
			ret = notifier_from_errno(-EBUSY);
			break;
		}
	}
	mutex_unlock(&carve_lock);
	return ret;
}

static struct notifier_block refuse_offline_nb = {
	.notifier_call = refuse_offline,
};

/* From before tasks are frozen until they have been thawed */
static int refuse_hibernation(struct notifier_block *nb, unsigned long action, void *unused)
{
	unsigned int nr;

	if (action != PM_HIBERNATION_PREPARE && action != PM_POST_HIBERNATION)
		return NOTIFY_DONE;

	mutex_lock(&carve_lock);
	nr = nr_to_be_kept;
	hibernating = action == PM_HIBERNATION_PREPARE && !nr;
	mutex_unlock(&carve_lock);

	if (action == PM_POST_HIBERNATION || !nr)
		return NOTIFY_OK;
	pr_info("no hibernation, which would lose what is in %u carve-outs\n", nr);
	return notifier_from_errno(-EBUSY);
}

static struct notifier_block refuse_hibernation_nb = {
	.notifier_call = refuse_hibernation,
};

static int carveouts_show(struct seq_file *m, void *unused)
{
	struct mem_carve *carve;

	mutex_lock(&carve_lock);
	list_for_each_entry(carve, &carves, list)
		seq_printf(m, "%#llx-%#llx %d %s %s %s\n", (u64)mem_carve_start(carve),
			   carve_end(carve), carve->nid,
			   carve->mapped ? "mapped" : "unmapped",
			   carve->shared ? "shared" : "whole", carve->owner);
	mutex_unlock(&carve_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(carveouts);

static int __init mem_carve_init(void)
{
	return register_memory_notifier(&refuse_offline_nb) ?:
	       register_pm_notifier(&refuse_hibernation_nb);
}
core_initcall(mem_carve_init);

static int __init mem_carve_debugfs_init(void)
{
	mhp_debugfs_create("carveouts", &carveouts_fops);
	return 0;
}
late_initcall(mem_carve_debugfs_init);
