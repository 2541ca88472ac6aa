#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Boot memory offline, online, and removed where that can be. It ends with a memory
# block, and there is more behind it to be added.
#
# arch: x86_64 arm64 ppc64le
# guest: --append movablecore=768M
# guest x86_64: --memory 2560M --append mem=2G --append mhp.hidden=0x80000000:0x20000000
# guest arm64: --memory 4G --append mem=1984M --append mhp.hidden=0xb8000000:0x40000000
# guest ppc64le: --memory 3G --append mem=1536M --append mhp.hidden=0x60000000:0x40000000
# timeout: 600
exec bash /selftests/in-guest boot-memory.sh
