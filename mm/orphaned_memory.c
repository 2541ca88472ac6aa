// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory whose driver has gone
 *
 * A driver that added memory may be unbound while some of it is online. The memory
 * stays in use, and is removed as soon as all of it is offline. Until then, a
 * driver for the same device may take it over.
 *
 * See Documentation/mm/mem_region.rst.
 */
#define pr_fmt(fmt) "memory_hotplug: " fmt

#include <linux/export.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/memory.h>
#include <linux/memory-tiers.h>
#include <linux/memory_hotplug.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

/*
 * struct orphan - a range that was added as a whole, and is removed so
 * @list: in orphans
 * @start: first byte
 * @size: bytes
 * @mgid: the memory group that the driver registered for its device
 * @tiered: the driver gave the node of the group its memory type
 */
struct orphan {
	struct list_head list;
	u64 start, size;
	int mgid;
	bool tiered;
};

/* Taken inside of device_hotplug_lock, where both are: drivers may go under that. */
static DEFINE_MUTEX(orphans_mutex);
static LIST_HEAD(orphans);

static bool group_has_orphans(int mgid)
{
	const struct orphan *orphan;

	list_for_each_entry(orphan, &orphans, list)
		if (orphan->mgid == mgid)
			return true;
	return false;
}

/* What a driver set up for all of its ranges goes with the last one. */
static void leave_group(int mgid, bool tiered)
{
	const struct memory_group *group = memory_group_find_by_id(mgid);
	int nid;

	if (!group || group_has_orphans(mgid))
		return;
	nid = group->nid;
	/* Some of the memory may have been adopted. */
	if (!memory_group_unregister(mgid) && tiered)
		clear_node_memory_type(nid, NULL);
}

/**
 * drop_memory_group() - unregister a memory group that is a device's, if it is empty
 * @mgid: the memory group
 * @tiered: init_node_memory_type() returned true for its node
 *
 * If there is memory of the group left, orphaned, that takes it along when it goes.
 *
 * Context: may sleep; device_hotplug_lock may be held.
 */
void drop_memory_group(int mgid, bool tiered)
{
	mutex_lock(&orphans_mutex);
	leave_group(mgid, tiered);
	mutex_unlock(&orphans_mutex);
}
EXPORT_SYMBOL_GPL(drop_memory_group);

#ifdef CONFIG_MEMORY_HOTREMOVE
/* How long to wait for the memory that removing memory takes */
#define RETRY_INTERVAL	(10 * HZ)

static void remove_orphans(struct work_struct *work);
static DECLARE_DELAYED_WORK(removal, remove_orphans);

static int is_online(struct memory_block *mem, void *unused)
{
	return mem->state != MEM_OFFLINE;
}

static int is_there(struct memory_block *mem, void *unused)
{
	return 1;
}

static bool blocks_of(const struct orphan *orphan,
		      int (*are)(struct memory_block *mem, void *unused))
{
	return walk_memory_blocks(orphan->start, orphan->size, NULL, are);
}

static void remove_orphans(struct work_struct *work)
{
	struct orphan *orphan, *next;
	bool again = false;
	int err;

	lock_device_hotplug();
	mutex_lock(&orphans_mutex);
	list_for_each_entry_safe(orphan, next, &orphans, list) {
		if (blocks_of(orphan, is_online))
			continue;
		/* Somebody else may have removed it. */
		err = blocks_of(orphan, is_there) ?
		      __remove_memory(orphan->start, orphan->size) : 0;
		if (err) {
			again = true;
			continue;
		}
		pr_info("memory [%#llx-%#llx], whose driver has gone, is offline and removed\n",
			orphan->start, orphan->start + orphan->size - 1);
		list_del(&orphan->list);
		leave_group(orphan->mgid, orphan->tiered);
		kfree(orphan);
	}
	mutex_unlock(&orphans_mutex);
	unlock_device_hotplug();
	if (again)
		queue_delayed_work(system_long_wq, &removal, RETRY_INTERVAL);
}

static void try_removal(void)
{
	mod_delayed_work(system_long_wq, &removal, 0);
}

static int orphan_callback(struct notifier_block *nb, unsigned long action,
			   void *arg)
{
	/* The work waits for who takes memory offline to let go of the lock. */
	if (action == MEM_OFFLINE && !list_empty_careful(&orphans))
		try_removal();
	return NOTIFY_OK;
}

static int __init orphaned_memory_init(void)
{
	return hotplug_memory_notifier(orphan_callback, 0);
}
subsys_initcall(orphaned_memory_init);
#else
static void try_removal(void)
{
}
#endif /* CONFIG_MEMORY_HOTREMOVE */

/**
 * orphan_memory() - leave memory behind that could not be removed
 * @start: first byte, as it was added
 * @size: bytes, as they were added
 * @mgid: the memory group that the caller registered
 * @tiered: init_node_memory_type() returned true for its node
 *
 * The range is removed once all of it is offline, and with the last one of the
 * memory group also the group and the memory type go. Until then adopt_memory()
 * takes it back.
 *
 * Context: may sleep; device_hotplug_lock may be held.
 */
void orphan_memory(u64 start, u64 size, int mgid, bool tiered)
{
	/* The driver is on its way out, and cannot be kept. */
	struct orphan *orphan = kmalloc(sizeof(*orphan),
					GFP_KERNEL | __GFP_NOFAIL);

	*orphan = (struct orphan) {
		.start = start,
		.size = size,
		.mgid = mgid,
		.tiered = tiered,
	};
	mutex_lock(&orphans_mutex);
	list_add_tail(&orphan->list, &orphans);
	mutex_unlock(&orphans_mutex);
	/* It may have gone offline in between. */
	try_removal();
}
EXPORT_SYMBOL_GPL(orphan_memory);

/**
 * adopt_memory() - take memory over that was left behind
 * @start: first byte, as it was left
 * @size: bytes, as they were left
 * @tiered: set to what it was left with
 *
 * The caller owns it as if it had been added, and its memory group and the memory
 * type of its node are as they were left.
 *
 * Context: may sleep.
 * Return: the memory group, or -ENOENT if there is no such memory.
 */
int adopt_memory(u64 start, u64 size, bool *tiered)
{
	struct orphan *orphan;
	int mgid = -ENOENT;

	mutex_lock(&orphans_mutex);
	list_for_each_entry(orphan, &orphans, list) {
		if (orphan->start != start || orphan->size != size)
			continue;
		mgid = orphan->mgid;
		*tiered = orphan->tiered;
		list_del(&orphan->list);
		kfree(orphan);
		break;
	}
	mutex_unlock(&orphans_mutex);
	return mgid;
}
EXPORT_SYMBOL_GPL(adopt_memory);
