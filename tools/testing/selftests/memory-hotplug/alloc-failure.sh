#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Online and offline a memory block while the first, the second, … allocation
# fails, until none is left to fail. Each time it either works or is refused, with
# all counts and zones as before, and works when nothing fails.
#
# Needs fault injection for slab and pages (CONFIG_FAILSLAB,
# CONFIG_FAIL_PAGE_ALLOC, CONFIG_FAULT_INJECTION_DEBUG_FS).

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 200 "$@"
debugfs=/sys/kernel/debug
for file in /proc/self/fail-nth $debugfs/failslab $debugfs/fail_page_alloc; do
	[ -e "$file" ] || mhp_skip "no $file: this kernel has no fault injection"
done
mhp_remember
mhp_take 1
block=${MHP_TAKEN[0]}
state=$MHP_SYS/memory$block/state
most=1000	# allocations; more are a sign of an operation that never ends

for file in $debugfs/failslab/verbose $debugfs/fail_page_alloc/verbose; do
	mhp_keep "$file"
	echo 0 > "$file"
done
# Not only allocations that cannot wait, and not only large ones.
for file in $debugfs/failslab/ignore-gfp-wait $debugfs/fail_page_alloc/ignore-gfp-wait; do
	mhp_keep "$file"
	echo N > "$file"
done
mhp_keep $debugfs/fail_page_alloc/min-order
echo 0 > $debugfs/fail_page_alloc/min-order

# fail_nth N STATE: write STATE with the N-th allocation failing. LEFT is how many
# allocations short of the failure it ended, 0 if the failure came.
fail_nth()
{
	local status=0

	exec {nth}<> /proc/self/fail-nth
	exec {out}> "$state"
	echo "$1" >&"$nth"
	echo "$2" >&"$out" || status=1
	read -r LEFT < /proc/self/fail-nth || LEFT=0
	echo 0 > /proc/self/fail-nth || true
	exec {nth}>&- {out}>&-
	return "$status"
} 2>/dev/null

# same_as STATE: zones and counts are as they were when the block was in STATE
# shellcheck disable=SC2034 # by name
same_as()
{
	local -A now=()

	mhp_everything now
	mhp_compare "${1%_*}_counts" now
}

# every_failure TO BACK: from BACK to TO with each allocation failing in turn
every_failure()
{
	local n refused=0 survived=0

	for ((n = 1; n <= most; n++)); do
		if fail_nth "$n" "$1"; then
			survived=$((survived + 1))
			mhp_get "$state"
			mhp_equal "allocation $n fails, state after $1" "${1%_*}" "$REPLY"
			mhp_write "$state" "$2" || mhp_bad "back to $2" success "$MHP_ERRNO"
			[ "$LEFT" = 0 ] || break
		else
			refused=$((refused + 1))
			mhp_get "$state"
			mhp_equal "allocation $n fails, state" "${2%_*}" "$REPLY"
		fi
		same_as "$2"
		[ "$MHP_FAULTS" = 0 ] || break
	done
	mhp_note "$1: $refused refused, $survived came through"
	[ "$n" -le "$most" ] || mhp_bad "allocations to $1" "at most $most" "more"
	# The change itself allocates: if nothing was ever refused, nothing was tested.
	[ "$n" -gt 1 ] || mhp_bad "allocations to $1" "some" "none"
}

# shellcheck disable=SC2034 # by name
declare -A offline_counts=() online_counts=()

mhp_plan 3
mhp_everything offline_counts
every_failure online_movable offline
mhp_done "online memory$block, each allocation failing in turn"

mhp_online "$block" online_movable || mhp_bad "online memory$block" success "$MHP_ERRNO"
mhp_everything online_counts
every_failure offline online_movable
mhp_done "offline memory$block, each allocation failing in turn"

mhp_offline "$block" || mhp_bad "offline memory$block" success "$MHP_ERRNO"
mhp_finish
