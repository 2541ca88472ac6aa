// SPDX-License-Identifier: GPL-2.0-only
/*
 * Add and remove memory ranges through debugfs
 *
 * A stand-in for the drivers that add memory: RAM through add_memory(), device
 * memory of any type through memremap_pages(), on any architecture. It serves
 * to test what these functions do, with good and bad input. Therefore ranges
 * are passed on as they come: whether one is aligned, addressable and free is
 * for the functions under test to find out. Refused here is only what no driver
 * may do, because it is written down in the source code of that driver.
 *
 * See Documentation/admin-guide/mm/mhp_test.rst.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cleanup.h>
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/memory_hotplug.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/numa.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/string_helpers.h>
#include <linux/topology.h>
#include <linux/uaccess.h>

/* One write to a file is one command. */
#define MAX_COMMAND	4096

static DEFINE_MUTEX(ranges_lock);

/* RAM that was added here, by order of addition */
static LIST_HEAD(ram_ranges);

/**
 * struct ram_range - RAM that was added, or what is left of it
 * @list: place in ram_ranges
 * @start: physical address
 * @size: in bytes
 * @nid: node it was added to
 * @flags: MHP_* it was added with
 */
struct ram_range {
	struct list_head list;
	u64 start;
	u64 size;
	int nid;
	mhp_t flags;
};

/* Log why a command failed: the one place that does, so that it is one line. */
static __printf(2, 3) int fail(int err, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	vaf.va = &args;
	pr_warn("%pV: %pe\n", &vaf, ERR_PTR(err));
	va_end(args);
	return err;
}

/* Parsing. Words are what is between white space; there are no empty ones. */

static char *next_word(char **line)
{
	char *word;

	do
		word = strsep(line, " \t\n");
	while (word && !*word);
	return word;
}

static int no_more_words(char **line)
{
	const char *word = next_word(line);

	return word ? fail(-EINVAL, "do not know what \"%s\" means here", word) : 0;
}

/*
 * Like memparse(), but what follows the number is an error, and so is a number
 * that does not fit: it must not come out as some other, valid one.
 */
static int to_number(char *word, u64 *number)
{
	static const char suffixes[] = "KMGTPE";
	size_t len = strlen(word);
	const char *suffix;
	char last;
	int err;

	err = kstrtoull(word, 0, number);
	if (err != -EINVAL || len < 2)
		return err;

	last = word[len - 1];
	suffix = strchr(suffixes, toupper(last));
	if (!suffix)
		return err;
	word[len - 1] = '\0';
	err = kstrtoull(word, 0, number);
	word[len - 1] = last;
	if (!err && check_shl_overflow(*number, 10 * (suffix - suffixes + 1), number))
		err = -ERANGE;
	return err;
}

static int parse_number(char *word, const char *what, u64 *number)
{
	int err;

	if (!word)
		return fail(-EINVAL, "no %s", what);
	err = to_number(word, number);
	return err ? fail(err, "bad %s \"%s\"", what, word) : 0;
}

static int parse_start_size(char **line, u64 *start, u64 *size)
{
	return parse_number(next_word(line), "start", start) ?:
	       parse_number(next_word(line), "size", size);
}

/* A node that this kernel can have: others must not even be asked for. */
static int parse_nid(const char *word, int *nid)
{
	unsigned int number;
	int err = kstrtouint(word, 0, &number);

	if (!err && (number >= MAX_NUMNODES || !node_possible(number)))
		err = -EINVAL;
	if (err)
		return fail(err, "bad node \"%s\"", word);
	*nid = number;
	return 0;
}

/* RAM */

