// SPDX-License-Identifier: GPL-2.0-only
/*
 * Are the struct pages of added memory as Linux 6.12 leaves them?
 *
 * Each word of each struct page is compared with what is written down here, which does
 * not come from the code under test: the module is for kernels without the series as
 * well, and there it shows that what is written here is right.
 *
 * Memory that comes online is looked at after all other notifiers. Somebody may have
 * allocated some of it by then; that is left out, and counted.
 *
 * See Documentation/admin-guide/mm/mhp_test.rst.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/align.h>
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/kasan.h>
#include <linux/kstrtox.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/mm_types.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/nodemask.h>
#include <linux/page-flags.h>
#include <linux/pageblock-flags.h>
#include <linux/pfn.h>
#include <linux/poison.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/sprintf.h>
#include <linux/string.h>
#include <linux/uaccess.h>

/* One write to a file is one command. */
#define MAX_COMMAND	100

/* How many differences are described; all are counted. */
#define MAX_REMARKS	10

static bool callback;
module_param(callback, bool, 0444);
MODULE_PARM_DESC(callback, "Get memory that comes online from the kernel, as balloons do, and hand it on");

/* What differs from 6.12, where such pages look like any that somebody has */
static bool memmap_reserved = true;
module_param(memmap_reserved, bool, 0444);
MODULE_PARM_DESC(memmap_reserved, "Pages of memmap in a memory block are reserved");

/* Modules do not see that of the kernel where it is a variable. */
static uint block_order;
module_param(block_order, uint, 0444);
MODULE_PARM_DESC(block_order, "Page block order of /proc/pagetypeinfo");

/* What a kernel is to see to that is booted with init_on_free=1 */
static bool wiped;
module_param(wiped, bool, 0444);
MODULE_PARM_DESC(wiped, "Fill memory before it comes online: its free pages are to be zero");

/* What the user expects of memory that comes online, and what was seen since then */
static DEFINE_MUTEX(seen_lock);
static int expected_nid;
static enum zone_type expected_zone = ZONE_MOVABLE;
static bool any_zone;
/* The first page of the memory block that is to stay online, or offline */
static unsigned long refused_pfn = ULONG_MAX;
static struct {
	unsigned long blocks;
	unsigned long free;
	unsigned long in_use;
	unsigned long used;
	unsigned long memmap;
	unsigned long handed_on;
	unsigned long refused;
	unsigned long wrong;
	char remarks[MAX_REMARKS][100];
} seen;

/* Not to the log: this is called with zone->lock held, which a console may need. */
static __printf(3, 4) void wrong(unsigned long pfn, const char *what, const char *fmt, ...)
{
	struct va_format text;
	va_list args;

	if (seen.wrong++ >= MAX_REMARKS)
		return;
	va_start(args, fmt);
	text.fmt = fmt;
	text.va = &args;
	snprintf(seen.remarks[seen.wrong - 1], sizeof(seen.remarks[0]), "pfn %#lx, %s: %pV",
		 pfn, what, &text);
	va_end(args);
}

/* What struct pages have in common if nobody has the page */
static void expect(struct page *page, unsigned long pfn, enum zone_type zone, int nid)
{
	memset(page, 0, sizeof(*page));
	set_page_links(page, zone, nid, pfn);
	atomic_set(&page->_mapcount, -1);
	page_cpupid_reset_last(page);
	page_kasan_tag_reset(page);
#ifdef WANT_PAGE_VIRTUAL
	if (!is_highmem_idx(zone))
		set_page_address(page, __va(PFN_PHYS(pfn)));
#endif
}

/* @expected: on the stack, thus with a list head that is to be the one of the real page */
static void compare(const struct page *expected, unsigned long pfn, const char *what)
{
	const unsigned long *want = (const unsigned long *)expected;
	const unsigned long *is = (const unsigned long *)pfn_to_page(pfn);
	unsigned int i;

	for (i = 0; i < sizeof(struct page) / sizeof(*is); i++)
		if (is[i] != want[i])
			wrong(pfn, what, "word %u is %#lx instead of %#lx", i, is[i],
			      want[i]);
}

