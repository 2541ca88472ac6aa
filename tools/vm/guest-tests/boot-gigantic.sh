#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Gigantic pages that boot code took across the border of two zones: their struct
# pages link to the lower one. Blocks of the upper one go offline and online, and
# memory is compacted. It is the kernel that would complain, the debug kernel more.
#
# arch: x86_64
# guest: --memory 6G --append kernelcore=2500M
# guest: --append hugepagesz=1G --append hugepages=4
# timeout: 300
pool=/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages
memory=/sys/devices/system/memory

echo "KTAP version 1"
echo "1..2"
if [ "$(< $pool)" -ge 3 ]; then
	echo "ok 1 - boot took $(< $pool) gigantic pages"
else
	echo "not ok 1 - expected 3 or 4 gigantic pages, there are $(< $pool)"
fi

echo 1 > /proc/sys/vm/compact_memory
flipped=0
# Memory from 5 GiB on: giving back the page across the border, or offlining what
# it has, makes any 6.12 warn of pages of two zones.
for number in {40..63}; do
	block=$memory/memory$number
	# boot code may have allocated from a block in Movable, too: that one is busy
	echo offline > "$block/state" || continue
	echo online_movable > "$block/state" && flipped=$((flipped + 1))
done 2> /dev/null
echo 1 > /proc/sys/vm/compact_memory
if [ $flipped -gt 0 ]; then
	echo "ok 2 - $flipped blocks of Movable offline and online"
else
	echo "not ok 2 - no block of Movable went offline and online"
fi
