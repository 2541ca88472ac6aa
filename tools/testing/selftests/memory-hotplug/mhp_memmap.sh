# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154 # parts of mhp_lib.sh use each other's
#
# Part of mhp_lib.sh: struct pages, each word of each, as the module memmap_test
# compares them with those of Linux 6.12.

MHP_COMPARE=/sys/kernel/debug/memmap_test

# mhp_memmap_test [OPTION...]: loads the module anew; what it says is in
# $MHP_TMP/module
mhp_memmap_test()
{
	local order reserved=0

	rmmod memmap_test 2> /dev/null || true
	MHP_MODULE=memmap_test
	order=$(awk '/^Page block order:/ { print $4 }' /proc/pagetypeinfo)
	# In kernels without the series, what holds a memmap is not reserved.
	[ ! -e "$MHP_PARAM/memmap_share" ] || reserved=1
	set -- "block_order=$order" "memmap_reserved=$reserved" "$@"
	modprobe memmap_test "$@" 2> "$MHP_TMP/module" ||
		insmod /memmap_test.ko "$@" 2> "$MHP_TMP/module"
}

# mhp_need_memmap_test: skips the test where the module is missing
mhp_need_memmap_test()
{
	mhp_memmap_test && [ -e "$MHP_COMPARE" ] ||
		mhp_skip "no module memmap_test in this kernel (CONFIG_MHP_TEST)"
}

# mhp_several_write MIB: several CPUs write struct pages, if each gets so much memory
mhp_several_write()
{
	[ -e "$MHP_PARAM/memmap_share" ] || return 0
	mhp_keep "$MHP_PARAM/memmap_share"
	echo "$1" > "$MHP_PARAM/memmap_share"
}

# mhp_spoil START SIZE: nothing is left of what struct pages of offline memory were
mhp_spoil()
{
	mhp_must "$MHP_TEST/memmap" "fill $1 $2 0xa5"
}

# mhp_remarks: what the module has to say of each difference
mhp_remarks()
{
	sed -n 's/^pfn/# &/p' "$MHP_COMPARE/seen"
}

# mhp_device_pages START SIZE REFERENCES ORDER: device memory, in bytes, with so many
# references to each page, or to each compound page of that order
mhp_device_pages()
{
	mhp_write "$MHP_COMPARE/device" "$*" ||
		mhp_bad "struct pages of device memory" "as ever" "$MHP_ERRNO"
	mhp_remarks
}

# mhp_hosting FIRST COUNT: REPLY is how many pages of memory blocks hold struct pages;
# "some" where the kernel does not tell
mhp_hosting()
{
	local block pages=0

	for ((block = $1; block < $1 + $2; block++)); do
		if [ ! -e "$MHP_SYS/memory$block/memmap_pages" ]; then
			REPLY=some
			return
		fi
		mhp_get "$MHP_SYS/memory$block/memmap_pages"
		pages=$((pages + REPLY))
	done
	REPLY=$pages
	[ $pages -gt 0 ] || mhp_bad "pages that hold struct pages" some 0
}

# mhp_expect NODE ZONE: where memory comes online from now on; "any" is a zone
mhp_expect()
{
	mhp_must "$MHP_COMPARE/expect" "$1 $2"
	MHP_EXPECTED=$2
}

# mhp_seen NAME PAGES [HANDED-ON [HOSTING]]: what came online since then are so many
# pages, of which a driver got so many; so many ("some") hold struct pages. REPLY is how
# many do.
mhp_seen()
{
	local -A n
	local what number most=$(($2 / 4))

	# In Movable, there is little that somebody wants at once.
	[ "$MHP_EXPECTED" != Movable ] || most=$(($2 / 64))
	while read -r what number; do
		n[$what]=$number
	done < "$MHP_COMPARE/seen"
	mhp_equal "$1: pages" "$2" $((n[free] + n[in_use] + n[memmap]))
	[ $((n[in_use] + n[used])) -le $most ] ||
		mhp_bad "$1: pages that somebody allocated at once" "$most at most" \
			"${n[in_use]} and ${n[used]} that are free again"
	mhp_equal "$1: pages that a driver got" "${3:-0}" "${n[handed_on]}"
	[ "${4:-0}" = some ] && [ "${n[memmap]}" -gt 0 ] ||
		mhp_equal "$1: pages that hold struct pages" "${4:-0}" "${n[memmap]}"
	mhp_equal "$1: words that are not as ever" 0 "${n[wrong]}"
	mhp_remarks
	REPLY=${n[memmap]}
}
