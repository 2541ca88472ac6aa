# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2004 # parts of mhp_lib.sh use each other's
#
# Part of mhp_lib.sh: DIMMs of a hypervisor that listens, and memory in use.

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
	MHP_BROUGHT[$id]=${MHP_NEW[*]}
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
	mhp_host dimm-del "$1" "${2:-20}" ||
		{ [[ $REPLY == *"already in progress"* ]] && mhp_dimm_give "$1"; } ||
		return 1
	mhp_dimm_gone "$1"
}

# mhp_dimm_give ID: hand over a DIMM that the hypervisor still waits for, after
# the guest refused it without a word (pseries); REPLY stays when that fails
mhp_dimm_give()
{
	local drmem=/proc/device-tree/ibm,dynamic-reconfiguration-memory
	local -a blocks word
	local first i drc='' asked=$REPLY

	read -ra blocks <<< "${MHP_BROUGHT[$1]:-}"
	[ "${#blocks[@]}" -gt 0 ] && [ -e "$drmem/ibm,dynamic-memory-v2" ] || return 1
	# after their number, sets of LMBs: how many, address (2 cells), index of the
	# first, associativity, flags
	read -ra word <<< "$(od -An -v -tx1 -w4 "$drmem/ibm,dynamic-memory-v2" | tr -d ' ' | tr '\n' ' ')"
	first=$((blocks[0] * MHP_BLOCK_BYTES))
	for ((i = 1; i + 5 < ${#word[@]}; i += 6)); do
		local lmb=$(((first - 16#${word[i + 1]}${word[i + 2]}) / MHP_BLOCK_BYTES))
		if [ "$lmb" -ge 0 ] && [ "$lmb" -lt $((16#${word[i]})) ]; then
			drc=$((16#${word[i + 3]} + lmb))
		fi
	done
	[ -n "$drc" ] &&
		mhp_write /sys/kernel/dlpar "memory remove indexed-count ${#blocks[@]} $drc" ||
		{ REPLY=$asked; return 1; }
	# there is nothing left to ask for
	! mhp_host dimm-del "$1" 1 && [[ $REPLY == *"not found"* ]] || return 1
	mhp_note "DIMM $1, refused before, was handed over"
}

# mhp_dimm_gone ID: the DIMM is not there any more
mhp_dimm_gone()
{
	local i

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
