// SPDX-License-Identifier: GPL-2.0-only
/*
 * What memory hotplug knows, in debugfs: /sys/kernel/debug/memory_hotplug
 *
 * See Documentation/ABI/testing/debugfs-memory-hotplug.
 */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/memory_hotplug.h>
#include <linux/mhp_debugfs.h>
#include <linux/mmzone.h>
#include <linux/seq_file.h>

#include "zone_extents.h"

static int extents_show(struct seq_file *m, void *unused)
{
	struct zone_extent *extent;
	struct zone *zone;

	get_online_mems();
	for_each_zone(zone)
		for_each_zone_extent(extent, &zone->extents)
			seq_printf(m, "%d %s %#llx-%#llx\n", zone_to_nid(zone),
				   zone->name, (u64)PFN_PHYS(extent->start_pfn),
				   (u64)PFN_PHYS(extent->end_pfn) - 1);
	put_online_mems();
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(extents);

#ifdef CONFIG_DEBUG_FS
/**
 * mhp_debugfs_create() - add a file to those about memory hotplug
 * @name: of the file in /sys/kernel/debug/memory_hotplug, which root may read
 * @fops: what it does
 *
 * Context: late initcalls, which come one after the other.
 */
void __init mhp_debugfs_create(const char *name, const struct file_operations *fops)
{
	static struct dentry *dir __initdata;

	if (!dir)
		dir = debugfs_create_dir("memory_hotplug", NULL);
	debugfs_create_file(name, 0400, dir, NULL, fops);
}
#endif

static int __init mhp_debugfs_init(void)
{
	mhp_debugfs_create("extents", &extents_fops);
	return 0;
}
late_initcall(mhp_debugfs_init);
