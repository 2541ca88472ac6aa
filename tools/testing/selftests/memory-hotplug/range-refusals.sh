#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What cannot be added or removed is refused with the right error and a line or
# two in the log, and nothing changes: RAM offered as device memory and the
# reverse, overlaps, what is not aligned or not addressable, removing what was
# never added, is online, or has gone, and two who remove or online at once.
#
# The ranges are those of the module mhp_test. Needs hidden memory: see
# mhp_ranges.sh.

# shellcheck disable=SC2154 # mhp_hex sets them
set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 300 "$@"
mhp_remember
mhp_need_ranges
mhp_need_hidden 3
rounds=8
most=80		# rounds, if two at once always end alike
before=$MHP_TMP/before

# warnings, not what an architecture says of its page tables or a slow machine of its clock
log_lines()
{
	dmesg -l emerg,alert,crit,err,warn |
		{ grep -v ' hash-mmu: \| hrtimer: ' || true; } > "$MHP_TMP/log"
	REPLY=$(wc -l < "$MHP_TMP/log")
}

# refuse FILE TEXT ERROR WHAT
refuse()
{
	local lines

	dmesg -c > /dev/null
	if mhp_write "$MHP_TEST/$1" "$2"; then
		mhp_bad "$4: $1 '$2'" "$3" success
	else
		mhp_equal "$4: $1 '$2'" "$3" "$MHP_ERRNO"
	fi
	log_lines
	lines=$REPLY
	# one of the kernel, one of the module
	[ "$lines" -ge 1 ] && [ "$lines" -le 2 ] || {
		mhp_bad "$4: lines in the log" "1 or 2" "$lines"
		mhp_note "$(< "$MHP_TMP/log")"
	}
	mhp_unchanged "$4" "$before"
}

