# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2004 # parts of mhp_lib.sh use each other's
#
# Part of mhp_lib.sh: reading and writing files of sysfs, the names of errors.

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

# mhp_must FILE FORMAT: the same; a failure is a difference
mhp_must()
{
	mhp_write "$1" "$2" || mhp_bad "${1##*/} '$2'" success "$MHP_ERRNO"
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
