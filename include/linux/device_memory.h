/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_DEVICE_MEMORY_H
#define _LINUX_DEVICE_MEMORY_H

#include <linux/pgtable.h>
#include <linux/types.h>

struct vmem_altmap;

/**
 * struct device_memory - a physical range whose struct pages are in ZONE_DEVICE
 * @start: first byte, aligned to a subsection
 * @size: size in bytes, aligned to a subsection
 * @nid: node whose ZONE_DEVICE the range belongs to
 * @vmemmap_shift: order of the naturally aligned compound pages in the range
 *	if their tails may share struct pages, or 0
 * @altmap: where on the range its memmap lives; %NULL to take system RAM
 * @linear_map: the CPU gets at the memory through the linear mapping
 * @pgprot: protection of that mapping
 *
 * Whoever adds a range removes it with the same description.
 */
struct device_memory {
	u64 start;
	u64 size;
	int nid;
	unsigned int vmemmap_shift;
	struct vmem_altmap *altmap;
	bool linear_map;
	pgprot_t pgprot;
};

int check_device_memory(const struct device_memory *dm);
int add_device_memory(const struct device_memory *dm);
void remove_device_memory(const struct device_memory *dm);

#endif /* _LINUX_DEVICE_MEMORY_H */
