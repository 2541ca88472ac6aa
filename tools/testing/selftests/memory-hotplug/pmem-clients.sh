#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Real users of device memory, through ndctl and daxctl: a pmem namespace as
# fsdax and as devdax, with its memmap in RAM and on the device, and as RAM that
# is onlined, used and offlined, round after round. After each change all that
# belongs to raw memory is as in the first round, and no memory is lost.
#
# mhp.cycles=N on the kernel command line sets the number of rounds. Needs a pmem
# namespace (memmap=1G!4G on the command line makes one), ndctl and daxctl.

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_setting cycles 4
cycles=$REPLY

mhp_start $((240 + cycles * 30)) "$@"
for tool in ndctl daxctl; do
	command -v $tool > /dev/null || mhp_skip "no $tool"
done
modprobe kmem 2> /dev/null || true
namespace=
for namespace in /sys/bus/nd/drivers/nd_pmem/namespace* none; do
	[ ! -e "$namespace" ] || break
done
[ "$namespace" != none ] || mhp_skip "no pmem namespace is in use (memmap=1G!4G on the command line makes one)"
namespace=${namespace##*/}
mhp_keep "$MHP_SYS/auto_online_blocks"
echo offline > "$MHP_SYS/auto_online_blocks"
slack=512	# pages that may come and go in a system at rest

# run COMMAND...: its output only if it fails
run()
{
	"$@" > "$MHP_TMP/output" 2>&1 && return
	mhp_bad "$*" success "status $?: $(tail -n 1 "$MHP_TMP/output")"
	return 0
}

# mode MODE MAP...: makes the namespace one of that mode
mode()
{
	run ndctl create-namespace -f -e "$namespace" -m "$@"
}

# dax: the name of the dax device
dax()
{
	local device

	REPLY=
	for device in /sys/bus/dax/devices/dax*; do
		[ ! -e "$device" ] || REPLY=${device##*/}
	done
	[ -n "$REPLY" ] || mhp_bad "dax device" one none
}

# as_ram DEVICE: RAM and back, in use in between
as_ram()
{
	local block before=" $(echo "$MHP_SYS"/memory[0-9]*) " count=0

	run daxctl reconfigure-device -m system-ram --no-online "$1"
	for block in "$MHP_SYS"/memory[0-9]*; do
		[[ $before != *" $block "* ]] || continue
		mhp_must "$block/state" online_movable
		count=$((count + 1))
	done
	[ "$count" -gt 0 ] || mhp_bad "memory blocks of $1" some none
	# use some of it, which any zone may serve
	head -c 64M /dev/zero > "$MHP_TMP/used"
	rm "$MHP_TMP/used"
	run daxctl offline-memory "$1"
	run daxctl reconfigure-device -m devdax "$1"
}

# round N: through all modes
round()
{
	local map

	for map in mem dev; do
		mode fsdax -M $map
		same "fsdax-$map" "round $1, fsdax, memmap on $map"
		mode devdax -M $map
		same "devdax-$map" "round $1, devdax, memmap on $map"
		dax
		as_ram "$REPLY"
		same "devdax-$map" "round $1, devdax after RAM, memmap on $map"
	done
	mode raw
	same raw "round $1, raw"
}

# same NAME WHAT: as the first time in this mode
same()
{
	if [ -e "$MHP_TMP/$1" ]; then
		mhp_unchanged "$2" "$MHP_TMP/$1"
	else
		mhp_snapshot "$MHP_TMP/$1"
	fi
}

mhp_plan 3
round 0
mhp_done "fsdax, devdax and RAM, memmap in RAM and on the device"
mhp_free
free=$REPLY
for ((i = 1; i <= cycles && !MHP_FAULTS; i++)); do
	round $i
done
mhp_done "the same in each of $cycles rounds"
mhp_none_lost "$free" "$slack"
ktap_finished
