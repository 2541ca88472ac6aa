// SPDX-License-Identifier: GPL-2.0-only
/*
 * What memory hotplug knows, in debugfs: /sys/kernel/debug/memory_hotplug
 *
 * See Documentation/ABI/testing/debugfs-memory-hotplug.
 */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/memory_hotplug.h>
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

static int __init mhp_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("memory_hotplug", NULL);

	debugfs_create_file("extents", 0400, dir, NULL, &extents_fops);
	return 0;
}
late_initcall(mhp_debugfs_init);
