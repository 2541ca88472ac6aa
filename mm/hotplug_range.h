/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MM_HOTPLUG_RANGE_H
#define _MM_HOTPLUG_RANGE_H

#include <linux/mmzone.h>
#include <linux/types.h>

void mhp_begin_online_range(unsigned long start_pfn, unsigned long nr_pages,
			    bool write_ahead);
void mhp_begin_offline_range(void);
void mhp_end_range(void);
void mhp_write_memmap(struct zone *zone, unsigned long start_pfn, unsigned long nr_pages,
		      enum meminit_context context);
void mhp_update_reserves(struct zone *zone);
void mhp_shuffle(struct zone *zone);
void mhp_begin_offline(struct zone *zone);
void mhp_end_offline(struct zone *zone);

#endif /* _MM_HOTPLUG_RANGE_H */
