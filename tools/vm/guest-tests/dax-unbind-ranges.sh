#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dax/kmem goes before the memory of a device of two ranges does. Only the debug kernel
# has what soft-reserved memory needs (EFI); others skip this.
#
# arch: x86_64
# guest: --memory 6G --append memmap=2G%0x100000000-1+0xefffffff
# timeout: 900
exec bash /selftests/in-guest dax-unbind-ranges.sh
