#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# powernv's memtrace takes memory of each node for hardware to trace to: 1 GiB; 2 GiB, for
# which the first is freed; more than there is, for which these are freed and which finds
# none; 1 GiB again; and none. mhp.large=GIB on the kernel command line says what is more
# than there is in one piece; without it that is more than a node has.

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 200 "$@"
dir=/sys/kernel/debug/powerpc/memtrace
grep -q '^[^ ]* /sys/kernel/debug ' /proc/mounts || mount -t debugfs none /sys/kernel/debug ||
	mhp_skip "no debugfs in this kernel"
[ -e $dir/enable ] || mhp_skip "no memtrace in this kernel (CONFIG_PPC_MEMTRACE), or not on powernv"

# carved: bytes taken out of the kernel
carved()
{
	REPLY=$(($(awk '$1 == "nr_carved_pages" { print $2 }' /proc/vmstat) * MHP_PAGE_BYTES))
}

# shown GIB: debugfs shows that much for each node, and /proc/vmstat all of it; or nothing
shown()
{
	local place size start places=("$dir"/[0-9]*)

	carved
	mhp_equal "bytes taken" $(($1 * nr_nodes << 30)) "$REPLY"
	[ -e "${places[0]}" ] || places=()
	mhp_equal "places to trace to" $(($1 > 0 ? nr_nodes : 0)) ${#places[@]}
	[ "$1" -gt 0 ] || return 0
	for place in ${places[@]+"${places[@]}"}; do
		size=$(($(< "$place/size")))
		start=$(($(< "$place/start")))
		mhp_equal "size" $(($1 << 30)) "$size"
		mhp_equal "alignment" 0 $((start % size))
		mhp_equal "bytes of the first MiB that are not zero" 0 \
			"$(head -c 1048576 "$place/trace" | tr -d '\0' | wc -c)"
	done
}

# enable GIB
enable()
{
	REPLY=0
	mhp_write $dir/enable $(($1 << 30)) || REPLY=$MHP_ERRNO
}

nodes=("$MHP_NODE"/node[0-9]*)
nr_nodes=${#nodes[@]}
smallest=$(awk '$3 == "MemTotal:" { print int($4 / 1048576) }' "$MHP_NODE"/node*/meminfo | sort -n | sed q)
[ "$smallest" -ge 4 ] || mhp_skip "needs nodes of more than 4 GiB"
largest=$(awk '$3 == "MemTotal:" { print int($4 / 1048576) }' "$MHP_NODE"/node*/meminfo | sort -n | tail -n 1)
large=1
while [ $((large *= 2)) -le "$largest" ]; do :; done
mhp_setting large $large
large=$REPLY

mhp_plan 6
for gib in 1 2; do
	enable $gib
	mhp_equal "enabling" 0 "$REPLY"
	shown $gib
	mhp_done "$gib GiB"
done

# which is no error, as another node might have had it; the log tells
enable "$large"
mhp_equal "enabling" 0 "$REPLY"
shown 0
mhp_done "$large GiB, more than there is: what was there is freed"

enable 1
mhp_equal "enabling" 0 "$REPLY"
shown 1
mhp_done "1 GiB again"

mhp_write $dir/enable 4096 && mhp_bad "a size of no memory blocks" EINVAL success
mhp_equal "a size of no memory blocks" EINVAL "$MHP_ERRNO"
shown 1
mhp_done "what is refused leaves it alone"

enable 0
mhp_equal "disabling" 0 "$REPLY"
shown 0
mhp_done "all is freed"
ktap_finished
