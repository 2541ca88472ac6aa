// SPDX-License-Identifier: GPL-2.0-only
/*
 * What /dev/memlend promises to user space, see Documentation/admin-guide/mm/memlend.rst.
 *
 * memlend-test		each promise once
 * memlend-test SECONDS	borrows and returns at random for so long, while others fill and
 *			free memory
 *
 * Builds with any libc, and with tools/include/nolibc.
 */
#include "memlend-test.h"

#include <linux/uio.h>

#define NOBODY	65534

/* refused() - an ioctl that must fail, and leave nothing behind */
static void refused(const char *what, int error, struct memlend_alloc *want)
{
	int fd = ioctl(device, MEMLEND_ALLOC, want);

	if (fd >= 0) {
		bad(what, -error, fd);
		close(fd);
	} else {
		equal(what, error, errno);
	}
}

static void arguments(void)
{
	const struct memlend_alloc good = {
		.size = unit, .node = MEMLEND_ANY_NODE, .flags = flags,
	};
	const u64 before = carved();
	struct memlend_alloc want;
	int bit;

	for (bit = 2; bit < 32; bit++) {
		want = good;
		want.flags |= 1U << bit;
		refused("flags with an unknown bit", EINVAL, &want);
	}
	for (bit = 0; bit < 128; bit++) {
		want = good;
		want.reserved[bit / 64] = 1ULL << bit % 64;
		refused("a reserved bit", EINVAL, &want);
	}
	for (bit = 1; bit < 32; bit++) {
		want = good;
		want.node = -1 - (1LL << (bit - 1));
		refused("a node below -1", EINVAL, &want);
	}
	for (bit = 12; bit < 31; bit++) {
		want = good;
		want.node = 1 << bit;
		refused("a node that cannot be", ENODEV, &want);
	}
	for (bit = 0; 1ULL << bit < unit; bit++) {
		int fd;

		want = good;
		want.size |= 1ULL << bit;
		fd = ioctl(device, MEMLEND_ALLOC, &want);
		equal("a size that is no multiple of the unit", -1, fd);
		if (errno != EOPNOTSUPP)
			equal("its error", EINVAL, errno);
		close(fd);
	}
	for (bit = 44; bit < 63; bit++) {
		want = good;
		want.size = 1ULL << bit;
		refused("a size beyond the limit", EDQUOT, &want);
	}
	want = good;
	want.size = 1ULL << 63;
	refused("a size that no file has", EINVAL, &want);
	want.size = 0;
	refused("nothing", EINVAL, &want);

	refused("an argument that cannot be read", EFAULT, (void *)-4096L);
	refused("no argument", EFAULT, NULL);
	want = good;
	for (bit = 0; bit < 32; bit++) {
		errno = 0;
		equal("another request", -1,
		      ioctl(device, MEMLEND_ALLOC ^ (1UL << bit), &want));
		equal("error of another request", ENOTTY, errno);
	}
	equal("lent afterwards", 0, get(SYS "lent_mib"));
	equal("carved out afterwards", before, carved());
	done("bad arguments: a clear errno, and nothing lent");
}

static void privilege(void)
{
	int pid = child();

	if (!pid) {
		if (syscall(__NR_setresuid, NOBODY, NOBODY, NOBODY))
			exit(2);
		exit(try_borrow(unit) < 0 && errno == EPERM ? 0 : 1);
	}
	equal("borrowing without CAP_SYS_ADMIN", 0, ended(pid));
	done("only who has CAP_SYS_ADMIN borrows");
}

static u64 size_of(int fd, unsigned int *mode)
{
	struct statx st = {};

	if (syscall(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_SIZE | STATX_TYPE, &st))
		give_up("cannot stat");
	*mode = st.stx_mode;
	return st.stx_size;
}

