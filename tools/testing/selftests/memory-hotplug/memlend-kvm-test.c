// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of /dev/memlend is that of a virtual machine: a program of a few instructions
 * runs in it, and KVM itself writes to it (the time, for kvmclock), which is not in the
 * kernel's own mapping.
 *
 * Builds with any libc, and with tools/include/nolibc.
 */
#ifndef NOLIBC
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#else
#include <linux/fcntl.h>
#include <linux/mman.h>
#endif
#include <linux/kvm.h>
#include <linux/memlend.h>

#define SIZE		(4UL << 20)
#define CODE		0x1000
#define INPUT		0x2000
#define OUTPUT		0x3000
#define TIME		0x4000
#define PORT		0x10
#define MSR_SYSTEM_TIME	0x4b564d01	/* MSR_KVM_SYSTEM_TIME_NEW */

static int test, failed;

static void result(int good, const char *what)
{
	printf("%sok %d %s\n", good ? "" : "not ", ++test, what);
	failed += !good;
}

/* KVM may need a moment; what it keeps is tried again after five seconds. */
static int all_returned(void)
{
	char lent = 0;
	int i, fd;

	for (i = 0; i < 100 && lent != '0'; i++) {
		fd = open("/sys/module/memlend/parameters/lent_mib", O_RDONLY);
		if (fd < 0 || read(fd, &lent, 1) != 1)
			return 0;
		close(fd);
		usleep(100000);
	}
	return lent == '0';
}

static void give_up(const char *why)
{
	printf("Bail out! %s, errno %d\n", why, errno);
	exit(1);
}

static void skip_all(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	exit(4);
}

/* In real mode: the byte at INPUT, plus one, goes to OUTPUT and to PORT. */
static const unsigned char code[] = {
	0xa0, INPUT & 0xff, INPUT >> 8,		/* mov al, [INPUT] */
	0xfe, 0xc0,				/* inc al */
	0xa2, OUTPUT & 0xff, OUTPUT >> 8,	/* mov [OUTPUT], al */
	0xe6, PORT,				/* out PORT, al */
	0xf4,					/* hlt */
};

static void set_time(int vcpu)
{
	static struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = {
		.head.nmsrs = 1,
		.entry = { .index = MSR_SYSTEM_TIME, .data = TIME | 1 },
	};

	if (ioctl(vcpu, KVM_SET_MSRS, &msrs) != 1)
		give_up("KVM_SET_MSRS");
}

static void start_at_code(int vcpu)
{
	static struct kvm_sregs sregs;
	static struct kvm_regs regs = { .rip = CODE, .rflags = 2 };

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		give_up("KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) || ioctl(vcpu, KVM_SET_REGS, &regs))
		give_up("KVM_SET_REGS");
}

int main(void)
{
	struct memlend_alloc want = { .size = SIZE, .node = MEMLEND_ANY_NODE };
	struct kvm_userspace_memory_region region = { .memory_size = SIZE };
	int kvm, device, memory, vm, vcpu, size, i;
	volatile unsigned char *p;
	volatile unsigned int *version;
	struct kvm_run *run;

	printf("TAP version 13\n");
	device = open("/dev/memlend", O_RDWR | O_CLOEXEC);
	if (device < 0)
		skip_all("no /dev/memlend in this kernel (CONFIG_MEMLEND), or not root");
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		skip_all("no /dev/kvm: CONFIG_KVM, and a CPU that can");

	for (i = 0; i < 2; i++) {
		memory = ioctl(device, MEMLEND_ALLOC, &want);
		if (memory < 0 && errno == EOPNOTSUPP)
			break;
		if (memory < 0)
			give_up("cannot borrow");
		if (!i)
			printf("1..7\n");
		p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
		vm = ioctl(kvm, KVM_CREATE_VM, 0);
		vcpu = vm < 0 ? -1 : ioctl(vm, KVM_CREATE_VCPU, 0);
		size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
		if (p == MAP_FAILED || vcpu < 0 || size < 0)
			give_up("no virtual machine");
		run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
		region.userspace_addr = (unsigned long)p;
		if (run == MAP_FAILED || ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region))
			give_up("KVM_SET_USER_MEMORY_REGION");

		memcpy((void *)p + CODE, code, sizeof(code));
		p[INPUT] = 0x41 + i;
		start_at_code(vcpu);
		set_time(vcpu);
		if (ioctl(vcpu, KVM_RUN, 0))
			give_up("KVM_RUN");
		printf("# exit reason %u\n", run->exit_reason);
		result(run->exit_reason == KVM_EXIT_IO && run->io.port == PORT &&
		       *((unsigned char *)run + run->io.data_offset) == 0x42 + i,
		       "a virtual machine runs in it");
		result(p[OUTPUT] == 0x42 + i, "what it writes is there");
		version = (volatile unsigned int *)(p + TIME);
		result(*version && !(*version & 1), "KVM writes the time to it");

		munmap(run, size);
		close(vcpu);
		close(vm);
		munmap((void *)p, SIZE);
		close(memory);
		want.flags |= MEMLEND_FREE_MEMMAP;
	}
	if (!test)
		skip_all("the memory cannot be taken out of the kernel's mapping");
	for (; test < 6; )
		printf("ok %d # SKIP memmaps cannot be given back\n", ++test);
	result(all_returned(), "it is returned when the machine is gone");
	return !!failed;
}
