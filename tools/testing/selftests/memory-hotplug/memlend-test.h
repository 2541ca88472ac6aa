/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of /dev/memlend share: results in KTAP, files, borrowing.
 *
 * Builds with any libc, and with tools/include/nolibc.
 */
#ifndef NOLIBC
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#else
#include <stdbool.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/stat.h>
#endif
#include <asm/unistd.h>
#include <linux/limits.h>
#include <linux/memlend.h>

typedef unsigned long long u64;

#define SYS	"/sys/module/memlend/parameters/"

static int device;
static u64 unit;	/* smallest size that can be had */
static unsigned int flags;	/* without which none can be had */
static unsigned int free_memmap;	/* MEMLEND_FREE_MEMMAP where that can be */
static long page;

/* Results, in the Test Anything Protocol of the kernel */

static int test, faults, failed;

static inline void bad(const char *what, long long expected, long long actual)
{
	printf("# %s: expected %lld, got %lld\n", what, expected, actual);
	faults++;
}

static inline void equal(const char *what, long long expected, long long actual)
{
	if (expected != actual)
		bad(what, expected, actual);
}

static inline void done(const char *what)
{
	printf("%sok %d %s\n", faults ? "not " : "", ++test, what);
	failed += !!faults;
	faults = 0;
}

static inline void pass_over(const char *what, const char *why)
{
	printf("ok %d %s: %s # SKIP\n", ++test, what, why);
	faults = 0;
}

static inline void give_up(const char *why)
{
	printf("Bail out! %s, errno %d\n", why, errno);
	exit(1);
}

static inline void skip_all(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	exit(4);
}

/* Files */

static inline long read_file(const char *path, char *text, long size)
{
	long n, got = 0;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return -1;
	while (got < size - 1) {
		n = read(fd, text + got, size - 1 - got);
		if (n <= 0)
			break;
		got += n;
	}
	close(fd);
	text[got] = 0;
	return got;
}

static inline bool there(const char *path)
{
	const int fd = open(path, O_RDONLY);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static inline u64 number_in(const char *text)
{
	u64 n = 0;

	while (*text >= '0' && *text <= '9')
		n = n * 10 + (*text++ - '0');
	return n;
}

static inline u64 get(const char *path)
{
	char text[64];

	if (read_file(path, text, sizeof(text)) < 0)
		give_up(path);
	return number_in(text);
}

static inline void set(const char *path, u64 value)
{
	char text[32];
	int n = 0, fd = open(path, O_WRONLY);
	u64 rest = value, power = 1;

	while (rest /= 10)
		power *= 10;
	for (; power; power /= 10)
		text[n++] = '0' + value / power % 10;
	if (fd < 0 || write(fd, text, n) != n)
		give_up(path);
	close(fd);
}

static inline u64 vmstat(const char *name)
{
	static char text[32768];
	char *line;

	if (read_file("/proc/vmstat", text, sizeof(text)) < 0)
		give_up("/proc/vmstat");
	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ' ')
			return number_in(line + strlen(name) + 1);
	}
	give_up(name);
	return 0;
}

static inline u64 carved(void)
{
	return vmstat("nr_carved_pages") * page;
}

/* A descriptor may go a moment after close(), and a process after it was waited for. */
static inline void all_returned(const char *when, u64 before)
{
	int i;

	for (i = 0; i < 100 && carved() != before; i++)
		usleep(50000);
	equal(when, before, carved());
}

/* Borrowing */

static inline int borrow_as(u64 size, int node, unsigned int how)
{
	struct memlend_alloc want = { .size = size, .node = node, .flags = how };

	return ioctl(device, MEMLEND_ALLOC, &want);
}

static inline int try_borrow(u64 size)
{
	return borrow_as(size, MEMLEND_ANY_NODE, flags);
}

static inline int borrow(u64 size)
{
	int fd = try_borrow(size);

	if (fd < 0)
		give_up("nothing can be borrowed");
	return fd;
}

static inline unsigned char *map(int fd, u64 size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		give_up("no mapping");
	return p;
}

/* First byte that is not @value, or -1 */
static inline long long other_than(const unsigned char *p, u64 size, unsigned char value)
{
	const unsigned long all = value * (~0UL / 255);
	u64 i;

	for (i = 0; i < size; i += sizeof(all))
		if (*(unsigned long *)(p + i) != all)
			return i;
	return -1;
}

static inline void fill(unsigned char *p, u64 size, unsigned char value)
{
	memset(p, value, size);
}

/* run() - how a child ended: its exit status, or minus the signal that killed it */
static inline int ended(int pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		give_up("cannot wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline int child(void)
{
	int pid = fork();

	if (pid < 0)
		give_up("cannot fork");
	return pid;
}

/* touching() - how it ends if a child reads a byte */
static inline int touching(const volatile unsigned char *p)
{
	int pid = child();

	if (!pid) {
		(void)*p;
		exit(0);
	}
	return ended(pid);
}

static inline void find_unit(void)
{
	int fd;

	unit = get(SYS "unit");
	fd = try_borrow(unit);
	if (fd < 0 && errno == EOPNOTSUPP) {
		flags = MEMLEND_KEEP_MAPPED;
		fd = try_borrow(unit);
	}
	if (fd < 0)
		give_up("nothing can be borrowed");
	close(fd);

	fd = borrow_as(unit, MEMLEND_ANY_NODE, flags | MEMLEND_FREE_MEMMAP);
	if (fd < 0 && errno == EOPNOTSUPP)
		return;
	if (fd < 0)
		give_up("nothing can be borrowed without memmap");
	free_memmap = MEMLEND_FREE_MEMMAP;
	close(fd);
}

/* Where the memory is that was borrowed last: 0 if that is not to be found out */
static inline u64 physical(void)
{
	static char text[65536];
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

/* begin() - find out what can be had; ends the test where nothing can */
static inline void begin(void)
{
	u64 before;

	printf("TAP version 13\n");
	device = open("/dev/memlend", O_RDWR | O_CLOEXEC);
	if (device < 0)
		skip_all("no /dev/memlend in this kernel (CONFIG_MEMLEND), or not root");
#ifdef NOLIBC
	page = getpagesize();
#else
	page = sysconf(_SC_PAGESIZE);
#endif
	before = carved();
	find_unit();
	all_returned("what the first one leaves behind", before);
}

static inline bool can_free_memmap(const char *what)
{
	if (!free_memmap)
		pass_over(what, "memmaps cannot be given back here");
	return free_memmap;
}

/* page_frame() - the number of the page that is mapped there, 0 if it is not told */
static inline u64 page_frame(const volatile void *p)
{
	const int fd = open("/proc/self/pagemap", O_RDONLY);
	u64 entry = 0;

	if (fd < 0 || syscall(__NR_pread64, fd, &entry, 8, (unsigned long)p / page * 8) != 8)
		give_up("/proc/self/pagemap");
	close(fd);
	return entry & ((1ULL << 55) - 1);
}

static inline void plan(int tests)
{
	printf("1..%d\n", tests);
	printf("# unit %llu KiB, flags %u\n", unit >> 10, flags | free_memmap);
}
