#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Many memory blocks that come online at once, when they are added, and go at once, all of
# them or, if one is refused, some: states and zones, struct pages (each word, see
# memmap-init.sh), watermarks and limits, which are computed at the end. Also with the
# memmap on the memory, with a driver that gets it first, and where the zone changes in
# between.
#
# Needs hidden memory, see mhp_ranges.sh.

# shellcheck disable=SC2154 # mhp_hex sets them
set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 400 "$@"
mhp_remember
mhp_need_ranges
mhp_need_hidden 3
mhp_need_memmap_test
# Those of several blocks are written in one go (64 shares with two CPUs), but not of all.
mhp_several_write $((MHP_BLOCK_MIB / 16))
# Watermarks that were raised for a while are not what is compared.
mhp_keep /proc/sys/vm/watermark_boost_factor
echo 0 > /proc/sys/vm/watermark_boost_factor
count=$((MHP_HIDDEN_BYTES / MHP_BLOCK_BYTES))
# From the tenth on, each second one makes the zone an eighth larger than it was when
# limits were computed, but not the last one of an odd number.
count=$((count > 15 ? 15 : count - 1 + count % 2))
first=$((MHP_HIDDEN / MHP_BLOCK_BYTES))
pages=$((count * MHP_BLOCK_PAGES))
mhp_hex start "$MHP_HIDDEN"
mhp_hex size $((count * MHP_BLOCK_BYTES))
before=$MHP_TMP/before

# comes TYPE [OPTION]: the range is added, and comes online
comes()
{
	echo "$1" > "$MHP_SYS/auto_online_blocks"
	mhp_must "$MHP_TEST/add_ram" "$start $size 0${2:+ $2}"
	echo offline > "$MHP_SYS/auto_online_blocks"
}

# goes: the range goes offline, and away; a page in use for a moment is worth another try,
# and so is a child of the shell that ends just then
goes()
{
	local try

	for try in {1..10}; do
		! mhp_write "$MHP_TEST/offline_and_remove_ram" "$start $size" || return 0
		[ "$MHP_ERRNO" = EBUSY ] || [ "$MHP_ERRNO" = EINTR ] || break
		sleep 0.2
	done
	mhp_bad "to go offline, $try times" success "$MHP_ERRNO"
}

# refusals: REPLY is how often memmap_test refused since mhp_expect
refusals()
{
	REPLY=$(awk '$1 == "refused" { print $2 }' "$MHP_COMPARE/seen")
}

# are STATE FROM TO: the states of some of the blocks, counted from 0
are()
{
	local block

	for ((block = first + $2; block < first + $3; block++)); do
		mhp_state $block
		mhp_equal "memory$block" "$1" "$REPLY"
	done
}

# limits FILE: watermarks, reserves, limits of pcplists, of all zones
limits()
{
	awk '/^Node|^ *(min|low|high|high_min|high_max|batch:|protection:)/ &&
	     $1 != "high:"' /proc/zoneinfo > "$1"
}

# up_to_date WHAT: limits are not different if they are computed anew
up_to_date()
{
	local file line

	limits "$MHP_TMP/limits"
	for file in watermark_scale_factor lowmem_reserve_ratio; do
		cat /proc/sys/vm/$file > "$MHP_TMP/setting"
		cat "$MHP_TMP/setting" > /proc/sys/vm/$file
	done
	# Only a change of it has pcplists looked at.
	mhp_get /proc/sys/vm/percpu_pagelist_high_fraction
	echo $((REPLY == 8 ? 9 : 8)) > /proc/sys/vm/percpu_pagelist_high_fraction
	echo "$REPLY" > /proc/sys/vm/percpu_pagelist_high_fraction
	limits "$MHP_TMP/computed"
	[ -s "$MHP_TMP/limits" ] || mhp_bad "$1: watermarks in /proc/zoneinfo" some none
	# A process that ends later would interrupt what comes next.
	diff "$MHP_TMP/limits" "$MHP_TMP/computed" > "$MHP_TMP/differ" || true
	while IFS= read -r line; do
		mhp_bad "$1: limits, computed anew" "no change" "$line"
	done < "$MHP_TMP/differ"
}

# refuse BLOCK|none: which one is to stay as it is, counted from 0
refuse()
{
	local at=none

	[ "$1" = none ] || mhp_hex at $((MHP_HIDDEN + $1 * MHP_BLOCK_BYTES))
	mhp_must "$MHP_COMPARE/refuse" "$at"
}

