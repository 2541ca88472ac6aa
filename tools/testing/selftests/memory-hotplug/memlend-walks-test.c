// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who walks physical memory leaves alone what /dev/memlend has lent: /proc/kpageflags,
 * /dev/mem, /proc/kcore, dumps and hibernation. Each is tried with and without the memmap
 * of the memory.
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

/* Where the memory is that was borrowed last: 0 if that is not to be found out */
static u64 physical(void)
{
	static char text[16384];
	char *line = NULL, *p;
	u64 address = 0;

	if (read_file("/sys/kernel/debug/memory_hotplug/carveouts", text, sizeof(text)) < 0)
		return 0;
	for (p = text; *p; p++)
		if (p == text || p[-1] == '\n')
			line = p;
	if (!line || strncmp(line, "0x", 2))
		return 0;
	for (p = line + 2; *p != '-'; p++)
		address = address * 16 + (*p <= '9' ? *p - '0' : *p - 'a' + 10);
	return address;
}

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

static void walk_devmem(unsigned int how)
{
	struct lent lent = lend(how);
	int fd = open("/dev/mem", O_RDONLY);
	const char *why = NULL;
	unsigned char byte = 0;

	if (fd < 0)
		why = "no /dev/mem in this kernel (CONFIG_DEVMEM)";
	/* Where only devices may be read, it is all zeroes or an error. */
	else if (syscall(__NR_pread64, fd, &byte, 1, lent.at) == 1 && byte)
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

/* An image of all memory is made, as if to hibernate, and thrown away. */
static void walk_hibernation(unsigned int how)
{
	struct lent lent = lend(how);
	const char *why = NULL;
	int fd = open("/dev/snapshot", O_RDONLY), made = 0;
	unsigned char *buffer = NULL;
	u64 pages = 0;

	if (fd < 0) {
		why = "no /dev/snapshot in this kernel (CONFIG_HIBERNATION)";
	} else if (ioctl(fd, SNAPSHOT_FREEZE, 0)) {
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
					bad("page of the image that was lent", -1, pages - 1);
			}
			if (!pages)
				bad("pages of the image", 1, 0);
		}
		if (ioctl(fd, SNAPSHOT_UNFREEZE, 0))
			bad("going on", 0, errno);
		printf("# an image of %llu pages\n", pages);
	}
	close(fd);
	result("hibernation does not save it", why, how, &lent);
}

static void walks(unsigned int how)
{
	walk_kpageflags(how);
	walk_devmem(how);
	walk_kcore(how);
	walk_dump(how);
	walk_hibernation(how);
}

int main(void)
{
	const u64 before = (begin(), carved());

	plan(free_memmap ? 11 : 6);
	walks(flags);
	if (free_memmap)
		walks(flags | free_memmap);
	all_returned("afterwards", before);
	done("all is returned");
	return !!failed;
}
