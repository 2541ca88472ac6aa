#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# /sys/devices/system/memory/probe: addresses that are no good are refused with
# the right error and change nothing.
#
# Where the kernel command line has mhp.probe=ADDRESS, there is memory at that
# address that the kernel was not told of (mem=); it is probed, too. There is
# no way to take it back: what is added by probe stays.

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 60 "$@"
probe=$MHP_SYS/probe
[ -e "$probe" ] || mhp_skip "no $probe (CONFIG_ARCH_MEMORY_PROBE, which not every architecture has)"
mhp_remember

# refuse ADDRESS ERROR WHAT
refuse()
{
	if mhp_write "$probe" "$1"; then
		mhp_bad "probe $1 ($3)" "$2" success
	else
		mhp_equal "probe $1 ($3)" "$2" "$MHP_ERRNO"
	fi
}

blocks=()
mhp_blocks blocks
last=${blocks[-1]}

hidden=
for word in $(< /proc/cmdline); do
	case $word in
	mhp.probe=*)	hidden=${word#*=} ;;
	esac
done

mhp_plan $((5 + ${hidden:+2}0 / 10))

# above all that is there, so that only the alignment is wrong
printf -v above '%#x' $(((last + 1) * MHP_BLOCK_BYTES))
refuse $((above + 1)) EINVAL "one byte off"
refuse $((above + MHP_PAGE_BYTES)) EINVAL "one page off"
refuse $((above + MHP_BLOCK_BYTES / 2)) EINVAL "half a block off"
refuse $((above - MHP_PAGE_BYTES)) EINVAL "a page below a block"
mhp_done "addresses that are not those of a block"

for block in "${blocks[@]}"; do
	mhp_state "$block"
	printf -v address '%#x' $((block * MHP_BLOCK_BYTES))
	refuse "$address" EEXIST "memory$block, $REPLY"
done
mhp_done "memory that is there already"

refuse 0x10000000000000 E2BIG "2^52"
refuse 0x7000000000000000 E2BIG "far out"
printf -v address '%#x' $((-MHP_BLOCK_BYTES))
refuse "$address" E2BIG "the last block of 2^64"
mhp_done "memory beyond what the kernel can address"

refuse 0x10000000000000000 ERANGE "2^64"
refuse -1 EINVAL "negative"
refuse garbage EINVAL "no number"
refuse '0x' EINVAL "half a number"
refuse '%#x trailing' EINVAL "a number and more"
mhp_done "what is no address"

if [ -n "$hidden" ]; then
	block=$((hidden / MHP_BLOCK_BYTES))
	# the last result compares what is left
	mhp_same_as_before
	mhp_note "probing $hidden, which is memory$block"
	mhp_write "$probe" "$hidden" || mhp_bad "probe $hidden" success "$MHP_ERRNO"
	[ -e "$MHP_SYS/memory$block" ] || mhp_bad "memory$block" "to exist" "nothing"
	refuse "$hidden" EEXIST "a second time"
	mhp_done "memory that was hidden is found"

	mhp_own "$block" offline
	mhp_state "$block"
	[ "$REPLY" = offline ] || mhp_offline "$block" || mhp_bad "offline memory$block" success "$MHP_ERRNO"
	# shellcheck disable=SC2034 # by name
	declare -A base expected actual
	mhp_counts base
	mhp_counts expected
	mhp_online "$block" online_movable || mhp_bad "online_movable memory$block" success "$MHP_ERRNO"
	mhp_counts actual
	mhp_learn_hosting actual base "$block" Movable
	mhp_model expected base "$block" Movable 1
	mhp_compare expected actual
	mhp_offline "$block" || mhp_bad "offline memory$block" success "$MHP_ERRNO"
	mhp_counts actual
	mhp_compare base actual
	mhp_remember
	mhp_done "and goes online and offline"
fi
mhp_finish
