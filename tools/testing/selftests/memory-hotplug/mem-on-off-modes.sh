#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs mem-on-off-test.sh in its modes: as it is, on half of the memory, and
# with errors injected into the notifiers; tells KTAP what came of it.
#
# The boot parameter memory_hotplug.memmap_on_memory is the caller's. What it
# says must be what happens, and MemTotal is the witness: a block that holds
# its own memmap adds less to it.

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 350 "$@"
script=$(dirname "$0")/mem-on-off-test.sh
[ -e "$script" ] || mhp_skip "$script is missing"
command -v bc > /dev/null || mhp_skip "mem-on-off-test.sh needs bc"
mhp_remember
mhp_take 8

mode=N
[ ! -e "$MHP_PARAM/memmap_on_memory" ] || {
	mhp_get "$MHP_PARAM/memmap_on_memory"
	mode=$REPLY
}

# run DESCRIPTION ARGUMENT...: 0 is passed, 4 skipped, anything else failed
run()
{
	local description=$1 status=0
	shift

	bash "$script" "$@" > "$MHP_TMP/output" 2>&1 || status=$?
	sed 's/^/# /' "$MHP_TMP/output"
	if [ "$status" -eq 4 ]; then
		mhp_pass_over "$description" "$(tail -n 1 "$MHP_TMP/output")"
		return
	fi
	mhp_equal "exit status of mem-on-off-test.sh $*" 0 "$status"
	mhp_done "$description"
}

mhp_plan 5
# The script takes any block of the system, and leaves all of them online.
blocks=()
mhp_blocks blocks
for block in "${blocks[@]}"; do
	[ -z "${MHP_WAS[$block]:-}" ] || continue
	mhp_state "$block"
	state=$REPLY
	mhp_zones "$block"
	zone=$REPLY
	[ "$state" = online ] || zone=offline
	mhp_own "$block" "$zone"
done

declare -A before after
mhp_counts before
for block in "${MHP_TAKEN[@]}"; do
	mhp_online "$block" online_movable || mhp_bad "online memory$block" success "$MHP_ERRNO"
done
mhp_counts after
mhp_memmap_pages
kb=$(((after[MemTotal] - before[MemTotal]) / ${#MHP_TAKEN[@]}))
expected=()
for pages in $REPLY; do
	expected+=($(((MHP_BLOCK_PAGES - pages) * (MHP_PAGE_BYTES / 1024))))
done
mhp_note "each of ${#MHP_TAKEN[@]} blocks adds $kb kB to MemTotal"
[[ " ${expected[*]} " == *" $kb "* ]] ||
	mhp_bad "MemTotal of a block, memmap_on_memory=$mode" "one of ${expected[*]}" "$kb"
mhp_done "memmap_on_memory=$mode is in effect"
for block in "${MHP_TAKEN[@]}"; do
	mhp_offline "$block" || true
done

run "mem-on-off-test.sh"
run "mem-on-off-test.sh -r 50" -r 50

if grep -q 'skip extra tests' "$MHP_TMP/output"; then
	mhp_pass_over "errors injected" "$(grep 'skip extra tests' "$MHP_TMP/output")"
else
	mhp_done "errors injected"
fi
mhp_finish
