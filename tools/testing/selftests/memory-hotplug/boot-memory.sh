#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boot memory goes offline and comes online again, block by block, unless something
# that cannot move is in it (in Movable only what was taken early at boot), or it has
# holes. On arm64 it can never be removed, but what was added next to it can, also in
# a section that they share. Elsewhere boot memory can be removed and added.
#
# Needs the module mhp_test; blocks in Movable (movablecore= on the command line), and
# hidden memory right behind boot memory, see mhp_ranges.sh.

# shellcheck disable=SC2154 # mhp_hex sets them
set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 300 "$@"
mhp_need_ranges
mhp_need_hidden 3
mhp_remember
before=$MHP_TMP/before

# A kernel that was told to stay online is none to be tested here.
mhp_blocks blocks
movable=() other=()
for block in "${blocks[@]}"; do
	mhp_state "$block"
	[ "$REPLY" = online ] || mhp_skip "memory$block is not online, and must be at first"
	! mhp_driver_managed "$block" || mhp_skip "memory$block is a driver's, not boot memory"
	mhp_zones "$block"
	if [ "$REPLY" = Movable ]; then
		movable+=("$block")
	else
		other+=("$block")
	fi
done
[ "${#movable[@]}" -gt 0 ] || mhp_skip "no boot memory in Movable (movablecore= on the command line makes some)"

# back BLOCK ZONE: online as it was
back()
{
	local type=online_kernel

	[ "$2" != Movable ] || type=online_movable
	mhp_online "$1" "$type" || mhp_bad "$type memory$1" success "$MHP_ERRNO"
	mhp_zones "$1"
	mhp_equal "zone of memory$1" "$2" "$REPLY"
}

# refuse COMMAND BLOCK SIZE: never to be removed, which the log says once
refuse()
{
	mhp_hex address $(($2 * MHP_BLOCK_BYTES))
	dmesg -c > /dev/null
	if mhp_write "$MHP_TEST/$1" "$address $3"; then
		mhp_bad "$1 memory$2" EPERM success
	else
		mhp_equal "$1 memory$2" EPERM "$MHP_ERRNO"
	fi
	mhp_equal "$1 memory$2: lines about boot memory" 1 "$(dmesg | grep -c 'not allowed, because it has boot memory' || true)"
}

stays=
[ "$(uname -m)" != aarch64 ] || stays=1
mhp_hex one "$MHP_BLOCK_BYTES"
mhp_hex two $((2 * MHP_BLOCK_BYTES))

mhp_plan 7

able=()
for block in "${movable[@]}"; do
	if mhp_offline "$block"; then
		able+=("$block")
		continue
	fi
	# EINVAL: it has holes
	case $MHP_ERRNO in
	EBUSY | EINVAL) ;;
	*) mhp_bad "offline memory$block in Movable" "success, EBUSY or EINVAL" "$MHP_ERRNO" ;;
	esac
done
[ "${#able[@]}" -gt 0 ] || mhp_bad "blocks in Movable that go offline" "some" none
for block in ${able[@]+"${able[@]}"}; do
	back "$block" Movable
done
mhp_note "${#able[@]} of ${#movable[@]} blocks"
mhp_done "boot memory in Movable goes offline and comes back"

# The last block of a zone would come back to the next higher one.
gone=0 zone='' tried=()
for ((i = ${#other[@]} - 1; i >= 0; i--)); do
	mhp_zones "${other[i]}"
	[ "$REPLY" != "$zone" ] || tried+=("${other[i]}")
	zone=$REPLY
done
for block in ${tried[@]+"${tried[@]}"}; do
	mhp_zones "$block"
	zone=$REPLY
	if mhp_offline "$block"; then
		gone=$((gone + 1))
		back "$block" "$zone"
		continue
	fi
	# EINVAL: it has holes, or pages of several zones
	case $MHP_ERRNO in
	EBUSY | EINTR | EINVAL) ;;
	*) mhp_bad "offline memory$block in $zone" "success, EBUSY, EINTR or EINVAL" "$MHP_ERRNO" ;;
	esac
	mhp_state "$block"
	mhp_equal "state of memory$block" online "$REPLY"
	mhp_zones "$block"
	mhp_equal "zone of memory$block" "$zone" "$REPLY"
done
mhp_note "$gone of ${#tried[@]} blocks"
mhp_done "other boot memory goes offline and comes back, or stays online"

able=("${movable[-1]}" ${able[@]+"${able[@]}"})
block=${able[-1]}
mhp_hex address $((block * MHP_BLOCK_BYTES))
mhp_snapshot "$before"
if [ -n "$stays" ]; then
	refuse remove_ram "$block" "$one"
	refuse offline_and_remove_ram "$block" "$one"
	mhp_unchanged "online boot memory" "$before"
	mhp_offline "$block" || mhp_bad "offline memory$block" success "$MHP_ERRNO"
	mhp_snapshot "$MHP_TMP/offline"
	refuse remove_ram "$block" "$one"
	refuse offline_and_remove_ram "$block" "$one"
	mhp_unchanged "offline boot memory" "$MHP_TMP/offline"
	back "$block" Movable
	mhp_unchanged "online again" "$before"
	mhp_done "boot memory cannot be removed"
else
	mhp_offline "$block" || mhp_bad "offline memory$block" success "$MHP_ERRNO"
	mhp_nid "$block"
	nid=$REPLY
	mhp_must "$MHP_TEST/remove_ram" "$address $one"
	[ ! -e "$MHP_SYS/memory$block" ] || mhp_bad "memory$block" "removed" "still there"
	mhp_must "$MHP_TEST/add_ram" "$address $one $nid"
	back "$block" Movable
	mhp_done "boot memory can be removed and added again"
	# From now on it is no boot memory: its memmap, its resource are others.
	mhp_remember
fi

# What lies between boot memory and the next memory block can only be device memory.
start=$(((MHP_HIDDEN + MHP_BLOCK_BYTES - 1) / MHP_BLOCK_BYTES * MHP_BLOCK_BYTES))
shared=$((start - MHP_HIDDEN))
first=$((start / MHP_BLOCK_BYTES))
mhp_hex hidden "$MHP_HIDDEN"
mhp_hex next "$start"
mhp_hex after $((start + MHP_BLOCK_BYTES))

mhp_must "$MHP_TEST/add_ram" "$next $two"
mhp_online "$first" online_movable || mhp_bad "online memory$first" success "$MHP_ERRNO"
mhp_must "$MHP_TEST/offline_and_remove_ram" "$next $one"
mhp_must "$MHP_TEST/remove_ram" "$after $one"
mhp_done "what is added next to boot memory can be removed"

if [ -n "$stays" ] && [ "$shared" = 0 ]; then
	mhp_must "$MHP_TEST/add_ram" "$next $one"
	refuse remove_ram $((first - 1)) "$two"
	mhp_must "$MHP_TEST/remove_ram" "$next $one"
	mhp_done "a range that has boot memory stays as a whole"
else
	mhp_pass_over "a range that has boot memory stays as a whole" \
		"boot memory can be removed here, or does not end with a memory block"
fi

if [ "$shared" -gt 0 ]; then
	mhp_hex size "$shared"
	mhp_must "$MHP_TEST/add_device" "$hidden $size generic"
	mhp_must "$MHP_TEST/remove_device" "$hidden"
	mhp_done "device memory in a section of boot memory can be removed"
else
	mhp_pass_over "device memory in a section of boot memory can be removed" \
		"boot memory ends with a section"
fi
mhp_finish
