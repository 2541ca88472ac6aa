#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# online_kernel, online_movable and online put a memory block into the zone
# they name, and into that zone only; the next time it may be another.

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 60 "$@"
mhp_remember
mhp_take 4
[ "${#MHP_TAKEN[@]}" -ge 3 ] || mhp_skip "needs three memory blocks, found ${#MHP_TAKEN[@]}"

# shellcheck disable=SC2034 # by name
declare -A base was expected actual
mhp_counts base

# through BLOCK TYPE ZONE: online BLOCK by TYPE, find it in ZONE, offline it
through()
{
	local block=$1 type=$2 zone=$3

	mhp_counts was
	mhp_counts expected
	if ! mhp_online "$block" "$type"; then
		mhp_bad "$type memory$block" success "$MHP_ERRNO"
		return
	fi
	mhp_state "$block"
	mhp_equal "memory$block/state after $type" online "$REPLY"
	mhp_zones "$block"
	mhp_equal "memory$block/valid_zones after $type" "$zone" "$REPLY"
	mhp_counts actual
	mhp_learn_hosting actual was "$block" "$zone"
	mhp_model expected base "$block" "$zone" 1
	mhp_compare expected actual

	if ! mhp_offline "$block"; then
		mhp_refused "$block" "$zone"
		return
	fi
	mhp_model expected base "$block" "$zone" -1
	mhp_counts actual
	mhp_compare expected actual
	mhp_compare was actual
}

mhp_plan 7
block=${MHP_TAKEN[0]}
mhp_zones "$block"
default=${REPLY%% *}
mhp_kernel_zone "$block"
kernel=$REPLY
mhp_note "memory$block: kernel zone $kernel, default $default"

through "$block" online_movable Movable
mhp_done "online_movable puts a block into Movable"

through "$block" online "$default"
mhp_done "online puts a block into the first of valid_zones"

# Neighbours: online follows them (policy contig-zones, which is the default)
low=${MHP_TAKEN[0]}
middle=${MHP_TAKEN[1]}
high=${MHP_TAKEN[2]}
REPLY=contig-zones
[ ! -e "$MHP_PARAM/online_policy" ] || mhp_get "$MHP_PARAM/online_policy"
if [ "$REPLY" != contig-zones ]; then
	mhp_pass_over "online between two movable blocks" "policy is $REPLY"
elif [ "${MHP_NID[$low]}" != "${MHP_NID[$high]}" ]; then
	mhp_pass_over "online between two movable blocks" "they are on different nodes"
else
	for block in "$low" "$high"; do
		mhp_online "$block" online_movable || mhp_bad "online_movable memory$block" success "$MHP_ERRNO"
	done
	mhp_zones "$middle"
	mhp_equal "memory$middle/valid_zones between two in Movable" Movable "${REPLY%% *}"
	mhp_online "$middle" online || mhp_bad "online memory$middle" success "$MHP_ERRNO"
	mhp_zones "$middle"
	mhp_equal "memory$middle/valid_zones" Movable "$REPLY"
	for block in "$middle" "$low" "$high"; do
		mhp_offline "$block" || mhp_bad "offline memory$block" success "$MHP_ERRNO"
	done
	mhp_done "online between two movable blocks gives Movable"
fi

# what is offline can be written offline again only with an error
block=${MHP_TAKEN[1]}
mhp_online "$block" online_movable || mhp_bad "online_movable memory$block" success "$MHP_ERRNO"
for type in online_kernel online_movable online; do
	if mhp_online "$block" "$type"; then
		mhp_bad "$type for a block in Movable" EINVAL success
	else
		mhp_equal "$type for a block in Movable" EINVAL "$MHP_ERRNO"
	fi
	mhp_zones "$block"
	mhp_equal "memory$block/valid_zones" Movable "$REPLY"
done
mhp_offline "$block" || mhp_bad "offline memory$block" success "$MHP_ERRNO"
mhp_done "a block that is online changes its zone only through offline"

# Last, as kernel memory may come to stay in there.
block=${MHP_TAKEN[2]}
through "$block" online_movable Movable
through "$block" online_kernel "$kernel"
mhp_state "$block"
[ "$REPLY" != offline ] || through "$block" online_movable Movable
mhp_done "Movable, $kernel and Movable again, by way of offline"

block=${MHP_TAKEN[0]}
through "$block" online_kernel "$kernel"
mhp_done "online_kernel puts a block into $kernel"
mhp_finish
