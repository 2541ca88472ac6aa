#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# HugeTLB's vmemmap optimization frees struct pages of huge pages, but not those that
# lie on hot-added memory. Huge pages of boot memory, and of a DIMM, come and go.
#
# Needs hugetlb_free_vmemmap=on on the kernel command line.

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 120 "$@"
switch=/proc/sys/vm/hugetlb_optimize_vmemmap
[ -e "$switch" ] || mhp_skip "no HugeTLB vmemmap optimization in this kernel"
[ "$(< "$switch")" = 1 ] || mhp_skip "it is off (hugetlb_free_vmemmap=on)"
mhp_host numa || mhp_skip "$REPLY"
[ -e "$MHP_NODE/node1" ] || mhp_skip "needs two nodes"
nr=8		# memory blocks
want=64		# huge pages

# memmap: pages of memmap that the kernel counts
memmap()
{
	echo 1 > /proc/sys/vm/stat_refresh
	REPLY=$(awk '/^nr_memmap/ { n += $2 } END { print n }' /proc/vmstat)
}

# huge NODE: makes huge pages and frees them; sets saved to the pages of memmap less
huge()
{
	local pool=$MHP_NODE/node$1/hugepages/hugepages-2048kB/nr_hugepages before got

	memmap
	before=$REPLY
	echo $want > "$pool"
	got=$(< "$pool")
	memmap
	saved=$((before - REPLY))
	mhp_note "node $1: $got huge pages save $saved pages of memmap"
	[ "$got" -ge $((want / 2)) ] || mhp_bad "huge pages on node $1" "$want" "$got"
	echo 0 > "$pool"
	mhp_equal "huge pages left on node $1" 0 "$(< "$pool")"
	memmap
	mhp_equal "pages of memmap, huge pages gone" "$before" "$REPLY"
}

mhp_plan 3
# dump_vma() is there with CONFIG_DEBUG_VM only, and the check of tail pages with it:
# 6.12.115 to 6.12.117 give memmap back as copies of that of the head page, and the
# check says so of every huge page. DIMMs have nothing given back.
if grep -q ' dump_vma$' /proc/kallsyms; then
	mhp_pass_over "boot memory" "CONFIG_DEBUG_VM finds fault with how 6.12.117 restores tail pages"
else
	huge 0
	[ "$saved" -gt 0 ] || mhp_bad "pages of memmap saved on boot memory" some none
	mhp_done "boot memory"
fi
# its memmap is no longer where boot put it, and counted elsewhere
mhp_remember

# from a node that has nothing else to offer in Movable: huge pages prefer it
mhp_dimm_add huge $((nr * MHP_BLOCK_MIB)) 1 || mhp_bad "plugging a DIMM in" success "$REPLY"
mhp_online_new online_movable
mhp_get "$MHP_SYS/memory${MHP_NEW[0]}/memmap_placement"
placement=$REPLY
huge 1
if [ "$placement" = system ]; then
	[ "$saved" -gt 0 ] || mhp_bad "pages of memmap saved" some none
else
	# boot memory of the node may have served some
	mhp_equal "pages of memmap saved" 0 "$saved"
fi
mhp_done "a DIMM, placement $placement"
mhp_dimm_del huge || mhp_bad "unplugging the DIMM" ok "$REPLY"
mhp_finish
