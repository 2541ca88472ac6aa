#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Unplug a DIMM whose memory is in use, of several kinds. Either it goes, and
# what was in it is elsewhere, or it is refused, and everything stays online;
# both within a bounded time.
#
# usage: unplug-in-use.sh [BLOCKS]

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 180 "$@"
nr=${1:-2}
limit=15	# seconds for one unplug
mhp_host numa || mhp_skip "$REPLY"
mhp_remember

mib=$((nr * MHP_BLOCK_MIB / 16))
# the last node: where there are several, it is not that of the boot memory
node=0
for dir in "$MHP_NODE"/node[0-9]*; do
	[ ! -e "$dir" ] || node=${dir##*/node}
done
plugged=0

declare -A before after

# plug TYPE: a DIMM, all of it online
plug()
{
	local block

	plugged=$((plugged + 1))
	dimm=use$plugged
	if ! mhp_dimm_add "$dimm" $((nr * MHP_BLOCK_MIB)) "$node"; then
		mhp_bad "plugging $dimm in" success "$REPLY"
		return 1
	fi
	for block in "${MHP_NEW[@]}"; do
		mhp_state "$block"
		[ "$REPLY" = offline ] || mhp_offline "$block" || true
		mhp_online "$block" "$1" || mhp_bad "$1 memory$block" success "$MHP_ERRNO"
	done
}

# unplug WHAT [RELEASE]: try it while in use, then at rest
unplug()
{
	local what=$1 release=${2:-mhp_release} block start=$SECONDS

	mhp_counts before
	if mhp_dimm_del "$dimm" "$limit"; then
		mhp_note "$what: gone after $((SECONDS - start)) s"
		return
	fi
	mhp_note "$what: refused after $((SECONDS - start)) s ($REPLY)"
	mhp_unplug_refused
	mhp_counts after
	mhp_equal "MemTotal after the refusal" "${before[MemTotal]}" "${after[MemTotal]}"
	"$release"
	mhp_dimm_del "$dimm" "$limit" || mhp_bad "unplugging $dimm at rest" ok "$REPLY"
}

# in_use FREE: that many pages of Movable were free before
in_use()
{
	local used=$1

	mhp_counts after
	used=$((used - ${after["free $node Movable"]:-0}))
	[ $((used * MHP_PAGE_BYTES)) -ge $((mib << 19)) ] ||
		mhp_note "only $((used * MHP_PAGE_BYTES >> 20)) MiB of Movable are in use, not $mib"
}

bind=()
! command -v numactl > /dev/null || bind=(numactl "--membind=$node")

mhp_plan 5
mhp_note "on node $node, $nr blocks a DIMM, $mib MiB in use"

if plug online_movable; then
	mhp_counts before
	mhp_fill "$node" "$mib" || mhp_bad "writing to node $node" success failure
	sum=$REPLY
	in_use "${before["free $node Movable"]}"
	unplug "a file in a tmpfs"
	[ ! -e "$MHP_TMP/data" ] || mhp_intact "$node" "$sum"
	mhp_release
fi
mhp_done "unplug with a file in a tmpfs"

stressed()
{
	local what=$1
	shift

	if ! command -v stress-ng > /dev/null; then
		mhp_pass_over "unplug with $what" "no stress-ng here"
		return
	fi
	if plug online_movable; then
		mhp_counts before
		mhp_spawn "${bind[@]}" stress-ng --vm 1 --vm-bytes "${mib}m" --vm-keep --timeout 60 --temp-path "$MHP_TMP" "$@"
		for _ in 1 2 3 4 5 6 7 8 9 10; do
			sleep 0.5
			mhp_counts after
			[ $((${before["free $node Movable"]} - ${after["free $node Movable"]})) -lt $((mib << 19 / MHP_PAGE_BYTES)) ] || break
		done
		in_use "${before["free $node Movable"]}"
		unplug "$what"
		mhp_release
	fi
	mhp_done "unplug with $what"
}
stressed "memory being written" --vm-method write64
stressed "locked memory" --vm-locked --vm-method write64

no_huge_pages()
{
	! grep -q " $MHP_TMP/huge " /proc/mounts || umount "$MHP_TMP/huge"
	echo 0 > "$pool"
}

huge=
for dir in "$MHP_NODE/node$node"/hugepages/hugepages-*kB; do
	size=${dir##*hugepages-}
	size=${size%kB}
	# the smallest one
	[ ! -e "$dir" ] || [ "${huge:-$size}" -lt "$size" ] || huge=$size
done
if ! command -v memhog > /dev/null; then
	mhp_pass_over "unplug with huge pages" "no memhog here (it comes with numactl)"
elif [ -z "$huge" ] || [ "$huge" -ge $((MHP_BLOCK_MIB * 512)) ]; then
	mhp_pass_over "unplug with huge pages" "none of a fitting size"
elif plug online_movable; then
	pool=/sys/kernel/mm/hugepages/hugepages-${huge}kB/nr_hugepages
	mhp_keep "$pool"
	mkdir -p "$MHP_TMP/huge"
	mount -t hugetlbfs -o "pagesize=${huge}k" mhp "$MHP_TMP/huge"
	mhp_counts before
	mhp_write "$MHP_NODE/node$node/hugepages/hugepages-${huge}kB/nr_hugepages" "$((mib * 1024 / huge))" ||
		mhp_bad "making huge pages" success "$MHP_ERRNO"
	in_use "${before["free $node Movable"]}"
	# pages of a file stay in use when the program is gone
	: > "$MHP_TMP/huge/data"
	"${bind[@]}" memhog "-f$MHP_TMP/huge/data" "$((mib / 2))m" > /dev/null ||
		mhp_bad "using huge pages" success failure
	mhp_get "$MHP_NODE/node$node/hugepages/hugepages-${huge}kB/free_hugepages"
	mhp_equal "free huge pages" $((mib * 512 / huge)) "$REPLY"
	unplug "huge pages, half of them in use" no_huge_pages
	no_huge_pages
	mhp_done "unplug with huge pages"
else
	mhp_done "unplug with huge pages"
fi
mhp_finish
