#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# 1 GiB pages from a DIMM with its memmap at the start.
#
# arch: x86_64
# guest: --memory 1G --append mhp.gib=8 --append memory_hotplug.memmap_on_memory=leading
# timeout: 600
exec bash /selftests/in-guest memmap-large.sh
