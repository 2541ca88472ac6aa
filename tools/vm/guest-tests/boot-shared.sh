#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Boot memory that ends within a section, and device memory in the rest of it.
#
# arch: arm64
# guest: --memory 4G --append mem=2G --append movablecore=768M
# guest: --append mhp.hidden=0xbc000000:0x44000000
# timeout: 600
exec bash /selftests/in-guest boot-memory.sh
