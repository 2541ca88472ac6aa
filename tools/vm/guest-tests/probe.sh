#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Probing for memory that is not there, that is, and that was hidden.
#
# arch: x86_64 ppc64le
# guest x86_64: --memory 4G --append mem=2G --append mhp.probe=0x100000000
# guest ppc64le: --memory 2G --append mem=1G --append mhp.probe=0x40000000
# timeout: 120
exec bash /selftests/in-guest probe.sh
