#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Online and offline every memory block that can be, in random order.
#
# usage: online-offline-random.sh [SEED] [ROUNDS]
#
# A block that does not go offline must stay as it was, and only a block in a
# kernel zone may do that: it holds memory that cannot move.

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 120 "$@"
seed=${1:-${MHP_SEED:-$RANDOM}}
rounds=${2:-3}

# What is left must hold what is in use, and a kernel zone below Normal must
# keep its ends: a block outside of it would come back into Normal.
room()
{
	local line

	while read -r line; do
		case $line in
		MemAvailable:*)
			# shellcheck disable=SC2086 # to be split
			set -- $line
			[ "$2" -gt $((MHP_BLOCK_MIB * 1024 * 2 + 262144)) ]
			return
			;;
		esac
	done < /proc/meminfo
}

at_an_end()
{
	local zone="${MHP_NID[$1]} $2" first=$(($1 * MHP_BLOCK_PAGES)) start end

	case $2 in
	Normal | Movable)	return 1 ;;
	esac
	start=${MHP_BEFORE["zone $zone start"]}
	end=$((start + ${MHP_BEFORE["zone $zone spanned"]}))
	[ "$first" -le "$start" ] || [ $((first + MHP_BLOCK_PAGES)) -ge "$end" ]
}

# check BLOCK STATE ZONE: all files of a block tell the same story
check()
{
	local online=1

	[ "$2" = online ] || online=0
	mhp_state "$1"
	mhp_equal "memory$1/state" "$2" "$REPLY"
	mhp_get "$MHP_SYS/memory$1/online"
	mhp_equal "memory$1/online" "$online" "$REPLY"
	mhp_zones "$1"
	if [ "$2" = online ]; then
		mhp_equal "memory$1/valid_zones" "$3" "$REPLY"
	elif [[ " $REPLY " != *" Movable "* ]]; then
		mhp_bad "memory$1/valid_zones of an offline block" "... Movable" "$REPLY"
	fi
}

flip()
{
	local block=$1 type zone

	mhp_state "$block"
	if [ "$REPLY" = offline ]; then
		case $((RANDOM % 3)) in
		0)
			type=online_kernel
			mhp_kernel_zone "$block"
			zone=$REPLY
			;;
		1)
			type=online_movable
			zone=Movable
			;;
		2)
			type=online
			mhp_zones "$block"
			zone=${REPLY%% *}
			;;
		esac
		mhp_online "$block" "$type" || mhp_bad "$type memory$block" success "$MHP_ERRNO"
		check "$block" online "$zone"
		return
	fi
	room || return 0
	mhp_zones "$block"
	zone=$REPLY
	if mhp_offline "$block"; then
		check "$block" offline ''
	else
		mhp_refused "$block" "$zone"
		check "$block" online "$zone"
	fi
}

mhp_remember

# Which blocks can be at all? Those of a kernel zone tell when they are tried.
all=()
mhp_blocks all
blocks=()
for block in "${all[@]}"; do
	mhp_state "$block"
	state=$REPLY
	mhp_zones "$block"
	zone=$REPLY
	mhp_own "$block" "$zone"
	[ "$state" = online ] || MHP_WAS[$block]=offline
	if [ "$state" = online ] && [ "$zone" != Movable ]; then
		if [ "$zone" = none ] || at_an_end "$block" "$zone" || ! room ||
		   ! mhp_offline "$block" 1; then
			unset "MHP_WAS[$block]"
			continue
		fi
		mhp_online "$block" online_kernel || mhp_bad "memory$block comes back" success "$MHP_ERRNO"
	fi
	blocks+=("$block")
done
if [ "${#blocks[@]}" -eq 0 ]; then
	mhp_take 4
	blocks=("${MHP_TAKEN[@]}")
fi

mhp_plan $((rounds + 2))
mhp_note "seed $seed, ${#blocks[@]} of ${#all[@]} blocks: ${blocks[*]}"
RANDOM=$seed
for ((round = 1; round <= rounds; round++)); do
	mhp_shuffle blocks
	for block in "${blocks[@]}"; do
		flip "$block"
	done
	mhp_done "round $round: every block flipped, in random order"
done

# shellcheck disable=SC2034 # by name
declare -A before after
mhp_counts before
for block in "${blocks[@]}"; do
	mhp_state "$block"
	state=$REPLY
	if mhp_write "$MHP_SYS/memory$block/state" "$state"; then
		mhp_bad "$state written to memory$block, which is $state" EINVAL success
	else
		mhp_equal "$state written to memory$block, which is $state" EINVAL "$MHP_ERRNO"
	fi
	mhp_zones "$block"
	check "$block" "$state" "$REPLY"
done
mhp_counts after
mhp_compare before after
mhp_done "a state written twice is refused and changes nothing"
mhp_finish
