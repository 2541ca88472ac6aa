#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Online and offline a memory block while the first, the second, … allocation
# fails, until none is left to fail. Each time it either works or is refused, with
# all counts and zones as before, and works when nothing fails.
#
# Needs fault injection: see mhp_faults.sh.

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 200 "$@"
mhp_need_faults
mhp_remember
mhp_take 1
block=${MHP_TAKEN[0]}
state=$MHP_SYS/memory$block/state
most=1000	# allocations; more are a sign of an operation that never ends

mhp_set_up_faults

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
		if mhp_fail_nth "$n" "$state" "$1"; then
			survived=$((survived + 1))
			mhp_get "$state"
			mhp_equal "allocation $n fails, state after $1" "${1%_*}" "$REPLY"
			mhp_write "$state" "$2" || mhp_bad "back to $2" success "$MHP_ERRNO"
			[ "$MHP_LEFT" = 0 ] || break
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
