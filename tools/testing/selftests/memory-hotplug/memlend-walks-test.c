// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who walks physical memory leaves alone what /dev/memlend has lent: /proc/kpageflags,
 * /dev/mem, /proc/kcore and dumps; and there is no hibernation meanwhile. Each is tried
 * with and without the memmap of the memory.
 *
 * Builds with any libc, and with tools/include/nolibc.
 */
#include "memlend-test.h"

#include <linux/elf.h>
#include <linux/kernel-page-flags.h>
#include <linux/suspend_ioctls.h>

#define PATTERN	0x99

/* Memory that is lent, full of PATTERN */
struct lent {
	int fd;
	unsigned char *p;
	u64 at;		/* where it is */
};

static struct lent lend(unsigned int how)
{
	struct lent lent = { .fd = borrow_as(unit, MEMLEND_ANY_NODE, how) };

	if (lent.fd < 0)
		give_up("nothing can be borrowed");
	lent.p = map(lent.fd, unit);
	fill(lent.p, unit, PATTERN);
	lent.at = physical();
	if (!lent.at)
		give_up("debugfs does not say where it is");
	return lent;
}

/* result() - what became of a walk; @why it could not be done, if it could not */
static void result(const char *what, const char *why, unsigned int how, struct lent *lent)
{
	char name[128] = "";

	equal("what was lent", -1, other_than(lent->p, unit, PATTERN));
	munmap(lent->p, unit);
	close(lent->fd);
	strncat(name, what, 100);
	if (how & MEMLEND_FREE_MEMMAP)
		strncat(name, ", without memmap", 20);
	if (why)
		pass_over(name, why);
	else
		done(name);
}

static void walk_kpageflags(unsigned int how)
{
	struct lent lent = lend(how);
	int fd = open("/proc/kpageflags", O_RDONLY);
	const char *why = NULL;
	u64 kpf, i;

	if (fd < 0)
		why = "no /proc/kpageflags in this kernel (CONFIG_PROC_PAGE_MONITOR)";
	for (i = 0; !why && i < unit / page; i++) {
		if (syscall(__NR_pread64, fd, &kpf, 8, (lent.at / page + i) * 8) != 8)
			give_up("/proc/kpageflags");
		if (!(kpf & 1ULL << KPF_OFFLINE))
			bad("flags of a page", 1ULL << KPF_OFFLINE, kpf);
	}
	close(fd);
	result("/proc/kpageflags says OFFLINE", why, how, &lent);
}

