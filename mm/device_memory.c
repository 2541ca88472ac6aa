// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device memory: struct pages in ZONE_DEVICE for a physical range
 *
 * Between a driver's claim on a range and the use of its struct pages lie the
 * memory type, the KASAN shadow, the linear mapping, the memmap and the extents
 * of the zone. They come and go here, all of them or none. What the pages are
 * for, and who holds references to them, is the business of mm/memremap.c.
 */
#include <linux/device_memory.h>
#include <linux/ioport.h>
#include <linux/kasan.h>
#include <linux/kernel.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mmzone.h>

#include <trace/events/memory_hotplug.h>

#include "zone_extents.h"

static struct zone *device_zone(const struct device_memory *dm)
{
	return &NODE_DATA(dm->nid)->node_zones[ZONE_DEVICE];
}

static int refuse(const struct device_memory *dm, int err, const char *why)
{
	pr_warn("device memory [mem %#010llx-%#010llx] is refused: %s (%d)\n",
		dm->start, dm->start + dm->size - 1, why, err);
	return err;
}

/**
 * check_device_memory() - can a range become device memory at all?
 * @dm: the range
 *
 * What does not change while the caller has its claim on the range.
 *
 * Return: 0, or a negative errno as that of add_device_memory().
 */
int check_device_memory(const struct device_memory *dm)
{
	int overlap;

	if (!dm->size ||
	    !IS_ALIGNED(dm->start | dm->size, PFN_PHYS(PAGES_PER_SUBSECTION)))
		return refuse(dm, -EINVAL, "it is not made of subsections");

	/* That one says it itself. */
	if (!mhp_range_allowed(dm->start, dm->size, dm->linear_map))
		return -EINVAL;

	overlap = region_intersects(dm->start, dm->size, IORESOURCE_SYSTEM_RAM,
				    IORES_DESC_NONE);
	if (overlap != REGION_DISJOINT)
		return refuse(dm, -ENXIO, overlap == REGION_MIXED ?
			      "some of it is RAM" : "it is RAM");
	return 0;
}

static int add_mapped_pages(const struct device_memory *dm,
			    struct mhp_params *params)
{
	int err;

	err = kasan_add_zero_shadow(__va(dm->start), dm->size);
	if (err)
		return err;

	err = arch_add_memory(dm->nid, dm->start, dm->size, params);
	if (err)
		kasan_remove_zero_shadow(__va(dm->start), dm->size);
	return err;
}

/* With mem_hotplug_lock in write mode */
static int add_pages_to_zone(const struct device_memory *dm,
			     struct mhp_params *params)
{
	const unsigned long start_pfn = PHYS_PFN(dm->start);
	const unsigned long nr_pages = PHYS_PFN(dm->size);
	struct zone *zone = device_zone(dm);
	int err;

	if (mhp_range_has_memmap(start_pfn, nr_pages))
		return refuse(dm, -EEXIST, "some of it has struct pages");

	err = zone_extents_begin(zone);
	if (err)
		return err;

	if (dm->linear_map)
		err = add_mapped_pages(dm, params);
	else
		err = __add_pages(dm->nid, start_pfn, nr_pages, params);

	if (!err)
		move_pfn_range_to_zone(zone, start_pfn, nr_pages, dm->altmap,
				       MIGRATE_MOVABLE);
	zone_extents_end(zone);
	return err;
}

static const char holder[] = "device memory";

/*
 * Keep the regions until the memory is gone, also if the driver releases them before.
 * There are drivers that have none.
 */
static int hold_regions(const struct device_memory *dm)
{
	/* What else may be wrong with the range is for others to say. */
	return get_mem_regions(dm->start, dm->size, holder) == -ENOMEM ?
	       -ENOMEM : 0;
}

static int try_add(const struct device_memory *dm)
{
	struct mhp_params params = {
		.altmap = dm->altmap,
		.pgprot = dm->pgprot,
		.vmemmap_shift = dm->vmemmap_shift,
	};
	int err;

	err = check_device_memory(dm);
	if (err)
		return err;

	err = track_pfn_remap(NULL, &params.pgprot, PHYS_PFN(dm->start), 0,
			      dm->size);
	if (err)
		return refuse(dm, err, "its memory type is not available");

	mem_hotplug_begin();
	err = add_pages_to_zone(dm, &params);
	mem_hotplug_done();

	if (err)
		untrack_pfn(NULL, PHYS_PFN(dm->start), dm->size, true);
	return err;
}

/**
 * add_device_memory() - give a physical range struct pages in ZONE_DEVICE
 * @dm: the range; the caller has a claim on it in the resource tree
 *
 * The struct pages are valid afterwards, but not initialised, apart from those
 * of the pages that host the memmap: that takes no lock and is up to the caller.
 *
 * Context: may sleep; takes mem_hotplug_lock.
 * Return: 0, or a negative errno and nothing has changed: -EINVAL if the range
 * is not made of subsections or not addressable, -ENXIO if some of it is RAM,
 * -EEXIST if some of it has struct pages, -ENOMEM, or what the architecture
 * says.
 */
int add_device_memory(const struct device_memory *dm)
{
	const u64 begin = ktime_get_ns();
	int err = hold_regions(dm);

	if (!err) {
		err = try_add(dm);
		if (err)
			put_mem_region(dm->start, dm->size, holder);
	}
	trace_mhp_device_add(dm->start, dm->size, dm->nid,
			     err ? "-" : device_zone(dm)->name, err, begin);
	return err;
}

/**
 * remove_device_memory() - undo add_device_memory()
 * @dm: the description that the range was added with
 *
 * Nobody uses the struct pages any more. They are neither read nor written.
 *
 * Context: may sleep; takes mem_hotplug_lock.
 */
void remove_device_memory(const struct device_memory *dm)
{
	const unsigned long start_pfn = PHYS_PFN(dm->start);
	const unsigned long nr_pages = PHYS_PFN(dm->size);
	struct zone *zone = device_zone(dm);
	const u64 begin = ktime_get_ns();

	mem_hotplug_begin();
	remove_pfn_range_from_zone(zone, start_pfn, nr_pages);
	zone_extents_end(zone);
	if (dm->linear_map) {
		arch_remove_memory(dm->start, dm->size, dm->altmap,
				   dm->vmemmap_shift);
		kasan_remove_zero_shadow(__va(dm->start), dm->size);
	} else {
		__remove_pages(start_pfn, nr_pages, dm->altmap,
			       dm->vmemmap_shift);
	}
	mem_hotplug_done();

	untrack_pfn(NULL, start_pfn, dm->size, true);
	put_mem_region(dm->start, dm->size, holder);
	trace_mhp_device_remove(dm->start, dm->size, dm->nid, zone->name, 0,
				begin);
}
