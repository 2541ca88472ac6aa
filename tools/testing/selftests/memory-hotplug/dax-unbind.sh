#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A driver that goes before its memory does: RAM of a dax device is in use when dax/kmem
# is unbound from it. It stays, the driver finds it again, others are told who has it,
# and once it is offline, nothing is left: the device may become what it was before.
#
# mhp.cycles=N on the kernel command line sets the number of rounds. Needs a pmem
# namespace (memmap=1G!4G on the command line makes one), ndctl and daxctl.

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
dax_namespace

# fsdax_users USER...: those of the region of the whole namespace
fsdax_users()
{
	local line

	line=$(sed -n "s/^[^ ]* [0-9]* $namespace: //p" "$dax_regions")
	mhp_equal "fsdax: users of its region" "$*" "$line"
}

round()
{
	local pid sum now

	run ndctl create-namespace -f -e "$namespace" -m devdax -M mem
	dax_device

	# It is in use, and stays so. Another driver cannot have it.
	as_ram
	online "${blocks[@]}"
	mhp_fill 0 256
	sum=$REPLY
	users "as RAM" "[owner] [System RAM (kmem)]"
	refuse_offline -12
	! daxctl offline-memory "$dax" > "$MHP_TMP/output" 2>&1 ||
		mhp_bad "daxctl offline-memory $dax" refused success
	in_state online "refused to go offline" "${blocks[@]}"
	unbind
	in_state online "its driver unbound" "${blocks[@]}"
	users "its driver unbound" "[System RAM (kmem)]"
	refuse_offline 0
	taken

	# The same driver takes over what is there.
	run daxctl reconfigure-device -m system-ram --no-online "$dax"
	in_state online "its driver back" "${blocks[@]}"
	users "its driver back" "[owner] [System RAM (kmem)]"
	mhp_blocks now
	mhp_equal "memory blocks, its driver back" "${after[*]}" "${now[*]}"

	# The driver goes for good, and its module.
	unbind
	module_gone "$1"
	offline "${blocks[@]}"
	gone "offline after its driver went"
	mhp_intact 0 "$sum"
	rm "$MHP_TMP/data"
	modprobe kmem 2> /dev/null || true

	# Both at once
	as_ram
	online "${blocks[@]}"
	offline_meanwhile "${blocks[@]}" &
	pid=$!
	unbind
	wait $pid || true
	gone "offline while its driver went"

	run daxctl reconfigure-device -m devdax "$dax"
	users "devdax" "[owner] [device memory]"
	run ndctl create-namespace -f -e "$namespace" -m fsdax -M mem
	fsdax_users "[owner] [device memory]"
	run ndctl create-namespace -f -e "$namespace" -m raw
}

mhp_plan 3
round 0
mhp_done "RAM whose driver goes first"
rounds "$cycles"
ktap_finished
