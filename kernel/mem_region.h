/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KERNEL_MEM_REGION_H
#define _KERNEL_MEM_REGION_H

/*
 * Between kernel/resource.c, which has the tree, and kernel/mem_region.c, which
 * counts the users of what is in it.
 */
#include <linux/bits.h>
#include <linux/ioport.h>
#include <linux/spinlock_types.h>
#include <linux/types.h>

/*
 * resource.users
 */
/* Holds, of get_mem_region() */
#define REGION_HOLDS		GENMASK(28, 0)
/* It was requested */
#define REGION_COUNTED		BIT(29)
/* Who requested it has not released it */
#define REGION_REQUESTED	BIT(30)
/* The name is part of a struct region_name */
#define REGION_OWNS_NAME	BIT(31)

/* The tree, and resource.users of all that is in it */
extern rwlock_t resource_lock;

/* kernel/resource.c */
struct resource *resource_zalloc(gfp_t flags);
void resource_free(struct resource *res);
int __release_resource(struct resource *old, bool release_child);
int __adjust_resource(struct resource *res, resource_size_t start,
		      resource_size_t size);

/* kernel/mem_region.c */
int region_requested(struct resource *res);
bool region_has_owner(const struct resource *res);
bool region_in_use_below(const struct resource *res);
struct resource *region_released(struct resource *res, struct resource **link);
struct resource *region_withdrawn(struct resource *res,
				  struct resource *parent);
struct resource *region_unlinked(struct resource *parent);
void regions_free(struct resource *res);
void region_report_conflict(const struct resource *conflict,
			    const struct resource *wanted);

#endif /* _KERNEL_MEM_REGION_H */
