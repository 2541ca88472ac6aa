// SPDX-License-Identifier: GPL-2.0-only
/*
 * One allocation of the kernel after the other fails while memory is borrowed from
 * /dev/memlend, and while it is returned: either all of that happens, or nothing.
 *
 * Builds with any libc, and with tools/include/nolibc.
 */
#include "memlend-test.h"

#define MOST 2000	/* allocations that are made to fail, where more come */

static void set_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		give_up(path);
	close(fd);
}

/* All kinds of allocations shall fail, or be as they were. */
static void set_faults(bool all)
{
	set_text("/sys/kernel/debug/failslab/verbose", all ? "0" : "2");
	set_text("/sys/kernel/debug/fail_page_alloc/verbose", all ? "0" : "2");
	set_text("/sys/kernel/debug/failslab/ignore-gfp-wait", all ? "N" : "Y");
	set_text("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", all ? "N" : "Y");
	set_text("/sys/kernel/debug/fail_page_alloc/min-order", all ? "0" : "1");
}

/* The file is open beforehand, as opening it allocates. */
static int nth_file;

static void fail_nth(int n)
{
	char text[8];
	int i = sizeof(text);

	do {
		text[--i] = '0' + n % 10;
	} while (n /= 10);
	if (syscall(__NR_pwrite64, nth_file, text + i, sizeof(text) - i, 0) < 0)
		give_up("/proc/self/fail-nth");
}

/* failed_one() - whether the failure came; none comes any more */
static bool failed_one(void)
{
	char text[16] = "";

	if (syscall(__NR_pread64, nth_file, text, sizeof(text) - 1, 0) < 0)
		give_up("/proc/self/fail-nth");
	fail_nth(0);
	return !number_in(text);
}

static long long memmap_pages(void)
{
	return vmstat("nr_memmap_pages") + vmstat("nr_memmap_boot_pages");
}

static void borrowing(const char *what, unsigned int how)
{
	const u64 before = carved();
	const long long memmap_before = memmap_pages();
	unsigned char *p;
	int n, fd, error, refused = 0;
	bool came = true;

	for (n = 1; came && n < MOST && !faults; n++) {
		fail_nth(n);
		fd = borrow_as(unit, MEMLEND_ANY_NODE, how);
		error = errno;
		came = failed_one();
		if (fd >= 0) {
			p = map(fd, unit);
			equal("carved out", before + unit, carved());
			equal("first byte that is not zero", -1, other_than(p, unit, 0));
			fill(p, unit, 0x5a);
			munmap(p, unit);
			close(fd);
		} else {
			refused++;
			if (!came)
				bad("refused, and nothing had failed", 0, error);
			else if (error != ENFILE)	/* there is no struct file */
				equal("error", ENOMEM, error);
		}
		all_returned("afterwards", before);
		equal("pages of memmap afterwards", memmap_before, memmap_pages());
	}
	printf("# %d allocations failed, %d times nothing was lent\n", n - 2 + came, refused);
	if (!refused)
		bad("times that nothing was lent", 1, 0);
	done(what);
}

static void returning(const char *what, unsigned int how)
{
	const u64 before = carved();
	const long long memmap_before = memmap_pages();
	int n, fd, later = 0;
	bool came = true;

	for (n = 1; came && n < MOST && !faults; n++) {
		unsigned char *p;

		fd = borrow_as(unit, MEMLEND_ANY_NODE, how);
		if (fd < 0)
			give_up("nothing can be borrowed");
		p = map(fd, unit);
		fill(p, unit, 0x5a);
		munmap(p, unit);
		fail_nth(n);
		close(fd);
		came = failed_one();
		later += carved() != before;
		/* What could not be returned is tried again after five seconds. */
		if (carved() != before) {
			equal("what is carved out meanwhile", before + unit, carved());
			usleep(4000000);
		}
		all_returned("afterwards", before);
		equal("pages of memmap afterwards", memmap_before, memmap_pages());
	}
	printf("# %d allocations failed, %d times it was returned later\n", n - 2 + came, later);
	/* The memmap needs memory, page tables that were split need none. */
	if (how & free_memmap && !later)
		bad("times it was returned later", 1, 0);
	done(what);
}

int main(void)
{
	begin();
	nth_file = open("/proc/self/fail-nth", O_RDWR);
	if (nth_file < 0 || !there("/sys/kernel/debug/failslab/verbose") ||
	    !there("/sys/kernel/debug/fail_page_alloc/verbose"))
		skip_all("no fault injection in this kernel (CONFIG_FAILSLAB, _FAIL_PAGE_ALLOC)");

	plan(free_memmap ? 4 : 3);
	set_faults(true);
	borrowing("borrowing, while an allocation fails", flags);
	returning("returning, while an allocation fails", flags);
	if (can_free_memmap("without memmap")) {
		borrowing("borrowing without memmap, while an allocation fails",
			  flags | free_memmap);
		returning("returning the memmap, too, while an allocation fails",
			  flags | free_memmap);
	}
	set_faults(false);
	return !!failed;
}
