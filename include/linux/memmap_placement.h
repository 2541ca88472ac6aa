/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_MEMMAP_PLACEMENT_H
#define _LINUX_MEMMAP_PLACEMENT_H

#include <linux/types.h>

struct memmap_placement;
struct vmem_altmap;

/**
 * enum memmap_place - where the memmap of added memory lies
 * @MEMMAP_SYSTEM: on memory that was there before
 * @MEMMAP_PER_BLOCK: at the start of each memory block, the memmap of that block
 * @MEMMAP_LEADING: at the start of the range, the memmap of all of the range
 */
enum memmap_place {
	MEMMAP_SYSTEM,
	MEMMAP_PER_BLOCK,
	MEMMAP_LEADING,
};

#ifdef CONFIG_MHP_MEMMAP_ON_MEMORY
const char *memmap_place_name(enum memmap_place place);
enum memmap_place memmap_placement_of(const struct memmap_placement *placement);
struct vmem_altmap *memmap_placement_altmap(struct memmap_placement *placement);
unsigned long memmap_placement_end(const struct memmap_placement *placement);
unsigned long memmap_placement_hosted(const struct memmap_placement *placement,
				      unsigned long block_pfn);
unsigned long memmap_placement_hosts(const struct memmap_placement *placement,
				     unsigned long block_pfn,
				     unsigned long *first_pfn);
unsigned long
memmap_placement_dependents(const struct memmap_placement *placement,
			    unsigned long block_pfn);
bool memmap_placement_idle_host(const struct memmap_placement *placement,
				unsigned long *block_pfn);
void memmap_placement_onlined(struct memmap_placement *placement,
			      unsigned long block_pfn);
void memmap_placement_offlined(struct memmap_placement *placement,
			       unsigned long block_pfn);
#else
static inline const char *memmap_place_name(enum memmap_place place)
{
	return "system";
}

static inline enum memmap_place
memmap_placement_of(const struct memmap_placement *placement)
{
	return MEMMAP_SYSTEM;
}

static inline struct vmem_altmap *
memmap_placement_altmap(struct memmap_placement *placement)
{
	return NULL;
}

static inline unsigned long
memmap_placement_end(const struct memmap_placement *placement)
{
	return 0;
}

static inline unsigned long
memmap_placement_hosted(const struct memmap_placement *placement,
			unsigned long block_pfn)
{
	return 0;
}

static inline unsigned long
memmap_placement_hosts(const struct memmap_placement *placement,
		       unsigned long block_pfn, unsigned long *first_pfn)
{
	return 0;
}

static inline unsigned long
memmap_placement_dependents(const struct memmap_placement *placement,
			    unsigned long block_pfn)
{
	return 0;
}

static inline bool
memmap_placement_idle_host(const struct memmap_placement *placement,
			   unsigned long *block_pfn)
{
	return false;
}

static inline void memmap_placement_onlined(struct memmap_placement *placement,
					    unsigned long block_pfn)
{
}

static inline void memmap_placement_offlined(struct memmap_placement *placement,
					     unsigned long block_pfn)
{
}
#endif

#endif /* _LINUX_MEMMAP_PLACEMENT_H */