static int parse_ram_options(char **line, struct ram_range *ram)
{
	bool have_nid = false;
	char *word;
	int err;

	while ((word = next_word(line))) {
		if (!strcmp(word, "memmap_on_memory")) {
			ram->flags |= MHP_MEMMAP_ON_MEMORY;
		} else if (!strcmp(word, "merge")) {
			ram->flags |= MHP_MERGE_RESOURCE;
		} else if (isdigit(*word) && !have_nid) {
			err = parse_nid(word, &ram->nid);
			if (err)
				return err;
			have_nid = true;
		} else {
			return fail(-EINVAL, "bad option \"%s\"", word);
		}
	}
	if (!have_nid)
		ram->nid = memory_add_physaddr_to_nid(ram->start);
	if (!numa_valid_node(ram->nid) || !node_possible(ram->nid))
		return fail(-EINVAL, "no node for %#llx", ram->start);
	return 0;
}

static int add_ram(char *line)
{
	struct ram_range *ram __free(kfree) = kzalloc(sizeof(*ram), GFP_KERNEL);
	int err;

	if (!ram)
		return fail(-ENOMEM, "add_ram");
	err = parse_start_size(&line, &ram->start, &ram->size) ?:
	      parse_ram_options(&line, ram);
	if (err)
		return err;

	err = add_memory(ram->nid, ram->start, ram->size, ram->flags);
	if (err)
		return fail(err, "cannot add RAM %#llx+%#llx to node %d",
			    ram->start, ram->size, ram->nid);
	list_add_tail(&no_free_ptr(ram)->list, &ram_ranges);
	return 0;
}

/* RAM is gone, some of it perhaps added here. Consumes @spare. */
static void forget_ram(u64 start, u64 size, struct ram_range *spare)
{
	struct ram_range *ram, *next;
	u64 end = start + size;

	list_for_each_entry_safe(ram, next, &ram_ranges, list) {
		u64 ram_end = ram->start + ram->size;

		if (ram_end <= start || ram->start >= end)
			continue;
		if (ram->start < start && ram_end > end) {
			/* Ranges do not overlap: this is the only one. */
			*spare = *ram;
			spare->start = end;
			spare->size = ram_end - end;
			ram->size = start - ram->start;
			list_add(&spare->list, &ram->list);
			return;
		}
		if (ram->start < start) {
			ram->size = start - ram->start;
		} else if (ram_end > end) {
			ram->start = end;
			ram->size = ram_end - end;
		} else {
			list_del(&ram->list);
			kfree(ram);
		}
	}
	kfree(spare);
}

static int remove_ram_with(int (*remove)(u64 start, u64 size), char *line,
			   const char *how)
{
	struct ram_range *spare;
	u64 start, size;
	int err;

	err = parse_start_size(&line, &start, &size) ?: no_more_words(&line);
	if (err)
		return err;
	/* Whatever can fail here has to before the memory is gone. */
	spare = kmalloc(sizeof(*spare), GFP_KERNEL);
	if (!spare)
		return fail(-ENOMEM, "%s", how);

	err = remove(start, size);
	if (err) {
		kfree(spare);
		return fail(err, "cannot %s RAM %#llx+%#llx", how, start, size);
	}
	forget_ram(start, size, spare);
	return 0;
}

static int remove_ram(char *line)
{
	return remove_ram_with(remove_memory, line, "remove");
}

static int offline_and_remove_ram(char *line)
{
	return remove_ram_with(offline_and_remove_memory, line,
			       "offline and remove");
}

static void show_ram(struct seq_file *seq)
{
	const struct ram_range *ram;

	list_for_each_entry(ram, &ram_ranges, list) {
		bool hosts = ram->flags & MHP_MEMMAP_ON_MEMORY;
		bool merges = ram->flags & MHP_MERGE_RESOURCE;

		seq_printf(seq, "ram %#llx %#llx %d %s%s%s\n",
			   ram->start, ram->size, ram->nid,
			   hosts ? "memmap_on_memory" : "",
			   hosts && merges ? "," : "",
			   merges ? "merge" : hosts ? "" : "-");
	}
}

