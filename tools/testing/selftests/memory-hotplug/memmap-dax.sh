#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Where the memmap of a dax device lies that is used as RAM: what the device asks
# for in memmap_on_memory, and the tools of the distribution (daxctl, lsmem, chmem)
# with what comes of that. Where the kernel command line says that memory does not
# host its memmap, the device may not ask for it.
#
# Needs a pmem namespace (memmap=1G!4G on the command line makes one).

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 300 "$@"
for tool in ndctl daxctl lsmem chmem; do
	command -v $tool > /dev/null || mhp_skip "no $tool"
done
modprobe kmem 2> /dev/null || true
for namespace in /sys/bus/nd/drivers/nd_pmem/namespace* none; do
	[ ! -e "$namespace" ] || break
done
[ "$namespace" != none ] || mhp_skip "no pmem namespace is in use (memmap=1G!4G on the command line makes one)"
namespace=${namespace##*/}
mhp_get "$MHP_PARAM/memmap_on_memory"
mode=$REPLY
mhp_keep "$MHP_SYS/auto_online_blocks"
echo offline > "$MHP_SYS/auto_online_blocks"

# run COMMAND...: its output only if it fails
run()
{
	"$@" > "$MHP_TMP/output" 2>&1 && return
	mhp_bad "$*" success "status $?: $(tail -n 1 "$MHP_TMP/output")"
	return 0
}

run ndctl create-namespace -f -e "$namespace" -m devdax -M mem
for device in /sys/bus/dax/devices/dax*; do
	dax=${device##*/}
done
file=/sys/bus/dax/devices/$dax/memmap_on_memory
[ -e "$file" ] || mhp_skip "dax devices of this kernel have no memmap_on_memory"

# refuse TEXT ERROR
refuse()
{
	local was

	mhp_get "$file"
	was=$REPLY
	if mhp_write "$file" "$1"; then
		mhp_bad "'$1' to memmap_on_memory" "$2" success
	else
		mhp_equal "'$1' to memmap_on_memory" "$2" "$MHP_ERRNO"
	fi
	mhp_get "$file"
	mhp_equal "memmap_on_memory after '$1'" "$was" "$REPLY"
}

# accept TEXT READS-AS
accept()
{
	mhp_must "$file" "$1"
	mhp_get "$file"
	mhp_equal "memmap_on_memory after '$1'" "$2" "$REPLY"
}

# states STATE: how many memory blocks of the device are in it
states()
{
	local block count=0

	for block in "${blocks[@]}"; do
		mhp_state "$block"
		[ "$REPLY" != "$1" ] || count=$((count + 1))
	done
	REPLY=$count
}

# all STATE
all()
{
	states "$1"
	mhp_equal "memory blocks $1, $2" "${#blocks[@]}" "$REPLY"
}

# use PLACE: as RAM and back, through all tools
use()
{
	local block before after size try
	local -A old=()

	mhp_blocks before
	for block in "${before[@]}"; do
		old[$block]=1
	done
	run daxctl reconfigure-device -m system-ram "$dax"
	blocks=()
	mhp_blocks after
	for block in "${after[@]}"; do
		[ -n "${old[$block]:-}" ] || blocks+=("$block")
	done
	[ "${#blocks[@]}" -gt 1 ] || mhp_bad "memory blocks of $dax" "two or more" "${#blocks[@]}"
	for block in "${blocks[@]}"; do
		mhp_get "$MHP_SYS/memory$block/memmap_placement"
		mhp_equal "placement of memory$block" "$1" "$REPLY"
	done
	all online "daxctl has made it RAM"
	refuse "$other" EBUSY

	size=$((${#blocks[@]} * MHP_BLOCK_MIB))
	lsmem -b -n -r -o SIZE,STATE > "$MHP_TMP/lsmem"
	mhp_equal "MiB online, says lsmem" $((${#after[@]} * MHP_BLOCK_MIB)) \
		"$(awk '$2 == "online" { n += $1 } END { print n / 1048576 }' "$MHP_TMP/lsmem")"

	# the last ones of the machine, from the end
	run chmem -d "$size"
	all offline "chmem -d $size"
	run chmem -e "$size"
	all online "chmem -e $size"

	# A range goes from its start, and what cannot go yet is left: once more, then.
	for ((try = 1; try <= 3; try++)); do
		chmem -d "$(printf '0x%x-0x%x' $((blocks[0] * MHP_BLOCK_BYTES)) $(((blocks[-1] + 1) * MHP_BLOCK_BYTES - 1)))" > "$MHP_TMP/output" 2>&1 || true
		states offline
		mhp_note "$1: chmem -d RANGE, $try: $REPLY of ${#blocks[@]} offline"
		[ "$REPLY" -lt "${#blocks[@]}" ] || break
	done
	all offline "chmem -d RANGE"
	run daxctl online-memory "$dax"
	all online "daxctl online-memory"

	# daxctl goes by the directory and gives up at the first that cannot go.
	if daxctl offline-memory "$dax" > "$MHP_TMP/output" 2>&1; then
		all offline "daxctl offline-memory"
	else
		mhp_note "daxctl offline-memory: $(head -n 1 "$MHP_TMP/output")"
		mhp_equal "daxctl offline-memory" "refused for leading only" "refused for $1 only"
		for ((try = ${#blocks[@]} - 1; try >= 0; try--)); do
			mhp_state "${blocks[try]}"
			[ "$REPLY" = offline ] ||
				mhp_must "$MHP_SYS/memory${blocks[try]}/state" offline
		done
		all offline "from the last one to the first"
	fi
	run daxctl reconfigure-device -m devdax "$dax"
	mhp_blocks after
	mhp_equal "memory blocks" "${before[*]}" "${after[*]}"
}

if [ "$mode" = N ]; then
	mhp_plan 2
	refuse leading EOPNOTSUPP
	refuse 1 EOPNOTSUPP
	accept 0 0
	mhp_done "no placement if the kernel command line says so"
else
	mhp_plan 5
	for text in 2 leadin leadingx "leading 1" block; do
		refuse "$text" EINVAL
	done
	accept '0\n' 0
	accept '1\n' 1
	accept 'leading\n' leading
	mhp_done "what memmap_on_memory takes"

	accept leading 'leading'
	other=1
	use leading
	mhp_done "leading"
	accept 1 1
	other=leading
	case $mode in
	leading)	use leading ;;
	*)		use per_block ;;
	esac
	mhp_done "as the kernel command line says"
	accept 0 0
	use system
	mhp_done "system RAM"
fi
run ndctl create-namespace -f -e "$namespace" -m raw
mhp_done "the namespace is raw again"
ktap_finished