static bool starts_pageblock(unsigned long pfn)
{
	return IS_ALIGNED(pfn, 1UL << block_order);
}

/* get_pageblock_migratetype() is not for modules. */
static void compare_pageblock(unsigned long pfn, int migratetype, bool shared)
{
	const unsigned long *bitmap = __pfn_to_section(pfn)->usage->pageblock_flags;
	const unsigned int bit = ((pfn & ~PAGE_SECTION_MASK) >> block_order) *
				 NR_PAGEBLOCK_BITS;
	const int is = bitmap[bit / BITS_PER_LONG] >> bit % BITS_PER_LONG &
		       ((1 << NR_PAGEBLOCK_BITS) - 1);

	/* In its zones, the kernel may have taken pageblocks for something else by now. */
	if (shared && (is & MIGRATETYPE_MASK) != MIGRATE_ISOLATE)
		return;
	/* No more than that: compaction, which marks what it skips, was not here yet. */
	if (is != migratetype)
		wrong(pfn, "pageblock", "%#x instead of migratetype %d", is, migratetype);
}

static void compare_pageblocks(unsigned long pfn, unsigned long end_pfn, int migratetype,
			       bool shared)
{
	for (pfn = ALIGN(pfn, 1UL << block_order); pfn < end_pfn; pfn += 1UL << block_order) {
		compare_pageblock(pfn, migratetype, shared);
		cond_resched();
	}
}

/* A page of memory that no list has */
static void compare_lone(unsigned long pfn, unsigned long flags, unsigned int page_type,
			 int refcount, const char *what)
{
	struct page *page = pfn_to_page(pfn);
	struct page expected;

	expect(&expected, pfn, expected_zone, expected_nid);
	expected.flags |= flags;
	expected.lru.next = &page->lru;
	expected.lru.prev = &page->lru;
	if (page_type)
		expected.page_type = page_type << 24;
	set_page_count(&expected, refcount);
	compare(&expected, pfn, what);
}

/*
 * A page that somebody had and gave back: some words are as he left them. Of those on a
 * list, it is the index; others were on a list, or a part of a compound page.
 */
static bool is_used(const struct page *page, bool listed)
{
	if (listed)
		return page->index;
	return page->lru.next == LIST_POISON1 || !page->lru.next;
}

static void compare_used(unsigned long pfn)
{
	const struct page *page = pfn_to_page(pfn);
	struct page expected;

	expect(&expected, pfn, expected_zone, expected_nid);
	if (page->flags != expected.flags)
		wrong(pfn, "used page", "flags %#lx instead of %#lx", page->flags,
		      expected.flags);
	if (page_ref_count(page))
		wrong(pfn, "used page", "%d references", page_ref_count(page));
	seen.used++;
}

/* Memory that comes online is not what its last owner left. */
static void fill(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long pfn;

	for (pfn = start_pfn; pfn < start_pfn + nr_pages; pfn++) {
		memset(__va(PFN_PHYS(pfn)), 0xa5, PAGE_SIZE);
		cond_resched();
	}
}

static void compare_wiped(unsigned long pfn, unsigned int order)
{
	const void *start = __va(PFN_PHYS(pfn)), *left;

	/* Free pages are nobody's business, else. */
	kasan_disable_current();
	left = memchr_inv(start, 0, PAGE_SIZE << order);
	kasan_enable_current();
	if (left)
		wrong(pfn + PFN_DOWN(left - start), "free page", "not wiped");
}

