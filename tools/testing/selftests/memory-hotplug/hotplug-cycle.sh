#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Plug a DIMM in, online it, use it, offline it, unplug it: on every node, and
# again. Each time everything is as it was before.
#
# usage: hotplug-cycle.sh [CYCLES] [BLOCKS]

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 180 "$@"
cycles=${1:-2}
nr=${2:-2}
mhp_host numa || mhp_skip "$REPLY"
mhp_remember

nodes=()
for dir in "$MHP_NODE"/node[0-9]*; do
	[ ! -e "$dir" ] || nodes+=("${dir##*/node}")
done
[ "${#nodes[@]}" -gt 0 ] || nodes=(0)

# shellcheck disable=SC2034 # by name
declare -A plugged online

cycle()
{
	local node=$1 dimm=$2 block sum free
	local mib=$((nr * MHP_BLOCK_MIB / 16))

	if ! mhp_dimm_add "$dimm" $((nr * MHP_BLOCK_MIB)) "$node"; then
		mhp_bad "plugging $dimm in" success "$REPLY"
		return
	fi
	for block in "${MHP_NEW[@]}"; do
		mhp_nid "$block"
		MHP_NID[$block]=$REPLY
		mhp_equal "node of memory$block" "$node" "$REPLY"
		# some firmware has it online by now
		mhp_state "$block"
		[ "$REPLY" = offline ] || mhp_offline "$block" ||
			mhp_bad "offline memory$block, just plugged in" success "$MHP_ERRNO"
	done
	mhp_counts plugged
	for block in "${MHP_NEW[@]}"; do
		mhp_online "$block" online_movable || mhp_bad "online memory$block" success "$MHP_ERRNO"
	done
	mhp_counts online
	mhp_equal "pages present in Movable of node $node" \
		$((${plugged["zone $node Movable present"]:-0} + nr * MHP_BLOCK_PAGES)) \
		"${online["zone $node Movable present"]}"

	free=${online["free $node Movable"]}
	mhp_fill "$node" "$mib" || mhp_bad "writing to node $node" success failure
	sum=$REPLY
	mhp_counts online
	free=$((free - ${online["free $node Movable"]}))
	[ $((free * MHP_PAGE_BYTES)) -ge $((mib << 19)) ] ||
		mhp_bad "pages of Movable in use" "$mib MiB" $((free * MHP_PAGE_BYTES >> 20))
	mhp_intact "$node" "$sum"

	for block in "${MHP_NEW[@]}"; do
		mhp_offline "$block" || mhp_bad "offline memory$block" success "$MHP_ERRNO"
	done
	mhp_counts online
	mhp_compare plugged online
	mhp_intact "$node" "$sum"
	mhp_release
	mhp_dimm_del "$dimm" || mhp_bad "unplugging $dimm" ok "$REPLY"
	mhp_same_as_before
}

mhp_plan $((cycles * ${#nodes[@]} + 1))
for ((i = 1; i <= cycles; i++)); do
	for node in "${nodes[@]}"; do
		cycle "$node" "cycle$i-$node"
		mhp_done "cycle $i on node $node: in, online, used, offline, out"
	done
done
mhp_finish
