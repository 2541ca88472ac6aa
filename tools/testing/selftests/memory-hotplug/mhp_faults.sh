# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # parts of mhp_lib.sh use each other's
#
# Part of mhp_lib.sh: the N-th allocation of a write() fails.
#
# Needs fault injection for slab and pages (CONFIG_FAILSLAB,
# CONFIG_FAIL_PAGE_ALLOC, CONFIG_FAULT_INJECTION_DEBUG_FS).

MHP_LEFT=		# see mhp_fail_nth

# mhp_need_faults: skips the test where nothing can be made to fail
mhp_need_faults()
{
	local file

	for file in /proc/self/fail-nth /sys/kernel/debug/failslab /sys/kernel/debug/fail_page_alloc; do
		[ -e "$file" ] || mhp_skip "no $file: this kernel has no fault injection"
	done
}

# mhp_set_up_faults: after mhp_start; all kinds of allocations shall fail
mhp_set_up_faults()
{
	local debugfs=/sys/kernel/debug file

	for file in $debugfs/failslab/verbose $debugfs/fail_page_alloc/verbose; do
		mhp_keep "$file"
		echo 0 > "$file"
	done
	# Not only allocations that cannot wait, and not only large ones.
	for file in $debugfs/failslab/ignore-gfp-wait $debugfs/fail_page_alloc/ignore-gfp-wait; do
		mhp_keep "$file"
		echo N > "$file"
	done
	mhp_keep $debugfs/fail_page_alloc/min-order
	echo 0 > $debugfs/fail_page_alloc/min-order
}

# mhp_fail_nth N FILE TEXT: write TEXT to FILE with the N-th allocation failing.
# MHP_LEFT is how many allocations short of the failure it ended, 0 if the failure
# came.
mhp_fail_nth()
{
	local status=0 nth out

	exec {nth}<> /proc/self/fail-nth
	exec {out}> "$2"
	echo "$1" >&"$nth"
	echo "$3" >&"$out" || status=1
	read -r MHP_LEFT < /proc/self/fail-nth || MHP_LEFT=0
	echo 0 > /proc/self/fail-nth || true
	exec {nth}>&- {out}>&-
	return "$status"
} 2>/dev/null
