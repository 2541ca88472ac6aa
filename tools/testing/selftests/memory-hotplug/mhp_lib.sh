# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the memory hotplug tests share: memory blocks and what is written to
# them, zones as /proc/zoneinfo counts them, DIMMs where a hypervisor listens,
# and leaving the machine as it was.
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
MHP_TAKEN=()		# blocks in our hands, ascending
MHP_DIMMS=()		# DIMMs that we plugged in
declare -A MHP_STUCK=()	# block -> kernel zone that does not let it go again
declare -A MHP_KEPT=()	# file -> what was in it
MHP_NEW=()		# blocks that the last mhp_dimm_add brought
declare -A MHP_WAS=()	# block -> "offline" or the zone it was in
declare -A MHP_NID=()	# block -> node
declare -A MHP_IN=()	# block of ours that is online -> "node zone"
declare -A MHP_HOSTS=()	# block -> pages of it that hold its own memmap
# shellcheck disable=SC2034 # by name
declare -A MHP_BEFORE=() # everything, as it was before the test

# ---- results ---------------------------------------------------------------

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

# mhp_start SECONDS "$@": bound the run, check what every test needs
#
# The time limit comes from outside the shell: a signal gets even a write() out
# of offlining that goes on for ever.
mhp_start()
{
	local limit=$1 dir
	shift

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

# ---- files -----------------------------------------------------------------

# mhp_get FILE: its first line
mhp_get()
{
	REPLY=
	read -r REPLY 2>/dev/null < "$1" || true
}

# mhp_errno MESSAGE: the name of an error, from what strerror() made of it
mhp_errno()
{
	case $1 in
	*"Operation not permitted")		REPLY=EPERM ;;
	*"No such file or directory")		REPLY=ENOENT ;;
	*"Interrupted system call")		REPLY=EINTR ;;
	*"Input/output error")			REPLY=EIO ;;
	*"No such device or address")		REPLY=ENXIO ;;
	*"Argument list too long")		REPLY=E2BIG ;;
	*"Resource temporarily unavailable")	REPLY=EAGAIN ;;
	*"Cannot allocate memory")		REPLY=ENOMEM ;;
	*"Permission denied")			REPLY=EACCES ;;
	*"Bad address")				REPLY=EFAULT ;;
	*"Device or resource busy")		REPLY=EBUSY ;;
	*"File exists")				REPLY=EEXIST ;;
	*"No such device")			REPLY=ENODEV ;;
	*"Invalid argument")			REPLY=EINVAL ;;
	*"File too large")			REPLY=EFBIG ;;
	*"No space left on device")		REPLY=ENOSPC ;;
	*"Numerical result out of range")	REPLY=ERANGE ;;
	*"Function not implemented")		REPLY=ENOSYS ;;
	*"Operation not supported")		REPLY=EOPNOTSUPP ;;
	*"Value too large for defined data type") REPLY=EOVERFLOW ;;
	*"Memory page has hardware error")	REPLY=EHWPOISON ;;
	*)					REPLY="unknown error '${1##*: }'" ;;
	esac
}

# mhp_write FILE FORMAT: one write() of what printf makes of FORMAT
#
# On failure the status is 1 and MHP_ERRNO the name of the error.
mhp_write()
{
	local message

	MHP_ERRNO=
	# shellcheck disable=SC2059 # the caller gives a format
	if { printf -- "$2" > "$1"; } 2> "$MHP_TMP/error"; then
		return 0
	fi
	read -r message < "$MHP_TMP/error" || true
	mhp_errno "$message"
	MHP_ERRNO=$REPLY
	return 1
}

# mhp_write_whole FILE FORMAT: the same for texts with newlines in between and
# for those longer than a page, of which printf would make more than one write()
mhp_write_whole()
{
	local message

	MHP_ERRNO=
	# shellcheck disable=SC2059 # the caller gives a format
	printf -- "$2" > "$MHP_TMP/text"
	if dd if="$MHP_TMP/text" of="$1" bs=1M count=1 status=none 2> "$MHP_TMP/error"; then
		return 0
	fi
	read -r message < "$MHP_TMP/error" || true
	mhp_errno "$message"
	MHP_ERRNO=$REPLY
	return 1
}

