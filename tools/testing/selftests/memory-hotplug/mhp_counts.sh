# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2004 # parts of mhp_lib.sh use each other's
#
# Part of mhp_lib.sh: what the kernel counts, and a model of what onlining and
# offlining do to it.

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
	# shellcheck disable=SC2034,SC2004 # by name
	local -A now=()

	mhp_everything now
	mhp_compare MHP_BEFORE now
}

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
# takes and gives back meanwhile (an eighth of a block). KASAN takes as much for
# the shadow of a block and keeps freed objects: there, free pages tell nothing.
mhp_check_free()
{
	# shellcheck disable=SC2178 # by name
	local -n _want=$1 _have=$2
	local key slack=$((MHP_BLOCK_PAGES / 8)) difference

	! mhp_has_kasan || return 0
	for key in free "free $3"; do
		difference=$((${_have[$key]:-0} - ${_want[$key]:-0}))
		if [ "${difference#-}" -gt "$slack" ]; then
			mhp_bad "$key (within $slack pages)" "${_want[$key]}" "${_have[$key]:-0}"
		fi
		# what was taken meanwhile is not owed by the next step
		_want[$key]=${_have[$key]:-0}
	done
}
