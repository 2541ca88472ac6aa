#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Persistent memory ranges next to each other, whose struct pages share sections,
# page tables and, if they do not fill them, pages of the virtual memmap: each goes
# and comes back in turn, with its memmap in RAM and, where it is large enough, on
# the device. Whatever happens to one, the struct pages of the next one stay as they
# are. In the end no memory is lost.
#
# mhp.cycles=N on the kernel command line sets the number of rounds. Needs several
# pmem namespaces (memmap=130M!4102M,2M!4232M,126M!4234M makes three, at odd
# subsections), the module mhp_test, and ndctl.

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_setting cycles 20
cycles=$REPLY

mhp_start $((300 + cycles * 12)) "$@"
command -v ndctl > /dev/null || mhp_skip "no ndctl"
driver=/sys/bus/nd/drivers/nd_pmem
names=() starts=() sizes=()
for device in "$driver"/namespace*; do
	[ -e "$device" ] || continue
	names+=("${device##*/}")
	mhp_hex "starts[${#starts[@]}]" "$(< "$device/resource")"
	sizes+=("$(< "$device/size")")
done
[ ${#names[@]} -ge 2 ] || mhp_skip "fewer than two pmem namespaces"
mhp_remember
mhp_need_ranges
slack=512	# pages that may come and go in a system at rest
smallest=$((16 << 20))	# namespace that ndctl gives a memmap of its own

# round: each namespace goes and comes back, and the next one does not notice
round()
{
	local i next

	for ((i = 0; i < ${#names[@]}; i++)); do
		next=$(((i + 1) % ${#names[@]}))
		mhp_must "$MHP_TEST/memmap" "keep ${starts[next]} ${sizes[next]}"
		mhp_must "$driver/unbind" "${bound[i]}"
		mhp_must "$MHP_TEST/memmap" compare
		mhp_must "$driver/bind" "${bound[i]}"
		mhp_must "$MHP_TEST/memmap" compare
	done
}

# hosted: namespaces that are large enough host their memmap themselves; sets bound
# to what has to be bound to the driver
hosted()
{
	local i output region

	bound=()
	for ((i = 0; i < ${#names[@]}; i++)); do
		bound+=("${names[i]}")
		[ "${sizes[i]}" -ge $smallest ] || continue
		# by default, namespaces are multiples of 16 MiB
		region=$(realpath "/sys/bus/nd/devices/${names[i]}/..")
		mhp_must "$region/align" 0x200000
		output=$(ndctl create-namespace -f -e "${names[i]}" -m fsdax -M dev 2>&1) || {
			mhp_bad "fsdax on ${names[i]}" success "$(tail -n 1 <<< "$output")"
			continue
		}
		bound[i]=$(basename "$(dirname "$(grep -ls "^${names[i]}\$" \
			/sys/bus/nd/devices/pfn*/namespace | head -n 1)")")
	done
}

# rounds NAME: as many as there shall be; the same after each as after the first
rounds()
{
	local n free

	mhp_free
	free=$REPLY
	for ((n = 0; n <= cycles && !MHP_FAULTS; n++)); do
		round
		if [ $n = 0 ]; then
			mhp_snapshot "$MHP_TMP/first"
			mhp_free
			free=$REPLY
		fi
	done
	mhp_unchanged "$1, after $cycles rounds" "$MHP_TMP/first"
	mhp_enough_free "$free" "$slack"
	mhp_done "$1"
}

mhp_plan 3
bound=("${names[@]}")
rounds "memmap in RAM"
hosted
rounds "memmap on the device"
for ((i = 0; i < ${#names[@]}; i++)); do
	[ "${bound[i]}" = "${names[i]}" ] ||
		ndctl create-namespace -f -e "${names[i]}" -m raw > /dev/null 2>&1 ||
		mhp_bad "raw mode of ${names[i]}" success failure
done
mhp_finish
