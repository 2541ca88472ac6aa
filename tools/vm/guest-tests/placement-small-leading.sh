#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# 64 GiB for a machine of 512 MiB, with their memmap at the start.
#
# arch: x86_64
# guest: --memory 512M --maxmem 80G --append mhp.gib=64 --append memory_hotplug.memmap_on_memory=leading
# timeout: 600
exec bash /selftests/in-guest memmap-large.sh
