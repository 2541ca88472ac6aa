#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The struct pages of added memory, each word of each: as Linux 6.12 leaves them, in
# which zone ever the memory comes online, wherever its memmap is, whether all of it
# comes at once or block by block, and whether a driver gets it first; and those of
# device memory of each kind. The module memmap_test has what is compared with.
#
# Needs hidden memory, see mhp_ranges.sh. Several CPUs write the struct pages, if there are
# several: memory_hotplug.memmap_share is 2 here.

# shellcheck disable=SC2154 # mhp_hex sets them
set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

compare=/sys/kernel/debug/memmap_test

mhp_start 300 "$@"
mhp_remember
mhp_need_ranges
mhp_need_hidden 2
# In kernels without the series, what holds a memmap is not reserved.
series=
if [ -e "$MHP_PARAM/memmap_share" ]; then
	series=1
	mhp_keep "$MHP_PARAM/memmap_share"
	echo 2 > "$MHP_PARAM/memmap_share"
fi
order=$(awk '/^Page block order:/ { print $4 }' /proc/pagetypeinfo)

# load [OPTION]: the module memmap_test
load()
{
	set -- "block_order=$order" "memmap_reserved=${series:-0}" "$@"
	modprobe memmap_test "$@" 2> /dev/null || insmod /memmap_test.ko "$@"
}

rmmod memmap_test 2> /dev/null || true	# of an earlier run that ended early
MHP_MODULE=memmap_test
load 2> /dev/null || true
[ -e $compare ] || mhp_skip "no module memmap_test in this kernel (CONFIG_MHP_TEST)"
count=$((MHP_HIDDEN_BYTES / MHP_BLOCK_BYTES))
[ $count -le 4 ] || count=4
first=$((MHP_HIDDEN / MHP_BLOCK_BYTES))
mib=$((1 << 20))
huge=0	# the order of 2 MiB
while [ $((MHP_PAGE_BYTES << huge)) -lt $((2 * mib)) ]; do
	huge=$((huge + 1))
done
mhp_hex start "$MHP_HIDDEN"
mhp_hex size $((count * MHP_BLOCK_BYTES))

# module [OPTION]: memmap_test anew
module()
{
	rmmod memmap_test 2> /dev/null || true
	load "$@"
}

# remarks: what memmap_test has to say of each difference
remarks()
{
	sed -n 's/^pfn/# &/p' $compare/seen
}

# device NAME START OFFSET REFERENCES ORDER OPTION...
device()
{
	local name=$1 at=$2 references=$4 order=$5 from rest

	mhp_hex from $((at + $3))
	mhp_hex rest $((count * MHP_BLOCK_BYTES - $3))
	shift 5
	mhp_must "$MHP_TEST/add_device" "$at $size $*"
	mhp_write $compare/device "$from $rest $references $order" ||
		mhp_bad "struct pages of device memory" "as ever" "$MHP_ERRNO"
	remarks
	mhp_must "$MHP_TEST/remove_device" "$at"
	mhp_done "$name"
}

# seen NAME PAGES [HANDED-ON]: what memmap_test saw of so many pages that came online
seen()
{
	local -A n
	local what number

	while read -r what number; do
		n[$what]=$number
	done < $compare/seen
	mhp_equal "$1: pages" "$2" $((n[free] + n[in_use] + n[memmap]))
	[ "${n[in_use]}" -le $(($2 / 4)) ] ||
		mhp_bad "$1: pages that somebody allocated at once" "a quarter at most" "${n[in_use]}"
	mhp_equal "$1: pages that a driver got" "${3:-0}" "${n[handed_on]}"
	mhp_equal "$1: words that are not as ever" 0 "${n[wrong]}"
	remarks
	[ "${n[memmap]}" = 0 ] || mhp_note "$1: ${n[memmap]} pages hold struct pages"
}

