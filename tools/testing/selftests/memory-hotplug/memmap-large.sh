#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A DIMM that is large for the machine: can it be added at all, how much memory
# does that take from the rest, and how many 1 GiB pages can be made of it once it
# is online in a kernel zone? It depends on where its memmap is.
#
# usage: memmap-large.sh [GIB]
#
# mhp.gib=N on the kernel command line sets the size, too.

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 400 "$@"
mhp_setting gib "${1:-8}"
gib=$REPLY
mhp_host numa || mhp_skip "$REPLY"
mhp_keep "$MHP_SYS/auto_online_blocks"
echo offline > "$MHP_SYS/auto_online_blocks"
mhp_get "$MHP_PARAM/memmap_on_memory"
mode=$REPLY
pool=/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages
# A struct page of 80 bytes does not fill pageblocks, for one.
if [ "$mode" = Y ] || [ "$mode" = force ]; then
	mhp_dimm_add small "$MHP_BLOCK_MIB" 0 || mhp_skip "no DIMM of a memory block: $REPLY"
	mhp_get "$MHP_SYS/memory${MHP_NEW[0]}/memmap_placement"
	placement=$REPLY
	mhp_dimm_del small || mhp_skip "it stays: $REPLY"
	[ "$placement" = per_block ] || mhp_skip "memory blocks cannot host their memmap here: memmap_on_memory=$mode, placement $placement"
fi
mhp_remember

mhp_plan 5
mhp_free
before=$REPLY
mhp_dimm_add large $((gib * 1024)) 0 || mhp_bad "plugging a DIMM of $gib GiB in" success "$REPLY"
mhp_get "$MHP_SYS/memory${MHP_NEW[0]}/memmap_placement"
placement=$REPLY
mhp_note "a DIMM of $gib GiB, memmap_on_memory=$mode: $placement"
case $mode in
N)		mhp_equal placement system "$placement" ;;
leading)	mhp_equal placement leading "$placement" ;;
*)		mhp_equal placement per_block "$placement" ;;
esac
mhp_equal "memory blocks" $((gib * 1024 / MHP_BLOCK_MIB)) "${#MHP_NEW[@]}"
mhp_done "the DIMM has its memory blocks"

mhp_free
mhp_note "free: $before pages before, $REPLY after ($(((before - REPLY) * MHP_PAGE_BYTES / 1024 / gib)) KiB a GiB)"
if [ "$placement" = system ]; then
	[ "$REPLY" -gt 0 ] || mhp_bad "pages free" some none
else
	[ "$REPLY" -ge $((before * 9 / 10)) ] || mhp_bad "pages free" "$((before * 9 / 10)) or more" "$REPLY"
fi
mhp_done "free memory"

# The last one alone, with those that hold its struct pages; then it goes, and what has
# some use of its own.
hosts=()
for block in "${MHP_NEW[@]}"; do
	mhp_get "$MHP_SYS/memory$block/memmap_pages"
	[ "$REPLY" -ne "$MHP_BLOCK_PAGES" ] || hosts+=("$block")
done
if [ ${#hosts[@]} -gt 0 ]; then
	mhp_online "${MHP_NEW[-1]}" online_movable || mhp_bad "online memory${MHP_NEW[-1]}" success "$MHP_ERRNO"
	for block in "${hosts[@]}"; do
		mhp_state "$block"
		mhp_equal "memory$block, all memmap, while the last one is online" online "$REPLY"
	done
	for ((i = ${#MHP_NEW[@]} - 1; i >= ${#hosts[@]}; i--)); do
		mhp_state "${MHP_NEW[i]}"
		[ "$REPLY" = offline ] || mhp_must "$MHP_SYS/memory${MHP_NEW[i]}/state" offline
	done
	for block in "${hosts[@]}"; do
		mhp_state "$block"
		mhp_equal "memory$block, all memmap, that nobody needs" offline "$REPLY"
	done
	mhp_done "${#hosts[@]} memory blocks of nothing but memmap go with the last that needs them"
else
	mhp_pass_over "memory blocks of nothing but memmap" "none, placement $placement"
fi

mhp_online_new online_kernel
if [ -e "$pool" ]; then
	mhp_keep "$pool"
	mhp_get "$pool"
	had=$REPLY
	echo $((had + gib)) > "$pool"
	mhp_get "$pool"
	mhp_note "1 GiB pages from $gib GiB: $((REPLY - had))"
	if [ "$placement" = per_block ]; then
		mhp_equal "1 GiB pages" 0 $((REPLY - had))
	else
		# The memmap is in one of them. From a DIMM that dwarfs the machine the
		# kernel takes memory, too, as soon as there is some.
		least=$((gib - 1 - gib / 32))
		# Its shadow is an eighth, and kernel memory.
		! mhp_has_kasan || least=$((least - (gib + 7) / 8))
		[ $((REPLY - had)) -ge $least ] ||
			mhp_bad "1 GiB pages" "$least or more" $((REPLY - had))
	fi
	echo "$had" > "$pool"
	mhp_done "1 GiB pages"
else
	mhp_pass_over "1 GiB pages" "this architecture has none"
fi

# The kernel may have memory in use there now: no matter, the machine ends here.
for ((i = ${#MHP_NEW[@]} - 1; i >= 0; i--)); do
	# memory blocks of nothing but memmap go with the last of the others
	mhp_state "${MHP_NEW[i]}"
	[ "$REPLY" = offline ] || mhp_write "$MHP_SYS/memory${MHP_NEW[i]}/state" offline || {
		mhp_equal "offline memory${MHP_NEW[i]}" EBUSY "$MHP_ERRNO"
		break
	}
done
mhp_note "$((${#MHP_NEW[@]} - 1 - i)) of ${#MHP_NEW[@]} memory blocks went offline again"
if [ "$i" -ge 0 ]; then
	MHP_DIMMS=()
	mhp_pass_over "everything is as before" "the kernel has memory in use in memory${MHP_NEW[i]}"
	ktap_finished
fi
mhp_dimm_del large || mhp_bad "unplugging the DIMM" ok "$REPLY"
mhp_finish
