#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# dax/kmem is bound to a dax device, and unbound from it with its memory offline and
# online, while the first, the second, … allocation fails, until none is left to fail.
# A device that is not bound leaves nothing behind, and can be bound the next time. The
# driver always goes, and the memory does once it is offline.
#
# Needs a pmem namespace (memmap=1G!4G on the command line makes one), ndctl, daxctl,
# and fault injection: see mhp_faults.sh.

# shellcheck disable=SC2154 # mhp_dax.sh sets them
set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"
# shellcheck source=mhp_dax.sh
. "$(dirname "$0")/mhp_dax.sh"

mhp_start 900 "$@"
mhp_need_faults
dax_need
dax_namespace
mhp_set_up_faults
most=2000	# allocations; more are a sign of an operation that never ends
slack=512	# pages that may come and go in a system at rest

removed()
{
	mhp_blocks now
	[ "${before[*]}" = "${now[*]}" ] && has_regions 0
}

# each COMMAND...: with N, for N = 1, 2, … until none is left to fail
each()
{
	local n refused=0

	for ((n = 1; n <= most && !MHP_FAULTS; n++)); do
		if ! "$@" "$n"; then
			refused=$((refused + 1))
		elif [ "$MHP_LEFT" != 0 ]; then
			break
		fi
		mhp_unchanged "allocation $n fails, and all is undone" "$MHP_TMP/unbound"
	done
	mhp_note "$*: $((n - 1)) allocations fail, $refused times it is refused"
	[ "$n" -le "$most" ] || mhp_bad "allocations" "at most $most" more
	# If nothing was ever in the way, nothing was tested.
	[ "$n" -gt 1 ] || mhp_bad "allocations that fail" some none
}

bind()
{
	if mhp_fail_nth "$1" $dax_driver/bind "$dax"; then
		# Ranges that could not be added are left out.
		unbind
		await removed
		return 0
	fi
	await removed
	mhp_unchanged "allocation $1 fails, and the device is not bound" "$MHP_TMP/unbound"
	mhp_must $dax_driver/bind "$dax"
	unbind
	await removed
	return 1
}

# unbind_nth N: what may be refused is the write, not the unbinding
unbind_nth()
{
	mhp_fail_nth "$1" $dax_driver/unbind "$dax" && return
	[ ! -e "$dax_driver/$dax" ] || unbind
}

unbind_offline()
{
	mhp_must $dax_driver/bind "$dax"
	unbind_nth "$1"
	await removed
}

unbind_online()
{
	mhp_must $dax_driver/bind "$dax"
	online "${blocks[@]}"
	unbind_nth "$1"
	in_state online "its driver unbound" "${blocks[@]}"
	offline "${blocks[@]}"
	await removed
}

mhp_plan 4
run ndctl create-namespace -f -e "$namespace" -m devdax -M mem
dax_device
# Once daxctl has told it, dax/kmem knows the device.
as_ram
unbind
await removed
mhp_free
free=$REPLY
mhp_snapshot "$MHP_TMP/unbound"

each bind
mhp_done "binding while allocations fail"
each unbind_offline
mhp_done "unbinding while allocations fail, memory offline"
each unbind_online
mhp_done "unbinding while allocations fail, memory online"
mhp_none_lost "$free" "$slack"
run ndctl create-namespace -f -e "$namespace" -m raw
ktap_finished
