#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Add, online, offline and remove RAM, add and remove device memory, while the
# first, the second, … allocation fails, until none is left to fail. Each time it
# either works or is refused; then all that can be seen is as before (/proc/iomem,
# zones, memmap and direct mapping, memory blocks and their links, nodes, the
# firmware's map, extents), and the next attempt works. In the end no memory has
# been lost.
#
# The ranges are those of the module mhp_test. Without hidden memory (see
# mhp_ranges.sh) only device private memory, which needs none, is tested.
# Needs fault injection: see mhp_faults.sh.

# shellcheck disable=SC2154 # mhp_hex sets them
set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

seed=${1:-${MHP_SEED:-$RANDOM}}
mhp_setting every 4
every=$REPLY

mhp_start 900 "$seed"
mhp_need_faults
mhp_remember
mhp_need_ranges
mhp_set_up_faults
most=2000	# allocations; more are a sign of an operation that never ends
slack=256	# pages that may come and go in a system at rest
sites=0

# every_failure FILE TEXT COMMAND...: write TEXT to FILE with one allocation after the
# other failing, and undo it with COMMAND. Ends undone.
every_failure()
{
	local n file=$1 text=$2
	local before=$MHP_TMP/before refused=0 survived=0

	shift 2
	mhp_snapshot "$before"
	for ((n = 1; n <= most; n += n < 6 ? 1 : 1 + RANDOM % (2 * every - 1))); do
		if mhp_fail_nth "$n" "$file" "$text"; then
			[ "$MHP_LEFT" = 0 ] && survived=$((survived + 1))
		else
			refused=$((refused + 1))
			mhp_unchanged "allocation $n fails" "$before"
			mhp_must "$file" "$text"
		fi
		"$@"
		# What stays behind here would also show at the next failure.
		[ "$MHP_LEFT" = 0 ] || mhp_unchanged "all done again and undone" "$before"
		[ "$MHP_FAULTS" = 0 ] && [ "$MHP_LEFT" = 0 ] || break
		sites=$((sites + 1))
	done
	mhp_free
	mhp_note "\"$text\" to ${file##*/}: $refused refused, $survived came through, $REPLY pages are free"
	[ "$n" -le "$most" ] || mhp_bad "allocations" "at most $most" more
	# If nothing was ever refused, nothing was tested.
	[ "$refused" -gt 0 ] || mhp_bad "refused" "some" none
}

# forth_and_back WHAT FILE TEXT BACK-FILE BACK-TEXT: both ways
forth_and_back()
{
	every_failure "$2" "$3" mhp_must "$4" "$5"
	mhp_must "$2" "$3"
	every_failure "$4" "$5" mhp_must "$2" "$3"
	mhp_must "$4" "$5"
	mhp_done "$1"
}

# two_online: two blocks of RAM, added and online
two_online()
{
	mhp_must "$MHP_TEST/add_ram" "$start $two"
	mhp_must "$state" online_movable
	mhp_must "$MHP_SYS/memory$((number + 1))/state" online_movable
}

# device NAME START SIZE TYPE [OPTION]...
device()
{
	local name=$1 start=$2

	shift
	forth_and_back "$name" "$MHP_TEST/add_device" "$*" "$MHP_TEST/remove_device" "${start%%,*}"
}

# neighbours LEFT RIGHT TYPE: a subsection at either side, with a pattern in the memmap
neighbours()
{
	local at

	for at in "$1" "$2"; do
		mhp_must "$MHP_TEST/add_device" "$at 2M $3"
		mhp_must "$MHP_TEST/memmap" "fill $at 2M 0x5a"
	done
}

mhp_hex start "$MHP_HIDDEN"
mhp_hex size "$MHP_BLOCK_BYTES"
mhp_hex second $((MHP_HIDDEN + MHP_BLOCK_BYTES))
mhp_hex two $((2 * MHP_BLOCK_BYTES))
number=$((MHP_HIDDEN / MHP_BLOCK_BYTES))
state=$MHP_SYS/memory$number/state

mhp_hex private "$MHP_FAR"
mhp_hex private2 $((MHP_FAR + (1 << 32) + (2 << 20)))
# Neighbours of a range that begins and ends at odd subsections
mhp_hex left $((MHP_FAR + (4 << 20)))
mhp_hex odd $((MHP_FAR + (6 << 20)))
mhp_hex right $((MHP_FAR + (136 << 20)))
mhp_hex hidden_left $((MHP_HIDDEN + (4 << 20)))
mhp_hex hidden_odd $((MHP_HIDDEN + (6 << 20)))
mhp_hex hidden_right $((MHP_HIDDEN + (136 << 20)))

hidden=0
[ "$MHP_HIDDEN_BYTES" -lt $((2 * MHP_BLOCK_BYTES)) ] || hidden=1
mhp_plan $((5 + hidden * 9))

mhp_note "seed $seed, about one allocation in $every"
RANDOM=$seed

# A first round fills the caches that stay, such as tables of sections.
mhp_must "$MHP_TEST/add_device" "$private,$private2 $size,2M private"
mhp_must "$MHP_TEST/remove_device" all
mhp_free
free=$REPLY

device "device private memory" "$private" "$two" private
device "device private memory, two ranges, one of a subsection" \
	"$private,$private2" "$size,2M" private
neighbours "$left" "$right" private
device "device private memory between neighbours" "$odd" 130M private
mhp_must "$MHP_TEST/memmap" "check $left 2M 0x5a"
mhp_must "$MHP_TEST/memmap" "check $right 2M 0x5a"
mhp_must "$MHP_TEST/remove_device" all

if [ $hidden = 1 ]; then
	forth_and_back "add and remove RAM" "$MHP_TEST/add_ram" "$start $two" \
		"$MHP_TEST/remove_ram" "$start $two"
	if mhp_memmap_on_memory; then
		forth_and_back "add and remove RAM with its memmap on it" \
			"$MHP_TEST/add_ram" "$start $two memmap_on_memory" \
			"$MHP_TEST/remove_ram" "$start $two"
	else
		mhp_pass_over "add and remove RAM with its memmap on it" "$REPLY"
	fi
	mhp_must "$MHP_TEST/add_ram" "$start $size"
	forth_and_back "online and offline RAM" "$state" online_movable "$state" offline
	mhp_must "$MHP_TEST/remove_ram" "$start $size"
	two_online
	every_failure "$MHP_TEST/offline_and_remove_ram" "$start $two" two_online
	mhp_must "$MHP_TEST/offline_and_remove_ram" "$start $two"
	mhp_done "offline and remove RAM of two blocks"
	device "device memory for direct access" "$start" "$size" generic
	device "device memory for file systems" "$start" "$size" fs_dax
	device "device memory of two ranges" "$start,$second" "$size,16M" coherent
	device "device memory with its memmap on it" "$start" "$size" generic altmap=$((MHP_BLOCK_PAGES / 32))
	neighbours "$hidden_left" "$hidden_right" generic
	device "device memory with its memmap on it between neighbours" "$hidden_odd" \
		130M generic altmap=$(((130 << 20) / MHP_PAGE_BYTES * 96 / MHP_PAGE_BYTES + 2))
	mhp_must "$MHP_TEST/memmap" "check $hidden_left 2M 0x5a"
	mhp_must "$MHP_TEST/memmap" "check $hidden_right 2M 0x5a"
	mhp_must "$MHP_TEST/remove_device" all
fi

mhp_note "$sites operations had an allocation fail"
mhp_none_lost "$free" "$slack"
mhp_finish
