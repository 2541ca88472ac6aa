#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dax/kmem goes before the memory of a pmem namespace does, with ndctl and daxctl.
#
# arch: x86_64
# guest: --memory 4G --append memmap=1G!0x100000000
# timeout: 900
exec bash /selftests/in-guest dax-unbind.sh