static void the_file(void)
{
	const u64 size = 2 * unit, before = carved();
	unsigned int mode;
	int fd = borrow(size);
	char byte = 1;

	equal("size", size, size_of(fd, &mode));
	equal("a regular file", S_IFREG, mode & S_IFMT);
	equal("carved out", before + size, carved());
	equal("lent", size >> 20, get(SYS "lent_mib"));
	equal("close on exec", FD_CLOEXEC, syscall(__NR_fcntl, fd, F_GETFD, 0));

	equal("growing", -1, syscall(__NR_ftruncate, fd, size + page));
	equal("error of growing", EPERM, errno);
	equal("shrinking", -1, syscall(__NR_ftruncate, fd, size - page));
	equal("error of shrinking", EPERM, errno);
	equal("setting the size it has", 0, syscall(__NR_ftruncate, fd, size));
	equal("fallocate", -1, syscall(__NR_fallocate, fd, 0, 0, size + page));
	equal("write", -1, write(fd, &byte, 1));
	equal("read", -1, read(fd, &byte, 1));
	equal("size afterwards", size, size_of(fd, &mode));
	close(fd);
	all_returned("carved out after close", before);
	equal("lent after close", 0, get(SYS "lent_mib"));
	done("the descriptor is a file of a fixed size");
}

static void refused_map(const char *what, int error, u64 size, int prot, int how, int fd, u64 at)
{
	void *p = mmap(NULL, size, prot, how, fd, at);

	if (p != MAP_FAILED) {
		bad(what, -error, 0);
		munmap(p, size);
	} else {
		equal(what, error, errno);
	}
}

