#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What /proc/zoneinfo, /proc/meminfo, /proc/vmstat and each node's meminfo
# count, after every single online and offline of memory blocks on all nodes:
# it must be what a model says, to the page (free pages: nearly).
#
# usage: zone-accounting.sh [SEED]

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 120 "$@"
seed=${1:-${MHP_SEED:-$RANDOM}}
RANDOM=$seed
mhp_remember
mhp_take 16

# shellcheck disable=SC2034 # by name
declare -A base expected actual
mhp_counts base

# step BLOCK online_kernel|online_movable|offline: do it and count
step()
{
	local block=$1 action=$2 zone

	if [ "$action" = offline ]; then
		mhp_zones "$block"
		zone=$REPLY
		if ! mhp_offline "$block"; then
			mhp_refused "$block" "$zone"
			busy=$((busy + 1))
			mhp_counts actual
			mhp_compare expected actual
			return
		fi
		mhp_model expected base "$block" "$zone" -1
		mhp_counts actual
	else
		mhp_kernel_zone "$block"
		zone=$REPLY
		[ "$action" = online_kernel ] || zone=Movable
		if ! mhp_online "$block" "$action"; then
			mhp_bad "$action memory$block" success "$MHP_ERRNO"
			return
		fi
		mhp_counts actual
		mhp_learn_hosting actual expected "$block" "$zone"
		mhp_model expected base "$block" "$zone" 1
	fi
	steps=$((steps + 1))
	mhp_compare expected actual
	mhp_check_free expected actual "${MHP_NID[$block]} $zone"
}

# pass DESCRIPTION TYPE...: all blocks online in random order, each by the next
# of the types; offline in another order; spans as at first
pass()
{
	local description=$1 block
	local -a order=("${MHP_TAKEN[@]}")
	shift

	mhp_counts expected
	mhp_shuffle order
	for block in "${order[@]}"; do
		mhp_state "$block"
		[ "$REPLY" = offline ] || continue
		step "$block" "$1"
		set -- "$@" "$1"
		shift
	done
	mhp_shuffle order
	for block in "${order[@]}"; do
		[ -z "${MHP_IN[$block]:-}" ] || step "$block" offline
	done
	if [ "${#MHP_IN[@]}" -eq 0 ]; then
		mhp_counts actual
		mhp_compare base actual
	fi
	mhp_done "$description"
}

steps=0
busy=0
mhp_plan 6
mhp_note "seed $seed, blocks: ${MHP_TAKEN[*]}"

pass "all in Movable: counts and spans right at every step" online_movable
pass "again, in another order" online_movable

hosting=0
for block in "${MHP_TAKEN[@]}"; do
	[ "${MHP_HOSTS[$block]:-0}" -eq 0 ] || hosting=$((hosting + 1))
done
mhp_note "$hosting of ${#MHP_TAKEN[@]} blocks hold their own memmap"
mhp_memmap_pages
[ "$REPLY" != 0 ] || mhp_equal "blocks that hold their own memmap" 0 "$hosting"
mhp_done "memmap on memory only where it was asked for"

# Kernel zones: what is online there may be busy from now on.
mhp_counts expected
for block in "${MHP_TAKEN[@]}"; do
	step "$block" online_kernel
	[ -z "${MHP_IN[$block]:-}" ] || step "$block" offline
done
mhp_done "one by one in a kernel zone"

pass "kernel zone and Movable by turns" online_kernel online_movable
mhp_note "$steps steps, $busy times a block was busy"
mhp_finish
