#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A driver that goes before some of its memory does: a dax device of two ranges is RAM,
# and when dax/kmem is unbound from it, one of them is offline, or none. Each range goes
# for itself once it is offline, and the driver takes over what it finds.
#
# mhp.cycles=N on the kernel command line sets the number of rounds. Needs soft-reserved
# memory (memmap=2G%4G-1+0xefffffff on the command line makes some), ndctl and daxctl.

# shellcheck disable=SC2154 # mhp_dax.sh sets them
set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"
# shellcheck source=mhp_dax.sh
. "$(dirname "$0")/mhp_dax.sh"

mhp_setting cycles 2
cycles=$REPLY

mhp_start $((240 + cycles * 40)) "$@"
dax_need
[ -e /sys/bus/dax/devices/dax0.0 ] ||
	mhp_skip "no device of soft-reserved memory (memmap=2G%4G-1+0xefffffff on the command line makes some, CONFIG_DEV_DAX_HMEM)"

# create SIZE: a dax device of that size in what is free of the region
create()
{
	local device
	local -A old=()

	for device in /sys/bus/dax/devices/dax*; do
		old[$device]=1
	done
	run daxctl create-device -r 0 -s "$1"
	for device in /sys/bus/dax/devices/dax*; do
		[ -n "${old[$device]:-}" ] || dax=${device##*/}
	done
}

# two_ranges: a device of two ranges, with something between them
two_ranges()
{
	local first between

	# dax/kmem takes the first one by itself. It cannot be destroyed, only made empty.
	run daxctl reconfigure-device -m devdax dax0.0
	run daxctl disable-device dax0.0
	mhp_must /sys/bus/dax/devices/dax0.0/size 0
	create 512M
	first=$dax
	create 256M
	between=$dax
	run daxctl disable-device "$first"
	run daxctl destroy-device "$first"
	create 1G
	run daxctl disable-device "$between"
	run daxctl destroy-device "$between"
}

# halves: the memory blocks of the first range, and those of the second
halves()
{
	local block last=

	lower=() upper=()
	for block in "${blocks[@]}"; do
		if [ ${#upper[@]} -gt 0 ] || { [ -n "$last" ] && [ "$block" -gt $((last + 1)) ]; }; then
			upper+=("$block")
		else
			lower+=("$block")
		fi
		last=$block
	done
	[ ${#upper[@]} -gt 0 ] || mhp_bad "ranges of $dax" 2 1
}

round()
{
	local pid ram="[owner] [System RAM (kmem)]" left="[System RAM (kmem)]"

	as_ram
	halves
	online "${blocks[@]}"
	users "as RAM" "$ram" "$ram"

	# One range can be removed, and is.
	offline "${lower[@]}"
	unbind
	in_state online "its driver unbound" "${upper[@]}"
	users "the first range offline, its driver unbound" "$left"
	taken

	# The other one is taken over, and the first one added again.
	run daxctl reconfigure-device -m system-ram --no-online "$dax"
	users "its driver back" "$ram" "$ram"
	in_state online "its driver back" "${upper[@]}"
	in_state offline "added again" "${lower[@]}"
	online "${lower[@]}"

	# None can be removed. They go by themselves, the second one first.
	unbind
	module_gone "$1"
	users "both ranges online, its driver unbound" "$left" "$left"
	offline "${upper[@]}"
	await has_regions 1
	in_state online "the second range gone" "${lower[@]}"
	modprobe kmem 2> /dev/null || true
	run daxctl reconfigure-device -m system-ram --no-online "$dax"
	users "its driver back once more" "$ram" "$ram"
	in_state online "its driver back once more" "${lower[@]}"
	in_state offline "added once more" "${upper[@]}"

	# The first one goes offline while the driver goes.
	offline_meanwhile "${lower[@]}" &
	pid=$!
	unbind
	wait $pid || true
	gone "offline while its driver went"

	run daxctl reconfigure-device -m devdax "$dax"
	users "devdax" "[owner] [device memory]" "[owner] [device memory]"
	run daxctl disable-device "$dax"
	users "no driver"
}

mhp_plan 4
two_ranges
round 0
mhp_done "RAM in two ranges whose driver goes first"
rounds "$cycles"
run daxctl destroy-device "$dax"
mhp_done "the device can be destroyed"
ktap_finished
