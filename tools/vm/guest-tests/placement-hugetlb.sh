#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Huge pages give struct pages back, but not those on a DIMM.
#
# arch: x86_64
# guest: --memory 2G --nodes 2 --append hugetlb_free_vmemmap=on
# guest: --append memory_hotplug.memmap_on_memory=leading
# timeout: 200
exec bash /selftests/in-guest memmap-hugetlb.sh
