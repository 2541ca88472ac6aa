// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of /dev/memlend is that of a virtual machine: a program of a few instructions
 * runs in it, and KVM itself writes to it (the time, for kvmclock), which is not in the
 * kernel's own mapping; also where a page that KVM knows becomes lent.
 *
 * Builds with any libc, and with tools/include/nolibc.
 */
#include "memlend-test.h"

#include <linux/kvm.h>

#define SIZE		(4UL << 20)
#define CODE		0x1000
#define INPUT		0x2000
#define OUTPUT		0x3000
#define TIME		0x4000
#define USED		0x5000
#define PORT		0x10
#define MSR_SYSTEM_TIME	0x4b564d01	/* MSR_KVM_SYSTEM_TIME_NEW */

/* In real mode: the byte at INPUT, plus one, goes to OUTPUT and to PORT. */
static const unsigned char code[] = {
	0xa0, INPUT & 0xff, INPUT >> 8,		/* mov al, [INPUT] */
	0xfe, 0xc0,				/* inc al */
	0xa2, OUTPUT & 0xff, OUTPUT >> 8,	/* mov [OUTPUT], al */
	0xe6, PORT,				/* out PORT, al */
	0xf4,					/* hlt */
};

static int kvm;

struct machine {
	int vm, vcpu;
	long run_size;
	struct kvm_run *run;
};

/* A virtual machine with SIZE bytes of memory, which are those at @p */
static struct machine new_machine(volatile unsigned char *p)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = SIZE, .userspace_addr = (unsigned long)p,
	};
	struct machine m = { .vm = ioctl(kvm, KVM_CREATE_VM, 0) };

	m.vcpu = m.vm < 0 ? -1 : ioctl(m.vm, KVM_CREATE_VCPU, 0);
	m.run_size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (m.vcpu < 0 || m.run_size < 0)
		give_up("no virtual machine");
	m.run = mmap(NULL, m.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, m.vcpu, 0);
	if (m.run == MAP_FAILED || ioctl(m.vm, KVM_SET_USER_MEMORY_REGION, &region))
		give_up("KVM_SET_USER_MEMORY_REGION");
	return m;
}

static void end_machine(struct machine *m)
{
	munmap(m->run, m->run_size);
	close(m->vcpu);
	close(m->vm);
}

/* KVM writes the time to TIME when the machine runs the next time. */
static void set_time(struct machine *m)
{
	static struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = {
		.head.nmsrs = 1,
		.entry = { .index = MSR_SYSTEM_TIME, .data = TIME | 1 },
	};

	if (ioctl(m->vcpu, KVM_SET_MSRS, &msrs) != 1)
		give_up("KVM_SET_MSRS");
}

