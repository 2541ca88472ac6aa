#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Memory in ACPI tables that are loaded while the system runs. Its memory blocks come
# online one after the other, and somebody who sees one of them, as udev would, brings it
# online himself meanwhile. All of it has to come online, with struct pages as ever, and
# to go when it is ejected.
#
# Needs hidden memory, see mhp_ranges.sh, and iasl from ACPICA. Tables stay loaded: the
# kernel does not free what it has of one that is unloaded.

# shellcheck disable=SC2154 # mhp_hex sets them
set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

rounds=6
tables=/sys/kernel/config/acpi/table

mhp_start 200 "$@"
mhp_remember
mhp_need_ranges
mhp_need_hidden 4
mhp_need_memmap_test
[ -e /sys/firmware/acpi/hotplug/memory ] ||
	mhp_skip "no memory through ACPI here (CONFIG_ACPI_HOTPLUG_MEMORY, acpi_no_memhotplug)"
modprobe acpi_configfs 2> /dev/null || true
[ -d $tables ] || mount -t configfs none /sys/kernel/config 2> /dev/null || true
[ -d $tables ] || mhp_skip "no ACPI tables while the system runs here (CONFIG_ACPI_CONFIGFS)"
command -v iasl > /dev/null || mhp_skip "no iasl to compile ACPI tables with"
mhp_several_write $((MHP_BLOCK_MIB / 16))
count=$((MHP_HIDDEN_BYTES / MHP_BLOCK_BYTES))
count=$((count > 15 ? 15 : count))
first=$((MHP_HIDDEN / MHP_BLOCK_BYTES))
last=$((first + count - 1))
mhp_hex start "$MHP_HIDDEN"
mhp_hex size $((count * MHP_BLOCK_BYTES))
mhp_hex end $((MHP_HIDDEN + count * MHP_BLOCK_BYTES - 1))
number=0		# of the table
table=			# its folder
device=			# the memory device in it, or nothing

# load_table: one that has the memory
load_table()
{
	local name

	while [ -e $tables/mhp$number ]; do
		number=$((number + 1))
	done
	table=$tables/mhp$number
	printf -v name MH%02X $number
	cat > "$MHP_TMP/table.asl" <<- EOF
	DefinitionBlock ("", "SSDT", 2, "MHP", "$name", 1)
	{
		Scope (\\_SB)
		{
			Device ($name)
			{
				Name (_HID, EisaId ("PNP0C80"))
				Name (_UID, "$name")
				Name (HERE, 0x0F)
				Name (_CRS, ResourceTemplate ()
				{
					QWordMemory (ResourceConsumer, PosDecode, MinFixed,
						     MaxFixed, Cacheable, ReadWrite,
						     0, $start, $end, 0, $size)
				})
				Method (_STA) { Return (HERE) }
				Method (_EJ0, 1) { HERE = 0 }
			}
		}
	}
	EOF
	iasl -p "$MHP_TMP/table" "$MHP_TMP/table.asl" > "$MHP_TMP/iasl" 2>&1 || {
		sed 's/^/# /' "$MHP_TMP/iasl"
		exit "$KSFT_FAIL"
	}
	mkdir $table
	cat "$MHP_TMP/table.aml" > $table/aml
	# Whether it was loaded, cat is not told.
	mhp_get $table/length
	mhp_equal "length of the table" "$(wc -c < "$MHP_TMP/table.aml")" "$REPLY"
}

# find_device: the memory device of the table
find_device()
{
	local path name

	printf -v name MH%02X $number
	device=
	for path in /sys/bus/acpi/devices/PNP0C80:*/path; do
		[ -e "$path" ] || continue
		mhp_get "$path"
		[ "$REPLY" != "\\_SB_.$name" ] || device=${path%/path}
	done
}

# until_so COMMAND...: waits until it succeeds
until_so()
{
	local limit=$((SECONDS + 60))

	until "$@"; do
		[ $SECONDS -lt $limit ] || return 1
		sleep 0.1
	done
}

# What the device does last when it comes is to link its memory blocks to itself.
is_complete()
{
	[ -e "$MHP_SYS/memory$last/firmware_node" ]
}

is_gone()
{
	[ ! -e "$MHP_SYS/memory$last" ]
}

# somebody_online BLOCK: brings it online as soon as it is there; by the time that this is
# possible, it is
somebody_online()
{
	local file=$MHP_SYS/memory$1/state limit=$((SECONDS + 60))

	until [ -e "$file" ]; do
		[ $SECONDS -lt $limit ] || break
	done
	if mhp_write "$file" online_movable; then
		mhp_bad "memory$1, brought online by somebody else" EINVAL success
	else
		mhp_equal "memory$1, brought online by somebody else" EINVAL "$MHP_ERRNO"
	fi
}

# hosting: REPLY is how many of the pages hold struct pages
hosting()
{
	mhp_get "$MHP_PARAM/memmap_on_memory"
	if [ "${REPLY:-N}" != N ] && [ -e "$MHP_SYS/memory$first/memmap_placement" ]; then
		mhp_get "$MHP_SYS/memory$first/memmap_placement"
		[ "$REPLY" != system ] || REPLY=N
	fi
	if [ "${REPLY:-N}" = N ]; then
		REPLY=0
	else
		mhp_hosting $first $count
	fi
}

# comes [BLOCK]: a table is loaded, and somebody else wants a block, counted from 0
comes()
{
	local block

	mhp_expect 0 Movable
	echo online_movable > "$MHP_SYS/auto_online_blocks"
	load_table
	[ -z "${1:-}" ] || somebody_online $((first + $1))
	until_so is_complete || mhp_bad "the table's memory" complete "in part"
	echo offline > "$MHP_SYS/auto_online_blocks"
	for ((block = first; block <= last; block++)); do
		mhp_state $block
		mhp_equal "memory$block" online "$REPLY"
	done
	hosting
	mhp_seen "memory of the table" $((count * MHP_BLOCK_PAGES)) 0 "$REPLY"
}

# goes: the memory is ejected, which may take another try
goes()
{
	local try

	find_device
	if [ -z "$device" ]; then
		mhp_bad "memory device of the table" some none
		return
	fi
	for try in {1..3}; do
		mhp_write "$device/eject" 1 || mhp_note "ejecting: $MHP_ERRNO"
		! until_so is_gone || break
	done
	is_gone || mhp_bad "ejected, $try times" gone "still there"
	# It is online, but who wants to know that waits for who ejects.
	mhp_write "$MHP_SYS/memory0/state" online || true
}

mhp_plan 3

comes
goes
mhp_done "memory of a table comes and goes"
if [ -e "$MHP_PARAM/memmap_share" ]; then
	for ((round = 0; round < rounds; round++)); do
		comes $((round * (count - 1) / (rounds - 1)))
		goes
	done
	mhp_done "somebody else brings a block online meanwhile"
else
	mhp_pass_over "somebody else brings a block online meanwhile" \
		"without the series, he may get it before it has a node, and the kernel crashes"
fi
mhp_finish
