#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Gigantic pages that boot code took across the border of two zones: their struct
# pages link to the lower one. They are given back, and memory is compacted.
#
# arch: x86_64
# guest: --memory 6G --append kernelcore=2500M
# guest: --append hugepagesz=1G --append hugepages=2
# timeout: 300
set -e
pages=$(< /sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages)
if [ "$pages" -gt 0 ]; then
	echo 0 > /sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages
	echo 1 > /proc/sys/vm/compact_memory
fi
echo "# $pages gigantic pages given back"
exec bash /selftests/in-guest online-offline-random.sh