mhp_page_size()
{
	local line lines

	mapfile -t lines < /proc/self/smaps
	for line in "${lines[@]}"; do
		case $line in
		MMUPageSize:*)
			# shellcheck disable=SC2086 # to be split
			set -- $line
			REPLY=$(($2 * 1024))
			return
			;;
		esac
	done
	REPLY=$(getconf PAGESIZE)
}

# mhp_keep FILE: write back what it says now when the test ends
mhp_keep()
{
	mhp_get "$1"
	MHP_KEPT[$1]=$REPLY
}

# ---- memory blocks ---------------------------------------------------------

# mhp_blocks ARRAY: the numbers of all blocks, ascending
mhp_blocks()
{
	local -n _blocks=$1
	local dir
	local -a seen=()

	for dir in "$MHP_SYS"/memory[0-9]*; do
		seen[${dir##*/memory}]=1
	done
	# shellcheck disable=SC2034 # the caller's
	_blocks=("${!seen[@]}")
}

mhp_state()
{
	mhp_get "$MHP_SYS/memory$1/state"
}

# mhp_zones BLOCK: the zone of an online block; the zones open to an offline one
mhp_zones()
{
	mhp_get "$MHP_SYS/memory$1/valid_zones"
}

# mhp_kernel_zone BLOCK: the zone that online_kernel puts an offline block into
mhp_kernel_zone()
{
	local zone

	mhp_zones "$1"
	for zone in $REPLY; do
		if [ "$zone" != Movable ]; then
			REPLY=$zone
			return
		fi
	done
	REPLY=
}

mhp_nid()
{
	local link

	REPLY=0
	for link in "$MHP_SYS/memory$1"/node[0-9]*; do
		[ ! -e "$link" ] || REPLY=${link##*/node}
	done
}

# mhp_online BLOCK [online|online_kernel|online_movable]
mhp_online()
{
	mhp_write "$MHP_SYS/memory$1/state" "${2:-online}"
}

# mhp_offline BLOCK [TRIES]: a page in use for a moment is worth another try
#
# In a kernel zone there may be memory that cannot move. The kernel should say
# EBUSY, but it may go on trying for ever (Documentation/admin-guide/mm/
# memory-hotplug.rst says so): it gets 3 seconds, then a signal, hence EINTR.
# With MHP_STRICT=1 in the environment that is a failure.
mhp_offline()
{
	local status=0

	mhp_zones "$1"
	if [ "$REPLY" = Movable ]; then
		mhp_offline_try "$@"
		return
	fi
	echo 3 >&"$MHP_ALARM"
	mhp_offline_try "$@" || status=1
	echo off >&"$MHP_ALARM"
	return "$status"
}

mhp_offline_try()
{
	local try

	for ((try = 1; ; try++)); do
		if mhp_write "$MHP_SYS/memory$1/state" offline; then
			return 0
		fi
		if [ "$MHP_ERRNO" != EBUSY ] || [ "$try" -ge "${2:-10}" ]; then
			return 1
		fi
		[ "$try" -ne 3 ] || echo 3 > /proc/sys/vm/drop_caches
		sleep 0.2
	done
}

# mhp_refused BLOCK ZONE: mhp_offline() of it failed; is that a clean refusal?
mhp_refused()
{
	if [ "$2" = Movable ]; then
		mhp_bad "offline memory$1 in Movable" success "$MHP_ERRNO"
		return
	fi
	case $MHP_ERRNO${MHP_STRICT:+ strictly} in
	EBUSY* | EINTR)	mhp_note "memory$1 in $2 is busy: $MHP_ERRNO" ;;
	*)		mhp_bad "offline memory$1 in $2" "success or EBUSY" "$MHP_ERRNO" ;;
	esac
}

# mhp_alarm_clock: lines of seconds come in; SIGALRM to the test unless the next
# line comes before they have passed
mhp_alarm_clock()
{
	local line

	while read -r line; do
		[ "$line" = off ] || read -r -t "$line" line || kill -ALRM $$
	done
}

# mhp_shuffle ARRAY: by RANDOM, which the test seeds
mhp_shuffle()
{
	local -n _shuffle=$1
	local i j swap

	for ((i = ${#_shuffle[@]} - 1; i > 0; i--)); do
		j=$((RANDOM % (i + 1)))
		swap=${_shuffle[i]}
		_shuffle[i]=${_shuffle[j]}
		_shuffle[j]=$swap
	done
}

# mhp_driver_managed BLOCK: is it in a driver's hands (virtio-mem, kmem)?
mhp_driver_managed()
{
	local line start end first=$(($1 * MHP_BLOCK_BYTES))

	if [ ! -e "$MHP_TMP/driver" ]; then
		{ grep 'System RAM (' /proc/iomem || true; } > "$MHP_TMP/driver"
	fi
	while read -r line; do
		start=$((16#${line%%-*}))
		end=${line%% *}
		end=$((16#${end#*-}))
		if [ "$first" -ge "$start" ] && [ "$first" -le "$end" ]; then
			return 0
		fi
	done < "$MHP_TMP/driver"
	return 1
}

mhp_own()
{
	local block=$1

	MHP_WAS[$block]=$2
	mhp_nid "$block"
	MHP_NID[$block]=$REPLY
}

# mhp_take COUNT: offline blocks to test with, up to COUNT, into MHP_TAKEN
#
# Blocks that are offline, blocks in Movable; where there are none, a DIMM
# from the hypervisor. Skips the test if there is nothing.
mhp_take()
{
	local want=$1 block state zone
	local -a blocks found=()

	mhp_blocks blocks
	for block in "${blocks[@]}"; do
		[ "${#found[@]}" -lt "$want" ] || break
		mhp_state "$block"
		state=$REPLY
		mhp_zones "$block"
		zone=$REPLY
		! mhp_driver_managed "$block" || continue
		if [ "$state" = offline ]; then
			mhp_own "$block" offline
			found[block]=1
		elif [ "$zone" = Movable ] && mhp_offline "$block"; then
			mhp_own "$block" Movable
			found[block]=1
		fi
	done
	MHP_TAKEN=("${!found[@]}")
	[ "${#MHP_TAKEN[@]}" -eq 0 ] || return 0

	if ! mhp_dimm_add mhp0 $((want * MHP_BLOCK_MIB)); then
		mhp_skip "no memory block to test with: none offline, none in Movable, no DIMM to be had ($REPLY)"
	fi
	for block in "${MHP_NEW[@]}"; do
		mhp_offline "$block" ||
			mhp_skip "a block just hot-added cannot go offline: $MHP_ERRNO"
	done
	MHP_TAKEN=("${MHP_NEW[@]}")
	for block in "${MHP_TAKEN[@]}"; do
		mhp_own "$block" offline
	done
}

# mhp_restore: everything we took as it was; status 1 if something resisted
mhp_restore()
{
	local block dimm file type zone failed=0

	mhp_release
	for file in "${!MHP_KEPT[@]}"; do
		mhp_write "$file" "${MHP_KEPT[$file]}\\n" || {
			mhp_note "$file does not take '${MHP_KEPT[$file]}' again: $MHP_ERRNO"
			failed=1
		}
	done
	for block in "${!MHP_WAS[@]}"; do
		mhp_state "$block"
		if [ "$REPLY" = online ]; then
			mhp_zones "$block"
			zone=$REPLY
			[ "$zone" != "${MHP_WAS[$block]}" ] || continue
			mhp_offline "$block" || {
				mhp_note "memory$block in $zone refuses to go offline: $MHP_ERRNO"
				MHP_STUCK[$block]=$zone
				[ "$zone" != Movable ] || failed=1
			}
		fi
	done
	for dimm in "${MHP_DIMMS[@]}"; do
		mhp_dimm_del "$dimm" || {
			mhp_note "DIMM $dimm refuses to be unplugged: $REPLY"
			[ "${#MHP_STUCK[@]}" -gt 0 ] || failed=1
		}
	done
	# ascending, so that zones grow back without holes in between
	# shellcheck disable=SC2046 # numbers, to be split
	for block in $(printf '%s\n' "${!MHP_WAS[@]}" | sort -n); do
		type=online_kernel
		case ${MHP_WAS[$block]} in
		offline)	continue ;;
		Movable)	type=online_movable ;;
		esac
		mhp_state "$block"
		[ "$REPLY" = offline ] || continue
		mhp_online "$block" "$type" || {
			mhp_note "memory$block does not come online again: $MHP_ERRNO"
			failed=1
		}
	done
	MHP_KEPT=()
	MHP_WAS=()
	MHP_DIMMS=()
	return "$failed"
}

# ---- DIMMs -----------------------------------------------------------------

# mhp_host COMMAND...: ask the hypervisor, in one line; REPLY is its answer
mhp_host()
{
	if ! command -v host > /dev/null; then
		REPLY="no 'host' command to ask the hypervisor with"
		return 1
	fi
	REPLY=$(host "${@//[$'\n\t']/ }" 2>&1)
}

# mhp_block_count COUNT: wait until there are that many blocks
mhp_block_count()
{
	local -a now
	local deadline=$((SECONDS + 20))

	while :; do
		mhp_blocks now
		[ "${#now[@]}" -ne "$1" ] || return 0
		if [ "$SECONDS" -ge "$deadline" ]; then
			REPLY="there are ${#now[@]} memory blocks, not $1"
			return 1
		fi
		sleep 0.1
	done
}

# mhp_dimm_add ID MIB [NODE [online_kernel]]: plug a DIMM in, wait for its blocks
# (MHP_NEW)
#
# Where firmware has the last word (pseries), they come online at once, whatever
# auto_online_blocks says but for the zone: Movable, so that they can go offline
# again, or what the caller says.
mhp_dimm_add()
{
	local id=$1 mib=$2 node=${3:-} type=${4:-online_movable} block want policy='' status=0
	local -a before after
	local -A old=()

	mhp_blocks before
	want=$((${#before[@]} + mib / MHP_BLOCK_MIB))
	if [ -e /proc/device-tree/ibm,dynamic-reconfiguration-memory ]; then
		mhp_get "$MHP_SYS/auto_online_blocks"
		policy=$REPLY
		echo "$type" > "$MHP_SYS/auto_online_blocks"
	fi
	mhp_dimm_plug "$id" "$mib" "$node" && mhp_block_count "$want" || status=1
	for block in "${before[@]}"; do
		old[$block]=1
	done
	MHP_NEW=()
	mhp_blocks after
	for block in "${after[@]}"; do
		[ -n "${old[$block]:-}" ] || MHP_NEW+=("$block")
	done
	if [ -n "$policy" ]; then
		for block in "${MHP_NEW[@]}"; do
			mhp_wait_online "$block"
		done
		echo "$policy" > "$MHP_SYS/auto_online_blocks"
	fi
	return "$status"
}

mhp_wait_online()
{
	local try

	for ((try = 0; try < 50; try++)); do
		mhp_state "$1"
		[ "$REPLY" != online ] || return 0
		sleep 0.1
	done
}

# mhp_dimm_plug ID MIB NODE: no more than that
mhp_dimm_plug()
{
	local id=$1 mib=$2 node=$3

	if [ -z "$node" ] || [ -e "$MHP_NODE/node$node" ]; then
		mhp_host dimm-add "$id" "${mib}M" ${node:+"$node"} || return 1
	else
		# a node that has nothing yet
		mhp_host qmp "{\"execute\": \"object-add\", \"arguments\": {
			\"qom-type\": \"memory-backend-ram\", \"id\": \"$id-mem\",
			\"size\": $((mib << 20)), \"reserve\": false}}" || return 1
		mhp_host qmp "{\"execute\": \"device_add\", \"arguments\": {
			\"driver\": \"pc-dimm\", \"id\": \"$id\",
			\"memdev\": \"$id-mem\", \"node\": $node}}" || return 1
	fi
	MHP_DIMMS+=("$id")
}

# mhp_dimm_del ID [SECONDS]: unplug; REPLY says why not
mhp_dimm_del()
{
	local i

	mhp_host dimm-del "$1" "${2:-20}" || return 1
	for i in "${!MHP_DIMMS[@]}"; do
		[ "${MHP_DIMMS[i]}" != "$1" ] || unset "MHP_DIMMS[i]"
	done
}

# mhp_unplug_refused: mhp_dimm_del() failed with REPLY; was that a refusal?
#
# Not every guest can tell its hypervisor: ACPI has no event for it in some
# versions of QEMU, and pseries is silent when the first part of a DIMM is busy.
# What counts is that the kernel gave up: the blocks of MHP_NEW are online, and
# the lock that serialises hotplug is free.
mhp_unplug_refused()
{
	local block status=0

	case $REPLY in
	"error refused")	;;
	"error timeout")	mhp_note "the hypervisor was not told of the refusal" ;;
	*)			mhp_bad "unplugging" "error refused" "$REPLY" ;;
	esac
	for block in "${MHP_NEW[@]}"; do
		mhp_state "$block"
		mhp_equal "memory$block/state after the refusal" online "$REPLY"
	done
	# holds the lock, changes nothing
	# shellcheck disable=SC2016 # for the other shell
	timeout -s KILL 5 "$BASH" -c 'echo online > "$1"' - "$MHP_SYS/memory${MHP_NEW[0]}/state" 2> /dev/null || status=$?
	[ "$status" -lt 128 ] || mhp_bad "memory hotplug after the refusal" "to go on" "hung"
}

# ---- memory in use ---------------------------------------------------------

# mhp_fill NODE MIB: a file of that size on a node, in MHP_TMP/data; REPLY is
# its checksum
mhp_fill()
{
	local bind=()

	! command -v numactl > /dev/null || bind=(numactl "--membind=$1")
	{ yes "memory of node $1" 2> /dev/null || true; } | head -c "$2M" |
		"${bind[@]}" dd bs=64k iflag=fullblock of="$MHP_TMP/data" status=none || return 1
	REPLY=$(cksum < "$MHP_TMP/data")
}

# mhp_intact NODE CHECKSUM: is what mhp_fill() wrote still there?
mhp_intact()
{
	mhp_equal "checksum of data on node $1" "$2" "$(cksum < "$MHP_TMP/data")"
}

# mhp_spawn COMMAND...: run it in the background until mhp_release
mhp_spawn()
{
	"$@" > "$MHP_TMP/spawned" 2>&1 &
	MHP_CHILDREN+=("$!")
}

# mhp_release: end what mhp_spawn started, free what mhp_fill wrote
mhp_release()
{
	local child

	for child in "${MHP_CHILDREN[@]}"; do
		kill -TERM "$child" 2> /dev/null || true
		wait "$child" 2> /dev/null || true
	done
	MHP_CHILDREN=()
	rm -f "$MHP_TMP/data"
}

# ---- counting --------------------------------------------------------------

# mhp_counts ARRAY: what the kernel counts, by name; pages, or kB where meminfo
#
# "zone NID NAME spanned|present|managed|start", "free NID NAME", "MemTotal",
# "node NID MemTotal", "free". A zone without pages has no start: 0.
mhp_counts()
{
	local -n _counts=$1
	local line zone='' dir
	local -a lines

	_counts=()
	mapfile -t lines < /proc/zoneinfo
	for line in "${lines[@]}"; do
		case $line in
		Node*)
			# shellcheck disable=SC2086 # to be split
			set -- ${line/,/}
			zone="$2 $4"
			_counts["zone $zone start"]=0
			;;
		*"pages free"*)
			# shellcheck disable=SC2086
			set -- $line
			_counts["free $zone"]=$3
			;;
		*" spanned "* | *" present "* | *" managed "*)
			# shellcheck disable=SC2086
			set -- $line
			_counts["zone $zone $1"]=$2
			;;
		*" start_pfn: "*)
			# shellcheck disable=SC2086
			set -- $line
			_counts["zone $zone start"]=$2
			;;
		esac
	done
	read -r _ line _ < /proc/meminfo
	_counts["MemTotal"]=$line
	read -r _ line < /proc/vmstat
	_counts["free"]=$line
	for dir in "$MHP_NODE"/node[0-9]*; do
		[ -e "$dir/meminfo" ] || continue
		read -r _ _ _ line _ < "$dir/meminfo"
		_counts["node ${dir##*/node} MemTotal"]=$line
	done
}

# mhp_compare EXPECTED ACTUAL: note every difference, but for what is free
mhp_compare()
{
	local -n _expected=$1 _actual=$2
	local key

	for key in "${!_expected[@]}"; do
		case $key in
		free*)
			;;
		*)
			mhp_equal "$key" "${_expected[$key]}" "${_actual[$key]-nothing}"
			;;
		esac
	done
	for key in "${!_actual[@]}"; do
		[ -n "${_expected[$key]+set}" ] || case $key in
		free*)
			;;
		*)
			# a node that comes up brings its empty zones
			[ "${_actual[$key]}" = 0 ] ||
				mhp_bad "$key" nothing "${_actual[$key]}"
			;;
		esac
	done
}