# all_come WHAT [OPTION]: all come online and go again; the second time, their struct
# pages are where others were
all_come()
{
	local hosting=0

	if [ -n "${2:-}" ]; then
		mhp_must "$MHP_TEST/add_ram" "$start $size 0 $2"
		mhp_spoil "$start" "$size"
		mhp_must "$MHP_TEST/remove_ram" "$start $size"
	fi
	mhp_expect 0 Movable
	comes online_movable "${2:-}"
	are online 0 $count
	up_to_date "$1"
	if [ -n "${2:-}" ]; then
		mhp_hosting $first $count
		hosting=$REPLY
	fi
	mhp_seen "$1" $pages "$handed_on" "$hosting"
	goes
	up_to_date "$1, when it is gone"
}

# some_come BLOCK: those before it come online; the others do later, one by one
some_come()
{
	local at rest block

	refuse "$1"
	mhp_expect 0 Movable
	comes online_movable
	are online 0 "$1"
	are offline "$1" $count
	mhp_seen "those before $1" $(($1 * MHP_BLOCK_PAGES))
	up_to_date "all before $1"
	refuse none

	mhp_hex at $((MHP_HIDDEN + $1 * MHP_BLOCK_BYTES))
	mhp_hex rest $(((count - $1) * MHP_BLOCK_BYTES))
	mhp_spoil "$at" "$rest"
	for ((block = first + $1; block < first + count; block++)); do
		mhp_must "$MHP_SYS/memory$block/state" online_movable
	done
	mhp_seen "all, $1 later" $pages
	goes
}

# some_go BLOCK: it does not; those which went come online again
some_go()
{
	local back=$1 try

	# without the series, the first one goes first
	[ ! -e "$MHP_PARAM/memmap_share" ] || back=$((count - 1 - $1))
	comes online_movable
	mhp_snapshot "$before"
	refuse "$1"
	for try in {1..10}; do
		mhp_expect 0 Movable
		if mhp_write "$MHP_TEST/offline_and_remove_ram" "$start $size"; then
			mhp_bad "$1 not to go offline" EBUSY success
			break
		fi
		[ "$MHP_ERRNO" = EINTR ] ||
			mhp_equal "$1 not to go offline" EBUSY "$MHP_ERRNO"
		# It may be another one that was busy.
		refusals
		[ "$REPLY" = 0 ] || break
	done
	mhp_equal "$1 refused, after $try times" 1 "$REPLY"
	refuse none
	mhp_unchanged "$1 not to go offline" "$before"
	mhp_seen "those that came back" $((back * MHP_BLOCK_PAGES))
	up_to_date "all but $1 went and came back"
	goes
}

# zones_change: about half of them are movable memory, as many as the policy allows
zones_change()
{
	local present block
	local -A zones=()

	present=$(awk '$1 == "present" { n += $2 } END { print n }' /proc/zoneinfo)
	mhp_keep "$MHP_PARAM/online_policy"
	mhp_keep "$MHP_PARAM/auto_movable_ratio"
	echo auto-movable > "$MHP_PARAM/online_policy"
	echo $((pages * 50 / present)) > "$MHP_PARAM/auto_movable_ratio"
	mhp_expect 0 any
	comes online
	are online 0 $count
	for ((block = first; block < first + count; block++)); do
		mhp_zones $block
		zones[$REPLY]=$((${zones[$REPLY]:-0} + 1))
	done
	[ ${#zones[@]} = 2 ] || mhp_bad "zones" "Movable and one of the kernel" "${!zones[*]}"
	mhp_note "memory blocks in ${!zones[*]}: ${zones[*]}"
	up_to_date "zones change"
	mhp_seen "zones change" $pages
	mhp_ram_goes $first $count
}

mhp_plan 8

handed_on=0
all_come "all at once"
all_come "all at once, again"
mhp_done "all come online at once"
if mhp_memmap_on_memory $count; then
	all_come "with their memmap on them" memmap_on_memory
	mhp_done "with their memmap on them"
else
	mhp_pass_over "with their memmap on them" "$REPLY"
fi
if mhp_memmap_test callback=1; then
	handed_on=$pages
	all_come "a driver gets them first"
	mhp_done "a driver gets them first"
else
	mhp_pass_over "a driver gets them first" "another one does: $(tail -n 1 "$MHP_TMP/module")"
fi
mhp_memmap_test
handed_on=0

for block in 0 $((count / 2)) $((count - 1)); do
	some_come $block
done
mhp_done "one is not to come online"
for block in 0 $((count / 2)) $((count - 1)); do
	some_go $block
done
mhp_done "one is not to go offline"
comes online_movable
mhp_offline $((first + count / 2)) ||
	mhp_bad "memory$((first + count / 2))" offline "$MHP_ERRNO"
goes
mhp_done "one is offline already"
# Last, as memory that the kernel has got may stay for ever
zones_change
mhp_done "zones change in between"
mhp_finish
