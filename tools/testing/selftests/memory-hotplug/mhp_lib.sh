# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154 # the tests and the other parts use them
#
# What the memory hotplug tests share: results here; sysfs files, memory blocks,
# DIMMs, counts, failing allocations, ranges of the test module, their struct pages, and
# leaving the machine as it was in files of their own.
#
# A test calls, in this order:
#	mhp_start SECONDS "$@"	root, sysfs, a time limit
#	mhp_take COUNT		memory blocks to play with, all offline
#	mhp_plan N		the KTAP header and plan
#	mhp_bad / mhp_done	differences found, one result line
#	mhp_finish		the last result line (all as before), the totals
#
# Functions hand back values in REPLY: a subshell for each would cost more than
# the test itself where there is only emulation.

MHP_SYS=/sys/devices/system/memory
MHP_NODE=/sys/devices/system/node
MHP_PARAM=/sys/module/memory_hotplug/parameters

# shellcheck source=/dev/null
. "$(dirname "${BASH_SOURCE[0]}")/../kselftest/ktap_helpers.sh"

export LC_ALL=C

MHP_TMP=		# directory on a tmpfs of our own
MHP_ALARM=		# where to set the alarm clock
MHP_CLOCK=		# the process that is the alarm clock
MHP_ERRNO=		# name of the error of the last mhp_write that failed
MHP_FAULTS=0		# differences since the last result line
MHP_CHILDREN=()		# processes that use memory
MHP_MODULE=		# a module that is unloaded at the end
MHP_TAKEN=()		# blocks in our hands, ascending
MHP_DIMMS=()		# DIMMs that we plugged in
declare -A MHP_STUCK=()	# block -> kernel zone that does not let it go again
declare -A MHP_KEPT=()	# file -> what was in it
MHP_NEW=()		# blocks that the last mhp_dimm_add brought
declare -A MHP_BROUGHT=() # DIMM -> the blocks it brought
declare -A MHP_WAS=()	# block -> "offline" or the zone it was in
declare -A MHP_NID=()	# block -> node
declare -A MHP_IN=()	# block of ours that is online -> "node zone"
declare -A MHP_HOSTS=()	# block -> pages of it that hold its own memmap
declare -A MHP_BEFORE=() # everything, as it was before the test

# shellcheck source=mhp_files.sh
. "$(dirname "${BASH_SOURCE[0]}")/mhp_files.sh"
# shellcheck source=mhp_blocks.sh
. "$(dirname "${BASH_SOURCE[0]}")/mhp_blocks.sh"
# shellcheck source=mhp_dimms.sh
. "$(dirname "${BASH_SOURCE[0]}")/mhp_dimms.sh"
# shellcheck source=mhp_counts.sh
. "$(dirname "${BASH_SOURCE[0]}")/mhp_counts.sh"
# shellcheck source=mhp_faults.sh
. "$(dirname "${BASH_SOURCE[0]}")/mhp_faults.sh"
# shellcheck source=mhp_ranges.sh
. "$(dirname "${BASH_SOURCE[0]}")/mhp_ranges.sh"
# shellcheck source=mhp_memmap.sh
. "$(dirname "${BASH_SOURCE[0]}")/mhp_memmap.sh"

mhp_note()
{
	printf '# %s\n' "$*"
}

# mhp_bad WHAT EXPECTED ACTUAL: note one difference
mhp_bad()
{
	mhp_note "$1: expected '$2', got '$3'"
	MHP_FAULTS=$((MHP_FAULTS + 1))
}

mhp_equal()
{
	[ "$2" = "$3" ] || mhp_bad "$1" "$2" "$3"
}

# mhp_done DESCRIPTION: the result of everything since the last mhp_done
mhp_done()
{
	if [ "$MHP_FAULTS" -eq 0 ]; then
		ktap_test_pass "$1"
	else
		ktap_test_fail "$1"
	fi
	MHP_FAULTS=0
}

# mhp_pass_over DESCRIPTION REASON: one result that cannot be had here
#
# ktap_helpers.sh prints nothing after SKIP, so the reason goes before.
mhp_pass_over()
{
	ktap_test_skip "$1: $2"
	MHP_FAULTS=0
}

