# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154 # by those who include it, and from mhp_lib.sh
#
# dax devices that are RAM, and their drivers: for tests in which a driver goes before
# its memory does. Included after mhp_lib.sh by the tests that need it.
#
# $dax is the name of the device.

dax_driver=/sys/bus/dax/drivers/kmem
dax_regions=/sys/kernel/debug/memory_hotplug/regions
dax_notifier=/sys/kernel/debug/notifier-error-inject/memory/actions/MEM_GOING_OFFLINE/error

# The code of a module that is loaded again may lie elsewhere, which splits huge pages
# of the linear mapping that are not the device's.
MHP_MEMINFO=MemTotal

# dax_need: skips the test without what all of this is about
dax_need()
{
	local tool

	for tool in ndctl daxctl; do
		command -v $tool > /dev/null || mhp_skip "no $tool"
	done
	modprobe kmem 2> /dev/null || true
	[ -e $dax_driver ] || mhp_skip "no dax/kmem in this kernel (CONFIG_DEV_DAX_KMEM)"
	grep -q " /sys/kernel/debug debugfs " /proc/mounts ||
		mount -t debugfs none /sys/kernel/debug
	[ -e $dax_regions ] || mhp_skip "no $dax_regions"
	modprobe memory-notifier-error-inject 2> /dev/null || true
	[ -e $dax_notifier ] || mhp_skip "no memory-notifier-error-inject in this kernel"
	mhp_keep "$MHP_SYS/auto_online_blocks"
	echo offline > "$MHP_SYS/auto_online_blocks"
}

# dax_namespace: skips the test without persistent memory; sets namespace
dax_namespace()
{
	for namespace in /sys/bus/nd/drivers/nd_pmem/namespace* none; do
		[ ! -e "$namespace" ] || break
	done
	[ "$namespace" != none ] || mhp_skip "no pmem namespace is in use (memmap=1G!4G on the command line makes one)"
	namespace=${namespace##*/}
}

# dax_device: sets dax
dax_device()
{
	local device

	for device in /sys/bus/dax/devices/dax*; do
		dax=${device##*/}
	done
}

# run COMMAND...: its output only if it fails
run()
{
	"$@" > "$MHP_TMP/output" 2>&1 && return
	mhp_bad "$*" success "status $?: $(tail -n 1 "$MHP_TMP/output")"
	return 0
}

# users WHAT [USERS...]: those of each region of the device, from the lowest
users()
{
	local what=$1 line
	local -a lines=()

	shift
	while read -r line; do
		lines+=("$line")
	done < <(sed -n "s/^[^ ]* [0-9]* ${dax:?}: //p" $dax_regions)
	mhp_equal "$what: users of its regions" "$(printf '%s\n' "$@")" \
		"$(printf '%s\n' ${lines[@]+"${lines[@]}"})"
}

# as_ram: dax/kmem takes the device; its memory blocks are in blocks[]
as_ram()
{
	local block
	local -A old=()

	mhp_blocks before
	for block in "${before[@]}"; do
		old[$block]=1
	done
	run daxctl reconfigure-device -m system-ram --no-online "$dax"
	mhp_blocks after
	blocks=()
	for block in "${after[@]}"; do
		[ -n "${old[$block]:-}" ] || blocks+=("$block")
	done
	[ "${#blocks[@]}" -gt 1 ] ||
		mhp_bad "memory blocks of $dax" "two or more" "${#blocks[@]}"
}

# online BLOCK...
online()
{
	local block

	for block; do
		mhp_must "$MHP_SYS/memory$block/state" online_movable
	done
}

# in_state STATE WHAT BLOCK...
in_state()
{
	local state=$1 what=$2 block

	shift 2
	for block; do
		mhp_state "$block"
		mhp_equal "memory$block, $what" "$state" "$REPLY"
	done
}

# offline BLOCK...: from the end, as memory that holds memmap goes last
offline()
{
	local i

	for ((i = $#; i > 0; i--)); do
		mhp_state "${!i}"
		[ "$REPLY" = offline ] || mhp_must "$MHP_SYS/memory${!i}/state" offline
	done
}

# offline_meanwhile BLOCK...: the same, where the memory may go at any moment
offline_meanwhile()
{
	local i

	for ((i = $#; i > 0; i--)); do
		echo offline 2> /dev/null > "$MHP_SYS/memory${!i}/state" || true
	done
}

# unbind: the driver goes
unbind()
{
	mhp_must $dax_driver/unbind "$dax"
}

# module_gone ROUND: and in every other round its module, if it is one
module_gone()
{
	[ $(($1 % 2)) = 1 ] || [ ! -e /sys/module/kmem/initstate ] || run modprobe -r kmem
}

# refuse_offline ERRNO: 0 to allow it again
refuse_offline()
{
	mhp_must $dax_notifier "$1"
}

# taken: another driver cannot have the device, and the log says why
taken()
{
	local mark="mhp_dax: who has $dax, ${EPOCHREALTIME}"

	echo "$mark" > /dev/kmsg
	if daxctl reconfigure-device -m devdax "$dax" > "$MHP_TMP/output" 2>&1; then
		mhp_bad "device_dax for $dax" "refused" success
	fi
	dmesg > "$MHP_TMP/log"
	sed "1,/$mark/d" "$MHP_TMP/log" |
		grep "$dax cannot have .*: $dax has left it, but System RAM (kmem) is still there" > "$MHP_TMP/why" ||
		mhp_bad "kernel log" "who has the range" "$(tail -n 3 "$MHP_TMP/log")"
}

# await COMMAND...: until it says yes, ten seconds at most
await()
{
	local try

	for ((try = 0; try < 100; try++)); do
		! "$@" || return 0
		sleep 0.1
	done
	mhp_bad "after ten seconds: $*" yes no
}

# has_regions N: the device has so many
has_regions()
{
	[ "$(grep -c " $dax:" $dax_regions)" = "$1" ]
}

# gone WHAT: the memory that as_ram brought, without anybody having removed it, and its
# regions
gone()
{
	# the region goes last
	await has_regions 0
	mhp_blocks after
	mhp_equal "$1: memory blocks" "${before[*]}" "${after[*]}"
	mhp_equal "$1: RAM in /proc/iomem" "" "$(grep 'System RAM (kmem)' /proc/iomem || true)"
}

# rounds N: the test's function round, N times. Each leaves what it found, and all of
# them no less memory, but for pages that come and go in a system at rest.
rounds()
{
	local i free

	mhp_free
	free=$REPLY
	mhp_snapshot "$MHP_TMP/between"
	for ((i = 1; i <= $1 && !MHP_FAULTS; i++)); do
		round $i
		mhp_unchanged "round $i" "$MHP_TMP/between"
	done
	mhp_done "the same in each of $1 rounds"
	mhp_none_lost "$free" 512
}
