#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Persistent memory ranges that share sections, and page tables of their memmap.
#
# arch: x86_64
# guest: --memory 5G --append memmap=130M!4102M,2M!4232M,126M!4234M
# timeout: 600
exec bash /selftests/in-guest pmem-neighbours.sh
