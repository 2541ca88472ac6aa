#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A virtio-mem device loses its driver while its memory is online. The memory stays, the
# driver cannot come back before it is offline, then it goes by itself with its region,
# and the driver finds the device as it was.
#
# usage: virtio-mem-unbind.sh [ID]

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 120 "$@"
id=${1:-vmem0}
driver=/sys/bus/virtio/drivers/virtio_mem
regions=/sys/kernel/debug/memory_hotplug/regions
device=
for dir in "$driver"/virtio*; do
	[ ! -e "$dir" ] || device=${dir##*/}
done
[ -n "$device" ] || mhp_skip "no virtio-mem device"
mhp_host virtio-mem-size "$id" || mhp_skip "the hypervisor does not know $id: $REPLY"
[ "$REPLY" = "ok 0" ] || mhp_skip "$id is in use already: $REPLY"
grep -q " /sys/kernel/debug debugfs " /proc/mounts || mount -t debugfs none /sys/kernel/debug
[ -e $regions ] || mhp_skip "no $regions: this kernel does not count the users of regions"

mhp_keep "$MHP_SYS/auto_online_blocks"
mhp_remember
mhp_write "$MHP_SYS/auto_online_blocks" online_movable
bytes=$((2 * MHP_BLOCK_BYTES))

# await WHAT EXPECTED COMMAND...: until COMMAND sets REPLY to that, 30 s at most
await()
{
	local what=$1 expected=$2 deadline=$((SECONDS + 30))

	shift 2
	while "$@"; [ "$REPLY" != "$expected" ]; do
		if [ "$SECONDS" -ge "$deadline" ]; then
			mhp_bad "$what after 30 s" "$expected" "$REPLY"
			return
		fi
		sleep 0.2
	done
}

host_size()
{
	mhp_host virtio-mem-size "$id" || true
}

# ours: the blocks that are not those of before
ours()
{
	local block
	local -a all

	mhp_blocks all
	blocks=()
	for block in "${all[@]}"; do
		[ -n "${old[$block]:-}" ] || blocks+=("$block")
	done
	REPLY=${#blocks[@]}
}

# online_blocks: how many of ours are online
online_blocks()
{
	local block count=0

	ours
	for block in ${blocks[@]+"${blocks[@]}"}; do
		mhp_state "$block"
		[ "$REPLY" != online ] || count=$((count + 1))
	done
	REPLY=$count
}

users()
{
	REPLY=$(sed -n "s/^[^ ]* [0-9]* $device: *//p" $regions)
}

declare -A old=()
mhp_blocks blocks
for block in "${blocks[@]}"; do
	old[$block]=1
done

mhp_plan 5
mhp_host virtio-mem "$id" "$bytes" || mhp_bad "requesting $bytes bytes" ok "$REPLY"
await "size of $id" "ok $bytes" host_size
await "memory blocks online" 2 online_blocks
users
mhp_equal "users of its region" "[owner] [System RAM (virtio_mem)]" "$REPLY"
mhp_done "two blocks are online"

mhp_must $driver/unbind "$device"
online_blocks
mhp_equal "memory blocks online, its driver gone" 2 "$REPLY"
users
mhp_equal "users of its region, its driver gone" "[System RAM (virtio_mem)]" "$REPLY"
mhp_done "its driver goes, the memory stays"

if mhp_write $driver/bind "$device"; then
	mhp_bad "binding $device" refused success
fi
mhp_equal "binding $device" EBUSY "$MHP_ERRNO"
online_blocks
mhp_equal "memory blocks online, the driver refused" 2 "$REPLY"
mhp_done "the driver cannot come back"

for ((i = ${#blocks[@]} - 1; i >= 0; i--)); do
	mhp_must "$MHP_SYS/memory${blocks[i]}/state" offline
done
await "memory blocks, all offline" 0 ours
await "users of its region" "" users
mhp_done "offline, the memory goes, and its region"

mhp_must $driver/bind "$device"
await "size of $id, its driver back" "ok $bytes" host_size
await "memory blocks online again" 2 online_blocks
mhp_host virtio-mem "$id" 0 || mhp_bad "requesting nothing" ok "$REPLY"
await "size of $id at the end" "ok 0" host_size
await "memory blocks at the end" 0 ours
mhp_done "the driver comes back"
ktap_finished
