#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Garbage into every writable file under /sys/devices/system/memory: each write
# fails with the error that its file gives, and nothing changes.
#
# Some files take what looks like garbage. What they take is written here only
# where it means what is the case already. The answers come from reading
#	state, auto_online_blocks: mhp_online_type_from_str(), the whole string
#		up to a NUL; a state that is there already: EINVAL
#	online: kstrtobool(), the first one or two letters
#	probe: kstrtoull(); *_offline_page: too, but only EINVAL
#	uevent: kobject_synth_uevent(), the first word, by length
#	power/: sysfs_streq(); autosuspend_delay_ms: EIO where not in use
# No valid number goes to probe or *_offline_page here.

set -euo pipefail
# shellcheck source=mhp_lib.sh
. "$(dirname "$0")/mhp_lib.sh"

mhp_start 120 "$@"
mhp_remember

# Both formats for printf and what to call them. 70000 is more than a page has
# on any architecture.
printf -v long '%70000s' ''
long=${long// /A}
garbage=(
	'\n'			'a newline'
	' '			'a space'
	'garbage'		'garbage'
	'garbage\n'		'garbage, newline'
	'online '		'online, space'
	' online'		'space, online'
	'online\n\n'		'online, two newlines'
	'online offline'	'two words'
	'Online'		'capitalised'
	'onlin'			'a word cut short'
	'online_'		'a word too long'
	'online_movable_'	'another word too long'
	'-1'			'minus one'
	'-9223372036854775809'	'less than a long holds'
	'18446744073709551616'	'more than a long holds'
	'0x10000000000000000'	'more than a long holds, hex'
	'0xgarbage'		'hex that is none'
	'1e3'			'a float'
	'\0'			'a NUL'
	'\0online'		'NUL, online'
	'\377\376\001\200\033['	'binary'
	'%%s%%n%%p'		'formats'
	'../../state'		'a path'
	'add garbage'		'add with bad arguments'
	"$long"			'70000 letters'
	"online$long"		'online and 70000 letters'
)

# answer FILE FORMAT: the errors that may come, or "skip" where the string
# means something to this file that is not the case
answer()
{
	local file=$1 string=$2

	case $file in
	*/memory[0-9]*/state | */auto_online_blocks)
		REPLY=EINVAL
		;;
	*/memory[0-9]*/online)
		case $string in
		[yYtT1nNfF0]* | [oO][nNfF]*)	REPLY=skip ;;
		*)				REPLY=EINVAL ;;
		esac
		;;
	*/probe)
		case $string in
		18446744073709551616 | 0x10000000000000000)	REPLY=ERANGE ;;
		*)						REPLY=EINVAL ;;
		esac
		;;
	*/autosuspend_delay_ms)
		case $string in
		'-1')	REPLY=EIO ;;
		*)	REPLY="EIO EINVAL" ;;
		esac
		;;
	*)
		REPLY=EINVAL
		;;
	esac
}

# try FILE FORMAT NAME
try()
{
	local errors write

	answer "$1" "$2"
	[ "$REPLY" != skip ] || return 0
	errors=$REPLY
	writes=$((writes + 1))
	write=mhp_write
	[[ $2 != *'\n'?* && ${#2} -lt 4096 ]] || write=mhp_write_whole
	if "$write" "$1" "$2"; then
		mhp_bad "$3 into $1" "$errors" success
	elif [[ " $errors " != *" $MHP_ERRNO "* ]]; then
		mhp_bad "$3 into $1" "$errors" "$MHP_ERRNO"
	fi
}

# looks ARRAY: all that can be read there, and what the machine counts
looks()
{
	local -n _looks=$1
	local file list

	mhp_everything "$1"
	for file in "${readable[@]}"; do
		mapfile -t list 2> /dev/null < "$file" || list=(unreadable)
		_looks["$file"]=${list[*]-}
	done
}

all_of()
{
	local -n _from=$1
	local file i

	for file in "${_from[@]}"; do
		for ((i = 0; i < ${#garbage[@]}; i += 2)); do
			try "$file" "${garbage[i]}" "${garbage[i + 1]}"
		done
		# no write at all, but the file is opened and truncated
		mhp_write "$file" '' || mhp_bad "opening $file for writing" success "$MHP_ERRNO"
	done
}

find "$MHP_SYS" -type f -perm /444 ! -name 'runtime_*_time' | sort > "$MHP_TMP/list"
mapfile -t readable < "$MHP_TMP/list"
find "$MHP_SYS" -type f -perm /222 ! -path '*/memory/memory[0-9]*' | sort > "$MHP_TMP/list"
mapfile -t root < "$MHP_TMP/list"

# Of the blocks: one online, one offline, in full; the others with the least.
blocks=()
mhp_blocks blocks
online=
offline=
for block in "${blocks[@]}"; do
	mhp_state "$block"
	case $REPLY in
	online)		online=${online:-$block} ;;
	offline)	offline=${offline:-$block} ;;
	esac
done
full=()
rest=()
find "$MHP_SYS" -type f -perm /222 -path '*/memory/memory[0-9]*' | sort > "$MHP_TMP/list"
while read -r file; do
	case $file in
	"$MHP_SYS/memory${online:-none}/"* | "$MHP_SYS/memory${offline:-none}/"*)
		full+=("$file") ;;
	*)
		rest+=("$file") ;;
	esac
done < "$MHP_TMP/list"

# shellcheck disable=SC2034 # by name
declare -A before after
looks before
writes=0
mhp_plan 6
mhp_note "${#root[@]} files of the subsystem, ${#full[@]} of two blocks, ${#rest[@]} of all others"

all_of root
mhp_done "files of the subsystem refuse garbage"

all_of full
mhp_done "files of memory$online and memory${offline:-(none is offline)} refuse garbage"

for file in "${rest[@]}"; do
	try "$file" 'garbage\n' garbage
	try "$file" '\377\376\001\200\033[' binary
done
mhp_done "files of all other blocks refuse garbage"

# What passes for valid, where it is the case already
if [ -n "$online" ]; then
	dir=$MHP_SYS/memory$online
	mhp_write "$dir/online" '1garbage' || mhp_bad "1garbage into $dir/online" success "$MHP_ERRNO"
	mhp_write "$dir/online" 'online' || mhp_bad "online into $dir/online" success "$MHP_ERRNO"
	mhp_write "$dir/state" 'online\0garbage' && mhp_bad "online, NUL, garbage into $dir/state" EINVAL success
	mhp_equal "online, NUL, garbage into $dir/state, which is online" EINVAL "$MHP_ERRNO"
fi
if [ -n "$offline" ]; then
	dir=$MHP_SYS/memory$offline
	mhp_write "$dir/online" '0x1' || mhp_bad "0x1 into $dir/online" success "$MHP_ERRNO"
	mhp_write "$dir/state" 'offline\0garbage' && mhp_bad "offline, NUL, garbage into $dir/state" EINVAL success
	mhp_equal "offline, NUL, garbage into $dir/state, which is offline" EINVAL "$MHP_ERRNO"
fi
mhp_get "$MHP_SYS/auto_online_blocks"
mhp_write "$MHP_SYS/auto_online_blocks" "$REPLY\\n" || mhp_bad "$REPLY into auto_online_blocks" success "$MHP_ERRNO"
mhp_done "what only looks like garbage is taken for what it says"

looks after
mhp_compare before after
mhp_done "no file reads otherwise after $writes writes"
mhp_finish
