// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes memory out of the kernel and fills it with a pattern, for tests of those who should
 * not look at it: hibernation, of which memory that must not be lost makes nothing to test.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/mem_carve.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/pfn.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#define PATTERN	0x99

/* With its memmap, and without, where that can be */
static struct mem_carve *carves[2];

static int fill(const struct mem_carve *carve)
{
	const unsigned long pfn = PHYS_PFN(mem_carve_start(carve));
	unsigned long i;

	for (i = 0; i < PHYS_PFN(mem_carve_size(carve)); i++) {
		struct page *page = pfn_to_page(pfn + i);
		void *address = vmap(&page, 1, VM_MAP, PAGE_KERNEL);

		if (!address)
			return -ENOMEM;
		memset(address, PATTERN, PAGE_SIZE);
		vunmap(address);
		cond_resched();
	}
	return 0;
}

/* One with @flags, if the machine can do that; NULL if not */
static struct mem_carve *take(unsigned int flags)
{
	struct mem_carve *carve;

	flags |= MEM_CARVE_MAY_BE_LOST;
	if (!mem_carve_unit(flags))
		flags |= MEM_CARVE_KEEP_MAPPED;
	carve = mem_carve_alloc(first_memory_node, mem_carve_unit(flags), flags);
	return carve == ERR_PTR(-EOPNOTSUPP) ? NULL : carve;
}

static void return_all(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(carves); i++)
		if (!IS_ERR_OR_NULL(carves[i]))
			mem_carve_return(carves[i]);
}

static int __init mem_carve_pattern_init(void)
{
	static const unsigned int flags[] = { 0, MEM_CARVE_FREE_MEMMAP };
	int i, err = 0;

	for (i = 0; i < ARRAY_SIZE(carves) && !err; i++) {
		carves[i] = take(flags[i]);
		err = PTR_ERR_OR_ZERO(carves[i]);
		if (!err && carves[i])
			err = fill(carves[i]);
	}
	if (err) {
		pr_warn("no memory to fill: %pe\n", ERR_PTR(err));
		return_all();
	}
	return err;
}
module_init(mem_carve_pattern_init);

static void __exit mem_carve_pattern_exit(void)
{
	return_all();
}
module_exit(mem_carve_pattern_exit);

MODULE_DESCRIPTION("Memory out of the kernel that is full of a pattern");
MODULE_LICENSE("GPL");