# mhp_everything ARRAY: mhp_counts, blocks, /proc/iomem, nodes
mhp_everything()
{
	local -n _all=$1
	local block file line state
	local -a list

	mhp_counts "$1"
	mhp_blocks list
	for block in "${list[@]}"; do
		mhp_state "$block"
		state=$REPLY
		mhp_nid "$block"
		state+=" node $REPLY"
		mhp_zones "$block"
		case $state in
		online*)	state+=" $REPLY" ;;
		esac
		_all["memory$block"]=$state
	done
	mapfile -t list < /proc/iomem
	for line in "${list[@]}"; do
		_all["iomem '$line'"]=present
	done
	for file in online has_memory has_normal_memory; do
		[ ! -e "$MHP_NODE/$file" ] || {
			mhp_get "$MHP_NODE/$file"
			_all["nodes $file"]="[$REPLY]"
		}
	done
	mapfile -t list < /proc/vmstat
	for line in "${list[@]}"; do
		case $line in
		nr_memmap*)
			_all[${line% *}]=${line#* }
			;;
		esac
	done
	mhp_get "$MHP_SYS/auto_online_blocks"
	_all["auto_online_blocks"]=$REPLY
}

# mhp_remember: this is how everything shall be again
mhp_remember()
{
	mhp_everything MHP_BEFORE
}