/* Free pages; zone->lock is held. */
static void compare_free(unsigned long pfn, unsigned int order)
{
	struct page *page = pfn_to_page(pfn);
	struct page expected;
	unsigned long i;

	expect(&expected, pfn, expected_zone, expected_nid);
	expected.page_type = PGTY_buddy << 24;
	set_page_private(&expected, order);
	expected.lru = page->lru;
	if (wiped)
		compare_wiped(pfn, order);
	if (page->lru.next->prev != &page->lru || page->lru.prev->next != &page->lru)
		wrong(pfn, "free pages", "not on a list");
	if (is_used(page, true))
		compare_used(pfn);
	else
		compare(&expected, pfn, "first of free pages");

	for (i = 1; i < 1UL << order; i++) {
		page = pfn_to_page(pfn + i);
		/* Free pages are put into lists by pageblocks, which then merge. */
		if (starts_pageblock(pfn + i) && page->lru.next == LIST_POISON1 &&
		    !is_used(page, true)) {
			expect(&expected, pfn + i, expected_zone, expected_nid);
			expected.lru.next = LIST_POISON1;
			expected.lru.prev = LIST_POISON2;
			compare(&expected, pfn + i, "first of merged free pages");
		} else if (is_used(page, false)) {
			compare_used(pfn + i);
		} else {
			compare_lone(pfn + i, 0, 0, 0, "free page");
		}
	}
}

static void compare_online(unsigned long start_pfn, unsigned long end_pfn)
{
	struct zone *zone = &NODE_DATA(expected_nid)->node_zones[expected_zone];
	unsigned long pfn = start_pfn, flags;
	unsigned int order;

	compare_pageblocks(start_pfn, end_pfn, MIGRATE_MOVABLE, expected_zone != ZONE_MOVABLE);
	while (pfn < end_pfn) {
		spin_lock_irqsave(&zone->lock, flags);
		if (PageBuddy(pfn_to_page(pfn))) {
			order = page_private(pfn_to_page(pfn));
			compare_free(pfn, order);
			seen.free += 1UL << order;
			pfn += 1UL << order;
		} else {
			seen.in_use++;
			pfn++;
		}
		spin_unlock_irqrestore(&zone->lock, flags);
		cond_resched();
	}
}

static bool is_refused(unsigned long block_pfn)
{
	if (READ_ONCE(refused_pfn) != block_pfn)
		return false;
	mutex_lock(&seen_lock);
	seen.refused++;
	mutex_unlock(&seen_lock);
	return true;
}

static int memory_online(struct notifier_block *nb, unsigned long action, void *arg)
{
	const unsigned long block_pages = PHYS_PFN(memory_block_size_bytes());
	const struct memory_notify *notify = arg;
	const unsigned long block_pfn = ALIGN_DOWN(notify->start_pfn, block_pages);
	unsigned long pfn, end_pfn = notify->start_pfn;

	if (action == MEM_GOING_ONLINE || action == MEM_GOING_OFFLINE) {
		if (is_refused(block_pfn))
			return notifier_from_errno(-EBUSY);
		if (wiped && action == MEM_GOING_ONLINE)
			fill(notify->start_pfn, notify->nr_pages);
		return NOTIFY_DONE;
	}
	if (action != MEM_ONLINE)
		return NOTIFY_DONE;

	mutex_lock(&seen_lock);
	seen.blocks++;
	if (any_zone)
		expected_zone = page_zonenum(pfn_to_page(notify->start_pfn));
	compare_online(notify->start_pfn, notify->start_pfn + notify->nr_pages);
	/* Maybe there is nothing else in the block. */
	if (!notify->nr_pages)
		end_pfn = block_pfn + block_pages;
	for (pfn = block_pfn; pfn < end_pfn; pfn++) {
		compare_lone(pfn, BIT(PG_vmemmap_self_hosted) |
				  (memmap_reserved ? BIT(PG_reserved) : 0), 0, 1,
			     "page of the memmap");
		seen.memmap++;
		cond_resched();
	}
	compare_pageblocks(block_pfn, end_pfn, MIGRATE_UNMOVABLE, false);
	mutex_unlock(&seen_lock);
	return NOTIFY_OK;
}

