# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2004 # parts of mhp_lib.sh use each other's
#
# Part of mhp_lib.sh: memory blocks, taking them and giving them back.

# mhp_blocks ARRAY: the numbers of all blocks, ascending
mhp_blocks()
{
	local -n _blocks=$1
	local dir
	local -a seen=()

	for dir in "$MHP_SYS"/memory[0-9]*; do
		seen[${dir##*/memory}]=1
	done
	# shellcheck disable=SC2034,SC2004 # the caller's
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

# mhp_online_new TYPE: brings those of MHP_NEW online that are not
mhp_online_new()
{
	local block

	for block in "${MHP_NEW[@]}"; do
		mhp_state "$block"
		[ "$REPLY" = online ] || mhp_online "$block" "$1" ||
			mhp_bad "online memory$block" success "$MHP_ERRNO"
	done
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
	[ -z "$MHP_MODULE" ] || rmmod "$MHP_MODULE" 2> /dev/null || true
	MHP_MODULE=
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