mhp_plan()
{
	ktap_print_header
	ktap_set_plan "$1"
}

# mhp_skip REASON: nothing of this test can run here
mhp_skip()
{
	ktap_print_header
	ktap_skip_all "$*"
	exit "$KSFT_SKIP"
}

mhp_finish()
{
	local what="everything is as before"

	mhp_restore || mhp_bad "giving back what was taken" success failure
	if [ "${#MHP_STUCK[@]}" -gt 0 ] && [ "$MHP_FAULTS" -eq 0 ]; then
		mhp_pass_over "$what" "the kernel has memory in use in blocks that were offline: ${!MHP_STUCK[*]}"
	else
		mhp_same_as_before
		mhp_done "$what"
	fi
	ktap_finished
}

mhp_exit()
{
	local status=$?

	trap - EXIT ERR
	trap '' HUP INT TERM
	set +e
	mhp_restore
	[ -z "$MHP_CLOCK" ] || { kill "$MHP_CLOCK" && wait "$MHP_CLOCK"; } 2> /dev/null
	[ -z "$MHP_TMP" ] || { umount -l "$MHP_TMP" && rmdir "$MHP_TMP"; }
	if [ "$KSFT_NUM_TESTS" -ge "$KTAP_TESTNO" ]; then
		echo "Bail out! ended after $((KTAP_TESTNO - 1)) of $KSFT_NUM_TESTS results"
		status=$KSFT_FAIL
	fi
	exit "$status"
}

# mhp_setting NAME DEFAULT: REPLY is what mhp.NAME= on the kernel command line says, or
# the default
mhp_setting()
{
	local word

	REPLY=$2
	# shellcheck disable=SC2013 # words
	for word in $(< /proc/cmdline); do
		case $word in
		mhp."$1"=*)	REPLY=${word#*=} ;;
		esac
	done
}

mhp_has_kasan()
{
	grep -q ' kasan_mem_notifier$' /proc/kallsyms
}

# mhp_start SECONDS "$@": bound the run, check what every test needs
#
# The time limit comes from outside the shell: a signal gets even a write() out
# of offlining that goes on for ever. A kernel with KASAN gets four times as much.
mhp_start()
{
	local limit=$1 dir
	shift

	! mhp_has_kasan || limit=$((limit * 4))
	if [ -z "${MHP_BOUNDED:-}" ]; then
		MHP_BOUNDED=1 exec timeout -k 10 "$limit" "$BASH" "$0" "$@"
	fi
	trap mhp_exit EXIT
	trap 'mhp_note "${BASH_SOURCE[0]##*/}:$LINENO: \"$BASH_COMMAND\" failed"' ERR
	trap 'mhp_note "stopped by a signal after $SECONDS s (limit: '"$limit"' s)"; exit "$KSFT_FAIL"' HUP INT TERM
	trap : ALRM
	set -E

	[ "$EUID" -eq 0 ] || mhp_skip "must be run as root"
	[ -e "$MHP_SYS/block_size_bytes" ] || mhp_skip "no memory hotplug in this kernel ($MHP_SYS is missing)"

	dir=$(mktemp -d)
	mount -t tmpfs mhp "$dir" || mhp_skip "no tmpfs in this kernel"
	MHP_TMP=$dir
	mkfifo "$MHP_TMP/alarm"
	exec {MHP_ALARM}<> "$MHP_TMP/alarm"
	( trap - EXIT ERR ALRM; mhp_alarm_clock ) < "$MHP_TMP/alarm" > /dev/null 2>&1 &
	MHP_CLOCK=$!

	mhp_get "$MHP_SYS/block_size_bytes"
	MHP_BLOCK_BYTES=$((16#$REPLY))
	mhp_page_size
	MHP_PAGE_BYTES=$REPLY
	MHP_BLOCK_PAGES=$((MHP_BLOCK_BYTES / MHP_PAGE_BYTES))
	MHP_BLOCK_MIB=$((MHP_BLOCK_BYTES >> 20))
}