static bool reads_ram(int devmem)
{
	volatile unsigned char *own = mmap(NULL, page, PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char byte = 0;

	if (own == MAP_FAILED)
		give_up("no memory");
	*own = PATTERN;
	syscall(__NR_pread64, devmem, &byte, 1, page_frame(own) * page);
	munmap((void *)own, page);
	return byte == PATTERN;
}

static void walk_devmem(unsigned int how)
{
	struct lent lent = lend(how);
	int fd = open("/dev/mem", O_RDONLY);
	const char *why = NULL;
	unsigned char byte = 0;

	if (fd < 0)
		why = "no /dev/mem in this kernel (CONFIG_DEVMEM)";
	else if (!reads_ram(fd))
		why = "it reads no RAM in this kernel (CONFIG_STRICT_DEVMEM)";
	else if (how & MEMLEND_KEEP_MAPPED)
		why = "what is mapped can be read";
	/* In any case, where only devices may be read, it is all zeroes or an error. */
	if (fd >= 0 && !(how & MEMLEND_KEEP_MAPPED) &&
	    syscall(__NR_pread64, fd, &byte, 1, lent.at) == 1 && byte)
		bad("what /dev/mem reads", 0, byte);
	close(fd);
	result("/dev/mem does not read it", why, how, &lent);
}

/* /proc/kcore */

static int core;
static struct elf64_hdr core_header;

static bool open_core(void)
{
	core = open("/proc/kcore", O_RDONLY);
	return core >= 0 && read(core, &core_header, sizeof(core_header)) == sizeof(core_header);
}

/* Reads the I-th program header; false if there is none */
static bool segment(int i, struct elf64_phdr *phdr)
{
	if (i >= core_header.e_phnum)
		return false;
	if (syscall(__NR_pread64, core, phdr, sizeof(*phdr),
		    core_header.e_phoff + i * sizeof(*phdr)) != sizeof(*phdr))
		give_up("/proc/kcore");
	return true;
}

/* Reads at a virtual address of the kernel */
static void read_kernel(u64 address, void *to, u64 size)
{
	struct elf64_phdr phdr;
	int i;

	for (i = 0; segment(i, &phdr); i++)
		if (phdr.p_type == PT_LOAD && address >= phdr.p_vaddr &&
		    address - phdr.p_vaddr < phdr.p_memsz) {
			if (syscall(__NR_pread64, core, to, size,
				    phdr.p_offset + address - phdr.p_vaddr) != (long)size)
				give_up("/proc/kcore is short");
			return;
		}
	give_up("an address is not in /proc/kcore");
}

static void walk_kcore(unsigned int how)
{
	struct lent lent = lend(how);
	const char *why = NULL;
	struct elf64_phdr phdr;
	unsigned char byte = 0;
	bool found = false;
	int i;

	if (!open_core())
		why = "no /proc/kcore in this kernel (CONFIG_PROC_KCORE)";
	for (i = 0; !why && segment(i, &phdr); i++) {
		if (phdr.p_type != PT_LOAD || phdr.p_paddr == -1ULL ||
		    lent.at < phdr.p_paddr || lent.at - phdr.p_paddr >= phdr.p_memsz)
			continue;
		found = true;
		if (syscall(__NR_pread64, core, &byte, 1,
			    phdr.p_offset + lent.at - phdr.p_paddr) == 1 && byte)
			bad("what /proc/kcore reads", 0, byte);
	}
	if (!why && !found)
		bad("segments with it", 1, 0);
	close(core);
	result("/proc/kcore does not read it", why, how, &lent);
}

/* What tells tools for dumps about the kernel: KEY=VALUE lines */
static char vmcoreinfo[16384];

static bool read_vmcoreinfo(void)
{
	static char notes[32768];
	struct elf64_phdr phdr;
	struct elf64_note *note;
	long size, at;
	int i;

	for (i = 0; segment(i, &phdr); i++)
		if (phdr.p_type == PT_NOTE)
			break;
	size = syscall(__NR_pread64, core, notes, sizeof(notes), phdr.p_offset);
	for (at = 0; at + (long)sizeof(*note) < size;
	     at += sizeof(*note) + (note->n_namesz + 3) / 4 * 4 + (note->n_descsz + 3) / 4 * 4) {
		note = (void *)(notes + at);
		if (strcmp((char *)(note + 1), "VMCOREINFO") ||
		    note->n_descsz >= sizeof(vmcoreinfo))
			continue;
		memcpy(vmcoreinfo, (char *)(note + 1) + (note->n_namesz + 3) / 4 * 4,
		       note->n_descsz);
		return true;
	}
	return false;
}

static u64 info(const char *key, int base)
{
	const char *line;

	for (line = vmcoreinfo; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == '=') {
			line += strlen(key) + 1;
			return base == 16 ? strtoull(line, NULL, 16) : (u64)strtoll(line, NULL, 10);
		}
	}
	give_up(key);
	return 0;
}

/* The struct page of @pfn, found as makedumpfile does: through mem_section */
static u64 struct_page(u64 pfn)
{
	const u64 section = pfn * page >> info("NUMBER(SECTION_SIZE_BITS)", 10);
	const u64 section_size = info("SIZE(mem_section)", 10);
	const u64 per_root = page / section_size;
	u64 root, map;

	read_kernel(info("SYMBOL(mem_section)", 16) + section / per_root * 8, &root, 8);
	read_kernel(root + section % per_root * section_size +
		    info("OFFSET(mem_section.section_mem_map)", 10), &map, 8);
	/* The low bits are flags, the rest is where the memmap would be of page 0. */
	return (map & ~0xfffULL) + pfn * info("SIZE(page)", 10);
}