static struct notifier_block memory_nb = {
	.notifier_call = memory_online,
	.priority = INT_MIN,
};

static void hand_on(struct page *page, unsigned int order)
{
	unsigned long i;

	mutex_lock(&seen_lock);
	if (any_zone)
		expected_zone = page_zonenum(page);
	for (i = 0; i < 1UL << order; i++)
		compare_lone(page_to_pfn(page) + i, 0, PGTY_offline, 1, "page for a driver");
	seen.handed_on += 1UL << order;
	mutex_unlock(&seen_lock);
	generic_online_page(page, order);
}

/* The files */

/* "NID ZONE": where memory comes online from now on; ZONE may be "any" */
static int expect_online(char *line)
{
	char name[16];
	int zone, nid;

	if (sscanf(line, "%d %15s", &nid, name) != 2)
		return -EINVAL;
	if (nid < 0 || nid >= MAX_NUMNODES || !node_state(nid, N_ONLINE))
		return -EINVAL;
	for (zone = 0; zone < MAX_NR_ZONES; zone++)
		if (!strcmp(NODE_DATA(nid)->node_zones[zone].name, name))
			break;
	if (zone == MAX_NR_ZONES && strcmp(name, "any"))
		return -EINVAL;
	expected_nid = nid;
	any_zone = zone == MAX_NR_ZONES;
	expected_zone = zone;
	memset(&seen, 0, sizeof(seen));
	return 0;
}

/* "START", or "none": the memory block there is to stay as it is */
static int refuse(char *line)
{
	u64 start;

	if (!strcmp(strim(line), "none")) {
		WRITE_ONCE(refused_pfn, ULONG_MAX);
		return 0;
	}
	if (kstrtou64(strim(line), 0, &start) ||
	    !IS_ALIGNED(start, memory_block_size_bytes()))
		return -EINVAL;
	WRITE_ONCE(refused_pfn, PHYS_PFN(start));
	return 0;
}

#ifdef CONFIG_ZONE_DEVICE
/* A struct page of a compound page and, as it takes part in that, its neighbour */
static void expect_compound(struct page pages[2], const struct page *head, unsigned long n,
			    unsigned int order)
{
	struct folio *folio = (struct folio *)pages;
	struct page *page = &pages[!!n];

	if (!n) {
		__set_bit(PG_head, &page->flags);
		return;
	}
	page->mapping = TAIL_MAPPING;
	page->compound_head = (unsigned long)head + 1;
	set_page_count(page, 0);
	if (n > 1)
		return;
	folio->_flags_1 |= order;
	atomic_set(&folio->_large_mapcount, -1);
	atomic_set(&folio->_entire_mapcount, -1);
	/* These have the place of the mapping. */
	atomic_set(&folio->_nr_pages_mapped, 0);
	atomic_set(&folio->_pincount, 0);
#ifdef CONFIG_64BIT
	folio->_folio_nr_pages = 1U << order;
#endif
}

/*
 * "START SIZE REFERENCES ORDER": of device memory, in bytes; REFERENCES of each page
 * or of each compound page of that order
 */
