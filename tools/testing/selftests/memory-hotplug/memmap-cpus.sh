#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Memory comes and goes while CPUs do. Several CPUs write the struct pages of memory that
# is added: here, each CPU but the first one goes offline and comes back all the time,
# while device memory is added and removed, and between ranges of RAM that come online at
# once and go: these keep CPUs as they are meanwhile. All struct pages are compared, see
# memmap-init.sh.
#
# mhp.seconds=N on the kernel command line says for how long. Needs hidden memory, see
# mhp_ranges.sh, and two CPUs.

# shellcheck disable=SC2154 # mhp_hex sets them
set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_setting seconds 20
seconds=$REPLY

mhp_start $((120 + 2 * seconds)) "$@"
mhp_remember
mhp_need_ranges
mhp_need_hidden 2
[ -e "$MHP_PARAM/memmap_share" ] ||
	mhp_skip "one CPU writes the memmap in this kernel (no memory_hotplug.memmap_share)"
cpus=()
for cpu in /sys/devices/system/cpu/cpu[1-9]*/online; do
	[ ! -e "$cpu" ] || [ "$(< "$cpu")" != 1 ] || cpus+=("$cpu")
done
[ ${#cpus[@]} != 0 ] || mhp_skip "no CPU of this machine can go offline"
mhp_several_write 2
mhp_need_memmap_test
count=$((MHP_HIDDEN_BYTES / MHP_BLOCK_BYTES))
[ $count -le 8 ] || count=8
mhp_hex start "$MHP_HIDDEN"
mhp_hex size $((count * MHP_BLOCK_BYTES))

# toggle: until SIGTERM comes, and then to the end of a round, with all CPUs online; how
# often one went offline is left in a file
toggle()
{
	local cpu times=0

	trap 'rm -f "$MHP_TMP/go"' TERM
	while [ -e "$MHP_TMP/go" ]; do
		for cpu in "${cpus[@]}"; do
			! echo 0 > "$cpu" || times=$((times + 1))
		done
		for cpu in "${cpus[@]}"; do
			echo 1 > "$cpu" || :
		done
	done
	echo $times > "$MHP_TMP/times"
}

mhp_plan 2
touch "$MHP_TMP/go"
mhp_spawn toggle

rounds=0
end=$((SECONDS + seconds))
echo online_movable > "$MHP_SYS/auto_online_blocks"
# Where everything is slow, two rounds take longer.
while { [ $SECONDS -lt $end ] || [ $rounds -lt 2 ]; } && [ "$MHP_FAULTS" = 0 ]; do
	mhp_expect 0 Movable
	mhp_must "$MHP_TEST/add_ram" "$start $size 0"
	mhp_seen "RAM" $((count * MHP_BLOCK_PAGES))
	for block in $(seq $((MHP_HIDDEN / MHP_BLOCK_BYTES)) $((MHP_HIDDEN / MHP_BLOCK_BYTES + count - 1))); do
		mhp_state "$block"
		mhp_equal "memory$block" online "$REPLY"
	done
	mhp_must "$MHP_TEST/offline_and_remove_ram" "$start $size"
	for _ in {1..8}; do
		mhp_must "$MHP_TEST/add_device" "$start $size generic"
		mhp_device_pages "$start" "$size" 1 0
		mhp_must "$MHP_TEST/remove_device" "$start"
	done
	rounds=$((rounds + 1))
done
echo offline > "$MHP_SYS/auto_online_blocks"
mhp_release
times=$(< "$MHP_TMP/times")
mhp_note "$rounds rounds of memory; a CPU of ${#cpus[@]} went offline $times times"
[ "$rounds" -gt 1 ] || mhp_bad "rounds of memory" "several" "$rounds"
[ "$times" -gt 1 ] || mhp_bad "times that a CPU went offline" "several" "$times"
for cpu in "${cpus[@]}"; do
	mhp_equal "$cpu" 1 "$(< "$cpu")"
done
mhp_done "memory and CPUs come and go"
mhp_finish