mhp_same_as_before()
{
	# shellcheck disable=SC2034 # by name
	local -A now=()

	mhp_everything now
	mhp_compare MHP_BEFORE now
}

# ---- a model of what onlining and offlining do to the counts ----------------

# mhp_memmap_pages: the numbers of pages of a block that its own memmap may take
#
# One of them is right: it depends on sizeof(struct page), which is 64 in most
# configurations. "force" fills up pageblocks.
mhp_memmap_pages()
{
	local mode=N block=1 size pages

	if [ -e "$MHP_PARAM/memmap_on_memory" ]; then
		mhp_get "$MHP_PARAM/memmap_on_memory"
		mode=$REPLY
	fi
	REPLY=0
	[ "$mode" != N ] || return 0
	if [ "$mode" = force ]; then
		grep '^Pages per block:' /proc/pagetypeinfo > "$MHP_TMP/pageblock"
		read -r _ _ _ block < "$MHP_TMP/pageblock"
	fi
	REPLY=
	for size in 64 56 72 80 88 96; do
		pages=$(((MHP_BLOCK_PAGES * size + MHP_PAGE_BYTES - 1) / MHP_PAGE_BYTES))
		REPLY+="$(((pages + block - 1) / block * block)) "
	done
}

# mhp_model_span COUNTS BASE ZONE: hull of the zone at first and of our blocks
mhp_model_span()
{
	local -n _span=$1 _base=$2
	local zone=$3 block from to
	local start=${_base["zone $zone start"]:-0}
	local end=$((start + ${_base["zone $zone spanned"]:-0}))

	for block in "${!MHP_IN[@]}"; do
		[ "${MHP_IN[$block]}" = "$zone" ] || continue
		from=$((block * MHP_BLOCK_PAGES))
		to=$((from + MHP_BLOCK_PAGES))
		if [ "$start" -eq "$end" ]; then
			start=$from
			end=$to
		fi
		[ "$from" -ge "$start" ] || start=$from
		[ "$to" -le "$end" ] || end=$to
	done
	[ "$start" -ne "$end" ] || start=0
	_span["zone $zone start"]=$start
	_span["zone $zone spanned"]=$((end - start))
}

