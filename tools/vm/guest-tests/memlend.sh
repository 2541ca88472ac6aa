#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Memory that is taken out of the kernel, by /dev/memlend.
#
# arch: x86_64 arm64 ppc64le
# guest: --memory 3G --nodes 2
# guest ppc64le: --memory 8G
# guest arm64: --append rodata=full --append cma=512M
# timeout: 900
if [ -e /memlend.ko ]; then	# one that was built elsewhere
	insmod /memlend.ko || exit
fi
exec bash /selftests/in-guest memlend-walks.sh memlend-failure.sh memlend.sh