static int compare_device(char *line)
{
	unsigned long pfn, start_pfn, end_pfn;
	struct dev_pagemap *pgmap;
	unsigned int order;
	u64 start, size;
	int references;

	if (sscanf(line, "%llx %llx %d %u", &start, &size, &references, &order) != 4)
		return -EINVAL;
	if (order > PFN_SECTION_SHIFT || !size || size > U64_MAX - start)
		return -EINVAL;
	start_pfn = PHYS_PFN(start);
	end_pfn = start_pfn + PHYS_PFN(size);
	pgmap = get_dev_pagemap(start_pfn, NULL);
	if (!pgmap)
		return -ENXIO;
	if (start + size - 1 > pgmap->range.end) {
		put_dev_pagemap(pgmap);
		return -ENXIO;
	}

	memset(&seen, 0, sizeof(seen));
	for (pfn = start_pfn; pfn < end_pfn; pfn++) {
		const unsigned long n = (pfn - start_pfn) & ((1UL << order) - 1);
		struct page pages[2], *page = &pages[!!n];

		memset(pages, 0, sizeof(pages));
		expect(page, pfn, ZONE_DEVICE, page_to_nid(pfn_to_page(start_pfn)));
		__set_bit(PG_reserved, &page->flags);
		page->pgmap = pgmap;
		set_page_count(page, references);
		if (order)
			expect_compound(pages, pfn_to_page(pfn - n), n, order);
		compare(page, pfn, n ? "tail page" : "device page");
		cond_resched();
	}
	compare_pageblocks(start_pfn, end_pfn, MIGRATE_MOVABLE, false);
	put_dev_pagemap(pgmap);
	return seen.wrong ? -EIO : 0;
}
#endif

static const struct command {
	const char *name;
	int (*run)(char *line);
} commands[] = {
	{ "expect", expect_online },
	{ "refuse", refuse },
#ifdef CONFIG_ZONE_DEVICE
	{ "device", compare_device },
#endif
};

static ssize_t command_write(struct file *file, const char __user *buf, size_t count,
			     loff_t *ppos)
{
	const struct command *command = file->private_data;
	char line[MAX_COMMAND + 1] = "";
	int err;

	if (count > MAX_COMMAND)
		return -E2BIG;
	if (copy_from_user(line, buf, count))
		return -EFAULT;
	mutex_lock(&seen_lock);
	err = command->run(line);
	mutex_unlock(&seen_lock);
	if (err)
		pr_err("%s: %d: \"%s\"\n", command->name, err, strim(line));
	return err ?: count;
}

static const struct file_operations command_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = command_write,
};

static int seen_show(struct seq_file *m, void *unused)
{
	unsigned int i;

	mutex_lock(&seen_lock);
	seq_printf(m, "blocks %lu\nfree %lu\nused %lu\nin_use %lu\nmemmap %lu\nhanded_on %lu\nrefused %lu\nwrong %lu\n",
		   seen.blocks, seen.free, seen.used, seen.in_use, seen.memmap,
		   seen.handed_on, seen.refused, seen.wrong);
	for (i = 0; i < MAX_REMARKS && i < seen.wrong; i++)
		seq_printf(m, "%s\n", seen.remarks[i]);
	mutex_unlock(&seen_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(seen);

static struct dentry *debugfs_dir;

static int __init memmap_test_init(void)
{
	unsigned int i;
	int err;

#if !defined(CONFIG_HUGETLB_PAGE_SIZE_VARIABLE) || !defined(MODULE)
	if (!block_order)
		block_order = pageblock_order;
#endif
	if (!block_order || block_order > PFN_SECTION_SHIFT) {
		pr_err("block_order=%u cannot be: /proc/pagetypeinfo has it\n", block_order);
		return -EINVAL;
	}
	err = register_memory_notifier(&memory_nb);
	if (err)
		return err;
	if (callback) {
		err = set_online_page_callback(hand_on);
		if (err) {
			pr_err("somebody else gets what comes online already\n");
			unregister_memory_notifier(&memory_nb);
			return err;
		}
	}

	debugfs_dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		debugfs_create_file(commands[i].name, 0200, debugfs_dir,
				    (void *)&commands[i], &command_fops);
	debugfs_create_file("seen", 0400, debugfs_dir, NULL, &seen_fops);
	return 0;
}
module_init(memmap_test_init);

static void __exit memmap_test_exit(void)
{
	debugfs_remove(debugfs_dir);
	if (callback)
		restore_online_page_callback(hand_on);
	unregister_memory_notifier(&memory_nb);
}
module_exit(memmap_test_exit);

MODULE_DESCRIPTION("Compare the struct pages of added memory with those of Linux 6.12");
MODULE_LICENSE("GPL");
