#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# DIMMs come and go, and their memory blocks go online and offline, at random and
# under load, wherever the memmap is. It is the kernel that would complain, and what
# must hold at any time is checked: no memory block is online whose struct pages lie
# on memory that is not, and only what others need or is in use stays online.
#
# usage: memmap-soak.sh [SECONDS [SEED]]
#
# mhp.seconds=N on the kernel command line sets the time, too.

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_setting seconds "${1:-30}"
seconds=$REPLY
mhp_start $((seconds + 300)) "$@"
seed=${2:-${MHP_SEED:-$RANDOM}}
placements=/sys/kernel/debug/memory_hotplug/placements
mhp_host numa || mhp_skip "$REPLY"
grep -q " /sys/kernel/debug debugfs " /proc/mounts || mount -t debugfs none /sys/kernel/debug
[ -e "$placements" ] || mhp_skip "no $placements"
mhp_get "$MHP_PARAM/memmap_on_memory"
mode=$REPLY
mhp_keep "$MHP_SYS/auto_online_blocks"
echo offline > "$MHP_SYS/auto_online_blocks"
mhp_remember

declare -A dimm_blocks=()	# DIMM -> its memory blocks
declare -A asked=()		# DIMM that was asked to go, and may yet
plugged=0 unplugged=0 refused=0 onlined=0 offlined=0 busy=0

plug()
{
	local node=$((RANDOM % nodes)) dimm=soak$((plugged + 1))

	plugged=$((plugged + 1))
	mhp_dimm_add "$dimm" $(((1 + RANDOM % 8) * MHP_BLOCK_MIB)) "$node" ||
		mhp_bad "plugging $dimm into node $node" success "$REPLY"
	dimm_blocks[$dimm]=${MHP_NEW[*]}
}

unplug()
{
	# a DIMM in use may be refused; what is not is gone
	if mhp_dimm_del "$1" 15; then
		unset "dimm_blocks[$1]" "asked[$1]"
		unplugged=$((unplugged + 1))
	else
		refused=$((refused + 1))
		[[ $REPLY != *timeout* ]] || asked[$1]=yes
	fi
}

# late: DIMMs that took longer to go than unplug() waited
late()
{
	local dimm block left

	for dimm in "${!asked[@]}"; do
		left=''
		for block in ${dimm_blocks[$dimm]}; do
			[ ! -e "$MHP_SYS/memory$block" ] || left=yes
		done
		[ -z "$left" ] || continue
		mhp_dimm_gone "$dimm"
		unset "dimm_blocks[$dimm]" "asked[$dimm]"
		refused=$((refused - 1))
		unplugged=$((unplugged + 1))
	done
}

flip()	# BLOCK DIMM
{
	local block=$1

	mhp_state "$block"
	if [ "$REPLY" = offline ]; then
		mhp_online "$block" online_movable || [ -n "${asked[$2]:-}" ] ||
			mhp_bad "online memory$block" success "$MHP_ERRNO"
		onlined=$((onlined + 1))
	elif mhp_write "$MHP_SYS/memory$block/state" offline; then
		offlined=$((offlined + 1))
	else
		case $MHP_ERRNO in
		EBUSY | EINTR)	busy=$((busy + 1)) ;;
		# it went with the last one that needed it
		EINVAL)		;;
		# its DIMM is on its way
		ENOENT | ENODEV) [ -n "${asked[$2]:-}" ] || mhp_bad "offline memory$block" "success or EBUSY" "$MHP_ERRNO" ;;
		*)		mhp_bad "offline memory$block" "success or EBUSY" "$MHP_ERRNO" ;;
		esac
	fi
}

# hosted: what is online has its struct pages on memory that is
hosted()
{
	local range place hosts others

	# 0x100000000-0x2ffffffff leading pages 32768 used 32768 hosts 1/1 others 63
	while read -r range place _ _ _ _ _ hosts _ others; do
		[ "$others" = 0 ] || [ "${hosts%/*}" = "${hosts#*/}" ] ||
			mhp_bad "$range ($place): hosts online while $others others are" "${hosts#*/}" "${hosts%/*}"
	done < "$placements"
}

look()
{
	cat /proc/zoneinfo /proc/pagetypeinfo /proc/vmstat "$placements" \
		/sys/kernel/debug/memory_hotplug/extents "$MHP_SYS"/memory*/{state,valid_zones,memmap_pages} > /dev/null 2>&1 || true
	echo 1 > /proc/sys/vm/compact_memory
	hosted
}

nodes=0
for dir in "$MHP_NODE"/node[0-9]*; do
	[ ! -e "$dir/meminfo" ] || nodes=$((nodes + 1))
done
mhp_plan 2
mhp_note "memmap_on_memory=$mode, $seconds s, seed $seed"
! command -v stress-ng > /dev/null ||
	mhp_spawn stress-ng --vm 2 --vm-bytes 15% --vm-method write64 --hdd 1 --hdd-bytes 16m --temp-path "$MHP_TMP" --timeout $((seconds + 200))
RANDOM=$seed
end=$((SECONDS + seconds))
while [ $SECONDS -lt $end ] && [ "$MHP_FAULTS" -lt 20 ]; do
	late
	dimms=("${!dimm_blocks[@]}")
	what=$((RANDOM % 40))
	if [ ${#dimms[@]} -eq 0 ] || { [ $what -lt 2 ] && [ ${#dimms[@]} -lt 3 ] && [ ${#asked[@]} -eq 0 ]; }; then
		plug
	elif [ $what -lt 4 ]; then
		unplug "${dimms[RANDOM % ${#dimms[@]}]}"
	elif [ $what -lt 6 ]; then
		look
	else
		dimm=${dimms[RANDOM % ${#dimms[@]}]}
		read -ra blocks <<< "${dimm_blocks[$dimm]}"
		flip "${blocks[RANDOM % ${#blocks[@]}]}" "$dimm"
	fi
done
look
mhp_release
mhp_note "$plugged DIMMs plugged in, $unplugged unplugged, $refused times not; $onlined times online, $offlined offline, $busy not"
[ $((onlined + offlined)) -gt 0 ] || mhp_bad "changes" some none
mhp_done "memory came and went for $seconds s"

for dimm in "${!dimm_blocks[@]}"; do
	for ((try = 0; try < 5; try++)); do
		late
		[ -n "${dimm_blocks[$dimm]:-}" ] || break
		unplug "$dimm"
		[ -n "${dimm_blocks[$dimm]:-}" ] || break
	done
	[ -z "${dimm_blocks[$dimm]:-}" ] || mhp_bad "unplugging $dimm at rest" ok "$REPLY"
done
mhp_finish
