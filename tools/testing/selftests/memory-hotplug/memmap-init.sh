#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The struct pages of added memory, each word of each: as Linux 6.12 leaves them, in
# which zone ever the memory comes online, wherever its memmap is, and whether a driver
# gets it first; and those of device memory of each kind. With init_on_free=1, pages are
# wiped, too. The module memmap_test has what is compared with. Memory that comes online at
# once: range-at-once.sh.
#
# Needs hidden memory, see mhp_ranges.sh. Several CPUs write the struct pages, if there are
# several: memory_hotplug.memmap_share is 2 here.

# shellcheck disable=SC2154 # mhp_hex sets them
set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 300 "$@"
mhp_remember
mhp_need_ranges
mhp_need_hidden 2
mhp_several_write 2
mhp_need_memmap_test
count=$((MHP_HIDDEN_BYTES / MHP_BLOCK_BYTES))
[ $count -le 4 ] || count=4
first=$((MHP_HIDDEN / MHP_BLOCK_BYTES))
mib=$((1 << 20))
huge=0	# the order of 2 MiB
while [ $((MHP_PAGE_BYTES << huge)) -lt $((2 * mib)) ]; do
	huge=$((huge + 1))
done
mhp_hex start "$MHP_HIDDEN"
bytes=$((count * MHP_BLOCK_BYTES))
mhp_hex size $bytes

# device NAME START SIZE OFFSET REFERENCES ORDER OPTION...: adds, compares from the
# offset on, removes
device()
{
	local name=$1 at=$2 references=$5 order=$6 size from rest

	mhp_hex size "$3"
	mhp_hex from $((at + $4))
	mhp_hex rest $((size - $4))
	shift 6
	mhp_must "$MHP_TEST/add_device" "$at $size $*"
	mhp_device_pages "$from" "$rest" "$references" "$order"
	mhp_must "$MHP_TEST/remove_device" "$at"
	mhp_done "$name"
}

# blocks HOW ZONE HANDED-ON [OPTION]: blocks of RAM, one after the other
blocks()
{
	local block

	mhp_must "$MHP_TEST/add_ram" "$start $size${4:+ $4}"
	mhp_spoil "$start" "$size"
	mhp_nid $first
	mhp_expect "$REPLY" "$2"
	for ((block = first; block < first + count; block++)); do
		mhp_must "$MHP_SYS/memory$block/state" "$1"
	done
	REPLY=0
	[ -z "${4:-}" ] || mhp_hosting $first $count
	mhp_seen "$1" $((count * MHP_BLOCK_PAGES)) "$3" "$REPLY"
	mhp_ram_goes $first $count
}

# again: a block of boot memory goes offline and comes back; fails if none can go
again()
{
	local block zone nid at
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
		mhp_expect "$nid" "$zone"
		mhp_hex at $((block * MHP_BLOCK_BYTES))
		mhp_spoil "$at" "$MHP_BLOCK_BYTES"
		mhp_must "$MHP_SYS/memory$block/state" online_kernel
		mhp_seen "memory$block" "$MHP_BLOCK_PAGES"
		where=$zone
		return
	done
	return 1
}

mhp_plan 16

device "device memory" "$start" $bytes 0 1 0 generic
device "device memory, compound pages" "$start" $bytes 0 1 $huge generic compound_order=$huge
# enough for struct pages of up to 96 bytes, in whole pageblocks
memmap=$((count * MHP_BLOCK_PAGES * 96 + 2 * mib - 1))
memmap=$((memmap - memmap % (2 * mib)))
altmap=altmap=$((memmap / MHP_PAGE_BYTES))
device "device memory with its memmap on it" "$start" $bytes $memmap 1 0 generic $altmap
device "device memory with its memmap on it, compound pages" "$start" $bytes $memmap 1 $huge \
	generic $altmap compound_order=$huge
mhp_hex odd $((MHP_HIDDEN + 2 * mib))
device "device memory that is no whole sections" "$odd" $((bytes - 6 * mib)) 0 1 0 generic
mhp_hex far $MHP_FAR
device "device private memory" "$far" $bytes 0 0 0 private
device "device private memory, compound pages" "$far" $bytes 0 0 $huge private compound_order=$huge
device "device coherent memory" "$start" $bytes 0 0 0 coherent

blocks online_movable Movable 0
mhp_done "blocks of RAM"
if mhp_memmap_on_memory $count; then
	blocks online_movable Movable 0 memmap_on_memory
	mhp_done "blocks of RAM with their memmap on them"
else
	mhp_pass_over "blocks of RAM with their memmap on them" "$REPLY"
fi
if mhp_memmap_test callback=1; then
	blocks online_movable Movable $((count * MHP_BLOCK_PAGES))
	mhp_done "blocks of RAM that a driver gets first"
else
	mhp_pass_over "blocks of RAM that a driver gets first" "another one does: $(tail -n 1 "$MHP_TMP/module")"
fi
for callback in 0 1; do
	name="free pages are wiped$([ $callback = 0 ] || echo ", those that a driver got first")"
	if ! grep -q 'mem auto-init:.* heap free:on' <(dmesg); then
		mhp_pass_over "$name" "this kernel wipes none (init_on_free=1)"
	elif ! mhp_memmap_test callback=$callback wiped=1; then
		mhp_pass_over "$name" "another driver gets them: $(tail -n 1 "$MHP_TMP/module")"
	else
		blocks online_movable Movable $((callback * count * MHP_BLOCK_PAGES))
		mhp_done "$name"
	fi
done
mhp_memmap_test
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

if [ ! -e "$MHP_PARAM/memmap_share" ]; then
	mhp_restore
	mhp_pass_over "everything is as before" "this kernel never shrinks ZONE_DEVICE"
	ktap_finished
fi
mhp_finish
