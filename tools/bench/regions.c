// SPDX-License-Identifier: GPL-2.0-only
/*
 * In the guest, under -icount: requests and releases physical regions, on a stock or a
 * patched kernel, and says what it took. Stays out of the kernel's way: loading it does
 * all the work, and fails with -EAGAIN.
 */
#include <linux/ioport.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched.h>

#define NR	10000
#define BASE	0x8000000000ull
#define UNIT	0x1000ull

static unsigned long adjustable;
module_param(adjustable, ulong, 0);
MODULE_PARM_DESC(adjustable, "address of release_mem_region_adjustable(), which modules cannot call");

static u64 begin;

static void start(void)
{
	cond_resched();
	begin = ktime_get_ns();
}

static void stop(const char *what)
{
	pr_info("regions-bench: %s %llu\n", what, (ktime_get_ns() - begin) / 1000);
}

static bool request(u64 first, u64 nr, unsigned long flags)
{
	return __request_region(&iomem_resource, BASE + first * UNIT, nr * UNIT,
				"regions-bench", flags);
}

static void release(u64 first)
{
	release_mem_region(BASE + first * UNIT, UNIT);
}

static int __init regions_init(void)
{
	void (*release_adjustable)(resource_size_t start, resource_size_t size) =
		(void *)adjustable;
	int i, bad = 0;

	start();
	for (i = 0; i < NR; i++)
		bad += !request(i, 1, 0);
	stop("request");
	start();
	for (i = NR; i--;)
		release(i);
	stop("release");

	start();
	for (i = 0; i < NR; i++) {
		bad += !request(i, 1, 0);
		release(i);
	}
	stop("turns");

	for (i = 0; i < NR; i++)
		bad += !request(i, 1, IORESOURCE_SYSTEM_RAM);
	start();
	for (i = NR; i--;)
		release_adjustable(BASE + i * UNIT, UNIT);
	stop("whole");

	bad += !request(0, NR + 1, IORESOURCE_SYSTEM_RAM);
	start();
	for (i = 0; i < NR; i++)
		release_adjustable(BASE + i * UNIT, UNIT);
	stop("start");
	release_adjustable(BASE + NR * UNIT, UNIT);

	bad += !request(0, NR + 1, IORESOURCE_SYSTEM_RAM);
	start();
	for (i = NR; i; i--)
		release_adjustable(BASE + i * UNIT, UNIT);
	stop("end");
	release_adjustable(BASE, UNIT);

	bad += !request(0, NR + 1, IORESOURCE_SYSTEM_RAM);
	start();
	for (i = 1; i < NR; i += 2)
		release_adjustable(BASE + i * UNIT, UNIT);
	stop("split");
	for (i = 0; i <= NR; i += 2)
		release_adjustable(BASE + i * UNIT, UNIT);

	/* All of it has been given back, or this is not to be had. */
	bad += !request(0, NR + 1, 0);
	release_mem_region(BASE, (NR + 1) * UNIT);
	pr_info("regions-bench: refused %d\n", bad);
	return -EAGAIN;
}
module_init(regions_init);

MODULE_DESCRIPTION("Cost of requesting and releasing physical regions");
MODULE_LICENSE("GPL");