static void walk_dump(unsigned int how)
{
	struct lent lent = lend(how);
	const char *why = NULL;
	unsigned int type;
	u64 offset, i;

	if (!open_core() || !read_vmcoreinfo()) {
		why = "no VMCOREINFO in /proc/kcore of this kernel (CONFIG_PROC_KCORE)";
	} else {
		offset = info("OFFSET(page._mapcount)", 10);
		for (i = 0; i < unit / page; i++) {
			read_kernel(struct_page(lent.at / page + i) + offset, &type, sizeof(type));
			equal("what makedumpfile looks at",
			      (unsigned int)info("NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)", 10), type);
			/* A sample of what is large */
			if (i > 512)
				i += 63;
		}
	}
	close(core);
	result("makedumpfile takes it for offline", why, how, &lent);
}

/* Lent memory would be lost. */
static void no_hibernation(unsigned int how)
{
	const char *what = how & MEMLEND_FREE_MEMMAP ?
		"no hibernation while it is lent, without memmap" :
		"no hibernation while it is lent";
	const u64 before = carved();
	struct lent lent = lend(how);
	const int early = open("/dev/snapshot", O_RDONLY), error = errno;
	int fd;

	munmap(lent.p, unit);
	close(lent.fd);
	all_returned("when it was closed", before);
	if (early < 0 && error == ENOENT) {
		pass_over(what, "no /dev/snapshot in this kernel (CONFIG_HIBERNATION)");
		return;
	}
	equal("opening /dev/snapshot", -1, early);
	equal("the error", EBUSY, error);
	close(early);

	fd = open("/dev/snapshot", O_RDONLY);
	equal("opening it when nothing is lent", 1, fd >= 0);
	equal("borrowing meanwhile", -1, borrow_as(unit, MEMLEND_ANY_NODE, how));
	equal("the error", EBUSY, errno);
	close(fd);
	close(borrow(unit));
	all_returned("after hibernation", before);
	done(what);
}

/*
 * An image of all memory is made, as if to hibernate, and thrown away. There is memory that
 * may be lost, that of the module mem_carve_pattern, full of its pattern.
 */
static void walk_hibernation(void)
{
	static const char what[] = "hibernation does not save what is out of the kernel";
	int fd, made = 0;
	unsigned char *buffer;
	u64 pages = 0;

	fd = open("/dev/snapshot", O_RDONLY);
	if (fd < 0 && errno == ENOENT) {
		pass_over(what, "no /dev/snapshot in this kernel (CONFIG_HIBERNATION)");
		return;
	}
	if (!there("/sys/module/mem_carve_pattern")) {
		close(fd);
		pass_over(what, "no module mem_carve_pattern (CONFIG_MEM_CARVE_PATTERN)");
		return;
	}
	if (fd < 0 || ioctl(fd, SNAPSHOT_FREEZE, 0)) {
		bad("freezing", 0, errno);
	} else {
		if (ioctl(fd, SNAPSHOT_CREATE_IMAGE, &made)) {
			bad("making an image", 0, errno);
		} else {
			equal("an image was made", 1, made);
			buffer = mmap(NULL, page, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			while (buffer != MAP_FAILED && read(fd, buffer, page) == page) {
				pages++;
				if (other_than(buffer, page, PATTERN) == -1)
					bad("page of the image", -1, pages - 1);
			}
			if (!pages)
				bad("pages of the image", 1, 0);
		}
		if (ioctl(fd, SNAPSHOT_UNFREEZE, 0))
			bad("going on", 0, errno);
		printf("# an image of %llu pages\n", pages);
	}
	close(fd);
	done(what);
}

static void walks(unsigned int how)
{
	walk_kpageflags(how);
	walk_devmem(how);
	walk_kcore(how);
	walk_dump(how);
	no_hibernation(how);
}

int main(void)
{
	const u64 before = (begin(), carved());

	plan(7 + (free_memmap ? 5 : 1));
	walks(flags);
	if (can_free_memmap("all that without memmap"))
		walks(flags | free_memmap);
	walk_hibernation();
	all_returned("afterwards", before);
	done("all is returned");
	return !!failed;
}