static void mapping(void)
{
	const u64 size = 2 * unit, before = carved();
	int fd = borrow(size), pid;
	unsigned char *p, *q;

	refused_map("private", EINVAL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	refused_map("private, read only", EINVAL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	refused_map("executable", EPERM, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	refused_map("more than there is", EINVAL, size + page, PROT_READ, MAP_SHARED, fd, 0);
	refused_map("behind the end", EINVAL, page, PROT_READ, MAP_SHARED, fd, size);
	refused_map("across the end", EINVAL, 2 * page, PROT_READ, MAP_SHARED, fd, size - page);

	p = map(fd, size);
	equal("first byte that is not zero", -1, other_than(p, size, 0));
	fill(p, size, 0xa5);
	q = mmap(NULL, unit, PROT_READ, MAP_SHARED, fd, unit);
	if (q == MAP_FAILED)
		give_up("cannot map a part");
	equal("the second half, mapped again", -1, other_than(q, unit, 0xa5));
	equal("making that executable", -1,
	      syscall(__NR_mprotect, q, unit, PROT_READ | PROT_EXEC));
	munmap(q, unit);

	close(fd);
	equal("after close, as it is mapped", before + size, carved());
	equal("what was written", -1, other_than(p, size, 0xa5));

	pid = child();
	if (!pid) {
		fill(p, unit, 0x3c);
		exit(other_than(p + unit, unit, 0xa5) == -1 ? 0 : 1);
	}
	equal("a child that reads and writes", 0, ended(pid));
	equal("what the child wrote", -1, other_than(p, unit, 0x3c));
	munmap(p, size);
	all_returned("after munmap", before);
	done("mappings: shared, within the file, not executable, and kept by children");
}

static long minor_faults(void)
{
	long usage[18];		/* struct rusage */

	if (syscall(__NR_getrusage, 0, usage))
		give_up("getrusage");
	return usage[8];
}

/* The size of a huge page in mappings of lent memory, 0 if there are none */
static u64 huge_page(void)
{
#if defined(__x86_64__) || defined(__aarch64__)
	char text[64];

	if (read_file("/sys/kernel/mm/transparent_hugepage/enabled", text, sizeof(text)) > 0 &&
	    strchr(text, '[') && strchr(text, '[')[1] != 'n')
		return get("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size");
#endif
	return 0;
}

static void huge_mapping(void)
{
	static const char what[] = "mappings have huge pages";
	const u64 huge = huge_page(), before = carved();
	const u64 size = unit > 16 << 20 ? unit : 16 << 20;
	unsigned char *p;
	long touched;
	int fd;

	if (!huge || size % huge || size % unit) {
		pass_over(what, "not on this architecture, or without transparent huge pages");
		return;
	}
	fd = borrow(size);
	p = map(fd, size);
	touched = minor_faults();
	fill(p, size, 0x5c);
	touched = minor_faults() - touched;
	printf("# %ld faults for %llu KiB\n", touched, size >> 10);
	if (touched < 1 || touched > (long)(size / huge) + 4)
		bad("faults", size / huge, touched);
	munmap(p, size);
	close(fd);
	all_returned("afterwards", before);
	done(what);
}

/* The kernel has no page to read from or to write to. */
static void no_pages(void)
{
	const u64 before = carved();
	int fd = borrow(unit), self = getpid(), pipe_ends[2], mem;
	unsigned char *p = map(fd, unit), byte = 1;
	struct iovec lent = { .iov_base = p, .iov_len = 1 };
	struct iovec own = { .iov_base = &byte, .iov_len = 1 };

	fill(p, unit, 0x2f);
	if (syscall(__NR_pipe2, pipe_ends, 0))
		give_up("no pipe");
	equal("vmsplice", -1, syscall(__NR_vmsplice, pipe_ends[1], &lent, 1UL, 0));
	equal("error of vmsplice", EFAULT, errno);
	mem = open("/proc/self/mem", O_RDWR);
	if (mem < 0)
		give_up("/proc/self/mem");
	equal("/proc/self/mem", -1, syscall(__NR_pread64, mem, &byte, 1, (unsigned long)p));
	equal("writing there", -1, syscall(__NR_pwrite64, mem, &byte, 1, (unsigned long)p));
	equal("process_vm_readv", -1,
	      syscall(__NR_process_vm_readv, self, &own, 1UL, &lent, 1UL, 0UL));
	if (errno == ENOSYS)
		printf("# no process_vm_readv() in this kernel (CONFIG_CROSS_MEMORY_ATTACH)\n");
	else
		equal("error of process_vm_readv", EFAULT, errno);
	equal("what is in there", -1, other_than(p, unit, 0x2f));
	close(mem);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	munmap(p, unit);
	close(fd);
	all_returned("afterwards", before);
	done("ptrace, vmsplice and the like have no pages of it");
}

static void passing_on(void)
{
	const u64 before = carved();
	int fd = borrow(unit), pid;
	unsigned char *p = map(fd, unit), *q;

	fill(p, unit, 0x13);
	munmap(p, unit);
	pid = child();
	if (!pid) {
		if (syscall(__NR_setresuid, NOBODY, NOBODY, NOBODY))
			exit(2);
		q = map(fd, unit);
		if (other_than(q, unit, 0x13) != -1)
			exit(4);
		fill(q, unit, 0x31);
		exit(0);
	}
	equal("somebody else who has it", 0, ended(pid));
	p = map(fd, unit);
	equal("what he wrote", -1, other_than(p, unit, 0x31));
	munmap(p, unit);
	close(fd);
	all_returned("afterwards", before);
	done("who gets the descriptor needs no privilege");
}

/* "/proc/self/fd/@fd" */
static const char *path_of(int fd)
{
	static char path[32] = "/proc/self/fd/";
	int n = strlen("/proc/self/fd/");

	if (fd >= 100)
		path[n++] = '0' + fd / 100;
	if (fd >= 10)
		path[n++] = '0' + fd / 10 % 10;
	path[n++] = '0' + fd % 10;
	path[n] = 0;
	return path;
}

/* How it ends if somebody else opens it by path */
static int opened_by_nobody(int fd)
{
	const int pid = child();

	if (!pid) {
		if (syscall(__NR_setresuid, NOBODY, NOBODY, NOBODY))
			exit(255);
		exit(open(path_of(fd), O_RDWR) < 0 ? errno : 0);
	}
	return ended(pid);
}

static void by_path(void)
{
	const u64 before = carved();
	int fd = borrow(unit), other, ro;
	unsigned char *p = map(fd, unit), *q;
	const char *path = path_of(fd);

	equal("somebody else", EACCES, opened_by_nobody(fd));
	equal("fchown", 0, syscall(__NR_fchown, fd, NOBODY, NOBODY));
	equal("whose it is now", 0, opened_by_nobody(fd));

	other = open(path, O_RDWR);
	ro = open(path, O_RDONLY);
	if (other < 0 || ro < 0)
		give_up("cannot open by path");
	equal("opening with O_TRUNC", -1, open(path, O_RDWR | O_TRUNC));
	fill(p, unit, 0x77);
	close(fd);
	munmap(p, unit);
	q = map(other, unit);
	equal("by path", -1, other_than(q, unit, 0x77));
	refused_map("writable, of a read-only file", EACCES, unit, PROT_WRITE, MAP_SHARED, ro, 0);
	munmap(q, unit);
	q = mmap(NULL, unit, PROT_READ, MAP_SHARED, ro, 0);
	equal("read only", -1, q == MAP_FAILED ? 0 : other_than(q, unit, 0x77));
	munmap(q, unit);
	close(other);
	close(ro);
	all_returned("when all are closed", before);
	done("/proc/self/fd/N can be opened, by its owner");
}

static void remapping(void)
{
	const u64 size = 4 * unit, before = carved();
	int fd = borrow(size);
	unsigned char *p = map(fd, size), *q;
	long r;

	fill(p, size, 0x11);
	r = syscall(__NR_mremap, p, size, size + page, MREMAP_MAYMOVE);
	equal("growing", -1, r);
	equal("error of growing", EFAULT, errno);

	munmap(p + unit, unit);
	equal("reading what was unmapped", -SIGSEGV, touching(p + unit));
	equal("before it", -1, other_than(p, unit, 0x11));
	equal("behind it", -1, other_than(p + 2 * unit, 2 * unit, 0x11));
	munmap(p + 2 * unit + page, page);
	equal("reading an unmapped page", -SIGSEGV, touching(p + 2 * unit + page));
	equal("before that", -1, other_than(p + 2 * unit, page, 0x11));

	q = mmap(NULL, unit, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	r = syscall(__NR_mremap, p, unit, unit, MREMAP_MAYMOVE | MREMAP_FIXED, q);
	equal("moving", (long)q, r);
	equal("what was moved", -1, other_than(q, unit, 0x11));
	equal("reading where it was", -SIGSEGV, touching(p));
	r = syscall(__NR_mremap, q, unit, page, 0);
	equal("shrinking", (long)q, r);
	equal("what was not cut off", -1, other_than(q, page, 0x11));

	munmap(q, page);
	munmap(p, size);
	close(fd);
	all_returned("afterwards", before);
	done("mremap and partial munmap");
}

static void contents(void)
{
	const u64 before = carved(), most = unit > 64 << 20 ? 4 * unit : 16 * unit;
	unsigned char *p;
	u64 size;
	int i, fd;

	for (i = 0; i < 8; i++) {
		/* What others had, and the kernel did not clear when it was freed */
		p = mmap(NULL, most, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			give_up("no memory");
		fill(p, most, 0xee);
		munmap(p, most);

		size = unit * (1 + i % 4);
		fd = borrow(size);
		p = map(fd, size);
		equal("first byte that is not zero", -1, other_than(p, size, 0));
		fill(p, size, 0xdd);
		munmap(p, size);
		close(fd);
		all_returned("when it was closed", before);
	}
	done("nobody's contents are seen by who borrows");
}

static void two_users(void)
{
	const u64 before = carved();
	int a = borrow(2 * unit), b = borrow(unit), pid;
	unsigned char *p = map(a, 2 * unit), *q = map(b, unit);

	fill(p, 2 * unit, 0x21);
	fill(q, unit, 0x42);
	pid = child();
	if (!pid) {
		int c = try_borrow(unit);
		unsigned char *r;

		if (c < 0)
			exit(2);
		r = map(c, unit);
		if (other_than(r, unit, 0) != -1)
			exit(3);
		fill(r, unit, 0x84);
		exit(other_than(r, unit, 0x84) == -1 ? 0 : 4);
	}
	equal("another process", 0, ended(pid));
	equal("the one", -1, other_than(p, 2 * unit, 0x21));
	equal("the other", -1, other_than(q, unit, 0x42));
	munmap(p, 2 * unit);
	close(a);
	all_returned("when one is closed", before + unit);
	equal("the other", -1, other_than(q, unit, 0x42));
	munmap(q, unit);
	close(b);
	all_returned("when both are closed", before);
	done("several users do not meet");
}

static void limit(void)
{
	const u64 before = get(SYS "limit_mib");
	int a, b;

	set(SYS "limit_mib", 2 * unit >> 20);
	a = borrow(unit);
	b = borrow(unit);
	equal("beyond the limit", -1, try_borrow(unit));
	equal("error beyond the limit", EDQUOT, errno);
	set(SYS "limit_mib", 1);
	equal("what is lent when there is less", 2 * unit >> 20, get(SYS "lent_mib"));
	close(a);
	set(SYS "limit_mib", 2 * unit >> 20);
	a = try_borrow(unit);
	equal("when there is room again", 1, a >= 0);
	close(a);
	close(b);
	set(SYS "limit_mib", before);
	done("there is a limit");
}

static long long memmap_pages(void)
{
	return vmstat("nr_memmap_pages") + vmstat("nr_memmap_boot_pages");
}

static void memmap(void)
{
	static const char what[] = "the memmap is free meanwhile, if that is asked for";
	const u64 before = carved(), size = 4 * unit;
	const long long memmap_before = memmap_pages();
	int fd = borrow_as(size, MEMLEND_ANY_NODE, flags | MEMLEND_FREE_MEMMAP), pid;
	long long given_back;
	unsigned char *p;

	if (fd < 0 && errno == EOPNOTSUPP) {
		equal("carved out when refused", before, carved());
		pass_over(what, "this kernel cannot");
		return;
	}
	if (fd < 0)
		give_up("cannot borrow without memmap");

	/* At least 32 bytes a page, but for one page of all */
	given_back = memmap_before - memmap_pages();
	printf("# %lld pages of memmap for %llu KiB\n", given_back, size >> 10);
	if (given_back < (long long)(size / page * 32 / page) - 1)
		bad("pages of memmap", size / page * 32 / page - 1, given_back);

	p = map(fd, size);
	equal("first byte that is not zero", -1, other_than(p, size, 0));
	fill(p, size, 0x6b);
	pid = child();
	if (!pid)
		exit(other_than(p, size, 0x6b) == -1 ? 0 : 1);
	equal("a child that reads", 0, ended(pid));
	munmap(p, size);
	close(fd);
	all_returned("afterwards", before);
	equal("pages of memmap afterwards", memmap_before, memmap_pages());
	done(what);
}

static unsigned long long seed;

static unsigned int below(unsigned int n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 16) % n;
}

static void borrow_for_ever(unsigned int *times)
{
	for (;;) {
		const u64 size = unit * (1 + below(3));
		int fd = borrow_as(size, MEMLEND_ANY_NODE, flags | (below(2) ? free_memmap : 0));
		unsigned char *p;

		if (fd < 0)
			continue;
		++*times;
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (p == MAP_FAILED)
			exit(1);
		if (below(2))
			close(fd);
		else
			fd = -1;
		if (other_than(p, size, 0) != -1)
			exit(2);
		fill(p, size, 0x5a);
		if (below(2))
			munmap(p + below(size / page) * page, page);
		munmap(p, size);
		if (fd < 0)
			syscall(__NR_close_range, device + 1, ~0U, 0);
	}
}

/* How long it is until somebody else counts on, up to a minute */
static int ms_until(const unsigned int *times, unsigned int from)
{
	int ms = 0;

	while (__atomic_load_n(times, __ATOMIC_RELAXED) == from && ms < 60000) {
		usleep(10000);
		ms += 10;
	}
	return ms;
}

static void killed(void)
{
	const u64 before = carved();
	unsigned int *times = mmap(NULL, page, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* Large units take their time. */
	const int children = unit >= 128 << 20 ? 15 : 40;
	int i, pid, how, ms, most = 0;

	if (times == MAP_FAILED)
		give_up("no memory");
	for (i = 0; i < children; i++) {
		const unsigned int from = *times;

		seed += i;
		pid = child();
		if (!pid)
			borrow_for_ever(times);
		/* What borrowing takes: one of the first may have had to wait. */
		if (i < 4) {
			ms = 120 + 2 * ms_until(times, from);
			if (!most || ms < most)
				most = ms;
		}
		usleep(1000 * below(most));
		kill(pid, SIGKILL);
		how = ended(pid);
		equal("who is killed", -SIGKILL, how);
	}
	all_returned("after all were killed", before);
	printf("# they had borrowed %u times, killed after up to %d ms\n", *times, most);
	if (!*times)
		bad("times that they had borrowed", 1, 0);
	munmap(times, page);
	equal("lent after all were killed", 0, get(SYS "lent_mib"));
	done("who is killed at any moment returns it all");
}

/* Fills and frees what others might want. */
static void load(u64 bytes)
{
	for (;;) {
		unsigned char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		u64 i;

		if (p == MAP_FAILED)
			exit(1);
		for (i = 0; i < bytes; i += page)
			p[i] = 0xee;
		/* Holes, so that it does not come back in one piece */
		for (i = 0; i < bytes; i += 3 * page)
			munmap(p + i, page);
		usleep(100000);
		munmap(p, bytes);
	}
}

static u64 free_memory(void)
{
	return vmstat("nr_free_pages") * page;
}

/* The highest node that has memory for the kernel */
static int last_node(void)
{
	char text[256];
	const char *p;
	int last = 0;

	if (read_file("/sys/devices/system/node/has_normal_memory", text, sizeof(text)) < 0)
		return 0;
	for (p = text; *p; p++)
		if (*p >= '0' && *p <= '9' && (p == text || p[-1] < '0' || p[-1] > '9'))
			last = number_in(p);
	return last;
}

#define HELD 8

static void at_random(unsigned int seconds)
{
	const u64 before = carved();
	const int nodes = last_node() + 1;
	struct { int fd; u64 size; unsigned char *p, value; } held[HELD] = {}, *h;
	time_t end = time(NULL) + seconds;
	unsigned int tries = 0, none = 0, most, i;
	int loader = child();

	if (!loader)
		load(free_memory() / 2);

	/* Units in each, so that all are half of what may be lent */
	most = (get(SYS "limit_mib") << 20) / 2 / HELD / unit;
	if (most > 8)
		most = 8;
	else if (!most)
		most = 1;
	while (time(NULL) < end && !faults) {
		h = &held[below(HELD)];
		if (h->p) {
			equal("what was written before", -1, other_than(h->p, h->size, h->value));
			munmap(h->p, h->size);
			close(h->fd);
			h->p = NULL;
			continue;
		}
		tries++;
		h->size = unit * (1 + below(most));
		h->fd = borrow_as(h->size, (int)below(nodes + 1) - 1,
				  flags | (below(2) ? free_memmap : 0));
		if (h->fd < 0) {
			/* The numbers of nodes may have gaps; others look at pages. */
			if (errno != ENOMEM && (errno != ENODEV || nodes == 1) &&
			    (errno != EBUSY || !free_memmap))
				bad("error of borrowing", ENOMEM, errno);
			none++;
			continue;
		}
		h->p = map(h->fd, h->size);
		equal("first byte that is not zero", -1, other_than(h->p, h->size, 0));
		h->value = 1 + below(255);
		fill(h->p, h->size, h->value);
	}
	for (i = 0; i < HELD; i++) {
		if (!held[i].p)
			continue;
		munmap(held[i].p, held[i].size);
		close(held[i].fd);
	}
	kill(loader, SIGKILL);
	equal("the load", -SIGKILL, ended(loader));
	all_returned("afterwards", before);
	printf("# %u tries on %d nodes in %u s, %u found no memory\n", tries, nodes, seconds,
	       none);
	if (none > tries / 2)
		bad("tries that found no memory at most", tries / 2, none);
	done("borrowed and returned at random under load");
}

/* The last one: there is no /dev/memlend afterwards. */
static void module(void)
{
	static const char what[] = "the module stays as long as there is a descriptor or a mapping";
	const u64 before = carved();
	int a = borrow(unit), b = borrow(unit);
	unsigned char *p = map(b, unit);

	close(device);
	equal("removing it with two descriptors", -1,
	      syscall(__NR_delete_module, "memlend", O_NONBLOCK));
	if (errno == ENOENT) {
		pass_over(what, "it is no module here");
		return;
	}
	equal("error with two descriptors", EWOULDBLOCK, errno);
	close(a);
	close(b);
	all_returned("with a mapping", before + unit);
	equal("removing it with a mapping", -1,
	      syscall(__NR_delete_module, "memlend", O_NONBLOCK));
	equal("error with a mapping", EWOULDBLOCK, errno);
	munmap(p, unit);
	all_returned("without", before);
	/* The file system of the last file goes a moment after it. */
	usleep(500000);
	equal("removing it afterwards", 0, syscall(__NR_delete_module, "memlend", O_NONBLOCK));
	done(what);
}

int main(int argc, char **argv)
{
	begin();
	plan(argc > 1 ? 1 : 16);
	seed = time(NULL) * 2654435761ULL + 1;
	printf("# seed %llu\n", seed);

	if (argc > 1) {
		at_random(number_in(argv[1]));
	} else {
		arguments();
		privilege();
		the_file();
		mapping();
		huge_mapping();
		no_pages();
		passing_on();
		by_path();
		remapping();
		contents();
		two_users();
		limit();
		memmap();
		killed();
		at_random(10);
		module();
	}
	return !!failed;
}
