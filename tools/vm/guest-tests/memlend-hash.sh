#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# /dev/memlend with the hash MMU.
#
# arch: ppc64le
# guest: --memory 8G --nodes 2 --append disable_radix
# timeout: 900
exec bash /selftests/in-guest memlend-walks.sh memlend-failure.sh memlend.sh
