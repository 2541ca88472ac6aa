#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dax/kmem comes and goes while one allocation after the other fails. Of the kernels with
# persistent memory, only the debug kernel can do that; others skip this.
#
# arch: x86_64
# guest: --memory 4G --append memmap=400M!0x100000000
# timeout: 900
exec bash /selftests/in-guest dax-bind-failure.sh
