#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Where the memmap of a DIMM lies, and what follows from that: plugged into a
# node, online, accounted for, in use down to a tenth of what is free, offline,
# unplugged. For the placement that memory_hotplug.memmap_on_memory asks for.
#
# usage: memmap-placement.sh [BLOCKS [SEED]]

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 400 "$@"
nr=${1:-8}
seed=${2:-${MHP_SEED:-$RANDOM}}
placements=/sys/kernel/debug/memory_hotplug/placements
mhp_host numa || mhp_skip "$REPLY"
[ -e "$MHP_SYS/memory0/memmap_placement" ] || mhp_skip "this kernel does not tell where the memmap is"
grep -q " /sys/kernel/debug debugfs " /proc/mounts || mount -t debugfs none /sys/kernel/debug
[ -e "$placements" ] || mhp_skip "no $placements"
mhp_get "$MHP_PARAM/memmap_on_memory"
mode=$REPLY
mhp_remember

node=0
for dir in "$MHP_NODE"/node[0-9]*; do
	[ ! -e "$dir" ] || node=${dir##*/node}
done

declare -A before after
declare -A hosted=()	# block -> pages of it that hold memmap
declare -A first=()	# block -> first block of what it was added with

pages_per_pageblock()
{
	grep '^Pages per block:' /proc/pagetypeinfo > "$MHP_TMP/pageblock"
	read -r _ _ _ REPLY < "$MHP_TMP/pageblock"
}

# learn: fills hosted and first of the blocks of MHP_NEW
learn()
{
	local block start line place=

	hosted=() first=()
	for block in "${MHP_NEW[@]}"; do
		mhp_get "$MHP_SYS/memory$block/memmap_pages"
		hosted[$block]=$REPLY
		first[$block]=${MHP_NEW[0]}
		mhp_get "$MHP_SYS/memory$block/memmap_placement"
		[ -n "$place" ] || place=$REPLY
		mhp_equal "placement of memory$block" "$place" "$REPLY"
	done
	# 0x100000000-0x13fffffff leading pages ...
	while read -r line; do
		start=$((${line%%-*} / MHP_BLOCK_BYTES))
		line=${line%% *}
		for ((block = start; block <= ${line#*-} / MHP_BLOCK_BYTES; block++)); do
			[ -z "${first[$block]:-}" ] || first[$block]=$start
		done
	done < "$placements"
	placement=$place
}

# fits STRUCT_SIZE: is every block's number of pages right for it?
fits()
{
	local size=$1 block start=-1 left=0 want pages blocks

	for block in "${MHP_NEW[@]}"; do
		if [ "$placement" != leading ] || [ "${first[$block]}" -ne "$start" ]; then
			start=${first[$block]}
			blocks=1
			if [ "$placement" = leading ]; then
				blocks=0
				for pages in "${first[@]}"; do
					[ "$pages" -ne "$start" ] || blocks=$((blocks + 1))
				done
			fi
			left=$(((blocks * MHP_BLOCK_PAGES * size + MHP_PAGE_BYTES - 1) / MHP_PAGE_BYTES))
			if [ "$placement" = leading ] || [ "$mode" = force ]; then
				left=$(((left + pageblock - 1) / pageblock * pageblock))
			fi
			[ "$placement" != system ] || left=0
		fi
		want=$((left > MHP_BLOCK_PAGES ? MHP_BLOCK_PAGES : left))
		[ "${hosted[$block]}" -eq "$want" ] || return 1
		left=$((left - want))
	done
}

# needs BLOCK: the blocks that have to be online before it
needs()
{
	local block

	REPLY=
	[ "$placement" = leading ] || return 0
	for ((block = first[$1]; block < $1; block++)); do
		[ "${hosted[$block]}" -eq 0 ] || REPLY+="$block "
	done
}

# needed BLOCK: is a block online that this one has to be online for?
needed()
{
	local block

	[ "$placement" = leading ] && [ "${hosted[$1]}" -gt 0 ] || return 1
	for block in "${MHP_NEW[@]}"; do
		if [ "$block" -gt "$1" ] && [ "${first[$block]}" -eq "${first[$1]}" ]; then
			mhp_state "$block"
			[ "$REPLY" != online ] || return 0
		fi
	done
	return 1
}

# plug: a DIMM, all of it offline
plug()
{
	local i

	plugged=$((plugged + 1))
	dimm=place$plugged
	mhp_dimm_add "$dimm" $((nr * MHP_BLOCK_MIB)) "$node" || mhp_bad "plugging $dimm in" success "$REPLY"
	# some firmware has it online by now
	for ((i = ${#MHP_NEW[@]} - 1; i >= 0; i--)); do
		mhp_state "${MHP_NEW[i]}"
		[ "$REPLY" = offline ] || mhp_offline "${MHP_NEW[i]}" ||
			mhp_bad "offline memory${MHP_NEW[i]}, just plugged in" success "$MHP_ERRNO"
	done
	learn
}

# check_counts WHAT: zones and nodes count what is online, and the memmap in it
check_counts()
{
	local block present=0 managed=0

	mhp_counts after
	for block in "${MHP_NEW[@]}"; do
		mhp_state "$block"
		[ "$REPLY" = online ] || continue
		present=$((present + MHP_BLOCK_PAGES))
		managed=$((managed + MHP_BLOCK_PAGES - hosted[$block]))
	done
	mhp_equal "$1: pages present in Movable of node $node" \
		$((${before["zone $node Movable present"]:-0} + present)) "${after["zone $node Movable present"]:-0}"
	mhp_equal "$1: pages managed in Movable of node $node" \
		$((${before["zone $node Movable managed"]:-0} + managed)) "${after["zone $node Movable managed"]:-0}"
	mhp_equal "$1: MemTotal of node $node" \
		$((${before["node $node MemTotal"]:-0} + managed * (MHP_PAGE_BYTES / 1024))) \
		"${after["node $node MemTotal"]:-0}"
}

# check_flags: what holds memmap is reserved, and the page after it is not
check_flags()
{
	local block pfn want

	for block in "${MHP_NEW[@]}"; do
		[ "${hosted[$block]}" -gt 0 ] || continue
		pfn=$((block * MHP_BLOCK_PAGES))
		for want in "$pfn 1" "$((pfn + hosted[$block] - 1)) 1" "$((pfn + hosted[$block])) 0"; do
			[ "${want% *}" -lt $((pfn + MHP_BLOCK_PAGES)) ] || continue
			# KPF_RESERVED
			REPLY=$(od -An -tu8 -j $((${want% *} * 8)) -N 8 /proc/kpageflags)
			mhp_equal "page ${want% *} of memory$block: reserved" "${want#* }" $((REPLY >> 32 & 1))
		done
	done
}

offline_all()
{
	local i

	for ((i = ${#MHP_NEW[@]} - 1; i >= 0; i--)); do
		mhp_state "${MHP_NEW[i]}"
		[ "$REPLY" = offline ] || mhp_offline "${MHP_NEW[i]}" ||
			mhp_bad "offline memory${MHP_NEW[i]}" success "$MHP_ERRNO"
	done
}

plugged=0
pages_per_pageblock
pageblock=$REPLY
mhp_plan 9
plug
mhp_counts before
mhp_note "memmap_on_memory=$mode, node $node, $nr blocks: $placement; seed $seed"
mhp_note "pages of memmap: $(for block in "${MHP_NEW[@]}"; do printf '%s:%s ' "$block" "${hosted[$block]}"; done)"

case $mode in
N)		mhp_equal "placement" system "$placement" ;;
Y | force)	[ "$placement" != leading ] || mhp_bad "placement" "per_block or system" leading ;;
leading)	# but where a pageblock is too much of the range
		[ $((pageblock * 16)) -gt $((nr * MHP_BLOCK_PAGES)) ] ||
			mhp_equal "placement" leading "$placement"
		;;
esac
fitting=
for size in 64 56 72 80 88 96; do
	! fits "$size" || fitting=$size
done
[ -n "$fitting" ] || mhp_bad "pages of memmap" "those of some size of struct page" "${hosted[*]}"
case $mode/$placement in
N/* | leading/leading | [Yf]*/per_block)	;;
*)
	dmesg | grep "placement of the memmap of .* is $placement, not " > "$MHP_TMP/why" ||
		mhp_bad "the log" "why the placement is $placement" nothing
	;;
esac
mhp_done "placement of the memmap, and pages that it takes"

last=${MHP_NEW[-1]}
needs "$last"
hosts=$REPLY
mhp_online "$last" online_movable || mhp_bad "online memory$last" success "$MHP_ERRNO"
for block in "${MHP_NEW[@]}"; do
	mhp_state "$block"
	if [ "$block" = "$last" ] || [[ " $hosts" == *" $block "* ]]; then
		mhp_equal "memory$block/state" online "$REPLY"
		mhp_zones "$block"
		mhp_equal "memory$block/valid_zones" Movable "$REPLY"
	else
		mhp_equal "memory$block/state" offline "$REPLY"
	fi
done
check_counts "the last block online"
mhp_online_new online_movable
check_counts "all online"
if [ -e /proc/kpageflags ]; then
	check_flags
else
	mhp_note "no /proc/kpageflags: not checked that memmap is reserved"
fi
if command -v numactl > /dev/null; then
	numactl -H > "$MHP_TMP/numactl"
	read -r _ _ _ line _ < <(grep "^node $node size:" "$MHP_TMP/numactl")
	mhp_equal "MiB that numactl says node $node has" $((${after["node $node MemTotal"]} / 1024)) "$line"
fi
mhp_done "the last block online, and what holds its struct pages; then all"

early=0
for block in "${MHP_NEW[@]}"; do
	needed "$block" || continue
	early=$((early + 1))
	if mhp_write "$MHP_SYS/memory$block/state" offline; then
		mhp_bad "offline memory$block, which others need" EBUSY success
	else
		mhp_equal "offline memory$block, which others need" EBUSY "$MHP_ERRNO"
	fi
	dmesg | grep "memory$block: stays online: it holds struct pages" > "$MHP_TMP/why" ||
		mhp_bad "the log" "why memory$block stays online" nothing
done
check_counts "after refusals"
if [ "$early" -gt 0 ]; then
	mhp_done "memory that holds struct pages of others stays online"
else
	mhp_pass_over "memory that holds struct pages of others stays online" "no block does, placement $placement"
fi

if command -v stress-ng > /dev/null; then
	bind=()
	! command -v numactl > /dev/null || bind=(numactl "--membind=$node")
	# the node, not the zone: boot memory of the node is used up as well
	used=0
	for key in "${!after[@]}"; do
		[[ $key != "free $node "* ]] || used=$((used + after[$key]))
	done
	free=$used
	used=$((used / 100 * 92 * (MHP_PAGE_BYTES / 1024)))
	mhp_spawn "${bind[@]}" stress-ng --vm 1 --vm-bytes "${used}k" --vm-keep --vm-hang 0 --timeout 900 --temp-path "$MHP_TMP"
	left=$free lowest=$free
	for ((i = 0; i < 300 && left > free / 10; i++)); do
		sleep 0.3
		mhp_counts after
		left=0
		for key in "${!after[@]}"; do
			[[ $key != "free $node "* ]] || left=$((left + after[$key]))
		done
		# on a slow machine, as long as it gets on
		[ "$left" -ge "$lowest" ] || i=0 lowest=$left
	done
	mhp_note "node $node: $free pages free, then $left"
	[ "$left" -le $((free / 10)) ] || mhp_bad "pages free on node $node under stress" "at most $((free / 10))" "$left"
	mhp_release
	check_counts "after stress"
	mhp_done "memory of the node used down to a tenth"
else
	mhp_pass_over "memory of the node used down to a tenth" "no stress-ng here"
fi

offline_all
mhp_counts after
mhp_compare before after
mhp_done "offline from the last block to the first"

RANDOM=$seed
refused=0
for ((i = 0; i < 6 * nr; i++)); do
	block=${MHP_NEW[RANDOM % nr]}
	mhp_state "$block"
	if [ "$REPLY" = offline ]; then
		mhp_online "$block" online_movable || mhp_bad "online memory$block" success "$MHP_ERRNO"
	elif needed "$block"; then
		! mhp_write "$MHP_SYS/memory$block/state" offline ||
			mhp_bad "offline memory$block, which others need" EBUSY success
		refused=$((refused + 1))
	else
		mhp_offline "$block" || mhp_bad "offline memory$block" success "$MHP_ERRNO"
	fi
done
check_counts "after random changes"
mhp_note "$((6 * nr)) random changes, of which $refused too early"
offline_all
mhp_counts after
mhp_compare before after
mhp_done "online and offline in random order"

# The struct pages of the last block lie on the first one's memory: once that is
# known to be bad, neither goes online. Gone with the DIMM.
if [ ! -e "$MHP_SYS/hard_offline_page" ]; then
	mhp_pass_over "poisoned memmap" "no memory failure in this kernel"
elif [ "${hosted[${MHP_NEW[0]}]}" -eq 0 ]; then
	mhp_pass_over "poisoned memmap" "it is in system RAM"
else
	block=${MHP_NEW[0]}
	mhp_online "$block" online_movable || mhp_bad "online memory$block" success "$MHP_ERRNO"
	for file in soft_offline_page hard_offline_page; do
		! mhp_write "$MHP_SYS/$file" "$((block * MHP_BLOCK_BYTES))" ||
			mhp_bad "$file of memmap" failure success
		mhp_note "$file of memmap: $MHP_ERRNO"
	done
	mhp_offline "$block" || mhp_bad "offline memory$block" success "$MHP_ERRNO"
	for other in "$block" "$last"; do
		[ "$other" = "$block" ] || [ "$placement" = leading ] || continue
		if mhp_online "$other" online_movable; then
			mhp_bad "online memory$other" EHWPOISON success
		else
			mhp_equal "online memory$other" EHWPOISON "$MHP_ERRNO"
		fi
	done
	mhp_counts after
	mhp_compare before after
	mhp_done "poisoned memmap"
fi
mhp_dimm_del "$dimm" || mhp_bad "unplugging $dimm" ok "$REPLY"
mhp_same_as_before

# Another DIMM, which may well come right behind
plug
blocks=("${MHP_NEW[@]}")
was="${hosted[*]}"
mhp_dimm_add later $((2 * MHP_BLOCK_MIB)) "$node" || mhp_bad "plugging a second DIMM in" success "$REPLY"
MHP_NEW=("${blocks[@]}")
learn
mhp_equal "pages of memmap after a later add" "$was" "${hosted[*]}"
mhp_dimm_del later || mhp_bad "unplugging the second DIMM" ok "$REPLY"
learn
mhp_equal "pages of memmap after a later removal" "$was" "${hosted[*]}"
mhp_done "what comes later changes nothing"
mhp_online_new online_movable
mhp_dimm_del "$dimm" || mhp_bad "unplugging $dimm, which is online" ok "$REPLY"
mhp_finish
