#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A notifier refuses to let memory go online or offline, as the first and as the
# last one that is asked: the errno is the notifier's, all that can be seen is as
# before (/proc/iomem, zones, counters, memory blocks, extents), no memory is lost,
# and the next attempt works. With the memmap in RAM and, where the kernel does
# that, in the block itself.
#
# Needs hidden memory (see mhp_ranges.sh) and memory-notifier-error-inject.

# shellcheck disable=SC2154 # mhp_hex sets them
set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 300 "$@"
mhp_remember
mhp_need_ranges
mhp_need_hidden 2
module=memory-notifier-error-inject
actions=/sys/kernel/debug/notifier-error-inject/memory/actions
before=$MHP_TMP/before
rounds=3
slack=64	# pages that may come and go in a system at rest; fewer than refusals
declare -A errno=([-12]=ENOMEM [-16]=EBUSY [-5]=EIO)

modprobe -r "$module" 2> /dev/null || true
[ ! -e "$actions" ] || mhp_skip "$module is built in: it cannot be told when to be asked"
modprobe "$module" 2> /dev/null || mhp_skip "no module $module in this kernel (CONFIG_MEMORY_NOTIFIER_ERROR_INJECT)"

mhp_hex start "$MHP_HIDDEN"
mhp_hex block "$MHP_BLOCK_BYTES"
mhp_hex two $((2 * MHP_BLOCK_BYTES))
number=$((MHP_HIDDEN / MHP_BLOCK_BYTES))
state=$MHP_SYS/memory$number/state
next=$MHP_SYS/memory$((number + 1))/state

# unload: nothing is left to be written back
unload()
{
	unset "MHP_KEPT[$actions/MEM_GOING_ONLINE/error]" "MHP_KEPT[$actions/MEM_GOING_OFFLINE/error]"
	modprobe -r "$module" || mhp_bad "unload $module" success failure
}

# asked first|last: when the module is asked, as compared to other notifiers
asked()
{
	local priority=2147483647

	[ "$1" = first ] || priority=-2147483648
	unload
	modprobe "$module" priority=$priority || mhp_bad "load $module" success failure
}

# refused ACTION ERROR FILE TEXT WHAT: one write that the notifier refuses
refused()
{
	mhp_snapshot "$before"
	[ -n "${MHP_KEPT["$actions/$1/error"]:-}" ] || mhp_keep "$actions/$1/error"
	mhp_must "$actions/$1/error" "$2"
	if mhp_write "$3" "$4"; then
		mhp_bad "$5" "${errno[$2]}" success
	else
		mhp_equal "$5" "${errno[$2]}" "$MHP_ERRNO"
	fi
	mhp_must "$actions/$1/error" 0
	mhp_unchanged "$5" "$before"
}

# hosting [OPTION]: a block of RAM added with OPTION holds its own memmap, or not
hosting()
{
	local before pages
	local -A counts

	mhp_counts counts
	before=${counts[MemTotal]}
	mhp_must "$state" online_movable
	mhp_counts counts
	mhp_must "$state" offline
	pages=$((MHP_BLOCK_PAGES - (counts[MemTotal] - before) / (MHP_PAGE_BYTES / 1024)))
	REPLY=0
	[ -z "${1:-}" ] || mhp_memmap_pages
	[[ " $REPLY " == *" $pages "* ]] || mhp_bad "pages that hold the memmap" "one of $REPLY" "$pages"
}

# refusals WHAT [OPTION]: of RAM added with OPTION, all the way and back
refusals()
{
	local i err

	mhp_must "$MHP_TEST/add_ram" "$start $two${2:+ $2}"
	hosting "${2:-}"
	for ((i = 0; i < rounds; i++)); do
		for err in "${!errno[@]}"; do
			refused MEM_GOING_ONLINE "$err" "$state" online_movable "$1 not to go online"
		done
		mhp_must "$state" online_movable
		mhp_must "$next" online_movable
		for err in "${!errno[@]}"; do
			refused MEM_GOING_OFFLINE "$err" "$state" offline "$1 not to go offline"
		done
		refused MEM_GOING_OFFLINE -16 "$MHP_TEST/offline_and_remove_ram" "$start $two" \
			"$1, both blocks, not to go away"
		mhp_must "$state" offline
		mhp_must "$next" offline
	done
	mhp_must "$MHP_TEST/remove_ram" "$start $two"
}

mhp_plan 7

# A first round fills the caches that stay.
refusals "RAM"
mhp_done "a notifier refuses"
mhp_free
free=$REPLY

for when in first last; do
	asked $when
	refusals "RAM"
	mhp_done "the $when notifier refuses"
	if mhp_memmap_on_memory; then
		refusals "RAM with its memmap on it" memmap_on_memory
		mhp_done "the $when notifier refuses, memmap on memory"
	else
		mhp_pass_over "the $when notifier refuses, memmap on memory" "$REPLY"
	fi
done
unload

mhp_none_lost "$free" "$slack"
mhp_finish
