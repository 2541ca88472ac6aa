#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A virtio-mem device grows and shrinks, also by parts of memory blocks and
# while in use; MemTotal follows to the kB, and nothing is left at the end.
#
# usage: virtio-mem-cycle.sh [ID]

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 120 "$@"
id=${1:-vmem0}
device=
for dir in /sys/bus/virtio/drivers/virtio_mem/virtio*; do
	[ ! -e "$dir" ] || device=$dir
done
[ -n "$device" ] || mhp_skip "no virtio-mem device"
mhp_host virtio-mem-size "$id" || mhp_skip "the hypervisor does not know $id: $REPLY"
[ "$REPLY" = "ok 0" ] || mhp_skip "$id is in use already: $REPLY"

mhp_keep "$MHP_SYS/auto_online_blocks"
mhp_remember
mhp_write "$MHP_SYS/auto_online_blocks" online_movable
mhp_get /proc/meminfo
# shellcheck disable=SC2086 # to be split
set -- $REPLY
total=$2

# resize MIB: request it, wait for it, count
resize()
{
	local mib=$1 deadline=$((SECONDS + 30)) kb

	mhp_host virtio-mem "$id" "${mib}M" || {
		mhp_bad "requesting $mib MiB" ok "$REPLY"
		return
	}
	while :; do
		mhp_host virtio-mem-size "$id" || true
		[ "$REPLY" != "ok $((mib << 20))" ] || break
		if [ "$SECONDS" -ge "$deadline" ]; then
			mhp_bad "size of $id after 30 s" "ok $((mib << 20))" "$REPLY"
			return
		fi
		sleep 0.2
	done
	# what is plugged is online a moment later
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		read -r _ kb _ < /proc/meminfo
		[ "$kb" -ne $((total + mib * 1024)) ] || return 0
		sleep 0.3
	done
	mhp_bad "MemTotal with $mib MiB plugged" $((total + mib * 1024)) "$kb"
}

half=$((MHP_BLOCK_MIB / 2))

mhp_plan 6
resize $((2 * half))
mhp_done "grows by one block"

resize $((5 * half))
resize $((9 * half))
mhp_done "grows by parts of blocks"

resize $((4 * half))
mhp_done "shrinks"

nid=0
blocks=()
mhp_blocks blocks
mhp_nid "${blocks[-1]}"
nid=$REPLY
mhp_fill "$nid" $half || mhp_bad "writing to node $nid" success failure
sum=$REPLY
resize 0
mhp_intact "$nid" "$sum"
mhp_release
mhp_done "shrinks to nothing while in use"

resize $((8 * half))
resize 0
mhp_done "and once more"
mhp_finish
