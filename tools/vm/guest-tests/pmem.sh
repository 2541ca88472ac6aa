#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A pmem namespace in all its modes, with ndctl and daxctl.
#
# arch: x86_64
# guest: --memory 4G --append memmap=1G!0x100000000
# timeout: 900
exec bash /selftests/in-guest pmem-clients.sh memmap-dax.sh
