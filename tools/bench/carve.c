// SPDX-License-Identifier: GPL-2.0-only
/*
 * carve: what a GiB costs that is taken out of the kernel, and returned
 *
 * carve gigantic|lent|bare ROUNDS	takes a GiB so often, as a gigantic page of hugetlb,
 *					from /dev/memlend, or from there without memmap;
 *					prints how often it got one, and the microseconds
 *					for each in the mean
 * carve kept lent|bare			KiB that the kernel has less for its own use while
 *					a GiB is out, memmap included
 * carve fragment			leaves nothing but single free pages, until killed;
 *					prints "ready"
 *
 * What is taken is zeroed in each case: gigantic pages when they are touched.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/memlend.h>

#define GIB (1UL << 30)
#define HUGETLB "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages"
#define MAP_1GIB (30 << 26)

static int device;

static unsigned long microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000UL + now.tv_nsec / 1000;
}

static void set(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}

static char first_byte(const char *path)
{
	int fd = open(path, O_RDONLY);
	char byte;

	if (fd < 0 || read(fd, &byte, 1) != 1)
		err(1, "%s", path);
	close(fd);
	return byte;
}

/* borrow() - a descriptor, or -1 */
static int borrow(const char *how)
{
	struct memlend_alloc want = {
		.size = GIB,
		.flags = strcmp(how, "bare") ? 0 : MEMLEND_FREE_MEMMAP,
	};

	return ioctl(device, MEMLEND_ALLOC, &want);
}

/* hugepage() - a mapping, or MAP_FAILED */
static void *hugepage(void)
{
	char *p = MAP_FAILED;

	set(HUGETLB, "1");
	if (first_byte(HUGETLB) == '1')
		p = mmap(NULL, GIB, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB | MAP_1GIB, -1, 0);
	if (p != MAP_FAILED)
		*(volatile char *)p = 0;
	return p;
}

static void take_and_return(const char *how, int rounds)
{
	unsigned long begin, taken, take = 0, back = 0;
	int i, fd, got = 0;
	bool page = !strcmp(how, "gigantic"), have;
	void *p = NULL;

	for (i = 0; i < rounds; i++) {
		begin = microseconds();
		if (page) {
			p = hugepage();
			have = p != MAP_FAILED;
		} else {
			fd = borrow(how);
			have = fd >= 0;
		}
		taken = microseconds();
		if (page && have)
			munmap(p, GIB);
		if (page)
			set(HUGETLB, "0");
		else if (have)
			close(fd);
		if (!have)
			continue;
		got++;
		take += taken - begin;
		back += microseconds() - taken;
	}
	printf("got %d\n", got);
	printf("take %lu\n", got ? take / got : 0);
	printf("return %lu\n", got ? back / got : 0);
}

/* Free memory in KiB, with what is on the lists of CPUs */
static long free_memory(void)
{
	char line[256], name[64];
	long value, sum = 0;
	FILE *zones;

	sync();
	set("/proc/sys/vm/drop_caches", "3");
	set("/proc/sys/vm/stat_refresh", "1");
	zones = fopen("/proc/zoneinfo", "r");
	if (!zones)
		err(1, "/proc/zoneinfo");
	while (fgets(line, sizeof(line), zones))
		if (sscanf(line, " %63s %ld", name, &value) == 2 &&
		    (!strcmp(name, "nr_free_pages") || !strcmp(name, "count:")))
			sum += value;
	fclose(zones);
	return sum * 4;
}

static void kept(const char *how)
{
	/* Memmap of what is out belongs to it: 64 of each 4096 bytes */
	const long memmap = GIB / 4096 * 64 / 1024;
	long before, after;
	int fd;

	free_memory();
	before = free_memory();
	fd = borrow(how);
	if (fd < 0)
		err(1, "borrowing");
	after = free_memory();
	printf("kept %ld\n", memmap + before - after - (long)(GIB / 1024));
}

static void fragment(void)
{
	const unsigned long size = (unsigned long)free_memory() * 1024 - (160UL << 20);
	unsigned long i;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	madvise(p, size, MADV_NOHUGEPAGE);
	/* Page tables come first: between the pages, each of them would spoil a GiB. */
	for (i = 0; i < size; i += 2UL << 20) {
		p[i] = 1;
		madvise(p + i, 4096, MADV_DONTNEED);
	}
	for (i = 0; i < size; i += 4096)
		p[i] = 1;
	for (i = 0; i < size; i += 8192)
		madvise(p + i, 4096, MADV_DONTNEED);
	puts("ready");
	fflush(stdout);
	pause();
}

int main(int argc, char **argv)
{
	/* Not there is fine, for gigantic pages. */
	device = open("/dev/memlend", O_RDWR);
	if (argc == 2 && !strcmp(argv[1], "fragment"))
		fragment();
	else if (argc == 3 && !strcmp(argv[1], "kept"))
		kept(argv[2]);
	else if (argc == 3)
		take_and_return(argv[1], atoi(argv[2]));
	else
		errx(2, "usage: see the source");
	return 0;
}
