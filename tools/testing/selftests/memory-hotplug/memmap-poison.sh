#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Removing memory looks at none of its struct pages, and at none of its
# neighbours': they are filled with a pattern first. That goes for RAM that was
# online, for RAM that never was, and for device memory of all kinds.
#
# The ranges are those of the module mhp_test. Without hidden memory (see
# mhp_ranges.sh) only device private memory, which needs none, is tested.

# shellcheck disable=SC2154 # mhp_hex sets them
set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 300 "$@"
mhp_remember
mhp_need_ranges
before=$MHP_TMP/before
patterns="0x00 0xff 0xa5"

# poisoned_device NAME START SIZE TYPE [OPTION]...
poisoned_device()
{
	local name=$1 start=$2 size=$3 pattern

	shift
	mhp_snapshot "$before"
	for pattern in $patterns; do
		mhp_must "$MHP_TEST/add_device" "$*"
		mhp_must "$MHP_TEST/memmap" "fill $start $size $pattern"
		mhp_must "$MHP_TEST/memmap" "check $start $size $pattern"
		mhp_must "$MHP_TEST/remove_device" "$start"
		mhp_unchanged "removed with a memmap of $pattern" "$before"
	done
	mhp_done "$name"
}

mhp_hex size "$MHP_BLOCK_BYTES"
mhp_hex start "$MHP_HIDDEN"
mhp_hex private $MHP_FAR
mhp_hex left $((MHP_FAR + (6 << 20)))
mhp_hex middle $((MHP_FAR + (8 << 20)))
mhp_hex right $((MHP_FAR + (10 << 20)))
state=$MHP_SYS/memory$((MHP_HIDDEN / MHP_BLOCK_BYTES))/state

hidden=0
[ "$MHP_HIDDEN_BYTES" -lt "$MHP_BLOCK_BYTES" ] || hidden=1
mhp_plan $((3 + hidden * 7))

poisoned_device "device private memory" "$private" "$size" private

mhp_snapshot "$before"
for pattern in $patterns; do
	for range in "$left" "$middle" "$right"; do
		mhp_must "$MHP_TEST/add_device" "$range 2M private"
		mhp_must "$MHP_TEST/memmap" "fill $range 2M $pattern"
	done
	mhp_must "$MHP_TEST/remove_device" "$middle"
	mhp_must "$MHP_TEST/memmap" "check $left 2M $pattern"
	mhp_must "$MHP_TEST/memmap" "check $right 2M $pattern"
	mhp_must "$MHP_TEST/add_device" "$middle 2M private"
	mhp_must "$MHP_TEST/memmap" "check $left 2M $pattern"
	mhp_must "$MHP_TEST/memmap" "check $right 2M $pattern"
	mhp_must "$MHP_TEST/remove_device" all
	mhp_unchanged "three neighbours" "$before"
done
mhp_done "subsections next to each other"

if [ "$hidden" = 1 ]; then
	mhp_snapshot "$before"
	for pattern in $patterns; do
		mhp_must "$MHP_TEST/add_ram" "$start $size"
		mhp_must "$MHP_TEST/memmap" "fill $start $size $pattern"
		mhp_must "$MHP_TEST/remove_ram" "$start $size"
		mhp_unchanged "RAM that never was online" "$before"
	done
	mhp_done "RAM that never was online"

	for pattern in $patterns; do
		mhp_must "$MHP_TEST/add_ram" "$start $size"
		mhp_must "$state" online_movable
		mhp_must "$state" offline
		mhp_must "$MHP_TEST/memmap" "fill $start $size $pattern"
		# online again: nothing is taken for granted
		mhp_must "$state" online_movable
		mhp_must "$state" offline
		mhp_must "$MHP_TEST/memmap" "fill $start $size $pattern"
		mhp_must "$MHP_TEST/remove_ram" "$start $size"
		mhp_unchanged "RAM that was online" "$before"
	done
	mhp_done "RAM that was online"

	poisoned_device "device memory for direct access" "$start" "$size" generic
	poisoned_device "device memory for file systems" "$start" "$size" fs_dax
	# The CPU maps that uncached, which the hypervisor allows for no RAM in its table.
	if grep -q '^MMU.*Hash' /proc/cpuinfo; then
		mhp_pass_over "device memory for PCI peers" "the hypervisor maps no RAM uncached with the hash MMU"
	else
		poisoned_device "device memory for PCI peers" "$start" "$size" p2pdma
	fi
	poisoned_device "device memory that the CPU accesses" "$start" "$size" coherent
	poisoned_device "device memory with its memmap on it" "$start" "$size" generic \
		altmap=$((MHP_BLOCK_PAGES / 32))
fi
mhp_finish
