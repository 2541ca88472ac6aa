# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # parts of mhp_lib.sh use each other's
#
# Part of mhp_lib.sh: ranges of RAM and device memory that the module mhp_test
# adds and removes, and everything that can be seen of them.

MHP_TEST=/sys/kernel/debug/mhp_test
MHP_HIDDEN=		# memory that the kernel was not told of: its address
MHP_HIDDEN_BYTES=0	# and its size; 0 if there is none
MHP_MEMINFO='MemTotal|DirectMap'	# what mhp_snapshot looks at in /proc/meminfo
# Above all memory, and what QEMU has for arm64 at 256 GiB: for device private memory
MHP_FAR=$(((1 << 38) + (1 << 30)))

# mhp_need_ranges: skips the test where the module is missing
#
# Where the kernel command line has mhp.hidden=ADDRESS:SIZE, there is memory that
# the kernel was not told of (mem=).
mhp_need_ranges()
{
	modprobe mhp_test 2> /dev/null || insmod /mhp_test.ko 2> /dev/null || true
	[ -e "$MHP_TEST" ] || mhp_skip "no module mhp_test in this kernel (CONFIG_MHP_TEST)"
	mhp_setting hidden ''
	if [ -n "$REPLY" ]; then
		MHP_HIDDEN=$((${REPLY%:*}))
		MHP_HIDDEN_BYTES=$((${REPLY#*:}))
	fi
	mhp_keep "$MHP_SYS/auto_online_blocks"
	echo offline > "$MHP_SYS/auto_online_blocks"
}

# mhp_need_hidden BLOCKS: skips the test without so many hidden memory blocks
mhp_need_hidden()
{
	[ "$MHP_HIDDEN_BYTES" -ge $(($1 * MHP_BLOCK_BYTES)) ] ||
		mhp_skip "no $1 memory blocks are hidden from the kernel (mem=, mhp.hidden=ADDRESS:SIZE)"
}

# mhp_memmap_on_memory [BLOCKS]: whether RAM of so many blocks can hold its own memmap;
# REPLY says why not. Adds and removes hidden memory to find out.
mhp_memmap_on_memory()
{
	local pages pageblock mode at size

	REPLY="this kernel knows no memmap_on_memory"
	[ -e "$MHP_PARAM/memmap_on_memory" ] || return
	mhp_get "$MHP_PARAM/memmap_on_memory"
	mode=$REPLY
	if [ "$mode" = N ]; then
		REPLY="memory_hotplug.memmap_on_memory is off"
		return 1
	elif grep -q '^MMU.*Hash' /proc/cpuinfo; then
		REPLY="only the radix MMU of powerpc can do that"
		return 1
	fi
	[ "$mode" != force ] || return 0

	mhp_hex at "$MHP_HIDDEN"
	if [ "$mode" = leading ]; then
		mhp_hex size $((${1:-1} * MHP_BLOCK_BYTES))
		mhp_must "$MHP_TEST/add_ram" "$at $size memmap_on_memory"
		mhp_get "$MHP_SYS/memory$((MHP_HIDDEN / MHP_BLOCK_BYTES))/memmap_placement"
		mode=$REPLY
		mhp_must "$MHP_TEST/remove_ram" "$at $size"
		REPLY="the memmap of ${1:-1} blocks is in $mode"
		[ "$mode" = leading ]
		return
	fi
	mhp_hex size "$MHP_BLOCK_BYTES"
	pages=$(awk '$1 == "nr_memmap_pages" { print $2 }' /proc/vmstat)
	mhp_must "$MHP_TEST/add_ram" "$at $size"
	pages=$(($(awk '$1 == "nr_memmap_pages" { print $2 }' /proc/vmstat) - pages))
	mhp_must "$MHP_TEST/remove_ram" "$at $size"
	pageblock=$(awk '/^Pages per block/ { print $4 }' /proc/pagetypeinfo)
	REPLY="the memmap of a block has $pages pages, and a pageblock $pageblock"
	[ $((pages % pageblock)) = 0 ]
}

# mhp_ram_goes FIRST COUNT: memory blocks of hidden memory go offline, from the last one
# on, and away, if the kernel has nothing in those of its zones
mhp_ram_goes()
{
	local block zone at size

	for ((block = $1 + $2 - 1; block >= $1; block--)); do
		mhp_state "$block"
		[ "$REPLY" = online ] || continue
		mhp_zones "$block"
		zone=$REPLY
		mhp_offline "$block" || {
			mhp_refused "$block" "$zone"
			MHP_STUCK[$block]=$zone
		}
	done
	[ ${#MHP_STUCK[@]} = 0 ] || return 0
	mhp_hex at $(($1 * MHP_BLOCK_BYTES))
	mhp_hex size $(($2 * MHP_BLOCK_BYTES))
	mhp_must "$MHP_TEST/remove_ram" "$at $size"
}

# mhp_hex NAME NUMBER: sets NAME to the number as the files of the module take it
mhp_hex()
{
	printf -v "$1" '%#x' "$2"
}

# mhp_snapshot FILE: everything that can be seen of memory and must not change
# when an operation fails, line by line. What is free is not part of it.
mhp_snapshot()
{
	local file
	local -a files=(/proc/{iomem,zoneinfo,vmstat,meminfo}
			"$MHP_SYS"/memory*/{state,valid_zones}
			"$MHP_NODE"/{online,has_memory,has_normal_memory})

	for file in /sys/kernel/debug/memory_hotplug/extents "$MHP_TEST/ranges"; do
		[ ! -e "$file" ] || files+=("$file")
	done
	# Few processes, as each costs more than the files do.
	{
		awk -v meminfo="^($MHP_MEMINFO)" '
		FILENAME == "/proc/zoneinfo" {
			if (/^Node/ || / (spanned|present|managed|start_pfn:) /)
				print
			next
		}
		FILENAME == "/proc/vmstat" && !/^nr_memmap/ { next }
		FILENAME == "/proc/meminfo" && $0 !~ meminfo { next }
		{ print FILENAME ": " $0 }' "${files[@]}"
		printf '%s\n' "$MHP_SYS"/memory*/node* "$MHP_NODE"/node*/memory*
		# the numbers of these folders only ever grow
		[ ! -d /sys/firmware/memmap ] || sort /sys/firmware/memmap/*/{start,end,type}
	} > "$1"
}

# mhp_unchanged WHAT SNAPSHOT: notes how everything differs from the snapshot
mhp_unchanged()
{
	local line

	mhp_snapshot "$MHP_TMP/now"
	cmp -s "$2" "$MHP_TMP/now" && return
	while IFS= read -r line; do
		mhp_bad "$1" "no change" "$line"
	done < <(diff "$2" "$MHP_TMP/now" | awk '/^[<>]/ && n++ < 10' || true)
}

# mhp_free: what is free, in pages, without what the system keeps only because
# nobody needs it. What is on the lists of CPUs is free, too.
mhp_free()
{
	sync
	echo 3 > /proc/sys/vm/drop_caches
	echo 1 > /proc/sys/vm/stat_refresh
	REPLY=$(awk '$1 == "nr_free_pages" || $1 == "count:" { n += $2 } END { print n }' /proc/zoneinfo)
}

# mhp_leaks: notes what kmemleak thinks was lost; status 1 if it is not there, or off
mhp_leaks()
{
	local file=/sys/kernel/debug/kmemleak line

	mhp_write "$file" scan || return
	# Objects that are younger than five seconds are not suspected yet.
	sleep 6
	mhp_write "$file" scan || return
	while IFS= read -r line; do
		mhp_bad "kmemleak" nothing "$line"
	done < <(head -n 20 "$file")
}

# mhp_enough_free PAGES SLACK: notes if less is free than PAGES. SLACK pages may come
# and go in a system at rest; with KASAN, which keeps freed objects, any number may.
mhp_enough_free()
{
	mhp_free
	mhp_note "free before $1, after $REPLY pages"
	mhp_has_kasan || [ $(($1 - REPLY)) -le "$2" ] ||
		mhp_bad "free pages, within $2" "$1" "$REPLY"
}

# mhp_none_lost PAGES SLACK: the result of comparing what is free with PAGES, what
# it was before. SLACK pages may come and go in a system at rest. KASAN keeps freed
# objects: there, kmemleak has to do, which knows of objects, not of pages.
mhp_none_lost()
{
	local leaks=0

	mhp_leaks || leaks=$?
	mhp_enough_free "$1" "$2"
	if ! mhp_has_kasan; then
		mhp_done "no memory is lost"
	elif [ "$leaks" = 0 ]; then
		mhp_done "no object is lost"
	else
		mhp_pass_over "no memory is lost" "KASAN keeps freed objects, and there is no kmemleak"
	fi
}