/* On unload: what is offline goes, what is in use stays without its owner. */
static void leave_ram(void)
{
	struct ram_range *ram, *next;
	unsigned int nr = 0;
	u64 bytes = 0;

	list_for_each_entry_safe(ram, next, &ram_ranges, list) {
		if (remove_memory(ram->start, ram->size)) {
			bytes += ram->size;
			nr++;
		}
		list_del(&ram->list);
		kfree(ram);
	}
	if (nr)
		pr_warn("%u ranges of RAM cannot be removed, and stay: %llu MiB\n",
			nr, bytes >> 20);
}

#ifdef CONFIG_ZONE_DEVICE
/* Device memory */

static LIST_HEAD(devices);

/**
 * struct test_device - device memory that was added: one pagemap
 * @list: place in devices
 * @nid: node it was added to
 * @claims: regions that were claimed for the ranges; a region may be larger
 *	than its range. None of them with the option noclaim.
 * @nr_claims: number of @claims
 * @pgmap: the pagemap; last, because its ranges follow
 */
struct test_device {
	struct list_head list;
	int nid;
	struct range *claims;
	unsigned int nr_claims;
	struct dev_pagemap pgmap;
};

/* As in enum memory_type, which starts with MEMORY_DEVICE_PRIVATE */
static const char * const type_names[] = {
	"private", "coherent", "fs_dax", "generic", "p2pdma"
};

/*
 * Nobody ever gets a page of this memory, so that none can be freed, and none
 * can be in a page table for the CPU to stumble upon.
 */
static void page_free_never(struct page *page)
{
}