# mhp_model COUNTS BASE BLOCK ZONE 1|-1: COUNTS after onlining / offlining BLOCK
mhp_model()
{
	local -n _model=$1
	local block=$3 way=$5 zone node pages managed kb
	zone="${MHP_NID[$block]} $4"
	node="node ${MHP_NID[$block]} MemTotal"

	if [ "$way" -gt 0 ]; then
		MHP_IN[$block]=$zone
	else
		unset "MHP_IN[$block]"
	fi
	pages=$((way * MHP_BLOCK_PAGES))
	managed=$((pages - way * ${MHP_HOSTS[$block]:-0}))
	kb=$((managed * (MHP_PAGE_BYTES / 1024)))
	_model["zone $zone present"]=$((${_model["zone $zone present"]:-0} + pages))
	_model["zone $zone managed"]=$((${_model["zone $zone managed"]:-0} + managed))
	_model["free $zone"]=$((${_model["free $zone"]:-0} + managed))
	_model["free"]=$((${_model["free"]:-0} + managed))
	_model["MemTotal"]=$((${_model["MemTotal"]:-0} + kb))
	_model["$node"]=$((${_model["$node"]:-0} + kb))
	mhp_model_span "$1" "$2" "$zone"
}

# mhp_learn_hosting COUNTS BEFORE BLOCK ZONE: how many of its pages hold the
# memmap, seen when the block first came online
mhp_learn_hosting()
{
	# shellcheck disable=SC2178 # by name
	local -n _after=$1 _before=$2
	local block=$3 zone hosts
	zone="${MHP_NID[$block]} $4"

	[ -z "${MHP_HOSTS[$block]:-}" ] || return 0
	hosts=$((MHP_BLOCK_PAGES - ${_after["zone $zone managed"]:-0} + ${_before["zone $zone managed"]:-0}))
	mhp_memmap_pages
	[[ " 0 $REPLY " == *" $hosts "* ]] ||
		mhp_bad "memory$block: pages that hold its memmap" "0 or one of $REPLY" "$hosts"
	MHP_HOSTS[$block]=$hosts
}

# mhp_check_free EXPECTED ACTUAL ZONE: free pages, within what a system at rest
# takes and gives back meanwhile (an eighth of a block)
mhp_check_free()
{
	# shellcheck disable=SC2178 # by name
	local -n _want=$1 _have=$2
	local key slack=$((MHP_BLOCK_PAGES / 8)) difference

	for key in free "free $3"; do
		difference=$((${_have[$key]:-0} - ${_want[$key]:-0}))
		if [ "${difference#-}" -gt "$slack" ]; then
			mhp_bad "$key (within $slack pages)" "${_want[$key]}" "${_have[$key]:-0}"
		fi
		# what was taken meanwhile is not owed by the next step
		_want[$key]=${_have[$key]:-0}
	done
}