# blocks HOW ZONE HANDED-ON [OPTION]: blocks of RAM, one after the other
blocks()
{
	local block

	mhp_must "$MHP_TEST/add_ram" "$start $size${4:+ $4}"
	mhp_nid $first
	mhp_must $compare/expect "$REPLY $2"
	for ((block = first; block < first + count; block++)); do
		mhp_must "$MHP_SYS/memory$block/state" "$1"
	done
	seen "$1" $((count * MHP_BLOCK_PAGES)) "$3"
	for ((block = first + count - 1; block >= first; block--)); do
		mhp_offline $block || {
			[ "$2" != Movable ] || mhp_bad "memory$block" offline "$MHP_ERRNO"
			MHP_STUCK[$block]=$2
		}
	done
	[ ${#MHP_STUCK[@]} != 0 ] || mhp_must "$MHP_TEST/remove_ram" "$start $size"
}

# at_once: a range of RAM that comes online when it is added, and goes as one
at_once()
{
	mhp_must $compare/expect "0 Movable"
	echo online_movable > "$MHP_SYS/auto_online_blocks"
	mhp_must "$MHP_TEST/add_ram" "$start $size 0"
	echo offline > "$MHP_SYS/auto_online_blocks"
	seen "at once" $((count * MHP_BLOCK_PAGES))
	mhp_must "$MHP_TEST/offline_and_remove_ram" "$start $size"
}

# again: a block of boot memory goes offline and comes back; fails if none can go
again()
{
	local block zone nid
	local -a all

	mhp_blocks all
	for block in "${all[@]}"; do
		mhp_state "$block"
		[ "$REPLY" = online ] || continue
		! mhp_driver_managed "$block" || continue
		mhp_zones "$block"
		zone=$REPLY
		# those in Movable are somebody's choice, to which they would not come back
		[ "$zone" != none ] && [ "$zone" != Movable ] || continue
		mhp_nid "$block"
		nid=$REPLY
		mhp_own "$block" "$zone"
		mhp_offline "$block" || continue
		mhp_must $compare/expect "$nid $zone"
		mhp_must "$MHP_SYS/memory$block/state" online_kernel
		seen "memory$block" "$MHP_BLOCK_PAGES"
		where=$zone
		return
	done
	return 1
}

mhp_plan 12

device "device memory" "$start" 0 1 0 generic
device "device memory, compound pages" "$start" 0 1 $huge generic compound_order=$huge
# enough for struct pages of up to 96 bytes, in whole pageblocks
memmap=$((count * MHP_BLOCK_PAGES * 96 + 2 * mib - 1))
memmap=$((memmap - memmap % (2 * mib)))
device "device memory with its memmap on it" "$start" $memmap 1 0 \
	generic altmap=$((memmap / MHP_PAGE_BYTES))
mhp_hex far $MHP_FAR
device "device private memory" "$far" 0 0 0 private
device "device private memory, compound pages" "$far" 0 0 $huge private compound_order=$huge

blocks online_movable Movable 0
mhp_done "blocks of RAM"
at_once
mhp_done "a range of RAM that comes online at once"
if mhp_memmap_on_memory; then
	blocks online_movable Movable 0 memmap_on_memory
	mhp_done "blocks of RAM with their memmap on them"
else
	mhp_pass_over "blocks of RAM with their memmap on them" "$REPLY"
fi
if module callback=1 2> "$MHP_TMP/module"; then
	blocks online_movable Movable $((count * MHP_BLOCK_PAGES))
	mhp_done "blocks of RAM that a driver gets first"
else
	mhp_pass_over "blocks of RAM that a driver gets first" "another one does: $(tail -n 1 "$MHP_TMP/module")"
fi
module
where=
if again; then
	mhp_done "boot memory that comes back, in $where"
else
	mhp_pass_over "boot memory that comes back" "none goes offline here"
fi
# Last, as memory that the kernel has got may stay for ever
mhp_must "$MHP_TEST/add_ram" "$start $size"
mhp_kernel_zone $first
zone=$REPLY
mhp_must "$MHP_TEST/remove_ram" "$start $size"
blocks online_kernel "$zone" 0
mhp_done "blocks of RAM in $zone"

if [ -z "$series" ]; then
	mhp_restore
	mhp_pass_over "everything is as before" "this kernel never shrinks ZONE_DEVICE"
	ktap_finished
fi
mhp_finish