static vm_fault_t migrate_to_ram_never(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static const struct dev_pagemap_ops device_ops = {
	.page_free = page_free_never,
	.migrate_to_ram = migrate_to_ram_never,
};

/* An address that no other pagemap has for its owner */
static void * const device_owner = &devices;

static void release_claims(struct test_device *dev)
{
	while (dev->nr_claims) {
		const struct range *claim = &dev->claims[--dev->nr_claims];

		release_mem_region(claim->start, range_len(claim));
	}
}

static void free_device(struct test_device *dev)
{
	if (!dev)
		return;
	release_claims(dev);
	kfree(dev->claims);
	kfree(dev);
}

DEFINE_FREE(free_device, struct test_device *, free_device(_T))

static struct test_device *alloc_device(unsigned int nr_range)
{
	struct test_device *dev;

	dev = kzalloc(struct_size(dev, pgmap.ranges, nr_range), GFP_KERNEL);
	if (!dev)
		return NULL;
	dev->claims = kcalloc(nr_range, sizeof(*dev->claims), GFP_KERNEL);
	if (!dev->claims) {
		kfree(dev);
		return NULL;
	}
	dev->nid = numa_mem_id();
	dev->pgmap.nr_range = nr_range;
	dev->pgmap.ops = &device_ops;
	dev->pgmap.owner = device_owner;
	return dev;
}

static unsigned int count_items(const char *list)
{
	unsigned int nr = 1;

	while ((list = strchr(list, ','))) {
		list++;
		nr++;
	}
	return nr;
}

static int parse_type(const char *word, enum memory_type *type)
{
	int i;

	if (!word)
		return fail(-EINVAL, "no type of device memory");
	i = match_string(type_names, ARRAY_SIZE(type_names), word);
	if (i < 0)
		return fail(-EINVAL, "bad type of device memory \"%s\"", word);
	*type = MEMORY_DEVICE_PRIVATE + i;

	if ((*type == MEMORY_DEVICE_PRIVATE && !IS_ENABLED(CONFIG_DEVICE_PRIVATE)) ||
	    (*type == MEMORY_DEVICE_FS_DAX && IS_ENABLED(CONFIG_FS_DAX_LIMITED)))
		return fail(-EOPNOTSUPP, "this kernel has no %s memory", word);
	return 0;
}

/**
 * struct device_options - what else was asked for
 * @order: order of the compound pages that the memmap is made of
 * @altmap_pages: number of pages at the start of the range for the memmap
 * @noclaim: do not claim the iomem region
 */
struct device_options {
	u64 order;
	u64 altmap_pages;
	bool noclaim;
};

static int parse_device_options(char **line, struct test_device *dev,
				struct device_options *options)
{
	bool have_nid = false;
	char *word;
	int err = 0;

	while (!err && (word = next_word(line))) {
		size_t order = str_has_prefix(word, "compound_order=");
		size_t altmap = str_has_prefix(word, "altmap=");

		if (order) {
			err = parse_number(word + order, "compound_order",
					   &options->order);
		} else if (altmap) {
			err = parse_number(word + altmap, "number of altmap pages",
					   &options->altmap_pages);
		} else if (!strcmp(word, "noclaim")) {
			options->noclaim = true;
		} else if (isdigit(*word) && !have_nid) {
			err = parse_nid(word, &dev->nid);
			have_nid = true;
		} else {
			err = fail(-EINVAL, "bad option \"%s\"", word);
		}
	}
	return err;
}

/* What has to be right in the source code of a driver */
static int check_device_options(const struct test_device *dev,
				const struct device_options *options)
{
	if (!node_online(dev->nid))
		return fail(-EINVAL, "node %d is not online", dev->nid);
	if (options->order > ilog2(MAX_FOLIO_NR_PAGES))
		return fail(-EINVAL, "compound_order %llu is above %d",
			    options->order, ilog2(MAX_FOLIO_NR_PAGES));
	if (options->altmap_pages && dev->pgmap.type == MEMORY_DEVICE_PRIVATE)
		return fail(-EINVAL, "private memory cannot hold a memmap");
	if (options->altmap_pages && dev->pgmap.nr_range > 1)
		return fail(-EINVAL, "the memmap of several ranges cannot be on one of them");
	return 0;
}

/* A region that nobody uses, of the size of the range or somewhat larger */
static int claim_free_region(struct range *range, u64 size, struct range *claim)
{
	const struct range addressable = mhp_get_pluggable_range(false);
	struct resource *res;

	/* Such a size would send the search around the end of the addresses. */
	if (size > range_len(&addressable))
		return -ERANGE;
	res = request_free_mem_region(&iomem_resource, size, KBUILD_MODNAME);
	if (IS_ERR(res))
		return PTR_ERR(res);
	claim->start = res->start;
	claim->end = res->end;
	range->start = res->start;
	range->end = res->start + size - 1;
	return 0;
}

static int set_range(struct test_device *dev, unsigned int i, char *start,
		     char *size, const struct device_options *options)
{
	const bool any = !strcmp(start, "any");
	struct range *range = &dev->pgmap.ranges[i];
	struct range *claim = &dev->claims[dev->nr_claims];
	u64 first = 0, bytes, last;
	int err;

	if (!any) {
		err = parse_number(start, "start", &first);
		if (err)
			return err;
	}
	err = parse_number(size, "size", &bytes);
	if (err)
		return err;
	/* A struct range holds its last byte: it cannot hold these. */
	if (!bytes || check_add_overflow(first, bytes - 1, &last))
		return fail(-EINVAL, "no range: %s+%s", start, size);

	if (any) {
		if (dev->pgmap.type != MEMORY_DEVICE_PRIVATE || options->noclaim)
			return fail(-EINVAL, "only private memory that is claimed can be anywhere");
		err = claim_free_region(range, bytes, claim);
		if (err)
			return fail(err, "cannot find %#llx free bytes", bytes);
		dev->nr_claims++;
		return 0;
	}

	range->start = first;
	range->end = last;
	if (options->noclaim)
		return 0;
	if (!request_mem_region(first, bytes, KBUILD_MODNAME))
		return fail(-EBUSY, "cannot claim the region %#llx+%#llx",
			    first, bytes);
	*claim = *range;
	dev->nr_claims++;
	return 0;
}

static int set_ranges(struct test_device *dev, char *starts, char *sizes,
		      const struct device_options *options)
{
	unsigned int i;
	int err;

	for (i = 0; i < dev->pgmap.nr_range; i++) {
		err = set_range(dev, i, strsep(&starts, ","), strsep(&sizes, ","),
				options);
		if (err)
			return err;
	}
	return 0;
}

static int set_memmap(struct test_device *dev,
		      const struct device_options *options)
{
	const u64 compound = 1ULL << options->order;
	int i;

	/* What remains would be initialised beyond the end of the range. */
	for (i = 0; i < dev->pgmap.nr_range; i++) {
		const struct range *range = &dev->pgmap.ranges[i];
		u64 pages = PHYS_PFN(range->start) | PHYS_PFN(range_len(range)) |
			    options->altmap_pages;

		if (!IS_ALIGNED(pages, compound))
			return fail(-EINVAL, "%#llx+%#llx is no multiple of order %llu",
				    range->start, range_len(range), options->order);
	}
	dev->pgmap.vmemmap_shift = options->order;

	if (options->altmap_pages) {
		const struct vmem_altmap altmap = {
			.base_pfn = PHYS_PFN(dev->pgmap.range.start),
			.end_pfn = PHYS_PFN(dev->pgmap.range.end),
			.free = options->altmap_pages,
		};

		/* Has const members, therefore no assignment */
		memcpy(&dev->pgmap.altmap, &altmap, sizeof(altmap));
		dev->pgmap.flags |= PGMAP_ALTMAP_VALID;
	}
	return 0;
}

static int add_device(char *line)
{
	struct test_device *dev __free(free_device) = NULL;
	struct device_options options = {};
	char *starts, *sizes;
	void *mapped;
	int err;

	starts = next_word(&line);
	sizes = next_word(&line);
	if (!starts || !sizes)
		return fail(-EINVAL, "no start or no size");
	if (count_items(starts) != count_items(sizes))
		return fail(-EINVAL, "not as many starts as sizes");

	dev = alloc_device(count_items(starts));
	if (!dev)
		return fail(-ENOMEM, "add_device");
	err = parse_type(next_word(&line), &dev->pgmap.type) ?:
	      parse_device_options(&line, dev, &options) ?:
	      check_device_options(dev, &options) ?:
	      set_ranges(dev, starts, sizes, &options) ?:
	      set_memmap(dev, &options);
	if (err)
		return err;

	mapped = memremap_pages(&dev->pgmap, dev->nid);
	if (IS_ERR(mapped))
		return fail(PTR_ERR(mapped), "cannot add %s memory %#llx+%#llx to node %d",
			    type_names[dev->pgmap.type - MEMORY_DEVICE_PRIVATE],
			    dev->pgmap.range.start, range_len(&dev->pgmap.range),
			    dev->nid);
	list_add_tail(&no_free_ptr(dev)->list, &devices);
	return 0;
}

static void remove_one_device(struct test_device *dev)
{
	list_del(&dev->list);
	memunmap_pages(&dev->pgmap);
	free_device(dev);
}

static void remove_all_devices(void)
{
	struct test_device *dev, *next;

	list_for_each_entry_safe(dev, next, &devices, list)
		remove_one_device(dev);
}

static int remove_device(char *line)
{
	char *word = next_word(&line);
	struct test_device *dev;
	u64 start;
	int err;

	err = no_more_words(&line);
	if (err)
		return err;
	if (word && !strcmp(word, "all")) {
		remove_all_devices();
		return 0;
	}
	err = parse_number(word, "start", &start);
	if (err)
		return err;

	list_for_each_entry(dev, &devices, list) {
		if (dev->pgmap.range.start == start) {
			remove_one_device(dev);
			return 0;
		}
	}
	return fail(-ENOENT, "no device memory was added at %#llx", start);
}

static void show_devices(struct seq_file *seq)
{
	const struct test_device *dev;
	int i;

	list_for_each_entry(dev, &devices, list) {
		for (i = 0; i < dev->pgmap.nr_range; i++) {
			const struct range *range = &dev->pgmap.ranges[i];

			seq_printf(seq, "%s %#llx %#llx %d %s\n",
				   i ? "device+" : "device", range->start,
				   range_len(range), dev->nid,
				   type_names[dev->pgmap.type - MEMORY_DEVICE_PRIVATE]);
		}
	}
}

/* Does the page frame belong to another driver's device memory? */
static bool is_foreign(unsigned long pfn)
{
	struct dev_pagemap *pgmap = get_dev_pagemap(pfn, NULL);
	bool foreign = pgmap && pgmap->owner != device_owner;

	put_dev_pagemap(pgmap);
	return foreign;
}
#else
static void remove_all_devices(void)
{
}

static void show_devices(struct seq_file *seq)
{
}

static bool is_foreign(unsigned long pfn)
{
	return false;
}
#endif /* CONFIG_ZONE_DEVICE */

/* The memmap */

static int fill_memmap(unsigned long start_pfn, unsigned long end_pfn, u8 byte)
{
	unsigned long pfn;

	for (pfn = start_pfn; pfn < end_pfn; pfn++) {
		if (pfn_to_online_page(pfn) || is_foreign(pfn))
			return fail(-EBUSY, "pfn %#lx is in use", pfn);
		if (!pfn_valid(pfn))
			return fail(-EINVAL, "pfn %#lx has no struct page", pfn);
		cond_resched();
	}
	for (pfn = start_pfn; pfn < end_pfn; pfn++) {
		memset(pfn_to_page(pfn), byte, sizeof(struct page));
		cond_resched();
	}
	return 0;
}

static int check_memmap(unsigned long start_pfn, unsigned long end_pfn, u8 byte)
{
	unsigned long pfn;

	for (pfn = start_pfn; pfn < end_pfn; pfn++) {
		const void *page, *other;

		if (!pfn_valid(pfn))
			return fail(-EINVAL, "pfn %#lx has no struct page", pfn);
		page = pfn_to_page(pfn);
		other = memchr_inv(page, byte, sizeof(struct page));
		if (other)
			return fail(-EIO, "memmap of pfn %#lx, byte %td: %#04x instead of %#04x",
				    pfn, other - page, *(const u8 *)other, byte);
		cond_resched();
	}
	return 0;
}

/* A copy of struct pages, of anybody's memory; none if @pages is NULL */
static struct {
	struct page *pages;
	unsigned long start_pfn;
	unsigned long end_pfn;
} kept;

static void forget_memmap(void)
{
	kvfree(kept.pages);
	kept.pages = NULL;
}

static int keep_memmap(unsigned long start_pfn, unsigned long end_pfn, u8 unused)
{
	unsigned long pfn;

	forget_memmap();
	kept.pages = kvmalloc_array(end_pfn - start_pfn, sizeof(struct page), GFP_KERNEL);
	if (!kept.pages)
		return fail(-ENOMEM, "no memory for %lu struct pages", end_pfn - start_pfn);
	kept.start_pfn = start_pfn;
	kept.end_pfn = end_pfn;

	for (pfn = start_pfn; pfn < end_pfn; pfn++) {
		if (!pfn_valid(pfn)) {
			forget_memmap();
			return fail(-EINVAL, "pfn %#lx has no struct page", pfn);
		}
		memcpy(&kept.pages[pfn - start_pfn], pfn_to_page(pfn), sizeof(struct page));
		cond_resched();
	}
	return 0;
}

static int compare_memmap(void)
{
	unsigned long pfn;

	if (!kept.pages)
		return fail(-ENOENT, "nothing was kept to compare with");
	for (pfn = kept.start_pfn; pfn < kept.end_pfn; pfn++) {
		if (!pfn_valid(pfn))
			return fail(-EINVAL, "pfn %#lx has no struct page", pfn);
		if (memcmp(&kept.pages[pfn - kept.start_pfn], pfn_to_page(pfn),
			   sizeof(struct page)))
			return fail(-EIO, "memmap of pfn %#lx differs", pfn);
		cond_resched();
	}
	return 0;
}

/**
 * struct memmap_verb - something that can be done to the memmap of a range
 * @name: the verb
 * @takes_byte: whether a byte follows
 * @run: does it; returns 0 or -errno, having logged why
 */
struct memmap_verb {
	const char *name;
	bool takes_byte;
	int (*run)(unsigned long start_pfn, unsigned long end_pfn, u8 byte);
};

static const struct memmap_verb memmap_verbs[] = {
	{ "fill", true, fill_memmap },
	{ "check", true, check_memmap },
	{ "keep", false, keep_memmap },
};

static int memmap(char *line)
{
	const char *name = next_word(&line);
	const struct memmap_verb *verb;
	u64 start, size, last, byte = 0;
	int err;

	if (!name)
		return fail(-EINVAL, "neither fill, check, keep nor compare");
	if (!strcmp(name, "compare"))
		return no_more_words(&line) ?: compare_memmap();
	for (verb = memmap_verbs; strcmp(verb->name, name);)
		if (++verb == memmap_verbs + ARRAY_SIZE(memmap_verbs))
			return fail(-EINVAL, "neither fill, check, keep nor compare: \"%s\"",
				    name);
	err = parse_start_size(&line, &start, &size);
	if (!err && verb->takes_byte)
		err = parse_number(next_word(&line), "byte", &byte);
	err = err ?: no_more_words(&line);
	if (err)
		return err;
	if (byte > U8_MAX)
		return fail(-EINVAL, "%#llx is more than a byte", byte);
	if (!size || !PAGE_ALIGNED(start) || !PAGE_ALIGNED(size) ||
	    check_add_overflow(start, size - 1, &last))
		return fail(-EINVAL, "%#llx+%#llx is no range of pages", start, size);

	return verb->run(PHYS_PFN(start), PHYS_PFN(last) + 1, byte);
}

/* The files */

/**
 * struct command - a file that takes commands
 * @name: of the file
 * @run: carries out one command, whose text it may change. Called with
 *	ranges_lock held. Returns 0 or -errno; then it has logged why.
 */
struct command {
	const char *name;
	int (*run)(char *line);
};

static const struct command commands[] = {
	{ "add_ram", add_ram },
	{ "remove_ram", remove_ram },
	{ "offline_and_remove_ram", offline_and_remove_ram },
#ifdef CONFIG_ZONE_DEVICE
	{ "add_device", add_device },
	{ "remove_device", remove_device },
#endif
	{ "memmap", memmap },
};

static ssize_t command_write(struct file *file, const char __user *buf,
			     size_t count, loff_t *ppos)
{
	const struct command *command = file->private_data;
	char *line;
	int err;

	if (count > MAX_COMMAND)
		return fail(-E2BIG, "%s: a command of %zu bytes", command->name, count);
	line = memdup_user_nul(buf, count);
	if (IS_ERR(line))
		return fail(PTR_ERR(line), "%s", command->name);

	mutex_lock(&ranges_lock);
	err = command->run(line);
	mutex_unlock(&ranges_lock);

	kfree(line);
	return err ?: count;
}

static const struct file_operations command_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = command_write,
};

static int ranges_show(struct seq_file *seq, void *unused)
{
	mutex_lock(&ranges_lock);
	show_ram(seq);
	show_devices(seq);
	mutex_unlock(&ranges_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ranges);

static struct dentry *debugfs_dir;

static int __init mhp_test_init(void)
{
	int i;

	debugfs_dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		debugfs_create_file(commands[i].name, 0200, debugfs_dir,
				    (void *)&commands[i], &command_fops);
	debugfs_create_file("ranges", 0400, debugfs_dir, NULL, &ranges_fops);
	return 0;
}
module_init(mhp_test_init);

static void __exit mhp_test_exit(void)
{
	/* No command runs any more, and none can start. */
	debugfs_remove(debugfs_dir);

	remove_all_devices();
	leave_ram();
	forget_memmap();
}
module_exit(mhp_test_exit);

MODULE_DESCRIPTION("Add and remove memory ranges through debugfs");
MODULE_LICENSE("GPL");