mhp_hex block "$MHP_BLOCK_BYTES"
mhp_hex two $((2 * MHP_BLOCK_BYTES))
mhp_hex three $((3 * MHP_BLOCK_BYTES))
mhp_hex a "$MHP_HIDDEN"
mhp_hex b $((MHP_HIDDEN + MHP_BLOCK_BYTES))
mhp_hex c $((MHP_HIDDEN + 2 * MHP_BLOCK_BYTES))
mhp_hex page "$MHP_PAGE_BYTES"
mhp_hex crooked $((MHP_HIDDEN + MHP_PAGE_BYTES))
mhp_hex half $((MHP_BLOCK_BYTES / 2))
mhp_hex half_a $((MHP_HIDDEN + MHP_BLOCK_BYTES / 2))
wrap="$(printf '%#x %#x' $((-2 * MHP_BLOCK_BYTES)) $((4 * MHP_BLOCK_BYTES)))"
mhp_hex beyond $((1 << 60))
state=$MHP_SYS/memory$((MHP_HIDDEN / MHP_BLOCK_BYTES))/state
next=$MHP_SYS/memory$((MHP_HIDDEN / MHP_BLOCK_BYTES + 1))/state
# the last memory block of RAM that the kernel was told of
ram=0
while IFS=' -' read -r from to _ what; do
	[ "$what" = "System RAM" ] || continue
	from=$((16#$from)) to=$((16#$to + 1))
	[ $((to / MHP_BLOCK_BYTES)) -le $(((from + MHP_BLOCK_BYTES - 1) / MHP_BLOCK_BYTES)) ] ||
		mhp_hex ram $(((to / MHP_BLOCK_BYTES - 1) * MHP_BLOCK_BYTES))
done < /proc/iomem
# It is boot memory, which can never be removed on arm64 (see boot-memory.sh).
online=EBUSY
[ "$(uname -m)" != aarch64 ] || online=EPERM
sub=2M

# use_block NUMBER: online and offline
use_block()
{
	local file=$MHP_SYS/memory$1/state

	mhp_must "$file" online_movable
	mhp_must "$file" offline
}

mhp_plan 10

mhp_snapshot "$before"
refuse add_ram "$crooked $block" EINVAL "RAM that starts inside a block"
refuse add_ram "$a $half" EINVAL "RAM that ends inside a block"
refuse add_ram "$a 0" E2BIG "no RAM"
refuse add_ram "$beyond $block 0" E2BIG "RAM beyond what can be addressed"
refuse add_ram "$ram $block" EEXIST "RAM that is there"
mhp_done "bad RAM is not added"

refuse remove_ram "$crooked $block" EINVAL "RAM that starts inside a block"
refuse remove_ram "$a 0" EINVAL "no RAM"
refuse remove_ram "$a $block" ENOENT "RAM that was never added"
refuse remove_ram "$ram $block" "$online" "RAM that is online"
refuse remove_ram "$wrap" EINVAL "RAM around the end of all addresses"
refuse offline_and_remove_ram "$wrap" EINVAL "RAM around the end of all addresses"
refuse offline_and_remove_ram "$crooked $block" EINVAL "RAM that starts inside a block"
refuse offline_and_remove_ram "$a $block" ENOENT "RAM that was never added"
mhp_must "$MHP_TEST/add_ram" "$a $block"
mhp_snapshot "$before"
refuse remove_ram "$a $two" ENOENT "RAM of which the second half was never added"
mhp_must "$MHP_TEST/remove_ram" "$a $block"
mhp_snapshot "$before"
refuse remove_ram "$a $block" ENOENT "RAM that has gone"
# What had gone offline is online again.
mhp_must "$MHP_TEST/add_ram" "$a $two"
mhp_must "$state" online_movable
mhp_must "$next" online_movable
mhp_snapshot "$before"
refuse offline_and_remove_ram "$a $three" ENOENT "RAM of which the last third was never added"
mhp_must "$MHP_TEST/offline_and_remove_ram" "$a $two"
mhp_snapshot "$before"
mhp_done "what cannot be removed stays"

# Memory that lies where the struct pages of other memory are cannot go without that.
place=system
mhp_must "$MHP_TEST/add_ram" "$a $three memmap_on_memory"
[ ! -e "${state%/*}/memmap_placement" ] || place=$(< "${state%/*}/memmap_placement")
mhp_snapshot "$before"
if [ "$place" = leading ]; then
	refuse remove_ram "$a $block" EINVAL "the start of memory that hosts its memmap"
	refuse remove_ram "$c $block" EINVAL "the end of memory that hosts its memmap"
	refuse offline_and_remove_ram "$b $two" EINVAL "more of the end"
fi
mhp_must "$MHP_TEST/remove_ram" "$a $three"
mhp_snapshot "$before"
if [ "$place" = leading ]; then
	mhp_done "memory that hosts its memmap goes as a whole"
else
	mhp_pass_over "memory that hosts its memmap goes as a whole" "the memmap of three blocks is placed $place"
fi

refuse add_device "$crooked $sub generic noclaim" EINVAL "a start inside a subsection"
refuse add_device "$a $page generic noclaim" EINVAL "an end inside a subsection"
refuse add_device "$beyond $block generic 0 noclaim" EINVAL "beyond what can be addressed"
refuse add_device "$beyond $block private 0 noclaim" EINVAL "private, beyond what can be addressed"
refuse add_device "$ram $block generic noclaim" ENXIO "RAM as device memory"
refuse add_device "$ram $block private noclaim" ENXIO "RAM as private memory"
mhp_done "bad device memory is not added"

mhp_must "$MHP_TEST/add_ram" "$b $block"
mhp_snapshot "$before"
refuse add_device "$b $block generic noclaim" ENXIO "offline RAM as device memory"
refuse add_device "$a $two generic noclaim" ENXIO "a range of which half is offline RAM"
refuse add_device "$a,$b $block,$block generic noclaim" ENXIO "the second of two ranges is RAM"
refuse add_device "$b $block generic" EBUSY "a region that is claimed"
mhp_must "$MHP_TEST/remove_ram" "$b $block"
mhp_done "RAM is not added as device memory"

mhp_must "$MHP_TEST/add_device" "$half_a $sub generic"
mhp_snapshot "$before"
refuse add_ram "$a $block" EEXIST "device memory as RAM"
refuse add_device "$half_a $sub generic noclaim" EBUSY "the same device memory"
refuse add_device "$a $block generic noclaim" EBUSY "a range around other device memory"
refuse add_device "$a,$half_a $sub,$block generic noclaim" EBUSY "the second of two ranges is taken"
refuse remove_ram "$a $block" ENOENT "device memory removed as RAM"
refuse remove_device "$a" ENOENT "device memory that was never added"
mhp_must "$MHP_TEST/remove_device" "$half_a"
mhp_snapshot "$before"
refuse remove_device "$half_a" ENOENT "device memory that has gone"
mhp_must "$MHP_TEST/add_device" "$half_a $sub generic noclaim"
mhp_snapshot "$before"
refuse add_ram "$a $block" EEXIST "device memory without a region as RAM"
mhp_must "$MHP_TEST/remove_device" "$half_a"
mhp_snapshot "$before"
mhp_done "device memory does not overlap"

# Two pieces that came one by one, and a third, go in one.
mhp_must "$MHP_TEST/add_ram" "$a $block"
mhp_must "$MHP_TEST/add_ram" "$b $two"
mhp_must "$MHP_TEST/remove_ram" "$a $two"
mhp_must "$MHP_TEST/remove_ram" "$c $block"
mhp_unchanged "added as one and two blocks, removed as two and one" "$before"
mhp_done "RAM goes in other pieces than it came in"

# A GiB may be mapped by one entry of the page tables, of which a block is part.
gib=$((1 << 30))
parts=$((gib / MHP_BLOCK_BYTES))
if [ "$MHP_HIDDEN_BYTES" -lt $gib ] || [ $((MHP_HIDDEN % gib)) != 0 ] || [ $parts -lt 2 ]; then
	mhp_pass_over "a GiB goes block by block" "no GiB of whole blocks is hidden"
else
	for from in 0 $((parts / 2)); do
		mhp_must "$MHP_TEST/add_ram" "$a 1G"
		for ((i = 0; i < parts; i++)); do
			mhp_hex one $((MHP_HIDDEN + (from + i) % parts * MHP_BLOCK_BYTES))
			mhp_must "$MHP_TEST/remove_ram" "$one $block"
			[ $i -ge $((parts - 1)) ] || {
				# what is still there works
				mhp_hex one $((MHP_HIDDEN + (from + i + 1) % parts * MHP_BLOCK_BYTES))
				use_block $((one / MHP_BLOCK_BYTES))
			}
		done
		mhp_unchanged "block by block from number $from" "$before"
	done
	mhp_done "a GiB goes block by block"
fi

# compete WHO: remove the block; the one who did adds a line to the winners
compete()
{
	trap - ERR EXIT
	if echo "$a $block" > "$MHP_TEST/remove_ram"; then
		echo "$1" >> "$MHP_TMP/winners"
	fi
} 2> /dev/null

# Both end up one way or the other; none of them hangs, nothing is half done.
removed=0 kept=0
for ((i = 0; i < most && (i < rounds || !removed || !kept); i++)); do
	mhp_must "$MHP_TEST/add_ram" "$a $block"
	commands=("online_movable $state" "$a $block $MHP_TEST/remove_ram")
	pids=()
	for n in $((i % 2)) $(((i + 1) % 2)); do
		{ echo "${commands[n]% *}" > "${commands[n]##* }" || true; } 2> /dev/null &
		pids+=($!)
	done
	wait "${pids[@]}"
	if [ -e "$state" ]; then
		kept=$((kept + 1))
		mhp_get "$state"
		mhp_equal "RAM that was not removed" online "$REPLY"
		mhp_must "$MHP_TEST/offline_and_remove_ram" "$a $block"
	else
		removed=$((removed + 1))
	fi
	mhp_unchanged "online and remove at once" "$before"
done
mhp_note "online and remove at once: $removed times removed, $kept times online"
[ "$removed" -gt 0 ] && [ "$kept" -gt 0 ] ||
	mhp_bad "online and remove at once, in $i rounds" "each of them first now and then" "always the same"

# Those who are in a file of a memory block hold removal up, not the system.
for ((i = 0; i < rounds; i++)); do
	mhp_must "$MHP_TEST/add_ram" "$a $two"
	pids=()
	: > "$MHP_TMP/reading"
	for file in "${state%/*}"/{state,valid_zones,removable}; do
		( trap - ERR EXIT; while [ -e "$MHP_TMP/reading" ] && cat "$file"; do :; done ) > /dev/null 2>&1 &
		pids+=($!)
	done
	mhp_must "$MHP_TEST/remove_ram" "$a $two"
	rm "$MHP_TMP/reading"
	wait "${pids[@]}" || true
	mhp_unchanged "removed while its files are read" "$before"
done
for ((i = 0; i < rounds; i++)); do
	mhp_must "$MHP_TEST/add_ram" "$a $block"
	: > "$MHP_TMP/winners"
	pids=()
	for who in 1 2; do
		compete "$who" &
		pids+=($!)
	done
	wait "${pids[@]}"
	[ "$(wc -l < "$MHP_TMP/winners")" = 1 ] ||
		mhp_bad "two remove the same: one of them" 1 "$(wc -l < "$MHP_TMP/winners")"
	mhp_unchanged "removed by two" "$before"
done
mhp_done "two at once"

mhp_finish
