/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
#ifndef _UAPI_LINUX_MEMLEND_H
#define _UAPI_LINUX_MEMLEND_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Leave the memory in the kernel's own mapping, where it cannot be taken out of it. */
#define MEMLEND_KEEP_MAPPED	(1U << 0)
/* Lend memory without the kernel's memory for struct pages, which is free meanwhile. */
#define MEMLEND_FREE_MEMMAP	(1U << 1)

/* Any node; that of the calling CPU is tried first. */
#define MEMLEND_ANY_NODE	(-1)

/**
 * struct memlend_alloc - what to take out of the kernel
 * @size: in bytes, a multiple of what /sys/module/memlend/parameters/unit says
 * @node: NUMA node, or %MEMLEND_ANY_NODE
 * @flags: %MEMLEND_KEEP_MAPPED, %MEMLEND_FREE_MEMMAP
 * @reserved: must be 0
 */
struct memlend_alloc {
	__u64 size;
	__s32 node;
	__u32 flags;
	__u64 reserved[2];
};

/* Returns a file descriptor, see Documentation/admin-guide/mm/memlend.rst. */
#define MEMLEND_ALLOC	_IOW(0xB8, 0x40, struct memlend_alloc)

#endif /* _UAPI_LINUX_MEMLEND_H */
