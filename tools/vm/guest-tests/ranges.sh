#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Ranges of RAM and device memory, added and removed through the test module:
# good ones, bad ones, with a poisoned memmap, and with notifiers that refuse.
#
# arch: x86_64 arm64 ppc64le
# guest x86_64: --memory 4G --append mem=2G --append mhp.hidden=0x100000000:0x80000000
# guest arm64: --memory 4G --append mem=2G --append mhp.hidden=0xc0000000:0x20000000
# guest ppc64le: --memory 3G --append mem=1G --append mhp.hidden=0x40000000:0x80000000
# guest x86_64 arm64: --append memory_hotplug.memmap_on_memory=1
# guest ppc64le: --append memory_hotplug.memmap_on_memory=force
# timeout: 600
exec bash /selftests/in-guest range-refusals.sh memmap-poison.sh range-notifiers.sh
