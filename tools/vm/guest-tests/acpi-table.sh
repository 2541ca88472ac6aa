#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Memory in ACPI tables that are loaded while the system runs.
#
# arch: x86_64
# guest: --memory 4G --append mem=2G --append mhp.hidden=0x100000000:0x80000000
# guest: --append memory_hotplug.memmap_on_memory=1
# What a struct page is before it is written must not be what it was the last time:
# guest: --append init_on_alloc=1
# modules: drivers/mhp_test
# timeout: 300
exec bash /selftests/in-guest acpi-table.sh
