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

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 900 "$@"
mhp_need_faults
mhp_remember
mhp_need_ranges
mhp_set_up_faults
most=2000	# allocations; more are a sign of an operation that never ends
slack=256	# pages that may come and go in a system at rest
sites=0

# every_failure FILE TEXT UNDO-FILE UNDO-TEXT: write TEXT to FILE with each
# allocation failing in turn, and undo it. Ends undone.
every_failure()
{
	local n file=$1 text=$2 undo_file=$3 undo_text=$4
	local before=$MHP_TMP/before refused=0 survived=0

	mhp_snapshot "$before"
	for ((n = 1; n <= most; n++)); do
		if mhp_fail_nth "$n" "$file" "$text"; then
			[ "$MHP_LEFT" = 0 ] && survived=$((survived + 1))
		else
			refused=$((refused + 1))
			mhp_unchanged "allocation $n fails" "$before"
			mhp_write "$file" "$text" ||
				mhp_bad "again after allocation $n failed" success "$MHP_ERRNO"
		fi
		mhp_write "$undo_file" "$undo_text" ||
			mhp_bad "undone after allocation $n failed" success "$MHP_ERRNO"
		mhp_unchanged "allocation $n failed, done again and undone" "$before"
		[ "$MHP_FAULTS" = 0 ] && [ "$MHP_LEFT" = 0 ] || break
	done
	sites=$((sites + n - 1))
	mhp_free
	mhp_note "\"$text\" to ${file##*/}: $refused refused, $survived came through, $REPLY pages are free"
	[ "$n" -le "$most" ] || mhp_bad "allocations" "at most $most" more
	# If nothing was ever refused, nothing was tested.
	[ "$refused" -gt 0 ] || mhp_bad "refused" "some" none
}

# forth_and_back WHAT FILE TEXT BACK-FILE BACK-TEXT: both ways
forth_and_back()
{
	every_failure "$2" "$3" "$4" "$5"
	mhp_write "$2" "$3" || mhp_bad "$3" success "$MHP_ERRNO"
	every_failure "$4" "$5" "$2" "$3"
	mhp_write "$4" "$5" || mhp_bad "$5" success "$MHP_ERRNO"
	mhp_done "$1"
}

# device NAME START SIZE TYPE [OPTION]...
device()
{
	local name=$1 start=$2

	shift
	forth_and_back "$name" "$MHP_TEST/add_device" "$*" "$MHP_TEST/remove_device" "${start%%,*}"
}

printf -v start '%#x' "$MHP_HIDDEN"
printf -v size '%#x' "$MHP_BLOCK_BYTES"
printf -v second '%#x' $((MHP_HIDDEN + MHP_BLOCK_BYTES))
block=memory$((MHP_HIDDEN / MHP_BLOCK_BYTES))
state=$MHP_SYS/$block/state

# Far above all memory, for device private memory
private=$((1 << 38))
printf -v private '%#x' $private
printf -v private2 '%#x' $((private + (1 << 32) + (2 << 20)))

hidden=0
[ "$MHP_HIDDEN_BYTES" -lt $((2 * MHP_BLOCK_BYTES)) ] || hidden=1
mhp_plan $((4 + hidden * 7))

# A first round fills the caches that stay, such as tables of sections.
mhp_write "$MHP_TEST/add_device" "$private,$private2 $size,2M private" ||
	mhp_bad "add private memory" success "$MHP_ERRNO"
mhp_write "$MHP_TEST/remove_device" all || mhp_bad "remove it" success "$MHP_ERRNO"
mhp_free
free=$REPLY

device "device private memory" "$private" "$size" private
device "device private memory, two ranges, one of a subsection" \
	"$private,$private2" "$size,2M" private

if [ $hidden = 1 ]; then
	forth_and_back "add and remove RAM" "$MHP_TEST/add_ram" "$start $size" \
		"$MHP_TEST/remove_ram" "$start $size"
	forth_and_back "add and remove RAM with its memmap on it" \
		"$MHP_TEST/add_ram" "$start $size memmap_on_memory" \
		"$MHP_TEST/remove_ram" "$start $size"
	mhp_write "$MHP_TEST/add_ram" "$start $size" || mhp_bad "add RAM" success "$MHP_ERRNO"
	forth_and_back "online and offline RAM" "$state" online_movable "$state" offline
	mhp_write "$MHP_TEST/remove_ram" "$start $size" || mhp_bad "remove RAM" success "$MHP_ERRNO"
	device "device memory for direct access" "$start" "$size" generic
	device "device memory for file systems" "$start" "$size" fs_dax
	device "device memory of two ranges" "$start,$second" "$size,16M" coherent
	device "device memory with its memmap on it" "$start" "$size" generic altmap=$((MHP_BLOCK_PAGES / 32))
fi

mhp_free
mhp_note "$sites allocations failed; free before $free, after $REPLY pages"
if mhp_has_kasan; then
	mhp_pass_over "no memory is lost" "KASAN keeps freed objects"
else
	[ $((free - REPLY)) -le "$slack" ] || mhp_bad "free pages, within $slack" "$free" "$REPLY"
	mhp_done "no memory is lost"
fi
mhp_finish
