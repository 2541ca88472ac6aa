#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The virtual memmap of a range goes with the range: no sooner, where neighbours
# have struct pages in the same page or huge page of it, and no later.
#
# Ranges of 2, 126 and 130 MiB next to each other, from an odd subsection on, go
# and come back in turn while the others are in use; what was written into the
# struct pages of those is still there each time. In the end the memmap, the page
# tables and what is free are as before. Then whole memory blocks, many times.
#
# mhp.cycles=N on the kernel command line sets the number of rounds. The ranges are
# those of the module mhp_test. Without hidden memory (see mhp_ranges.sh) only
# device private memory, which needs none, is tested.

# shellcheck disable=SC2154 # mhp_hex sets them
set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_setting cycles 20
cycles=$REPLY

mhp_start $((300 + cycles * 3)) "$@"
mhp_remember
mhp_need_ranges
mib=$((1 << 20))
sizes=(130 2 126)	# in MiB; together a bit more than two sections of 128
before=$MHP_TMP/before
# Pages that may come and go in a system at rest. A leak shows every round.
tables=200	# pages for page tables, if memory has its memmap on it
slack=$((cycles > 400 ? cycles / 2 : 200))

# lay_out ADDRESS: the ranges from there on; sets at
lay_out()
{
	local i start=$1

	at=()
	for ((i = 0; i < ${#sizes[@]}; i++)); do
		mhp_hex "at[$i]" $start
		start=$((start + sizes[i] * mib))
	done
}

# come I TYPE [altmap]: add range I, with its number all over its struct pages
come()
{
	local i=$1 options=$2

	# enough pages for struct pages of up to 96 bytes
	[ -z "${3:-}" ] ||
		options+=" altmap=$((sizes[i] * mib / MHP_PAGE_BYTES * 96 / MHP_PAGE_BYTES + 2))"
	mhp_must "$MHP_TEST/add_device" "${at[i]} ${sizes[i]}M $options"
	mhp_must "$MHP_TEST/memmap" "fill ${at[i]} ${sizes[i]}M 0x9$i"
}

# others I: the struct pages of all ranges but I say what was written there
others()
{
	local i

	for ((i = 0; i < ${#at[@]}; i++)); do
		[ "$i" = "$1" ] ||
			mhp_must "$MHP_TEST/memmap" "check ${at[i]} ${sizes[i]}M 0x9$i"
	done
}

# in_turn NAME ADDRESS TYPE [altmap]: ranges of that kind from ADDRESS on
in_turn()
{
	local name=$1 i n free

	lay_out "$2"
	shift 2
	mhp_free
	free=$REPLY
	mhp_snapshot "$before"
	# The first time takes what stays, such as tables of sections.
	for ((n = 0; n < cycles + 1 && !MHP_FAULTS; n++)); do
		if [ $n -le 1 ]; then
			for ((i = 0; i < ${#at[@]}; i++)); do
				come $i "$@"
			done
			mhp_free
			[ -z "${2:-}" ] || mhp_has_kasan || [ $((free - REPLY)) -le "$tables" ] ||
				mhp_bad "pages of RAM that all ranges take" "at most $tables" \
					$((free - REPLY))
		fi
		i=$((n % ${#at[@]}))
		mhp_must "$MHP_TEST/remove_device" "${at[i]}"
		others $i
		come $i "$@"
		others none
		if [ $n = 0 ] || [ $n = "$cycles" ]; then
			mhp_must "$MHP_TEST/remove_device" all
			mhp_unchanged "all of them gone" "$before"
			mhp_free
			[ $n != 0 ] || free=$REPLY
		fi
	done
	mhp_enough_free "$free" "$slack"
	mhp_done "$name"
}

# blocks NAME BYTES [OPTION]: RAM that comes and goes and is never used
blocks()
{
	local n free=0

	mhp_snapshot "$before"
	for ((n = 0; n < cycles + 1 && !MHP_FAULTS; n++)); do
		mhp_must "$MHP_TEST/add_ram" "$start $2${3:+ $3}"
		mhp_must "$MHP_TEST/remove_ram" "$start $2"
		if [ $n = 0 ] || [ $n = "$cycles" ]; then
			mhp_unchanged "round $n" "$before"
			mhp_free
			[ $n != 0 ] || free=$REPLY
		fi
	done
	mhp_enough_free "$free" "$slack"
	mhp_done "$1"
}

total=$((6 * mib))
for size in "${sizes[@]}"; do
	total=$((total + size * mib))
done
hidden=0
[ "$MHP_HIDDEN_BYTES" -lt $((total < MHP_BLOCK_BYTES ? MHP_BLOCK_BYTES : total)) ] || hidden=1
mhp_plan $((2 + hidden * 4))

in_turn "device private memory" $((MHP_FAR + 6 * mib)) private
if [ "$hidden" = 1 ]; then
	in_turn "device memory" $((MHP_HIDDEN + 6 * mib)) generic
	in_turn "device memory with its memmap on it" $((MHP_HIDDEN + 6 * mib)) \
		generic altmap
	mhp_hex start "$MHP_HIDDEN"
	bytes=$((MHP_HIDDEN_BYTES < 1 << 30 ? MHP_HIDDEN_BYTES : 1 << 30))
	bytes=$((bytes / MHP_BLOCK_BYTES * MHP_BLOCK_BYTES))
	mhp_hex bytes $bytes
	blocks "RAM, $((bytes / mib)) MiB" "$bytes"
	if mhp_memmap_on_memory; then
		blocks "RAM, $((bytes / mib)) MiB, its memmap on it" "$bytes" memmap_on_memory
	else
		mhp_pass_over "RAM, $((bytes / mib)) MiB, its memmap on it" "$REPLY"
	fi
fi
mhp_finish