static void start_at_code(struct machine *m)
{
	static struct kvm_sregs sregs;
	static struct kvm_regs regs = { .rip = CODE, .rflags = 2 };

	if (ioctl(m->vcpu, KVM_GET_SREGS, &sregs))
		give_up("KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(m->vcpu, KVM_SET_SREGS, &sregs) || ioctl(m->vcpu, KVM_SET_REGS, &regs))
		give_up("KVM_SET_REGS");
}

static void run(struct machine *m)
{
	if (ioctl(m->vcpu, KVM_RUN, 0))
		give_up("KVM_RUN");
}

/* Has the machine, whose memory is at @p, run the code from its start to its end. */
static void run_code(struct machine *m, volatile unsigned char *p, unsigned char input)
{
	volatile unsigned int *version = (volatile unsigned int *)(p + TIME);

	memcpy((void *)p + CODE, code, sizeof(code));
	p[INPUT] = input;
	start_at_code(m);
	set_time(m);
	run(m);
	equal("exit at the port", KVM_EXIT_IO, m->run->exit_reason);
	equal("what comes through it", input + 1,
	      *((unsigned char *)m->run + m->run->io.data_offset));
	equal("what the machine wrote", input + 1, p[OUTPUT]);
	if (!*version || *version & 1)
		bad("version of the time", 2, *version);
	run(m);
	equal("exit at the end", KVM_EXIT_HLT, m->run->exit_reason);
}

static void lent_memory(const char *what, unsigned int how)
{
	const u64 before = carved();
	int memory = borrow_as(SIZE, MEMLEND_ANY_NODE, how);
	volatile unsigned char *p;
	struct machine m;

	if (memory < 0)
		give_up("cannot borrow");
	p = map(memory, SIZE);
	m = new_machine(p);
	run_code(&m, p, 0x41);
	end_machine(&m);
	munmap((void *)p, SIZE);
	close(memory);
	all_returned("when the machine is gone", before);
	done(what);
}

static unsigned char *anonymous(void *where, u64 size, int how)
{
	void *p = mmap(where, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | how,
		       -1, 0);

	if (p == MAP_FAILED)
		give_up("no memory");
	fill(p, size, 0);
	return p;
}

/* Moves a page to @where whose physical address is low: that of those which are lent first. */
static u64 move_low_page(unsigned char *where)
{
	const u64 size = 64 << 20;
	unsigned char *p = anonymous(NULL, size, 0);
	u64 at, frame, best = 0, lowest = ~0ULL;

	syscall(__NR_madvise, p, size, MADV_NOHUGEPAGE);
	for (at = 0; at < size; at += page) {
		frame = page_frame(p + at);
		/* not at the start of a unit, as there is memory of the machine before it */
		if (frame < lowest && frame * page % unit >= TIME) {
			best = at;
			lowest = frame;
		}
	}
	if (syscall(__NR_mremap, p + best, page, page, MREMAP_MAYMOVE | MREMAP_FIXED, where) !=
	    (long)where)
		give_up("mremap");
	munmap(p, size);
	return page_frame(where);
}

#define MOST 512

/* Borrows until the page with that number is lent; its descriptor, with @at, or -1 */
static int borrow_frame(u64 frame, u64 *at)
{
	static int fds[MOST];
	int i, n, found = -1;

	for (n = 0; n < MOST && found < 0; n++) {
		fds[n] = try_borrow(unit);
		if (fds[n] < 0)
			break;
		*at = frame * page - physical();
		if (*at < unit)
			found = fds[n];
	}
	printf("# page %#llx, %d borrowed\n", frame, n);
	for (i = 0; i < n; i++)
		if (fds[i] != found)
			close(fds[i]);
	return found;
}

/*
 * KVM keeps the mapping of the page it writes the time to, by page number. Ordinary memory
 * is in the kernel's own mapping, and is not any more when that page comes back as lent.
 */
static void becomes_lent(void)
{
	static const char what[] = "a page that KVM has mapped becomes lent, and is no more";
	const u64 before = carved(), limit = get(SYS "limit_mib");
	unsigned char *p = anonymous(NULL, SIZE, 0);
	struct machine m = new_machine(p);
	int fd = -1, tries;
	u64 frame, at = 0;

	set(SYS "limit_mib", 1 << 20);
	for (tries = 0; tries < 10 && fd < 0; tries++) {
		frame = move_low_page(p + TIME);
		run_code(&m, p, 0x10);
		munmap(p, SIZE);
		fd = borrow_frame(frame, &at);
		if (fd < 0)
			anonymous(p, SIZE, MAP_FIXED);
	}
	set(SYS "limit_mib", limit);
	if (fd < 0) {
		end_machine(&m);
		pass_over(what, "the page was not to be had");
		return;
	}
	if (mmap(p, USED, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, at - TIME) != p)
		give_up("cannot map it");
	run_code(&m, p, 0x20);
	close(fd);
	anonymous(p, USED, MAP_FIXED);
	run_code(&m, p, 0x30);
	end_machine(&m);
	munmap(p, SIZE);
	all_returned("when the machine is gone", before);
	done(what);
}

int main(void)
{
	begin();
	if (flags & MEMLEND_KEEP_MAPPED)
		skip_all("the memory cannot be taken out of the kernel's mapping");
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		skip_all("no /dev/kvm: CONFIG_KVM, and a CPU that can");

	plan(3);
	lent_memory("a virtual machine runs in lent memory", 0);
	if (can_free_memmap("a virtual machine runs in lent memory without memmap"))
		lent_memory("a virtual machine runs in lent memory without memmap",
			    MEMLEND_FREE_MEMMAP);
	becomes_lent();
	return !!failed;
}
