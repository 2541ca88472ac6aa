#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A DIMM that brings a node its first memory, online for the kernel, and the
# kernel uses it. Offlining and unplugging it are refused at once, and all of
# it stays online.
#
# Linux 6.12 can go on for ever instead: it takes some slab pages for movable
# ones, by a list poison where other pages have their mapping.

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 120 "$@"
nr=2
mhp_host numa || mhp_skip "$REPLY"
command -v numactl > /dev/null || mhp_skip "no numactl here"

# list FILE: the numbers in a list like 0-2,4
list()
{
	local range ranges

	REPLY=
	IFS=, read -ra ranges < "$1" || true
	for range in "${ranges[@]}"; do
		REPLY+=" $(seq -s ' ' "${range%-*}" "${range#*-}")"
	done
}

list "$MHP_NODE/has_memory"
with=" $REPLY "
list "$MHP_NODE/possible"
node=
for nid in $REPLY; do
	[[ $with == *" $nid "* ]] || node=$nid
done
[ -n "$node" ] || mhp_skip "no node without memory"
mhp_remember
mhp_dimm_add kernel $((nr * MHP_BLOCK_MIB)) "$node" online_kernel || mhp_skip "no DIMM to be had: $REPLY"

# shellcheck disable=SC2034 # by name
declare -A before after

# stays: all blocks online, nothing miscounted
stays()
{
	local block

	for block in "${MHP_NEW[@]}"; do
		mhp_state "$block"
		mhp_equal "memory$block/state" online "$REPLY"
	done
	mhp_counts after
	mhp_compare before after
}

mhp_plan 4
for block in "${MHP_NEW[@]}"; do
	mhp_state "$block"
	[ "$REPLY" = online ] || mhp_online "$block" online_kernel ||
		mhp_bad "online_kernel memory$block" success "$MHP_ERRNO"
	mhp_nid "$block"
	mhp_equal "node of memory$block" "$node" "$REPLY"
done
list "$MHP_NODE/has_normal_memory"
[[ " $REPLY " == *" $node "* ]] || mhp_bad "has_normal_memory" "... $node" "$REPLY"
mhp_done "node $node has memory for the kernel"

mkdir "$MHP_TMP/many"
# shellcheck disable=SC2016 # for the other shell
numactl "--membind=$node" bash -c 'for ((i = 0; i < 2000; i++)); do : > "$1/$i"; done' - "$MHP_TMP/many"
mhp_counts before
busy=0
for block in "${MHP_NEW[@]}"; do
	mhp_zones "$block"
	zone=$REPLY
	if mhp_offline "$block" 1; then
		mhp_online "$block" online_kernel || mhp_bad "online_kernel memory$block" success "$MHP_ERRNO"
		continue
	fi
	busy=$((busy + 1))
	mhp_equal "offline memory$block in $zone, in use by the kernel" EBUSY "$MHP_ERRNO"
done
[ "$busy" -gt 0 ] || mhp_bad "blocks in use by the kernel" "at least 1" 0
stays
forever=$MHP_FAULTS
mhp_done "offlining is refused"

if [ "$forever" -gt 0 ]; then
	mhp_pass_over "unplugging is refused" "it would go on for ever, and nothing could stop it"
else
	if mhp_dimm_del kernel 15; then
		mhp_bad "unplugging" "error refused" ok
	else
		mhp_unplug_refused
		stays
	fi
	mhp_done "unplugging is refused"
fi

rm -r "$MHP_TMP/many"
echo 3 > /proc/sys/vm/drop_caches
for block in "${MHP_NEW[@]}"; do
	mhp_own "$block" offline
done
mhp_finish
